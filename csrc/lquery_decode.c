/*
** lquery_decode.c: the walk over XML and its shape.
**
** As with JSON: unknown elements are skipped, of two members with the same name
** the last one counts (but those of a flattened list follow each other), text
** where elements should be is a failure. An empty element is an empty string,
** list, map or structure.
*/
#include "lquery.h"
#include "sm_number.h"
#include "sm_text.h"
#include "sm_xml.h"

typedef struct answer {
  lsm_dec *d;
  sm_xml x;
} answer;

static int get_value(answer *a, const sm_shape *shape);

/* {{ The reader */

static sm_buf *scratch_of (answer *a) {
  return &a->d->scratch->body;
}

/* A failure of the reader in words. */
static int not_xml (answer *a) {
  lsm_dec *d = a->d;
  sm_buf *b;
  if (a->x.err == SM_ENOMEM)
    return luaL_error(d->L, "not enough memory");
  d->at = NULL;
  b = lsm_dec_problem(d);
  sm_buf_puts(b, SM_LIT("not valid XML: "));
  sm_buf_put(b, a->x.what, strlen(a->x.what));
  sm_buf_puts(b, SM_LIT(" at byte "));
  sm_put_u64(b, a->x.at + 1);
  return -1;
}

/* The next child of the element that was entered: 1 and its name; 0 at the end
** of the element; -1. Only blank text may stand between children. */
static int next_child (answer *a, sm_str *name) {
  for (;;) {
    switch (sm_xml_next(&a->x, name, scratch_of(a))) {
    case SM_X_START:
      return 1;
    case SM_X_TEXT:
      if (sm_str_trim(*name).len > 0)
        return lsm_dec_complain(a->d, "expected elements, got text");
      break;
    case SM_X_END:
    case SM_X_EOF:
      return 0;
    default:
      return not_xml(a);
    }
  }
}

static int skip (answer *a) {
  return sm_xml_skip(&a->x, scratch_of(a)) == SM_OK ? 1 : not_xml(a);
}

/* }} */

/* {{ Containers */

/* Appends the item that was entered to the list on top of the stack. */
static int get_item (answer *a, const sm_shape *list) {
  lsm_dec *d = a->d;
  int t = lua_gettop(d->L), got;
  lsm_frame f = {d->at, LSM_ITEM, 0, lsm_rawlen(d->L, t), {NULL, 0}};
  d->at = &f;
  got = get_value(a, d->s->shapes + list->value);
  if (got > 0)
    lua_rawseti(d->L, t, (int)f.index + 1);
  d->at = f.up;
  return got;
}

static int get_list (answer *a, const sm_shape *shape) {
  sm_str name;
  int more;
  lua_newtable(a->d->L);
  while ((more = next_child(a, &name)) == 1) {
    if (get_item(a, shape) < 0)
      return -1;
  }
  return more < 0 ? -1 : 1;
}

/* Reads one half of an entry into stack index `to`. */
static int get_half (answer *a, const sm_shape *shape, int to) {
  if (get_value(a, shape) < 0)
    return -1;
  lua_replace(a->d->L, to);
  return 1;
}

/* Sets the entry that was entered in the map on top of the stack. */
static int get_entry (answer *a, const sm_shape *map) {
  lsm_dec *d = a->d;
  lua_State *L = d->L;
  const sm_service *s = d->s;
  int t = lua_gettop(L), more, got;
  lsm_frame f = {d->at, LSM_ENTRY, 0, 0, SM_LIT("?")};
  sm_str name, key = SM_LIT("key");
  if (map->payload != SM_NONE)
    key = sm_text_of(s, map->payload);
  lua_pushnil(L);
  lua_pushnil(L);
  d->at = &f;
  while ((more = next_child(a, &name)) == 1) {
    int is_key = sm_str_eq(name, key);
    got = get_half(a, s->shapes + (is_key ? map->key : map->value),
                   is_key ? t + 1 : t + 2);
    if (got < 0)
      return -1;
    if (is_key) /* for messages about the value behind it */
      f.key = lsm_checkstr(L, t + 1);
  }
  d->at = f.up;
  if (more == 0 && !lua_isnil(L, t + 1) && !lua_isnil(L, t + 2))
    lua_rawset(L, t);
  lua_settop(L, t);
  return more < 0 ? -1 : 1;
}

static int get_map (answer *a, const sm_shape *shape) {
  sm_str name;
  int more;
  lua_newtable(a->d->L);
  while ((more = next_child(a, &name)) == 1) {
    if (get_entry(a, shape) < 0)
      return -1;
  }
  return more < 0 ? -1 : 1;
}

/* One more item of a flattened list or map, which is t[name], the name on top
** of the stack; the name is replaced by nothing. */
static int get_flat (answer *a, const sm_shape *shape, int t) {
  lua_State *L = a->d->L;
  int name = lua_gettop(L), got;
  lua_pushvalue(L, name);
  lua_rawget(L, t);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
  }
  got = shape->type == SM_LIST ? get_item(a, shape) : get_entry(a, shape);
  if (got > 0)
    lua_rawset(L, t);
  return got;
}

/* The member that was entered, into the table at stack index t. */
static int get_member (answer *a, const sm_member *m, int t) {
  lsm_dec *d = a->d;
  const sm_shape *shape = d->s->shapes + m->shape;
  int flat = (m->flags & SM_M_FLATTENED) &&
             (shape->type == SM_LIST || shape->type == SM_MAP);
  lsm_frame f = {d->at, LSM_MEMBER, m->name, 0, {NULL, 0}};
  int got;
  d->at = &f;
  lsm_pushname(d->L, d->call.names, d->s, m->name);
  if (flat) {
    got = get_flat(a, shape, t);
  } else {
    got = get_value(a, shape);
    if (got > 0)
      lua_rawset(d->L, t);
  }
  d->at = f.up;
  return got;
}

static int get_structure (answer *a, const sm_shape *shape) {
  lsm_dec *d = a->d;
  sm_str name;
  int t, more, i = -1, got = 1;
  lua_createtable(d->L, 0, shape->count < 8 ? shape->count : 8);
  t = lua_gettop(d->L);
  while ((more = next_child(a, &name)) == 1) {
    i = sm_member_by_wire(d->s, shape, name, i + 1 < shape->count ? i + 1 : 0);
    got = i < 0 ? skip(a) : get_member(a, sm_members_of(d->s, shape) + i, t);
    if (got < 0)
      return -1;
  }
  return more < 0 ? -1 : 1;
}

/* }} */

/* {{ Values */

static int get_text (answer *a, const sm_shape *shape) {
  sm_str text;
  if (sm_xml_text(&a->x, &text, scratch_of(a)) != SM_OK)
    return not_xml(a);
  if (shape->type == SM_TIMESTAMP)
    text = sm_str_trim(text);
  return lsm_dec_text(a->d, shape, text);
}

/* The value of the element that was entered, through its end tag. */
static int get_value (answer *a, const sm_shape *shape) {
  luaL_checkstack(a->d->L, LUA_MINSTACK, NULL);
  switch (shape->type) {
  case SM_STRUCTURE:
    return get_structure(a, shape);
  case SM_LIST:
    return get_list(a, shape);
  case SM_MAP:
    return get_map(a, shape);
  default:
    return get_text(a, shape);
  }
}

/* Reads to the end, so that an answer that was cut is noticed. */
static int finish (answer *a) {
  sm_str s;
  int kind;
  do {
    kind = sm_xml_next(&a->x, &s, scratch_of(a));
  } while (kind > 0);
  return kind < 0 ? not_xml(a) : 1;
}

/* Goes to the child of the root that holds the result: 1, 0 or -1. */
static int enter_result (answer *a, sm_str wrapper) {
  sm_str name;
  int more;
  while ((more = next_child(a, &name)) == 1) {
    if (sm_str_eq(name, wrapper))
      return 1;
    if (skip(a) < 0)
      return -1;
  }
  return more;
}

static int get_output (answer *a, const sm_operation *op) {
  lsm_dec *d = a->d;
  sm_str wrapper = sm_text_of(d->s, op->wrapper);
  sm_buf *b;
  int in = 1;
  if (op->output == SM_NONE) {
    lua_newtable(d->L);
    return skip(a);
  }
  if (op->wrapper != SM_NONE)
    in = enter_result(a, wrapper);
  if (in > 0)
    return get_structure(a, d->s->shapes + op->output);
  if (in == 0) {
    b = lsm_dec_problem(d);
    sm_buf_puts(b, SM_LIT("the element "));
    sm_buf_puts(b, wrapper);
    sm_buf_puts(b, SM_LIT(" is missing"));
  }
  return -1;
}

int lsm_dec_query (lsm_dec *d, sm_str body) {
  const sm_operation *op = d->call.op;
  answer a;
  sm_str name;
  a.d = d;
  if (op->output == SM_NONE && sm_str_trim(body).len == 0) {
    lua_newtable(d->L);
    return 1;
  }
  sm_xml_init(&a.x, body);
  if (sm_xml_next(&a.x, &name, scratch_of(&a)) != SM_X_START)
    return not_xml(&a);
  if (get_output(&a, op) < 0 || finish(&a) < 0)
    return -1;
  return 1;
}

void lsm_dec_fault (lsm_dec *d, sm_str body, sm_fault *fault) {
  sm_buf_reset(&d->scratch->path);
  if (sm_query_fault(body, fault, &d->scratch->path, &d->scratch->body) ==
      SM_ENOMEM)
    luaL_error(d->L, "not enough memory");
}

/* }} */
