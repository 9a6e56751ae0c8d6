/*
** lcurl.c: opens `sagemaker.curl`.
**
**   local curl = require "sagemaker.curl"
**   local handle = curl.new{ ca_file = "/path/to/ca.pem" }
**   local response, code, text, sent, received, retryable =
**     handle:perform({ method = "POST", url = "https://…", headers = {…},
**       body = "{}", timeouts = { connect = 3, read = 60 } }, seconds)
**
** The last argument is the limit of the whole attempt. Names of options and
** failures: lua/sagemaker/transport/curl.lua, lcurl_error.c.
*/
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>

#include "lcurl_lua.h"

#define HANDLE "sagemaker.curl.handle"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

/* Bytes of an answer unless told otherwise. */
#define MAX_BODY (64.0 * 1024 * 1024)
#define MAX_HEAD (64.0 * 1024)

typedef struct handle {
  lcurl_loop loop;
  lcurl_transfer transfer;
  lcurl_request request;
  lcurl_limits limits; /* of requests that bring none */
  int timings;         /* answers tell how long each step took */
  int underway;        /* the transfer is in the loop */
  unsigned calls;      /* tells one perform from another */
} handle;

/* Takes a transfer out that ended, or that an error left behind. */
static void settle (handle *h) {
  if (h->underway)
    lcurl_loop_remove(&h->loop, &h->transfer);
  h->underway = 0;
}

/* Gives everything back; idempotent. */
static void destroy (handle *h) {
  h->calls++;
  if (h->loop.multi != NULL)
    settle(h);
  if (h->transfer.easy != NULL)
    curl_easy_cleanup(h->transfer.easy);
  h->transfer.easy = NULL;
  lcurl_loop_free(&h->loop);
  lcurl_response_free(&h->transfer.response);
  lcurl_request_free(&h->request);
}

static int handle_close (lua_State *L) {
  destroy((handle *)luaL_checkudata(L, 1, HANDLE));
  return 0;
}

static int handle_tostring (lua_State *L) {
  handle *h = (handle *)luaL_checkudata(L, 1, HANDLE);
  lua_pushfstring(L, "%s (%s)", HANDLE,
                  h->transfer.easy == NULL ? "closed" : "open");
  return 1;
}

static handle *check_open (lua_State *L, int idx) {
  handle *h = (handle *)luaL_checkudata(L, idx, HANDLE);
  if (h->transfer.easy == NULL)
    luaL_error(L, "the handle is closed");
  return h;
}

static int nothing (lua_State *L) {
  (void)L;
  return 0;
}

/*
** Drives the transfer to its end. After a signal a function is called that does
** nothing: Lua runs a pending hook at a call, so that lua's Ctrl-C ends a long
** wait at once. The hook may throw, or use the handle: nothing is held here.
*/
static void drive (lua_State *L, handle *h) {
  unsigned call = ++h->calls;
  while (!lcurl_run(&h->loop, &h->transfer)) {
    lua_pushcfunction(L, nothing);
    lua_call(L, 0, 0);
    if (h->calls != call)
      luaL_error(L, "the handle was used while a request was under way");
  }
}

static int fail (lua_State *L, const char *code, const char *text) {
  lcurl_failure f;
  memset(&f, 0, sizeof(f));
  f.code = code;
  strncpy(f.text, text, sizeof(f.text) - 1);
  return lcurl_pushfailure(L, &f);
}

/* handle:perform(request [, seconds]) */
static int handle_perform (lua_State *L) {
  handle *h = check_open(L, 1);
  lcurl_transfer *t = &h->transfer;
  lcurl_failure failure;
  const char *problem;
  lua_Number seconds = luaL_optnumber(L, 3, 1e10);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  problem = lcurl_readrequest(L, 2, &h->limits, &h->request);
  check_open(L, 1); /* a metamethod of the request may have closed it */
  settle(h);
  if (problem != NULL)
    return fail(L, "InvalidRequest", problem);
  if (!(seconds > 0))
    return fail(L, "AttemptTimeout", "no time was left to send the request");
  h->request.limits.attempt =
      seconds > 1e9 ? LCURL_NEVER : (int64_t)(seconds * 1000 + 0.999);
  t->result = lcurl_easy_request(t, &h->request);
  if (t->result == CURLE_OK && lcurl_loop_add(&h->loop, t) == CURLM_OK) {
    h->underway = 1;
    drive(L, h);
    settle(h);
    if (t->stop == LCURL_STOP_NONE && t->result == CURLE_OK) {
      lcurl_pushanswer(L, t, h->timings);
      return 1;
    }
  } else if (t->result == CURLE_OK) {
    t->result = CURLE_FAILED_INIT;
  }
  lcurl_classify(t, &failure);
  return lcurl_pushfailure(L, &failure);
}

/* The string option `name`, left on the stack; NULL when absent. */
static const char *string_option (lua_State *L, const char *name) {
  size_t len;
  const char *s;
  lua_getfield(L, 1, name);
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
  lua_getfield(L, 1, name);
  if (!lua_isnil(L, -1)) {
    n = lua_tonumber(L, -1);
    if (!(lua_type(L, -1) == LUA_TNUMBER && n >= 1 && n <= 2147483647.0))
      luaL_error(L, "option '%s' must be a number of bytes", name);
  }
  lua_pop(L, 1);
  return (size_t)n;
}

static void read_settings (lua_State *L, lcurl_settings *s) {
  s->ca_file = string_option(L, "ca_file");
  s->ca_path = string_option(L, "ca_path");
  s->proxy = string_option(L, "proxy");
  s->no_proxy = string_option(L, "no_proxy");
  lua_getfield(L, 1, "verify");
  s->verify = lua_isnil(L, -1) || lua_toboolean(L, -1);
}

/* Pushes a new handle that owns nothing yet. */
static handle *push_handle (lua_State *L) {
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  size_t max_body = size_option(L, "max_response_bytes", MAX_BODY);
  size_t max_head = size_option(L, "max_header_bytes", MAX_HEAD);
  handle *h = (handle *)lua_newuserdata(L, sizeof(*h));
  memset(h, 0, sizeof(*h));
  lcurl_response_init(&h->transfer.response, max_body, max_head, alloc, ud);
  lcurl_request_init(&h->request, alloc, ud);
  luaL_getmetatable(L, HANDLE);
  lua_setmetatable(L, -2);
  return h;
}

/* curl.new(options) */
static int new_handle (lua_State *L) {
  lcurl_settings settings;
  CURLcode rc = CURLE_OUT_OF_MEMORY;
  handle *h;
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  read_settings(L, &settings);
  h = push_handle(L);
  h->limits.connect = lcurl_checkms(L, 1, "connect_timeout", LCURL_NEVER);
  h->limits.read = lcurl_checkms(L, 1, "read_timeout", LCURL_NEVER);
  h->limits.attempt = LCURL_NEVER;
  lua_getfield(L, 1, "timings");
  h->timings = lua_toboolean(L, -1);
  lua_pop(L, 1);
  h->transfer.easy = curl_easy_init();
  if (h->transfer.easy != NULL && lcurl_loop_init(&h->loop))
    rc = lcurl_easy_setup(&h->transfer, &settings);
  if (rc != CURLE_OK) {
    destroy(h);
    return luaL_error(L, "libcurl: %s", curl_easy_strerror(rc));
  }
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

static void make_metatable (lua_State *L) {
  static const luaL_Reg methods[] = {
      {"perform", handle_perform},
      {"close", handle_close},
      {NULL, NULL},
  };
  static const luaL_Reg meta[] = {
      {"__gc", handle_close},
      {"__close", handle_close},
      {"__tostring", handle_tostring},
      {NULL, NULL},
  };
  luaL_newmetatable(L, HANDLE);
  lua_pushliteral(L, HANDLE);
  lua_setfield(L, -2, "__name");
  set_functions(L, meta);
  lua_newtable(L);
  set_functions(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

EXPORT int luaopen_sagemaker_curl(lua_State *L);

EXPORT int luaopen_sagemaker_curl (lua_State *L) {
  static const luaL_Reg functions[] = {
      {"new", new_handle},
      {"ca_directory", ca_directory},
      {NULL, NULL},
  };
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return luaL_error(L, "libcurl cannot be initialised");
  pin_libcurl();
  make_metatable(L);
  lua_newtable(L);
  set_functions(L, functions);
  lua_pushstring(L, curl_version());
  lua_setfield(L, -2, "version");
  return 1;
}
