/*
** lcrypto.c: opens `sagemaker.crypto`, the part of `sagemaker.core` that needs
** libcrypto. Nobody names it: lcore.c loads it and lists what it has.
*/
#include <openssl/crypto.h>

#include "lsm.h"

LSM_EXPORT int luaopen_sagemaker_crypto(lua_State *L);

LSM_EXPORT int luaopen_sagemaker_crypto (lua_State *L) {
  lua_newtable(L);
  lua_pushstring(L, OpenSSL_version(OPENSSL_VERSION));
  lua_setfield(L, -2, "openssl");
  lsm_open_hash(L);
  lsm_open_jose(L);
  lsm_open_sign(L);
  return 1;
}
