/*
** lmodel_read.c: reads the tables of a decoded service model, with raw access
** only, and collects strings. See lmodel_load.h.
*/
#include <stdlib.h>
#include <string.h>

#include "lmodel_load.h"

int lsm_malformed (lsm_builder *b, const char *what, const char *problem) {
  lua_State *L = b->L;
  lsm_pushstr(L, b->name);
  return luaL_error(L, "malformed model: %s %s: %s %s", b->kind,
                    lua_tostring(L, -1), what, problem);
}

/* Appends n zero bytes to a part and returns where they are, for now. */
void *lsm_append (lsm_builder *b, enum lsm_part part, size_t n) {
  sm_buf *buf = &b->u->part[part];
  if (!sm_buf_room(buf, n))
    luaL_error(b->L, "model: %s", sm_strerror(buf->err));
  memset(buf->p + buf->len, 0, n);
  buf->len += n;
  return buf->p + buf->len - n;
}

/* How many items of this size a part holds. */
size_t lsm_countof (const lsm_builder *b, enum lsm_part part, size_t size) {
  return b->u->part[part].len / size;
}

static int is_absent (lua_State *L, int idx) {
  return lua_isnil(L, idx) || lua_islightuserdata(L, idx);
}

/*
** Pushes t[key] and returns 1 when it has this type; pushes nothing and
** returns 0 when it is absent or null; throws when it has another type.
*/
int lsm_getfield (lsm_builder *b, int t, const char *key, int type) {
  lua_State *L = b->L;
  lua_pushstring(L, key);
  lua_rawget(L, t < 0 ? t - 1 : t);
  if (lua_type(L, -1) == type)
    return 1;
  if (!is_absent(L, -1)) {
    lua_pushfstring(L, "must be a %s, not a %s", lua_typename(L, type),
                    luaL_typename(L, -1));
    return lsm_malformed(b, key, lua_tostring(L, -1));
  }
  lua_pop(L, 1);
  return 0;
}

/* The same, throwing when it is absent. */
void lsm_needfield (lsm_builder *b, int t, const char *key, int type) {
  if (!lsm_getfield(b, t, key, type))
    lsm_malformed(b, key, "is missing");
}

/* True when t[key] is true. */
int lsm_istrue (lsm_builder *b, int t, const char *key) {
  int yes = 0;
  if (lsm_getfield(b, t, key, LUA_TBOOLEAN)) {
    yes = lua_toboolean(b->L, -1);
    lua_pop(b->L, 1);
  }
  return yes;
}

/* True when t[key] is there and not false; many a trait is an empty table. */
int lsm_isset (lsm_builder *b, int t, const char *key) {
  lua_State *L = b->L;
  int yes;
  lua_pushstring(L, key);
  lua_rawget(L, t);
  yes = !is_absent(L, -1) && (!lua_isboolean(L, -1) || lua_toboolean(L, -1));
  lua_pop(L, 1);
  return yes;
}

uint16_t lsm_traits (lsm_builder *b, int t, const lsm_trait *list) {
  uint16_t flags = 0;
  for (; list->key != NULL; list++) {
    if (lsm_isset(b, t, list->key))
      flags |= list->flag;
  }
  return flags;
}

sm_str lsm_tostr (lua_State *L, int idx) {
  sm_str s;
  s.p = lua_tolstring(L, idx, &s.len);
  return s;
}

int lsm_bybytes (const void *x, const void *y) {
  const sm_str *a = (const sm_str *)x, *b = (const sm_str *)y;
  size_t n = a->len < b->len ? a->len : b->len;
  int c = memcmp(a->p, b->p, n);
  return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

/*
** Pushes a userdata with the keys of the table at `t`, sorted. The table keeps
** the strings alive; nobody changes it meanwhile.
*/
lsm_keys lsm_sortedkeys (lsm_builder *b, int t, const char *what) {
  lua_State *L = b->L;
  lsm_keys k = {NULL, 0};
  size_t n = 0;
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      lsm_malformed(b, what, "has a key that is not a string");
    n++;
  }
  if (n >= SM_NONE)
    lsm_malformed(b, what, "has too many entries");
  k.p = (sm_str *)lua_newuserdata(L, (n + 1) * sizeof(sm_str));
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1))
    k.p[k.n++] = lsm_tostr(L, -2);
  qsort(k.p, n, sizeof(sm_str), lsm_bybytes);
  return k;
}

/* Pushes t[key], which is known to be there and must be a table. */
void lsm_getentry (lsm_builder *b, int t, sm_str key) {
  lsm_pushstr(b->L, key);
  lua_rawget(b->L, t);
  if (!lua_istable(b->L, -1))
    lsm_malformed(b, "the entry", "must be a table");
}

/* The string id of a text, new when it was not seen before. */
uint16_t lsm_intern (lsm_builder *b, sm_str text) {
  lua_State *L = b->L;
  unsigned id;
  sm_ref *ref;
  lsm_pushstr(L, text);
  lua_pushvalue(L, -1);
  lua_rawget(L, b->strings);
  if (lua_isnumber(L, -1)) {
    id = (unsigned)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return (uint16_t)id;
  }
  lua_pop(L, 1);
  id = b->nstrings;
  if (id >= SM_NONE)
    lsm_malformed(b, "the model", "has too many strings");
  ref = (sm_ref *)lsm_append(b, LSM_REFS, sizeof(*ref));
  ref->off = (uint32_t)b->u->part[LSM_POOL].len;
  ref->len = (uint32_t)text.len;
  memcpy(lsm_append(b, LSM_POOL, text.len + 1), text.p, text.len);
  lua_pushinteger(L, (lua_Integer)id);
  lua_rawset(L, b->strings);
  b->nstrings++;
  return (uint16_t)id;
}

uint16_t lsm_internfield (lsm_builder *b, int t, const char *key) {
  uint16_t id;
  if (!lsm_getfield(b, t, key, LUA_TSTRING))
    return SM_NONE;
  id = lsm_intern(b, lsm_tostr(b->L, -1));
  lua_pop(b->L, 1);
  return id;
}

/* The shape id that the reference table at `t` names. */
uint16_t lsm_shapeof (lsm_builder *b, int t) {
  lua_State *L = b->L;
  uint16_t id;
  lsm_needfield(b, t, "shape", LUA_TSTRING);
  lua_pushvalue(L, -1);
  lua_rawget(L, b->shape_ids);
  if (lua_isnil(L, -1)) {
    lua_pushfstring(L, "names the shape %s, which is missing",
                    lua_tostring(L, -2));
    lsm_malformed(b, "a reference", lua_tostring(L, -1));
  }
  id = (uint16_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return id;
}

/* The index in a NULL-terminated list of the string t[key]; -1 when absent. */
int lsm_choice (lsm_builder *b, int t, const char *key,
                const char *const *list) {
  lua_State *L = b->L;
  int i;
  if (!lsm_getfield(b, t, key, LUA_TSTRING))
    return -1;
  for (i = 0; list[i] != NULL; i++) {
    if (strcmp(list[i], lua_tostring(L, -1)) == 0) {
      lua_pop(L, 1);
      return i;
    }
  }
  lua_pushfstring(L, "'%s' is unknown", lua_tostring(L, -1));
  return lsm_malformed(b, key, lua_tostring(L, -1));
}

uint16_t lsm_status (lsm_builder *b, int t, const char *key) {
  lua_State *L = b->L;
  lua_Number n;
  if (!lsm_getfield(b, t, key, LUA_TNUMBER))
    return 0;
  n = lua_tonumber(L, -1);
  lua_pop(L, 1);
  if (!(n >= 100 && n <= 599))
    lsm_malformed(b, key, "is not an HTTP status");
  return (uint16_t)n;
}
