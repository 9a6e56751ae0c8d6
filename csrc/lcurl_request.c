/*
** lcurl_request.c: a request from Lua, checked and written as HTTP/1.1.
*/
#include "lcurl_lua.h"
#include "sm_http.h"
#include "sm_text.h"

/* Only visible ASCII, an http or https scheme, and no fragment. */
static const char *check_url (sm_str url) {
  size_t i;
  if (!(url.len > 7 && sm_str_ieq((sm_str){url.p, 7}, SM_LIT("http://"))) &&
      !(url.len > 8 && sm_str_ieq((sm_str){url.p, 8}, SM_LIT("https://"))))
    return "the URL is neither http nor https";
  for (i = 0; i < url.len; i++) {
    if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '#')
      return "the URL holds a character that must be percent-encoded";
  }
  return NULL;
}

/* The value of `name` in the table at idx, pushed; a default when nil. */
static sm_str get_string (lua_State *L, int idx, const char *name,
                          const char *fallback) {
  sm_str s;
  lua_getfield(L, idx, name);
  if (lua_isnil(L, -1) && fallback != NULL) {
    lua_pop(L, 1);
    lua_pushstring(L, fallback);
  }
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "request.%s must be a string, not %s", name,
               luaL_typename(L, -1));
  s.p = lua_tolstring(L, -1, &s.len);
  return s;
}

int64_t lcurl_toms (lua_Number seconds) {
  return seconds > 1e9 ? LCURL_NEVER : (int64_t)(seconds * 1000 + 0.999);
}

int64_t lcurl_checkms (lua_State *L, int idx, const char *key,
                       int64_t fallback) {
  lua_Number seconds;
  lua_getfield(L, idx, key);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return fallback;
  }
  seconds = lua_tonumber(L, -1);
  if (!(lua_type(L, -1) == LUA_TNUMBER && seconds > 0))
    luaL_error(L, "timeout '%s' must be a number of seconds above zero", key);
  lua_pop(L, 1);
  return lcurl_toms(seconds);
}

/* The limits of the request at idx. */
static lcurl_limits get_limits (lua_State *L, int idx,
                                const lcurl_limits *fallback) {
  lcurl_limits limits = *fallback;
  lua_getfield(L, idx, "timeouts");
  if (lua_istable(L, -1)) {
    int top = lua_gettop(L);
    limits.connect = lcurl_checkms(L, top, "connect", fallback->connect);
    limits.read = lcurl_checkms(L, top, "read", fallback->read);
  }
  lua_pop(L, 1);
  return limits;
}

/* ---- where it goes ---------------------------------------------------- */

/* The parts of a URL that was checked. */
typedef struct target {
  sm_str origin;    /* "https://host:port" */
  sm_str authority; /* "host:port", without the port that the scheme implies */
  sm_str rest;      /* path and query */
} target;

static target split (sm_str url, int secure) {
  sm_str port = secure ? SM_LIT(":443") : SM_LIT(":80");
  size_t start = secure ? 8 : 7, end = start;
  target t;
  while (end < url.len && url.p[end] != '/' && url.p[end] != '?')
    end++;
  t.origin = (sm_str){url.p, end};
  t.authority = (sm_str){url.p + start, end - start};
  t.rest = (sm_str){url.p + end, url.len - end};
  if (t.authority.len > port.len &&
      sm_str_eq((sm_str){url.p + end - port.len, port.len}, port))
    t.authority.len -= port.len;
  return t;
}

/* The request line and Host. A proxy of plain http is told the whole URL. */
static const char *put_target (lcurl_request *r, sm_str method, const target *t,
                               int absolute) {
  if (sm_http_put_method(&r->text, method) == SM_ESYNTAX)
    return "the method is not a word";
  if (absolute)
    sm_buf_puts(&r->text, t->origin);
  if (t->rest.len == 0 || t->rest.p[0] != '/')
    sm_buf_putc(&r->text, '/');
  sm_buf_puts(&r->text, t->rest);
  sm_http_put_host(&r->text, t->authority);
  return NULL;
}

/* ---- headers ---------------------------------------------------------- */

static int is_number (sm_str s, size_t number) {
  size_t i, n = 0;
  for (i = 0; i < s.len && i < 15; i++) {
    if (s.p[i] < '0' || s.p[i] > '9')
      return 0;
    n = n * 10 + (size_t)(s.p[i] - '0');
  }
  return s.len > 0 && i == s.len && n == number;
}

static int has_break (sm_str s) {
  return memchr(s.p, '\r', s.len) != NULL || memchr(s.p, '\n', s.len) != NULL ||
         memchr(s.p, '\0', s.len) != NULL;
}

/* What the headers of the caller replace or say. */
typedef struct remarks {
  size_t host, host_len; /* where the value of Host is in the text */
  size_t body_len;
} remarks;

/* The caller's Host stands in for the one of the URL. */
static const char *replace_host (lcurl_request *r, remarks *m, sm_str host) {
  sm_buf *b = &r->text;
  if (has_break(host))
    return "a header value holds a line break or a NUL";
  if (sm_buf_room(b, host.len)) {
    char *p = b->p + m->host;
    memmove(p + host.len, p + m->host_len, b->len - m->host - m->host_len);
    memcpy(p, host.p, host.len);
    b->len = b->len - m->host_len + host.len;
    m->host_len = host.len;
  }
  return NULL;
}

/* Headers that say how a message is framed or where it goes: that is ours to
** write. 1 where it is one of them, with what is wrong with it. */
static int is_ours (lcurl_request *r, remarks *m, sm_str name, sm_str value,
                    const char **problem) {
  *problem = NULL;
  switch (name.len) {
  case 4:
    if (!sm_str_ieq(name, SM_LIT("host")))
      return 0;
    *problem = replace_host(r, m, value);
    return 1;
  case 14:
    if (!sm_str_ieq(name, SM_LIT("content-length")))
      return 0;
    if (!is_number(value, m->body_len))
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
static const char *put_header (lcurl_request *r, remarks *m, sm_str name,
                               sm_str value) {
  const char *problem;
  if (is_ours(r, m, name, value, &problem))
    return problem;
  if (sm_http_put_field(&r->text, name, value) != SM_ESYNTAX)
    return NULL;
  return has_break(value)
             ? "a header value holds a line break or a NUL"
             : "a header name holds a character that names may not have";
}

/* The headers of the table at idx. */
static const char *put_headers (lua_State *L, int idx, lcurl_request *r,
                                remarks *m) {
  const char *problem = NULL;
  int top = lua_gettop(L);
  lua_pushnil(L);
  while (problem == NULL && lua_next(L, idx) != 0) {
    sm_str name, value;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "request.headers must map names to strings");
    name.p = lua_tolstring(L, -2, &name.len);
    value.p = lua_tolstring(L, -1, &value.len);
    problem = put_header(r, m, name, value);
    lua_pop(L, 1);
  }
  lua_settop(L, top);
  return problem;
}

/* POST, PUT and PATCH announce a length even for an empty body. */
static int wants_length (sm_str method, sm_str body) {
  return body.len > 0 || sm_str_eq(method, SM_LIT("POST")) ||
         sm_str_eq(method, SM_LIT("PUT")) || sm_str_eq(method, SM_LIT("PATCH"));
}

static void put_length (sm_buf *b, size_t length) {
  char digits[24];
  size_t n = sizeof(digits);
  do {
    digits[--n] = (char)('0' + length % 10);
    length /= 10;
  } while (length > 0);
  sm_buf_puts(b, SM_LIT("Content-Length: "));
  sm_buf_put(b, digits + n, sizeof(digits) - n);
  sm_buf_puts(b, SM_LIT("\r\n"));
}

/* The end of the head, and the body: a small one goes out with it. */
static void put_body (lcurl_request *r, sm_str method, sm_str body,
                      const sm_buf *credentials) {
  if (wants_length(method, body))
    put_length(&r->text, body.len);
  if (credentials != NULL)
    sm_buf_puts(&r->text, sm_buf_str(credentials));
  sm_buf_puts(&r->text, SM_LIT("\r\n"));
  r->body = body;
  if (body.len <= LCURL_SMALL_BODY) {
    sm_buf_puts(&r->text, body);
    r->body.len = 0;
  }
}

/* The parts of a request as Lua has them. */
typedef struct parts {
  sm_str method, url, body;
  int headers; /* index of a table or nil */
} parts;

/* Writes the request, or says why it may not be sent. */
static const char *put_request (lua_State *L, const parts *p,
                                const lcurl_agent *a, lcurl_request *r) {
  target t = split(p->url, r->secure);
  int absolute = a->absolute && !r->secure;
  remarks m;
  const char *problem;
  sm_buf_reset(&r->text);
  problem = put_target(r, p->method, &t, absolute);
  m.body_len = p->body.len;
  m.host_len = t.authority.len;
  m.host = r->text.len - m.host_len - 2;
  if (problem == NULL && r->text.err == SM_OK && !lua_isnil(L, p->headers))
    problem = put_headers(L, p->headers, r, &m);
  put_body(r, p->method, p->body, absolute ? &a->credentials : NULL);
  r->origin = t.origin;
  if (r->text.err == SM_ENOMEM)
    luaL_error(L, "not enough memory");
  if (problem == NULL && r->text.err != SM_OK)
    problem = "the headers are too large";
  return problem;
}

/* Fields may run a metamethod, and that may use the same agent. */
const char *lcurl_readrequest (lua_State *L, int idx, const lcurl_agent *a,
                               lcurl_request *r) {
  lcurl_limits limits = get_limits(L, idx, &a->limits);
  parts p;
  int stream;
  const char *problem;
  lua_getfield(L, idx, "stream");
  stream = lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, idx, "headers");
  p.headers = lua_gettop(L);
  if (!lua_isnil(L, p.headers) && !lua_istable(L, p.headers))
    luaL_error(L, "request.headers must be a table, not %s",
               luaL_typename(L, p.headers));
  p.method = get_string(L, idx, "method", "GET");
  p.url = get_string(L, idx, "url", NULL);
  p.body = get_string(L, idx, "body", "");
  r->limits = limits;
  r->stream = stream;
  r->is_head = sm_str_eq(p.method, SM_LIT("HEAD"));
  r->secure = p.url.len > 4 && (p.url.p[4] == 's' || p.url.p[4] == 'S');
  problem = check_url(p.url);
  return problem != NULL ? problem : put_request(L, &p, a, r);
}
