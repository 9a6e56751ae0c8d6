/*
** lmodel_load.c: builds a service at run time from a decoded service model.
**
** The tables are those that csrc/model/generate.lua writes for a compiled-in
** service. Order of work: names of shapes (their ids), names of members (the
** lowest string ids), shapes with their members, operations, metadata.
**
** Buffers grow and move, so everything is named by index until the end. Traits
** may stand on a shape or on the reference to it (member, input, output); the
** reference wins, as in botocore.
*/
#include <stdlib.h>
#include <string.h>

#include "lmodel.h"

typedef struct builder {
  lua_State *L;
  lsm_service *u;
  int model;     /* stack index of the model */
  int strings;   /* stack index: text -> string id */
  int shapes;    /* stack index: the model's shapes */
  int shape_ids; /* stack index: name -> shape id */
  unsigned nstrings;
  sm_protocol protocol;
  const char *kind; /* what is being read, for messages: "shape" … */
  sm_str name;      /* … and which */
} builder;

/* Keys of a table, sorted; `p` is a userdata that the stack holds. */
typedef struct keys {
  sm_str *p;
  int n;
} keys;

static int malformed (builder *b, const char *what, const char *problem) {
  lua_State *L = b->L;
  lsm_pushstr(L, b->name);
  return luaL_error(L, "malformed model: %s %s: %s %s", b->kind,
                    lua_tostring(L, -1), what, problem);
}

/* Appends n zero bytes to a part and returns where they are, for now. */
static void *append (builder *b, enum lsm_part part, size_t n) {
  sm_buf *buf = &b->u->part[part];
  if (!sm_buf_room(buf, n))
    luaL_error(b->L, "model: %s", sm_strerror(buf->err));
  memset(buf->p + buf->len, 0, n);
  buf->len += n;
  return buf->p + buf->len - n;
}

/* How many items of this size a part holds. */
static size_t count_of (const builder *b, enum lsm_part part, size_t size) {
  return b->u->part[part].len / size;
}

/* ---- the model's tables ------------------------------------------------ */

static int is_absent (lua_State *L, int idx) {
  return lua_isnil(L, idx) || lua_islightuserdata(L, idx);
}

/*
** Pushes t[key] and returns 1 when it has this type; pushes nothing and
** returns 0 when it is absent or null; throws when it has another type.
*/
static int get (builder *b, int t, const char *key, int type) {
  lua_State *L = b->L;
  lua_pushstring(L, key);
  lua_rawget(L, t < 0 ? t - 1 : t);
  if (lua_type(L, -1) == type)
    return 1;
  if (!is_absent(L, -1)) {
    lua_pushfstring(L, "must be a %s, not a %s", lua_typename(L, type),
                    luaL_typename(L, -1));
    return malformed(b, key, lua_tostring(L, -1));
  }
  lua_pop(L, 1);
  return 0;
}

/* The same, throwing when it is absent. */
static void need (builder *b, int t, const char *key, int type) {
  if (!get(b, t, key, type))
    malformed(b, key, "is missing");
}

/* True when t[key] is true. */
static int is_true (builder *b, int t, const char *key) {
  int yes = 0;
  if (get(b, t, key, LUA_TBOOLEAN)) {
    yes = lua_toboolean(b->L, -1);
    lua_pop(b->L, 1);
  }
  return yes;
}

/* True when t[key] is there and not false; many a trait is an empty table. */
static int is_set (builder *b, int t, const char *key) {
  lua_State *L = b->L;
  int yes;
  lua_pushstring(L, key);
  lua_rawget(L, t);
  yes = !is_absent(L, -1) && (!lua_isboolean(L, -1) || lua_toboolean(L, -1));
  lua_pop(L, 1);
  return yes;
}

static sm_str to_str (lua_State *L, int idx) {
  sm_str s;
  s.p = lua_tolstring(L, idx, &s.len);
  return s;
}

static int by_bytes (const void *x, const void *y) {
  const sm_str *a = (const sm_str *)x, *b = (const sm_str *)y;
  size_t n = a->len < b->len ? a->len : b->len;
  int c = memcmp(a->p, b->p, n);
  return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

/*
** Pushes a userdata with the keys of the table at `t`, sorted. The table keeps
** the strings alive; nobody changes it meanwhile.
*/
static keys sorted_keys (builder *b, int t, const char *what) {
  lua_State *L = b->L;
  keys k = {NULL, 0};
  size_t n = 0;
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      malformed(b, what, "has a key that is not a string");
    n++;
  }
  if (n >= SM_NONE)
    malformed(b, what, "has too many entries");
  k.p = (sm_str *)lua_newuserdata(L, (n + 1) * sizeof(sm_str));
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1))
    k.p[k.n++] = to_str(L, -2);
  qsort(k.p, n, sizeof(sm_str), by_bytes);
  return k;
}

/* Pushes t[key], which is known to be there and must be a table. */
static void get_entry (builder *b, int t, sm_str key) {
  lsm_pushstr(b->L, key);
  lua_rawget(b->L, t);
  if (!lua_istable(b->L, -1))
    malformed(b, "the entry", "must be a table");
}

/* ---- strings ------------------------------------------------------------ */

/* The string id of a text, new when it was not seen before. */
static uint16_t intern (builder *b, sm_str text) {
  lua_State *L = b->L;
  unsigned id;
  sm_ref *ref;
  lsm_pushstr(L, text);
  lua_pushvalue(L, -1);
  lua_rawget(L, b->strings);
  if (lua_isnumber(L, -1)) {
    id = (unsigned)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return (uint16_t)id;
  }
  lua_pop(L, 1);
  id = b->nstrings;
  if (id >= SM_NONE)
    malformed(b, "the model", "has too many strings");
  ref = (sm_ref *)append(b, LSM_REFS, sizeof(*ref));
  ref->off = (uint32_t)b->u->part[LSM_POOL].len;
  ref->len = (uint32_t)text.len;
  memcpy(append(b, LSM_POOL, text.len + 1), text.p, text.len);
  lua_pushinteger(L, (lua_Integer)id);
  lua_rawset(L, b->strings);
  b->nstrings++;
  return (uint16_t)id;
}

static uint16_t intern_field (builder *b, int t, const char *key) {
  uint16_t id;
  if (!get(b, t, key, LUA_TSTRING))
    return SM_NONE;
  id = intern(b, to_str(b->L, -1));
  lua_pop(b->L, 1);
  return id;
}

/* ---- shapes ------------------------------------------------------------- */

/* The shape id that the reference table at `t` names. */
static uint16_t shape_of (builder *b, int t) {
  lua_State *L = b->L;
  uint16_t id;
  need(b, t, "shape", LUA_TSTRING);
  lua_pushvalue(L, -1);
  lua_rawget(L, b->shape_ids);
  if (lua_isnil(L, -1)) {
    lua_pushfstring(L, "names the shape %s, which is missing",
                    lua_tostring(L, -2));
    malformed(b, "a reference", lua_tostring(L, -1));
  }
  id = (uint16_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return id;
}

/* The shape id of the reference t[key], which must be there. */
static uint16_t shape_field (builder *b, int t, const char *key) {
  uint16_t id;
  need(b, t, key, LUA_TTABLE);
  id = shape_of(b, lua_gettop(b->L));
  lua_pop(b->L, 1);
  return id;
}

/* The index in a NULL-terminated list of the string t[key]; -1 when absent. */
static int choice (builder *b, int t, const char *key,
                   const char *const *list) {
  lua_State *L = b->L;
  int i;
  if (!get(b, t, key, LUA_TSTRING))
    return -1;
  for (i = 0; list[i] != NULL; i++) {
    if (strcmp(list[i], lua_tostring(L, -1)) == 0) {
      lua_pop(L, 1);
      return i;
    }
  }
  lua_pushfstring(L, "'%s' is unknown", lua_tostring(L, -1));
  return malformed(b, key, lua_tostring(L, -1));
}

static uint8_t timestamp_format (builder *b, int t) {
  static const char *const names[] = {"unixTimestamp", "iso8601", "rfc822",
                                      "http-date", NULL};
  int i = choice(b, t, "timestampFormat", names);
  return (uint8_t)(i < 0 ? SM_TS_DEFAULT : i == 3 ? SM_TS_RFC7231 : i + 1);
}

static uint8_t shape_type (builder *b, int t) {
  static const char *const names[] = {
      "structure", "list",  "map",    "string",     "boolean",    "integer",
      "long",      "float", "double", "blob",       "timestamp",  "document",
      "character", "byte",  "short",  "bigdecimal", "biginteger", NULL};
  static const uint8_t odd[] = {SM_STRING, SM_INTEGER, SM_INTEGER, SM_DOUBLE,
                                SM_LONG};
  int i = choice(b, t, "type", names);
  if (i < 0)
    malformed(b, "type", "is missing");
  if (is_true(b, t, "document"))
    return SM_DOCUMENT;
  return i > SM_DOCUMENT ? odd[i - SM_DOCUMENT - 1] : (uint8_t)i;
}

static uint16_t shape_flags (builder *b, int t) {
  static const struct {
    const char *key;
    uint16_t flag;
  } traits[] = {
      {"union", SM_S_UNION},         {"exception", SM_S_EXCEPTION},
      {"error", SM_S_EXCEPTION},     {"fault", SM_S_FAULT},
      {"sensitive", SM_S_SENSITIVE}, {"eventstream", SM_S_EVENTSTREAM},
      {"event", SM_S_EVENT}};
  uint16_t flags = 0;
  size_t i;
  for (i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
    if (is_set(b, t, traits[i].key))
      flags |= traits[i].flag;
  }
  return flags;
}

static void read_limits (builder *b, int t, sm_shape *shape) {
  if (get(b, t, "min", LUA_TNUMBER)) {
    shape->min = lua_tonumber(b->L, -1);
    shape->flags |= SM_S_HAS_MIN;
    lua_pop(b->L, 1);
  }
  if (get(b, t, "max", LUA_TNUMBER)) {
    shape->max = lua_tonumber(b->L, -1);
    shape->flags |= SM_S_HAS_MAX;
    lua_pop(b->L, 1);
  }
}

/* The code on the wire and the status of an exception. */
static void read_error (builder *b, int t, sm_shape *shape) {
  lua_State *L = b->L;
  int error;
  shape->code = shape->name;
  if (!get(b, t, "error", LUA_TTABLE))
    return;
  error = lua_gettop(L);
  if (get(b, error, "code", LUA_TSTRING)) {
    shape->code = intern(b, to_str(L, -1));
    lua_pop(L, 1);
  }
  if (get(b, error, "httpStatusCode", LUA_TNUMBER)) {
    shape->status = (uint16_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void read_enum (builder *b, int t, sm_shape *shape) {
  lua_State *L = b->L;
  size_t n, i;
  shape->pattern = intern_field(b, t, "pattern");
  if (!get(b, t, "enum", LUA_TTABLE))
    return;
  n = lsm_rawlen(L, -1);
  if (n >= SM_NONE)
    malformed(b, "enum", "has too many values");
  shape->first = (uint32_t)count_of(b, LSM_VALUES, sizeof(uint16_t));
  shape->count = (uint16_t)n;
  for (i = 1; i <= n; i++) {
    uint16_t id;
    lua_rawgeti(L, -1, (int)i);
    if (lua_type(L, -1) != LUA_TSTRING)
      malformed(b, "enum", "has a value that is not a string");
    id = intern(b, to_str(L, -1));
    lua_pop(L, 1);
    *(uint16_t *)append(b, LSM_VALUES, sizeof(id)) = id;
  }
  lua_pop(L, 1);
}

/* ---- members ------------------------------------------------------------ */

/* Pushes the shape table that the reference at `t` names. */
static void push_target (builder *b, int t) {
  lua_State *L = b->L;
  lua_pushliteral(L, "shape");
  lua_rawget(L, t);
  lua_rawget(L, b->shapes);
}

static uint8_t read_location (builder *b, int member, int target) {
  static const char *const names[] = {"uri",     "querystring", "header",
                                      "headers", "statusCode",  NULL};
  static const uint8_t places[] = {SM_IN_LABEL, SM_IN_QUERY, SM_IN_HEADER,
                                   SM_IN_HEADERS, SM_IN_STATUS};
  int i = choice(b, member, "location", names);
  if (i < 0)
    i = choice(b, target, "location", names);
  if (i < 0 || b->protocol != SM_REST_JSON)
    return SM_IN_BODY;
  if (places[i] == SM_IN_QUERY && shape_type(b, target) == SM_MAP)
    return SM_IN_QUERIES;
  return places[i];
}

static uint16_t member_flags (builder *b, int t) {
  static const struct {
    const char *key;
    uint16_t flag;
  } traits[] = {
      {"idempotencyToken", SM_M_TOKEN},  {"jsonvalue", SM_M_JSONVALUE},
      {"hostLabel", SM_M_HOSTLABEL},     {"eventpayload", SM_M_EVENTPAYLOAD},
      {"eventheader", SM_M_EVENTHEADER}, {"deprecated", SM_M_DEPRECATED}};
  uint16_t flags = 0;
  size_t i;
  for (i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
    if (is_set(b, t, traits[i].key))
      flags |= traits[i].flag;
  }
  return flags;
}

/* Fills m from the reference at the top of the stack. */
static void read_member (builder *b, sm_str name, sm_member *m) {
  int member = lua_gettop(b->L), target = member + 1;
  m->name = intern(b, name);
  m->shape = shape_of(b, member);
  push_target(b, member);
  if (!lua_istable(b->L, target))
    malformed(b, "a member", "refers to an entry that is not a table");
  m->wire = intern_field(b, member, "locationName");
  if (m->wire == SM_NONE)
    m->wire = intern_field(b, target, "locationName");
  if (m->wire == SM_NONE)
    m->wire = m->name;
  m->location = read_location(b, member, target);
  m->ts_format = timestamp_format(b, member);
  m->flags = member_flags(b, member) | member_flags(b, target);
  lua_pop(b->L, 1);
}

/* The index of a member name in the run of `shape`. */
static uint16_t member_index (builder *b, const sm_shape *shape, sm_str name) {
  const sm_member *run = (const sm_member *)b->u->part[LSM_MEMBERS].p;
  unsigned id = intern(b, name), i;
  for (i = 0; i < shape->count; i++) {
    if (run[shape->first + i].name == id)
      return (uint16_t)i;
  }
  lsm_pushstr(b->L, name);
  return (uint16_t)malformed(b, lua_tostring(b->L, -1), "is not a member");
}

/* Marks the member that the shape or a reference (at `t`) calls payload. */
static void read_payload (builder *b, int t, sm_shape *shape) {
  sm_member *m;
  if (!get(b, t, "payload", LUA_TSTRING))
    return;
  shape->payload = member_index(b, shape, to_str(b->L, -1));
  m = (sm_member *)b->u->part[LSM_MEMBERS].p + shape->first + shape->payload;
  if (b->protocol == SM_REST_JSON)
    m->location = SM_IN_PAYLOAD;
  lua_pop(b->L, 1);
}

static void read_required (builder *b, int t, const sm_shape *shape) {
  lua_State *L = b->L;
  size_t n, i;
  if (!get(b, t, "required", LUA_TTABLE))
    return;
  n = lsm_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    uint16_t at;
    lua_rawgeti(L, -1, (int)i);
    if (lua_type(L, -1) != LUA_TSTRING)
      malformed(b, "required", "has an entry that is not a string");
    at = member_index(b, shape, to_str(L, -1));
    ((sm_member *)b->u->part[LSM_MEMBERS].p)[shape->first + at].flags |=
        SM_M_REQUIRED;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void read_structure (builder *b, int t, sm_shape *shape) {
  lua_State *L = b->L;
  int top = lua_gettop(L), i;
  keys k;
  shape->first = (uint32_t)count_of(b, LSM_MEMBERS, sizeof(sm_member));
  if (get(b, t, "members", LUA_TTABLE)) {
    k = sorted_keys(b, top + 1, "members");
    for (i = 0; i < k.n; i++) {
      sm_member m = {0};
      get_entry(b, top + 1, k.p[i]);
      read_member(b, k.p[i], &m);
      lua_pop(L, 1);
      memcpy(append(b, LSM_MEMBERS, sizeof(m)), &m, sizeof(m));
    }
    shape->count = (uint16_t)k.n;
  }
  lua_settop(L, top);
  read_payload(b, t, shape);
  read_required(b, t, shape);
}

/* Appends the shape whose table is on top of the stack. */
static void read_shape (builder *b, sm_str name) {
  int t = lua_gettop(b->L);
  sm_shape shape = {0};
  shape.key = shape.value = shape.payload = shape.pattern = shape.code =
      SM_NONE;
  shape.name = intern(b, name);
  shape.type = shape_type(b, t);
  shape.ts_format = timestamp_format(b, t);
  shape.flags = shape_flags(b, t);
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
    shape.value = shape_field(b, t, "value");
    break;
  case SM_LIST:
    shape.value = shape_field(b, t, "member");
    break;
  default:
    break;
  }
  memcpy(append(b, LSM_SHAPES, sizeof(shape)), &shape, sizeof(shape));
}

/* ---- operations --------------------------------------------------------- */

/* The structure that the reference t[key] names, or SM_NONE. A reference may
** carry the payload trait itself. */
static uint16_t read_reference (builder *b, int t, const char *key) {
  lua_State *L = b->L;
  sm_shape *shape;
  uint16_t id;
  if (!get(b, t, key, LUA_TTABLE))
    return SM_NONE;
  id = shape_of(b, lua_gettop(L));
  shape = (sm_shape *)b->u->part[LSM_SHAPES].p + id;
  if (shape->type != SM_STRUCTURE)
    malformed(b, key, "must be a structure");
  read_payload(b, lua_gettop(L), shape);
  lua_pop(L, 1);
  return id;
}

static void read_http (builder *b, int t, sm_operation *op) {
  lua_State *L = b->L;
  int http;
  op->method = op->uri = SM_NONE;
  if (get(b, t, "http", LUA_TTABLE)) {
    http = lua_gettop(L);
    op->method = intern_field(b, http, "method");
    op->uri = intern_field(b, http, "requestUri");
    if (get(b, http, "responseCode", LUA_TNUMBER)) {
      op->status = (uint16_t)lua_tointeger(L, -1);
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  if (op->method == SM_NONE)
    op->method = intern(b, SM_LIT("POST"));
  if (op->uri == SM_NONE)
    op->uri = intern(b, SM_LIT("/"));
}

static void read_errors (builder *b, int t, sm_operation *op) {
  lua_State *L = b->L;
  size_t n, i;
  op->errors = (uint32_t)count_of(b, LSM_ERRORS, sizeof(uint16_t));
  if (!get(b, t, "errors", LUA_TTABLE))
    return;
  n = lsm_rawlen(L, -1);
  if (n >= SM_NONE)
    malformed(b, "errors", "has too many entries");
  for (i = 1; i <= n; i++) {
    uint16_t id;
    lua_rawgeti(L, -1, (int)i);
    if (!lua_istable(L, -1))
      malformed(b, "errors", "has an entry that is not a table");
    id = shape_of(b, lua_gettop(L));
    lua_pop(L, 1);
    *(uint16_t *)append(b, LSM_ERRORS, sizeof(id)) = id;
  }
  op->nerrors = (uint16_t)n;
  lua_pop(L, 1);
}

/* True when the operation is sent without a signature. */
static int is_unsigned (builder *b, int t) {
  static const char *const names[] = {"none", "v4", "v4-unsigned-body", NULL};
  lua_State *L = b->L;
  int yes = choice(b, t, "authtype", names) == 0;
  if (!yes && get(b, t, "auth", LUA_TTABLE)) {
    lua_rawgeti(L, -1, 1);
    yes = lua_type(L, -1) == LUA_TSTRING &&
          strcmp(lua_tostring(L, -1), "smithy.api#noAuth") == 0;
    lua_pop(L, 2);
  }
  return yes;
}

static uint16_t operation_flags (builder *b, int t) {
  uint16_t flags = 0;
  if (is_unsigned(b, t))
    flags |= SM_O_UNSIGNED;
  if (is_set(b, t, "readonly"))
    flags |= SM_O_READONLY;
  if (is_set(b, t, "idempotent"))
    flags |= SM_O_IDEMPOTENT;
  if (is_set(b, t, "httpChecksumRequired"))
    flags |= SM_O_CHECKSUM;
  if (get(b, t, "httpChecksum", LUA_TTABLE)) {
    if (is_true(b, lua_gettop(b->L), "requestChecksumRequired"))
      flags |= SM_O_CHECKSUM;
    lua_pop(b->L, 1);
  }
  return flags;
}

/* What follows from the members of the input and the output. */
static void look_at_members (builder *b, sm_operation *op) {
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
static void read_operation (builder *b, sm_str name) {
  lua_State *L = b->L;
  int t = lua_gettop(L);
  sm_operation op = {0};
  sm_buf *snake = lsm_newbuf(L, 2 * name.len + 1);
  if (sm_snake(name, snake) != SM_OK)
    luaL_error(L, "model: %s", sm_strerror(snake->err));
  op.name = intern(b, name);
  op.snake = intern(b, sm_buf_str(snake));
  lua_settop(L, t);
  read_http(b, t, &op);
  op.input = read_reference(b, t, "input");
  op.output = read_reference(b, t, "output");
  op.host_prefix = SM_NONE;
  if (get(b, t, "endpoint", LUA_TTABLE)) {
    op.host_prefix = intern_field(b, lua_gettop(L), "hostPrefix");
    lua_pop(L, 1);
  }
  read_errors(b, t, &op);
  op.flags = operation_flags(b, t);
  look_at_members(b, &op);
  memcpy(append(b, LSM_OPERATIONS, sizeof(op)), &op, sizeof(op));
}

/* ---- the whole ---------------------------------------------------------- */

/* Appends operation i to the order by snake_case name. */
static void insert_by_snake (builder *b, int i) {
  const sm_operation *ops;
  const sm_ref *refs;
  const char *pool;
  uint16_t *order;
  sm_ref a;
  append(b, LSM_BY_SNAKE, sizeof(*order));
  ops = (const sm_operation *)b->u->part[LSM_OPERATIONS].p;
  refs = (const sm_ref *)b->u->part[LSM_REFS].p;
  pool = b->u->part[LSM_POOL].p;
  order = (uint16_t *)b->u->part[LSM_BY_SNAKE].p;
  a = refs[ops[i].snake];
  for (; i > 0; i--) {
    sm_ref r = refs[ops[order[i - 1]].snake];
    sm_str x = {pool + r.off, r.len}, y = {pool + a.off, a.len};
    if (by_bytes(&x, &y) <= 0)
      break;
    order[i] = order[i - 1];
  }
  order[i] = (uint16_t)(count_of(b, LSM_BY_SNAKE, sizeof(*order)) - 1);
}

/* Gives every shape its id and every member name one of the lowest string
** ids. */
static void number_shapes (builder *b, const keys *k) {
  lua_State *L = b->L;
  int top = lua_gettop(L), i, j;
  for (i = 0; i < k->n; i++) {
    keys names;
    lsm_pushstr(L, k->p[i]);
    lua_pushinteger(L, i);
    lua_rawset(L, b->shape_ids);
    b->name = k->p[i];
    get_entry(b, b->shapes, k->p[i]);
    if (get(b, top + 1, "members", LUA_TTABLE)) {
      names = sorted_keys(b, top + 2, "members");
      for (j = 0; j < names.n; j++)
        intern(b, names.p[j]);
    }
    lua_settop(L, top);
  }
  b->u->own.nnames = (uint16_t)b->nstrings;
}

static void read_shapes (builder *b) {
  keys k;
  int i;
  b->kind = "shape";
  k = sorted_keys(b, b->shapes, "shapes");
  number_shapes(b, &k);
  for (i = 0; i < k.n; i++) {
    int top = lua_gettop(b->L);
    b->name = k.p[i];
    get_entry(b, b->shapes, k.p[i]);
    read_shape(b, k.p[i]);
    lua_settop(b->L, top);
  }
  b->u->own.nshapes = (uint16_t)k.n;
}

static void read_operations (builder *b) {
  lua_State *L = b->L;
  int t, i;
  keys k;
  b->kind = "the table";
  b->name = SM_LIT("operations");
  need(b, b->model, "operations", LUA_TTABLE);
  t = lua_gettop(L);
  k = sorted_keys(b, t, "operations");
  b->kind = "operation";
  for (i = 0; i < k.n; i++) {
    int top = lua_gettop(L);
    b->name = k.p[i];
    get_entry(b, t, k.p[i]);
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
static void read_protocol (builder *b, int t) {
  lua_State *L = b->L;
  int top = lua_gettop(L), found, i;
  need(b, t, "protocol", LUA_TSTRING);
  found = protocol_of(lua_tostring(L, -1));
  if (found < 0 && get(b, t, "protocols", LUA_TTABLE)) {
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
    malformed(b, "protocol", lua_tostring(L, -1));
  }
  lua_settop(L, top);
  b->protocol = (sm_protocol)found;
}

/* The first of two metadata fields that is there; the empty string if none. */
static uint16_t either (builder *b, int t, const char *first,
                        const char *second) {
  uint16_t id = intern_field(b, t, first);
  if (id == SM_NONE)
    id = intern_field(b, t, second);
  return id == SM_NONE ? intern(b, SM_LIT("")) : id;
}

static void read_metadata (builder *b, int t) {
  sm_service *s = &b->u->own;
  b->kind = "the table";
  b->name = SM_LIT("metadata");
  s->protocol = (uint16_t)b->protocol;
  s->id = either(b, t, "serviceId", "endpointPrefix");
  s->signing_name = either(b, t, "signingName", "endpointPrefix");
  s->endpoint_prefix = either(b, t, "endpointPrefix", "signingName");
  s->target_prefix = intern_field(b, t, "targetPrefix");
  s->json_version = intern_field(b, t, "jsonVersion");
  s->api_version = either(b, t, "apiVersion", "uid");
  s->query_errors = (uint16_t)is_set(b, t, "awsQueryCompatible");
}

/* The buffers stop moving: their contents become the service's tables. None
** of them is NULL, not even an empty one. */
static void finish (builder *b) {
  sm_service *s = &b->u->own;
  sm_buf *part = b->u->part;
  int i;
  for (i = 0; i < LSM_PARTS; i++)
    append(b, (enum lsm_part)i, 1);
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
  builder b = {0};
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
  need(&b, model, "shapes", LUA_TTABLE);
  b.shapes = lua_gettop(L);
  need(&b, model, "metadata", LUA_TTABLE);
  metadata = lua_gettop(L);
  read_protocol(&b, metadata);
  read_shapes(&b);
  read_operations(&b);
  read_metadata(&b, metadata);
  finish(&b);
}
