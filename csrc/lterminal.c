/*
** lterminal.c: core.terminal, what a command needs of its process and the C
** library of Lua does not give.
*/
#if defined(__linux__) || defined(__APPLE__)
#define _DEFAULT_SOURCE 1 /* struct winsize */
#endif
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lsm.h"

/* terminal.isatty(fd) -> boolean */
static int terminal_isatty (lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* Pushes a number of columns or rows; 0 is what a terminal has that does not
** know. */
static void push_extent (lua_State *L, int n) {
  if (n > 0)
    lua_pushinteger(L, n);
  else
    lua_pushnil(L);
}

/* terminal.size(fd) -> columns, rows; nil for what is not known */
static int terminal_size (lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  int columns = 0, rows = 0;
#ifdef TIOCGWINSZ
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
    columns = size.ws_col;
    rows = size.ws_row;
  }
#else
  (void)fd;
#endif
  push_extent(L, columns);
  push_extent(L, rows);
  return 2;
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

/* A signal is the process's, and its handler is given nothing of ours. */
static volatile sig_atomic_t terminated;

/* Ctrl-C is what an interpreter knows to end a script by. */
static void interrupt (int number) {
  (void)number;
  terminated = 1;
  raise(SIGINT);
}

/*
** terminal.heed(): from now on SIGTERM ends a script as Ctrl-C does: by the
** error "interrupted!", from the handler of the interpreter. A second one ends
** the process at once.
*/
static int terminal_heed (lua_State *L) {
  struct sigaction action;
  (void)L;
  memset(&action, 0, sizeof(action));
  action.sa_handler = interrupt;
  action.sa_flags = SA_RESTART | (int)SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, NULL);
  return 0;
}

/* terminal.terminated() -> whether SIGTERM came since then */
static int terminal_terminated (lua_State *L) {
  lua_pushboolean(L, terminated);
  return 1;
}

static const luaL_Reg functions[] = {
    {"isatty", terminal_isatty},
    {"size", terminal_size},
    {"heed", terminal_heed},
    {"terminated", terminal_terminated},
    {"hold", terminal_hold},
    {"leave", terminal_leave},
    {NULL, NULL},
};

void lsm_open_terminal (lua_State *L) {
  lua_newtable(L);
  lsm_setfuncs(L, functions);
  lua_setfield(L, -2, "terminal");
}
