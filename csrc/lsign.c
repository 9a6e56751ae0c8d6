/*
** lsign.c: core.signer, core.equal.
**
**   core.signer{ access_key_id, secret_access_key, session_token, region,
**                service, double_encode, normalize, sign_body,
**                sign_content_length, omit_session_token } -> signer
**
**   signer:sign(request, epoch) -> request
**   signer:presign(request, epoch, expires) -> url
**   signer:canonical_request(request, epoch [, expires]) -> text
**   signer:string_to_sign(canonical_request, epoch) -> text
**   signer:signature(string_to_sign, epoch) -> 64 digits
**   signer:authorization(request, epoch [, signed_names]) -> text
**   signer:query_signature(request, epoch, signed_names) -> 64 digits
**
** A request is a plain table {method, path, query, host, headers, body}, or
** {method, url, headers, body}. Where body is absent, payload_hash may say its
** hash (or UNSIGNED-PAYLOAD). Fields are read raw, so no metamethod of the
** caller runs while its strings are borrowed, and nothing here allocates before
** they have been used.
** `signed_names` is what the client put behind SignedHeaders=, and asks for
** the signature that the request should have.
**
** Misuse throws. What fails here otherwise is memory or OpenSSL: it throws,
** too, after everything is back in the hands of the collector.
*/
#include <string.h>

#include <openssl/crypto.h>

#include "lsm.h"
#include "sm_sigv4.h"
#include "sm_text.h"
#include "sm_uri.h"

#define SIGNER "sagemaker.signer"
#define MAX_OUTPUT (1 << 22)
#define MAX_NAMES SM_SIGV4_MAX_HEADERS
#define LOCAL 1024 /* bytes of an Authorization that need no buffer */

/* Upvalues of every method: what need not be made or looked up again. */
enum upvalue {
  U_METHOD = 1,
  U_PATH,
  U_QUERY,
  U_HOST,
  U_URL,
  U_BODY,
  U_HASH,
  U_HEADERS,
  U_DATE,
  U_TOKEN,
  U_CONTENT,
  U_AUTHORIZATION,
  U_STRINGS = U_AUTHORIZATION,
  U_METATABLE, /* of signers */
  U_EPOCH,     /* the second that U_EPOCH_TEXT writes */
  U_EPOCH_TEXT,
  U_COUNT = U_EPOCH_TEXT
};

static const char *const upvalues[U_STRINGS] = {
    "method",
    "path",
    "query",
    "host",
    "url",
    "body",
    "payload_hash",
    "headers",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
    "Authorization",
};

/* A request as its table says it, borrowed. */
typedef struct gathered {
  sm_sigv4_request r;
  sm_sigv4_header headers[SM_SIGV4_MAX_HEADERS];
  sm_str names[MAX_NAMES];
  sm_url url;
  int headers_at; /* stack index of the table of headers, or of nil */
} gathered;

/* {{ Arguments */

/* luaL_checkudata without its look-up by name. */
static sm_sigv4 *check_signer (lua_State *L) {
  sm_sigv4 *s = (sm_sigv4 *)lua_touserdata(L, 1);
  if (s == NULL || !lua_getmetatable(L, 1) ||
      !lua_rawequal(L, -1, lua_upvalueindex(U_METATABLE)))
    s = (sm_sigv4 *)luaL_checkudata(L, 1, SIGNER); /* throws */
  lua_pop(L, 1);
  if (s->sha.work == NULL)
    luaL_argerror(L, 1, "signer is closed");
  return s;
}

static int64_t check_epoch (lua_State *L, int idx) {
  lua_Number x = luaL_checknumber(L, idx);
  if (!(x >= (lua_Number)SM_TIME_MIN && x < (lua_Number)SM_TIME_MAX + 1))
    luaL_argerror(L, idx, "time outside the years 1 to 9999");
  if (x < 0 && (lua_Number)(int64_t)x != x)
    return (int64_t)x - 1;
  return (int64_t)x;
}

static long check_expires (lua_State *L, int idx) {
  lua_Number x = luaL_checknumber(L, idx);
  if (!(x >= 1 && x <= SM_SIGV4_MAX_EXPIRES))
    luaL_argerror(L, idx, "seconds from 1 to 604800 expected");
  return (long)x;
}

static int bad_field (lua_State *L, const char *field, const char *want) {
  return luaL_argerror(
      L, 2, lua_pushfstring(L, "field '%s' of the request: %s", field, want));
}

/* Throws what a failed call of the core means. */
static int fail (lua_State *L, int status) {
  if (status == SM_EARG)
    return luaL_argerror(L, 2,
                         "request without host, or with a blank in method, "
                         "payload_hash or the name of a header");
  if (status == SM_ELIMIT)
    return luaL_argerror(L, 2, "request too large, or too many headers");
  return luaL_error(L, "signing failed: %s", sm_strerror(status));
}

/* }} */

/* {{ Reading a request */

/* A field that is a string (or a number) or absent: NULL, 0. Its value stays
** on the stack, and so alive. */
static sm_str get_field (lua_State *L, int upvalue) {
  sm_str s = {NULL, 0};
  lua_pushvalue(L, lua_upvalueindex(upvalue));
  lua_rawget(L, 2);
  s.p = lua_tolstring(L, -1, &s.len);
  if (s.p == NULL) {
    s.len = 0;
    if (!lua_isnil(L, -1))
      bad_field(L, upvalues[upvalue - 1], "string expected");
  }
  return s;
}

static void add_header (lua_State *L, gathered *g, sm_str name) {
  sm_sigv4_header *h;
  if (g->r.nheaders == SM_SIGV4_MAX_HEADERS)
    bad_field(L, "headers", "too many");
  h = &g->headers[g->r.nheaders++];
  h->name = name;
  h->value.p = lua_tolstring(L, -1, &h->value.len);
}

/* The value on top of the stack: a string, or an array of them. */
static void read_value (lua_State *L, gathered *g, sm_str name) {
  int i;
  if (lua_type(L, -1) == LUA_TSTRING) {
    add_header(L, g, name);
    return;
  }
  if (lua_type(L, -1) != LUA_TTABLE)
    bad_field(L, "headers", "values must be strings or arrays of them");
  for (i = 1;; i++) {
    lua_rawgeti(L, -1, i);
    if (lua_isnil(L, -1))
      break;
    if (lua_type(L, -1) != LUA_TSTRING)
      bad_field(L, "headers", "values must be strings or arrays of them");
    add_header(L, g, name);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Pushes request.headers: a table, or nil where it is absent. */
static int push_headers (lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(U_HEADERS));
  lua_rawget(L, 2);
  if (lua_istable(L, -1))
    return 1;
  if (!lua_isnil(L, -1))
    bad_field(L, "headers", "table expected");
  return 0;
}

/* Whether a header is what the signature before has left: it is not signed, and
** written again. */
static int is_replaced (sm_str name) {
  return (name.len == 13 && memcmp(name.p, "Authorization", 13) == 0) ||
         (name.len == 10 && memcmp(name.p, "X-Amz-Date", 10) == 0);
}

/* Reads the headers from the table on top of the stack; those that are replaced
** only where `all` counts. */
static void read_headers (lua_State *L, gathered *g, int all) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    sm_str name;
    if (lua_type(L, -2) != LUA_TSTRING)
      bad_field(L, "headers", "names must be strings");
    name.p = lua_tolstring(L, -2, &name.len);
    if (all || !is_replaced(name))
      read_value(L, g, name);
    lua_pop(L, 1);
  }
}

/* The Host header, or NULL. */
static const sm_sigv4_header *find_host (const gathered *g) {
  size_t i;
  for (i = 0; i < g->r.nheaders; i++) {
    if (g->headers[i].name.len == 4 &&
        sm_str_ieq(g->headers[i].name, SM_LIT("host")))
      return &g->headers[i];
  }
  return NULL;
}

/* The parts that request.url says, where request.path does not. */
static void read_url (lua_State *L, gathered *g) {
  sm_str text = get_field(L, U_URL);
  if (text.p == NULL)
    bad_field(L, "path", "string expected (or 'url')");
  if (sm_url_split(text, &g->url) != SM_OK)
    bad_field(L, "url", "not an absolute URL");
  g->r.path = g->url.path;
  g->r.query = g->url.query;
  if (g->r.host.p == NULL)
    g->r.host = g->url.has_port && g->url.port == (g->url.secure ? 443u : 80u)
                    ? g->url.host
                    : g->url.authority;
}

/* The host of a request whose headers do not say it. */
static void read_host (lua_State *L, gathered *g) {
  sm_str path = g->r.path, query = g->r.query;
  g->r.host = get_field(L, U_HOST);
  if (g->r.host.p == NULL && get_field(L, U_URL).p != NULL) {
    read_url(L, g);
    g->r.path = path;
    g->r.query = query;
  }
}

/*
** Reads the request at index 2. Leaves what it read on the stack, its headers
** (or nil) at index `headers`; `gathered` is good as long as they stay there
** and no Lua code runs.
*/
static void read_request (lua_State *L, gathered *g, int64_t epoch, int all) {
  luaL_checktype(L, 2, LUA_TTABLE);
  g->r.headers = g->headers;
  g->r.nheaders = 0;
  g->r.epoch = epoch;
  g->r.expires = -1;
  g->r.names = NULL;
  g->r.nnames = 0;
  g->r.host = (sm_str){NULL, 0};
  g->r.payload_hash = (sm_str){NULL, 0};
  g->headers_at = lua_gettop(L) + 1;
  if (push_headers(L))
    read_headers(L, g, all);
  g->r.method = get_field(L, U_METHOD);
  if (g->r.method.p == NULL)
    bad_field(L, "method", "string expected");
  g->r.body = get_field(L, U_BODY);
  if (g->r.body.p == NULL)
    g->r.payload_hash = get_field(L, U_HASH);
  g->r.path = get_field(L, U_PATH);
  if (g->r.path.p == NULL) {
    g->r.host = get_field(L, U_HOST);
    read_url(L, g);
  } else {
    g->r.query = get_field(L, U_QUERY);
    if (find_host(g) == NULL)
      read_host(L, g);
  }
}

/* "host;x-amz-date" at idx: the names that a client has signed. */
static void read_names (lua_State *L, gathered *g, int idx) {
  sm_str list = lsm_checkstr(L, idx);
  const char *p = list.p, *end = list.p + list.len;
  g->r.names = g->names;
  while (p < end) {
    const char *semicolon = memchr(p, ';', (size_t)(end - p));
    sm_str *name = &g->names[g->r.nnames];
    if (g->r.nnames++ == MAX_NAMES)
      luaL_argerror(L, idx, "too many names");
    name->p = p;
    name->len = (size_t)((semicolon == NULL ? end : semicolon) - p);
    p += name->len + (semicolon != NULL);
  }
}

/* }} */

/* {{ Signing */

/*
** The Authorization of a request, in `bytes` on the C stack: the buffers of the
** signer may be in use again (by a finalizer) once Lua runs. Where it does not
** fit, in a buffer that is pushed.
*/
static sm_str authorize (lua_State *L, sm_sigv4 *s, const gathered *g,
                         char bytes[LOCAL]) {
  sm_buf fixed, *b;
  int status;
  sm_buf_fixed(&fixed, bytes, LOCAL);
  status = sm_sigv4_authorization(s, &g->r, &fixed);
  if (status == SM_OK)
    return sm_buf_str(&fixed);
  if (status != SM_ELIMIT || fixed.err == SM_OK)
    fail(L, status);
  b = lsm_newbuf(L, MAX_OUTPUT);
  status = sm_sigv4_authorization(s, &g->r, b);
  if (status != SM_OK)
    fail(L, status);
  return sm_buf_str(b);
}

/*
** Whether a header is what another attempt to sign has left, and will not be
** written again under the same name (in the same case of letters).
*/
static int is_stale (const sm_sigv4 *s, sm_str name) {
  const sm_str token = SM_LIT("X-Amz-Security-Token");
  const sm_str content = SM_LIT("X-Amz-Content-Sha256");
  sm_str own;
  switch (name.len) {
  case 10:
    own = SM_LIT("X-Amz-Date");
    break;
  case 13:
    own = SM_LIT("Authorization");
    break;
  case 20:
    own = sm_str_ieq(name, token) ? token : content;
    if (own.p == content.p && !(s->flags & SM_SIGV4_SIGN_BODY))
      return 0;
    if (own.p == token.p && s->session_token.len == 0)
      return 1;
    break;
  default:
    return 0;
  }
  return !sm_str_eq(name, own) && sm_str_ieq(name, own);
}

/* Takes stale headers out of the table at idx. A name whose value is an array
** is there several times in a row, and borrowed: once gone, its bytes may be
** gone. */
static void remove_stale (lua_State *L, int idx, const sm_sigv4 *s,
                          const gathered *g) {
  const char *last = NULL;
  size_t i;
  for (i = 0; i < g->r.nheaders; i++) {
    sm_str name = g->headers[i].name;
    if (name.p == last || !is_stale(s, name))
      continue;
    last = name.p;
    lua_pushlstring(L, name.p, name.len);
    lua_pushnil(L);
    lua_rawset(L, idx);
  }
}

/* headers[upvalue] = text, headers being at idx. */
static void set_header (lua_State *L, int idx, int upvalue, sm_str text) {
  lua_pushvalue(L, lua_upvalueindex(upvalue));
  lsm_pushstr(L, text);
  lua_rawset(L, idx);
}

/* headers["X-Amz-Content-Sha256"]: the hash that the request came with, or
** the one that was made. */
static void set_content (lua_State *L, int idx, sm_str made) {
  if (made.len > 0) {
    set_header(L, idx, U_CONTENT, made);
    return;
  }
  lua_pushvalue(L, lua_upvalueindex(U_CONTENT));
  lua_pushvalue(L, lua_upvalueindex(U_HASH));
  lua_rawget(L, 2);
  lua_rawset(L, idx);
}

/* headers["X-Amz-Date"], whose text all signers share while a second lasts. */
static void set_date (lua_State *L, int idx, int64_t epoch, sm_str date) {
  if (lua_tonumber(L, lua_upvalueindex(U_EPOCH)) != (lua_Number)epoch) {
    lsm_pushstr(L, date);
    lua_replace(L, lua_upvalueindex(U_EPOCH_TEXT));
    lua_pushnumber(L, (lua_Number)epoch);
    lua_replace(L, lua_upvalueindex(U_EPOCH));
  }
  lua_pushvalue(L, lua_upvalueindex(U_DATE));
  lua_pushvalue(L, lua_upvalueindex(U_EPOCH_TEXT));
  lua_rawset(L, idx);
}

static int signer_sign (lua_State *L) {
  sm_sigv4 *s = check_signer(L);
  gathered g;
  char auth[LOCAL], hash[SM_SIGV4_HEX], date[SM_AMZ_DATE_SIZE];
  sm_str text, made = {NULL, 0};
  int64_t epoch = check_epoch(L, 3);
  int headers;
  read_request(L, &g, epoch, 0);
  headers = g.headers_at;
  if (lua_isnil(L, headers))
    bad_field(L, "headers", "table expected");
  if ((s->flags & SM_SIGV4_SIGN_BODY) && g.r.payload_hash.len == 0) {
    int status = sm_sigv4_payload(s, g.r.body, hash);
    if (status != SM_OK)
      fail(L, status);
    g.r.payload_hash = made = (sm_str){hash, sizeof hash};
  }
  text = authorize(L, s, &g, auth);
  memcpy(date, sm_sigv4_date(s, epoch), sizeof date);
  remove_stale(L, headers, s, &g);
  set_header(L, headers, U_AUTHORIZATION, text);
  set_date(L, headers, epoch, (sm_str){date, sizeof date});
  if (s->session_token.len > 0)
    set_header(L, headers, U_TOKEN, s->session_token);
  if (s->flags & SM_SIGV4_SIGN_BODY)
    set_content(L, headers, made);
  lua_settop(L, 2);
  return 1;
}

/* The scheme of request.url; https where there is none. */
static sm_str scheme_of (lua_State *L, gathered *g) {
  sm_str url = get_field(L, U_URL);
  if (url.p != NULL && sm_url_split(url, &g->url) == SM_OK)
    return g->url.scheme;
  return SM_LIT("https");
}

static int signer_presign (lua_State *L) {
  sm_sigv4 *s = check_signer(L);
  gathered g;
  const sm_sigv4_header *host;
  sm_buf *b;
  int status;
  int64_t epoch = check_epoch(L, 3);
  long expires = check_expires(L, 4);
  b = lsm_newbuf(L, MAX_OUTPUT);
  read_request(L, &g, epoch, 1);
  g.r.expires = expires;
  host = find_host(&g);
  sm_buf_puts(b, scheme_of(L, &g));
  sm_buf_puts(b, SM_LIT("://"));
  sm_buf_puts(b, host == NULL ? g.r.host : host->value);
  sm_buf_puts(b, g.r.path.len == 0 ? SM_LIT("/") : g.r.path);
  sm_buf_putc(b, '?');
  status = sm_sigv4_query(s, &g.r, b);
  if (status != SM_OK)
    return fail(L, status);
  lsm_pushstr(L, sm_buf_str(b));
  return 1;
}

/* }} */

/* {{ Stages, and verifying */

static int signer_canonical_request (lua_State *L) {
  sm_sigv4 *s = check_signer(L);
  gathered g;
  sm_buf *b;
  int status;
  int64_t epoch = check_epoch(L, 3);
  long expires = lua_isnoneornil(L, 4) ? -1 : check_expires(L, 4);
  b = lsm_newbuf(L, MAX_OUTPUT);
  read_request(L, &g, epoch, 1);
  g.r.expires = expires;
  status = sm_sigv4_canonical(s, &g.r, b);
  if (status != SM_OK)
    return fail(L, status);
  lsm_pushstr(L, sm_buf_str(b));
  return 1;
}

static int signer_string_to_sign (lua_State *L) {
  sm_sigv4 *s = check_signer(L);
  sm_str canonical = lsm_checkstr(L, 2);
  int64_t epoch = check_epoch(L, 3);
  sm_buf *b = lsm_newbuf(L, MAX_OUTPUT);
  int status = sm_sigv4_string_to_sign(s, canonical, epoch, b);
  if (status != SM_OK)
    return fail(L, status);
  lsm_pushstr(L, sm_buf_str(b));
  return 1;
}

static int signer_signature (lua_State *L) {
  sm_sigv4 *s = check_signer(L);
  char signature[SM_SIGV4_HEX];
  int status =
      sm_sigv4_signature(s, lsm_checkstr(L, 2), check_epoch(L, 3), signature);
  if (status != SM_OK)
    return fail(L, status);
  lua_pushlstring(L, signature, sizeof signature);
  return 1;
}

static int signer_authorization (lua_State *L) {
  sm_sigv4 *s = check_signer(L);
  gathered g;
  char auth[LOCAL];
  int64_t epoch = check_epoch(L, 3);
  lua_settop(L, 4);
  read_request(L, &g, epoch, 1);
  if (!lua_isnil(L, 4))
    read_names(L, &g, 4);
  lsm_pushstr(L, authorize(L, s, &g, auth));
  return 1;
}

static int signer_query_signature (lua_State *L) {
  sm_sigv4 *s = check_signer(L);
  gathered g;
  char signature[SM_SIGV4_HEX];
  int status;
  int64_t epoch = check_epoch(L, 3);
  lua_settop(L, 4);
  read_request(L, &g, epoch, 1);
  read_names(L, &g, 4);
  g.r.expires = 0;
  status = sm_sigv4_sign(s, &g.r, signature);
  if (status != SM_OK)
    return fail(L, status);
  lua_pushlstring(L, signature, sizeof signature);
  return 1;
}

/* }} */

/* {{ Life */

static int signer_tostring (lua_State *L) {
  sm_sigv4 *s = (sm_sigv4 *)luaL_checkudata(L, 1, SIGNER);
  if (s->texts.len == 0) {
    lua_pushliteral(L, SIGNER " (closed)");
    return 1;
  }
  lua_pushliteral(L, SIGNER " (");
  lsm_pushstr(L, s->region);
  lua_pushliteral(L, "/");
  lsm_pushstr(L, s->service);
  lua_pushliteral(L, ")");
  lua_concat(L, 5);
  return 1;
}

static int signer_gc (lua_State *L) {
  sm_sigv4_close((sm_sigv4 *)luaL_checkudata(L, 1, SIGNER));
  return 0;
}

/* A field of the table at index 1; it stays on the stack. */
static sm_str option_text (lua_State *L, const char *name, int optional) {
  sm_str s = {NULL, 0};
  lua_getfield(L, 1, name);
  if (lua_type(L, -1) == LUA_TSTRING)
    s.p = lua_tolstring(L, -1, &s.len);
  else if (!optional || !lua_isnil(L, -1))
    luaL_argerror(L, 1,
                  lua_pushfstring(L, "field '%s': string expected, got %s",
                                  name, luaL_typename(L, -1)));
  return s;
}

static int option_flag (lua_State *L, const char *name, int absent) {
  int value;
  lua_getfield(L, 1, name);
  value = lua_isnil(L, -1) ? absent : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static unsigned read_flags (lua_State *L) {
  unsigned flags = 0;
  int sign_body = option_flag(L, "sign_body", 0);
  if (!option_flag(L, "double_encode", 1))
    flags |= SM_SIGV4_ENCODE_ONCE;
  if (!option_flag(L, "normalize", 1))
    flags |= SM_SIGV4_KEEP_PATH;
  if (sign_body)
    flags |= SM_SIGV4_SIGN_BODY;
  if (option_flag(L, "sign_content_length", sign_body))
    flags |= SM_SIGV4_SIGN_LENGTH;
  if (option_flag(L, "omit_session_token", 0))
    flags |= SM_SIGV4_OMIT_TOKEN;
  return flags;
}

static int new_signer (lua_State *L) {
  sm_sigv4_config c;
  sm_sigv4 *s;
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  int status;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  s = (sm_sigv4 *)lua_newuserdata(L, sizeof *s);
  sm_sigv4_init(s, alloc, ud);
  luaL_getmetatable(L, SIGNER);
  lua_setmetatable(L, -2);
  c.flags = read_flags(L);
  c.access_key_id = option_text(L, "access_key_id", 0);
  c.secret_access_key = option_text(L, "secret_access_key", 0);
  c.session_token = option_text(L, "session_token", 1);
  c.region = option_text(L, "region", 0);
  c.service = option_text(L, "service", 0);
  status = sm_sigv4_open(s, &c);
  if (status == SM_EARG)
    return luaL_argerror(L, 1,
                         "credentials, region and service must be printable "
                         "ASCII without blanks, and not empty");
  if (status != SM_OK)
    return luaL_error(L, "no signer: %s", sm_strerror(status));
  lua_pushvalue(L, 2);
  return 1;
}

/* core.equal(a, b): takes the same time wherever two strings differ. */
static int equal (lua_State *L) {
  sm_str a = lsm_checkstr(L, 1), b = lsm_checkstr(L, 2);
  lua_pushboolean(L, a.len == b.len && CRYPTO_memcmp(a.p, b.p, a.len) == 0);
  return 1;
}

static const luaL_Reg methods[] = {
    {"sign", signer_sign},
    {"presign", signer_presign},
    {"canonical_request", signer_canonical_request},
    {"string_to_sign", signer_string_to_sign},
    {"signature", signer_signature},
    {"authorization", signer_authorization},
    {"query_signature", signer_query_signature},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"signer", new_signer},
    {"equal", equal},
    {NULL, NULL},
};

/* Pushes a method with its upvalues; the metatable is at idx. */
static void push_method (lua_State *L, lua_CFunction f, int idx) {
  int i;
  for (i = 0; i < U_STRINGS; i++)
    lua_pushstring(L, upvalues[i]);
  lua_pushvalue(L, idx);
  lua_pushnumber(L, 0.5); /* no second that there is */
  lua_pushnil(L);
  lua_pushcclosure(L, f, U_COUNT);
}

void lsm_open_sign (lua_State *L) {
  const luaL_Reg *m;
  int metatable;
  luaL_checkstack(L, U_COUNT + 4, NULL);
  lsm_newmetatable(L, SIGNER, NULL, signer_gc);
  metatable = lua_gettop(L);
  lua_pushcfunction(L, signer_tostring);
  lua_setfield(L, metatable, "__tostring");
  lua_pushliteral(L, SIGNER); /* keeps the finalizer out of reach */
  lua_setfield(L, metatable, "__metatable");
  lua_newtable(L);
  for (m = methods; m->name != NULL; m++) {
    push_method(L, m->func, metatable);
    lua_setfield(L, -2, m->name);
  }
  lua_setfield(L, metatable, "__index");
  lua_pop(L, 1);
  lsm_setfuncs(L, functions);
}

/* }} */
