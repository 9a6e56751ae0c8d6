#include "test.h"

#include "sm_xml.h"

/* Appends "<name", "'text" or ">name" a piece; the answer of the reader. */
static int trace (sm_str text, sm_buf *out, sm_xml *r, sm_alloc alloc,
                  void *ud) {
  static const char marks[] = {'?', '<', '\'', '>'};
  sm_buf scratch;
  sm_str s;
  int kind;
  sm_buf_init(&scratch, 64, alloc, ud);
  sm_xml_init(r, text);
  while ((kind = sm_xml_next(r, &s, &scratch)) > 0) {
    sm_buf_putc(out, marks[kind]);
    sm_buf_puts(out, s);
    sm_buf_putc(out, ' ');
  }
  sm_buf_free(&scratch);
  return kind;
}

static void pieces (void) {
  static const char *const rows[][2] = {
      {"<a/>", "<a >a "},
      {"<a></a>", "<a >a "},
      {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<a/>\n<!-- end -->", "<a >a "},
      {"<n:a xmlns:n='u' x = \"1\"><n:b>1</n:b></n:a>", "<a <b '1 >b >a "},
      {"<a> <b> </b> <c/> </a>", "<a <b '  >b <c >c >a "},
      {"<a>x&lt;&gt;&amp;&quot;&apos;y</a>", "<a 'x<>&\"'y >a "},
      {"<a>&#65;&#x42;&#x1F600;</a>", "<a 'AB\xF0\x9F\x98\x80 >a "},
      {"<a>1<![CDATA[<&]]>2<!-- no -->3<?no?></a>", "<a '1<&23 >a "},
      {"<a>x<b/>y</a>", "<a 'x <b >b 'y >a "}};
  size_t i;
  test_name("pieces");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    test_edge edge = test_edge_make(strlen(rows[i][0]));
    sm_buf out;
    sm_xml r;
    sm_buf_init(&out, 1000, sm_libc_alloc, NULL);
    CHECK(trace(test_edge_copy(&edge, test_str(rows[i][0])), &out, &r,
                sm_libc_alloc, NULL) == SM_X_EOF);
    CHECK_TEXT(sm_buf_str(&out), rows[i][1]);
    sm_buf_free(&out);
    test_edge_free(&edge);
  }
}

static void refusals (void) {
  static const struct {
    const char *text;
    int err;
    size_t at;
  } rows[] = {
      {"", SM_ESYNTAX, 0},
      {"text", SM_ESYNTAX, 0},
      {"<a>", SM_ESYNTAX, 3},
      {"<a/><b/>", SM_ESYNTAX, 5},
      {"<a/>text", SM_ESYNTAX, 4},
      {"<a></b>", SM_ESYNTAX, 7},
      {"</a>", SM_ESYNTAX, 4},
      {"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", SM_ESYNTAX, 0},
      {"<a><!ELEMENT a></a>", SM_ESYNTAX, 3},
      {"<a>&e;</a>", SM_ESYNTAX, 3},
      {"<a>& </a>", SM_ESYNTAX, 3},
      {"<a>&#0;</a>", SM_ESYNTAX, 3},
      {"<a>&#xD800;</a>", SM_ESYNTAX, 3},
      {"<a>&#99999999999999999999;</a>", SM_ESYNTAX, 3},
      {"<a>&#xZ;</a>", SM_ESYNTAX, 3},
      {"<a x></a>", SM_ESYNTAX, 4},
      {"<a x=1></a>", SM_ESYNTAX, 5},
      {"<a x='1></a>", SM_ESYNTAX, 8},
      {"<a>\x80</a>", SM_EUTF8, 3},
  };
  size_t i;
  test_name("refusals");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_buf out;
    sm_xml r;
    sm_buf_init(&out, 1000, sm_libc_alloc, NULL);
    CHECK(trace(test_str(rows[i].text), &out, &r, sm_libc_alloc, NULL) ==
          rows[i].err);
    CHECK(r.at == rows[i].at);
    CHECK(r.what != NULL);
    sm_buf_free(&out);
  }
}

static void limits (void) {
  char deep[4 * (SM_XML_MAX_DEPTH + 1)];
  sm_buf out;
  sm_xml r;
  size_t i;
  test_name("limits");
  for (i = 0; i <= SM_XML_MAX_DEPTH; i++)
    memcpy(deep + 3 * i, "<a>", 3);
  sm_buf_init(&out, 10000, sm_libc_alloc, NULL);
  CHECK(trace((sm_str){deep, 3 * i}, &out, &r, sm_libc_alloc, NULL) ==
        SM_ELIMIT);
  CHECK(trace(SM_LIT("<a>&amp;0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789</a>"),
              &out, &r, sm_libc_alloc, NULL) == SM_ELIMIT);
  sm_buf_free(&out);
}

/* Every beginning of a document is refused at a place inside of it. */
static void truncation (void) {
  sm_str whole = SM_LIT("<?xml version='1.0'?><a x='1'><b>t&amp;<![CDATA[c]]>"
                        "</b><!-- n --><c/></a>");
  size_t n;
  test_name("truncation");
  for (n = 0; n < whole.len; n++) {
    test_edge edge = test_edge_make(n);
    sm_buf out;
    sm_xml r;
    sm_buf_init(&out, 1000, sm_libc_alloc, NULL);
    CHECK(trace(test_edge_copy(&edge, (sm_str){whole.p, n}), &out, &r,
                sm_libc_alloc, NULL) == SM_ESYNTAX);
    CHECK(r.at <= n);
    sm_buf_free(&out);
    test_edge_free(&edge);
  }
}

static void whole_elements (void) {
  sm_buf scratch;
  sm_str s;
  sm_xml r;
  test_name("whole elements");
  sm_buf_init(&scratch, 100, sm_libc_alloc, NULL);
  sm_xml_init(&r, SM_LIT("<a><b>1&amp;2</b><b/><b></b><c><d>x</d>y</c>"
                         "<e>z</e><f><g/></f></a>"));
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_X_START);
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_X_START);
  CHECK(sm_xml_text(&r, &s, &scratch) == SM_OK);
  CHECK_TEXT(s, "1&2");
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_X_START);
  CHECK(sm_xml_text(&r, &s, &scratch) == SM_OK);
  CHECK_TEXT(s, "");
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_X_START);
  CHECK(sm_xml_text(&r, &s, &scratch) == SM_OK);
  CHECK_TEXT(s, "");
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_X_START);
  CHECK(sm_xml_skip(&r, &scratch) == SM_OK);
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_X_START);
  CHECK_TEXT(s, "e");
  CHECK(sm_xml_text(&r, &s, &scratch) == SM_OK);
  CHECK_TEXT(s, "z");
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_X_START);
  CHECK(sm_xml_text(&r, &s, &scratch) == SM_ESYNTAX);
  CHECK(sm_xml_next(&r, &s, &scratch) == SM_ESYNTAX);
  sm_buf_free(&scratch);
}

static int read_with (sm_alloc alloc, void *ud) {
  sm_buf out;
  sm_xml r;
  int kind;
  sm_buf_init(&out, 1000, sm_libc_alloc, NULL);
  kind = trace(SM_LIT("<a>&amp;</a>"), &out, &r, alloc, ud);
  sm_buf_free(&out);
  return kind;
}

int main (void) {
  pieces();
  refusals();
  limits();
  truncation();
  whole_elements();
  test_name("allocation failures");
  test_allocations(read_with);
  return test_end();
}
