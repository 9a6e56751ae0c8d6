#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "sm_sha256.h"

#define BLOCK 64

int sm_sha256_open (sm_sha256 *h) {
  h->work = EVP_MD_CTX_new();
  if (h->work == NULL)
    return SM_ENOMEM;
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  h->fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
  h->md = h->fetched;
#else
  h->md = EVP_sha256();
#endif
  return h->md == NULL ? SM_ECRYPTO : SM_OK;
}

void sm_sha256_close (sm_sha256 *h) {
  EVP_MD_CTX_free(h->work);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  EVP_MD_free(h->fetched);
#endif
  memset(h, 0, sizeof *h);
}

int sm_sha256_sum (sm_sha256 *h, sm_str message, unsigned char out[]) {
  if (!EVP_DigestInit_ex(h->work, h->md, NULL) ||
      !EVP_DigestUpdate(h->work, message.p, message.len) ||
      !EVP_DigestFinal_ex(h->work, out, NULL))
    return SM_ECRYPTO;
  return SM_OK;
}

int sm_hmac_open (sm_hmac *k) {
  k->inner = EVP_MD_CTX_new();
  k->outer = EVP_MD_CTX_new();
  return k->inner == NULL || k->outer == NULL ? SM_ENOMEM : SM_OK;
}

void sm_hmac_close (sm_hmac *k) {
  EVP_MD_CTX_free(k->inner);
  EVP_MD_CTX_free(k->outer);
  k->inner = k->outer = NULL;
}

/* The state after the key's block, each byte of it xor `pad`. */
static int begin (const sm_sha256 *h, EVP_MD_CTX *state,
                  const unsigned char key[BLOCK], int pad) {
  unsigned char block[BLOCK];
  int i, ok;
  for (i = 0; i < BLOCK; i++)
    block[i] = (unsigned char)(key[i] ^ pad);
  ok = EVP_DigestInit_ex(state, h->md, NULL) &&
       EVP_DigestUpdate(state, block, BLOCK);
  OPENSSL_cleanse(block, sizeof block);
  return ok ? SM_OK : SM_ECRYPTO;
}

int sm_hmac_key (sm_sha256 *h, sm_hmac *k, sm_str key) {
  unsigned char block[BLOCK] = {0};
  int status = SM_OK;
  if (key.len > BLOCK)
    status = sm_sha256_sum(h, key, block);
  else if (key.len > 0)
    memcpy(block, key.p, key.len);
  if (status == SM_OK)
    status = begin(h, k->inner, block, 0x36);
  if (status == SM_OK)
    status = begin(h, k->outer, block, 0x5C);
  OPENSSL_cleanse(block, sizeof block);
  return status;
}

int sm_hmac_sum (sm_sha256 *h, const sm_hmac *k, sm_str message,
                 unsigned char out[]) {
  if (!EVP_MD_CTX_copy_ex(h->work, k->inner) ||
      !EVP_DigestUpdate(h->work, message.p, message.len) ||
      !EVP_DigestFinal_ex(h->work, out, NULL) ||
      !EVP_MD_CTX_copy_ex(h->work, k->outer) ||
      !EVP_DigestUpdate(h->work, out, SM_SHA256_SIZE) ||
      !EVP_DigestFinal_ex(h->work, out, NULL))
    return SM_ECRYPTO;
  return SM_OK;
}
