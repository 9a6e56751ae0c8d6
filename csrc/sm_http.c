/*
** sm_http.c: see sm_http.h.
*/
#include <string.h>

#include "sm_http.h"
#include "sm_text.h"

/* {{ Words */

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

static int is_blank (char c) {
  return c == ' ' || c == '\t';
}

static sm_str trim (sm_str s) {
  while (s.len > 0 && is_blank(s.p[s.len - 1]))
    s.len--;
  while (s.len > 0 && is_blank(s.p[0])) {
    s.p++;
    s.len--;
  }
  return s;
}

/* }} */

/* {{ Reading */

/* Takes the next line off *text, without its CRLF; 0 when there is none, or
** when a CR, LF or NUL stands elsewhere in it. */
static int next_line (sm_str *text, sm_str *line) {
  const char *end;
  if (text->len == 0)
    return 0;
  end = memchr(text->p, '\n', text->len);
  if (end == NULL || end == text->p || end[-1] != '\r')
    return 0;
  line->p = text->p;
  line->len = (size_t)(end - text->p) - 1;
  text->len -= line->len + 2;
  text->p = end + 1;
  return line->len == 0 || (memchr(line->p, '\r', line->len) == NULL &&
                            memchr(line->p, '\0', line->len) == NULL);
}

/* "HTTP/1.1 200 OK" to its status; 0 for what is not plain. */
static int read_status (sm_str line) {
  int i, status = 0;
  if (line.len < 12 || memcmp(line.p, "HTTP/1.1 ", 9) != 0)
    return 0;
  for (i = 9; i < 12; i++) {
    if (!sm_isdigit(line.p[i]))
      return 0;
    status = status * 10 + (line.p[i] - '0');
  }
  return line.len > 12 && line.p[12] != ' ' ? 0 : status;
}

/* At most 15 digits, so that the number is exact in every Lua. */
static int read_length (sm_str s, int64_t *n) {
  size_t i;
  *n = 0;
  for (i = 0; i < s.len && i < 15 && sm_isdigit(s.p[i]); i++)
    *n = *n * 10 + (s.p[i] - '0');
  return s.len > 0 && i == s.len;
}

/* What the headers that concern us say; 0 for what is not plain. */
static int read_framing (sm_http_head *head, const sm_http_field *f) {
  switch (f->name.len) {
  case 10:
    if (!sm_str_ieq(f->name, SM_LIT("connection")))
      return 1;
    head->keep = sm_str_ieq(f->value, SM_LIT("keep-alive"));
    return head->keep || sm_str_ieq(f->value, SM_LIT("close"));
  case 14:
    if (!sm_str_ieq(f->name, SM_LIT("content-length")))
      return 1;
    head->has_length = 1;
    return read_length(f->value, &head->length);
  case 17:
    if (!sm_str_ieq(f->name, SM_LIT("transfer-encoding")))
      return 1;
    head->chunked = 1;
    return sm_str_ieq(f->value, SM_LIT("chunked"));
  default:
    return 1;
  }
}

static int is_repeated (const sm_http_head *head, sm_str name) {
  size_t i;
  for (i = 0; i < head->nfields; i++) {
    if (head->fields[i].name.len == name.len &&
        sm_str_ieq(head->fields[i].name, name))
      return 1;
  }
  return 0;
}

static int read_field (sm_http_head *head, sm_str line) {
  sm_http_field *f = &head->fields[head->nfields];
  const char *colon = memchr(line.p, ':', line.len);
  if (colon == NULL || head->nfields == SM_HTTP_MAX_FIELDS)
    return 0;
  f->name = (sm_str){line.p, (size_t)(colon - line.p)};
  f->value = trim((sm_str){colon + 1, line.len - f->name.len - 1});
  if (!is_token(f->name) || is_repeated(head, f->name))
    return 0;
  head->nfields++;
  return read_framing(head, f);
}

int sm_http_head_read (sm_str text, sm_http_head *head) {
  sm_str rest = text, line;
  head->keep = 1;
  head->chunked = head->has_length = 0;
  head->length = 0;
  head->nfields = 0;
  if (!next_line(&rest, &line))
    return SM_ESYNTAX;
  head->status = read_status(line);
  if (head->status < 200)
    return SM_ESYNTAX;
  for (;;) {
    if (!next_line(&rest, &line))
      return SM_ESYNTAX;
    if (line.len == 0)
      break;
    if (!read_field(head, line))
      return SM_ESYNTAX;
  }
  head->size = text.len - rest.len;
  return head->chunked && head->has_length ? SM_ESYNTAX : SM_OK;
}

/* }} */

/* {{ Writing */

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

int sm_http_put_request (sm_buf *b, sm_str method, sm_str target, sm_str host) {
  if (sm_http_put_method(b, method) == SM_ESYNTAX)
    return SM_ESYNTAX;
  sm_buf_puts(b, target);
  return sm_http_put_host(b, host);
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

/* }} */
