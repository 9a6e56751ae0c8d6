/*
** lencode_document.c: values without a shape, as JSON.
*/
#include "lencode.h"
#include "sm_json.h"

/* True when the table at `idx` wants to be an array although it is empty: its
** metatable says __jsontype = "array". */
static int is_empty_array (lua_State *L, int idx) {
  int yes;
  if (!luaL_getmetafield(L, idx, "__jsontype"))
    return 0;
  yes = lua_type(L, -1) == LUA_TSTRING &&
        strcmp(lua_tostring(L, -1), "array") == 0;
  lua_pop(L, 1);
  return yes;
}

static void put_document_list (lsm_enc *e, int idx) {
  lsm_frame f = {e->at, LSM_ITEM, 0, 0, {NULL, 0}};
  int n = lsm_enc_count(e, NULL, idx);
  sm_buf_putc(e->out, '[');
  e->at = &f;
  for (; !e->stop && (int)f.index < n; f.index++) {
    if (f.index > 0)
      sm_buf_putc(e->out, ',');
    lua_rawgeti(e->L, idx, (int)f.index + 1);
    lsm_enc_document(e, lua_gettop(e->L));
    lua_pop(e->L, 1);
  }
  e->at = f.up;
  sm_buf_putc(e->out, ']');
}

static void put_document_map (lsm_enc *e, int idx) {
  lua_State *L = e->L;
  lsm_frame f = {e->at, LSM_ENTRY, 0, 0, {NULL, 0}};
  size_t bad, n = 0;
  sm_buf_putc(e->out, '{');
  idx = lsm_enc_freeze(e, idx);
  lua_pushnil(L);
  while (!e->stop && lua_next(L, idx)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lsm_enc_complain(e, "type", NULL,
                       "a table of JSON has either string keys or the "
                       "indices 1 to n");
      lua_pop(L, 2);
      break;
    }
    f.key.p = lua_tolstring(L, -2, &f.key.len);
    if (n++ > 0)
      sm_buf_putc(e->out, ',');
    e->at = &f;
    if (sm_json_put_string(e->out, f.key, &bad) == SM_EUTF8)
      lsm_enc_complain(e, "utf8", NULL, "the key is not valid UTF-8");
    sm_buf_putc(e->out, ':');
    lsm_enc_document(e, lua_gettop(L));
    e->at = f.up;
    lua_pop(L, 1);
  }
  sm_buf_putc(e->out, '}');
}

static void put_document_table (lsm_enc *e, int idx) {
  lua_State *L = e->L;
  int top = lua_gettop(L), original = idx, first;
  if (!lsm_enc_table(e, NULL, &idx))
    return;
  lua_pushnil(L);
  first = lua_next(L, idx) ? lua_type(L, -2) : LUA_TNIL;
  lua_settop(L, first == LUA_TNIL ? lua_gettop(L) : lua_gettop(L) - 2);
  if (first == LUA_TNUMBER)
    put_document_list(e, idx);
  else if (first == LUA_TNIL && is_empty_array(L, original))
    sm_buf_puts(e->out, SM_LIT("[]"));
  else
    put_document_map(e, idx);
  lsm_enc_leave(e);
  lua_settop(L, top);
}

static void put_number (lsm_enc *e, int idx) {
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(e->L, idx)) {
    sm_json_put_int(e->out, (int64_t)lua_tointeger(e->L, idx));
    return;
  }
#endif
  sm_json_put_double(e->out, (double)lua_tonumber(e->L, idx));
}

void lsm_enc_document (lsm_enc *e, int idx) {
  lua_State *L = e->L;
  sm_str s;
  size_t bad;
  switch (lua_type(L, idx)) {
  case LUA_TBOOLEAN:
    sm_json_put_bool(e->out, lua_toboolean(L, idx));
    return;
  case LUA_TNUMBER:
    put_number(e, idx);
    return;
  case LUA_TSTRING:
    s.p = lua_tolstring(L, idx, &s.len);
    if (sm_json_put_string(e->out, s, &bad) == SM_EUTF8)
      lsm_enc_complain(e, "utf8", NULL, "not valid UTF-8");
    return;
  case LUA_TTABLE:
    put_document_table(e, idx);
    return;
  default:
    if (lsm_isnull(L, idx))
      sm_json_put_null(e->out);
    else
      lsm_enc_complain(e, "type", NULL, "JSON cannot hold this value");
  }
}
