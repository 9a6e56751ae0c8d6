/*
** leventstream.c: event streams as Lua values.
**
**   core.eventstream_decoder(service, operation [, max_frame]) -> decoder
**   core.eventstream_decoder(nil, nil [, max_frame])           -> decoder
**
** A decoder takes the bytes of an answer in pieces of any size:
**
**   decoder:feed(bytes) -> true
**   decoder:next() -> event               {PayloadPart = {Bytes = "…"}}
**                   | nil                 more bytes are needed
**                   | nil, message        the stream is not what it must be
**                   | nil, message, fault the service says that it failed
**   decoder:finish() -> true | nil, message [, fault]
**
** An event is decoded by the union that the operation's output holds; events
** that the union does not know are skipped. `fault` is {code, message, fields,
** raw} of an exception (as core.decode_error gives them) and {code, message} of
** an unmodeled error. A failure stays: every later call tells it again. Without
** a service, `next` gives the messages as they are: {headers = {{name, type,
** value}, …}, payload}; a UUID is its 16 bytes, a timestamp is in seconds.
*/
#include "ldecode.h"
#include "leventstream.h"
#include "sm_text.h"

#define DECODER "sagemaker.eventstream"

#if LUA_VERSION_NUM == 501
#define setcache(L, i) lua_setfenv((L), (i))
#define getcache(L, i) lua_getfenv((L), (i))
#else
#define setcache(L, i) lua_setuservalue((L), (i))
#define getcache(L, i) lua_getuservalue((L), (i))
#endif

/* The user value (5.1: environment) of a decoder: a table of these, and behind
** them the strings that were fed and not read to their end. */
enum {
  CACHE_SERVICE = 1,
  CACHE_OPERATION,
  CACHE_MESSAGE, /* of the failure, once there was one */
  CACHE_FAULT,
  CACHE_QUEUE
};

typedef struct decoder {
  sm_eventstream es;
  const sm_shape *stream; /* the union of events; NULL: messages as they are */
  int head, tail;         /* the queue is at CACHE_QUEUE + head … tail - 1 */
  size_t pos;             /* how much of its first string was read */
  int failed;             /* 1: the failure is kept */
  int busy;               /* 1: a call did not come to its end */
} decoder;

/* {{ Values of headers */

static void push_time (lua_State *L, int64_t ms) {
  if (ms % 1000 == 0)
    lsm_pushint(L, ms / 1000);
  else
    lua_pushnumber(L, (lua_Number)ms / 1000);
}

static void push_value (lua_State *L, const sm_es_header *h) {
  switch (h->type) {
  case SM_ES_TRUE:
  case SM_ES_FALSE:
    lua_pushboolean(L, h->type == SM_ES_TRUE);
    break;
  case SM_ES_BYTES:
  case SM_ES_STRING:
  case SM_ES_UUID:
    lsm_pushstr(L, h->s);
    break;
  case SM_ES_TIMESTAMP:
    push_time(L, h->i);
    break;
  default:
    lsm_pushint(L, h->i);
  }
}

/* Whether a value of this type on the wire is one of the shape. */
static int is_meant (const sm_shape *shape, unsigned type) {
  switch (shape->type) {
  case SM_BOOLEAN:
    return type == SM_ES_TRUE || type == SM_ES_FALSE;
  case SM_INTEGER:
  case SM_LONG:
    return type >= SM_ES_BYTE && type <= SM_ES_LONG;
  case SM_BLOB:
    return type == SM_ES_BYTES;
  case SM_STRING:
    return type == SM_ES_STRING;
  case SM_TIMESTAMP:
    return type == SM_ES_TIMESTAMP;
  default:
    return 0;
  }
}

/* }} */

/* {{ Events: 1 and one value pushed, or -1 */

/* The member of an event that its header holds, into the table at t. */
static int get_header (lsm_dec *d, const sm_member *m, int t,
                       const sm_es_message *msg) {
  sm_es_header h;
  if (!sm_es_find(msg, sm_text_of(d->s, m->wire), &h))
    return 1;
  if (!is_meant(d->s->shapes + m->shape, h.type)) {
    sm_buf *b = lsm_dec_problem(d);
    sm_buf_puts(b, SM_LIT("expected "));
    lsm_putwanted(b, d->s->shapes + m->shape);
    sm_buf_puts(b, SM_LIT(" in a header, got the type "));
    sm_buf_puts(
        b, (sm_str){lsm_event_types[h.type], strlen(lsm_event_types[h.type])});
    return -1;
  }
  lsm_pushname(d->L, d->call.names, d->s, m->name);
  push_value(d->L, &h);
  lua_rawset(d->L, t);
  return 1;
}

/* The member of an event that is its payload. */
static int get_payload (lsm_dec *d, const sm_member *m, int t, sm_str text) {
  lua_State *L = d->L;
  const sm_shape *shape = d->s->shapes + m->shape;
  int got;
  lsm_pushname(L, d->call.names, d->s, m->name);
  if (shape->type == SM_BLOB || shape->type == SM_STRING) {
    if (shape->type == SM_STRING && sm_utf8_check(text) < text.len)
      return lsm_dec_complain(d, "not valid UTF-8");
    lsm_pushstr(L, text);
    lua_rawset(L, t);
    return 1;
  }
  if (sm_str_trim(text).len == 0)
    return 1;
  lsm_dec_open(d, text);
  got = lsm_dec_value(d, shape, m->ts_format);
  if (lsm_dec_close(d) < 0 || got < 0)
    return -1;
  if (got == 1)
    lua_rawset(L, t);
  return 1;
}

/* The members that are neither header nor payload: a JSON object. */
static int get_object (lsm_dec *d, const sm_shape *shape, int t, sm_str text) {
  const sm_member *m = sm_members_of(d->s, shape);
  int i, n = 0, got;
  for (i = 0; i < shape->count; i++)
    n += (m[i].flags & (SM_M_EVENTHEADER | SM_M_EVENTPAYLOAD)) == 0;
  if (n == 0 || sm_str_trim(text).len == 0)
    return 1;
  lsm_dec_open(d, text);
  got = lsm_dec_members(d, shape, t, 0);
  return lsm_dec_close(d) < 0 || got < 0 ? -1 : 1;
}

static int get_members (lsm_dec *d, const sm_shape *shape, int t,
                        const sm_es_message *msg) {
  const sm_member *m = sm_members_of(d->s, shape);
  lsm_frame f = {d->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  int i, got = 1, whole = 1;
  for (i = 0; i < shape->count; i++)
    whole &= !(m[i].flags & SM_M_EVENTPAYLOAD);
  if (whole)
    got = get_object(d, shape, t, msg->payload);
  d->at = &f;
  for (i = 0; i < shape->count && got > 0; i++) {
    f.id = m[i].name;
    if (m[i].flags & SM_M_EVENTHEADER)
      got = get_header(d, m + i, t, msg);
    else if (m[i].flags & SM_M_EVENTPAYLOAD)
      got = get_payload(d, m + i, t, msg->payload);
    if (got > 0)
      lua_settop(d->L, t);
  }
  d->at = f.up;
  return got;
}

/* {Name = {…}}, for a member of the union. */
static int get_event (lsm_dec *d, const sm_member *e,
                      const sm_es_message *msg) {
  lua_State *L = d->L;
  lsm_frame f = {NULL, LSM_MEMBER, e->name, 0, {NULL, 0}};
  int event, got;
  lua_createtable(L, 0, 1);
  event = lua_gettop(L);
  lsm_pushname(L, d->call.names, d->s, e->name);
  lua_createtable(L, 0, 1);
  d->at = &f;
  got = get_members(d, d->s->shapes + e->shape, event + 2, msg);
  d->at = NULL;
  if (got < 0)
    return -1;
  lua_rawset(L, event);
  return 1;
}

/* }} */

/* {{ Messages */

/* A header that must be a string: 1, 0 when there is none, -1 for another
** type. */
static int text_of (const sm_es_message *m, sm_str name, sm_str *s) {
  sm_es_header h;
  *s = (sm_str){"", 0};
  if (!sm_es_find(m, name, &h))
    return 0;
  if (h.type != SM_ES_STRING)
    return -1;
  *s = h.s;
  return 1;
}

/* The member of the union with this name, or NULL. */
static const sm_member *find_event (const lsm_dec *d, const sm_shape *stream,
                                    sm_str name) {
  int i = sm_member_by_wire(d->s, stream, name, 0);
  return i < 0 ? NULL : sm_members_of(d->s, stream) + i;
}

/* Sets the fields `code` and `message` of a fault on top, and pushes them as
** one text below it. */
static void name_fault (lua_State *L) {
  int fault = lua_gettop(L);
  lua_getfield(L, fault, "code");
  lua_getfield(L, fault, "message");
  if (lsm_rawlen(L, -1) > 0) {
    lua_pushliteral(L, ": ");
    lua_insert(L, -2);
    lua_concat(L, 3);
  } else {
    lua_pop(L, 1);
  }
  lua_insert(L, fault);
}

/* Pushes message and fault of an exception: decode_error reads the payload as
** it reads the body of an answer. */
static void push_exception (lsm_dec *d, const sm_shape *stream, sm_str type,
                            sm_str payload) {
  lua_State *L = d->L;
  const sm_member *m = find_event(d, stream, type);
  sm_str code = type;
  if (m != NULL && d->s->shapes[m->shape].flags & SM_S_EXCEPTION)
    code = sm_text_of(d->s, d->s->shapes[m->shape].code);
  lsm_pushcodecstate(L);
  lua_pushcclosure(L, lsm_core_decode_error, LSM_UPVALUES);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushinteger(L, 400);
  lua_createtable(L, 0, 1);
  lsm_pushstr(L, code);
  lua_setfield(L, -2, "x-amzn-errortype");
  lsm_pushstr(L, payload);
  lua_call(L, 5, 1);
  lsm_pushstr(L, code);
  lua_setfield(L, -2, "code");
  name_fault(L);
}

/* Pushes message and fault of an error that has no shape. */
static void push_error (lua_State *L, const sm_es_message *m) {
  sm_str s;
  lua_createtable(L, 0, 2);
  if (text_of(m, SM_LIT(":error-code"), &s) != 1 || s.len == 0)
    s = SM_LIT("UnknownError");
  lsm_pushstr(L, s);
  lua_setfield(L, -2, "code");
  text_of(m, SM_LIT(":error-message"), &s);
  lsm_pushstr(L, s);
  lua_setfield(L, -2, "message");
  name_fault(L);
}

/* What a message turns out to be. */
enum {
  IS_BROKEN = -1, /* d->scratch->text says why */
  IS_SKIPPED,
  IS_EVENT, /* pushed */
  IS_FAULT  /* message and fault are pushed */
};

static int read_event (lsm_dec *d, const sm_shape *stream,
                       const sm_es_message *m) {
  const sm_member *e;
  sm_str type;
  int got = text_of(m, SM_LIT(":event-type"), &type);
  if (got <= 0)
    return lsm_dec_complain(d, got == 0 ? "an event has no :event-type"
                                        : ":event-type is no string");
  e = find_event(d, stream, type);
  if (e == NULL)
    return IS_SKIPPED;
  return get_event(d, e, m) < 0 ? IS_BROKEN : IS_EVENT;
}

static int read_exception (lsm_dec *d, const sm_shape *stream,
                           const sm_es_message *m) {
  sm_str type;
  int got = text_of(m, SM_LIT(":exception-type"), &type);
  if (got <= 0)
    return lsm_dec_complain(d, got == 0 ? "an exception has no :exception-type"
                                        : ":exception-type is no string");
  push_exception(d, stream, type, m->payload);
  return IS_FAULT;
}

static int read_message (lsm_dec *d, const sm_shape *stream,
                         const sm_es_message *m) {
  sm_str kind;
  int got = text_of(m, SM_LIT(":message-type"), &kind);
  if (got <= 0)
    return lsm_dec_complain(d, got == 0 ? "a message has no :message-type"
                                        : ":message-type is no string");
  if (sm_str_eq(kind, SM_LIT("event")))
    return read_event(d, stream, m);
  if (sm_str_eq(kind, SM_LIT("exception")))
    return read_exception(d, stream, m);
  if (sm_str_eq(kind, SM_LIT("error"))) {
    push_error(d->L, m);
    return IS_FAULT;
  }
  return lsm_dec_complain(d, "a message has an unknown :message-type");
}

/* Pushes a message as it is. */
static void push_raw (lua_State *L, const sm_es_message *m) {
  sm_str rest = m->headers;
  sm_es_header h;
  int n = 0;
  lua_createtable(L, 0, 2);
  lua_newtable(L);
  while (sm_es_header_next(&rest, &h) == 1) {
    lua_createtable(L, 0, 3);
    lsm_pushstr(L, h.name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, lsm_event_types[h.type]);
    lua_setfield(L, -2, "type");
    push_value(L, &h);
    lua_setfield(L, -2, "value");
    lua_rawseti(L, -2, ++n);
  }
  lua_setfield(L, -2, "headers");
  lsm_pushstr(L, m->payload);
  lua_setfield(L, -2, "payload");
}

/* }} */

/* {{ The decoder */

/* Stack indices of a method, once it is set up. */
enum {
  ARG_SERVICE = 1,
  ARG_OPERATION,
  ARG_DECODER,
  ARG_CACHE
};

static decoder *check (lua_State *L) {
  return (decoder *)luaL_checkudata(L, 1, DECODER);
}

/* Puts service and operation where lsm_begincall wants them. */
static void arrange (lua_State *L) {
  lua_settop(L, 1);
  getcache(L, 1);
  lua_rawgeti(L, 2, CACHE_OPERATION);
  lua_insert(L, 1);
  lua_rawgeti(L, 3, CACHE_SERVICE);
  lua_insert(L, 1);
}

static int decoder_gc (lua_State *L) {
  sm_es_free(&check(L)->es);
  return 0;
}

static int decoder_feed (lua_State *L) {
  decoder *u = check(L);
  sm_str s = lsm_checkstr(L, 2);
  if (s.len > 0) {
    getcache(L, 1);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, CACHE_QUEUE + u->tail);
    u->tail++;
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* Forgets the first string of the queue. */
static void drop (lua_State *L, decoder *u) {
  lua_pushnil(L);
  lua_rawseti(L, ARG_CACHE, CACHE_QUEUE + u->head);
  u->pos = 0;
  if (++u->head == u->tail)
    u->head = u->tail = 0;
}

/* The next message; it borrows from the first string of the queue, which stays
** there until this is called again. */
static int pull (lua_State *L, decoder *u, sm_es_message *m) {
  sm_str all, in;
  int got = 0;
  while (got == 0 && u->head < u->tail) {
    lua_rawgeti(L, ARG_CACHE, CACHE_QUEUE + u->head);
    all = lsm_checkstr(L, -1);
    lua_pop(L, 1); /* the queue keeps it */
    in = (sm_str){all.p + u->pos, all.len - u->pos};
    if (in.len == 0) {
      drop(L, u);
      continue;
    }
    got = sm_es_next(&u->es, &in, m);
    u->pos = all.len - in.len;
  }
  if (got < 0 && u->es.err == SM_ENOMEM)
    return luaL_error(L, "not enough memory");
  return got;
}

/* Pushes what is wrong with the bytes. */
static void push_corruption (lua_State *L, const decoder *u) {
  char memory[256];
  sm_buf b;
  sm_buf_fixed(&b, memory, sizeof memory);
  sm_buf_puts(&b, SM_LIT("the event stream cannot be read: "));
  sm_buf_put(&b, u->es.what, strlen(u->es.what));
  sm_buf_puts(&b, SM_LIT(" at byte "));
  sm_put_u64(&b, u->es.at + 1);
  lsm_pushstr(L, sm_buf_str(&b));
}

/* Keeps the failure whose message and fault are on top of the stack. */
static void keep_failure (lua_State *L, decoder *u) {
  int top = lua_gettop(L);
  lua_pushvalue(L, top - 1);
  lua_rawseti(L, ARG_CACHE, CACHE_MESSAGE);
  lua_pushvalue(L, top);
  lua_rawseti(L, ARG_CACHE, CACHE_FAULT);
  u->failed = 1;
}

/* nil, message and, of a fault of the service, fault. */
static int tell_failure (lua_State *L) {
  lua_pushnil(L);
  lua_rawgeti(L, ARG_CACHE, CACHE_MESSAGE);
  lua_rawgeti(L, ARG_CACHE, CACHE_FAULT);
  return lua_isnil(L, -1) ? (lua_pop(L, 1), 2) : 3;
}

static int fail_stream (lua_State *L, decoder *u) {
  push_corruption(L, u);
  lua_pushnil(L);
  keep_failure(L, u);
  return tell_failure(L);
}

/* Pushes message and no fault, from the decoder's scratch buffer. */
static void push_problem (lsm_dec *d) {
  lua_State *L = d->L;
  lsm_checkmemory(L, &d->scratch->text);
  lua_pushliteral(L, "the event stream cannot be read: ");
  lsm_pushstr(L, sm_buf_str(&d->scratch->text));
  lua_concat(L, 2);
  lua_pushnil(L);
}

/* Reads messages until one is an event: what read_message says, or IS_SKIPPED
** when there is none, or IS_BROKEN with message and fault pushed. */
static int read_events (lua_State *L, decoder *u) {
  sm_es_message m;
  lsm_dec d;
  int scratch, got, is = IS_SKIPPED;
  lsm_begincall(L, &d.call, 0);
  lsm_dec_begin(L, &d);
  scratch = lua_gettop(L);
  while (is == IS_SKIPPED && (got = pull(L, u, &m)) != 0) {
    lua_settop(L, scratch);
    if (got < 0) {
      push_corruption(L, u);
      lua_pushnil(L);
      is = IS_BROKEN;
      break;
    }
    is = read_message(&d, u->stream, &m);
    if (is == IS_BROKEN)
      push_problem(&d);
  }
  lsm_dec_finish(&d, scratch);
  return is;
}

static int next_event (lua_State *L, decoder *u) {
  int is = read_events(L, u);
  u->busy = 0;
  if (is == IS_EVENT)
    return 1;
  if (is == IS_SKIPPED) {
    lua_pushnil(L);
    return 1;
  }
  keep_failure(L, u);
  return tell_failure(L);
}

static int next_raw (lua_State *L, decoder *u) {
  sm_es_message m;
  int got = pull(L, u, &m);
  if (got > 0)
    push_raw(L, &m);
  u->busy = 0;
  if (got < 0)
    return fail_stream(L, u);
  if (got == 0)
    lua_pushnil(L);
  return 1;
}

static int decoder_next (lua_State *L) {
  decoder *u = check(L);
  arrange(L);
  if (u->failed)
    return tell_failure(L);
  if (u->busy) /* an event may be lost: never go on behind it */
    return luaL_error(L, "an earlier call of this decoder was interrupted");
  u->busy = 1;
  return u->stream == NULL ? next_raw(L, u) : next_event(L, u);
}

static int decoder_finish (lua_State *L) {
  decoder *u = check(L);
  arrange(L);
  if (u->failed)
    return tell_failure(L);
  while (u->head < u->tail) {
    lua_rawgeti(L, ARG_CACHE, CACHE_QUEUE + u->head);
    if (lsm_rawlen(L, -1) > u->pos)
      return luaL_error(L, "there are bytes that next() did not read yet");
    lua_pop(L, 1);
    drop(L, u);
  }
  if (sm_es_end(&u->es) != SM_OK)
    return fail_stream(L, u);
  lua_pushboolean(L, 1);
  return 1;
}

/* The union of events in the output of the operation. */
static const sm_shape *stream_of (lua_State *L, const lsm_call *c) {
  const sm_service *s = c->s;
  const sm_member *m;
  int i;
  if (c->op->output != SM_NONE) {
    const sm_shape *output = s->shapes + c->op->output;
    m = sm_members_of(s, output);
    for (i = 0; i < output->count; i++) {
      if (s->shapes[m[i].shape].flags & SM_S_EVENTSTREAM)
        return s->shapes + m[i].shape;
    }
  }
  luaL_error(L, "%s answers no event stream", sm_text_of(s, c->op->name).p);
  return NULL;
}

static size_t frame_limit (lua_State *L, int idx) {
  lua_Number n = luaL_optnumber(L, idx, (lua_Number)SM_ES_MAX_FRAME);
  luaL_argcheck(L, n >= SM_ES_OVERHEAD && n <= 1 << 30, idx,
                "a frame has between 16 bytes and 1 GiB");
  return (size_t)n;
}

static int new_decoder (lua_State *L) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  size_t limit = frame_limit(L, 3);
  const sm_shape *stream = NULL;
  lsm_call c;
  decoder *u;
  lua_settop(L, 2);
  if (!lua_isnil(L, 1)) {
    lsm_begincall(L, &c, 0);
    stream = stream_of(L, &c);
  }
  u = (decoder *)lua_newuserdata(L, sizeof(*u));
  memset(u, 0, sizeof(*u));
  sm_es_init(&u->es, limit, alloc, ud);
  u->stream = stream;
  luaL_getmetatable(L, DECODER);
  lua_setmetatable(L, -2);
  lua_createtable(L, CACHE_QUEUE, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, CACHE_SERVICE);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, CACHE_OPERATION);
  setcache(L, -2);
  return 1;
}

/* }} */

static const luaL_Reg methods[] = {
    {"feed", decoder_feed},
    {"next", decoder_next},
    {"finish", decoder_finish},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"eventstream_decoder", new_decoder},
    {"eventstream_encode", lsm_core_eventstream_encode},
    {NULL, NULL},
};

void lsm_open_eventstream (lua_State *L) {
  lsm_newmetatable(L, DECODER, NULL, decoder_gc);
  lua_newtable(L);
  lsm_setcodecfuncs(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lsm_setcodecfuncs(L, functions);
}
