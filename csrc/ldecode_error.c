/*
** ldecode_error.c: core.decode_error, which finds something to say about any
** answer that is not a success.
**
** The code is the first of these that is a string and not empty: `__type` of
** the body, the header x-amzn-ErrorType, `code` and `Code` of the body, each
** without its namespace and URI; else the status as text ("503"). A service
** that once spoke the query protocol may send an older code in the header
** x-amzn-query-error, which then counts. A service that speaks it has code,
** message, type and request_id in XML.
**
** The message is `message`, `Message` or `errorMessage` of the body. A body
** that is no JSON object is the message itself, except that an empty body or a
** page of HTML with a status of 500 and more gives the status's phrase.
*/
#include "ldecode.h"
#include "lquery.h"
#include "sm_rest.h"
#include "sm_text.h"

/* A body that is used as a message is cut after this many bytes. */
#define MESSAGE_MAX 4096

/* One call: stack indices of its arguments and of what was found. */
typedef struct job {
  lsm_dec d;
  int status;
  sm_str body;
  int raw;        /* the decoded body, or nil */
  int result;     /* the table to return */
  sm_fault fault; /* of the query protocol; else empty */
} job;

enum {
  ARG_STATUS = 3,
  ARG_HEADERS,
  ARG_BODY
};

/* Pushes the decoded body, or nil when it is no JSON object. */
static void push_raw (job *x) {
  lsm_dec *d = &x->d;
  int top = lua_gettop(d->L), got = -1;
  lsm_dec_open(d, x->body);
  if (sm_json_peek(&d->r) == SM_J_OBJECT)
    got = lsm_dec_document(d);
  if (lsm_dec_close(d) < 0 || got < 0) {
    lua_settop(d->L, top);
    lua_pushnil(d->L);
  }
  d->failed = 0;
  x->raw = lua_gettop(d->L);
}

/* Pushes a field of the decoded body when it is a string: 1; else 0. */
static int push_field (job *x, const char *key) {
  lua_State *L = x->d.L;
  if (lua_isnil(L, x->raw))
    return 0;
  lua_pushstring(L, key);
  lua_rawget(L, x->raw);
  if (lua_type(L, -1) == LUA_TSTRING)
    return 1;
  lua_pop(L, 1);
  return 0;
}

/* Replaces the string on top by the bare code that it holds; 0 and nothing is
** left there when there is none. */
static int to_code (lua_State *L) {
  sm_str code = sm_error_code(lsm_checkstr(L, -1));
  if (code.len == 0) {
    lua_pop(L, 1);
    return 0;
  }
  lsm_pushstr(L, code);
  lua_remove(L, -2);
  return 1;
}

static void push_status (job *x) {
  sm_buf *b = &x->d.scratch->query;
  sm_buf_reset(b);
  sm_put_i64(b, x->status);
  lsm_checkmemory(x->d.L, b);
  lsm_pushstr(x->d.L, sm_buf_str(b));
}

/* Pushes a text of the fault: 1, or 0 when it has none. */
static int push_run (job *x, sm_run run) {
  if (run.len > 0)
    lsm_pushstr(x->d.L, (sm_str){x->d.scratch->path.p + run.off, run.len});
  return run.len > 0;
}

static void push_code (job *x) {
  lua_State *L = x->d.L;
  if (push_run(x, x->fault.code) && to_code(L))
    return;
  if (push_field(x, "__type") && to_code(L))
    return;
  if (lsm_dec_findheader(L, ARG_HEADERS, SM_LIT("x-amzn-errortype")) &&
      to_code(L))
    return;
  if (push_field(x, "code") && to_code(L))
    return;
  if (push_field(x, "Code") && to_code(L))
    return;
  push_status(x);
}

/* "AWS.SimpleQueueService.NonExistentQueue;Sender" replaces the code. */
static void set_query_error (job *x) {
  lua_State *L = x->d.L;
  sm_str s;
  const char *mark;
  if (x->d.s->protocol != SM_AWS_JSON ||
      !lsm_dec_findheader(L, ARG_HEADERS, SM_LIT("x-amzn-query-error")))
    return;
  s = lsm_checkstr(L, -1);
  mark = (const char *)memchr(s.p, ';', s.len);
  if (mark != NULL && mark > s.p && mark + 1 < s.p + s.len &&
      memchr(mark + 1, ';', (size_t)(s.p + s.len - mark - 1)) == NULL) {
    lua_getfield(L, x->result, "code");
    lua_setfield(L, x->result, "query_error_code");
    lsm_pushstr(L, (sm_str){s.p, (size_t)(mark - s.p)});
    lua_setfield(L, x->result, "code");
    lsm_pushstr(L, (sm_str){mark + 1, (size_t)(s.p + s.len - mark - 1)});
    lua_setfield(L, x->result, "type");
  }
  lua_pop(L, 1);
}

/* Pushes the JSON text of the member `key` of the body, when there is one that
** is not null. */
static int push_text_of (job *x, sm_str key) {
  sm_json *r = &x->d.r;
  sm_str k, text;
  lsm_dec_open(&x->d, x->body);
  if (sm_json_enter(r, '{') != SM_OK)
    return 0;
  while (sm_json_key(r, &k, &x->d.scratch->body) == 1) {
    int wanted = sm_str_eq(k, key) && sm_json_peek(r) != SM_J_NULL;
    if (sm_json_raw(r, &text) == SM_OK && wanted) {
      lsm_pushstr(x->d.L, text);
      return 1;
    }
  }
  return 0;
}

/* Pushes what a body that is no object says. */
static void push_body_message (job *x) {
  sm_str body = sm_str_trim(x->body);
  if (x->status >= 500 && (body.len == 0 || sm_is_html(body))) {
    lsm_pushstr(x->d.L, sm_status_phrase(x->status));
    return;
  }
  if (body.len > MESSAGE_MAX) {
    body.len = MESSAGE_MAX;
    while (body.len > 0 && (body.p[body.len] & 0xC0) == 0x80)
      body.len--; /* not in the middle of a character */
  }
  if (sm_utf8_check(body) < body.len)
    body = sm_status_phrase(x->status);
  lsm_pushstr(x->d.L, body);
}

static void push_message (job *x) {
  static const char *const keys[] = {"message", "Message", "errorMessage"};
  size_t i;
  if (push_run(x, x->fault.message))
    return;
  if (lua_isnil(x->d.L, x->raw)) {
    push_body_message(x);
    return;
  }
  for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    if (push_field(x, keys[i]))
      return;
  }
  for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    if (push_text_of(x, (sm_str){keys[i], strlen(keys[i])}))
      return;
  }
  lua_pushliteral(x->d.L, "");
}

static int is_called (const sm_service *s, const sm_shape *shape, sm_str code) {
  return (shape->flags & SM_S_EXCEPTION) &&
         (sm_str_eq(sm_text_of(s, shape->code), code) ||
          sm_str_eq(sm_text_of(s, shape->name), code));
}

/* The exception with this code, first among those of the operation. */
static const sm_shape *find_exception (const lsm_call *c, sm_str code) {
  const sm_service *s = c->s;
  unsigned i;
  for (i = 0; c->op != NULL && i < c->op->nerrors; i++) {
    const sm_shape *shape = s->shapes + s->errors[c->op->errors + i];
    if (is_called(s, shape, code))
      return shape;
  }
  for (i = 0; i < s->nshapes; i++) {
    if (is_called(s, s->shapes + i, code))
      return s->shapes + i;
  }
  return NULL;
}

/* Sets `fields` to the members of the modeled exception, if it is one and can
** be read. */
static void set_fields (job *x) {
  lua_State *L = x->d.L;
  const sm_shape *shape;
  int top = lua_gettop(L), t, got = 1;
  lua_getfield(L, x->result, "code");
  shape = find_exception(&x->d.call, lsm_checkstr(L, -1));
  if (shape == NULL) {
    lua_settop(L, top);
    return;
  }
  lua_newtable(L);
  t = lua_gettop(L);
  if (x->d.s->protocol == SM_REST_JSON)
    got = lsm_dec_headers(&x->d, shape, t, ARG_HEADERS, x->status);
  if (got == 1 && !lua_isnil(L, x->raw)) {
    lsm_dec_open(&x->d, x->body);
    got = lsm_dec_members(&x->d, shape, t, 1);
  }
  if (got == 1) {
    lua_settop(L, t);
    lua_setfield(L, x->result, "fields");
  }
  lua_settop(L, top);
}

/* The XML of the query protocol. */
static void read_fault (job *x) {
  memset(&x->fault, 0, sizeof(x->fault));
  if (x->d.s->protocol == SM_AWS_QUERY)
    lsm_dec_fault(&x->d, x->body, &x->fault);
}

static void set_fault (job *x) {
  lua_State *L = x->d.L;
  if (push_run(x, x->fault.type))
    lua_setfield(L, x->result, "type");
  if (push_run(x, x->fault.request_id))
    lua_setfield(L, x->result, "request_id");
}

/*
** core.decode_error(service, operation | nil, status, headers, body) -> {code,
** message, raw, fields, body, type, query_error_code, request_id}. Never fails.
*/
int lsm_core_decode_error (lua_State *L) {
  job x;
  int scratch;
  lua_settop(L, ARG_BODY);
  if (lua_type(L, ARG_BODY) != LUA_TSTRING) {
    lua_pushliteral(L, "");
    lua_replace(L, ARG_BODY);
  }
  x.status = (int)lua_tointeger(L, ARG_STATUS);
  x.body = lsm_checkstr(L, ARG_BODY);
  lsm_begincall(L, &x.d.call, 1);
  lsm_dec_begin(L, &x.d);
  scratch = lua_gettop(L);
  read_fault(&x);
  push_raw(&x);
  lua_createtable(L, 0, 4);
  x.result = lua_gettop(L);
  push_code(&x);
  lua_setfield(L, x.result, "code");
  set_query_error(&x);
  push_message(&x);
  lua_setfield(L, x.result, "message");
  set_fault(&x);
  set_fields(&x);
  lua_pushvalue(L, lua_isnil(L, x.raw) ? ARG_BODY : x.raw);
  lua_setfield(L, x.result, lua_isnil(L, x.raw) ? "body" : "raw");
  lsm_checkmemory(L, &x.d.scratch->body);
  lsm_dec_finish(&x.d, scratch);
  return 1;
}
