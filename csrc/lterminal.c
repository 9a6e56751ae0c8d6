/*
** lterminal.c: core.terminal, what a command needs of its process and the C
** library of Lua does not give.
*/
#if defined(__linux__) || defined(__APPLE__)
#define _DEFAULT_SOURCE 1 /* struct winsize */
#endif
#include <errno.h>
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

/* {{ Keys. A terminal is the process's, and so is what was done to it. */

/* The terminal that does not echo keys because of us, or -1. */
static volatile sig_atomic_t muted = -1;

/* Others write to a terminal while the process is in the background. */
static int is_in_front (int fd) {
  pid_t group = tcgetpgrp(fd);
  return group < 0 || group == getpgrp();
}

/* Makes a terminal echo keys, or not. Whether it did otherwise before. */
static int set_echo (int fd, int on) {
  struct termios modes;
  sigset_t stops, before;
  if (tcgetattr(fd, &modes) != 0 || ((modes.c_lflag & ECHO) != 0) == on)
    return 0;
  modes.c_lflag ^= ECHO;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTTOU); /* for one that goes to the background just now */
  sigprocmask(SIG_BLOCK, &stops, &before);
  (void)tcsetattr(fd, TCSANOW, &modes);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return 1;
}

void lsm_give_back (void) {
  int code = errno;
  if (muted >= 0 && is_in_front(muted))
    (void)set_echo(muted, 1);
  muted = -1;
  errno = code;
}

/* terminal.is_in_front(fd) -> whether the process is not in the background */
static int terminal_is_in_front (lua_State *L) {
  lua_pushboolean(L, is_in_front((int)luaL_checkinteger(L, 1)));
  return 1;
}

/*
** terminal.take(fd) -> the same, and the terminal then echoes no keys, which
** would move what is drawn, until the process stops or leaves.
*/
static int terminal_take (lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  int front = is_in_front(fd);
  if (front && set_echo(fd, 0))
    muted = fd;
  lua_pushboolean(L, front);
  return 1;
}

/* }} */

void lsm_hold_descriptors (void) {
  int fd;
  for (fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) == -1)
      (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
}

void lsm_leave (int code) {
  lsm_give_back();
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

/* {{ Signals. Handlers are given nothing of ours. */

static volatile sig_atomic_t terminated, continued;

/* Ctrl-C is what an interpreter knows to end a script by. */
static void interrupt (int number) {
  (void)number;
  terminated = 1;
  lsm_give_back();
  raise(SIGINT);
}

/* Who gets the terminal meanwhile is to see what is typed. */
static void stop (int number) {
  (void)number;
  lsm_give_back();
  raise(SIGSTOP);
}

static void go_on (int number) {
  (void)number;
  continued = 1;
}

/* Sets the handler of a signal that is not ignored. */
static void on_signal (int number, void (*handler)(int), int flags) {
  struct sigaction action, old;
  memset(&action, 0, sizeof(action));
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART | flags;
  sigemptyset(&action.sa_mask);
  if (sigaction(number, &action, &old) == 0 && old.sa_handler == SIG_IGN)
    sigaction(number, &old, NULL);
}

/*
** terminal.heed(): from now on SIGTERM ends a script as Ctrl-C does: by the
** error "interrupted!", from the handler of the interpreter. A second one ends
** the process at once. A stop gives the terminal back.
*/
static int terminal_heed (lua_State *L) {
  (void)L;
  on_signal(SIGTERM, interrupt, (int)SA_RESETHAND);
  on_signal(SIGTSTP, stop, 0);
  on_signal(SIGCONT, go_on, 0);
  return 0;
}

/* terminal.terminated() -> whether SIGTERM came since then */
static int terminal_terminated (lua_State *L) {
  lua_pushboolean(L, terminated);
  return 1;
}

/* terminal.continued() -> whether it went on after a stop since it was asked */
static int terminal_continued (lua_State *L) {
  lua_pushboolean(L, continued);
  continued = 0;
  return 1;
}

/* }} */

static const luaL_Reg functions[] = {
    {"isatty", terminal_isatty},
    {"size", terminal_size},
    {"is_in_front", terminal_is_in_front},
    {"take", terminal_take},
    {"hold", terminal_hold},
    {"leave", terminal_leave},
    {"heed", terminal_heed},
    {"terminated", terminal_terminated},
    {"continued", terminal_continued},
    {NULL, NULL},
};

void lsm_open_terminal (lua_State *L) {
  lua_newtable(L);
  lsm_setfuncs(L, functions);
  lua_setfield(L, -2, "terminal");
}
