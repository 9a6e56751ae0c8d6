/*
** lhttp.c: core.http_request, core.http_reader: HTTP/1.1 for transports that
** have sockets of their own.
**
**   core.http_request(method, target, host, headers, length, extra)
**     -> head, last | nil, problem
**   reader = core.http_reader()
**   reader:begin(limit, is_head)
**   next, piece = reader:feed(text, at)        a piece of the body, or nil
**   next, body = reader:read(text, at, max)    the whole body, once it is there
**   status, headers, keep, length = reader:head()
**   whole = reader:finish()                    the connection has ended
**   reader:is_done()
**
** `last`: the headers say "Connection: close". `next` is the position behind
** what was taken; bytes behind the end of an answer are not. feed and read
** answer nil, code, text where it is none.
*/
#include <stdio.h>

#include "lhttp_head.h"
#include "lsm.h"

/* The head of a request may be so large, in bytes; services allow less. */
#define MAX_REQUEST ((size_t)256 * 1024)
/* One that is no larger is written on the stack. */
#define SMALL_REQUEST 4096

#define READER "sagemaker.http_reader"

/* A reader that has handed out a body keeps no more of its memory. */
#define KEEP ((size_t)64 * 1024)

/* {{ Requests */

static int http_request (lua_State *L) {
  lhttp_request r;
  lua_Number length = luaL_checknumber(L, 5);
  char memory[SMALL_REQUEST];
  sm_buf small, *b = &small;
  const char *problem;
  r.method = lsm_checkstr(L, 1);
  r.origin = (sm_str){"", 0};
  r.target = lsm_checkstr(L, 2);
  r.host = lsm_checkstr(L, 3);
  luaL_argcheck(L, length >= 0 && length < 1e15, 5, "out of range");
  r.length = (size_t)length;
  r.extra = lua_isnoneornil(L, 6) ? r.origin : lsm_checkstr(L, 6);
  lua_settop(L, 6);
  sm_buf_fixed(b, memory, sizeof memory);
  problem = lhttp_puthead(L, b, &r, 4);
  if (b->err == SM_ELIMIT) {
    b = lsm_newbuf(L, MAX_REQUEST);
    problem = lhttp_puthead(L, b, &r, 4);
  }
  if (b->err == SM_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (problem == NULL && b->err != SM_OK)
    problem = "the headers are too large";
  if (problem != NULL) {
    lua_pushnil(L);
    lua_pushstring(L, problem);
    return 2;
  }
  lua_pushlstring(L, b->p, b->len);
  lua_pushboolean(L, r.last);
  return 2;
}

/* }} */

/* {{ Answers */

typedef struct reader {
  sm_http_reader r;
  sm_buf body; /* of `read`, as far as it has come */
} reader;

static reader *check (lua_State *L) {
  return (reader *)luaL_checkudata(L, 1, READER);
}

/* core.http_reader() */
static int http_reader (lua_State *L) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  reader *o = (reader *)lua_newuserdata(L, sizeof *o);
  sm_http_reader_init(&o->r, 0, alloc, ud);
  sm_buf_init(&o->body, 0, alloc, ud);
  luaL_getmetatable(L, READER);
  lua_setmetatable(L, -2);
  return 1;
}

static int reader_gc (lua_State *L) {
  reader *o = check(L);
  sm_http_reader_free(&o->r);
  sm_buf_free(&o->body);
  return 0;
}

/* Forgets the body. */
static void drop_body (reader *o) {
  if (o->body.cap > KEEP)
    sm_buf_free(&o->body);
  sm_buf_reset(&o->body);
}

/* Pushes what there is of the body, or the last piece of it where that is all
** there is; nothing of it stays. */
static void push_body (lua_State *L, reader *o, sm_str piece) {
  lsm_pushstr(L, o->body.len > 0 ? sm_buf_str(&o->body) : piece);
  drop_body(o);
}

/* reader:begin(limit, is_head) */
static int reader_begin (lua_State *L) {
  reader *o = check(L);
  lua_Number limit = luaL_checknumber(L, 2);
  luaL_argcheck(L, limit >= 1 && limit < 1e15, 2, "out of range");
  o->r.limit = (size_t)limit;
  sm_http_reader_begin(&o->r, lua_toboolean(L, 3));
  drop_body(o);
  return 0;
}

/* A whole number as this Lua has them: what 5.1 calls an integer may be too
** small. */
static void push_size (lua_State *L, double n) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)n);
#else
  lua_pushnumber(L, n);
#endif
}

/* nil, code, and the text that is on top of the stack. */
static int fail (lua_State *L, const char *code) {
  lua_pushnil(L);
  lua_pushstring(L, code);
  lua_insert(L, -3);
  lua_insert(L, -3);
  return 3;
}

static int too_large (lua_State *L, const char *what, double limit) {
  char text[80];
  snprintf(text, sizeof text, "%s of the answer is over %.0f bytes", what,
           limit);
  lua_pushstring(L, text);
  return fail(L, "ResponseTooLarge");
}

/* What a failure of the reader means. */
static int push_failure (lua_State *L, const sm_http_reader *r, int status) {
  if (status == SM_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (status == SM_ESYNTAX) {
    lua_pushstring(L, r->problem);
    return fail(L, "InvalidResponse");
  }
  if (r->lines <= SM_HTTP_MAX_LINES)
    return too_large(L, "header", (double)r->limit);
  lua_pushfstring(L, "more than %d header lines in the answer",
                  SM_HTTP_MAX_LINES);
  return fail(L, "ResponseTooLarge");
}

/* The text at 2 from the position at 3 on. */
static sm_str check_text (lua_State *L) {
  sm_str text = lsm_checkstr(L, 2);
  lua_Number at = luaL_checknumber(L, 3);
  luaL_argcheck(L, at >= 1 && at <= (lua_Number)text.len + 1, 3,
                "out of range");
  text.p += (size_t)at - 1;
  text.len -= (size_t)at - 1;
  return text;
}

/* The position in the text at 2 where `rest` begins. */
static void push_next (lua_State *L, sm_str rest) {
  push_size(L, (double)(lsm_rawlen(L, 2) - rest.len) + 1);
}

/* reader:feed(text, at) -> next, piece | nil, code, text */
static int reader_feed (lua_State *L) {
  reader *o = check(L);
  sm_str text = check_text(L), piece;
  int status = sm_http_reader_feed(&o->r, &text, &piece);
  if (status != SM_OK)
    return push_failure(L, &o->r, status);
  push_next(L, text);
  if (piece.len == 0)
    return 1;
  lsm_pushstr(L, piece);
  return 2;
}

/* Puts the pieces of a body together. */
static int gather (reader *o, sm_str *text, sm_str *piece) {
  int status = SM_OK;
  while (status == SM_OK && text->len > 0 && o->r.state != SM_HTTP_DONE) {
    status = sm_http_reader_feed(&o->r, text, piece);
    if (o->r.state != SM_HTTP_DONE || o->body.len > 0)
      sm_buf_puts(&o->body, *piece); /* else it is all there is */
    if (o->body.err != SM_OK)
      return o->body.err;
  }
  return status;
}

/* The collector does not see how much a reader holds, and readers that are left
** in the middle of large bodies would wait for much garbage of others. So it is
** shown garbage of that size, which nobody touches. */
static void tell_collector (lua_State *L, size_t grown) {
  if (grown < KEEP)
    return;
  (void)lua_newuserdata(L, grown);
  lua_pop(L, 1);
}

/* reader:read(text, at, max) -> next, body | nil, code, text; only behind the
** head. */
static int reader_read (lua_State *L) {
  reader *o = check(L);
  sm_str text = check_text(L), piece = {NULL, 0};
  lua_Number max = luaL_checknumber(L, 4);
  size_t cap = o->body.cap;
  int status;
  luaL_argcheck(L, max >= 1 && max < 1e15, 4, "out of range");
  if ((lua_Number)o->r.length > max)
    return too_large(L, "body", max);
  o->body.max = (size_t)max;
  if (o->body.len == 0 && o->body.cap > o->body.max)
    sm_buf_free(&o->body); /* the answer before might have had more */
  status = gather(o, &text, &piece);
  if (status != SM_OK) {
    int is_large = o->body.err == SM_ELIMIT;
    drop_body(o);
    return is_large ? too_large(L, "body", max)
                    : push_failure(L, &o->r, status);
  }
  push_next(L, text);
  if (o->r.state == SM_HTTP_DONE) {
    push_body(L, o, piece);
    return 2;
  }
  if (o->body.cap > cap)
    tell_collector(L, o->body.cap - cap);
  return 1;
}

/* reader:head() -> status, headers, keep, length; nil while it is not all
** there, and false when not even a byte of it is. The length is false where the
** answer does not tell. */
static int reader_head (lua_State *L) {
  const sm_http_reader *r = &check(L)->r;
  if (r->state <= SM_HTTP_FIELDS) {
    if (r->begun)
      lua_pushnil(L);
    else
      lua_pushboolean(L, 0);
    return 1;
  }
  lua_pushinteger(L, r->status);
  lhttp_pushheaders(L, r);
  lua_pushboolean(L, r->keep);
  if (r->length >= 0)
    push_size(L, (double)r->length);
  else
    lua_pushboolean(L, 0);
  return 4;
}

/* reader:finish() -> what `read` has of the body, when the answer is whole; it
** is forgotten either way */
static int reader_finish (lua_State *L) {
  reader *o = check(L);
  if (!sm_http_reader_end(&o->r)) {
    drop_body(o);
    return 0;
  }
  push_body(L, o, (sm_str){"", 0});
  return 1;
}

/* reader:is_done() -> whether the answer is all there */
static int reader_done (lua_State *L) {
  lua_pushboolean(L, check(L)->r.state == SM_HTTP_DONE);
  return 1;
}

/* }} */

void lsm_open_http (lua_State *L) {
  static const luaL_Reg methods[] = {
      {"begin", reader_begin},
      {"feed", reader_feed},
      {"finish", reader_finish},
      {"head", reader_head},
      {"is_done", reader_done},
      {"read", reader_read},
      {NULL, NULL},
  };
  lsm_newmetatable(L, READER, methods, reader_gc);
  lua_pop(L, 1);
  lua_pushcfunction(L, http_request);
  lua_setfield(L, -2, "http_request");
  lua_pushcfunction(L, http_reader);
  lua_setfield(L, -2, "http_reader");
}
