/*
** lfile.c: core.replace, because the C library's files know no permissions.
*/
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lsm.h"

#define MAX_PATH_BYTES 4096

/* nil, "path: what went wrong", errno */
static int fail (lua_State *L, const char *path, int code) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(code));
  lua_pushinteger(L, code);
  return 3;
}

/* All bytes, or an errno. */
static int write_all (int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t done = write(fd, p, n);
    if (done < 0 && errno != EINTR)
      return errno;
    if (done > 0) {
      p += done;
      n -= (size_t)done;
    }
  }
  return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

/* Writes a new file that nobody else may read; 0 or an errno. */
static int write_new (const char *path, sm_str bytes) {
  int fd =
      open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  int code;
  if (fd < 0)
    return errno;
  code = write_all(fd, bytes.p, bytes.len);
  if (close(fd) != 0 && code == 0)
    code = errno;
  return code;
}

/*
** replace(path, bytes, suffix) -> true; or nil, message, errno. The file is
** written beside its place, as path .. suffix, which must not exist yet, and
** then moved there: readers see the old bytes or the new ones. Only its owner
** may read it.
*/
static int file_replace (lua_State *L) {
  sm_str path = lsm_checkstr(L, 1), bytes = lsm_checkstr(L, 2);
  sm_str suffix = lsm_checkstr(L, 3);
  char temporary[MAX_PATH_BYTES];
  int code;
  if (path.len + suffix.len >= sizeof temporary)
    return fail(L, "path", ENAMETOOLONG);
  if (strlen(path.p) != path.len || strlen(suffix.p) != suffix.len)
    return fail(L, path.p, EINVAL);
  memcpy(temporary, path.p, path.len);
  memcpy(temporary + path.len, suffix.p, suffix.len + 1);
  code = write_new(temporary, bytes);
  if (code == EEXIST)
    return fail(L, temporary, code);
  if (code == 0 && rename(temporary, path.p) != 0)
    code = errno;
  if (code == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  unlink(temporary);
  return fail(L, path.p, code);
}

static const luaL_Reg functions[] = {
    {"replace", file_replace},
    {NULL, NULL},
};

void lsm_open_file (lua_State *L) {
  lsm_setfuncs(L, functions);
}
