/*
** lmodel_shape.c: builds the shapes and members of a run-time service. See
** lmodel_load.h.
*/
#include <string.h>

#include "lmodel_load.h"

/* The shape id of the reference t[key], which must be there. */
static uint16_t shape_field (lsm_builder *b, int t, const char *key) {
  uint16_t id;
  lsm_needfield(b, t, key, LUA_TTABLE);
  id = lsm_shapeof(b, lua_gettop(b->L));
  lua_pop(b->L, 1);
  return id;
}

static uint8_t timestamp_format (lsm_builder *b, int t) {
  static const char *const names[] = {"unixTimestamp", "iso8601", "rfc822",
                                      "http-date", NULL};
  int i = lsm_choice(b, t, "timestampFormat", names);
  return (uint8_t)(i < 0 ? SM_TS_DEFAULT : i == 3 ? SM_TS_RFC7231 : i + 1);
}

static uint8_t shape_type (lsm_builder *b, int t) {
  static const char *const names[] = {
      "structure", "list",  "map",    "string",     "boolean",    "integer",
      "long",      "float", "double", "blob",       "timestamp",  "document",
      "character", "byte",  "short",  "bigdecimal", "biginteger", NULL};
  static const uint8_t odd[] = {SM_STRING, SM_INTEGER, SM_INTEGER, SM_DOUBLE,
                                SM_LONG};
  int i = lsm_choice(b, t, "type", names);
  if (i < 0)
    lsm_malformed(b, "type", "is missing");
  if (lsm_istrue(b, t, "document"))
    return SM_DOCUMENT;
  return i > SM_DOCUMENT ? odd[i - SM_DOCUMENT - 1] : (uint8_t)i;
}

static uint16_t shape_flags (lsm_builder *b, int t) {
  static const lsm_trait traits[] = {
      {"union", SM_S_UNION},         {"exception", SM_S_EXCEPTION},
      {"error", SM_S_EXCEPTION},     {"fault", SM_S_FAULT},
      {"sensitive", SM_S_SENSITIVE}, {"eventstream", SM_S_EVENTSTREAM},
      {"event", SM_S_EVENT},         {NULL, 0},
  };
  return lsm_traits(b, t, traits);
}

static void read_limits (lsm_builder *b, int t, sm_shape *shape) {
  if (lsm_getfield(b, t, "min", LUA_TNUMBER)) {
    shape->min = lua_tonumber(b->L, -1);
    shape->flags |= SM_S_HAS_MIN;
    lua_pop(b->L, 1);
  }
  if (lsm_getfield(b, t, "max", LUA_TNUMBER)) {
    shape->max = lua_tonumber(b->L, -1);
    shape->flags |= SM_S_HAS_MAX;
    lua_pop(b->L, 1);
  }
}

/* The code on the wire and the status of an exception. */
static void read_error (lsm_builder *b, int t, sm_shape *shape) {
  lua_State *L = b->L;
  int error;
  shape->code = shape->name;
  if (!lsm_getfield(b, t, "error", LUA_TTABLE))
    return;
  error = lua_gettop(L);
  if (lsm_getfield(b, error, "code", LUA_TSTRING)) {
    shape->code = lsm_intern(b, lsm_tostr(L, -1));
    lua_pop(L, 1);
  }
  shape->status = lsm_status(b, error, "httpStatusCode");
  lua_pop(L, 1);
}

/* Pushes the shape table that the reference at `t` names. */
static void push_target (lsm_builder *b, int t) {
  lua_State *L = b->L;
  lua_pushliteral(L, "shape");
  lua_rawget(L, t);
  lua_rawget(L, b->shapes);
}

/* True when the shape table at `t` has this type; another entry of the model
** than the one that is being read, so that nothing is thrown. */
static int has_type (lua_State *L, int t, const char *type) {
  int yes;
  lua_pushliteral(L, "type");
  lua_rawget(L, t);
  yes =
      lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), type) == 0;
  lua_pop(L, 1);
  return yes;
}

/* The keys of a map are strings. */
static void need_string_keys (lsm_builder *b, int t) {
  lua_State *L = b->L;
  int top = lua_gettop(L);
  lsm_needfield(b, t, "key", LUA_TTABLE);
  push_target(b, top + 1);
  if (!lua_istable(L, -1) || !has_type(L, top + 2, "string"))
    lsm_malformed(b, "key", "must refer to a string");
  lua_settop(L, top);
}

static void read_enum (lsm_builder *b, int t, sm_shape *shape) {
  lua_State *L = b->L;
  size_t n, i;
  shape->pattern = lsm_internfield(b, t, "pattern");
  if (!lsm_getfield(b, t, "enum", LUA_TTABLE))
    return;
  n = lsm_rawlen(L, -1);
  if (n >= SM_NONE)
    lsm_malformed(b, "enum", "has too many values");
  shape->first = (uint32_t)lsm_countof(b, LSM_VALUES, sizeof(uint16_t));
  shape->count = (uint16_t)n;
  for (i = 1; i <= n; i++) {
    uint16_t id;
    lua_rawgeti(L, -1, (int)i);
    if (lua_type(L, -1) != LUA_TSTRING)
      lsm_malformed(b, "enum", "has a value that is not a string");
    id = lsm_intern(b, lsm_tostr(L, -1));
    lua_pop(L, 1);
    *(uint16_t *)lsm_append(b, LSM_VALUES, sizeof(id)) = id;
  }
  lua_pop(L, 1);
}

static uint8_t read_location (lsm_builder *b, int member, int target) {
  static const char *const names[] = {"uri",     "querystring", "header",
                                      "headers", "statusCode",  NULL};
  static const uint8_t places[] = {SM_IN_LABEL, SM_IN_QUERY, SM_IN_HEADER,
                                   SM_IN_HEADERS, SM_IN_STATUS};
  int i = lsm_choice(b, member, "location", names);
  if (i < 0)
    i = lsm_choice(b, target, "location", names);
  if (i < 0 || b->protocol != SM_REST_JSON)
    return SM_IN_BODY;
  if (places[i] == SM_IN_QUERY && has_type(b->L, target, "map"))
    return SM_IN_QUERIES;
  return places[i];
}

static uint16_t member_flags (lsm_builder *b, int t) {
  static const lsm_trait traits[] = {
      {"idempotencyToken", SM_M_TOKEN},  {"jsonvalue", SM_M_JSONVALUE},
      {"hostLabel", SM_M_HOSTLABEL},     {"deprecated", SM_M_DEPRECATED},
      {"flattened", SM_M_FLATTENED},     {"eventpayload", SM_M_EVENTPAYLOAD},
      {"eventheader", SM_M_EVENTHEADER}, {NULL, 0},
  };
  return lsm_traits(b, t, traits);
}

/* The string id of the element name that the reference t[key] has, or SM_NONE.
 */
static uint16_t element_name (lsm_builder *b, int t, const char *key) {
  uint16_t id = SM_NONE;
  if (lsm_getfield(b, t, key, LUA_TTABLE)) {
    id = lsm_internfield(b, lua_gettop(b->L), "locationName");
    lua_pop(b->L, 1);
  }
  return id;
}

/* The items of a flattened list stand where the list would: by their own name,
** where they have one. */
static void use_item_name (lsm_builder *b, int target, sm_member *m) {
  uint16_t id = element_name(b, target, "member");
  if (id != SM_NONE)
    m->wire = id;
}

/* Fills m from the reference at the top of the stack. */
static void read_member (lsm_builder *b, sm_str name, sm_member *m) {
  int member = lua_gettop(b->L), target = member + 1;
  m->name = lsm_intern(b, name);
  m->shape = lsm_shapeof(b, member);
  push_target(b, member);
  if (!lua_istable(b->L, target))
    lsm_malformed(b, "a member", "refers to an entry that is not a table");
  m->wire = lsm_internfield(b, member, "locationName");
  if (m->wire == SM_NONE)
    m->wire = lsm_internfield(b, target, "locationName");
  m->location = read_location(b, member, target);
  if (m->wire == SM_NONE) /* headers without a prefix are all headers */
    m->wire =
        m->location == SM_IN_HEADERS ? lsm_intern(b, SM_LIT("")) : m->name;
  m->ts_format = timestamp_format(b, member);
  m->flags = member_flags(b, member) | member_flags(b, target);
  if (m->flags & SM_M_FLATTENED)
    use_item_name(b, target, m);
  lua_pop(b->L, 1);
}

/* The index of a member name in the run of `shape`; `what` trait names it. */
static uint16_t member_index (lsm_builder *b, const sm_shape *shape,
                              sm_str name, const char *what) {
  const sm_member *run = (const sm_member *)b->u->part[LSM_MEMBERS].p;
  unsigned id = lsm_intern(b, name), i;
  for (i = 0; i < shape->count; i++) {
    if (run[shape->first + i].name == id)
      return (uint16_t)i;
  }
  lsm_pushstr(b->L, name);
  lua_pushfstring(b->L, "%s is not a member", lua_tostring(b->L, -1));
  return (uint16_t)lsm_malformed(b, what, lua_tostring(b->L, -1));
}

/* Marks the member that the shape or a reference (at `t`) calls payload. */
void lsm_readpayload (lsm_builder *b, int t, sm_shape *shape) {
  sm_member *m;
  if (!lsm_getfield(b, t, "payload", LUA_TSTRING))
    return;
  shape->payload = member_index(b, shape, lsm_tostr(b->L, -1), "payload");
  m = (sm_member *)b->u->part[LSM_MEMBERS].p + shape->first + shape->payload;
  if (b->protocol == SM_REST_JSON)
    m->location = SM_IN_PAYLOAD;
  lua_pop(b->L, 1);
}

static void read_required (lsm_builder *b, int t, const sm_shape *shape) {
  lua_State *L = b->L;
  size_t n, i;
  if (!lsm_getfield(b, t, "required", LUA_TTABLE))
    return;
  n = lsm_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    uint16_t at;
    lua_rawgeti(L, -1, (int)i);
    if (lua_type(L, -1) != LUA_TSTRING)
      lsm_malformed(b, "required", "has an entry that is not a string");
    at = member_index(b, shape, lsm_tostr(L, -1), "required");
    ((sm_member *)b->u->part[LSM_MEMBERS].p)[shape->first + at].flags |=
        SM_M_REQUIRED;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void read_structure (lsm_builder *b, int t, sm_shape *shape) {
  lua_State *L = b->L;
  int top = lua_gettop(L), i;
  lsm_keys k;
  shape->first = (uint32_t)lsm_countof(b, LSM_MEMBERS, sizeof(sm_member));
  if (lsm_getfield(b, t, "members", LUA_TTABLE)) {
    k = lsm_sortedkeys(b, top + 1, "members");
    for (i = 0; i < k.n; i++) {
      sm_member m = {0};
      lsm_getentry(b, top + 1, k.p[i]);
      read_member(b, k.p[i], &m);
      lua_pop(L, 1);
      memcpy(lsm_append(b, LSM_MEMBERS, sizeof(m)), &m, sizeof(m));
    }
    shape->count = (uint16_t)k.n;
  }
  lua_settop(L, top);
  lsm_readpayload(b, t, shape);
  read_required(b, t, shape);
}

/* Appends the shape whose table is on top of the stack. */
void lsm_readshape (lsm_builder *b, sm_str name) {
  int t = lua_gettop(b->L);
  sm_shape shape = {0};
  shape.key = shape.value = shape.payload = shape.pattern = shape.code =
      SM_NONE;
  shape.name = lsm_intern(b, name);
  shape.type = shape_type(b, t);
  shape.ts_format = timestamp_format(b, t);
  shape.flags = shape_flags(b, t);
  if (shape.type != SM_STRUCTURE)
    shape.flags &= SM_S_SENSITIVE;
  read_limits(b, t, &shape);
  if (shape.flags & SM_S_EXCEPTION)
    read_error(b, t, &shape);
  switch (shape.type) {
  case SM_STRUCTURE:
    read_structure(b, t, &shape);
    break;
  case SM_STRING:
    read_enum(b, t, &shape);
    break;
  case SM_MAP:
    shape.key = shape_field(b, t, "key");
    need_string_keys(b, t);
    shape.value = shape_field(b, t, "value");
    shape.payload = element_name(b, t, "key");
    shape.code = element_name(b, t, "value");
    break;
  case SM_LIST:
    shape.value = shape_field(b, t, "member");
    shape.code = element_name(b, t, "member");
    break;
  default:
    break;
  }
  memcpy(lsm_append(b, LSM_SHAPES, sizeof(shape)), &shape, sizeof(shape));
}
