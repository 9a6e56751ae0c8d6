/*
** lencode_walk.c: the walk over a value and its shape.
*/
#include "lencode.h"
#include "sm_json.h"
#include "sm_text.h"

/* Stack slots that are asked for at a time. A coroutine keeps the stack that it
** once had, and there may be thousands. */
#define STACK_STEP 16

/* Above this index containers give their stack slots back one by one. */
#define STACK_MUCH 1000

/* {{ Into and out of containers */

/* Makes sure of n free stack slots above `top`. */
static int reserve (lsm_enc *e, int top, int n) {
  if (top + n <= e->stack)
    return 1;
  if (!lua_checkstack(e->L, n + STACK_STEP))
    return 0;
  e->stack = top + n + STACK_STEP;
  return 1;
}

static int note_depth (lsm_enc *e, const sm_shape *shape) {
  lsm_enc_complain(e, "limit", shape, "nested too deeply");
  return 0;
}

/* As lsm_enc_table, for a table that needs n stack slots above `top`. */
static inline int enter (lsm_enc *e, const sm_shape *shape, int *idx, int top,
                         int n) {
  lua_State *L = e->L;
  if (lua_type(L, *idx) != LUA_TTABLE) {
    lsm_enc_wrong(e, shape, *idx);
    return 0;
  }
  if (e->depth >= LSM_MAX_DEPTH || !reserve(e, top, n + LUA_MINSTACK))
    return note_depth(e, shape);
  if (lua_getmetatable(L, *idx) && !lsm_enc_plain(e, shape, idx))
    return 0;
  e->depth++;
  return 1;
}

int lsm_enc_table (lsm_enc *e, const sm_shape *shape, int *idx) {
  return enter(e, shape, idx, lua_gettop(e->L), 0);
}

void lsm_enc_leave (lsm_enc *e) {
  e->depth--;
  if (e->out->err != SM_OK)
    e->stop = 1; /* too large: do not read on, it may be without end */
}

/* Notes a table whose key at `idx` no value of the shape has; NULL is a list of
** a document. */
static void note_key (lsm_enc *e, const sm_shape *shape, int idx) {
  sm_buf *b = lsm_enc_problem(e);
  sm_buf_puts(b, SM_LIT("expected "));
  if (shape != NULL)
    lsm_putwanted(b, shape);
  else
    sm_buf_puts(b, SM_LIT("a list"));
  sm_buf_puts(b, SM_LIT(", got a table with the key "));
  lsm_enc_putvalue(e, b, NULL, idx);
  lsm_enc_note(e, "type", shape);
  lua_pop(e->L, 1);
}

/*
** The key at the top of the stack but one is not recognised by its address: it
** is a long string, an unknown name, or no string. The member, -1 when the key
** was noted as unknown, -2 when the table cannot be a structure or there are
** problems enough.
*/
static int unusual_key (lsm_enc *e, const sm_shape *shape, lsm_found *found) {
  sm_str name;
  int m;
  if (lua_type(e->L, -2) != LUA_TSTRING) {
    if (lsm_rawlen(e->L, found->table) > 0)
      lsm_enc_wrong(e, shape, found->table);
    else
      note_key(e, shape, lua_gettop(e->L) - 1);
    return -2;
  }
  name.p = lua_tolstring(e->L, -2, &name.len);
  m = sm_member_by_name(e->s, shape, name, 0);
  if (m < 0) {
    found->unknown++;
    if (e->checks & LSM_CHECK_UNKNOWN)
      lsm_enc_unknown(e, shape, name);
    if (e->stop)
      return -2;
  }
  return m;
}

/*
** Leaves key and value of each member on the stack; how many values, or -1
** when it is not worth reading on.
*/
static int gather (lsm_enc *e, const sm_shape *shape, lsm_found *found) {
  lua_State *L = e->L;
  const void *const *keys = found->plan->keys;
  int by_pointer = e->call.codec->by_pointer;
  int count = shape->count, values = 0, m;
  lua_pushnil(L);
  while (lua_next(L, found->table)) {
    const void *key = lsm_keyof(L, by_pointer, -2);
    for (m = 0; m < count && keys[m] != key; m++)
      ;
    if (m == count) {
      m = unusual_key(e, shape, found);
      if (m == -2)
        return -1;
      if (m < 0) {
        lua_pop(L, 1);
        continue;
      }
    }
    found->pos[m] = (unsigned char)++values;
    lua_pushvalue(L, -2); /* key and value stay, their copy goes on */
  }
  return values;
}

/* Fills in an idempotency token and notes members that are missing. */
static void check_absent (lsm_enc *e, const sm_shape *shape, lsm_found *found,
                          int values) {
  const sm_member *members = sm_members_of(e->s, shape);
  int i;
  for (i = 0; i < shape->count; i++) {
    if (found->pos[i] != 0)
      continue;
    if ((members[i].flags & SM_M_TOKEN) && e->token != 0) {
      lua_settop(e->L, found->base + 2 * values + 1);
      lua_pushvalue(e->L, e->token);
      found->pos[i] = (unsigned char)++values;
    } else if ((members[i].flags & SM_M_REQUIRED) &&
               (e->checks & LSM_CHECK_REQUIRED)) {
      lsm_enc_missing(e, shape, members + i);
    }
  }
}

int lsm_enc_enter (lsm_enc *e, const sm_shape *shape, int idx,
                   lsm_found *found) {
  int n;
  found->base = lua_gettop(e->L);
  if (!enter(e, shape, &idx, found->base, 2 * shape->count))
    return 0;
  if (idx > found->base)
    found->base = idx; /* a copy was made */
  found->plan = lsm_planof(&e->call, shape);
  found->table = idx;
  found->unknown = 0;
  for (n = 0; n < shape->count; n += 8)
    memset(found->pos + n, 0, 8);
  n = gather(e, shape, found);
  if (n < 0) {
    lsm_enc_leave(e);
    return 0;
  }
  if (n < shape->count)
    check_absent(e, shape, found, n);
  if ((shape->flags & SM_S_UNION) && n + found->unknown != 1 &&
      (e->checks & LSM_CHECK_REQUIRED))
    lsm_enc_union(e, shape, n + found->unknown);
  return 1;
}

/* }} */

/* {{ Values */

static void note_utf8 (lsm_enc *e, const sm_shape *shape, size_t bad) {
  sm_buf *b = lsm_enc_problem(e);
  sm_buf_puts(b, SM_LIT("not valid UTF-8 from byte "));
  sm_put_u64(b, bad + 1);
  sm_buf_puts(b, SM_LIT(" on"));
  lsm_enc_note(e, "utf8", shape);
  lua_pop(e->L, 1);
}

/* Appends a string in quotes. */
static inline void put_text (lsm_enc *e, const sm_shape *shape, sm_str s) {
  size_t bad;
  if (sm_json_put_string(e->out, s, &bad) == SM_EUTF8)
    note_utf8(e, shape, bad);
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
  double d;
  int v;
  sm_str s;
  switch (shape->type) {
  case SM_BOOLEAN:
    if (lsm_enc_bool(e, shape, idx, &v))
      sm_json_put_bool(e->out, v);
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
    lsm_enc_document(e, idx);
  }
}

static void put_structure(lsm_enc *e, const sm_shape *shape, int idx);
static void put_list(lsm_enc *e, const sm_shape *shape, int idx);
static void put_map(lsm_enc *e, const sm_shape *shape, int idx);

static inline void put_value (lsm_enc *e, const sm_shape *shape, unsigned ts,
                              int idx) {
  int64_t i;
  sm_str s;
  if (!(e->checks & LSM_CHECK_NULL) && lsm_isnull(e->L, idx)) {
    sm_json_put_null(e->out);
    return;
  }
  switch (shape->type) {
  case SM_STRING:
    if (lsm_enc_string(e, shape, idx, &s))
      put_text(e, shape, s);
    break;
  case SM_STRUCTURE:
    put_structure(e, shape, idx);
    break;
  case SM_LIST:
    put_list(e, shape, idx);
    break;
  case SM_INTEGER:
  case SM_LONG:
    if (lsm_enc_int(e, shape, idx, &i))
      sm_json_put_int(e->out, i);
    break;
  case SM_MAP:
    put_map(e, shape, idx);
    break;
  case SM_TIMESTAMP:
    put_time(e, shape, ts, idx);
    break;
  default:
    put_scalar(e, shape, idx);
  }
}

void lsm_enc_value (lsm_enc *e, const sm_shape *shape, unsigned ts, int idx) {
  put_value(e, shape, ts, idx);
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
                         const lsm_found *found, char before) {
  lua_State *L = e->L;
  lsm_frame f = {e->at, LSM_ENTRY, 0, 0, {NULL, 0}};
  int table = lsm_enc_freeze(e, found->table);
  e->at = &f;
  lua_pushnil(L);
  while (!e->stop && lua_next(L, table)) {
    f.key = (sm_str){NULL, 0};
    if (lua_type(L, -2) == LUA_TSTRING) /* others came later, by foreign code */
      f.key.p = lua_tolstring(L, -2, &f.key.len);
    if (f.key.p != NULL && sm_member_by_name(e->s, shape, f.key, 0) < 0) {
      sm_buf_putc(e->out, before);
      before = ',';
      sm_json_put_string(e->out, f.key, NULL);
      sm_buf_putc(e->out, ':');
      lsm_enc_document(e, lua_gettop(L));
    }
    lua_pop(L, 1);
  }
  e->at = f.up;
  if (before == '{')
    sm_buf_putc(e->out, '{');
}

/* Writes `,"name":`, or for the first member `{"name":`. */
static inline void put_name (lsm_enc *e, const lsm_slot *slot,
                             const sm_member *m, char before) {
  sm_buf *b = e->out;
  if (slot->len > 0 && sm_buf_room(b, sizeof(slot->text))) {
    char *p = b->p + b->len;
    memcpy(p, slot->text, sizeof(slot->text));
    *p = before;
    b->len += slot->len;
  } else if (slot->len == 0) {
    sm_buf_putc(b, before);
    sm_json_put_string(b, sm_text_of(e->s, m->wire), NULL);
    sm_buf_putc(b, ':');
  }
}

void lsm_enc_members (lsm_enc *e, const sm_shape *shape, const lsm_found *found,
                      int body) {
  const sm_member *m = sm_members_of(e->s, shape);
  const lsm_slot *slot = found->plan->slots;
  int skip_null = !(e->checks & LSM_CHECK_NULL), i;
  lsm_frame f = {e->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  char before = '{';
  e->at = &f;
  for (i = 0; i < shape->count && !e->stop; i++, m++, slot++) {
    int idx = found->base + 2 * found->pos[i];
    if (found->pos[i] == 0 || (body && m->location != SM_IN_BODY))
      continue;
    if (skip_null && lsm_isnull(e->L, idx))
      continue;
    f.id = m->name;
    put_name(e, slot, m, before);
    before = ',';
    if (m->flags & SM_M_JSONVALUE)
      put_jsonvalue(e, e->s->shapes + m->shape, idx);
    else
      put_value(e, e->s->shapes + m->shape, m->ts_format, idx);
  }
  e->at = f.up;
  if (found->unknown > 0 && !(e->checks & LSM_CHECK_UNKNOWN))
    put_unknown(e, shape, found, before);
  else if (before == '{')
    sm_buf_putc(e->out, '{');
  sm_buf_putc(e->out, '}');
}

/*
** What a container leaves on the stack is popped by whoever began the list, the
** map or the call that it is in; here only when much has come together.
*/
static void put_structure (lsm_enc *e, const sm_shape *shape, int idx) {
  lsm_found found;
  if (lsm_enc_enter(e, shape, idx, &found)) {
    lsm_enc_members(e, shape, &found, 0);
    lsm_enc_leave(e);
    if (found.base > STACK_MUCH)
      lua_settop(e->L, found.base);
  }
}

/* }} */

/* {{ Lists */

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

/* Writes item f->index of the list, which is at `idx`, on top of the stack;
** pops it. */
static inline void put_item (lsm_enc *e, const sm_shape *item, lsm_frame *f,
                             int idx) {
  if (f->index > 0)
    sm_buf_putc(e->out, ',');
  put_value(e, item, SM_TS_DEFAULT, idx);
  lua_settop(e->L, idx - 1);
  f->index++;
}

/* True when the key at `idx` is the number n. */
static inline int is_index (lua_State *L, int idx, size_t n) {
#if LUA_VERSION_NUM >= 503
  return lua_isinteger(L, idx) && (size_t)lua_tointeger(L, idx) == n;
#else
  return lua_type(L, idx) == LUA_TNUMBER && lua_tonumber(L, idx) == (double)n;
#endif
}

/*
** Items as lua_next gives them, as long as they come in order, as those of a
** table's array part do, and no foreign code can have changed the table.
** Returns 0 when the rest has to be read in another way.
*/
static int put_ordered (lsm_enc *e, const sm_shape *item, int idx, int top,
                        lsm_frame *f) {
  lua_State *L = e->L;
  unsigned foreign = e->foreign;
  lua_pushnil(L);
  while (lua_next(L, idx)) {
    if (!is_index(L, top + 1, f->index + 1)) {
      lua_settop(L, top);
      return 0;
    }
    put_item(e, item, f, top + 2);
    if (e->stop)
      return 1;
    if (e->foreign != foreign) {
      lua_settop(L, top);
      return 0;
    }
  }
  return 1;
}

/* Writes all items; 0 when the table is no list. */
static int put_items (lsm_enc *e, const sm_shape *shape, int idx, int top,
                      lsm_frame *f) {
  const sm_shape *item = e->s->shapes + shape->value;
  int n;
  if (put_ordered(e, item, idx, top, f))
    return 1;
  e->at = f->up;
  n = lsm_enc_count(e, shape, idx);
  e->at = f;
  while (!e->stop && (int)f->index < n) {
    lua_rawgeti(e->L, idx, (int)f->index + 1);
    put_item(e, item, f, top + 1);
  }
  return n >= 0;
}

static void put_list (lsm_enc *e, const sm_shape *shape, int idx) {
  int top = lua_gettop(e->L);
  lsm_frame f = {e->at, LSM_ITEM, 0, 0, {NULL, 0}};
  if (enter(e, shape, &idx, top, 4)) {
    int complete;
    sm_buf_putc(e->out, '[');
    e->at = &f;
    complete = put_items(e, shape, idx, idx > top ? idx : top, &f);
    e->at = f.up;
    sm_buf_putc(e->out, ']');
    if (complete && shape->flags != 0)
      lsm_enc_length(e, shape, f.index, "item");
    lsm_enc_leave(e);
    if (top > STACK_MUCH)
      lua_settop(e->L, top);
  }
}

/* }} */

/* {{ Maps */

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
  if (!lsm_enc_key(e, map, idx, key))
    return;
  f.key = *key;
  e->at = &f;
  put_text(e, e->s->shapes + map->key, *key);
  e->at = f.up;
  sm_buf_putc(e->out, ':');
}

static size_t put_entries (lsm_enc *e, const sm_shape *shape, int idx,
                           int top) {
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
    put_key(e, shape, top + 1, &f.key);
    e->at = &f;
    put_value(e, value, SM_TS_DEFAULT, top + 2);
    e->at = f.up;
    lua_settop(L, top + 1);
  }
  return n;
}

/* True for shapes whose values are tables. */
static int may_be_hooked (const sm_shape *shape) {
  return shape->type == SM_STRUCTURE || shape->type == SM_LIST ||
         shape->type == SM_MAP || shape->type == SM_DOCUMENT;
}

static void put_map (lsm_enc *e, const sm_shape *shape, int idx) {
  int top = lua_gettop(e->L);
  if (enter(e, shape, &idx, top, 4)) {
    size_t n;
    if (may_be_hooked(e->s->shapes + shape->value))
      idx = lsm_enc_freeze(e, idx);
    sm_buf_putc(e->out, '{');
    n = put_entries(e, shape, idx, idx > top ? idx : top);
    sm_buf_putc(e->out, '}');
    if (shape->flags != 0)
      lsm_enc_length(e, shape, n, "entry");
    lsm_enc_leave(e);
    if (top > STACK_MUCH)
      lua_settop(e->L, top);
  }
}

/* }} */
