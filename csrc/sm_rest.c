/*
** sm_rest.c: URI templates, queries, headers, status codes.
*/
#include <math.h>

#include "sm_md5.h"
#include "sm_rest.h"
#include "sm_text.h"

static sm_str slice (const char *from, const char *to) {
  return (sm_str){from, (size_t)(to - from)};
}

static const char *find (sm_str s, char c) {
  return s.len == 0 ? NULL : (const char *)memchr(s.p, c, s.len);
}

/* Drops n bytes at the begin. */
static void advance (sm_str *s, size_t n) {
  s->p += n;
  s->len -= n;
}

/* {{ URI templates */

int sm_template_next (sm_str *rest, sm_template_part *part) {
  const char *open, *close = NULL;
  if (rest->len == 0)
    return 0;
  part->label = part->greedy = 0;
  open = find(*rest, '{');
  if (open != NULL)
    close = find(slice(open, rest->p + rest->len), '}');
  if (close == NULL) {
    part->text = *rest;
    rest->len = 0;
    return 1;
  }
  if (open > rest->p) {
    part->text = slice(rest->p, open);
    advance(rest, part->text.len);
    return 1;
  }
  part->label = 1;
  part->text = slice(open + 1, close);
  advance(rest, part->text.len + 2);
  if (part->text.len > 0 && part->text.p[part->text.len - 1] == '+') {
    part->greedy = 1;
    part->text.len--;
  }
  return 1;
}

sm_str sm_template_path (sm_str uri, sm_str *query) {
  const char *mark = find(uri, '?');
  *query = (sm_str){NULL, 0};
  if (mark == NULL)
    return uri;
  *query = slice(mark + 1, uri.p + uri.len);
  return slice(uri.p, mark);
}

static int is_dots (sm_str s) {
  return (s.len == 1 && s.p[0] == '.') ||
         (s.len == 2 && s.p[0] == '.' && s.p[1] == '.');
}

int sm_label_valid (sm_str s, int greedy) {
  if (s.len == 0)
    return 0;
  while (greedy && s.len > 0) {
    const char *slash = find(s, '/');
    sm_str segment = slash == NULL ? s : slice(s.p, slash);
    if (is_dots(segment))
      return 0;
    if (slash == NULL)
      return 1;
    advance(&s, segment.len + 1);
  }
  return !is_dots(s);
}

int sm_hostlabel_valid (sm_str s) {
  size_t i;
  if (s.len == 0 || s.len > 63 || !sm_isalnum(s.p[0]))
    return 0;
  for (i = 0; i < s.len; i++) {
    if (!sm_isalnum(s.p[i]) && s.p[i] != '-')
      return 0;
  }
  return 1;
}

/* How much of a path the label takes: up to the next slash, or, greedy, all
** but what the literal text behind it needs. */
static size_t label_span (sm_str path, int greedy, sm_str behind) {
  const char *slash = find(path, '/');
  if (!greedy)
    return slash == NULL ? path.len : (size_t)(slash - path.p);
  return path.len >= behind.len ? path.len - behind.len : 0;
}

int sm_template_match (sm_str uri, sm_str path,
                       void (*found)(void *ctx, sm_str name, sm_str text),
                       void *ctx) {
  sm_str query, rest = sm_template_path(uri, &query);
  sm_template_part part;
  while (sm_template_next(&rest, &part)) {
    size_t n = part.text.len;
    if (part.label) {
      n = label_span(path, part.greedy, rest);
      if (n == 0)
        return 0;
      if (found != NULL)
        found(ctx, part.text, (sm_str){path.p, n});
    } else if (path.len < n || memcmp(path.p, part.text.p, n) != 0) {
      return 0;
    }
    advance(&path, n);
  }
  return path.len == 0;
}

/* }} */

/* {{ Queries */

void sm_rest_put_query (sm_buf *b, sm_str name, sm_str value) {
  if (b->len > 0)
    sm_buf_putc(b, '&');
  sm_percent_put(b, name, 0);
  sm_buf_putc(b, '=');
  sm_percent_put(b, value, 0);
}

int sm_rest_next_query (sm_str *query, sm_str *name, sm_str *value) {
  const char *mark;
  sm_str pair;
  while (query->len > 0 && query->p[0] == '&')
    advance(query, 1);
  if (query->len == 0)
    return 0;
  mark = find(*query, '&');
  pair = mark == NULL ? *query : slice(query->p, mark);
  advance(query, pair.len);
  mark = find(pair, '=');
  *name = mark == NULL ? pair : slice(pair.p, mark);
  *value = (sm_str){pair.p + pair.len, 0};
  if (mark != NULL)
    *value = slice(mark + 1, pair.p + pair.len);
  return 1;
}

/* }} */

/* {{ Headers */

int sm_header_name_valid (sm_str s) {
  size_t i;
  for (i = 0; i < s.len; i++) {
    if (!sm_isalnum(s.p[i]) &&
        (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
      return 0;
  }
  return s.len > 0;
}

int sm_header_value_valid (sm_str s) {
  size_t i;
  for (i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f)
      return 0;
  }
  return 1;
}

void sm_header_put_item (sm_buf *b, sm_str item, int first) {
  size_t i;
  if (!first)
    sm_buf_puts(b, SM_LIT(", "));
  if (find(item, ',') == NULL && find(item, '"') == NULL) {
    sm_buf_puts(b, item);
    return;
  }
  sm_buf_putc(b, '"');
  for (i = 0; i < item.len; i++) {
    if (item.p[i] == '"' || item.p[i] == '\\')
      sm_buf_putc(b, '\\');
    sm_buf_putc(b, item.p[i]);
  }
  sm_buf_putc(b, '"');
}

/* An item in quotes, put together in *scratch. */
static void next_quoted (sm_str *rest, sm_str *item, sm_buf *scratch) {
  const char *mark;
  sm_buf_reset(scratch);
  advance(rest, 1);
  while (rest->len > 0 && rest->p[0] != '"') {
    if (rest->p[0] == '\\' && rest->len > 1)
      advance(rest, 1);
    sm_buf_putc(scratch, rest->p[0]);
    advance(rest, 1);
  }
  mark = find(*rest, ',');
  advance(rest, mark == NULL ? rest->len : (size_t)(mark - rest->p) + 1);
  *item = sm_buf_str(scratch);
}

int sm_header_next_item (sm_str *rest, sm_str *item, int dates,
                         sm_buf *scratch) {
  const char *mark;
  *rest = sm_str_trim(*rest);
  if (rest->len == 0)
    return 0;
  if (rest->p[0] == '"') {
    next_quoted(rest, item, scratch);
    return 1;
  }
  mark = find(*rest, ',');
  if (mark != NULL && dates)
    mark = find(slice(mark + 1, rest->p + rest->len), ',');
  *item = sm_str_trim(mark == NULL ? *rest : slice(rest->p, mark));
  advance(rest, mark == NULL ? rest->len : (size_t)(mark - rest->p) + 1);
  return 1;
}

int sm_put_md5 (sm_buf *b, sm_str body) {
  unsigned char sum[SM_MD5_SIZE];
  sm_md5(body, sum);
  sm_base64_put(b, sum, sizeof sum);
  return b->err;
}

/* }} */

/* {{ Words */

int sm_float_name (sm_str s, double *v) {
  if (sm_str_eq(s, SM_LIT("NaN")))
    *v = (double)NAN;
  else if (sm_str_eq(s, SM_LIT("Infinity")))
    *v = (double)INFINITY;
  else if (sm_str_eq(s, SM_LIT("-Infinity")))
    *v = -(double)INFINITY;
  else
    return 0;
  return 1;
}

sm_str sm_status_phrase (int status) {
  static const struct {
    int status;
    const char *phrase;
  } rows[] = {
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {407, "Proxy Authentication Required"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {413, "Request Entity Too Large"},
      {414, "Request-URI Too Long"},
      {415, "Unsupported Media Type"},
      {424, "Failed Dependency"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
      {508, "Loop Detected"},
      {511, "Network Authentication Required"},
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (rows[i].status == status)
      return (sm_str){rows[i].phrase, strlen(rows[i].phrase)};
  }
  return SM_LIT("");
}

sm_str sm_error_code (sm_str s) {
  const char *mark = find(s, ':');
  s = sm_str_trim(mark == NULL ? s : slice(s.p, mark));
  while ((mark = find(s, '#')) != NULL)
    s = slice(mark + 1, s.p + s.len);
  return s;
}

int sm_is_html (sm_str body) {
  body = sm_str_trim(body);
  if (body.len >= 9 && sm_str_ieq((sm_str){body.p, 9}, SM_LIT("<!doctype")))
    return 1;
  return body.len >= 5 && sm_str_ieq((sm_str){body.p, 5}, SM_LIT("<html"));
}

/* }} */
