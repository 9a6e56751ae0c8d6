/*
** ldecode_input.c: core.decode_input, the service's side of a request.
*/
#include "ldecode.h"
#include "lquery.h"
#include "sm_rest.h"
#include "sm_text.h"

/* Stack indices of the parts of the request. */
enum {
  ARG_METHOD = 3,
  ARG_PATH,
  ARG_QUERY,
  ARG_HEADERS,
  ARG_BODY
};

/* The labels of a path on their way into the table of parameters. */
typedef struct job {
  lsm_dec d;
  const sm_shape *shape;
  int t;
  int got;
} job;

/* Replaces the request at index 3 by its parts. */
static void take_apart (lua_State *L) {
  static const char *const keys[] = {"method", "path", "query", "headers",
                                     "body"};
  int i;
  luaL_checktype(L, 3, LUA_TTABLE);
  for (i = 0; i < 5; i++) {
    lua_getfield(L, 3, keys[i]);
    if (lua_isnil(L, -1) && i != 3) {
      lua_pop(L, 1);
      lua_pushliteral(L, "");
    }
    if (i != 3)
      luaL_checktype(L, -1, LUA_TSTRING);
  }
  lua_remove(L, 3);
}

/* {{ Which operation */

static const sm_operation *find_target (lua_State *L, const sm_service *s) {
  sm_str target, prefix = sm_text_of(s, s->target_prefix);
  if (!lsm_dec_findheader(L, ARG_HEADERS, SM_LIT("X-Amz-Target")))
    return NULL;
  target = lsm_checkstr(L, -1);
  if (target.len <= prefix.len || target.p[prefix.len] != '.' ||
      !sm_str_eq((sm_str){target.p, prefix.len}, prefix))
    return NULL;
  target.p += prefix.len + 1;
  target.len -= prefix.len + 1;
  return sm_operation_find(s, target);
}

static const sm_operation *find_route (lua_State *L, const sm_service *s) {
  sm_str method = lsm_checkstr(L, ARG_METHOD), path = lsm_checkstr(L, ARG_PATH);
  int i;
  for (i = 0; i < s->noperations; i++) {
    const sm_operation *op = s->operations + i;
    if (sm_str_eq(sm_text_of(s, op->method), method) &&
        sm_template_match(sm_text_of(s, op->uri), path, NULL, NULL))
      return op;
  }
  return NULL;
}

/* }} */

/* {{ Parameters */

static int find_wire (const job *x, sm_location location, sm_str wire) {
  const sm_member *m = sm_members_of(x->d.s, x->shape);
  int i;
  for (i = 0; i < x->shape->count; i++) {
    if (m[i].location == location &&
        sm_str_eq(sm_text_of(x->d.s, m[i].wire), wire))
      return i;
  }
  return -1;
}

/* Pushes percent-encoded text, decoded. */
static int push_decoded (lsm_dec *d, sm_str text) {
  sm_buf *b = &d->scratch->query;
  sm_buf_reset(b);
  if (sm_percent_decode(b, text) != SM_OK) {
    lsm_checkmemory(d->L, b);
    return lsm_dec_complain(d, "malformed percent-encoding in the URL");
  }
  lsm_pushstr(d->L, sm_buf_str(b));
  return 1;
}

/* Pushes what the encoded text is as a value of the shape. */
static int push_value (lsm_dec *d, const sm_shape *shape, sm_str text) {
  if (push_decoded(d, text) < 0)
    return -1;
  if (lsm_dec_text(d, shape, lsm_checkstr(d->L, -1)) < 0)
    return -1;
  lua_remove(d->L, -2);
  return 1;
}

static void set_label (void *ctx, sm_str name, sm_str text) {
  job *x = (job *)ctx;
  int i = find_wire(x, SM_IN_LABEL, name);
  const sm_member *m = sm_members_of(x->d.s, x->shape) + i;
  lsm_frame f = {NULL, LSM_MEMBER, 0, 0, {NULL, 0}};
  if (i < 0 || x->got < 0)
    return;
  f.id = m->name;
  x->d.at = &f;
  x->got = push_value(&x->d, x->d.s->shapes + m->shape, text);
  x->d.at = NULL;
  if (x->got < 0)
    return;
  lsm_pushname(x->d.L, x->d.call.names, x->d.s, m->name);
  lua_insert(x->d.L, -2);
  lua_rawset(x->d.L, x->t);
}

/* Pushes t[key], where key is on top, as a list; a new one when there is
** none. */
static void push_list (lua_State *L, int t) {
  lua_pushvalue(L, -1);
  lua_rawget(L, t);
  if (lua_istable(L, -1))
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -2);
  lua_rawset(L, t);
}

/*
** Sets, or for a list adds to, t[key] for a value of the shape; the key is on
** top of the stack and popped.
*/
static int set_query (lsm_dec *d, const sm_shape *shape, int t, sm_str text) {
  lua_State *L = d->L;
  int list = shape->type == SM_LIST;
  if (list)
    push_list(L, t);
  if (push_value(d, list ? d->s->shapes + shape->value : shape, text) < 0)
    return -1;
  if (list) {
    lua_rawseti(L, -2, (int)lsm_rawlen(L, -2) + 1);
    lua_pop(L, 2);
  } else {
    lua_rawset(L, t);
  }
  return 1;
}

/* A parameter that no member names goes to the map of all others. */
static int set_other (job *x, sm_str name, sm_str text) {
  const sm_member *m = sm_members_of(x->d.s, x->shape);
  lua_State *L = x->d.L;
  const sm_shape *map;
  int i, other, got;
  for (i = 0; i < x->shape->count; i++) {
    if (m[i].location == SM_IN_QUERIES)
      break;
  }
  if (i == x->shape->count)
    return 1;
  map = x->d.s->shapes + m[i].shape;
  lsm_pushname(L, x->d.call.names, x->d.s, m[i].name);
  push_list(L, x->t);
  other = lua_gettop(L);
  if (push_decoded(&x->d, name) < 0)
    return -1;
  got = set_query(&x->d, x->d.s->shapes + map->value, other, text);
  lua_settop(L, other - 2);
  return got;
}

static int get_query (job *x) {
  lua_State *L = x->d.L;
  sm_str query = lsm_checkstr(L, ARG_QUERY), name, value;
  int got = 1;
  while (got == 1 && sm_rest_next_query(&query, &name, &value)) {
    lsm_frame f = {NULL, LSM_MEMBER, 0, 0, {NULL, 0}};
    const sm_member *m = sm_members_of(x->d.s, x->shape);
    int i, top = lua_gettop(L);
    if (push_decoded(&x->d, name) < 0)
      return -1;
    i = find_wire(x, SM_IN_QUERY, lsm_checkstr(L, -1));
    if (i < 0) {
      got = set_other(x, name, value);
    } else {
      f.id = m[i].name;
      x->d.at = &f;
      lsm_pushname(L, x->d.call.names, x->d.s, f.id);
      got = set_query(&x->d, x->d.s->shapes + m[i].shape, x->t, value);
      x->d.at = NULL;
    }
    if (got == 1)
      lua_settop(L, top);
  }
  return got;
}

/* Pushes the parameters of the operation. */
static int push_params (job *x) {
  lsm_dec *d = &x->d;
  const sm_operation *op = d->call.op;
  lua_newtable(d->L);
  x->t = lua_gettop(d->L);
  x->got = 1;
  if (op->input == SM_NONE)
    return 1;
  x->shape = d->s->shapes + op->input;
  if (d->s->protocol != SM_AWS_JSON) {
    sm_template_match(sm_text_of(d->s, op->uri), lsm_checkstr(d->L, ARG_PATH),
                      set_label, x);
    if (x->got < 0 || get_query(x) < 0 ||
        lsm_dec_headers(d, x->shape, x->t, ARG_HEADERS, 0) < 0)
      return -1;
  }
  return lsm_dec_body(d, x->shape, x->t, ARG_BODY);
}

/* }} */

/*
** core.decode_input(service, request) -> operation, params | nil, code,
** message. The request is a table of method, path, query, headers and body.
** Strict about types, silent about members that it does not know.
*/
int lsm_core_decode_input (lua_State *L) {
  job x;
  int scratch, got;
  lua_settop(L, 2);
  lua_pushnil(L);
  lua_insert(L, 2); /* the call names no operation */
  take_apart(L);
  lsm_begincall(L, &x.d.call, 1);
  lsm_noquery(L, x.d.call.s);
  x.d.call.op = x.d.call.s->protocol == SM_AWS_JSON ? find_target(L, x.d.call.s)
                                                    : find_route(L, x.d.call.s);
  if (x.d.call.op == NULL) {
    lua_pushnil(L);
    lua_pushliteral(L, "UnknownOperationException");
    lua_pushliteral(L, "the request names no operation of this service");
    return 3;
  }
  lsm_dec_begin(L, &x.d);
  scratch = lua_gettop(L);
  lsm_pushstr(L, sm_text_of(x.d.s, x.d.call.op->name));
  got = push_params(&x);
  if (got < 0) {
    lua_settop(L, scratch);
    lua_pushnil(L);
    lua_pushliteral(L, "SerializationException");
    lsm_checkmemory(L, &x.d.scratch->text);
    lsm_pushstr(L, sm_buf_str(&x.d.scratch->text));
    lsm_dec_finish(&x.d, scratch);
    return 3;
  }
  lua_settop(L, x.t);
  lsm_dec_finish(&x.d, scratch);
  return 2;
}
