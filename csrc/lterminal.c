/*
** lterminal.c: core.terminal, what a command needs of its process and the C
** library of Lua does not give.
*/
#if defined(__linux__) || defined(__APPLE__)
#define _DEFAULT_SOURCE 1 /* struct winsize */
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lsm.h"

/* terminal.isatty(fd) -> boolean */
static int terminal_isatty (lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* terminal.columns(fd) -> the width of the terminal | nil */
static int terminal_columns (lua_State *L) {
#ifdef TIOCGWINSZ
  struct winsize size;
  int fd = (int)luaL_checkinteger(L, 1);
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    lua_pushinteger(L, size.ws_col);
    return 1;
  }
#endif
  lua_pushnil(L);
  return 1;
}

/*
** terminal.hold(): makes sure that descriptors 0 to 2 are taken. One that the
** caller closed (`>&-`) would be given to the next file or socket, and what
** the program prints would be written there. The stand-ins are open the wrong
** way round, so that using them still fails as a closed one does.
*/
static int terminal_hold (lua_State *L) {
  int fd;
  (void)L;
  for (fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) == -1)
      (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
  return 0;
}

/*
** terminal.preload(library): loads a shared library whose functions are looked
** up when they are first called. Lua looks all up at once, also those of the
** libraries below; for libcurl that is a tenth of what a short call takes.
** A library that cannot be loaded is left to whoever needs it.
*/
static int terminal_preload (lua_State *L) {
  (void)dlopen(luaL_checkstring(L, 1), RTLD_LAZY | RTLD_LOCAL);
  return 0;
}

static const luaL_Reg functions[] = {
    {"isatty", terminal_isatty},
    {"columns", terminal_columns},
    {"hold", terminal_hold},
    {"preload", terminal_preload},
    {NULL, NULL},
};

void lsm_open_terminal (lua_State *L) {
  lua_newtable(L);
  lsm_setfuncs(L, functions);
  lua_setfield(L, -2, "terminal");
}
