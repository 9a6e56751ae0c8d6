/*
** lbundle.c: core.use_bundle, the modules of the installed command, compiled,
** in one file: to take them from there costs a third of compiling the sources
** that lie beside it. lua/sagemaker/cli/bundle/writer.lua makes the file:
**
**   00008405                  eight digits: the length of the index
**   sagemaker 0 1067          name, offset, length of each module, by name
**   sagemaker.agent 1067 …
**   …                         their code, one after the other
**
** Code of another Lua is refused when it is loaded: then the sources are used.
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

#define BUNDLE "sagemaker.bundle"

#define DIGITS 8 /* of the length of the index */

typedef struct bundle {
  const char *p; /* NULL: nothing is mapped */
  size_t n;
} bundle;

/* Upvalues of the searcher. */
enum upvalue {
  U_BUNDLE = 1,
  U_PATH,
  U_LIBRARIES
};

static int bundle_gc (lua_State *L) {
  bundle *b = (bundle *)luaL_checkudata(L, 1, BUNDLE);
  if (b->p != NULL)
    munmap((void *)b->p, b->n);
  b->p = NULL;
  return 0;
}

static void map (bundle *b, const char *path) {
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
  b->n = (size_t)info.st_size;
}

/* ---- the index -------------------------------------------------------- */

/* The number at the start of `s`, which is cut off; too large a one is as good
** as any other that is out of bounds. */
static size_t number (sm_str *s) {
  size_t n = 0;
  while (s->len > 0 && *s->p >= '0' && *s->p <= '9') {
    n = n < ((size_t)-1) / 16 ? n * 10 + (size_t)(*s->p - '0') : n;
    s->p++;
    s->len--;
  }
  return n;
}

static void skip (sm_str *s, size_t n) {
  n = n < s->len ? n : s->len;
  s->p += n;
  s->len -= n;
}

/* The order of a line "name …" and a name: below, at or above zero. */
static int compare (sm_str line, sm_str name) {
  const char *blank = (const char *)memchr(line.p, ' ', line.len);
  size_t n = blank != NULL ? (size_t)(blank - line.p) : line.len;
  int order = memcmp(line.p, name.p, n < name.len ? n : name.len);
  return order != 0 ? order : (n > name.len) - (n < name.len);
}

/* The line of a name, cut off behind the name; or NULL. */
static sm_str find_line (sm_str index, sm_str name) {
  const char *low = index.p, *high = index.p + index.len;
  while (low < high) {
    const char *start = low + (high - low) / 2, *stop;
    sm_str line;
    int order;
    while (start > low && start[-1] != '\n')
      start--;
    stop = (const char *)memchr(start, '\n', (size_t)(high - start));
    stop = stop != NULL ? stop + 1 : high;
    line.p = start;
    line.len = (size_t)(stop - start);
    order = compare(line, name);
    if (order == 0) {
      skip(&line, name.len + 1);
      return line;
    }
    if (order < 0)
      low = stop;
    else
      high = start;
  }
  index.p = NULL;
  index.len = 0;
  return index;
}

/* The code of a module; empty where there is none. */
static sm_str find_code (const bundle *b, sm_str name) {
  sm_str rest, index, line, code = {NULL, 0};
  size_t offset, n;
  rest.p = b->p;
  rest.len = b->n;
  index = rest;
  index.len = index.len < DIGITS ? index.len : DIGITS;
  n = number(&index);
  skip(&rest, DIGITS);
  index.p = rest.p;
  index.len = n < rest.len ? n : rest.len;
  skip(&rest, index.len);
  line = find_line(index, name);
  if (line.p == NULL)
    return code;
  offset = number(&line);
  skip(&line, 1);
  n = number(&line);
  skip(&rest, offset);
  code.p = rest.p;
  code.len = n < rest.len ? n : rest.len;
  return code;
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
  const bundle *b =
      (const bundle *)lua_touserdata(L, lua_upvalueindex(U_BUNDLE));
  sm_str name = lsm_checkstr(L, 1), code;
  lua_settop(L, 1);
  code = find_code(b, name);
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
  bundle *b;
  luaL_checkstring(L, 1);
  luaL_optstring(L, 2, NULL);
  lua_settop(L, 2);
  b = (bundle *)lua_newuserdata(L, sizeof(*b));
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
