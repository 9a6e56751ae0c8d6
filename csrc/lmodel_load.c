/*
** lmodel_load.c: builds a service at run time from a decoded service model: its
** operations, and the order of the whole. See lmodel_load.h.
*/
#include <string.h>

#include "lmodel_load.h"

/* The structure that the reference t[key] names, or SM_NONE. A reference may
** carry the payload trait itself. */
static uint16_t read_reference (lsm_builder *b, int t, const char *key) {
  lua_State *L = b->L;
  sm_shape *shape;
  uint16_t id;
  if (!lsm_getfield(b, t, key, LUA_TTABLE))
    return SM_NONE;
  id = lsm_shapeof(b, lua_gettop(L));
  shape = (sm_shape *)b->u->part[LSM_SHAPES].p + id;
  if (shape->type != SM_STRUCTURE)
    lsm_malformed(b, key, "must be a structure");
  lsm_readpayload(b, lua_gettop(L), shape);
  lua_pop(L, 1);
  return id;
}

static void read_http (lsm_builder *b, int t, sm_operation *op) {
  lua_State *L = b->L;
  int http;
  op->method = op->uri = SM_NONE;
  if (lsm_getfield(b, t, "http", LUA_TTABLE)) {
    http = lua_gettop(L);
    op->method = lsm_internfield(b, http, "method");
    op->uri = lsm_internfield(b, http, "requestUri");
    op->status = lsm_status(b, http, "responseCode");
    lua_pop(L, 1);
  }
  if (op->method == SM_NONE)
    op->method = lsm_intern(b, SM_LIT("POST"));
  if (op->uri == SM_NONE)
    op->uri = lsm_intern(b, SM_LIT("/"));
}

static void read_errors (lsm_builder *b, int t, sm_operation *op) {
  lua_State *L = b->L;
  size_t n, i;
  op->errors = (uint32_t)lsm_countof(b, LSM_ERRORS, sizeof(uint16_t));
  if (!lsm_getfield(b, t, "errors", LUA_TTABLE))
    return;
  n = lsm_rawlen(L, -1);
  if (n >= SM_NONE)
    lsm_malformed(b, "errors", "has too many entries");
  for (i = 1; i <= n; i++) {
    uint16_t id;
    lua_rawgeti(L, -1, (int)i);
    if (!lua_istable(L, -1))
      lsm_malformed(b, "errors", "has an entry that is not a table");
    id = lsm_shapeof(b, lua_gettop(L));
    if (((sm_shape *)b->u->part[LSM_SHAPES].p)[id].type != SM_STRUCTURE)
      lsm_malformed(b, "errors", "must be structures");
    lua_pop(L, 1);
    *(uint16_t *)lsm_append(b, LSM_ERRORS, sizeof(id)) = id;
  }
  op->nerrors = (uint16_t)n;
  lua_pop(L, 1);
}

/* True when the operation is sent without a signature. */
static int is_unsigned (lsm_builder *b, int t) {
  static const char *const names[] = {"none", "v4", "v4-unsigned-body", NULL};
  lua_State *L = b->L;
  int yes = lsm_choice(b, t, "authtype", names) == 0;
  if (!yes && lsm_getfield(b, t, "auth", LUA_TTABLE)) {
    lua_rawgeti(L, -1, 1);
    yes = lua_type(L, -1) == LUA_TSTRING &&
          strcmp(lua_tostring(L, -1), "smithy.api#noAuth") == 0;
    lua_pop(L, 2);
  }
  return yes;
}

static uint16_t operation_flags (lsm_builder *b, int t) {
  static const lsm_trait traits[] = {
      {"readonly", SM_O_READONLY},
      {"idempotent", SM_O_IDEMPOTENT},
      {"httpChecksumRequired", SM_O_CHECKSUM},
      {NULL, 0},
  };
  uint16_t flags = lsm_traits(b, t, traits);
  if (is_unsigned(b, t))
    flags |= SM_O_UNSIGNED;
  if (lsm_getfield(b, t, "httpChecksum", LUA_TTABLE)) {
    if (lsm_istrue(b, lua_gettop(b->L), "requestChecksumRequired"))
      flags |= SM_O_CHECKSUM;
    lua_pop(b->L, 1);
  }
  return flags;
}

/* What follows from the members of the input and the output. */
static void look_at_members (lsm_builder *b, sm_operation *op) {
  const sm_shape *shapes = (const sm_shape *)b->u->part[LSM_SHAPES].p;
  const sm_member *members = (const sm_member *)b->u->part[LSM_MEMBERS].p;
  unsigned i;
  op->token = SM_NONE;
  for (i = 0; op->input != SM_NONE && i < shapes[op->input].count; i++) {
    const sm_member *m = members + shapes[op->input].first + i;
    if (m->flags & SM_M_TOKEN && op->token == SM_NONE)
      op->token = (uint16_t)i;
  }
  for (i = 0; op->output != SM_NONE && i < shapes[op->output].count; i++) {
    const sm_member *m = members + shapes[op->output].first + i;
    if (shapes[m->shape].flags & SM_S_EVENTSTREAM)
      op->flags |= SM_O_STREAM_OUTPUT;
  }
}

/* Appends the operation whose table is on top of the stack. */
static void read_operation (lsm_builder *b, sm_str name) {
  lua_State *L = b->L;
  int t = lua_gettop(L);
  sm_operation op = {0};
  sm_buf *snake = lsm_newbuf(L, 2 * name.len + 1);
  if (sm_snake(name, snake) != SM_OK)
    luaL_error(L, "model: %s", sm_strerror(snake->err));
  op.name = lsm_intern(b, name);
  op.snake = lsm_intern(b, sm_buf_str(snake));
  sm_buf_free(snake); /* now: a finalizer may find no memory to run in */
  lua_settop(L, t);
  read_http(b, t, &op);
  op.input = read_reference(b, t, "input");
  op.output = read_reference(b, t, "output");
  op.host_prefix = op.wrapper = SM_NONE;
  if (lsm_getfield(b, t, "output", LUA_TTABLE)) {
    op.wrapper = lsm_internfield(b, lua_gettop(L), "resultWrapper");
    lua_pop(L, 1);
  }
  if (lsm_getfield(b, t, "endpoint", LUA_TTABLE)) {
    op.host_prefix = lsm_internfield(b, lua_gettop(L), "hostPrefix");
    lua_pop(L, 1);
  }
  read_errors(b, t, &op);
  op.flags = operation_flags(b, t);
  look_at_members(b, &op);
  memcpy(lsm_append(b, LSM_OPERATIONS, sizeof(op)), &op, sizeof(op));
}

/* Appends operation i to the order by snake_case name. */
static void insert_by_snake (lsm_builder *b, int i) {
  const sm_operation *ops;
  const sm_ref *refs;
  const char *pool;
  uint16_t *order;
  sm_ref a;
  lsm_append(b, LSM_BY_SNAKE, sizeof(*order));
  ops = (const sm_operation *)b->u->part[LSM_OPERATIONS].p;
  refs = (const sm_ref *)b->u->part[LSM_REFS].p;
  pool = b->u->part[LSM_POOL].p;
  order = (uint16_t *)b->u->part[LSM_BY_SNAKE].p;
  a = refs[ops[i].snake];
  for (; i > 0; i--) {
    sm_ref r = refs[ops[order[i - 1]].snake];
    sm_str x = {pool + r.off, r.len}, y = {pool + a.off, a.len};
    if (lsm_bybytes(&x, &y) <= 0)
      break;
    order[i] = order[i - 1];
  }
  order[i] = (uint16_t)(lsm_countof(b, LSM_BY_SNAKE, sizeof(*order)) - 1);
}

/* Gives every shape its id and every member name one of the lowest string
** ids. */
static void number_shapes (lsm_builder *b, const lsm_keys *k) {
  lua_State *L = b->L;
  int top = lua_gettop(L), i, j;
  for (i = 0; i < k->n; i++) {
    lsm_keys names;
    lsm_pushstr(L, k->p[i]);
    lua_pushinteger(L, i);
    lua_rawset(L, b->shape_ids);
    b->name = k->p[i];
    lsm_getentry(b, b->shapes, k->p[i]);
    if (lsm_getfield(b, top + 1, "members", LUA_TTABLE)) {
      names = lsm_sortedkeys(b, top + 2, "members");
      for (j = 0; j < names.n; j++)
        lsm_intern(b, names.p[j]);
    }
    lua_settop(L, top);
  }
  b->u->own.nnames = (uint16_t)b->nstrings;
}

static void read_shapes (lsm_builder *b) {
  lsm_keys k;
  int i;
  b->kind = "shape";
  k = lsm_sortedkeys(b, b->shapes, "shapes");
  number_shapes(b, &k);
  for (i = 0; i < k.n; i++) {
    int top = lua_gettop(b->L);
    b->name = k.p[i];
    lsm_getentry(b, b->shapes, k.p[i]);
    lsm_readshape(b, k.p[i]);
    lua_settop(b->L, top);
  }
  b->u->own.nshapes = (uint16_t)k.n;
}

static void read_operations (lsm_builder *b) {
  lua_State *L = b->L;
  int t, i;
  lsm_keys k;
  b->kind = "the table";
  b->name = SM_LIT("model");
  lsm_needfield(b, b->model, "operations", LUA_TTABLE);
  t = lua_gettop(L);
  k = lsm_sortedkeys(b, t, "operations");
  b->kind = "operation";
  for (i = 0; i < k.n; i++) {
    int top = lua_gettop(L);
    b->name = k.p[i];
    lsm_getentry(b, t, k.p[i]);
    read_operation(b, k.p[i]);
    lua_settop(L, top);
  }
  for (i = 0; i < k.n; i++)
    insert_by_snake(b, i);
  b->u->own.noperations = (uint16_t)k.n;
}

/* The protocol by its name in the models; -1 for those we do not speak. */
static int protocol_of (const char *name) {
  if (strcmp(name, "json") == 0)
    return SM_AWS_JSON;
  if (strcmp(name, "rest-json") == 0)
    return SM_REST_JSON;
  return strcmp(name, "query") == 0 ? SM_AWS_QUERY : -1;
}

/* The preferred protocol, or the first of `protocols` that we speak. */
static void read_protocol (lsm_builder *b, int t) {
  lua_State *L = b->L;
  int top = lua_gettop(L), found, i;
  lsm_needfield(b, t, "protocol", LUA_TSTRING);
  found = protocol_of(lua_tostring(L, -1));
  if (found < 0 && lsm_getfield(b, t, "protocols", LUA_TTABLE)) {
    for (i = 1; found < 0; i++) {
      lua_rawgeti(L, top + 2, i);
      if (lua_type(L, -1) != LUA_TSTRING)
        break;
      found = protocol_of(lua_tostring(L, -1));
      lua_pop(L, 1);
    }
  }
  if (found < 0) {
    lua_pushfstring(L, "'%s' is not one of json, rest-json, query",
                    lua_tostring(L, top + 1));
    lsm_malformed(b, "protocol", lua_tostring(L, -1));
  }
  lua_settop(L, top);
  b->protocol = (sm_protocol)found;
}

/* The first of two metadata fields that is there; the empty string if none. */
static uint16_t either (lsm_builder *b, int t, const char *first,
                        const char *second) {
  uint16_t id = lsm_internfield(b, t, first);
  if (id == SM_NONE)
    id = lsm_internfield(b, t, second);
  return id == SM_NONE ? lsm_intern(b, SM_LIT("")) : id;
}

static void read_metadata (lsm_builder *b, int t) {
  sm_service *s = &b->u->own;
  b->kind = "the table";
  b->name = SM_LIT("metadata");
  s->protocol = (uint16_t)b->protocol;
  s->id = either(b, t, "serviceId", "endpointPrefix");
  s->signing_name = either(b, t, "signingName", "endpointPrefix");
  s->endpoint_prefix = either(b, t, "endpointPrefix", "signingName");
  s->target_prefix = lsm_internfield(b, t, "targetPrefix");
  s->json_version = lsm_internfield(b, t, "jsonVersion");
  s->api_version = either(b, t, "apiVersion", "uid");
  s->query_errors = (uint16_t)lsm_isset(b, t, "awsQueryCompatible");
}

/* The buffers stop moving: their contents become the service's tables. None
** of them is NULL, not even an empty one. */
static void finish (lsm_builder *b) {
  sm_service *s = &b->u->own;
  sm_buf *part = b->u->part;
  int i;
  for (i = 0; i < LSM_PARTS; i++)
    lsm_append(b, (enum lsm_part)i, 1);
  s->nrefs = (uint16_t)b->nstrings;
  s->pool = part[LSM_POOL].p;
  s->refs = (const sm_ref *)part[LSM_REFS].p;
  s->shapes = (const sm_shape *)part[LSM_SHAPES].p;
  s->members = (const sm_member *)part[LSM_MEMBERS].p;
  s->values = (const uint16_t *)part[LSM_VALUES].p;
  s->errors = (const uint16_t *)part[LSM_ERRORS].p;
  s->operations = (const sm_operation *)part[LSM_OPERATIONS].p;
  s->by_snake = (const uint16_t *)part[LSM_BY_SNAKE].p;
  b->u->s = s;
}

void lsm_buildservice (lua_State *L, lsm_service *u, int model) {
  lsm_builder b = {0};
  int metadata;
  luaL_checkstack(L, 40, "model");
  b.L = L;
  b.u = u;
  b.model = model;
  b.kind = "the table";
  b.name = SM_LIT("model");
  lua_newtable(L);
  b.strings = lua_gettop(L);
  lua_newtable(L);
  b.shape_ids = lua_gettop(L);
  lsm_needfield(&b, model, "shapes", LUA_TTABLE);
  b.shapes = lua_gettop(L);
  lsm_needfield(&b, model, "metadata", LUA_TTABLE);
  metadata = lua_gettop(L);
  b.name = SM_LIT("metadata");
  read_protocol(&b, metadata);
  read_shapes(&b);
  read_operations(&b);
  read_metadata(&b, metadata);
  finish(&b);
}
