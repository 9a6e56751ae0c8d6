/*
** sm_http.c: see sm_http.h.
*/
#include <string.h>

#include "sm_http.h"
#include "sm_text.h"

static int is_token_char (char c) {
  static const char others[] = "!#$%&'*+.^_`|~";
  return sm_isalnum(c) || c == '-' || (c != '\0' && strchr(others, c) != NULL);
}

static int is_token (sm_str s) {
  size_t i = 0;
  while (i < s.len && is_token_char(s.p[i]))
    i++;
  return s.len > 0 && i == s.len;
}

int sm_http_put_method (sm_buf *b, sm_str method) {
  if (!is_token(method))
    return SM_ESYNTAX;
  sm_buf_puts(b, method);
  sm_buf_putc(b, ' ');
  return b->err;
}

int sm_http_put_host (sm_buf *b, sm_str host) {
  sm_buf_puts(b, SM_LIT(" HTTP/1.1\r\nHost: "));
  sm_buf_puts(b, host);
  sm_buf_puts(b, SM_LIT("\r\n"));
  return b->err;
}

static int is_framing (sm_str name) {
  return (name.len == 4 && sm_str_ieq(name, SM_LIT("host"))) ||
         (name.len == 14 && sm_str_ieq(name, SM_LIT("content-length"))) ||
         (name.len == 17 && sm_str_ieq(name, SM_LIT("transfer-encoding")));
}

int sm_http_put_field (sm_buf *b, sm_str name, sm_str value) {
  if (!is_token(name) || is_framing(name) ||
      memchr(value.p, '\r', value.len) != NULL ||
      memchr(value.p, '\n', value.len) != NULL ||
      memchr(value.p, '\0', value.len) != NULL)
    return SM_ESYNTAX;
  sm_buf_puts(b, name);
  sm_buf_puts(b, value.len > 0 ? SM_LIT(": ") : SM_LIT(":"));
  sm_buf_puts(b, value);
  sm_buf_puts(b, SM_LIT("\r\n"));
  return b->err;
}
