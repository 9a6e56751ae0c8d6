/*
** lcurl_request.c: a request from Lua, checked and written as HTTP/1.1.
*/
#include "lcurl_lua.h"
#include "lhttp_head.h"
#include "sm_text.h"

/* Only visible ASCII, an http or https scheme, no user and no fragment. */
static const char *check_url (sm_str url) {
  size_t i;
  int in_path = 0;
  if (!(url.len > 7 && sm_str_ieq((sm_str){url.p, 7}, SM_LIT("http://"))) &&
      !(url.len > 8 && sm_str_ieq((sm_str){url.p, 8}, SM_LIT("https://"))))
    return "the URL is neither http nor https";
  for (i = 0; i < url.len; i++) {
    if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '#')
      return "the URL holds a character that must be percent-encoded";
    in_path |= i > 7 && (url.p[i] == '/' || url.p[i] == '?');
    if (url.p[i] == '@' && !in_path)
      return "the URL may not hold a user name";
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

/* The parts of a URL that was checked. */
static void split (sm_str url, int secure, sm_str *origin, lhttp_request *r) {
  sm_str port = secure ? SM_LIT(":443") : SM_LIT(":80");
  size_t start = secure ? 8 : 7, end = start;
  while (end < url.len && url.p[end] != '/' && url.p[end] != '?')
    end++;
  *origin = (sm_str){url.p, end};
  r->target = (sm_str){url.p + end, url.len - end};
  r->host = (sm_str){url.p + start, end - start};
  if (r->host.len > port.len &&
      sm_str_eq((sm_str){url.p + end - port.len, port.len}, port))
    r->host.len -= port.len; /* the one that the scheme implies */
}

/* A small body goes out with the head. */
static void put_body (lcurl_request *r, sm_str body) {
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

/* Writes the request, or says why it may not be sent. A proxy of plain http is
** told the whole URL. */
static const char *put_request (lua_State *L, const parts *p,
                                const lcurl_agent *a, lcurl_request *r) {
  lhttp_request head;
  const char *problem;
  memset(&head, 0, sizeof(head));
  split(p->url, r->secure, &r->origin, &head);
  head.method = p->method;
  head.length = p->body.len;
  if (a->absolute && !r->secure) {
    head.origin = r->origin;
    head.extra = sm_buf_str(&a->credentials);
  }
  sm_buf_reset(&r->text);
  problem = lhttp_puthead(L, &r->text, &head, p->headers);
  r->last = head.last;
  if (problem == NULL && r->text.err == SM_OK && r->text.len > LCURL_MAX_HEAD)
    problem = "the headers are too large";
  put_body(r, p->body);
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
