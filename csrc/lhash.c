/*
** lhash.c: core.sha256 and core.sha1, and core.hasher, SHA-256 of what comes in
** pieces.
**
**   core.sha256(bytes) -> 64 hexadecimal digits
**   core.sha1(bytes) -> 40 hexadecimal digits
**   core.hasher() -> hasher
**   hasher:update(bytes) -> hasher
**   hasher:digest() -> 64 hexadecimal digits; the hasher begins anew
*/
#include <openssl/evp.h>

#include "lsm.h"
#include "sm_sha256.h"
#include "sm_text.h"

#define HASHER "sagemaker.hasher"

typedef struct hasher {
  EVP_MD_CTX *context; /* NULL: nothing is owned yet, or any more */
} hasher;

static int refuse (lua_State *L) {
  return luaL_error(L, "%s", sm_strerror(SM_ECRYPTO));
}

/* A digest of the text at 1, in hexadecimal digits. */
static int push_digest (lua_State *L, const EVP_MD *md) {
  sm_str s = lsm_checkstr(L, 1);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int n = 0;
  char memory[EVP_MAX_MD_SIZE * 2];
  sm_buf b;
  if (EVP_Digest(s.p, s.len, digest, &n, md, NULL) != 1)
    return refuse(L);
  sm_buf_fixed(&b, memory, sizeof memory);
  sm_hex_put(&b, digest, n);
  lsm_pushstr(L, sm_buf_str(&b));
  return 1;
}

/* For the names of cache files, nothing secret. */
static int hash_sha1 (lua_State *L) {
  return push_digest(L, EVP_sha1());
}

static int hash_sha256 (lua_State *L) {
  return push_digest(L, EVP_sha256());
}

static hasher *check_hasher (lua_State *L) {
  hasher *h = (hasher *)luaL_checkudata(L, 1, HASHER);
  if (h->context == NULL)
    luaL_argerror(L, 1, "hasher is closed");
  return h;
}

static int hasher_update (lua_State *L) {
  hasher *h = check_hasher(L);
  sm_str bytes = lsm_checkstr(L, 2);
  if (!EVP_DigestUpdate(h->context, bytes.p, bytes.len))
    return refuse(L);
  lua_settop(L, 1);
  return 1;
}

static int hasher_digest (lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  hasher *h = check_hasher(L);
  unsigned char sum[SM_SHA256_SIZE];
  char text[2 * SM_SHA256_SIZE];
  size_t i;
  if (!EVP_DigestFinal_ex(h->context, sum, NULL) ||
      !EVP_DigestInit_ex(h->context, EVP_sha256(), NULL))
    return refuse(L);
  for (i = 0; i < sizeof sum; i++) {
    text[2 * i] = digits[sum[i] >> 4];
    text[2 * i + 1] = digits[sum[i] & 15];
  }
  lua_pushlstring(L, text, sizeof text);
  return 1;
}

/* Idempotent. */
static int hasher_close (lua_State *L) {
  hasher *h = (hasher *)luaL_checkudata(L, 1, HASHER);
  EVP_MD_CTX_free(h->context);
  h->context = NULL;
  return 0;
}

static int new_hasher (lua_State *L) {
  static const luaL_Reg methods[] = {
      {"digest", hasher_digest},
      {"update", hasher_update},
      {NULL, NULL},
  };
  hasher *h = (hasher *)lua_newuserdata(L, sizeof(*h));
  h->context = NULL;
  lsm_newmetatable(L, HASHER, methods, hasher_close);
  lua_setmetatable(L, -2);
  h->context = EVP_MD_CTX_new();
  if (h->context == NULL || !EVP_DigestInit_ex(h->context, EVP_sha256(), NULL))
    return refuse(L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"hasher", new_hasher},
    {"sha1", hash_sha1},
    {"sha256", hash_sha256},
    {NULL, NULL},
};

void lsm_open_hash (lua_State *L) {
  lsm_setfuncs(L, functions);
}
