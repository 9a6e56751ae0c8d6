/*
** test_json [folder]: the folder holds the files of JSONTestSuite; without an
** argument it is test_parsing below SAGEMAKER_CONFORMANCE, or below
** ../shared/conformance. Where there is none, that part is left out, and said
** to be.
*/
#include "test.h"

#include <dirent.h>
#include <math.h>

#include "sm_json.h"

static sm_buf buf;
static sm_buf scratch;

static sm_str taken (void) {
  sm_str s = sm_buf_str(&buf);
  sm_buf_reset(&buf);
  return s;
}

/* {{ Writer */

static void strings_out (void) {
  static const char *const rows[][2] = {
      {"", "\"\""},
      {"a", "\"a\""},
      {"abcdefg", "\"abcdefg\""},
      {"abcdefgh", "\"abcdefgh\""},
      {"abcdefghijklm", "\"abcdefghijklm\""},
      {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
      {"\b\t\n\f\r\v\x01\x1f\x7f",
       "\"\\b\\t\\n\\f\\r\\u000b\\u0001\\u001f\x7f\""},
      {"\xE2\x82\xAC\xF0\x9D\x84\x9E", "\"\xE2\x82\xAC\xF0\x9D\x84\x9E\""},
      {"12345678\n12345678", "\"12345678\\n12345678\""}};
  size_t i;
  test_name("strings out");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    CHECK(sm_json_put_string(&buf, test_str(rows[i][0]), NULL) == SM_OK);
    CHECK_TEXT(taken(), rows[i][1]);
  }
  CHECK(sm_json_put_string(&buf, (sm_str){NULL, 0}, NULL) == SM_OK);
  CHECK_TEXT(taken(), "\"\"");
  CHECK(sm_json_put_string(&buf, SM_LIT("a\0b"), NULL) == SM_OK);
  CHECK_TEXT(taken(), "\"a\\u0000b\"");
}

/* Each special byte at each place of strings of each length up to 40, read
** back by the reader; the input ends at the edge. */
static void strings_everywhere (void) {
  static const char *const specials[] = {"x", "\"", "\\", "\n", "\xC3\xA4"};
  test_edge edge = test_edge_make(100);
  char line[64];
  size_t len, at, i;
  test_name("specials at every place");
  for (len = 0; len <= 40; len++) {
    for (at = 0; at <= len; at++) {
      for (i = 0; i < sizeof specials / sizeof *specials; i++) {
        size_t n = strlen(specials[i]);
        sm_json r;
        sm_str in, out;
        memset(line, 'a', sizeof line);
        memcpy(line + at, specials[i], n);
        in = test_edge_copy(&edge, (sm_str){line, len + n});
        CHECK(sm_json_put_string(&buf, in, NULL) == SM_OK);
        sm_json_init(&r, test_edge_copy(&edge, sm_buf_str(&buf)), 0);
        CHECK(sm_json_string(&r, &out, &scratch) == SM_OK);
        CHECK(out.len == len + n && memcmp(out.p, line, out.len) == 0);
        CHECK(sm_json_end(&r) == SM_OK);
        sm_buf_reset(&buf);
      }
    }
  }
  test_edge_free(&edge);
}

static void strings_bad (void) {
  static const char *const bad[] = {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80",
                                    "\xF4\x90\x80\x80"};
  size_t i, at;
  test_name("invalid UTF-8 out");
  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    for (at = 0; at < 20; at++) {
      char line[40];
      size_t where = 99;
      memset(line, 'a', sizeof line);
      memcpy(line + at, bad[i], strlen(bad[i]));
      sm_buf_putc(&buf, '[');
      CHECK(sm_json_put_string(&buf, (sm_str){line, 30}, &where) == SM_EUTF8);
      CHECK(where == at);
      CHECK_TEXT(taken(), "[");
    }
  }
}

static void scalars_out (void) {
  test_name("scalars out");
  sm_json_put_name(&buf, SM_LIT("a"), 0);
  sm_json_put_int(&buf, INT64_MIN);
  sm_json_put_name(&buf, SM_LIT("b"), 1);
  sm_json_put_double(&buf, 0.25);
  sm_buf_putc(&buf, ',');
  sm_json_put_double(&buf, NAN);
  sm_json_put_double(&buf, INFINITY);
  sm_json_put_double(&buf, -INFINITY);
  sm_json_put_double(&buf, -1e22);
  sm_json_put_bool(&buf, 1);
  sm_json_put_bool(&buf, 0);
  sm_json_put_null(&buf);
  sm_json_put_blob(&buf, "\xff\xfe", 2);
  CHECK_TEXT(taken(), "\"a\":-9223372036854775808,\"b\":0.25,\"NaN\"\"Infinity"
                      "\"\"-Infinity\"-1e+22truefalsenull\"//4=\"");
}

/* }} */

/* {{ Reader */

/*
** Reads one text with every function of the reader, as a caller without a
** shape would. *p is a budget against loops that do not end.
*/
static void walk (sm_json *r, long *budget) {
  char open[SM_JSON_MAX_DEPTH + 1];
  sm_str s;
  sm_number n;
  int flag;
  do {
    int more = 1;
    switch (sm_json_peek(r)) {
    case SM_J_OBJECT:
    case SM_J_ARRAY:
      open[r->depth] = *r->p;
      sm_json_enter(r, *r->p);
      break;
    case SM_J_STRING:
      sm_json_string(r, &s, &scratch);
      break;
    case SM_J_NUMBER:
      sm_json_number(r, &n, &s);
      break;
    case SM_J_NULL:
      sm_json_null(r);
      break;
    default:
      sm_json_bool(r, &flag);
    }
    do {
      if (r->err != SM_OK || r->depth == 0)
        return;
      more = open[r->depth - 1] == '{' ? sm_json_key(r, &s, &scratch)
                                       : sm_json_item(r);
    } while (more == 0);
  } while (r->err == SM_OK && --*budget > 0);
}

/* Status of a text, which sm_json_skip and walk agree on. */
static int read_all (sm_str text, unsigned depth) {
  long budget = (long)text.len + 10;
  sm_json a, b;
  sm_json_init(&a, text, depth);
  sm_json_skip(&a);
  sm_json_end(&a);
  sm_json_init(&b, text, depth);
  walk(&b, &budget);
  sm_json_end(&b);
  CHECK(budget > 0);
  if (!CHECK(a.err == b.err && a.at == b.at))
    printf("  %d at %zu (%s), %d at %zu (%s): %.*s\n", a.err, a.at, a.what,
           b.err, b.at, b.what, (int)text.len, text.p);
  CHECK(a.at <= text.len);
  CHECK(a.err == SM_OK || *a.what != '\0');
  return a.err;
}

static void tokens (void) {
  static const char text[] = " { \"a\" : [ 1 , -2.5e1 , true,false,null ] ,"
                             "\"\\u0062\":{},\"c\":\"d\\n\",\"e\":[]} ";
  sm_json r;
  sm_str s;
  sm_number n;
  int flag;
  test_name("tokens");
  sm_json_init(&r, SM_LIT(text), 5);
  CHECK(sm_json_peek(&r) == SM_J_OBJECT);
  CHECK(sm_json_enter(&r, '[') == SM_ESYNTAX);
  sm_json_init(&r, SM_LIT(text), 5);
  CHECK(sm_json_enter(&r, '{') == SM_OK && r.depth == 1);
  CHECK(sm_json_key(&r, &s, &scratch) == 1);
  CHECK_TEXT(s, "a");
  CHECK(s.p > text && s.p < text + sizeof text);
  CHECK(sm_json_peek(&r) == SM_J_ARRAY && sm_json_enter(&r, '[') == SM_OK);
  CHECK(sm_json_item(&r) == 1 && sm_json_peek(&r) == SM_J_NUMBER);
  CHECK(sm_json_number(&r, &n, NULL) == SM_OK && n.is_int && n.i == 1);
  CHECK(sm_json_item(&r) == 1 && sm_json_number(&r, &n, &s) == SM_OK);
  CHECK(!n.is_int && n.d == -25);
  CHECK_TEXT(s, "-2.5e1");
  CHECK(sm_json_item(&r) == 1 && sm_json_peek(&r) == SM_J_TRUE);
  CHECK(sm_json_bool(&r, &flag) == SM_OK && flag == 1);
  CHECK(sm_json_item(&r) == 1 && sm_json_peek(&r) == SM_J_FALSE);
  CHECK(sm_json_bool(&r, &flag) == SM_OK && flag == 0);
  CHECK(sm_json_item(&r) == 1 && sm_json_peek(&r) == SM_J_NULL);
  CHECK(sm_json_null(&r) == SM_OK);
  CHECK(sm_json_item(&r) == 0 && r.depth == 1);
  CHECK(sm_json_key(&r, &s, &scratch) == 1);
  CHECK_TEXT(s, "b");
  CHECK(sm_json_raw(&r, &s) == SM_OK);
  CHECK_TEXT(s, "{}");
  CHECK(sm_json_key(&r, &s, &scratch) == 1);
  CHECK(sm_json_peek(&r) == SM_J_STRING);
  CHECK(sm_json_string(&r, &s, &scratch) == SM_OK);
  CHECK_TEXT(s, "d\n");
  CHECK(sm_json_key(&r, &s, &scratch) == 1 && sm_json_skip(&r) == SM_OK);
  CHECK(sm_json_key(&r, &s, &scratch) == 0 && r.depth == 0);
  CHECK(sm_json_end(&r) == SM_OK);
}

static void integers (void) {
  static const struct {
    const char *text;
    int64_t v;
  } rows[] = {{"0", 0},
              {"-0", 0},
              {"7", 7},
              {"-7", -7},
              {"100000000000000000", 100000000000000000},
              {"1000000000000000000", 1000000000000000000},
              {"-1000000000000000000", -1000000000000000000},
              {"9223372036854775807", INT64_MAX},
              {"-9223372036854775808", INT64_MIN}};
  size_t i;
  test_name("integers in");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_json r;
    sm_number n;
    sm_json_init(&r, test_str(rows[i].text), 0);
    CHECK(sm_json_number(&r, &n, NULL) == SM_OK && sm_json_end(&r) == SM_OK);
    CHECK(n.is_int && n.i == rows[i].v);
  }
}

static void escapes (void) {
  static const char *const rows[][2] = {
      {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
      {"\"\\u00e4\\u20AC\\uD834\\udd1e\"",
       "\xC3\xA4\xE2\x82\xAC\xF0\x9D\x84\x9E"},
      {"\"\\uD834\"", "\xEF\xBF\xBD"},
      {"\"\\uDD1E\"", "\xEF\xBF\xBD"},
      {"\"\\uD834x\"", "\xEF\xBF\xBDx"},
      {"\"\\uD834\\n\"", "\xEF\xBF\xBD\n"},
      {"\"\\uD834\\u0041\"", "\xEF\xBF\xBD"
                             "A"},
      {"\"\\uD834\\uD834\\uDD1E\"", "\xEF\xBF\xBD\xF0\x9D\x84\x9E"},
      {"\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF"},
      {"\"a\\u0041\\\\u0042\"", "aA\\u0042"}};
  size_t i;
  test_name("escapes in");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_json r;
    sm_str s;
    sm_json_init(&r, test_str(rows[i][0]), 0);
    if (CHECK(sm_json_string(&r, &s, &scratch) == SM_OK))
      CHECK_TEXT(s, rows[i][1]);
  }
}

static void errors (void) {
  static const struct {
    const char *text;
    int err;
    size_t at;
  } rows[] = {{"", SM_ESYNTAX, 0},
              {"  ", SM_ESYNTAX, 2},
              {"{\"a\" 1}", SM_ESYNTAX, 5},
              {"{\"a\":1,}", SM_ESYNTAX, 7},
              {"{\"a\":1 \"b\"", SM_ESYNTAX, 7},
              {"{,", SM_ESYNTAX, 1},
              {"{1:2}", SM_ESYNTAX, 1},
              {"[1 2]", SM_ESYNTAX, 3},
              {"[1,]", SM_ESYNTAX, 3},
              {"[1}", SM_ESYNTAX, 2},
              {"[", SM_ESYNTAX, 1},
              {"[\"a", SM_ESYNTAX, 3},
              {"\"\\x\"", SM_ESYNTAX, 1},
              {"\"ab\\u12g4\"", SM_ESYNTAX, 3},
              {"\"a\nb\"", SM_ESYNTAX, 2},
              {"\"a\xFF\"", SM_EUTF8, 2},
              {"\"\xED\xA0\x80\"", SM_EUTF8, 1},
              {"\xEF\xBB\xBF{}", SM_ESYNTAX, 0},
              {"tru", SM_ESYNTAX, 0},
              {"nul", SM_ESYNTAX, 0},
              {"truex", SM_ESYNTAX, 4},
              {"01", SM_ESYNTAX, 1},
              {"1.", SM_ESYNTAX, 1},
              {"-", SM_ESYNTAX, 0},
              {"1 2", SM_ESYNTAX, 2},
              {"[[[[]]]]", SM_ELIMIT, 3},
              {"[[[]],[[[[]]]]]", SM_ELIMIT, 8}};
  size_t i;
  test_name("errors and their places");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_json r;
    CHECK(read_all(test_str(rows[i].text), 3) == rows[i].err);
    sm_json_init(&r, test_str(rows[i].text), 3);
    sm_json_skip(&r);
    sm_json_end(&r);
    if (!CHECK(r.at == rows[i].at))
      printf("  %s: %zu\n", rows[i].text, r.at);
  }
}

static void sticky (void) {
  sm_json r;
  sm_str s;
  sm_number n;
  int flag;
  test_name("errors stick");
  sm_json_init(&r, SM_LIT("[1,2]"), 5);
  CHECK(sm_json_enter(&r, '[') == SM_OK && sm_json_item(&r) == 1);
  CHECK(sm_json_fail(&r, SM_ERANGE, "mine") == SM_ERANGE && r.at == 1);
  CHECK(sm_json_fail(&r, SM_EARG, "other") == SM_ERANGE);
  CHECK(sm_json_item(&r) == SM_ERANGE);
  CHECK(sm_json_key(&r, &s, &scratch) == SM_ERANGE);
  CHECK(sm_json_peek(&r) == SM_ERANGE);
  CHECK(sm_json_enter(&r, '{') == SM_ERANGE);
  CHECK(sm_json_string(&r, &s, &scratch) == SM_ERANGE);
  CHECK(sm_json_number(&r, &n, NULL) == SM_ERANGE);
  CHECK(sm_json_bool(&r, &flag) == SM_ERANGE);
  CHECK(sm_json_null(&r) == SM_ERANGE);
  CHECK(sm_json_skip(&r) == SM_ERANGE);
  CHECK(sm_json_raw(&r, &s) == SM_ERANGE);
  CHECK(sm_json_end(&r) == SM_ERANGE);
  CHECK(strcmp(r.what, "mine") == 0 && r.at == 1);
  sm_json_init(&r, SM_LIT("]"), 5);
  CHECK(sm_json_item(&r) == SM_EARG);
  sm_json_init(&r, SM_LIT("\"\\n1234\""), 5);
  scratch.max = 3;
  sm_buf_free(&scratch);
  CHECK(sm_json_string(&r, &s, &scratch) == SM_ELIMIT);
  scratch.max = 1 << 20;
}

static void deep (void) {
  enum {
    N = 200000
  };
  char *text = malloc(N);
  size_t i;
  test_name("depth");
  if (text == NULL)
    abort();
  for (i = 0; i < 1024; i++) {
    text[i] = '[';
    text[2047 - i] = ']';
  }
  CHECK(read_all((sm_str){text, 2048}, 5000) == SM_OK);
  memset(text, '[', N);
  CHECK(read_all((sm_str){text, N}, 5000) == SM_ELIMIT);
  for (i = 0; i + 5 <= N; i += 5)
    memcpy(text + i, "{\"a\":", 5);
  CHECK(read_all((sm_str){text, N}, 5000) == SM_ELIMIT);
  CHECK(read_all(SM_LIT("{}"), 0) == SM_ELIMIT);
  CHECK(read_all(SM_LIT("1"), 0) == SM_OK);
  free(text);
}

/* Every beginning of a text fails, cleanly, with nothing readable behind it. */
static void truncated (void) {
  static const char text[] =
      "{\"name\":\"\\ud834\\udd1e \xE2\x82\xAC\",\"list\":[1,-2.5e+10,true,"
      "false,null,{}],\"object\":{\"long key, long key\":\"long text, no escape"
      "\",\"\\\"\":[[],\"\"]},\"last\":123456789012}";
  test_edge edge = test_edge_make(sizeof text);
  size_t n;
  test_name("every beginning, up to the edge");
  for (n = 0; n < sizeof text - 1; n++) {
    int err = read_all(test_edge_copy(&edge, (sm_str){text, n}), 100);
    CHECK(err == SM_ESYNTAX || err == SM_EUTF8);
  }
  CHECK(read_all(test_edge_copy(&edge, SM_LIT(text)), 100) == SM_OK);
  test_edge_free(&edge);
}

/* }} */

/* {{ JSONTestSuite */

static void suite_file (const char *dir, const char *name, long *ran) {
  char path[1024];
  char *bytes = malloc(1 << 20);
  FILE *f;
  size_t n;
  int err;
  test_edge edge;
  snprintf(path, sizeof path, "%s/%s", dir, name);
  f = fopen(path, "rb");
  if (f == NULL || bytes == NULL)
    abort();
  n = fread(bytes, 1, 1 << 20, f);
  fclose(f);
  edge = test_edge_make(n);
  err = read_all(test_edge_copy(&edge, (sm_str){bytes, n}), SM_JSON_MAX_DEPTH);
  if (name[0] == 'y' && !CHECK(err == SM_OK))
    printf("  refused: %s\n", name);
  if (name[0] == 'n' && !CHECK(err != SM_OK))
    printf("  accepted: %s\n", name);
  test_edge_free(&edge);
  free(bytes);
  ++*ran;
}

static void suite (const char *dir) {
  long ran = 0;
  DIR *d = opendir(dir);
  struct dirent *entry;
  test_name("JSONTestSuite");
  if (d == NULL) {
    printf("JSONTestSuite left out: no folder %s\n", dir);
    return;
  }
  while ((entry = readdir(d)) != NULL) {
    size_t n = strlen(entry->d_name);
    if (n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0)
      suite_file(dir, entry->d_name, &ran);
  }
  closedir(d);
  printf("JSONTestSuite: %ld files\n", ran);
}

static void suite_default (void) {
  char dir[1024];
  const char *base = getenv("SAGEMAKER_CONFORMANCE");
  snprintf(dir, sizeof dir, "%s/json/test_parsing",
           base != NULL ? base : "../shared/conformance");
  suite(dir);
}

/* }} */

static int there_and_back (sm_alloc alloc, void *ud) {
  sm_buf out, tmp;
  sm_json r;
  sm_str s;
  int err;
  sm_buf_init(&out, 1 << 16, alloc, ud);
  sm_buf_init(&tmp, 1 << 16, alloc, ud);
  while (out.len < 3000 && out.err == SM_OK)
    sm_json_put_string(&out, SM_LIT("line\nline \xC3\xA4 \x01\x02\x03"), NULL);
  err = out.err;
  sm_json_init(&r, sm_buf_str(&out), 0);
  while (err == SM_OK && r.p < r.end)
    err = sm_json_string(&r, &s, &tmp);
  sm_buf_free(&out);
  sm_buf_free(&tmp);
  return err;
}

int main (int argc, char **argv) {
  sm_buf_init(&buf, 1 << 20, sm_libc_alloc, NULL);
  sm_buf_init(&scratch, 1 << 20, sm_libc_alloc, NULL);
  strings_out();
  strings_everywhere();
  strings_bad();
  scalars_out();
  tokens();
  integers();
  escapes();
  errors();
  sticky();
  deep();
  truncated();
  test_name("allocation failure");
  test_allocations(there_and_back);
  if (argc > 1)
    suite(argv[1]);
  else
    suite_default();
  sm_buf_free(&buf);
  sm_buf_free(&scratch);
  return test_end();
}
