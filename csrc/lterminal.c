/*
** lterminal.c: core.terminal, what a command needs of its process and the C
** library of Lua does not give.
*/
#if defined(__linux__) || defined(__APPLE__)
#define _DEFAULT_SOURCE 1 /* struct winsize */
#endif
#include <fcntl.h>
#include <stdio.h>
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

void lsm_hold_descriptors (void) {
  int fd;
  for (fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) == -1)
      (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
}

void lsm_leave (int code) {
  (void)fflush(NULL);
  (void)fflush(stdin);
  _exit(code);
}

/* terminal.hold() */
static int terminal_hold (lua_State *L) {
  (void)L;
  lsm_hold_descriptors();
  return 0;
}

/* terminal.leave(code) does not return. */
static int terminal_leave (lua_State *L) {
  lsm_leave((int)luaL_checkinteger(L, 1));
  return 0;
}

static const luaL_Reg functions[] = {
    {"isatty", terminal_isatty},
    {"columns", terminal_columns},
    {"hold", terminal_hold},
    {"leave", terminal_leave},
    {NULL, NULL},
};

void lsm_open_terminal (lua_State *L) {
  lua_newtable(L);
  lsm_setfuncs(L, functions);
  lua_setfield(L, -2, "terminal");
}
