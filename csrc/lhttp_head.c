/*
** lhttp_head.c: see lhttp_head.h.
*/
#include <string.h>

#include "lhttp_head.h"
#include "sm_http.h"
#include "sm_number.h"
#include "sm_text.h"

/* {{ Writing */

static int has_break (sm_str s) {
  return memchr(s.p, '\r', s.len) != NULL || memchr(s.p, '\n', s.len) != NULL ||
         memchr(s.p, '\0', s.len) != NULL;
}

/* A head while it is written. */
typedef struct writer {
  sm_buf *b;
  size_t host, host_len; /* where the value of Host is */
  size_t length;         /* of the body */
  int last;              /* the caller says "Connection: close" */
} writer;

/* The request line and Host. */
static const char *put_target (writer *w, const lhttp_request *r) {
  if (sm_http_put_method(w->b, r->method) == SM_ESYNTAX)
    return "the method is not a word";
  sm_buf_puts(w->b, r->origin);
  if (r->target.len == 0 || r->target.p[0] == '?')
    sm_buf_putc(w->b, '/');
  sm_buf_puts(w->b, r->target);
  sm_http_put_host(w->b, r->host);
  w->host_len = r->host.len;
  w->host = w->b->len - w->host_len - 2;
  return NULL;
}

/* The caller's Host stands in for the other. */
static const char *replace_host (writer *w, sm_str host) {
  sm_buf *b = w->b;
  if (has_break(host))
    return "a header value holds a line break or a NUL";
  if (sm_buf_room(b, host.len)) {
    char *p = b->p + w->host;
    memmove(p + host.len, p + w->host_len, b->len - w->host - w->host_len);
    memcpy(p, host.p, host.len);
    b->len = b->len - w->host_len + host.len;
    w->host_len = host.len;
  }
  return NULL;
}

/* Headers that say how a message is framed or where it goes: that is ours to
** write. 1 where it is one of them, with what is wrong with it. What the caller
** says of the connection is noted. */
static int is_ours (writer *w, sm_str name, sm_str value,
                    const char **problem) {
  *problem = NULL;
  switch (name.len) {
  case 4:
    if (!sm_str_ieq(name, SM_LIT("host")))
      return 0;
    *problem = replace_host(w, value);
    return 1;
  case 10:
    w->last |= sm_str_ieq(name, SM_LIT("connection")) &&
               sm_http_lists(value, SM_LIT("close"));
    return 0;
  case 14:
    if (!sm_str_ieq(name, SM_LIT("content-length")))
      return 0;
    if (sm_http_length(value) != (int64_t)w->length)
      *problem = "the header Content-Length is not the length of the body";
    return 1;
  case 17:
    if (!sm_str_ieq(name, SM_LIT("transfer-encoding")))
      return 0;
    *problem = "the header Transfer-Encoding cannot be sent";
    return 1;
  default:
    return 0;
  }
}

/* One header of the caller. */
static const char *put_header (writer *w, sm_str name, sm_str value) {
  const char *problem;
  if (w->b->err != SM_OK)
    return NULL;
  if (is_ours(w, name, value, &problem))
    return problem;
  if (sm_http_put_field(w->b, name, value) != SM_ESYNTAX)
    return NULL;
  return has_break(value)
             ? "a header value holds a line break or a NUL"
             : "a header name holds a character that names may not have";
}

/* The headers of the table at idx. */
static const char *put_headers (lua_State *L, writer *w, int idx) {
  const char *problem = NULL;
  int top = lua_gettop(L);
  lua_pushnil(L);
  while (problem == NULL && lua_next(L, idx) != 0) {
    sm_str name, value;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "request.headers must map names to strings");
    name.p = lua_tolstring(L, -2, &name.len);
    value.p = lua_tolstring(L, -1, &value.len);
    problem = put_header(w, name, value);
    lua_pop(L, 1);
  }
  lua_settop(L, top);
  return problem;
}

static int wants_length (const lhttp_request *r) {
  return r->length > 0 || sm_str_eq(r->method, SM_LIT("POST")) ||
         sm_str_eq(r->method, SM_LIT("PUT")) ||
         sm_str_eq(r->method, SM_LIT("PATCH"));
}

const char *lhttp_puthead (lua_State *L, sm_buf *b, lhttp_request *r,
                           int headers) {
  writer w = {b, 0, 0, r->length, 0};
  const char *problem = put_target(&w, r);
  if (problem == NULL && !lua_isnil(L, headers))
    problem = put_headers(L, &w, headers);
  r->last = w.last;
  if (problem != NULL)
    return problem;
  if (wants_length(r)) {
    sm_buf_puts(b, SM_LIT("Content-Length: "));
    sm_put_u64(b, r->length);
    sm_buf_puts(b, SM_LIT("\r\n"));
  }
  sm_buf_puts(b, r->extra);
  sm_buf_puts(b, SM_LIT("\r\n"));
  return NULL;
}

/* }} */

/* {{ Reading */

typedef struct head {
  const sm_http_span *spans;
  const char *text;
  size_t n;
} head;

static sm_str name_of (const head *h, size_t i) {
  return (sm_str){h->text + h->spans[i].name, h->spans[i].name_len};
}

static int are_same (const head *h, size_t i, size_t j) {
  return h->spans[i].name_len == h->spans[j].name_len &&
         sm_str_ieq(name_of(h, i), name_of(h, j));
}

/* Whether a field before field i has its name. */
static int is_repeated (const head *h, size_t i) {
  size_t j = 0;
  while (j < i && !are_same(h, i, j))
    j++;
  return j < i;
}

static void push_value (lua_State *L, const head *h, size_t i) {
  lua_pushlstring(L, h->text + h->spans[i].value, h->spans[i].value_len);
}

/* Pushes the value of field i, joined with later ones of the same name. */
static void push_values (lua_State *L, const head *h, size_t i) {
  size_t j;
  push_value(L, h, i);
  for (j = i + 1; j < h->n; j++) {
    if (!are_same(h, i, j))
      continue;
    lua_pushliteral(L, ", ");
    push_value(L, h, j);
    lua_concat(L, 3);
  }
}

void lhttp_pushheaders (lua_State *L, const sm_http_reader *r) {
  head h;
  size_t i;
  h.n = sm_http_reader_fields(r, &h.spans, &h.text);
  lua_createtable(L, 0, (int)h.n);
  for (i = 0; i < h.n; i++) {
    sm_str name = name_of(&h, i);
    if (is_repeated(&h, i))
      continue;
    lua_pushlstring(L, name.p, name.len);
    push_values(L, &h, i);
    lua_rawset(L, -3);
  }
}

/* }} */
