/*
** lencode_walk.c: the walk over a value and its shape.
*/
#include "lencode.h"
#include "sm_json.h"
#include "sm_text.h"

/* A metamethod may give this many entries. */
#define COPY_MAX 1000000

/* {{ Tables with metamethods */

/* What copy_plain needs to know. */
typedef struct copy_job {
  const lsm_call *call;
  const sm_shape *shape; /* NULL: a document */
} copy_job;

/* True when the metatable of the value at `idx` says how it is read. */
static int is_hooked (lua_State *L, int idx) {
  int hooked;
  if (!lua_getmetatable(L, idx))
    return 0;
  lua_pushliteral(L, "__index");
  lua_rawget(L, -2);
  lua_pushliteral(L, "__pairs");
  lua_rawget(L, -3);
  hooked = !lua_isnil(L, -1) || !lua_isnil(L, -2);
  lua_pop(L, 3);
  return hooked;
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

/* Pushes a plain copy of the table at `idx`; 0 when a metamethod threw. */
static int push_plain (lsm_enc *e, const sm_shape *shape, int idx) {
  lua_State *L = e->L;
  copy_job job;
  int status;
  job.call = &e->call;
  job.shape = shape;
  lua_pushcfunction(L, copy_plain);
  lua_pushvalue(L, idx);
  lua_pushlightuserdata(L, &job);
  lua_pushvalue(L, e->call.names);
  status = lua_pcall(L, 3, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != 0)
    note_thrown(e, shape);
  return status == 0;
}

/* }} */

/* {{ Into and out of containers */

int lsm_enc_table (lsm_enc *e, const sm_shape *shape, int *idx) {
  lua_State *L = e->L;
  if (!lua_istable(L, *idx)) {
    lsm_enc_wrong(e, shape, *idx);
    return 0;
  }
  if (e->depth >= LSM_MAX_DEPTH || !lua_checkstack(L, LUA_MINSTACK)) {
    lsm_enc_complain(e, "limit", shape, "nested too deeply");
    return 0;
  }
  if (is_hooked(L, *idx)) {
    if (!push_plain(e, shape, *idx))
      return 0;
    *idx = lua_gettop(L);
  }
  e->depth++;
  return 1;
}

void lsm_enc_leave (lsm_enc *e) {
  e->depth--;
  if (e->out->err != SM_OK)
    e->stop = 1; /* too large: do not read on, it may be without end */
}

/* The index of the member whose name is the Lua string at `idx`, or -1. */
static int find_member (const lsm_enc *e, const sm_shape *shape,
                        const char *const *keys, int idx) {
  sm_str name;
  int i;
  name.p = lua_tolstring(e->L, idx, &name.len);
  for (i = 0; i < shape->count; i++) {
    if (keys[i] == name.p)
      return i;
  }
  return sm_member_by_name(e->s, shape, name, 0); /* long strings differ */
}

/* Notes an unknown member, named by the string at `idx`. */
static void unknown_member (lsm_enc *e, const sm_shape *shape, int idx,
                            lsm_found *found) {
  found->unknown++;
  if (e->checks & LSM_CHECK_UNKNOWN) {
    sm_str name;
    name.p = lua_tolstring(e->L, idx, &name.len);
    lsm_enc_unknown(e, shape, name);
  }
}

/* Leaves the values of the members on the stack; how many keys there were, or
** -1 when one is not a string. */
static int gather (lsm_enc *e, const sm_shape *shape, lsm_found *found) {
  lua_State *L = e->L;
  const char *const *keys = lsm_memberkeys(&e->call, shape);
  int values = 0, m;
  lua_pushnil(L);
  while (lua_next(L, found->table)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lsm_enc_wrong(e, shape, found->table);
      return -1;
    }
    m = find_member(e, shape, keys, -2);
    if (m < 0) {
      unknown_member(e, shape, lua_gettop(L) - 1, found);
      lua_pop(L, 1);
      continue;
    }
    found->pos[m] = (unsigned char)++values;
    lua_insert(L, -2); /* the value stays, the key goes on */
  }
  return values + found->unknown;
}

/* Fills in an idempotency token and notes members that are missing. */
static void check_absent (lsm_enc *e, const sm_shape *shape, lsm_found *found) {
  const sm_member *members = sm_members_of(e->s, shape);
  int i;
  for (i = 0; i < shape->count; i++) {
    if (found->pos[i] != 0)
      continue;
    if ((members[i].flags & SM_M_TOKEN) && e->token != 0) {
      lua_pushvalue(e->L, e->token);
      found->pos[i] = (unsigned char)(lua_gettop(e->L) - found->base);
    } else if ((members[i].flags & SM_M_REQUIRED) &&
               (e->checks & LSM_CHECK_REQUIRED)) {
      lsm_enc_missing(e, shape, members + i);
    }
  }
}

int lsm_enc_enter (lsm_enc *e, const sm_shape *shape, int idx,
                   lsm_found *found) {
  int n;
  if (!lsm_enc_table(e, shape, &idx))
    return 0;
  if (!lua_checkstack(e->L, shape->count + LUA_MINSTACK))
    luaL_error(e->L, "stack overflow");
  found->table = idx;
  found->base = lua_gettop(e->L);
  found->unknown = 0;
  memset(found->pos, 0, shape->count);
  n = gather(e, shape, found);
  if (n < 0) {
    lsm_enc_leave(e);
    return 0;
  }
  check_absent(e, shape, found);
  if ((shape->flags & SM_S_UNION) && n != 1 && (e->checks & LSM_CHECK_REQUIRED))
    lsm_enc_union(e, shape, n);
  return 1;
}

/* }} */

/* {{ Structures */

void lsm_enc_jsonvalue (lsm_enc *e, const sm_shape *shape, int idx, sm_buf *b) {
  if (lua_type(e->L, idx) == LUA_TSTRING) {
    sm_str s;
    if (lsm_enc_string(e, shape, idx, &s))
      sm_buf_puts(b, s);
  } else {
    sm_buf *out = e->out;
    e->out = b;
    lsm_enc_document(e, idx);
    e->out = out;
  }
}

/* A jsonvalue member of a JSON body: a string that holds JSON. */
static void put_jsonvalue (lsm_enc *e, const sm_shape *shape, int idx) {
  sm_buf *text = &e->scratch->text;
  sm_buf_reset(text);
  lsm_enc_jsonvalue(e, shape, idx, text);
  if (text->err != SM_OK)
    e->out->err = text->err;
  sm_json_put_string(e->out, sm_buf_str(text), NULL);
}

/* The members that the shape does not know, when nobody minds. */
static void put_unknown (lsm_enc *e, const sm_shape *shape,
                         const lsm_found *found, int comma) {
  lua_State *L = e->L;
  lsm_frame f = {e->at, LSM_ENTRY, 0, 0, {NULL, 0}};
  e->at = &f;
  lua_pushnil(L);
  while (!e->stop && lua_next(L, found->table)) {
    f.key.p = lua_tolstring(L, -2, &f.key.len);
    if (sm_member_by_name(e->s, shape, f.key, 0) < 0) {
      if (comma)
        sm_buf_putc(e->out, ',');
      comma = 1;
      sm_json_put_string(e->out, f.key, NULL);
      sm_buf_putc(e->out, ':');
      lsm_enc_document(e, lua_gettop(L));
    }
    lua_pop(L, 1);
  }
  e->at = f.up;
}

void lsm_enc_members (lsm_enc *e, const sm_shape *shape, const lsm_found *found,
                      int body) {
  const sm_member *m = sm_members_of(e->s, shape);
  lsm_frame f = {e->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  int i, comma = 0;
  e->at = &f;
  sm_buf_putc(e->out, '{');
  for (i = 0; i < shape->count && !e->stop; i++, m++) {
    int idx = found->base + found->pos[i];
    if (found->pos[i] == 0 || (body && m->location != SM_IN_BODY))
      continue;
    if (!(e->checks & LSM_CHECK_NULL) && lsm_isnull(e->L, idx))
      continue;
    f.id = m->name;
    sm_json_put_name(e->out, sm_text_of(e->s, m->wire), comma);
    comma = 1;
    if (m->flags & SM_M_JSONVALUE)
      put_jsonvalue(e, e->s->shapes + m->shape, idx);
    else
      lsm_enc_value(e, e->s->shapes + m->shape, m->ts_format, idx);
  }
  e->at = f.up;
  if (found->unknown > 0 && !(e->checks & LSM_CHECK_UNKNOWN))
    put_unknown(e, shape, found, comma);
  sm_buf_putc(e->out, '}');
}

static void put_structure (lsm_enc *e, const sm_shape *shape, int idx) {
  int top = lua_gettop(e->L);
  lsm_found found;
  if (lsm_enc_enter(e, shape, idx, &found)) {
    lsm_enc_members(e, shape, &found, 0);
    lsm_enc_leave(e);
  }
  lua_settop(e->L, top);
}

/* }} */

/* {{ Lists */

static void note_key (lsm_enc *e, const sm_shape *shape, int idx) {
  sm_buf *b = lsm_enc_problem(e);
  sm_buf_puts(b, SM_LIT("expected a list, got a table with the key "));
  lsm_enc_putvalue(e, b, NULL, idx);
  lsm_enc_note(e, "type", shape);
  lua_pop(e->L, 1);
}

static void note_hole (lsm_enc *e, const sm_shape *shape, int idx,
                       double largest) {
  sm_buf *b;
  int i = 1;
  for (;; i++) {
    int absent;
    lua_rawgeti(e->L, idx, i);
    absent = lua_isnil(e->L, -1);
    lua_pop(e->L, 1);
    if (absent)
      break;
  }
  b = lsm_enc_problem(e);
  sm_buf_puts(b, SM_LIT("expected a list, got a table that has the index "));
  sm_put_double(b, largest);
  sm_buf_puts(b, SM_LIT(" but not "));
  sm_put_i64(b, i);
  lsm_enc_note(e, "type", shape);
  lua_pop(e->L, 1);
}

int lsm_enc_count (lsm_enc *e, const sm_shape *shape, int idx) {
  lua_State *L = e->L;
  double largest = 0;
  int n = 0;
  lua_pushnil(L);
  while (lua_next(L, idx)) {
    double k = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
    if (!(k >= 1 && k <= (double)INT32_MAX && k == (double)(int32_t)k)) {
      note_key(e, shape, lua_gettop(L) - 1);
      lua_pop(L, 2);
      return -1;
    }
    if (k > largest)
      largest = k;
    n++;
    lua_pop(L, 1);
  }
  if (largest != n) {
    note_hole(e, shape, idx, largest);
    return -1;
  }
  return n;
}

/* Writes item f->index of the list, which is on top of the stack; pops it. */
static void put_item (lsm_enc *e, const sm_shape *item, lsm_frame *f) {
  if (f->index > 0)
    sm_buf_putc(e->out, ',');
  lsm_enc_value(e, item, SM_TS_DEFAULT, lua_gettop(e->L));
  lua_pop(e->L, 1);
  f->index++;
}

/*
** Items as lua_next gives them, as long as they come in order, as those of a
** table's array part do. Returns 0 when one does not.
*/
static int put_ordered (lsm_enc *e, const sm_shape *item, int idx,
                        lsm_frame *f) {
  lua_State *L = e->L;
  lua_pushnil(L);
  while (lua_next(L, idx)) {
    if (lua_type(L, -2) != LUA_TNUMBER ||
        lua_tonumber(L, -2) != (lua_Number)(f->index + 1)) {
      lua_pop(L, 2);
      return 0;
    }
    put_item(e, item, f);
    if (e->stop) {
      lua_pop(L, 1);
      return 1;
    }
  }
  return 1;
}

/* Writes all items; 0 when the table is no list. */
static int put_items (lsm_enc *e, const sm_shape *shape, int idx,
                      lsm_frame *f) {
  const sm_shape *item = e->s->shapes + shape->value;
  int n;
  if (put_ordered(e, item, idx, f))
    return 1;
  e->at = f->up;
  n = lsm_enc_count(e, shape, idx);
  e->at = f;
  while (!e->stop && (int)f->index < n) {
    lua_rawgeti(e->L, idx, (int)f->index + 1);
    put_item(e, item, f);
  }
  return n >= 0;
}

static void put_list (lsm_enc *e, const sm_shape *shape, int idx) {
  int top = lua_gettop(e->L);
  lsm_frame f = {e->at, LSM_ITEM, 0, 0, {NULL, 0}};
  if (lsm_enc_table(e, shape, &idx)) {
    int complete;
    sm_buf_putc(e->out, '[');
    e->at = &f;
    complete = put_items(e, shape, idx, &f);
    e->at = f.up;
    sm_buf_putc(e->out, ']');
    if (complete && shape->flags != 0)
      lsm_enc_length(e, shape, f.index, "item");
    lsm_enc_leave(e);
  }
  lua_settop(e->L, top);
}

/* }} */

/* {{ Maps */

/* Appends a string in quotes. */
static void put_text (lsm_enc *e, const sm_shape *shape, sm_str s) {
  size_t bad;
  if (sm_json_put_string(e->out, s, &bad) == SM_EUTF8) {
    sm_buf *b = lsm_enc_problem(e);
    sm_buf_puts(b, SM_LIT("not valid UTF-8 from byte "));
    sm_put_u64(b, bad + 1);
    sm_buf_puts(b, SM_LIT(" on"));
    lsm_enc_note(e, "utf8", shape);
    lua_pop(e->L, 1);
  }
}

int lsm_enc_key (lsm_enc *e, const sm_shape *map, int idx, sm_str *key) {
  const sm_shape *shape = e->s->shapes + map->key;
  lsm_frame f = {e->at, LSM_KEY, 0, 0, {NULL, 0}};
  int ok;
  key->p = lua_tolstring(e->L, idx, &key->len);
  f.key = *key;
  e->at = &f;
  ok = lsm_enc_string(e, shape, idx, &f.key);
  e->at = f.up;
  return ok;
}

/* Writes the key at `idx` and the colon. */
static void put_key (lsm_enc *e, const sm_shape *map, int idx, sm_str *key) {
  lsm_frame f = {e->at, LSM_KEY, 0, 0, {NULL, 0}};
  int ok = lsm_enc_key(e, map, idx, key);
  if (!ok)
    return;
  f.key = *key;
  e->at = &f;
  put_text(e, e->s->shapes + map->key, *key);
  e->at = f.up;
  sm_buf_putc(e->out, ':');
}

static size_t put_entries (lsm_enc *e, const sm_shape *shape, int idx) {
  lua_State *L = e->L;
  const sm_shape *value = e->s->shapes + shape->value;
  lsm_frame f = {e->at, LSM_ENTRY, 0, 0, {NULL, 0}};
  size_t n = 0;
  lua_pushnil(L);
  while (!e->stop && lua_next(L, idx)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lsm_enc_wrong(e, shape, idx);
      lua_pop(L, 2);
      break;
    }
    if (n++ > 0)
      sm_buf_putc(e->out, ',');
    put_key(e, shape, lua_gettop(L) - 1, &f.key);
    e->at = &f;
    lsm_enc_value(e, value, SM_TS_DEFAULT, lua_gettop(L));
    e->at = f.up;
    lua_pop(L, 1);
  }
  return n;
}

static void put_map (lsm_enc *e, const sm_shape *shape, int idx) {
  int top = lua_gettop(e->L);
  if (lsm_enc_table(e, shape, &idx)) {
    size_t n;
    sm_buf_putc(e->out, '{');
    n = put_entries(e, shape, idx);
    sm_buf_putc(e->out, '}');
    if (shape->flags != 0)
      lsm_enc_length(e, shape, n, "entry");
    lsm_enc_leave(e);
  }
  lua_settop(e->L, top);
}

/* }} */

/* {{ Documents */

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

/* }} */

/* {{ Values */

static void put_string (lsm_enc *e, const sm_shape *shape, int idx) {
  sm_str s;
  if (lsm_enc_string(e, shape, idx, &s))
    put_text(e, shape, s);
}

static void put_time (lsm_enc *e, const sm_shape *shape, unsigned ts, int idx) {
  sm_time t;
  unsigned format = ts != SM_TS_DEFAULT ? ts : shape->ts_format;
  if (!lsm_enc_time(e, shape, idx, &t))
    return;
  if (format == SM_TS_DEFAULT || format == SM_TS_EPOCH) {
    lsm_enc_puttime(e, e->out, SM_TS_EPOCH, t);
    return;
  }
  sm_buf_putc(e->out, '"');
  lsm_enc_puttime(e, e->out, format, t);
  sm_buf_putc(e->out, '"');
}

static void put_scalar (lsm_enc *e, const sm_shape *shape, int idx) {
  int64_t i;
  double d;
  int v;
  sm_str s;
  switch (shape->type) {
  case SM_BOOLEAN:
    if (lsm_enc_bool(e, shape, idx, &v))
      sm_json_put_bool(e->out, v);
    break;
  case SM_INTEGER:
  case SM_LONG:
    if (lsm_enc_int(e, shape, idx, &i))
      sm_json_put_int(e->out, i);
    break;
  case SM_FLOAT:
  case SM_DOUBLE:
    if (lsm_enc_double(e, shape, idx, &d))
      sm_json_put_double(e->out, d);
    break;
  case SM_BLOB:
    if (lsm_enc_blob(e, shape, idx, &s))
      sm_json_put_blob(e->out, s.p, s.len);
    break;
  default:
    break;
  }
}

void lsm_enc_value (lsm_enc *e, const sm_shape *shape, unsigned ts, int idx) {
  if (!(e->checks & LSM_CHECK_NULL) && lsm_isnull(e->L, idx)) {
    sm_json_put_null(e->out);
    return;
  }
  switch (shape->type) {
  case SM_STRUCTURE:
    put_structure(e, shape, idx);
    break;
  case SM_LIST:
    put_list(e, shape, idx);
    break;
  case SM_MAP:
    put_map(e, shape, idx);
    break;
  case SM_STRING:
    put_string(e, shape, idx);
    break;
  case SM_TIMESTAMP:
    put_time(e, shape, ts, idx);
    break;
  case SM_DOCUMENT:
    lsm_enc_document(e, idx);
    break;
  default:
    put_scalar(e, shape, idx);
  }
}

/* }} */
