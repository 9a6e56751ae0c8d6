/*
** leventstream_encode.c: frames of event streams from Lua values.
**
**   core.eventstream_encode(headers, payload) -> bytes
**
** makes a frame; headers is a list {{name, type, value}, …}. Where one
** has no `type`, it is that of its value: "string", "boolean", "integer" or
** "long". The types: boolean, byte, short, integer, long, bytes, string,
** timestamp, uuid.
*/
#include <string.h>

#include "lcodec.h"
#include "leventstream.h"

const char *const lsm_event_types[SM_ES_UUID + 2] = {
    "boolean", "boolean", "byte",      "short", "integer", "long",
    "bytes",   "string",  "timestamp", "uuid",  NULL};

/* Ends the call: what is wrong with header number i. */
static int refuse (lua_State *L, size_t i, const char *what) {
  return luaL_error(L, "header %d: %s", (int)i + 1, what);
}

/* The whole number at the top of the stack. */
static int64_t whole (lua_State *L, size_t i) {
  lua_Number n = lua_tonumber(L, -1);
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, -1))
    return (int64_t)lua_tointeger(L, -1);
#endif
  if (lua_type(L, -1) != LUA_TNUMBER ||
      !(n >= -9223372036854775808.0 && n < 9223372036854775808.0) ||
      (lua_Number)(int64_t)n != n)
    refuse(L, i, "the value is no whole number");
  return (int64_t)n;
}

static int64_t milliseconds (lua_State *L, size_t i) {
  lua_Number n = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(n > -1e15 && n < 1e15))
    refuse(L, i, "the value is no time in seconds");
  return (int64_t)(n * 1000 + (n < 0 ? -0.5 : 0.5));
}

/* The type that the row at `row` names, or that its value, on top, has. */
static unsigned type_of (lua_State *L, int row, size_t i) {
  unsigned type = 0;
  int64_t v;
  lua_pushliteral(L, "type");
  lua_rawget(L, row);
  if (lua_type(L, -1) == LUA_TSTRING) {
    const char *name = lua_tostring(L, -1);
    while (lsm_event_types[type] != NULL &&
           strcmp(lsm_event_types[type], name) != 0)
      type++;
    if (lsm_event_types[type] == NULL)
      refuse(L, i, "unknown type");
  }
  if (!lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return type;
  }
  lua_pop(L, 1);
  if (lua_type(L, -1) == LUA_TSTRING)
    return SM_ES_STRING;
  if (lua_type(L, -1) != LUA_TNUMBER)
    return SM_ES_TRUE;
  v = whole(L, i);
  return v >= INT32_MIN && v <= INT32_MAX ? SM_ES_INTEGER : SM_ES_LONG;
}

/* The value on top of the stack; the table that it is in anchors it. */
static void read_value (lua_State *L, size_t i, sm_es_header *h) {
  h->i = 0;
  h->s = (sm_str){"", 0};
  if (h->type <= SM_ES_FALSE) {
    if (!lua_isboolean(L, -1))
      refuse(L, i, "the value is no boolean");
    h->type = lua_toboolean(L, -1) ? SM_ES_TRUE : SM_ES_FALSE;
  } else if (h->type == SM_ES_TIMESTAMP) {
    h->i = milliseconds(L, i);
  } else if (h->type < SM_ES_BYTES) {
    h->i = whole(L, i);
  } else {
    if (lua_type(L, -1) != LUA_TSTRING)
      refuse(L, i, "the value is no string");
    h->s = lsm_checkstr(L, -1);
  }
}

/* Row i of the list at index 1. */
static void read_header (lua_State *L, size_t i, sm_es_header *h) {
  int row = lua_gettop(L) + 1;
  lua_rawgeti(L, 1, (int)i + 1);
  if (!lua_istable(L, row))
    refuse(L, i, "it is no table");
  lua_pushliteral(L, "name");
  lua_rawget(L, row);
  if (lua_type(L, -1) != LUA_TSTRING)
    refuse(L, i, "its name is no string");
  h->name = lsm_checkstr(L, -1);
  lua_pushliteral(L, "value");
  lua_rawget(L, row);
  h->type = type_of(L, row, i);
  read_value(L, i, h);
  lua_settop(L, row - 1);
}

int lsm_core_eventstream_encode (lua_State *L) {
  sm_es_header headers[SM_ES_MAX_HEADERS];
  sm_str payload = {"", 0};
  size_t n, i, bad = 0;
  sm_buf *out;
  int err;
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!lua_isnoneornil(L, 2))
    payload = lsm_checkstr(L, 2);
  n = lsm_rawlen(L, 1);
  luaL_argcheck(L, n <= SM_ES_MAX_HEADERS, 1, "too many headers");
  for (i = 0; i < n; i++)
    read_header(L, i, headers + i);
  out = lsm_newbuf(L, SM_ES_MAX_FRAME);
  err = sm_es_put(out, headers, n, payload, &bad);
  lsm_checkmemory(L, out);
  if (err == SM_EARG)
    return refuse(L, bad,
                  "its name or its value cannot be written, or its "
                  "name is that of an earlier one");
  if (err != SM_OK)
    return luaL_error(L, "the frame is too large");
  lsm_pushstr(L, sm_buf_str(out));
  sm_buf_free(out);
  return 1;
}
