/*
** lcurl.c: opens `sagemaker.curl`.
**
**   local curl = require "sagemaker.curl"
**   local loop = curl.loop()
**   local agent = loop:agent{ ca_file = "/path/to/ca.pem" }
**   local response, code, text, sent, received, retryable =
**     agent:perform({ method = "POST", url = "https://…", headers = {…},
**       body = "{}", timeouts = { connect = 3, read = 60 } }, seconds)
**
** or, many at once:
**
**   local number = agent:start(request, seconds)
**   loop:step(seconds)         until something is to be reported, or so long
**   number = loop:next()       what is to be reported; nil: nothing any more
**   response = loop:finish(number, agent)
**
** Names of options and failures: lua/sagemaker/transport/curl.lua,
** lcurl_error.c. Streams: lcurl_stream.c.
*/
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>

#include "lcurl_lua.h"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

/* Bytes of an answer unless told otherwise. */
#define MAX_BODY (64.0 * 1024 * 1024)
#define MAX_HEAD (64.0 * 1024)

/* Connections that an agent keeps unless told otherwise. */
#define CONNECTIONS 64.0

/* ---- loops ------------------------------------------------------------ */

static lcurl_loop *check_loop (lua_State *L) {
  return (lcurl_loop *)luaL_checkudata(L, 1, LCURL_LOOP);
}

/* curl.loop() */
static int new_loop (lua_State *L) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  lcurl_loop *l = (lcurl_loop *)lua_newuserdata(L, sizeof(*l));
  lcurl_loop_init(l, alloc, ud);
  luaL_getmetatable(L, LCURL_LOOP);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 0);
  lcurl_setuservalue(L, -2);
  return 1;
}

static int loop_gc (lua_State *L) {
  lcurl_loop_free(check_loop(L));
  return 0;
}

/* loop:close() closes its agents. They are freed later: a request that is being
** read may belong to one. */
static int loop_close (lua_State *L) {
  lcurl_agent *a;
  for (a = check_loop(L)->agents; a != NULL; a = a->next)
    lcurl_agent_close(a);
  return 0;
}

/* loop:step([seconds]) -> whether something is to be reported */
static int loop_step (lua_State *L) {
  lcurl_loop *l = check_loop(L);
  lua_Number seconds = luaL_optnumber(L, 2, 0);
  int64_t now = lcurl_now(), until = now;
  if (seconds > 0)
    until = seconds > 1e9 ? LCURL_NEVER : now + lcurl_toms(seconds);
  if (lcurl_run(l, NULL, until) == LCURL_EVENT_SIGNAL)
    lcurl_breathe(L);
  lua_pushboolean(L, l->ready != NULL);
  return 1;
}

/* loop:next() -> number or nil */
static int loop_next (lua_State *L) {
  const lcurl_transfer *t = lcurl_loop_next(check_loop(L));
  if (t == NULL)
    return 0;
  lua_pushinteger(L, (lua_Integer)t->slot + 1);
  return 1;
}

/* loop:timeout() -> seconds until it wants to step; nil: not before a socket */
static int loop_timeout (lua_State *L) {
  const lcurl_loop *l = check_loop(L);
  const lcurl_timer *first = lcurl_timers_first(&l->timers);
  int64_t left;
  if (l->ready == NULL && first == NULL)
    return 0;
  left = l->ready != NULL ? 0 : first->at - lcurl_now();
  lua_pushnumber(L, left > 0 ? (lua_Number)left / 1000 : 0);
  return 1;
}

static void push_row (lua_State *L, const struct pollfd *p, unsigned long id) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, p->fd);
  lua_setfield(L, -2, "fd");
  lua_pushnumber(L, (lua_Number)id);
  lua_setfield(L, -2, "id");
  lua_pushboolean(L, (p->events & POLLIN) != 0);
  lua_setfield(L, -2, "read");
  lua_pushboolean(L, (p->events & POLLOUT) != 0);
  lua_setfield(L, -2, "write");
}

/* loop:fds([known]) -> {{fd, id, read, write}…} or nil when the generation is
** still `known`, generation. Making the rows may run a finalizer that closes
** sockets, so each is looked for anew, and the generation is the one before. */
static int loop_fds (lua_State *L) {
  const lcurl_loop *l = check_loop(L);
  unsigned long generation = l->generation;
  size_t i;
  if (lua_isnumber(L, 2) && lua_tonumber(L, 2) == (lua_Number)generation) {
    lua_pushnil(L);
    lua_pushvalue(L, 2);
    return 2;
  }
  lua_createtable(L, (int)l->nfds, 0);
  for (i = 0; i < l->nfds; i++) {
    struct pollfd p = ((struct pollfd *)(void *)l->fds.p)[i];
    push_row(L, &p, ((lcurl_watch *)(void *)l->watches.p)[i].id);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_pushnumber(L, (lua_Number)generation);
  return 2;
}

/* ---- agents ----------------------------------------------------------- */

static lcurl_box *check_box (lua_State *L, int idx) {
  return (lcurl_box *)luaL_checkudata(L, idx, LCURL_AGENT);
}

lcurl_agent *lcurl_toagent (lua_State *L, int idx) {
  const lcurl_box *box = check_box(L, idx);
  return box->agent != NULL && box->life == box->loop->life ? box->agent : NULL;
}

static int agent_close (lua_State *L) {
  lcurl_agent *a = lcurl_toagent(L, 1);
  if (a != NULL)
    lcurl_agent_close(a);
  return 0;
}

static int agent_gc (lua_State *L) {
  lcurl_agent *a = lcurl_toagent(L, 1);
  check_box(L, 1)->agent = NULL;
  if (a != NULL)
    lcurl_agent_free(a);
  return 0;
}

/* agent:count() -> transfers under way or with an answer to hand out */
static int agent_count (lua_State *L) {
  const lcurl_agent *a = lcurl_toagent(L, 1);
  lua_pushinteger(L, a != NULL ? (lua_Integer)a->nbusy : 0);
  return 1;
}

/* The string option `name`, left on the stack; NULL when absent. */
static const char *string_option (lua_State *L, const char *name) {
  size_t len;
  const char *s;
  lua_getfield(L, 2, name);
  if (lua_isnil(L, -1))
    return NULL;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "option '%s' must be a string", name);
  s = lua_tolstring(L, -1, &len);
  if (strlen(s) != len)
    luaL_error(L, "option '%s' holds a NUL", name);
  return s;
}

static size_t size_option (lua_State *L, const char *name, double fallback) {
  lua_Number n = fallback;
  lua_getfield(L, 2, name);
  if (!lua_isnil(L, -1)) {
    n = lua_tonumber(L, -1);
    if (!(lua_type(L, -1) == LUA_TNUMBER && n >= 1 && n <= 2147483647.0))
      luaL_error(L, "option '%s' must be a number above zero", name);
  }
  lua_pop(L, 1);
  return (size_t)n;
}

static void read_settings (lua_State *L, lcurl_settings *s) {
  s->ca_file = string_option(L, "ca_file");
  s->ca_path = string_option(L, "ca_path");
  s->proxy = string_option(L, "proxy");
  lua_getfield(L, 2, "verify");
  s->verify = lua_isnil(L, -1) || lua_toboolean(L, -1);
}

/* What an agent's requests may take. */
typedef struct allowance {
  size_t connections, max_body, max_head;
  lcurl_limits limits;
  int timings;
} allowance;

static void read_allowance (lua_State *L, allowance *w) {
  w->connections = size_option(L, "max_connections", CONNECTIONS);
  w->max_body = size_option(L, "max_response_bytes", MAX_BODY);
  w->max_head = size_option(L, "max_header_bytes", MAX_HEAD);
  w->limits.connect = lcurl_checkms(L, 2, "connect_timeout", LCURL_NEVER);
  w->limits.read = lcurl_checkms(L, 2, "read_timeout", LCURL_NEVER);
  w->limits.attempt = LCURL_NEVER;
  lua_getfield(L, 2, "timings");
  w->timings = lua_toboolean(L, -1);
  lua_pop(L, 1);
}

/* Pushes a new agent of the loop at 1 that is not open yet. */
static lcurl_box *push_box (lua_State *L, lcurl_loop *l) {
  lcurl_box *box = (lcurl_box *)lua_newuserdata(L, sizeof(*box));
  box->loop = l;
  box->agent = NULL;
  box->life = l->life;
  luaL_getmetatable(L, LCURL_AGENT);
  lua_setmetatable(L, -2);
  lcurl_getuservalue(L, 1);
  lcurl_setuservalue(L, -2);
  return box;
}

/* loop:agent(options) */
static int loop_agent (lua_State *L) {
  lcurl_loop *l = check_loop(L);
  lcurl_settings settings;
  allowance allowed;
  lcurl_box *box;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  read_settings(L, &settings);
  read_allowance(L, &allowed);
  box = push_box(L, l);
  box->agent = lcurl_agent_open(l, &settings);
  if (box->agent == NULL)
    return luaL_error(L, "not enough memory");
  box->agent->max_kept = allowed.connections;
  box->agent->max_body = allowed.max_body;
  box->agent->max_head = allowed.max_head;
  box->agent->limits = allowed.limits;
  box->agent->timings = allowed.timings;
  return 1;
}

/* ---- the module ------------------------------------------------------- */

/* curl.version() -> what libcurl is made of. Only when it is asked for: to tell
** the version of OpenLDAP, libcurl initialises it, which looks up the name of
** the host and loads the plugins of SASL, at a fifth of the cost of a process
** that makes one call. */
static int version (lua_State *L) {
  lua_pushstring(L, curl_version());
  return 1;
}

/* curl.ca_directory() -> path or nil */
static int ca_directory (lua_State *L) {
  lua_pushstring(L, lcurl_ca_directory()); /* NULL pushes nil */
  return 1;
}

/*
** Keeps libcurl in memory for good: a thread of it that still resolves a name
** whose request timed out would otherwise run in unmapped code after the Lua
** state is closed. A handle of dlopen that is never closed does that.
*/
static void pin_libcurl (void) {
  Dl_info info;
  void *address;
  CURL *(*function)(void) = curl_easy_init;
  memcpy(&address, &function, sizeof(address));
  if (dladdr(address, &info) != 0 && info.dli_fname != NULL)
    (void)dlopen(info.dli_fname, RTLD_LAZY);
}

static void set_functions (lua_State *L, const luaL_Reg *list) {
  for (; list->name != NULL; list++) {
    lua_pushcfunction(L, list->func);
    lua_setfield(L, -2, list->name);
  }
}

void lcurl_newclass (lua_State *L, const char *name, const luaL_Reg *methods,
                     lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable"); /* nobody else calls the finalizer */
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  set_functions(L, methods);
  lua_getfield(L, -1, "close");
  lua_setfield(L, -3, "__close"); /* it may be in use where its block ends */
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__index");
}

static void make_loop_class (lua_State *L) {
  static const luaL_Reg methods[] = {
      {"agent", loop_agent},     {"step", loop_step}, {"next", loop_next},
      {"timeout", loop_timeout}, {"fds", loop_fds},   {"cancel", lcurl_cancel},
      {"close", loop_close},     {NULL, NULL},
  };
  lcurl_newclass(L, LCURL_LOOP, methods, loop_gc);
  lcurl_pushfinish(L);
  lua_setfield(L, -2, "finish");
  lua_pop(L, 2);
}

static void make_agent_class (lua_State *L) {
  static const luaL_Reg methods[] = {
      {"count", agent_count},
      {"close", agent_close},
      {NULL, NULL},
  };
  lcurl_newclass(L, LCURL_AGENT, methods, agent_gc);
  lcurl_pushperform(L);
  lua_setfield(L, -2, "perform");
  lcurl_pushstart(L);
  lua_setfield(L, -2, "start");
  lua_pop(L, 2);
}

EXPORT int luaopen_sagemaker_curl(lua_State *L);

EXPORT int luaopen_sagemaker_curl (lua_State *L) {
  static const luaL_Reg functions[] = {
      {"loop", new_loop},
      {"ca_directory", ca_directory},
      {"version", version},
      {NULL, NULL},
  };
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return luaL_error(L, "libcurl cannot be initialised");
  pin_libcurl();
  make_loop_class(L);
  make_agent_class(L);
  lcurl_openstream(L);
  lua_newtable(L);
  set_functions(L, functions);
  return 1;
}
