#include "test.h"

#include "sm_rest.h"

static sm_buf buf, scratch;

static sm_str taken (void) {
  sm_str s = sm_buf_str(&buf);
  sm_buf_reset(&buf);
  return s;
}

/* A template taken apart: literals as they are, <label>, <greedy+>. */
static sm_str parts_of (const char *uri) {
  sm_str rest = test_str(uri);
  sm_template_part part;
  while (sm_template_next(&rest, &part)) {
    if (part.label)
      sm_buf_putc(&buf, '<');
    sm_buf_puts(&buf, part.text);
    if (part.greedy)
      sm_buf_putc(&buf, '+');
    if (part.label)
      sm_buf_putc(&buf, '>');
    sm_buf_putc(&buf, '|');
  }
  return taken();
}

static void templates (void) {
  sm_str query, path;
  test_name("templates");
  CHECK_TEXT(parts_of(""), "");
  CHECK_TEXT(parts_of("/"), "/|");
  CHECK_TEXT(parts_of("/a/{b}/c"), "/a/|<b>|/c|");
  CHECK_TEXT(parts_of("{a}{b+}"), "<a>|<b+>|");
  CHECK_TEXT(parts_of("/{}"), "/|<>|");
  CHECK_TEXT(parts_of("/{a"), "/{a|");
  CHECK_TEXT(parts_of("/a}"), "/a}|");
  path = sm_template_path(SM_LIT("/a/{b}?x=y&z"), &query);
  CHECK_TEXT(path, "/a/{b}");
  CHECK_TEXT(query, "x=y&z");
  path = sm_template_path(SM_LIT("/a"), &query);
  CHECK_TEXT(path, "/a");
  CHECK(query.len == 0);
}

static void found (void *ctx, sm_str name, sm_str text) {
  (void)ctx;
  sm_buf_puts(&buf, name);
  sm_buf_putc(&buf, '=');
  sm_buf_puts(&buf, text);
  sm_buf_putc(&buf, ';');
}

static int match (const char *uri, const char *path) {
  sm_buf_reset(&buf);
  return sm_template_match(test_str(uri), test_str(path), found, NULL);
}

static void matches (void) {
  test_name("matching paths");
  CHECK(match("/endpoints/{E}/invocations", "/endpoints/a%2Fb/invocations"));
  CHECK_TEXT(taken(), "E=a%2Fb;");
  CHECK(match("/{a+}/end?x=y", "/b/c/end"));
  CHECK_TEXT(taken(), "a=b/c;");
  CHECK(match("/{a}", "/x"));
  CHECK(match("/", "/"));
  CHECK(!match("/", "/x"));
  CHECK(!match("/{a}", "/"));
  CHECK(!match("/{a}", "/x/y"));
  CHECK(!match("/{a+}/end", "/end"));
  CHECK(!match("/a", "/"));
  CHECK(!match("/{a}/b", "/x/c"));
  sm_buf_reset(&buf);
}

static void labels (void) {
  test_name("labels");
  CHECK(sm_label_valid(SM_LIT("a"), 0));
  CHECK(sm_label_valid(SM_LIT("..."), 0));
  CHECK(sm_label_valid(SM_LIT("a/../b"), 0)); /* its slashes are encoded */
  CHECK(!sm_label_valid(SM_LIT(""), 0));
  CHECK(!sm_label_valid(SM_LIT("."), 0));
  CHECK(!sm_label_valid(SM_LIT(".."), 0));
  CHECK(sm_label_valid(SM_LIT("a/b"), 1));
  CHECK(sm_label_valid(SM_LIT("a/"), 1));
  CHECK(!sm_label_valid(SM_LIT("a/../b"), 1));
  CHECK(!sm_label_valid(SM_LIT("a/."), 1));
  CHECK(!sm_label_valid(SM_LIT(""), 1));
  CHECK(sm_hostlabel_valid(SM_LIT("a-1")));
  CHECK(!sm_hostlabel_valid(SM_LIT("-a")));
  CHECK(!sm_hostlabel_valid(SM_LIT("a.b")));
  CHECK(!sm_hostlabel_valid(SM_LIT("")));
}

static void queries (void) {
  sm_str query = SM_LIT("&a=1&&b&c=d=e&"), name, value;
  test_name("queries");
  sm_rest_put_query(&buf, SM_LIT("a b"), SM_LIT("c&d"));
  sm_rest_put_query(&buf, SM_LIT("e"), SM_LIT(""));
  CHECK_TEXT(taken(), "a%20b=c%26d&e=");
  CHECK(sm_rest_next_query(&query, &name, &value));
  CHECK_TEXT(name, "a");
  CHECK_TEXT(value, "1");
  CHECK(sm_rest_next_query(&query, &name, &value));
  CHECK_TEXT(name, "b");
  CHECK_TEXT(value, "");
  CHECK(sm_rest_next_query(&query, &name, &value));
  CHECK_TEXT(name, "c");
  CHECK_TEXT(value, "d=e");
  CHECK(!sm_rest_next_query(&query, &name, &value));
}

/* Items of a header, each in brackets. */
static sm_str items_of (const char *header, int dates) {
  sm_str rest = test_str(header), item;
  while (sm_header_next_item(&rest, &item, dates, &scratch)) {
    sm_buf_putc(&buf, '[');
    sm_buf_puts(&buf, item);
    sm_buf_putc(&buf, ']');
  }
  return taken();
}

static void headers (void) {
  test_name("headers");
  CHECK(sm_header_name_valid(SM_LIT("X-Amz-Foo_1")));
  CHECK(!sm_header_name_valid(SM_LIT("")));
  CHECK(!sm_header_name_valid(SM_LIT("a b")));
  CHECK(!sm_header_name_valid(SM_LIT("a:b")));
  CHECK(!sm_header_name_valid(SM_LIT("a\0b")));
  CHECK(sm_header_value_valid(SM_LIT("a\tb \xc3\xa9")));
  CHECK(!sm_header_value_valid(SM_LIT("a\r\nb")));
  CHECK(!sm_header_value_valid(SM_LIT("a\0b")));
  CHECK(!sm_header_value_valid(SM_LIT("\x7f")));
  sm_header_put_item(&buf, SM_LIT("a"), 1);
  sm_header_put_item(&buf, SM_LIT("b,c"), 0);
  sm_header_put_item(&buf, SM_LIT("\"d\\\""), 0);
  CHECK_TEXT(sm_buf_str(&buf), "a, \"b,c\", \"\\\"d\\\\\\\"\"");
  sm_buf_putc(&buf, '\0');
  {
    char *copy = malloc(buf.len);
    memcpy(copy, buf.p, buf.len);
    sm_buf_reset(&buf);
    CHECK_TEXT(items_of(copy, 0), "[a][b,c][\"d\\\"]");
    free(copy);
  }
  CHECK_TEXT(items_of("", 0), "");
  CHECK_TEXT(items_of(" a ,b, c", 0), "[a][b][c]");
  CHECK_TEXT(items_of("\"open", 0), "[open]");
  CHECK_TEXT(items_of("\"a\\", 0), "[a\\]");
  CHECK_TEXT(items_of("Mon, 16 Dec 2019 23:48:18 GMT, Tue, 17 Dec 2019", 1),
             "[Mon, 16 Dec 2019 23:48:18 GMT][Tue, 17 Dec 2019]");
}

static void words (void) {
  double v;
  test_name("words");
  CHECK(sm_float_name(SM_LIT("NaN"), &v) && v != v);
  CHECK(sm_float_name(SM_LIT("-Infinity"), &v) && v < -1e308);
  CHECK(!sm_float_name(SM_LIT("nan"), &v));
  CHECK_TEXT(sm_status_phrase(503), "Service Unavailable");
  CHECK_TEXT(sm_status_phrase(299), "");
  CHECK_TEXT(sm_error_code(SM_LIT("FooError")), "FooError");
  CHECK_TEXT(sm_error_code(SM_LIT("a.b#FooError")), "FooError");
  CHECK_TEXT(sm_error_code(SM_LIT("a#b#FooError:http://x#y/")), "FooError");
  CHECK_TEXT(sm_error_code(SM_LIT(":x")), "");
  CHECK(sm_is_html(SM_LIT("\n<HTML>")));
  CHECK(sm_is_html(SM_LIT("<!DOCTYPE html>")));
  CHECK(!sm_is_html(SM_LIT("<?xml?>")));
  CHECK(!sm_is_html(SM_LIT("")));
  CHECK(sm_put_md5(&buf, SM_LIT("abc")) == SM_OK);
  CHECK_TEXT(taken(), "kAFQmDzST7DWlj99KOF/cg==");
}

/* What is read may end where no page is. */
static void edges (void) {
  test_edge e = test_edge_make(64);
  sm_str rest, item, name, value;
  sm_template_part part;
  test_name("edges");
  rest = test_edge_copy(&e, SM_LIT("/a/{b"));
  while (sm_template_next(&rest, &part))
    CHECK(part.text.len > 0);
  rest = test_edge_copy(&e, SM_LIT("a, \"b\\"));
  while (sm_header_next_item(&rest, &item, 0, &scratch))
    CHECK(item.len > 0);
  rest = test_edge_copy(&e, SM_LIT("a=b&c"));
  while (sm_rest_next_query(&rest, &name, &value))
    CHECK(name.len == 1);
  CHECK(!sm_is_html(test_edge_copy(&e, SM_LIT("<htm"))));
  test_edge_free(&e);
}

int main (void) {
  sm_buf_init(&buf, 1 << 16, sm_libc_alloc, NULL);
  sm_buf_init(&scratch, 1 << 16, sm_libc_alloc, NULL);
  templates();
  matches();
  labels();
  queries();
  headers();
  words();
  edges();
  sm_buf_free(&buf);
  sm_buf_free(&scratch);
  return test_end();
}
