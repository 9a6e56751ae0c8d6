/*
** lhttp.c: core.http_request, core.http_head: the plain case of HTTP/1.1. Each
** answers nil for what is not plain, and lua/sagemaker/transport/http1.lua does
** it then.
**
**   core.http_request(method, target, host, headers, length, extra) -> head
**   core.http_head(text, at) -> status, headers, next, keep, length, chunked
**
** `length` may be nil for no Content-Length; `extra` are further lines, or nil.
** `next` is the position behind the head.
*/
#include "lsm.h"
#include "sm_http.h"

/* A head that is larger is not plain. */
#define LARGEST 8192

/* An argument that must be a string; {NULL, 0} otherwise. */
static sm_str string_at (lua_State *L, int idx) {
  sm_str s = {NULL, 0};
  if (lua_type(L, idx) == LUA_TSTRING)
    s.p = lua_tolstring(L, idx, &s.len);
  return s;
}

/* The headers of the table at 4; nothing here allocates or runs Lua code. */
static int put_headers (lua_State *L, sm_buf *b) {
  int status = SM_OK;
  lua_pushnil(L);
  while (lua_next(L, 4) != 0) {
    sm_str name = string_at(L, -2), value = string_at(L, -1);
    if (name.p == NULL || value.p == NULL)
      status = SM_ESYNTAX;
    else
      status = sm_http_put_field(b, name, value);
    lua_pop(L, status == SM_OK ? 1 : 2);
    if (status != SM_OK)
      return status;
  }
  return SM_OK;
}

static void put_length (sm_buf *b, lua_Number length) {
  char digits[20];
  size_t n = sizeof digits;
  uint64_t left = (uint64_t)length;
  do {
    digits[--n] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  sm_buf_puts(b, SM_LIT("Content-Length: "));
  sm_buf_put(b, digits + n, sizeof digits - n);
  sm_buf_puts(b, SM_LIT("\r\n"));
}

static int http_request (lua_State *L) {
  sm_str method = lsm_checkstr(L, 1), target = lsm_checkstr(L, 2);
  sm_str host = lsm_checkstr(L, 3), extra;
  lua_Number length;
  char memory[LARGEST];
  sm_buf b;
  luaL_checktype(L, 4, LUA_TTABLE);
  length = luaL_optnumber(L, 5, -1);
  luaL_argcheck(L, length >= -1 && length < 1e15, 5, "out of range");
  lua_settop(L, 6);
  extra = string_at(L, 6);
  sm_buf_fixed(&b, memory, sizeof memory);
  if (sm_http_put_request(&b, method, target, host) != SM_OK ||
      put_headers(L, &b) != SM_OK)
    return 0;
  if (length >= 0)
    put_length(&b, length);
  if (extra.len > 0)
    sm_buf_puts(&b, extra);
  sm_buf_puts(&b, SM_LIT("\r\n"));
  if (b.err != SM_OK)
    return 0;
  lua_pushlstring(L, b.p, b.len);
  return 1;
}

static void push_headers (lua_State *L, const sm_http_head *head) {
  size_t i;
  lua_createtable(L, 0, (int)head->nfields);
  for (i = 0; i < head->nfields; i++) {
    lsm_pushstr(L, head->fields[i].name);
    lsm_pushstr(L, head->fields[i].value);
    lua_rawset(L, -3);
  }
}

/* A whole number as this Lua has them: what 5.1 calls an integer may be too
** small. */
static void push_size (lua_State *L, double n) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)n);
#else
  lua_pushnumber(L, n);
#endif
}

static int http_head (lua_State *L) {
  sm_str text = lsm_checkstr(L, 1);
  lua_Number at = luaL_checknumber(L, 2);
  sm_http_head head;
  luaL_argcheck(L, at >= 1 && at <= (lua_Number)text.len + 1, 2,
                "out of range");
  text.p += (size_t)at - 1;
  text.len -= (size_t)at - 1;
  if (sm_http_head_read(text, &head) != SM_OK)
    return 0;
  lua_pushinteger(L, head.status);
  push_headers(L, &head);
  push_size(L, at + (double)head.size);
  lua_pushboolean(L, head.keep);
  if (head.has_length)
    push_size(L, (double)head.length);
  else
    lua_pushboolean(L, 0);
  lua_pushboolean(L, head.chunked);
  return 6;
}

void lsm_open_http (lua_State *L) {
  lua_pushcfunction(L, http_request);
  lua_setfield(L, -2, "http_request");
  lua_pushcfunction(L, http_head);
  lua_setfield(L, -2, "http_head");
}
