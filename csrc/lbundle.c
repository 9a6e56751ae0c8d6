/*
** lbundle.c: core.use_bundle, the modules of the installed command, compiled,
** in one file: to take them from there costs a third of compiling the sources
** that lie beside it. What another Lua compiled is refused when it is loaded:
** then the sources are used.
**
** The libraries of ours are loaded here too. Lua would look in all places for
** a source of that name first, and would look up all functions of the
** libraries below (libcurl's are thirty) instead of those that are called.
*/
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lsm.h"
#include "sm_bundle.h"

#define BUNDLE "sagemaker.bundle" /* a sm_str; NULL: nothing is mapped */

/* Upvalues of the searcher. */
enum upvalue {
  U_BUNDLE = 1,
  U_PATH,
  U_LIBRARIES
};

static int bundle_gc (lua_State *L) {
  sm_str *b = (sm_str *)luaL_checkudata(L, 1, BUNDLE);
  if (b->p != NULL)
    munmap((void *)b->p, b->len);
  b->p = NULL;
  return 0;
}

static void map (sm_str *b, const char *path) {
  struct stat info;
  void *p = MAP_FAILED;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  if (fstat(fd, &info) == 0 && info.st_size > 0)
    p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (p == MAP_FAILED)
    return;
  b->p = (const char *)p;
  b->len = (size_t)info.st_size;
}

/* ---- the searcher ----------------------------------------------------- */

/*
** libcurl may bring GnuTLS along, for protocols that are not ours, which would
** initialise itself when it is loaded: a twentieth of the time of a short call,
** and 0.7 MB. Whatever uses it for TLS (a libcurl, an LDAP client below the
** lookup of names) initialises it by itself too.
*/
static void *load (const char *path) {
  static const char no_init[] = "GNUTLS_NO_IMPLICIT_INIT";
  int is_ours = getenv(no_init) == NULL && setenv(no_init, "1", 0) == 0;
  void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (is_ours)
    unsetenv(no_init);
  return library;
}

/* Pushes the function that opens a library of ours; 0: there is none. */
static int push_library (lua_State *L, sm_str name) {
  static const char prefix[] = "sagemaker.";
  const char *part, *folder = lua_tostring(L, lua_upvalueindex(U_LIBRARIES));
  lua_CFunction open_library;
  void *library, *symbol;
  if (folder == NULL || name.len < sizeof(prefix) ||
      memcmp(name.p, prefix, sizeof(prefix) - 1) != 0)
    return 0;
  part = name.p + sizeof(prefix) - 1;
  if (strspn(part, "abcdefghijklmnopqrstuvwxyz") != strlen(part))
    return 0;
  lua_pushfstring(L, "%s/sagemaker/%s.so", folder, part);
  library = load(lua_tostring(L, -1));
  if (library == NULL)
    return 0;
  lua_pushfstring(L, "luaopen_sagemaker_%s", part);
  symbol = dlsym(library, lua_tostring(L, -1));
  if (symbol == NULL)
    return 0;
  memcpy(&open_library, &symbol, sizeof(symbol));
  lua_pushcfunction(L, open_library);
  return 1;
}

/* The searcher: a module's loader, or a line for the message that none was
** found. */
static int search (lua_State *L) {
  const sm_str *b =
      (const sm_str *)lua_touserdata(L, lua_upvalueindex(U_BUNDLE));
  sm_str name = lsm_checkstr(L, 1), code;
  lua_settop(L, 1);
  code = sm_bundle_find(*b, name);
  if (code.len > 0) {
    int status;
    lua_pushfstring(L, "=%s", name.p);
    status = luaL_loadbuffer(L, code.p, code.len, lua_tostring(L, -1));
    if (status == LUA_ERRMEM)
      return lua_error(L);
    if (status == 0)
      return 1;
  } else if (push_library(L, name)) {
    return 1;
  }
  lua_pushfstring(L, "\n\tno module '%s' for this Lua in '%s'", name.p,
                  lua_tostring(L, lua_upvalueindex(U_PATH)));
  return 1;
}

/* Puts the searcher on top of the stack behind the one for what is preloaded.
 */
static void insert_searcher (lua_State *L) {
  int i;
  lua_getglobal(L, "package");
#if LUA_VERSION_NUM == 501
  lua_getfield(L, -1, "loaders");
#else
  lua_getfield(L, -1, "searchers");
#endif
  luaL_checktype(L, -1, LUA_TTABLE);
  for (i = (int)lsm_rawlen(L, -1); i >= 2; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushvalue(L, -3);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 3);
}

/*
** use_bundle(path [, libraries]) -> boolean: takes modules from a bundle before
** they are looked for elsewhere, and libraries of ours from a folder; false
** where there is no such file. For good: once a module was loaded there is no
** way back.
*/
static int use_bundle (lua_State *L) {
  sm_str *b;
  luaL_checkstring(L, 1);
  luaL_optstring(L, 2, NULL);
  lua_settop(L, 2);
  b = (sm_str *)lua_newuserdata(L, sizeof(*b));
  b->p = NULL;
  lsm_newmetatable(L, BUNDLE, NULL, bundle_gc);
  lua_setmetatable(L, -2);
  map(b, lua_tostring(L, 1));
  if (b->p != NULL) {
    lua_insert(L, 1);
    lua_pushcclosure(L, search, U_LIBRARIES);
    insert_searcher(L);
  }
  lua_pushboolean(L, b->p != NULL);
  return 1;
}

void lsm_open_bundle (lua_State *L) {
  static const luaL_Reg functions[] = {
      {"use_bundle", use_bundle},
      {NULL, NULL},
  };
  lsm_setfuncs(L, functions);
}
