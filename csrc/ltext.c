/*
** ltext.c: core.text, core.uri, core.time, and the small services of the
** machine: core.random, core.uuid, core.now, core.clock, core.sleep,
** core.platform.
**
** What a caller's text gets wrong comes back as nil and a message; a wrong
** argument type throws.
*/
#if defined(__linux__)
#define _DEFAULT_SOURCE 1 /* getentropy */
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lsm.h"
#include "sm_number.h"
#include "sm_text.h"
#include "sm_time.h"
#include "sm_uri.h"

/* Sleeping longer is sleeping this long: 31 years. */
#define MAX_SLEEP 1e9

/* How many random bytes one call may ask for. */
#define MAX_RANDOM (1 << 20)

/* {{ What the functions share */

/* nil and a message. */
static int fail (lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

/* The contents of a buffer as a string; throws when it could not grow. */
static int push_buffer (lua_State *L, const sm_buf *b) {
  if (b->err != SM_OK)
    return luaL_error(L, "%s", sm_strerror(b->err));
  lsm_pushstr(L, sm_buf_str(b));
  return 1;
}

/* The same for a function that reads: its failure is nil and a message. */
static int push_decoded (lua_State *L, const sm_buf *b, int err,
                         const char *message) {
  return err == SM_ESYNTAX ? fail(L, message) : push_buffer(L, b);
}

/* }} */

/* {{ core.text */

static int text_hex (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  sm_hex_put(b, s.p, s.len);
  return push_buffer(L, b);
}

static int text_unhex (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  return push_decoded(L, b, sm_hex_decode(b, s), "malformed hexadecimal text");
}

static int text_base64 (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  sm_base64_put(b, s.p, s.len);
  return push_buffer(L, b);
}

static int text_unbase64 (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  return push_decoded(L, b, sm_base64_decode(b, s), "malformed base64 text");
}

/* percent_encode(s [, keep_slash]) */
static int text_percent_encode (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  int keep_slash = lua_toboolean(L, 2);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  sm_percent_put(b, s, keep_slash);
  return push_buffer(L, b);
}

static int text_percent_decode (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  return push_decoded(L, b, sm_percent_decode(b, s),
                      "malformed percent-encoding");
}

/* true, or false and the place (1-based) of the first bad byte */
static int text_utf8_valid (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  size_t at = sm_utf8_check(s);
  lua_pushboolean(L, at == s.len);
  if (at == s.len)
    return 1;
  lua_pushnumber(L, (lua_Number)at + 1);
  return 2;
}

static const luaL_Reg text_functions[] = {
    {"base64", text_base64},
    {"hex", text_hex},
    {"percent_decode", text_percent_decode},
    {"percent_encode", text_percent_encode},
    {"unbase64", text_unbase64},
    {"unhex", text_unhex},
    {"utf8_valid", text_utf8_valid},
    {NULL, NULL},
};

/* }} */

/* {{ core.uri */

static void set_text (lua_State *L, const char *key, sm_str s) {
  if (s.p == NULL)
    return;
  lsm_pushstr(L, s);
  lua_setfield(L, -2, key);
}

static void set_flag (lua_State *L, const char *key, int v) {
  lua_pushboolean(L, v);
  lua_setfield(L, -2, key);
}

/*
** split(url) -> {scheme, authority, host, port, path, query, secure, ipv6,
** has_port}, or nil and a message. See sm_url_split.
*/
static int uri_split (lua_State *L) {
  sm_url url;
  int err = sm_url_split(lsm_checkstr(L, 1), &url);
  if (err != SM_OK)
    return fail(L, err == SM_ERANGE ? "port out of range" : "malformed URL");
  lua_createtable(L, 0, 9);
  set_text(L, "scheme", url.scheme);
  set_text(L, "authority", url.authority);
  set_text(L, "host", url.host);
  set_text(L, "path", url.path);
  set_text(L, "query", url.query);
  lua_pushinteger(L, (lua_Integer)url.port);
  lua_setfield(L, -2, "port");
  set_flag(L, "has_port", url.has_port);
  set_flag(L, "ipv6", url.ipv6);
  set_flag(L, "secure", url.secure);
  return 1;
}

static int uri_host_valid (lua_State *L) {
  lua_pushboolean(L, sm_host_valid(lsm_checkstr(L, 1)));
  return 1;
}

static int uri_ipv6_valid (lua_State *L) {
  lua_pushboolean(L, sm_ipv6_valid(lsm_checkstr(L, 1)));
  return 1;
}

static int uri_remove_dots (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  sm_uri_remove_dots(b, s);
  return push_buffer(L, b);
}

/* An optional flag that is on unless it is false. */
static int flag_at (lua_State *L, int idx, int flag) {
  return lua_isnoneornil(L, idx) || lua_toboolean(L, idx) ? flag : 0;
}

/* canonical_path(path [, normalize [, double_encode]]); both default to true */
static int uri_canonical_path (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  int flags =
      flag_at(L, 2, SM_URI_NORMALIZE) | flag_at(L, 3, SM_URI_DOUBLE_ENCODE);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  sm_uri_canonical_path(b, s, flags);
  return push_buffer(L, b);
}

static int uri_canonical_query (lua_State *L) {
  sm_str s = lsm_checkstr(L, 1);
  sm_buf *b = lsm_newbuf(L, SIZE_MAX);
  sm_uri_canonical_query(b, s);
  return push_buffer(L, b);
}

static const luaL_Reg uri_functions[] = {
    {"canonical_path", uri_canonical_path},
    {"canonical_query", uri_canonical_query},
    {"host_valid", uri_host_valid},
    {"ipv6_valid", uri_ipv6_valid},
    {"remove_dots", uri_remove_dots},
    {"split", uri_split},
    {NULL, NULL},
};

/* }} */

/* {{ core.time */

static int push_time (lua_State *L, sm_time t) {
#if LUA_VERSION_NUM >= 503
  if (t.nsec == 0) {
    lua_pushinteger(L, (lua_Integer)t.sec);
    return 1;
  }
#endif
  lua_pushnumber(L, (lua_Number)sm_time_to_double(t));
  return 1;
}

/*
** parse(s) -> seconds since the epoch, or nil and a message. Takes ISO 8601,
** RFC 7231 and RFC 822, the compact form of X-Amz-Date, and epoch seconds, as
** text or as a number.
*/
static int time_parse (lua_State *L) {
  sm_time t;
  int err;
  if (lua_type(L, 1) == LUA_TNUMBER)
    err = sm_time_from_double((double)lua_tonumber(L, 1), &t);
  else
    err = sm_time_parse(lsm_checkstr(L, 1), &t);
  if (err == SM_ERANGE)
    return fail(L, "timestamp out of range");
  if (err != SM_OK)
    return fail(L, "not a timestamp: ISO 8601, RFC 7231 or epoch seconds "
                   "were expected");
  return push_time(L, t);
}

enum time_form {
  FORM_ISO8601,
  FORM_RFC7231,
  FORM_AMZ,
  FORM_DATE,
  FORM_EPOCH
};

static int put_time (sm_buf *b, sm_time t, enum time_form form) {
  char amz[SM_AMZ_DATE_SIZE];
  int err;
  switch (form) {
  case FORM_ISO8601:
    return sm_time_put_iso8601(b, t);
  case FORM_RFC7231:
    return sm_time_put_http(b, t);
  case FORM_EPOCH:
    return sm_time_put_epoch(b, t);
  default:
    err = sm_time_amz(amz, t.sec);
    if (err == SM_OK)
      sm_buf_put(b, amz, form == FORM_DATE ? 8 : sizeof amz);
    return err;
  }
}

/*
** format(epoch, form) -> text, or nil and a message when the time is beyond
** the calendar. Forms: "iso8601" (the default), "rfc7231", "amz"
** (20150830T123600Z), "date" (20150830), "epoch".
*/
static int time_format (lua_State *L) {
  static const char *const forms[] = {"iso8601", "rfc7231", "amz",
                                      "date",    "epoch",   NULL};
  double seconds = (double)luaL_checknumber(L, 1);
  int form = luaL_checkoption(L, 2, "iso8601", forms);
  char memory[64];
  sm_buf b;
  sm_time t;
  sm_buf_fixed(&b, memory, sizeof memory);
  if (sm_time_from_double(seconds, &t) != SM_OK ||
      put_time(&b, t, (enum time_form)form) != SM_OK)
    return fail(L, "timestamp out of range");
  return push_buffer(L, &b);
}

static const luaL_Reg time_functions[] = {
    {"format", time_format},
    {"parse", time_parse},
    {NULL, NULL},
};

/* }} */

/* {{ The machine */

/* Random bytes from the device, where there is no call for them. */
static int read_random (unsigned char *p, size_t n) {
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  size_t done = 0;
  if (fd < 0)
    return 0;
  while (done < n) {
    ssize_t part = read(fd, p + done, n - done);
    if (part == 0 || (part < 0 && errno != EINTR))
      break;
    done += part > 0 ? (size_t)part : 0;
  }
  close(fd);
  return done == n;
}

/*
** Random bytes from the kernel: to set up OpenSSL's generator takes as long as
** to sign a request.
*/
static int fill_random (unsigned char *p, size_t n) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 25)
  size_t done = 0;
  while (done < n) {
    size_t part = n - done < 256 ? n - done : 256; /* it gives no more */
    if (getentropy(p + done, part) != 0)
      break;
    done += part;
  }
  if (done == n)
    return 1;
#endif
  return read_random(p, n);
}

/* Throws where there is no randomness. */
static int no_random (lua_State *L) {
  return luaL_error(L, "the kernel gives no random bytes");
}

/* random(n) -> n bytes that nobody can guess */
static int core_random (lua_State *L) {
  lua_Number n = luaL_checknumber(L, 1);
  sm_buf *b;
  luaL_argcheck(L, n >= 0 && n <= MAX_RANDOM, 1, "out of range");
  b = lsm_newbuf(L, MAX_RANDOM);
  if (!sm_buf_room(b, (size_t)n))
    return push_buffer(L, b);
  b->len = (size_t)n;
  if (b->len > 0 && !fill_random((unsigned char *)b->p, b->len))
    return no_random(L);
  return push_buffer(L, b);
}

/*
** Random bytes of a Lua state, fetched many at a time: it takes as long for
** few as for many. A process that was forked has its own.
*/
typedef struct pool {
  pid_t owner;
  size_t left;
  unsigned char bytes[512];
} pool;

/* The next `n` bytes, which nobody gets again; NULL where there are none. */
static const unsigned char *draw (pool *p, size_t n) {
  pid_t self = getpid();
  if (p->owner != self || p->left < n) {
    if (!fill_random(p->bytes, sizeof(p->bytes)))
      return NULL;
    p->owner = self;
    p->left = sizeof(p->bytes);
  }
  p->left -= n;
  return p->bytes + p->left;
}

/* uuid() -> a random UUID (version 4, RFC 9562) in lower case */
static int core_uuid (lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *drawn =
      draw((pool *)lua_touserdata(L, lua_upvalueindex(1)), 16);
  unsigned char bytes[16];
  char text[36];
  size_t i, n = 0;
  if (drawn == NULL)
    return no_random(L);
  memcpy(bytes, drawn, sizeof(bytes));
  bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f));
  bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
  for (i = 0; i < sizeof(bytes); i++) {
    if (i >= 4 && i <= 10 && i % 2 == 0)
      text[n++] = '-';
    text[n++] = digits[bytes[i] >> 4];
    text[n++] = digits[bytes[i] & 15];
  }
  lua_pushlstring(L, text, n);
  return 1;
}

static int push_clock (lua_State *L, clockid_t id) {
  struct timespec ts;
  if (clock_gettime(id, &ts) != 0)
    return luaL_error(L, "the clock cannot be read");
  lua_pushnumber(L, (lua_Number)ts.tv_sec + (lua_Number)ts.tv_nsec / 1e9);
  return 1;
}

/* now() -> seconds since the epoch, with a fraction */
static int core_now (lua_State *L) {
  return push_clock(L, CLOCK_REALTIME);
}

/* clock() -> seconds of a clock that only goes forward */
static int core_clock (lua_State *L) {
  return push_clock(L, CLOCK_MONOTONIC);
}

/*
** sleep(seconds) -> true; or false, "interrupted" when a signal came, so that
** Ctrl-C ends a wait. NaN and what is not above zero sleep not at all.
*/
static int core_sleep (lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  struct timespec ts;
  if (seconds > 0) {
    if (seconds > MAX_SLEEP)
      seconds = MAX_SLEEP;
    ts.tv_sec = (time_t)seconds;
    ts.tv_nsec = (long)((seconds - (lua_Number)ts.tv_sec) * 1e9);
    if (nanosleep(&ts, NULL) != 0 && errno == EINTR) {
      lua_pushboolean(L, 0);
      lua_pushliteral(L, "interrupted");
      return 2;
    }
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* platform() -> name and release of the operating system, and the machine, as
** uname tells them: "Linux", "6.1.0-18-amd64", "x86_64"; nil where it fails */
static int core_platform (lua_State *L) {
  struct utsname name;
  if (uname(&name) < 0)
    return 0;
  lua_pushstring(L, name.sysname);
  lua_pushstring(L, name.release);
  lua_pushstring(L, name.machine);
  return 3;
}

static const luaL_Reg core_functions[] = {
    {"clock", core_clock},   {"now", core_now},     {"platform", core_platform},
    {"random", core_random}, {"sleep", core_sleep}, {NULL, NULL},
};

/* }} */

static void set_table (lua_State *L, const char *name,
                       const luaL_Reg *functions) {
  lua_newtable(L);
  lsm_setfuncs(L, functions);
  lua_setfield(L, -2, name);
}

void lsm_open_text (lua_State *L) {
  lsm_setfuncs(L, core_functions);
  memset(lua_newuserdata(L, sizeof(pool)), 0, sizeof(pool));
  lua_pushcclosure(L, core_uuid, 1);
  lua_setfield(L, -2, "uuid");
  set_table(L, "text", text_functions);
  set_table(L, "time", time_functions);
  set_table(L, "uri", uri_functions);
}
