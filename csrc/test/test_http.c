#include "test.h"

#include "sm_http.h"
#include "sm_text.h"

static sm_http_head head;

/* Reads a head that ends where no page is. */
static int read_at_edge (sm_str text) {
  test_edge e = test_edge_make(text.len);
  int status = sm_http_head_read(test_edge_copy(&e, text), &head);
  test_edge_free(&e);
  return status;
}

static int parse (const char *text) {
  sm_str s = test_str(text);
  int status = read_at_edge(s);
  CHECK(sm_http_head_read(s, &head) == status);
  return status;
}

static void plain (void) {
  const char *text = "HTTP/1.1 200 OK\r\nA: b \r\nX-Empty:\r\n"
                     "Content-Length: 012\r\nConnection: Close\r\n\r\nbody";
  size_t i;
  test_name("a plain head");
  CHECK(parse(text) == SM_OK);
  CHECK(head.status == 200 && head.nfields == 4 && !head.keep);
  CHECK(head.has_length && head.length == 12 && !head.chunked);
  CHECK(head.size == strlen(text) - 4);
  CHECK_TEXT(head.fields[0].name, "A");
  CHECK_TEXT(head.fields[0].value, "b");
  CHECK_TEXT(head.fields[1].value, "");
  CHECK(parse("HTTP/1.1 999\r\nTransfer-Encoding: CHUNKED\r\n\r\n") == SM_OK);
  CHECK(head.status == 999 && head.keep && head.chunked && !head.has_length);
  test_name("a head that is not all there");
  for (i = 0; i < strlen(text) - 4; i++)
    CHECK(read_at_edge((sm_str){text, i}) == SM_ESYNTAX);
}

static void not_plain (void) {
  static const char *const rows[] = {
      "",
      "\r\n\r\n",
      "HTTP/1.0 200 OK\r\n\r\n",
      "HTTP/1.1 100 C\r\n\r\n",
      "HTTP/1.1 20x\r\n\r\n",
      "HTTP/1.1 2000\r\n\r\n",
      "HTTP/1.1 200 OK\n\n",
      "HTTP/1.1 200 OK\r\nA: b\n\r\n",
      "HTTP/1.1 200 O\rK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: b\r\na: c\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\r\nConnection: upgrade\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"
      "\r\n\r\n"};
  static const char nul[] = "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n";
  size_t i;
  test_name("heads that are not plain");
  for (i = 0; i < sizeof rows / sizeof *rows; i++)
    CHECK(parse(rows[i]) == SM_ESYNTAX);
  CHECK(read_at_edge((sm_str){nul, sizeof nul - 1}) == SM_ESYNTAX);
}

static void many (void) {
  char text[64 * 16 + 64];
  int i, n = sprintf(text, "HTTP/1.1 200 OK\r\n");
  test_name("as many headers as are plain");
  for (i = 0; i < SM_HTTP_MAX_FIELDS; i++)
    n += sprintf(text + n, "N%d: v\r\n", i);
  strcpy(text + n, "\r\n");
  CHECK(parse(text) == SM_OK && head.nfields == SM_HTTP_MAX_FIELDS);
  strcpy(text + n, "M: v\r\n\r\n");
  CHECK(parse(text) == SM_ESYNTAX);
}

static void writing (void) {
  static const char *const names[] = {"",     "A B",  "A:",
                                      "host", "HOST", "Content-length",
                                      "A\r",  "\xC3", "transfer-encoding"};
  static const char *const values[] = {"a\rb", "a\n", "\r\nX: y"};
  char memory[64];
  sm_buf b;
  size_t i;
  test_name("writing");
  sm_buf_fixed(&b, memory, sizeof memory);
  CHECK(sm_http_put_request(&b, SM_LIT("GET"), SM_LIT("/a"), SM_LIT("h")) ==
        SM_OK);
  CHECK(sm_http_put_field(&b, SM_LIT("A"), SM_LIT("b")) == SM_OK);
  CHECK_TEXT(sm_buf_str(&b), "GET /a HTTP/1.1\r\nHost: h\r\nA: b\r\n");
  CHECK(sm_http_put_request(&b, SM_LIT("G T"), SM_LIT("/"), SM_LIT("h")) ==
        SM_ESYNTAX);
  CHECK(sm_http_put_request(&b, SM_LIT(""), SM_LIT("/"), SM_LIT("h")) ==
        SM_ESYNTAX);
  for (i = 0; i < sizeof names / sizeof *names; i++)
    CHECK(sm_http_put_field(&b, test_str(names[i]), SM_LIT("v")) == SM_ESYNTAX);
  for (i = 0; i < sizeof values / sizeof *values; i++)
    CHECK(sm_http_put_field(&b, SM_LIT("A"), test_str(values[i])) ==
          SM_ESYNTAX);
  CHECK(sm_http_put_field(&b, SM_LIT("A"), (sm_str){"\0", 1}) == SM_ESYNTAX);
  test_name("a buffer that is full");
  CHECK(sm_http_put_field(&b, SM_LIT("Long"),
                          SM_LIT("0123456789012345678901234567890123456789")) ==
        SM_ELIMIT);
}

int main (void) {
  plain();
  not_plain();
  many();
  writing();
  return test_end();
}
