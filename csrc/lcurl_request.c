/*
** lcurl_request.c: a request from Lua, checked before libcurl sees it.
*/
#include "lcurl_lua.h"

/* No libcurl asks "Expect: 100-continue" for a body up to this size. */
#define LARGE_BODY 1024

/* The characters of a token (RFC 9110, section 5.6.2). */
static const char token_characters[] =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static int is_token (unsigned char c) {
  if ((unsigned)(c | 32) - 'a' < 26u || c == '-' || (unsigned)c - '0' < 10u)
    return 1;
  return c != '\0' && strchr(token_characters, c) != NULL;
}

static int all_token (sm_str s) {
  size_t i = 0;
  while (i < s.len && is_token((unsigned char)s.p[i]))
    i++;
  return s.len > 0 && i == s.len;
}

/* Only visible ASCII, an http or https scheme, and no fragment. */
static const char *check_url (sm_str url) {
  size_t i;
  if (!(url.len > 7 && lcurl_same((sm_str){url.p, 7}, SM_LIT("http://"))) &&
      !(url.len > 8 && lcurl_same((sm_str){url.p, 8}, SM_LIT("https://"))))
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

/* What the headers of the caller say about those that libcurl would add. */
enum {
  HAS_ACCEPT = 1,
  HAS_TYPE = 2,
  HAS_EXPECT = 4
};

static int blank (sm_str s) {
  size_t i = 0;
  while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t'))
    i++;
  return i == s.len;
}

/* A node of the list that libcurl takes; its text is linked at the end,
** because the text may move while it grows. */
static void add_node (lcurl_request *r) {
  static const struct curl_slist empty = {NULL, NULL};
  sm_buf_put(&r->list, &empty, sizeof(empty));
}

/* "Name: value"; to libcurl "Name;" is a header without a value, "Name:" none
** at all. */
static void add_line (lcurl_request *r, sm_str name, sm_str value) {
  char *p;
  if (!sm_buf_room(&r->text, name.len + value.len + 3))
    return;
  p = r->text.p + r->text.len;
  memcpy(p, name.p, name.len);
  p += name.len;
  if (blank(value)) {
    *p++ = ';';
  } else {
    *p++ = ':';
    *p++ = ' ';
    memcpy(p, value.p, value.len);
    p += value.len;
  }
  *p++ = '\0';
  r->text.len = (size_t)(p - r->text.p);
  add_node(r);
}

/* Keeps libcurl from adding a header of its own. */
static void suppress (lcurl_request *r, const char *line) {
  sm_buf_put(&r->text, line, strlen(line) + 1);
  add_node(r);
}

static int is_number (sm_str s, size_t number) {
  size_t i, n = 0;
  for (i = 0; i < s.len && i < 15; i++) {
    if (s.p[i] < '0' || s.p[i] > '9')
      return 0;
    n = n * 10 + (size_t)(s.p[i] - '0');
  }
  return s.len > 0 && i == s.len && n == number;
}

/* What a header that concerns libcurl means for `has`; a negative number for
** one that is not passed on. */
enum {
  HEADER_LENGTH = -1,
  HEADER_CODING = -2
};

static int meaning (sm_str name) {
  static const struct {
    sm_str name;
    int what;
  } rows[] = {
      {{"accept", 6}, HAS_ACCEPT},
      {{"expect", 6}, HAS_EXPECT},
      {{"content-type", 12}, HAS_TYPE},
      {{"content-length", 14}, HEADER_LENGTH},
      {{"transfer-encoding", 17}, HEADER_CODING},
  };
  size_t i;
  for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    if (name.len == rows[i].name.len && lcurl_same(name, rows[i].name))
      return rows[i].what;
  }
  return 0;
}

/* One header of the caller. libcurl writes Content-Length from the body. */
static const char *add_header (lcurl_request *r, sm_str name, sm_str value,
                               int *has) {
  int what = meaning(name);
  if (!all_token(name))
    return "a header name holds a character that names may not have";
  if (memchr(value.p, '\r', value.len) != NULL ||
      memchr(value.p, '\n', value.len) != NULL ||
      memchr(value.p, '\0', value.len) != NULL)
    return "a header value holds a line break or a NUL";
  if (what == HEADER_CODING)
    return "the header Transfer-Encoding cannot be sent";
  if (what == HEADER_LENGTH) {
    if (!is_number(value, r->body.len))
      return "the header Content-Length is not the length of the body";
    return NULL;
  }
  *has |= what;
  add_line(r, name, value);
  return NULL;
}

/* The headers of the table at idx. */
static const char *add_headers (lua_State *L, int idx, lcurl_request *r,
                                int *has) {
  const char *problem = NULL;
  int top = lua_gettop(L);
  lua_pushnil(L);
  while (problem == NULL && lua_next(L, idx) != 0) {
    sm_str name, value;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "request.headers must map names to strings");
    name.p = lua_tolstring(L, -2, &name.len);
    value.p = lua_tolstring(L, -1, &value.len);
    problem = add_header(r, name, value, has);
    lua_pop(L, 1);
  }
  lua_settop(L, top);
  return problem;
}

/* Ties the nodes to the NUL-terminated lines and to one another. */
static void link_lines (lcurl_request *r) {
  struct curl_slist *node = (struct curl_slist *)(void *)r->list.p;
  size_t i, n = r->list.len / sizeof(*node);
  char *p = r->text.p;
  if (r->text.err != SM_OK || r->list.err != SM_OK)
    return;
  for (i = 0; i < n; i++) {
    node[i].data = p;
    node[i].next = i + 1 < n ? &node[i + 1] : NULL;
    p += strlen(p) + 1;
  }
}

/* The lines of a request whose header table, or nil, is at idx. */
static const char *read_headers (lua_State *L, int idx, lcurl_request *r) {
  const char *problem = NULL;
  int has = 0;
  sm_buf_reset(&r->text);
  sm_buf_reset(&r->list);
  if (!lua_isnil(L, idx))
    problem = add_headers(L, idx, r, &has);
  if (!(has & HAS_ACCEPT))
    suppress(r, "Accept:");
  if (!(has & HAS_TYPE))
    suppress(r, "Content-Type:");
  if (!(has & HAS_EXPECT) && r->body.len > LARGE_BODY)
    suppress(r, "Expect:");
  if (r->text.err == SM_ENOMEM || r->list.err == SM_ENOMEM)
    luaL_error(L, "not enough memory");
  link_lines(r);
  if (problem == NULL && (r->text.err != SM_OK || r->list.err != SM_OK))
    problem = "the headers are too large";
  return problem;
}

/* Fields may run a metamethod, and that may use the same agent. */
const char *lcurl_readrequest (lua_State *L, int idx,
                               const lcurl_limits *fallback, lcurl_request *r) {
  lcurl_limits limits = get_limits(L, idx, fallback);
  sm_str method, url, body;
  int headers, stream;
  const char *problem;
  lua_getfield(L, idx, "stream");
  stream = lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, idx, "headers");
  headers = lua_gettop(L);
  if (!lua_isnil(L, headers) && !lua_istable(L, headers))
    luaL_error(L, "request.headers must be a table, not %s",
               luaL_typename(L, headers));
  method = get_string(L, idx, "method", "GET");
  url = get_string(L, idx, "url", NULL);
  body = get_string(L, idx, "body", "");
  r->method = method.p;
  r->url = url.p;
  r->body = body;
  r->limits = limits;
  r->stream = stream;
  problem = check_url(url);
  if (problem == NULL && !all_token(method))
    problem = "the method is not a word";
  return problem != NULL ? problem : read_headers(L, headers, r);
}
