/*
** lcommand.c: the `sagemaker` command as a program, for `cmake --install`: a
** Lua of its own with `sagemaker.core` in it, which starts in half the time of
** an interpreter that loads the same. What it does is written in Lua:
** sagemaker.cli, started as sagemaker.cli.main does.
**
** Its modules lie beside it: in ../share/lua and ../lib/lua of its own folder,
** wherever that is, else where it was to be installed.
*/
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lualib.h>

#include "lsm.h"

/* CMakeLists.txt says where it is to be installed: SAGEMAKER_PREFIX and, below
** that, SAGEMAKER_LUA_TREE and SAGEMAKER_LIBRARY_TREE. */
#define BUNDLE "/" SAGEMAKER_LIBRARY_TREE "/sagemaker/command.bundle"

#define MAX_PATH_BYTES 4096

#define OTHER_FAILURE 255 /* as sagemaker.cli.failure has it */

LSM_EXPORT int luaopen_sagemaker_core(lua_State *L);

/* ---- Ctrl-C ----------------------------------------------------------- */

/* For the handler of the signal, which is given nothing of ours. */
static lua_State *running;

static void stop (lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* System calls go on after the signal: the hook ends what Lua does. */
static void on_interrupt (void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

/* As the interpreter does: an error at the next instruction; a second Ctrl-C
** ends the process at once. */
static void interrupt (int number) {
  (void)number;
  lsm_give_back();
  on_interrupt(SIG_DFL);
  lua_sethook(running, stop,
              LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* ---- where the modules are -------------------------------------------- */

/* The folder above the one of this program; 0: not known. */
static int own_prefix (char *prefix, size_t size) {
  ssize_t n = readlink("/proc/self/exe", prefix, size - 1);
  int levels;
  if (n <= 0 || (size_t)n >= size - 1)
    return 0;
  prefix[n] = '\0';
  for (levels = 0; levels < 2; levels++) {
    char *slash = strrchr(prefix, '/');
    if (slash == NULL)
      return 0;
    *slash = '\0';
  }
  return 1;
}

/* Pushes the path of the folder that ../share and ../lib are in. */
static const char *push_prefix (lua_State *L) {
  char prefix[MAX_PATH_BYTES];
  if (own_prefix(prefix, sizeof(prefix))) {
    lua_pushfstring(L, "%s/%s/sagemaker", prefix, SAGEMAKER_LUA_TREE);
    if (access(lua_tostring(L, -1), R_OK) == 0)
      return lua_pushstring(L, prefix), lua_tostring(L, -1);
  }
  lua_pushliteral(L, SAGEMAKER_PREFIX);
  return lua_tostring(L, -1);
}

/* Puts what is formatted before package[field]; the table is on top. */
static void prepend (lua_State *L, const char *field, const char *path) {
  lua_pushstring(L, path);
  lua_getfield(L, -2, field);
  lua_concat(L, 2);
  lua_setfield(L, -2, field);
}

static void set_paths (lua_State *L, const char *prefix) {
  const char *tree = "/" SAGEMAKER_LUA_TREE, *lib = "/" SAGEMAKER_LIBRARY_TREE;
  lua_getglobal(L, "package");
  lua_pushfstring(L, "%s%s/?.lua;%s%s/?/init.lua;", prefix, tree, prefix, tree);
  lua_insert(L, -2);
  prepend(L, "path", lua_tostring(L, -2));
  lua_pushfstring(L, "%s%s/?.so;", prefix, lib);
  lua_insert(L, -2);
  prepend(L, "cpath", lua_tostring(L, -2));
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_sagemaker_core);
  lua_setfield(L, -2, "sagemaker.core");
}

/* ---- the program ------------------------------------------------------ */

/* require(name)[field], pushed */
static void push_of (lua_State *L, const char *name, const char *field) {
  lua_getglobal(L, "require");
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
  lua_getfield(L, -1, field);
}

/* The sources know their lines. */
static void use_bundle (lua_State *L, const char *prefix) {
  if (getenv("SAGEMAKER_SOURCES") != NULL)
    return;
  push_of(L, "sagemaker.core", "use_bundle");
  lua_pushfstring(L, "%s%s", prefix, BUNDLE);
  lua_pushfstring(L, "%s/%s", prefix, SAGEMAKER_LIBRARY_TREE);
  lua_call(L, 2, 0);
}

static void push_arguments (lua_State *L, int argc, char **argv) {
  int i;
  lua_createtable(L, argc > 0 ? argc - 1 : 0, 1);
  for (i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
}

/* The arguments: argc and argv. Answers the exit code. The collector is stopped
** until a command restarts it, see sagemaker.cli.world. */
static int start (lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = (char **)lua_touserdata(L, 2);
  const char *prefix;
  lua_gc(L, LUA_GCSTOP, 0);
  luaL_openlibs(L);
  prefix = push_prefix(L);
  set_paths(L, prefix);
  use_bundle(L, prefix);
  push_of(L, "sagemaker.cli.world", "start");
  push_arguments(L, argc, argv);
  lua_pushvalue(L, -1);
  lua_setglobal(L, "arg");
  lua_call(L, 1, 1);
  return 1;
}

int main (int argc, char **argv) {
  lua_State *L;
  int code = OTHER_FAILURE;
  lsm_hold_descriptors();
  L = luaL_newstate();
  if (L == NULL) {
    fputs("sagemaker: not enough memory\n", stderr);
    return OTHER_FAILURE;
  }
  running = L;
  lua_pushcfunction(L, start);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  on_interrupt(interrupt);
  if (lua_pcall(L, 2, 1, 0) == 0)
    code = (int)lua_tointeger(L, -1);
  else
    fprintf(stderr, "sagemaker: %s\n",
            lua_isstring(L, -1) ? lua_tostring(L, -1) : "it cannot start");
  on_interrupt(SIG_DFL);
  lsm_leave(code);
  return code;
}
