/*
** lcodec.c: what encoder and decoder keep between calls, and how they name
** places and values in messages.
*/
#include "lcodec.h"
#include "lmodel.h"
#include "lquery.h"
#include "sm_json.h"
#include "sm_number.h"
#include "sm_text.h"

#define CODEC "sagemaker.codec"
#define SCRATCH "sagemaker.scratch"

/* Scratch buffers larger than this are not kept for the next call. */
#define KEEP_MAX ((size_t)256 << 10)

/* How many bytes of a caller's value a message shows. */
#define SHOWN_MAX 64

/* {{ Scratch buffers */

static int scratch_gc (lua_State *L) {
  lsm_scratch *x = (lsm_scratch *)luaL_checkudata(L, 1, SCRATCH);
  sm_buf_free(&x->body);
  sm_buf_free(&x->path);
  sm_buf_free(&x->query);
  sm_buf_free(&x->text);
  return 0;
}

static void new_scratch (lua_State *L) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  lsm_scratch *x = (lsm_scratch *)lua_newuserdata(L, sizeof(*x));
  sm_buf_init(&x->body, LSM_MAX_BODY, alloc, ud);
  sm_buf_init(&x->path, LSM_MAX_BODY, alloc, ud);
  sm_buf_init(&x->query, LSM_MAX_BODY, alloc, ud);
  sm_buf_init(&x->text, LSM_MAX_BODY, alloc, ud);
  luaL_getmetatable(L, SCRATCH);
  lua_setmetatable(L, -2);
}

lsm_scratch *lsm_takescratch (lua_State *L) {
  lsm_scratch *x;
  lua_rawgeti(L, lua_upvalueindex(1), 1);
  x = (lsm_scratch *)lua_touserdata(L, -1);
  if (x == NULL) {
    lua_pop(L, 1);
    new_scratch(L);
    return (lsm_scratch *)lua_touserdata(L, -1);
  }
  lua_pushboolean(L, 0);
  lua_rawseti(L, lua_upvalueindex(1), 1);
  sm_buf_reset(&x->body);
  sm_buf_reset(&x->path);
  sm_buf_reset(&x->query);
  sm_buf_reset(&x->text);
  return x;
}

void lsm_givescratch (lua_State *L, int idx) {
  lsm_scratch *x = (lsm_scratch *)lua_touserdata(L, idx);
  if (x->body.cap > KEEP_MAX)
    sm_buf_free(&x->body);
  if (x->path.cap > KEEP_MAX)
    sm_buf_free(&x->path);
  if (x->query.cap > KEEP_MAX)
    sm_buf_free(&x->query);
  if (x->text.cap > KEEP_MAX)
    sm_buf_free(&x->text);
  lua_pushvalue(L, idx);
  lua_rawseti(L, lua_upvalueindex(1), 1);
}

void lsm_checkmemory (lua_State *L, const sm_buf *b) {
  if (b->err == SM_ENOMEM)
    luaL_error(L, "not enough memory");
}

/* }} */

/* {{ What is kept for a service */

static int codec_gc (lua_State *L) {
  lsm_codec *c = (lsm_codec *)luaL_checkudata(L, 1, CODEC);
  sm_patterns_free(&c->patterns);
  return 0;
}

/* Whether lua_topointer tells strings apart: it does in Lua 5.4 and LuaJIT. */
static int knows_strings (lua_State *L) {
  int yes;
  lua_pushliteral(L, "x");
  yes = lua_topointer(L, -1) != NULL;
  lua_pop(L, 1);
  return yes;
}

/* Pushes the codec of a service: one block, with its two arrays behind it. */
static void new_codec (lua_State *L, const sm_service *s) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  size_t n = s->nshapes;
  size_t size = sizeof(lsm_codec) + n * sizeof(lsm_plan *) + n;
  lsm_codec *c = (lsm_codec *)lua_newuserdata(L, size);
  memset(c, 0, size);
  c->s = s;
  c->plans = (lsm_plan **)(void *)(c + 1);
  c->sizes = (unsigned char *)(c->plans + n);
  c->by_pointer = knows_strings(L);
  sm_patterns_init(&c->patterns, alloc, ud);
  luaL_getmetatable(L, CODEC);
  lua_setmetatable(L, -2);
}

/* Pushes a new row for the service at index 1, which must be one. */
static void new_row (lua_State *L) {
  const sm_service *s = lsm_checkservice(L, 1);
  lua_createtable(L, 2, 4);
  new_codec(L, s);
  lua_rawseti(L, -2, 1);
  lsm_pushnames(L, 1);
  lua_rawseti(L, -2, 2);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, lua_upvalueindex(1));
}

/* Pushes an empty plan. */
static lsm_plan *push_plan (const lsm_call *c, const sm_shape *shape) {
  size_t n = shape->count;
  size_t each = sizeof(void *) + sizeof(lsm_slot) + 1;
  lsm_plan *plan;
  if (n > LSM_MAX_MEMBERS)
    luaL_error(c->L, "the structure %s has more than %d members",
               sm_text_of(c->s, shape->name).p, LSM_MAX_MEMBERS);
  plan = (lsm_plan *)lua_newuserdata(c->L, sizeof(*plan) + n * each + 1);
  plan->keys = (const void **)(void *)(plan + 1);
  plan->slots = (lsm_slot *)(void *)(plan->keys + n);
  plan->next = (unsigned char *)(plan->slots + n);
  return plan;
}

/* A name that needs escapes goes the long way, as a long one does. */
static int is_plain (sm_str name) {
  size_t i;
  for (i = 0; i < name.len; i++) {
    if (name.p[i] < 0x20 || name.p[i] == '"' || name.p[i] == '\\')
      return 0;
  }
  return 1;
}

static void fill_slot (lsm_slot *slot, sm_str name) {
  memset(slot, 0, sizeof(*slot));
  if (name.len + 4 >= sizeof(slot->text) || !is_plain(name))
    return;
  slot->text[0] = ',';
  slot->text[1] = '"';
  memcpy(slot->text + 2, name.p, name.len);
  memcpy(slot->text + 2 + name.len, "\":", 2);
  slot->len = (unsigned char)(name.len + 4);
}

const lsm_plan *lsm_newplan (lsm_call *c, const sm_shape *shape) {
  lua_State *L = c->L;
  const sm_member *members = sm_members_of(c->s, shape);
  size_t id = (size_t)(shape - c->s->shapes);
  lsm_plan *plan = push_plan(c, shape);
  int i;
  for (i = 0; i < shape->count; i++) {
    lsm_pushname(L, c->names, c->s, members[i].name);
    plan->keys[i] = lsm_keyof(L, c->codec->by_pointer, -1);
    lua_pop(L, 1);
    fill_slot(plan->slots + i, sm_text_of(c->s, members[i].wire));
    plan->next[i] = (unsigned char)(i + 1);
  }
  plan->next[shape->count] = 0;
  lua_rawseti(L, c->names - 1, (int)id + 3); /* behind codec and names */
  return c->codec->plans[id] = plan;
}

/* }} */

/* {{ The call */

static sm_str name_at (const void *ctx, int i) {
  const sm_service *s = (const sm_service *)ctx;
  return sm_text_of(s, s->operations[i].name);
}

static int no_operation (lua_State *L, const sm_service *s, sm_str name) {
  int near = sm_nearest(name, name_at, s, s->noperations);
  if (near < 0)
    return luaL_error(L, "%s has no operation %s", sm_text_of(s, s->id).p,
                      lua_tostring(L, 2));
  return luaL_error(L, "%s has no operation %s; did you mean %s?",
                    sm_text_of(s, s->id).p, lua_tostring(L, 2),
                    name_at(s, near).p);
}

/* Pushes text and text, joined. */
static void push_joined (lua_State *L, sm_str a, const char *between,
                         sm_str b) {
  lsm_pushstr(L, a);
  lua_pushstring(L, between);
  lsm_pushstr(L, b);
  lua_concat(L, 3);
}

/* Pushes a new row for the operation named at index 2 and keeps it in the
** service's row, below it on the stack at `names` - 1. */
static void new_operation (lua_State *L, const lsm_call *c) {
  const sm_service *s = c->s;
  sm_str name = lsm_checkstr(L, 2);
  const sm_operation *op = sm_operation_find(s, name);
  if (op == NULL)
    no_operation(L, s, name);
  lua_createtable(L, LSM_OP_TARGET, 0);
  lua_pushinteger(L, (int)(op - s->operations));
  lua_rawseti(L, -2, LSM_OP_INDEX);
  if (s->protocol == SM_AWS_JSON) {
    lua_pushliteral(L, "POST");
    lua_rawseti(L, -2, LSM_OP_METHOD);
    push_joined(L, SM_LIT("application/x-amz-json"), "-",
                sm_text_of(s, s->json_version));
    lua_rawseti(L, -2, LSM_OP_TYPE);
    push_joined(L, sm_text_of(s, s->target_prefix), ".",
                sm_text_of(s, op->name));
    lua_rawseti(L, -2, LSM_OP_TARGET);
  } else {
    lsm_pushstr(L, sm_text_of(s, op->method));
    lua_rawseti(L, -2, LSM_OP_METHOD);
    lua_pushstring(L,
                   s->protocol == SM_AWS_QUERY ? LSM_FORM : "application/json");
    lua_rawseti(L, -2, LSM_OP_TYPE);
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, c->names - 1);
}

void lsm_begincall (lua_State *L, lsm_call *c, int optional) {
  const lsm_service *u = (const lsm_service *)lua_touserdata(L, 1);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushvalue(L, 1);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_istable(L, -1) || u->s == NULL) {
    lua_pop(L, 1);
    new_row(L);
  }
  lua_rawgeti(L, -1, 1);
  c->L = L;
  c->codec = (lsm_codec *)lua_touserdata(L, -1);
  c->s = c->codec->s;
  lua_pop(L, 1);
  lua_rawgeti(L, -1, 2);
  c->row = (c->names = lua_gettop(L)) + 1;
  c->op = NULL;
  if (optional && lua_isnoneornil(L, 2)) {
    lua_pushnil(L);
    return;
  }
  luaL_checktype(L, 2, LUA_TSTRING);
  lua_pushvalue(L, 2);
  lua_rawget(L, c->names - 1);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    new_operation(L, c);
  }
  lua_rawgeti(L, -1, LSM_OP_INDEX);
  c->op = c->s->operations + lua_tointeger(L, -1);
  lua_pop(L, 1);
}

void lsm_pushcodecstate (lua_State *L) {
  static const char key = 'k';
  lua_pushlightuserdata(L, (void *)&key);
  lua_rawget(L, LUA_REGISTRYINDEX);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lsm_newmetatable(L, CODEC, NULL, codec_gc);
  lsm_newmetatable(L, SCRATCH, NULL, scratch_gc);
  lua_pop(L, 2);
  lua_createtable(L, 1, 2);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, 1);
  lua_pushlightuserdata(L, (void *)&key);
  lua_pushvalue(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void lsm_setcodecfuncs (lua_State *L, const luaL_Reg *list) {
  for (; list->name != NULL; list++) {
    lsm_pushcodecstate(L);
    lua_pushcclosure(L, list->func, 1);
    lua_setfield(L, -2, list->name);
  }
}

/* }} */

/* {{ Words for messages */

void lsm_putpath (sm_buf *b, const sm_service *s, const lsm_frame *at) {
  if (at == NULL)
    return;
  lsm_putpath(b, s, at->up);
  switch (at->place) {
  case LSM_MEMBER:
    if (at->up != NULL)
      sm_buf_putc(b, '.');
    sm_buf_puts(b, sm_text_of(s, at->id));
    break;
  case LSM_ITEM:
    sm_buf_putc(b, '[');
    sm_put_u64(b, at->index);
    sm_buf_putc(b, ']');
    break;
  case LSM_ENTRY:
    sm_buf_putc(b, '.');
    lsm_putshown(b, at->key);
    break;
  case LSM_KEY:
    sm_buf_puts(b, SM_LIT(" (key: "));
    lsm_putshown(b, at->key);
    sm_buf_putc(b, ')');
    break;
  }
}

/* Appends one byte that cannot be shown as it is. */
static void put_escaped (sm_buf *b, unsigned char c) {
  static const char digits[] = "0123456789abcdef";
  char text[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
  switch (c) {
  case '\n':
    sm_buf_put(b, "\\n", 2);
    break;
  case '\r':
    sm_buf_put(b, "\\r", 2);
    break;
  case '\t':
    sm_buf_put(b, "\\t", 2);
    break;
  default:
    sm_buf_put(b, text, 4);
  }
}

void lsm_putshown (sm_buf *b, sm_str s) {
  const char *p = s.p, *end = s.p + s.len;
  const char *stop = s.len > SHOWN_MAX ? p + SHOWN_MAX - 3 : end;
  while (p < stop) {
    int n = sm_utf8_seq(p, end);
    unsigned char c = (unsigned char)*p;
    if (n == 0 || c < 0x20 || c == 0x7f) {
      put_escaped(b, c);
      p++;
    } else {
      sm_buf_put(b, p, (size_t)n);
      p += n;
    }
  }
  if (stop < end)
    sm_buf_put(b, "...", 3);
}

void lsm_putwanted (sm_buf *b, const sm_shape *shape) {
  static const char *const words[] = {
      "a table of members", /* SM_STRUCTURE */
      "a list",
      "a table with string keys", /* SM_MAP */
      "a string",
      "a boolean",
      "an integer",
      "an integer", /* SM_LONG */
      "a number",   /* SM_FLOAT */
      "a number",
      "a string of bytes", /* SM_BLOB */
      "a timestamp",
      "any value", /* SM_DOCUMENT */
  };
  const char *w = words[shape->type];
  sm_buf_put(b, w, strlen(w));
}

/* }} */
