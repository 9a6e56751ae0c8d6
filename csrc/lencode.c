/*
** lencode.c: core.encode, core.validate and their service side.
*/
#include "lencode.h"
#include "lquery.h"
#include "sm_json.h"
#include "sm_rest.h"
#include "sm_text.h"

/* {{ Begin and end of a call */

/* The checks that the mode at `idx` stands for. */
static unsigned to_checks (lua_State *L, int idx) {
  static const char *const modes[] = {"basic", "strict", NULL};
  static const unsigned checks[] = {LSM_BASIC, LSM_STRICT};
  if (lua_isnil(L, idx))
    return LSM_BASIC;
  if (lua_isboolean(L, idx) && !lua_toboolean(L, idx))
    return LSM_WHOLE_SECONDS;
  return checks[luaL_checkoption(L, idx, "basic", modes)];
}

/* Begins with the buffers and no problems. Takes two stack slots. */
static void begin (lua_State *L, lsm_enc *e, unsigned checks) {
  e->L = L;
  e->s = e->call.s;
  e->at = NULL;
  e->checks = checks;
  e->stack = e->depth = e->nerrors = e->stop = e->body = e->token = 0;
  e->foreign = 0;
  e->scratch = lsm_takescratch(L);
  e->out = &e->scratch->body;
  lua_pushnil(L);
  e->errors = lua_gettop(L);
}

/* Puts the buffers back. */
static void finish (lsm_enc *e) {
  lsm_givescratch(e->L, e->errors - 1);
}

/* Notes what befell the buffers; throws when memory is short. */
static void check_buffers (lsm_enc *e) {
  const lsm_scratch *x = e->scratch;
  int err = e->out->err;
  lsm_checkmemory(e->L, &x->path);
  lsm_checkmemory(e->L, &x->query);
  lsm_checkmemory(e->L, &x->text);
  lsm_checkmemory(e->L, e->out);
  if (err == SM_OK)
    err = x->path.err != SM_OK ? x->path.err : x->query.err;
  if (err != SM_OK && e->nerrors == 0)
    lsm_enc_complain(e, "limit", NULL, "too large for one request");
}

/* Pushes nil and the list of problems. */
static int push_problems (lsm_enc *e) {
  finish(e);
  lua_pushnil(e->L);
  lua_pushvalue(e->L, e->errors);
  return 2;
}

/* }} */

/* {{ Requests */

/* An operation without input takes no parameters. */
static void check_none (lsm_enc *e, int params) {
  lua_State *L = e->L;
  if (!(e->checks & LSM_CHECK_UNKNOWN))
    return;
  lua_pushnil(L);
  if (!lua_istable(L, params) || lua_next(L, params))
    lsm_enc_complain(e, "unknown", NULL, "the operation takes none");
}

static void walk_json (lsm_enc *e, int params) {
  const sm_operation *op = e->call.op;
  const sm_shape *input = e->s->shapes + op->input;
  lsm_found found;
  if (!lsm_enc_enter(e, input, params, &found))
    return;
  lsm_enc_members(e, input, &found, 0);
  if (op->host_prefix != SM_NONE)
    lsm_enc_hostprefix(e, input, &found, &e->scratch->text);
  lsm_enc_leave(e);
}

/* Validates and writes the parameters at `params`; `headers` is the table that
** gets what restJson1 puts there. */
static void walk (lsm_enc *e, int params, int headers) {
  if (e->call.op->input == SM_NONE)
    check_none(e, params);
  if (e->s->protocol == SM_REST_JSON)
    lsm_enc_rest(e, params, headers);
  else if (e->s->protocol == SM_AWS_QUERY)
    lsm_enc_query(e, params);
  else if (e->call.op->input == SM_NONE)
    sm_buf_puts(e->out, SM_LIT("{}"));
  else
    walk_json(e, params);
  check_buffers(e);
}

/* Pushes the body. */
static void push_body (lsm_enc *e) {
  if (e->body != 0)
    lua_pushvalue(e->L, e->body);
  else
    lsm_pushstr(e->L, sm_buf_str(e->out));
}

/* Upvalues of core.encode: strings that every request needs. */
enum {
  UP_METHOD = LSM_UPVALUES + 1,
  UP_PATH,
  UP_QUERY,
  UP_HEADERS,
  UP_BODY,
  UP_TYPE,
  UP_TARGET,
  UP_SLASH,
  UP_EMPTY,
  UP_END
};

static const char *const upvalue_texts[] = {
    "method",       "path",         "query", "headers", "body",
    "Content-Type", "X-Amz-Target", "/",     ""};

/* t[upvalue] = a field of the operation's row. */
static void set_row (lsm_enc *e, int t, int upvalue, int field) {
  lua_pushvalue(e->L, lua_upvalueindex(upvalue));
  lua_rawgeti(e->L, e->call.row, field);
  lua_rawset(e->L, t);
}

static void set_protocol_headers (lsm_enc *e, int headers) {
  set_row(e, headers, UP_TYPE, LSM_OP_TYPE);
  set_row(e, headers, UP_TARGET, LSM_OP_TARGET);
  if (e->s->query_errors) {
    lua_pushliteral(e->L, "true");
    lua_setfield(e->L, headers, "x-amzn-query-mode");
  }
}

static void set_checksum (lsm_enc *e, int headers, int body) {
  sm_buf *b = &e->scratch->query; /* pushed already */
  int err;
  sm_buf_reset(b);
  err = sm_put_md5(b, lsm_checkstr(e->L, body));
  lsm_checkmemory(e->L, b);
  if (err != SM_OK)
    luaL_error(e->L, "no MD5 for the header Content-MD5");
  lsm_pushstr(e->L, sm_buf_str(b));
  lua_setfield(e->L, headers, "Content-MD5");
}

/* t[upvalue] = a text, or the value of another upvalue when there is none. */
static void set_text (lua_State *L, int t, int upvalue, sm_str s, int other) {
  lua_pushvalue(L, lua_upvalueindex(upvalue));
  if (s.len > 0)
    lsm_pushstr(L, s);
  else
    lua_pushvalue(L, lua_upvalueindex(other));
  lua_rawset(L, t);
}

/* Pushes the request. */
static int push_request (lsm_enc *e, int headers) {
  lua_State *L = e->L;
  const sm_operation *op = e->call.op;
  int request;
  lua_createtable(L, 0, 8);
  request = lua_gettop(L);
  set_row(e, request, UP_METHOD, LSM_OP_METHOD);
  set_text(L, request, UP_PATH, sm_buf_str(&e->scratch->path), UP_SLASH);
  set_text(L, request, UP_QUERY, sm_buf_str(&e->scratch->query), UP_EMPTY);
  if (op->host_prefix != SM_NONE) {
    lsm_pushstr(L, sm_buf_str(&e->scratch->text));
    lua_setfield(L, request, "host_prefix");
  }
  if (e->s->protocol == SM_AWS_JSON)
    set_protocol_headers(e, headers);
  else if (e->s->protocol == SM_AWS_QUERY)
    set_row(e, headers, UP_TYPE, LSM_OP_TYPE);
  lua_pushvalue(L, lua_upvalueindex(UP_HEADERS));
  lua_pushvalue(L, headers);
  lua_rawset(L, request);
  lua_pushvalue(L, lua_upvalueindex(UP_BODY));
  push_body(e);
  if (op->flags & SM_O_CHECKSUM)
    set_checksum(e, headers, lua_gettop(L));
  lua_rawset(L, request);
  finish(e);
  return 1;
}

/* The parameters at `idx`; none are as good as an empty table. */
static void default_params (lua_State *L, int idx) {
  if (lua_isnil(L, idx)) {
    lua_newtable(L);
    lua_replace(L, idx);
  }
}

/* How many headers a request will have when it is sent: eight, with those that
** the client and the signature add; where members stand in headers, more. */
static int expected_headers (const lsm_call *call) {
  return call->s->protocol == SM_REST_JSON ? 16 : 8;
}

/*
** core.encode(service, operation, params [, mode [, opts]]) -> request | nil,
** errors. mode: "basic" (default), "strict" or false; opts.token: the string
** that an absent idempotency token becomes.
*/
static int core_encode (lua_State *L) {
  lsm_enc e;
  unsigned checks;
  int headers;
  lua_settop(L, 5);
  checks = to_checks(L, 4);
  default_params(L, 3);
  lsm_begincall(L, &e.call, 0);
  if (lua_istable(L, 5)) {
    lua_getfield(L, 5, "token");
    lua_replace(L, 5);
  }
  lua_createtable(L, 0, expected_headers(&e.call));
  headers = lua_gettop(L);
  begin(L, &e, checks);
  if (lua_type(L, 5) == LUA_TSTRING)
    e.token = 5;
  walk(&e, 3, headers);
  return e.nerrors > 0 ? push_problems(&e) : push_request(&e, headers);
}

/*
** core.validate(service, operation, params [, mode]) -> true | nil, errors.
** The client fills in idempotency tokens, so they are never missing.
*/
static int core_validate (lua_State *L) {
  lsm_enc e;
  unsigned checks;
  lua_settop(L, 4);
  checks = to_checks(L, 4);
  default_params(L, 3);
  lsm_begincall(L, &e.call, 0);
  lua_newtable(L);
  begin(L, &e, checks);
  lua_pushliteral(L, "00000000-0000-4000-8000-000000000000");
  e.token = lua_gettop(L);
  walk(&e, 3, e.errors - 2);
  if (e.nerrors > 0)
    return push_problems(&e);
  finish(&e);
  lua_pushboolean(L, 1);
  return 1;
}

/* }} */

/* {{ Answers: the service's side */

/* Pushes {status, headers, body}. */
static int push_answer (lsm_enc *e, int status, int headers) {
  lua_State *L = e->L;
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, status);
  lua_setfield(L, -2, "status");
  lua_pushvalue(L, headers);
  lua_setfield(L, -2, "headers");
  push_body(e);
  lua_setfield(L, -2, "body");
  finish(e);
  return 1;
}

/* Writes an output and returns the status. */
static int walk_output (lsm_enc *e, int output, int headers) {
  const sm_operation *op = e->call.op;
  int status = op->status == 0 ? 200 : op->status, own;
  if (e->s->protocol == SM_AWS_JSON) {
    lua_rawgeti(e->L, e->call.row, LSM_OP_TYPE);
    lua_setfield(e->L, headers, "Content-Type");
    if (op->output != SM_NONE)
      lsm_enc_value(e, e->s->shapes + op->output, SM_TS_DEFAULT, output);
  } else {
    own = lsm_enc_restoutput(e, output, headers);
    status = own != 0 ? own : status;
  }
  check_buffers(e);
  return status;
}

/*
** core.encode_output(service, operation, output) -> {status, headers, body} |
** nil, errors. Types and names are checked, nothing else; null is absent.
*/
static int core_encode_output (lua_State *L) {
  lsm_enc e;
  int headers, status;
  lua_settop(L, 3);
  default_params(L, 3);
  lsm_begincall(L, &e.call, 0);
  lsm_noquery(L, e.call.s);
  lua_createtable(L, 0, 4);
  headers = lua_gettop(L);
  begin(L, &e, LSM_CHECK_UNKNOWN);
  status = walk_output(&e, 3, headers);
  return e.nerrors > 0 ? push_problems(&e) : push_answer(&e, status, headers);
}

/* The wire name of the message of an exception: most say "Message" or
** "message"; without a shape it is the latter. */
static sm_str message_name (const sm_service *s, const sm_shape *shape) {
  if (shape != NULL && shape->type == SM_STRUCTURE &&
      sm_member_by_wire(s, shape, SM_LIT("Message"), 0) >= 0)
    return SM_LIT("Message");
  return SM_LIT("message");
}

/* Appends the members of the exception in the table at `fields` to the object
** that is open. */
static void put_fields (lsm_enc *e, const sm_shape *shape, int fields) {
  lsm_found found;
  size_t before = e->out->len;
  if (!lsm_enc_enter(e, shape, fields, &found))
    return;
  lsm_enc_members(e, shape, &found, 1);
  lsm_enc_leave(e);
  if (e->out->err == SM_OK) {
    e->out->p[before] = e->out->len - before > 2 ? ',' : ' ';
    e->out->len--;
  }
}

/* Writes {"__type": code, "message": message, fields}. */
static void put_error (lsm_enc *e, const sm_shape *shape, int fields) {
  lua_State *L = e->L;
  sm_buf *b = e->out;
  sm_buf_putc(b, '{');
  if (e->s->protocol == SM_AWS_JSON) {
    sm_json_put_name(b, SM_LIT("__type"), 0);
    sm_json_put_string(b, lsm_checkstr(L, 3), NULL);
    sm_buf_putc(b, ',');
  }
  sm_json_put_name(b, message_name(e->s, shape), 0);
  if (sm_json_put_string(b, lsm_checkstr(L, 4), NULL) == SM_EUTF8)
    luaL_argerror(L, 3, "not valid UTF-8");
  if (shape != NULL && lua_istable(L, fields))
    put_fields(e, shape, fields);
  sm_buf_putc(b, '}');
  check_buffers(e);
}

static void set_error_headers (lsm_enc *e, int headers) {
  lua_State *L = e->L;
  if (e->s->protocol == SM_AWS_JSON) {
    lua_pushliteral(L, "application/x-amz-json-");
    lsm_pushstr(L, sm_text_of(e->s, e->s->json_version));
    lua_concat(L, 2);
  } else {
    lua_pushvalue(L, 3);
    lua_setfield(L, headers, "x-amzn-ErrorType");
    lua_pushliteral(L, "application/json");
  }
  lua_setfield(L, headers, "Content-Type");
}

/*
** core.encode_error(service, code, message, status [, fields]) -> {status,
** headers, body} | nil, errors. `status` may be nil where the model has one
** for the code; `fields` are further members of the exception.
*/
static int core_encode_error (lua_State *L) {
  lsm_enc e;
  const sm_shape *shape;
  int status = (int)luaL_optinteger(L, 4, 0), headers;
  lsm_checkstr(L, 2);
  lsm_checkstr(L, 3);
  lua_settop(L, 5);
  lua_pushnil(L);
  lua_insert(L, 2); /* the call names no operation */
  lsm_begincall(L, &e.call, 1);
  lsm_noquery(L, e.call.s);
  lua_createtable(L, 0, 4);
  headers = lua_gettop(L);
  begin(L, &e, LSM_CHECK_UNKNOWN);
  shape = sm_shape_find(e.s, lsm_checkstr(L, 3));
  put_error(&e, shape, 6);
  if (e.nerrors > 0)
    return push_problems(&e);
  set_error_headers(&e, headers);
  if (status == 0)
    status = shape != NULL && shape->status != 0 ? shape->status : 400;
  return push_answer(&e, status, headers);
}

/* }} */

static const luaL_Reg functions[] = {
    {"validate", core_validate},
    {"encode_output", core_encode_output},
    {"encode_error", core_encode_error},
    {NULL, NULL},
};

void lsm_open_encode (lua_State *L) {
  int i;
  lsm_setcodecfuncs(L, functions);
  lsm_pushcodecstate(L);
  for (i = 0; i < UP_END - UP_METHOD; i++)
    lua_pushstring(L, upvalue_texts[i]);
  lua_pushcclosure(L, core_encode, UP_END - 1);
  lua_setfield(L, -2, "encode");
}
