/*
** failing_host.c: a Lua whose allocator can be told to refuse.
**
**   failing_host script.lua [argument ...]
**
** runs a script with one more function: refuse(n, f) calls f, lets n of its
** allocations succeed and refuses every one after them; it returns what pcall
** returns. Blocks may always shrink and be freed. When the script is done the
** state is closed; a block that is left then, and an error of the script, is a
** failure. spec/allocation_spec.lua builds and runs it.
*/
#include <stdio.h>
#include <stdlib.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

typedef struct heap {
  long left; /* how many more may succeed; negative: any number */
  long live; /* blocks that are not freed */
} heap;

static void *allocate (void *ud, void *p, size_t osize, size_t nsize) {
  heap *h = (heap *)ud;
  void *q;
  if (nsize == 0) {
    h->live -= p != NULL;
    free(p);
    return NULL;
  }
  if (h->left >= 0 && (p == NULL || nsize > osize)) {
    if (h->left == 0)
      return NULL;
    h->left--;
  }
  q = realloc(p, nsize);
  if (q != NULL)
    h->live += p == NULL;
  return q != NULL || p == NULL || nsize > osize ? q : p;
}

static int refuse (lua_State *L) {
  void *ud;
  heap *h;
  long n = (long)luaL_checkinteger(L, 1);
  int failed;
  lua_getallocf(L, &ud);
  h = (heap *)ud;
  lua_settop(L, 2);
  h->left = n;
  failed = lua_pcall(L, 0, 0, 0);
  h->left = -1;
  lua_pushboolean(L, !failed);
  lua_insert(L, 2);
  return lua_gettop(L) - 1;
}

static int run (lua_State *L, int argc, char **argv) {
  int i;
  luaL_openlibs(L);
  lua_register(L, "refuse", refuse);
  if (luaL_loadfile(L, argv[1]) == 0) {
    for (i = 2; i < argc; i++)
      lua_pushstring(L, argv[i]);
    if (lua_pcall(L, argc - 2, 0, 0) == 0)
      return 0;
  }
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  return 1;
}

int main (int argc, char **argv) {
  heap h = {-1, 0};
  lua_State *L = argc > 1 ? lua_newstate(allocate, &h) : NULL;
  int failed;
  if (L == NULL)
    return 2;
  failed = run(L, argc, argv);
  h.left = -1;
  lua_close(L);
  if (h.live != 0) {
    fprintf(stderr, "%ld blocks are left\n", h.live);
    failed = 1;
  }
  return failed;
}
