/*
** lmodel.c: services as Lua values: operations, reflection, suggestions.
**
** The user value (5.1: environment) of a service is one table. Its array part
** keeps the Lua strings of the member names, filled as they are asked for
** (lsm_pushname); its key "operations" keeps the operation tables by both
** their names.
*/
#include <string.h>

#include "lmodel.h"

#define SERVICE "sagemaker.service"

#if LUA_VERSION_NUM == 501
#define setcache(L, i) lua_setfenv((L), (i))
#define getcache(L, i) lua_getfenv((L), (i))
#else
#define setcache(L, i) lua_setuservalue((L), (i))
#define getcache(L, i) lua_getuservalue((L), (i))
#endif

static int absolute (lua_State *L, int idx) {
  return idx > 0 ? idx : lua_gettop(L) + idx + 1;
}

static lsm_service *check (lua_State *L, int idx) {
  lsm_service *u = (lsm_service *)luaL_checkudata(L, idx, SERVICE);
  if (u->s == NULL)
    luaL_argerror(L, idx, "this service was never built, or is closed");
  return u;
}

const sm_service *lsm_checkservice (lua_State *L, int idx) {
  return check(L, idx)->s;
}

void lsm_pushnames (lua_State *L, int idx) {
  getcache(L, idx);
}

void lsm_pushname (lua_State *L, int names, const sm_service *s, unsigned id) {
  lua_rawgeti(L, names, (int)id + 1);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lsm_pushstr(L, sm_text_of(s, id));
  lua_pushvalue(L, -1);
  lua_rawseti(L, names, (int)id + 1);
}

/* Sets a field of the table on top to a string id's text, unless SM_NONE. */
static void set_text (lua_State *L, const sm_service *s, const char *key,
                      unsigned id) {
  if (id == SM_NONE)
    return;
  lsm_pushstr(L, sm_text_of(s, id));
  lua_setfield(L, -2, key);
}

/* The same for the name of a shape. */
static void set_shape (lua_State *L, const sm_service *s, const char *key,
                       unsigned shape) {
  if (shape != SM_NONE)
    set_text(L, s, key, s->shapes[shape].name);
}

/* Sets a field of the table on top to true when `on`. */
static void set_flag (lua_State *L, const char *key, int on) {
  if (!on)
    return;
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, key);
}

/* Sets a field of the table on top; whole numbers as integers. */
static void set_number (lua_State *L, const char *key, double n) {
  if (n > -9007199254740992.0 && n < 9007199254740992.0 &&
      n == (double)(lua_Integer)n)
    lua_pushinteger(L, (lua_Integer)n);
  else
    lua_pushnumber(L, n);
  lua_setfield(L, -2, key);
}

static void push_errors (lua_State *L, const sm_service *s,
                         const sm_operation *op) {
  int i;
  lua_createtable(L, op->nerrors, 0);
  for (i = 0; i < op->nerrors; i++) {
    lsm_pushstr(L, sm_text_of(s, s->shapes[s->errors[op->errors + i]].name));
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_operation (lua_State *L, const sm_service *s,
                            const sm_operation *op) {
  lua_createtable(L, 0, 10);
  set_text(L, s, "name", op->name);
  set_text(L, s, "snake", op->snake);
  set_text(L, s, "method", op->method);
  set_text(L, s, "uri", op->uri);
  set_text(L, s, "host_prefix", op->host_prefix);
  set_shape(L, s, "input", op->input);
  set_shape(L, s, "output", op->output);
  if (op->token != SM_NONE) {
    const sm_shape *input = s->shapes + op->input;
    set_text(L, s, "token", sm_members_of(s, input)[op->token].name);
  }
  push_errors(L, s, op);
  lua_setfield(L, -2, "errors");
  set_number(L, "status", op->status == 0 ? 200 : op->status);
  set_flag(L, "unsigned", op->flags & SM_O_UNSIGNED);
  set_flag(L, "readonly", op->flags & SM_O_READONLY);
  set_flag(L, "idempotent", op->flags & SM_O_IDEMPOTENT);
  set_flag(L, "checksum", op->flags & SM_O_CHECKSUM);
  set_flag(L, "stream_output", op->flags & SM_O_STREAM_OUTPUT);
}

/*
** service:operation(name) -> table | nil. Takes the AWS name or the snake_case
** name; gives the same table each time.
*/
static int service_operation (lua_State *L) {
  const sm_service *s = lsm_checkservice(L, 1);
  sm_str name = lsm_checkstr(L, 2);
  const sm_operation *op;
  lua_settop(L, 2);
  lsm_pushnames(L, 1);
  lua_getfield(L, 3, "operations");
  lua_pushvalue(L, 2);
  lua_rawget(L, 4);
  if (!lua_isnil(L, -1))
    return 1;
  op = sm_operation_find(s, name);
  if (op == NULL)
    return 1;
  push_operation(L, s, op);
  lsm_pushstr(L, sm_text_of(s, op->name));
  lua_pushvalue(L, -2);
  lua_rawset(L, 4);
  lsm_pushstr(L, sm_text_of(s, op->snake));
  lua_pushvalue(L, -2);
  lua_rawset(L, 4);
  return 1;
}

/* service:operations() -> list of all AWS names, sorted. */
static int service_operations (lua_State *L) {
  const sm_service *s = lsm_checkservice(L, 1);
  int i;
  lua_createtable(L, s->noperations, 0);
  for (i = 0; i < s->noperations; i++) {
    lsm_pushstr(L, sm_text_of(s, s->operations[i].name));
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

static sm_str name_at (const void *ctx, int i) {
  const sm_service *s = (const sm_service *)ctx;
  return sm_text_of(s, s->operations[i].name);
}

static sm_str snake_at (const void *ctx, int i) {
  const sm_service *s = (const sm_service *)ctx;
  return sm_text_of(s, s->operations[i].snake);
}

/*
** service:suggest(name) -> the nearest operation name | nil; in snake_case
** when the name that was given holds no capital.
*/
static int service_suggest (lua_State *L) {
  const sm_service *s = lsm_checkservice(L, 1);
  sm_str name = lsm_checkstr(L, 2);
  sm_str (*at)(const void *, int) = snake_at;
  size_t i;
  int found;
  for (i = 0; i < name.len; i++) {
    if (name.p[i] >= 'A' && name.p[i] <= 'Z')
      at = name_at;
  }
  found = sm_nearest(name, at, s, s->noperations);
  if (found < 0)
    lua_pushnil(L);
  else
    lsm_pushstr(L, at(s, found));
  return 1;
}

static const char *const type_names[] = {
    "structure", "list",  "map",    "string", "boolean",   "integer",
    "long",      "float", "double", "blob",   "timestamp", "document"};

static const char *const location_names[] = {
    "body",   "uri",     "querystring", "querystrings",
    "header", "headers", "statusCode",  "payload"};

static const char *const format_names[] = {NULL, "unixTimestamp", "iso8601",
                                           "rfc822"};

static void set_format (lua_State *L, unsigned format) {
  if (format == SM_TS_DEFAULT)
    return;
  lua_pushstring(L, format_names[format]);
  lua_setfield(L, -2, "timestamp_format");
}

static void push_member (lua_State *L, const sm_service *s,
                         const sm_member *m) {
  lua_createtable(L, 0, 6);
  set_text(L, s, "name", m->name);
  set_text(L, s, "wire", m->wire);
  set_shape(L, s, "shape", m->shape);
  lua_pushstring(L, type_names[s->shapes[m->shape].type]);
  lua_setfield(L, -2, "type");
  lua_pushboolean(L, m->flags & SM_M_REQUIRED);
  lua_setfield(L, -2, "required");
  lua_pushstring(L, location_names[m->location]);
  lua_setfield(L, -2, "location");
  set_format(L, m->ts_format);
  set_flag(L, "token", m->flags & SM_M_TOKEN);
  set_flag(L, "jsonvalue", m->flags & SM_M_JSONVALUE);
  set_flag(L, "host_label", m->flags & SM_M_HOSTLABEL);
  set_flag(L, "event_payload", m->flags & SM_M_EVENTPAYLOAD);
  set_flag(L, "event_header", m->flags & SM_M_EVENTHEADER);
  set_flag(L, "deprecated", m->flags & SM_M_DEPRECATED);
}

static void set_structure (lua_State *L, const sm_service *s,
                           const sm_shape *shape) {
  const sm_member *members = sm_members_of(s, shape);
  int i;
  lua_createtable(L, shape->count, 0);
  for (i = 0; i < shape->count; i++) {
    push_member(L, s, members + i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "members");
  if (shape->type == SM_STRUCTURE && shape->payload != SM_NONE)
    set_text(L, s, "payload", members[shape->payload].name);
  if (shape->flags & SM_S_EXCEPTION) {
    set_text(L, s, "code", shape->code);
    if (shape->status != 0)
      set_number(L, "status", shape->status);
  }
}

static void set_enum (lua_State *L, const sm_service *s,
                      const sm_shape *shape) {
  int i;
  set_text(L, s, "pattern", shape->pattern);
  if (shape->count == 0)
    return;
  lua_createtable(L, shape->count, 0);
  for (i = 0; i < shape->count; i++) {
    lsm_pushstr(L, sm_text_of(s, s->values[shape->first + (unsigned)i]));
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "enum");
}

static void push_shape (lua_State *L, const sm_service *s,
                        const sm_shape *shape) {
  lua_createtable(L, 0, 6);
  set_text(L, s, "name", shape->name);
  lua_pushstring(L, type_names[shape->type]);
  lua_setfield(L, -2, "type");
  set_format(L, shape->ts_format);
  set_shape(L, s, "key", shape->key);
  set_shape(L, s, "value", shape->value);
  if (shape->flags & SM_S_HAS_MIN)
    set_number(L, "min", shape->min);
  if (shape->flags & SM_S_HAS_MAX)
    set_number(L, "max", shape->max);
  set_flag(L, "union", shape->flags & SM_S_UNION);
  set_flag(L, "exception", shape->flags & SM_S_EXCEPTION);
  set_flag(L, "fault", shape->flags & SM_S_FAULT);
  set_flag(L, "sensitive", shape->flags & SM_S_SENSITIVE);
  set_flag(L, "eventstream", shape->flags & SM_S_EVENTSTREAM);
  set_flag(L, "event", shape->flags & SM_S_EVENT);
  if (shape->type == SM_STRUCTURE)
    set_structure(L, s, shape);
  else if (shape->type == SM_STRING)
    set_enum(L, s, shape);
}

/* service:shape(name) -> a new table that describes the shape | nil. */
static int service_shape (lua_State *L) {
  const sm_service *s = lsm_checkservice(L, 1);
  const sm_shape *shape = sm_shape_find(s, lsm_checkstr(L, 2));
  if (shape == NULL)
    lua_pushnil(L);
  else
    push_shape(L, s, shape);
  return 1;
}

/* service:shapes() -> list of all shape names, sorted. */
static int service_shapes (lua_State *L) {
  const sm_service *s = lsm_checkservice(L, 1);
  int i;
  lua_createtable(L, s->nshapes, 0);
  for (i = 0; i < s->nshapes; i++) {
    lsm_pushstr(L, sm_text_of(s, s->shapes[i].name));
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* service:info() -> what signing, endpoints and headers need. */
static int service_info (lua_State *L) {
  static const char *const protocols[] = {"json", "rest-json", "query"};
  const sm_service *s = lsm_checkservice(L, 1);
  lua_createtable(L, 0, 8);
  set_text(L, s, "id", s->id);
  set_text(L, s, "signing_name", s->signing_name);
  set_text(L, s, "endpoint_prefix", s->endpoint_prefix);
  set_text(L, s, "target_prefix", s->target_prefix);
  set_text(L, s, "json_version", s->json_version);
  set_text(L, s, "api_version", s->api_version);
  lua_pushstring(L, protocols[s->protocol]);
  lua_setfield(L, -2, "protocol");
  set_flag(L, "query_errors", s->query_errors);
  return 1;
}

static int service_tostring (lua_State *L) {
  const sm_service *s = lsm_checkservice(L, 1);
  lua_pushliteral(L, "sagemaker.service: ");
  lsm_pushstr(L, sm_text_of(s, s->id));
  lua_concat(L, 2);
  return 1;
}

/* Closes a run-time service; a compiled-in one has nothing to give back and
** stays usable. */
static int service_gc (lua_State *L) {
  lsm_service *u = (lsm_service *)luaL_checkudata(L, 1, SERVICE);
  int i;
  if (u->s == &u->own)
    u->s = NULL;
  for (i = 0; i < LSM_PARTS; i++)
    sm_buf_free(&u->part[i]);
  return 0;
}

static const luaL_Reg methods[] = {
    {"operation", service_operation},
    {"operations", service_operations},
    {"suggest", service_suggest},
    {"shape", service_shape},
    {"shapes", service_shapes},
    {"info", service_info},
    {NULL, NULL},
};

/* Pushes a service that is valid, empty and owned by the collector. */
static lsm_service *new_service (lua_State *L) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  lsm_service *u = (lsm_service *)lua_newuserdata(L, sizeof(*u));
  int i;
  memset(u, 0, sizeof(*u));
  for (i = 0; i < LSM_PARTS; i++)
    sm_buf_init(&u->part[i], (size_t)1 << 24, alloc, ud);
  luaL_getmetatable(L, SERVICE);
  lua_setmetatable(L, -2);
  return u;
}

/* Gives the service at `idx` its empty cache. */
static void set_cache (lua_State *L, int idx, const sm_service *s) {
  idx = absolute(L, idx);
  lua_createtable(L, s->nnames, 1);
  lua_newtable(L);
  lua_setfield(L, -2, "operations");
  setcache(L, idx);
}

/*
** core.service(name) -> a compiled-in service | nil; the same one each time
** (upvalue 1 keeps them).
*/
static int core_service (lua_State *L) {
  const sm_service *s = sm_service_find(lsm_checkstr(L, 1));
  if (s == NULL) {
    lua_pushnil(L);
    return 1;
  }
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, -1))
    return 1;
  new_service(L)->s = s;
  set_cache(L, -1, s);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, lua_upvalueindex(1));
  return 1;
}

/*
** core.load_service(model) -> service, from a table of the form of the service
** models: metadata, operations, shapes. Throws when it is malformed.
*/
static int core_load_service (lua_State *L) {
  lsm_service *u;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  u = new_service(L);
  lsm_buildservice(L, u, 1);
  lua_settop(L, 2);
  set_cache(L, 2, u->s);
  return 1;
}

/* core.snake(name) -> the snake_case form of an AWS name. */
static int core_snake (lua_State *L) {
  sm_str name = lsm_checkstr(L, 1);
  sm_buf *out = lsm_newbuf(L, 2 * name.len + 1);
  if (sm_snake(name, out) != SM_OK)
    return luaL_error(L, "%s", sm_strerror(out->err));
  lsm_pushstr(L, sm_buf_str(out));
  sm_buf_free(out);
  return 1;
}

void lsm_open_model (lua_State *L) {
  lsm_newmetatable(L, SERVICE, methods, service_gc);
  lua_pushcfunction(L, service_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushcclosure(L, core_service, 1);
  lua_setfield(L, -2, "service");
  lua_pushcfunction(L, core_load_service);
  lua_setfield(L, -2, "load_service");
  lua_pushcfunction(L, core_snake);
  lua_setfield(L, -2, "snake");
}
