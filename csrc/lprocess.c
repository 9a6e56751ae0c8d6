/*
** lprocess.c: core.process, what a launcher of servers needs of the system: a
** folder of its own, a port that is free, a program in the foreground. POSIX.
*/
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "lsm.h"

#define MAX_PATH_BYTES 4096
#define MAX_ARGUMENTS 64

/* nil, "subject: reason", errno */
static int refuse (lua_State *L, const char *subject, const char *reason,
                   int code) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", subject, reason);
  lua_pushinteger(L, code);
  return 3;
}

/* The same, for the reason that the system gives. */
static int fail (lua_State *L, const char *subject, int code) {
  return refuse(L, subject, strerror(code), code);
}

/*
** folder(prefix) -> path | nil, message, errno. A new folder, whose name is
** the prefix and six characters, for its owner only.
*/
static int process_folder (lua_State *L) {
  sm_str prefix = lsm_checkstr(L, 1);
  char path[MAX_PATH_BYTES];
  if (strlen(prefix.p) != prefix.len || prefix.len + 7 > sizeof path)
    return fail(L, "prefix", EINVAL);
  memcpy(path, prefix.p, prefix.len);
  memcpy(path + prefix.len, "XXXXXX", 7);
  if (mkdtemp(path) == NULL)
    return fail(L, path, errno);
  lua_pushstring(L, path);
  return 1;
}

/* {{ Ports */

/* The port a socket is bound to. */
static int port_of (int fd) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
  } at;
  socklen_t size = sizeof at;
  if (getsockname(fd, &at.any, &size) != 0)
    return 0;
  return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

/* Binds and lets go of an address as a server would: its port, or 0 and
** errno. */
static int try_port (const struct addrinfo *a) {
  int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
  int on = 1, port = 0, code;
  if (fd < 0)
    return 0;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1) == 0)
    port = port_of(fd);
  code = errno;
  close(fd);
  errno = code;
  return port;
}

/*
** port(host, port) -> port | nil, message, errno. Whether a server could
** listen there now; 0 picks a port that is free.
*/
static int process_port (lua_State *L) {
  const char *host = luaL_checkstring(L, 1);
  lua_Integer asked = luaL_checkinteger(L, 2);
  int got, code;
  struct addrinfo hints, *list;
  char number[32], subject[300];
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  snprintf(number, sizeof number, "%ld", (long)asked);
  snprintf(subject, sizeof subject, "%.200s port %s", host, number);
  if (asked < 0 || asked > 65535)
    return fail(L, subject, EINVAL);
  code = getaddrinfo(host, number, &hints, &list);
  if (code != 0)
    return refuse(L, subject, gai_strerror(code), EADDRNOTAVAIL);
  got = try_port(list);
  code = errno;
  freeaddrinfo(list);
  if (got == 0)
    return fail(L, subject, code);
  lua_pushinteger(L, got);
  return 1;
}

/* }} */

/* {{ A program in the foreground */

/* Puts the signals that the program is to get when this process gets them into
** a set, or takes them out: `change` is sigaddset or sigdelset. */
static void change_signals (sigset_t *set, int (*change)(sigset_t *, int)) {
  static const int all[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
  size_t i;
  for (i = 0; i < sizeof all / sizeof *all; i++)
    change(set, all[i]);
}

/* A set of those signals. */
static void want_signals (sigset_t *set) {
  sigemptyset(set);
  change_signals(set, sigaddset);
}

/*
** hold(): from now on those signals wait. release(): they come.
*/
static int process_hold (lua_State *L) {
  sigset_t set;
  (void)L;
  want_signals(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
  return 0;
}

static int process_release (lua_State *L) {
  sigset_t set;
  (void)L;
  want_signals(&set);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  return 0;
}

/* Where output goes to a file, whoever else has opened it writes behind what is
** there, not over it. */
static void append_output (int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0)
    fcntl(fd, F_SETFL, flags | O_APPEND);
}

/* The new process: never comes back. */
static void become (char *const argv[], const char *folder,
                    const sigset_t *mask, pid_t parent) {
#if defined(__linux__)
  prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
  if (getppid() != parent)
    _exit(1);
  if (folder != NULL && chdir(folder) != 0)
    _exit(127);
  append_output(STDOUT_FILENO);
  append_output(STDERR_FILENO);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(argv[0], argv);
  _exit(127);
}

/* Waits for the end of the program, and hands signals on until then. A hang-up
** ends it: who started it is gone. */
static int attend (pid_t pid, const sigset_t *set) {
  int status = 0, sig;
  for (;;) {
    if (sigwait(set, &sig) != 0)
      continue;
    if (sig != SIGCHLD)
      kill(pid, sig == SIGHUP ? SIGTERM : sig);
    else if (waitpid(pid, &status, WNOHANG) == pid)
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

/* The arguments in the list at index 1 as C strings; the last one is NULL. */
static void read_arguments (lua_State *L, char *argv[]) {
  size_t n, i, length;
  luaL_checktype(L, 1, LUA_TTABLE);
  n = lsm_rawlen(L, 1);
  luaL_argcheck(L, n >= 1 && n < MAX_ARGUMENTS, 1, "no or too many arguments");
  luaL_checkstack(L, MAX_ARGUMENTS, NULL);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, 1, (int)i + 1);
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "not all strings");
    argv[i] = (char *)lua_tolstring(L, -1, &length); /* stays on the stack */
    luaL_argcheck(L, strlen(argv[i]) == length, 1, "an argument holds a NUL");
  }
  argv[n] = NULL;
}

/* The field `folder` of the list at index 1, or NULL; stays on the stack. */
static const char *read_folder (lua_State *L) {
  lua_getfield(L, 1, "folder");
  if (lua_isnil(L, -1))
    return NULL;
  luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1,
                "the folder is no string");
  return lua_tostring(L, -1);
}

/*
** run{program, argument, ... [, folder = path]} -> exit status | nil, message,
** errno. Runs a program in that folder, with this process's files, until it
** ends; SIGTERM, SIGINT, SIGQUIT and SIGHUP that come meanwhile end the
** program, not this process, and where the system can do it so does the end of
** this process. Signals that were held count as well; the program has none
** held. The status is 127 when there is no such program or folder, 128 and the
** signal when one ended it.
*/
static int process_run (lua_State *L) {
  char *argv[MAX_ARGUMENTS];
  sigset_t set, before, unheld;
  struct sigaction plain, old;
  pid_t pid, self = getpid();
  int status, code;
  const char *folder;
  read_arguments(L, argv);
  folder = read_folder(L);
  want_signals(&set);
  sigaddset(&set, SIGCHLD); /* tells of its end */
  memset(&plain, 0, sizeof plain);
  plain.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &plain, &old); /* where it is ignored, none is sent */
  sigprocmask(SIG_BLOCK, &set, &before);
  unheld = before;
  change_signals(&unheld, sigdelset);
  pid = fork();
  if (pid == 0)
    become(argv, folder, &unheld, self);
  code = errno;
  status = pid > 0 ? attend(pid, &set) : -1;
  sigprocmask(SIG_SETMASK, &before, NULL);
  sigaction(SIGCHLD, &old, NULL);
  if (status < 0)
    return fail(L, argv[0], code);
  lua_pushinteger(L, status);
  return 1;
}

/* }} */

static const luaL_Reg functions[] = {
    {"folder", process_folder}, {"hold", process_hold},
    {"port", process_port},     {"release", process_release},
    {"run", process_run},       {NULL, NULL},
};

void lsm_open_process (lua_State *L) {
  lua_newtable(L);
  lsm_setfuncs(L, functions);
  lua_setfield(L, -2, "process");
}
