/*
** lencode_copy.c: tables whose metatables say how they are read.
**
** They are copied, one level, before the walk looks at them. All foreign code
** runs here, in protected mode and before any pointer into the copy is taken;
** what it does to the caller's own tables, the walk does not notice.
*/
#include "lencode.h"

/* A metamethod may give this many entries. */
#define COPY_MAX 100000

/* What copy_plain needs to know. */
typedef struct copy_job {
  const lsm_call *call;
  const sm_shape *shape; /* NULL: a document */
} copy_job;

/* True when the metatable on top of the stack, which is popped, says how a
** value is read. */
static int is_hook (lua_State *L) {
  int hook;
  lua_pushliteral(L, "__index");
  lua_rawget(L, -2);
  lua_pushliteral(L, "__pairs");
  lua_rawget(L, -3);
  hook = !lua_isnil(L, -1) || !lua_isnil(L, -2);
  lua_pop(L, 3);
  return hook;
}

static void count_copy (lua_State *L, int *n) {
  if (++*n > COPY_MAX)
    luaL_error(L, "no end after %d entries", COPY_MAX);
}

/* Copies what pairs(value at 1) gives to the table at 4. */
static void copy_pairs (lua_State *L) {
  int n = 0;
  lua_settop(L, 4);
  if (!luaL_getmetafield(L, 1, "__pairs")) {
    lua_pushnil(L);
    while (lua_next(L, 1)) {
      count_copy(L, &n);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, 4);
    }
    return;
  }
  lua_pushvalue(L, 1);
  lua_call(L, 1, 3); /* 5: iterator, 6: state, 7: control */
  for (;;) {
    count_copy(L, &n);
    lua_pushvalue(L, 5);
    lua_pushvalue(L, 6);
    lua_pushvalue(L, 7);
    lua_call(L, 2, 2); /* 8: key, 9: value */
    if (lua_isnil(L, 8))
      return;
    lua_pushvalue(L, 8);
    lua_replace(L, 7);
    lua_rawset(L, 4);
  }
}

/* Adds the members that only __index knows. */
static void copy_members (lua_State *L, const copy_job *job) {
  const sm_member *members = sm_members_of(job->call->s, job->shape);
  int i;
  for (i = 0; i < job->shape->count; i++) {
    lua_settop(L, 4);
    lsm_pushname(L, 3, job->call->s, members[i].name);
    lua_pushvalue(L, -1);
    lua_rawget(L, 4);
    if (!lua_isnil(L, -1))
      continue;
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_gettable(L, 1);
    lua_rawset(L, 4); /* a nil leaves it absent */
  }
}

/* Adds the items that only __index knows. */
static void copy_items (lua_State *L) {
  int n = (int)lsm_rawlen(L, 4);
  for (;;) {
    count_copy(L, &n);
    lua_settop(L, 4);
    lua_pushinteger(L, n);
    lua_gettable(L, 1);
    if (lua_isnil(L, -1))
      return;
    lua_rawseti(L, 4, n);
  }
}

/* (value, copy_job, names) -> a plain table with the same entries. */
static int copy_plain (lua_State *L) {
  const copy_job *job = (const copy_job *)lua_touserdata(L, 2);
  lua_newtable(L);
  copy_pairs(L);
  lua_settop(L, 4);
  if (job->shape != NULL && luaL_getmetafield(L, 1, "__index")) {
    if (job->shape->type == SM_STRUCTURE)
      copy_members(L, job);
    else if (job->shape->type == SM_LIST)
      copy_items(L);
  }
  lua_settop(L, 4);
  return 1;
}

/* Notes what a metamethod threw, which is on top of the stack. */
static void note_thrown (lsm_enc *e, const sm_shape *shape) {
  lua_State *L = e->L;
  sm_buf *b = lsm_enc_problem(e);
  sm_str text = {lua_typename(L, lua_type(L, -1)), 0};
  sm_buf_puts(b, SM_LIT("a metamethod failed: "));
  if (lua_type(L, -1) == LUA_TSTRING)
    text.p = lua_tolstring(L, -1, &text.len);
  else
    text.len = strlen(text.p);
  sm_buf_puts(b, text);
  lsm_enc_note(e, "metamethod", shape);
  lua_pop(L, 1);
}

int lsm_enc_plain (lsm_enc *e, const sm_shape *shape, int *idx) {
  lua_State *L = e->L;
  copy_job job;
  int status;
  if (!is_hook(L))
    return 1;
  job.call = &e->call;
  job.shape = shape;
  lua_pushcfunction(L, copy_plain);
  lua_pushvalue(L, *idx);
  lua_pushlightuserdata(L, &job);
  lua_pushvalue(L, e->call.names);
  e->foreign++;
  status = lua_pcall(L, 3, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != 0)
    note_thrown(e, shape);
  *idx = lua_gettop(L);
  return status == 0;
}

int lsm_enc_freeze (lsm_enc *e, int idx) {
  lua_State *L = e->L;
  int copy;
  lua_newtable(L);
  copy = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, idx)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, copy);
  }
  return copy;
}
