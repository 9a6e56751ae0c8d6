/*
** ljose.c: core.es256 and core.ec_jwk.
**
** What is wrong with a key comes back as nil and a message, which says nothing
** of what the key holds; a wrong argument type throws.
*/
#include "lsm.h"
#include "sm_jose.h"
#include "sm_text.h"

static int fail (lua_State *L, int status) {
  const char *message = "OpenSSL refused the private key";
  if (status == SM_ELIMIT)
    message = "the private key is too long";
  else if (status == SM_ESYNTAX)
    message = "there is no readable private key in the PEM text";
  else if (status == SM_EARG)
    message = "the private key is not one of the curve P-256";
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}

/* es256(pem, bytes) -> 64 bytes, or nil and a message */
static int jose_es256 (lua_State *L) {
  sm_str pem = lsm_checkstr(L, 1), message = lsm_checkstr(L, 2);
  unsigned char signature[2 * SM_P256_SIZE];
  int status = sm_jose_es256(pem, message, signature);
  if (status != SM_OK)
    return fail(L, status);
  lua_pushlstring(L, (const char *)signature, sizeof signature);
  return 1;
}

/* base64url without padding (RFC 7515, section 2) */
static void push_base64url (lua_State *L, const unsigned char *p, size_t n) {
  char memory[4 * SM_P256_SIZE];
  sm_buf b;
  size_t i;
  sm_buf_fixed(&b, memory, sizeof memory);
  sm_base64_put(&b, p, n);
  while (b.len > 0 && b.p[b.len - 1] == '=')
    b.len--;
  for (i = 0; i < b.len; i++) {
    if (b.p[i] == '+')
      b.p[i] = '-';
    else if (b.p[i] == '/')
      b.p[i] = '_';
  }
  lsm_pushstr(L, sm_buf_str(&b));
}

/* ec_jwk(pem) -> {kty, crv, x, y}: the public part of a private key, as a JWK
** (RFC 7517) has it; or nil and a message */
static int jose_ec_jwk (lua_State *L) {
  sm_str pem = lsm_checkstr(L, 1);
  unsigned char x[SM_P256_SIZE], y[SM_P256_SIZE];
  int status = sm_jose_p256(pem, x, y);
  if (status != SM_OK)
    return fail(L, status);
  lua_createtable(L, 0, 4);
  lua_pushliteral(L, "EC");
  lua_setfield(L, -2, "kty");
  lua_pushliteral(L, "P-256");
  lua_setfield(L, -2, "crv");
  push_base64url(L, x, sizeof x);
  lua_setfield(L, -2, "x");
  push_base64url(L, y, sizeof y);
  lua_setfield(L, -2, "y");
  return 1;
}

static const luaL_Reg functions[] = {
    {"ec_jwk", jose_ec_jwk},
    {"es256", jose_es256},
    {NULL, NULL},
};

void lsm_open_jose (lua_State *L) {
  lsm_setfuncs(L, functions);
}
