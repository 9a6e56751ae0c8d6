/*
** ldecode_value.c: the walk over JSON text and its shape.
*/
#include <limits.h>

#include "ldecode.h"
#include "sm_rest.h"
#include "sm_text.h"

/* {{ Failures */

sm_buf *lsm_dec_problem (lsm_dec *d) {
  sm_buf *b = d->failed ? &d->scratch->query : &d->scratch->text;
  d->failed = 1;
  sm_buf_reset(b);
  lsm_putpath(b, d->s, d->at);
  if (b->len > 0)
    sm_buf_puts(b, SM_LIT(": "));
  return b;
}

int lsm_dec_complain (lsm_dec *d, const char *message) {
  sm_buf *b = lsm_dec_problem(d);
  sm_buf_put(b, message, strlen(message));
  return -1;
}

/* Begins "expected …, got ". */
static sm_buf *expected (lsm_dec *d, const sm_shape *shape) {
  sm_buf *b = lsm_dec_problem(d);
  sm_buf_puts(b, SM_LIT("expected "));
  if (shape->type == SM_STRUCTURE || shape->type == SM_MAP)
    sm_buf_puts(b, SM_LIT("an object"));
  else if (shape->type == SM_BLOB)
    sm_buf_puts(b, SM_LIT("base64"));
  else
    lsm_putwanted(b, shape);
  sm_buf_puts(b, SM_LIT(", got "));
  return b;
}

int lsm_dec_wrongtext (lsm_dec *d, const sm_shape *shape, sm_str text) {
  sm_buf *b = expected(d, shape);
  if (shape->flags & SM_S_SENSITIVE) {
    sm_buf_puts(b, SM_LIT("something else"));
    return -1;
  }
  sm_buf_putc(b, '"');
  lsm_putshown(b, text);
  sm_buf_putc(b, '"');
  return -1;
}

int lsm_dec_wrong (lsm_dec *d, const sm_shape *shape) {
  static const char *const kinds[] = {"",         "an object", "a list",
                                      "a string", "a number",  "true",
                                      "false",    "null"};
  int kind = sm_json_peek(&d->r);
  sm_str text;
  sm_buf *b;
  if (kind < 0)
    return -1;
  if (sm_json_raw(&d->r, &text) != SM_OK)
    return -1;
  b = expected(d, shape);
  sm_buf_put(b, kinds[kind], strlen(kinds[kind]));
  if ((kind == SM_J_STRING || kind == SM_J_NUMBER) &&
      !(shape->flags & SM_S_SENSITIVE)) {
    sm_buf_putc(b, ' ');
    lsm_putshown(b, text);
  }
  return -1;
}

/* So many containers, one in the other, have their stack slots at a time: a
** coroutine keeps the stack that it once had, and there may be thousands. */
#define LEVELS 4

/* A container takes four stack slots and is left before its sibling comes. */
static void reserve (lsm_dec *d) {
  luaL_checkstack(d->L, LEVELS * 4 + LUA_MINSTACK, NULL);
}

void lsm_dec_open (lsm_dec *d, sm_str text) {
  reserve(d);
  sm_json_init(&d->r, text, 2 * LSM_MAX_DEPTH);
}

int lsm_dec_close (lsm_dec *d) {
  sm_buf *b;
  if (!d->failed)
    sm_json_end(&d->r);
  if (d->r.err == SM_OK || d->failed)
    return d->failed ? -1 : 1;
  if (d->r.err == SM_ENOMEM)
    return luaL_error(d->L, "not enough memory");
  d->at = NULL;
  b = lsm_dec_problem(d);
  sm_buf_puts(b, SM_LIT("not valid JSON: "));
  sm_buf_put(b, d->r.what, strlen(d->r.what));
  sm_buf_puts(b, SM_LIT(" at byte "));
  sm_put_u64(b, d->r.at + 1);
  return -1;
}

/* }} */

/* {{ Scalars */

/* The first byte of the value that comes next; 0 when there is none. */
static inline char look (sm_json *r) {
  if (r->p < r->end && (unsigned char)*r->p > ' ')
    return *r->p;
  return sm_json_peek(r) < 0 ? 0 : *r->p;
}

static inline int is_number (char c) {
  return sm_isdigit(c) || c == '-';
}

static inline int get_string (lsm_dec *d, const sm_shape *shape, char c) {
  sm_str s;
  if (c != '"')
    return lsm_dec_wrong(d, shape);
  if (sm_json_string(&d->r, &s, &d->scratch->body) != SM_OK)
    return -1;
  lsm_pushstr(d->L, s);
  return 1;
}

static int get_blob (lsm_dec *d, const sm_shape *shape, char c) {
  sm_buf *b = &d->scratch->path;
  sm_str s;
  if (c != '"')
    return lsm_dec_wrong(d, shape);
  if (sm_json_string(&d->r, &s, &d->scratch->body) != SM_OK)
    return -1;
  sm_buf_reset(b);
  if (sm_base64_decode(b, s) != SM_OK) {
    lsm_checkmemory(d->L, b);
    return lsm_dec_wrongtext(d, shape, s);
  }
  lsm_pushstr(d->L, sm_buf_str(b));
  return 1;
}

static int get_bool (lsm_dec *d, const sm_shape *shape, char c) {
  int v;
  if (c != 't' && c != 'f')
    return lsm_dec_wrong(d, shape);
  if (sm_json_bool(&d->r, &v) != SM_OK)
    return -1;
  lua_pushboolean(d->L, v);
  return 1;
}

static int get_int (lsm_dec *d, const sm_shape *shape, char c) {
  sm_number n;
  sm_str text;
  if (!is_number(c))
    return lsm_dec_wrong(d, shape);
  if (sm_json_number(&d->r, &n, &text) != SM_OK)
    return -1;
  if (!n.is_int) {
    if (!(n.d >= -9223372036854775808.0 && n.d < 9223372036854775808.0) ||
        (double)(int64_t)n.d != n.d)
      return lsm_dec_wrongtext(d, shape, text);
    n.i = (int64_t)n.d;
  }
  lsm_pushint(d->L, n.i);
  return 1;
}

/* NaN and the infinities come as strings. */
static int get_named (lsm_dec *d, const sm_shape *shape) {
  double v;
  sm_str s;
  if (sm_json_string(&d->r, &s, &d->scratch->body) != SM_OK)
    return -1;
  if (!sm_float_name(s, &v))
    return lsm_dec_wrongtext(d, shape, s);
  lua_pushnumber(d->L, (lua_Number)v);
  return 1;
}

static int get_double (lsm_dec *d, const sm_shape *shape, char c) {
  sm_number n;
  if (c == '"')
    return get_named(d, shape);
  if (!is_number(c))
    return lsm_dec_wrong(d, shape);
  if (sm_json_number(&d->r, &n, NULL) != SM_OK)
    return -1;
  lua_pushnumber(d->L, (lua_Number)sm_number_double(&n));
  return 1;
}

/* A point in time, as an integer where it is a whole second. */
static int push_time (lsm_dec *d, double v) {
  if (v == (double)(int64_t)v)
    lsm_pushint(d->L, (int64_t)v);
  else
    lua_pushnumber(d->L, (lua_Number)v);
  return 1;
}

static int get_time (lsm_dec *d, const sm_shape *shape, char c) {
  sm_number n;
  sm_time t;
  sm_str s;
  double v;
  if (c == '"') {
    if (sm_json_string(&d->r, &s, &d->scratch->body) != SM_OK)
      return -1;
    if (sm_time_parse(s, &t) != SM_OK)
      return lsm_dec_wrongtext(d, shape, s);
    return push_time(d, sm_time_to_double(t));
  }
  if (!is_number(c))
    return lsm_dec_wrong(d, shape);
  if (sm_json_number(&d->r, &n, &s) != SM_OK)
    return -1;
  v = sm_number_double(&n);
  if (!(v >= (double)SM_TIME_MIN && v < (double)SM_TIME_MAX + 1))
    return lsm_dec_wrongtext(d, shape, s);
  return push_time(d, v);
}

/* }} */

/* {{ Containers */

/* Goes into a container; -1 when too deep. */
static inline int go_into (lsm_dec *d, char open) {
  if (sm_json_enter(&d->r, open) != SM_OK)
    return -1;
  if (d->r.depth % LEVELS == 0)
    reserve(d);
  return 1;
}

/* The same where one is expected; -1 for another value too. */
static inline int enter (lsm_dec *d, const sm_shape *shape, char open) {
  if (look(&d->r) != open)
    return lsm_dec_wrong(d, shape);
  return go_into(d, open);
}

/* How large the last value of this shape was, and how large this one is. */
static int size_of (const lsm_dec *d, const sm_shape *shape) {
  return d->call.codec->sizes[shape - d->s->shapes];
}

static void keep_size (const lsm_dec *d, const sm_shape *shape, int n) {
  d->call.codec->sizes[shape - d->s->shapes] =
      (unsigned char)(n > UCHAR_MAX ? UCHAR_MAX : n);
}

/*
** The key that comes next inside an object: the index of its member; -1 when
** the shape has none; -2 at the end; -3 after a failure. `last` is the member
** before it, or the number of members.
*/
static inline int next_member (lsm_dec *d, const sm_shape *shape,
                               const lsm_plan *plan, int last) {
  int i = plan->next[last], more;
  sm_str key;
  if (i < shape->count && plan->slots[i].len > 0 &&
      sm_json_take(&d->r, plan->slots[i].text, plan->slots[i].len))
    return i;
  more = sm_json_key(&d->r, &key, &d->scratch->body);
  if (more != 1)
    return more == 0 ? -2 : -3;
  i = sm_member_by_wire(d->s, shape, key, i);
  if (i >= 0)
    plan->next[last] = (unsigned char)i;
  return i;
}

/* The member m, whose name is on top of the stack, into the table at t. */
static inline int get_member (lsm_dec *d, const sm_member *m, int t) {
  int got = lsm_dec_value(d, d->s->shapes + m->shape, m->ts_format);
  if (got < 0)
    return got;
  if (got == 0)
    lua_pushnil(d->L); /* takes away an earlier one with the same key */
  lua_rawset(d->L, t);
  return got;
}

int lsm_dec_members (lsm_dec *d, const sm_shape *shape, int t, int body) {
  const sm_member *members = sm_members_of(d->s, shape), *m;
  const lsm_plan *plan;
  lsm_frame f = {d->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  int last = shape->count, n = 0, i, got = 0;
  if (enter(d, shape, '{') < 0)
    return -1;
  plan = lsm_planof(&d->call, shape);
  d->at = &f;
  while (got >= 0 && (i = next_member(d, shape, plan, last)) > -2) {
    m = members + i;
    if (i < 0 || (body && m->location != SM_IN_BODY)) {
      sm_json_skip(&d->r);
      continue;
    }
    last = i;
    f.id = m->name;
    lua_rawgeti(d->L, d->call.names,
                (int)m->name + 1); /* the plan put it there */
    got = get_member(d, m, t);
    n += got;
  }
  d->at = f.up;
  keep_size(d, shape, n);
  return got < 0 || i == -3 ? -1 : 1;
}

/* A member of a union that the model does not know. */
static void push_unknown (lua_State *L, sm_str name, int t) {
  lua_createtable(L, 0, 1);
  lsm_pushstr(L, name);
  lua_setfield(L, -2, "name");
  lua_setfield(L, t, "SDK_UNKNOWN_MEMBER");
}

/* One member of a union: 1, 0 when it does not count, or -1. */
static int get_choice (lsm_dec *d, const sm_shape *shape, sm_str key, int t) {
  const sm_member *m;
  lsm_frame f = {d->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  int i, got;
  if (sm_json_peek(&d->r) == SM_J_NULL || sm_str_eq(key, SM_LIT("__type")))
    return sm_json_skip(&d->r) == SM_OK ? 0 : -1;
  i = sm_member_by_wire(d->s, shape, key, 0);
  if (i < 0) {
    push_unknown(d->L, key, t);
    return sm_json_skip(&d->r) == SM_OK ? 1 : -1;
  }
  m = sm_members_of(d->s, shape) + i;
  f.id = m->name;
  d->at = &f;
  lsm_pushname(d->L, d->call.names, d->s, m->name);
  got = lsm_dec_value(d, d->s->shapes + m->shape, m->ts_format);
  if (got == 1)
    lua_rawset(d->L, t);
  d->at = f.up;
  return got;
}

static int get_union (lsm_dec *d, const sm_shape *shape, int t) {
  int n = 0, got, more;
  sm_str key;
  if (enter(d, shape, '{') < 0)
    return -1;
  while ((more = sm_json_key(&d->r, &key, &d->scratch->body)) == 1) {
    got = get_choice(d, shape, key, t);
    if (got < 0)
      return -1;
    n += got;
  }
  if (more < 0)
    return -1;
  if (n != 1)
    return lsm_dec_complain(d, "expected exactly one member of a union");
  return 1;
}

static int get_structure (lsm_dec *d, const sm_shape *shape) {
  if (shape->flags & SM_S_UNION) {
    lua_createtable(d->L, 0, 1);
    return get_union(d, shape, lua_gettop(d->L));
  }
  lua_createtable(d->L, 0, size_of(d, shape));
  return lsm_dec_members(d, shape, lua_gettop(d->L), 0);
}

static int get_list (lsm_dec *d, const sm_shape *shape) {
  lua_State *L = d->L;
  const sm_shape *item = d->s->shapes + shape->value;
  lsm_frame f = {d->at, LSM_ITEM, 0, 0, {NULL, 0}};
  int got = 1, more, t;
  if (enter(d, shape, '[') < 0)
    return -1;
  lua_createtable(L, size_of(d, shape), 0);
  t = lua_gettop(L);
  d->at = &f;
  while ((more = sm_json_item(&d->r)) == 1) {
    got = lsm_dec_value(d, item, SM_TS_DEFAULT);
    if (got < 0)
      break;
    if (got == 0)
      lua_pushlightuserdata(L, NULL);
    lua_rawseti(L, t, (int)++f.index);
  }
  d->at = f.up;
  keep_size(d, shape, (int)f.index);
  return got < 0 || more < 0 ? -1 : 1;
}

static int get_map (lsm_dec *d, const sm_shape *shape) {
  lua_State *L = d->L;
  const sm_shape *value = d->s->shapes + shape->value;
  lsm_frame f = {d->at, LSM_ENTRY, 0, 0, {NULL, 0}};
  int n = 0, got = 1, more, t;
  sm_str key;
  if (enter(d, shape, '{') < 0)
    return -1;
  lua_createtable(L, 0, size_of(d, shape));
  t = lua_gettop(L);
  d->at = &f;
  while ((more = sm_json_key(&d->r, &key, &d->scratch->body)) == 1) {
    lsm_pushstr(L, key);
    f.key.p = lua_tolstring(L, -1, &f.key.len);
    got = lsm_dec_value(d, value, SM_TS_DEFAULT);
    if (got < 0)
      break;
    if (got == 0)
      lua_pushnil(L);
    lua_rawset(L, t);
    n += got;
  }
  d->at = f.up;
  keep_size(d, shape, n);
  return got < 0 || more < 0 ? -1 : 1;
}

/* }} */

/* {{ Documents */

/* Gives an empty array of a document the mark by which the encoder knows it. */
static void mark_array (lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__jsontype");
  lua_setmetatable(L, -2);
}

static int document_array (lsm_dec *d) {
  lua_State *L = d->L;
  int n = 0, more;
  if (go_into(d, '[') < 0)
    return -1;
  lua_newtable(L);
  while ((more = sm_json_item(&d->r)) == 1) {
    if (lsm_dec_document(d) < 0)
      return -1;
    lua_rawseti(L, -2, ++n);
  }
  if (n == 0)
    mark_array(L);
  return more < 0 ? -1 : 1;
}

static int document_object (lsm_dec *d) {
  lua_State *L = d->L;
  sm_str key;
  int more;
  if (go_into(d, '{') < 0)
    return -1;
  lua_newtable(L);
  while ((more = sm_json_key(&d->r, &key, &d->scratch->body)) == 1) {
    lsm_pushstr(L, key);
    if (lsm_dec_document(d) < 0)
      return -1;
    lua_rawset(L, -3);
  }
  return more < 0 ? -1 : 1;
}

static int document_number (lsm_dec *d) {
  sm_number n;
  if (sm_json_number(&d->r, &n, NULL) != SM_OK)
    return -1;
  if (n.is_int)
    lsm_pushint(d->L, n.i);
  else
    lua_pushnumber(d->L, (lua_Number)n.d);
  return 1;
}

static int document_string (lsm_dec *d) {
  sm_str s;
  if (sm_json_string(&d->r, &s, &d->scratch->body) != SM_OK)
    return -1;
  lsm_pushstr(d->L, s);
  return 1;
}

int lsm_dec_document (lsm_dec *d) {
  int v;
  switch (sm_json_peek(&d->r)) {
  case SM_J_OBJECT:
    return document_object(d);
  case SM_J_ARRAY:
    return document_array(d);
  case SM_J_STRING:
    return document_string(d);
  case SM_J_NUMBER:
    return document_number(d);
  case SM_J_TRUE:
  case SM_J_FALSE:
    if (sm_json_bool(&d->r, &v) != SM_OK)
      return -1;
    lua_pushboolean(d->L, v);
    return 1;
  case SM_J_NULL:
    if (sm_json_null(&d->r) != SM_OK)
      return -1;
    lua_pushlightuserdata(d->L, NULL);
    return 1;
  default:
    return -1;
  }
}

/* }} */

int lsm_dec_value (lsm_dec *d, const sm_shape *shape, unsigned ts) {
  char c = look(&d->r);
  (void)ts; /* every form of a timestamp is told by its look */
  if (c == 'n' && shape->type != SM_DOCUMENT)
    return sm_json_null(&d->r) == SM_OK ? 0 : -1;
  switch (shape->type) {
  case SM_STRUCTURE:
    return get_structure(d, shape);
  case SM_LIST:
    return get_list(d, shape);
  case SM_MAP:
    return get_map(d, shape);
  case SM_STRING:
    return get_string(d, shape, c);
  case SM_BOOLEAN:
    return get_bool(d, shape, c);
  case SM_INTEGER:
  case SM_LONG:
    return get_int(d, shape, c);
  case SM_FLOAT:
  case SM_DOUBLE:
    return get_double(d, shape, c);
  case SM_BLOB:
    return get_blob(d, shape, c);
  case SM_TIMESTAMP:
    return get_time(d, shape, c);
  default:
    return lsm_dec_document(d);
  }
}
