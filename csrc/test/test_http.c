#include "test.h"

#include "sm_http.h"

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
  CHECK(sm_http_put_method(&b, SM_LIT("GET")) == SM_OK);
  sm_buf_puts(&b, SM_LIT("/a"));
  CHECK(sm_http_put_host(&b, SM_LIT("h")) == SM_OK);
  CHECK(sm_http_put_field(&b, SM_LIT("A"), SM_LIT("b")) == SM_OK);
  CHECK(sm_http_put_field(&b, SM_LIT("Empty"), SM_LIT("")) == SM_OK);
  CHECK_TEXT(sm_buf_str(&b),
             "GET /a HTTP/1.1\r\nHost: h\r\nA: b\r\nEmpty:\r\n");
  CHECK(sm_http_put_method(&b, SM_LIT("G T")) == SM_ESYNTAX);
  CHECK(sm_http_put_method(&b, SM_LIT("")) == SM_ESYNTAX);
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
  writing();
  return test_end();
}
