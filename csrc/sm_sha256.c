/*
** The work context is never initialised, only copied into: what it holds after
** a sum is of no use to anybody.
*/
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "sm_sha256.h"

#define BLOCK SM_SHA256_BLOCK

int sm_sha256_open (sm_sha256 *h) {
  h->fresh = EVP_MD_CTX_new();
  h->work = EVP_MD_CTX_new();
  if (h->fresh == NULL || h->work == NULL)
    return SM_ENOMEM;
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  h->fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
  h->md = h->fetched;
#else
  h->md = EVP_sha256();
#endif
  if (h->md == NULL || !EVP_DigestInit_ex(h->fresh, h->md, NULL))
    return SM_ECRYPTO;
  return SM_OK;
}

void sm_sha256_close (sm_sha256 *h) {
  EVP_MD_CTX_free(h->fresh);
  EVP_MD_CTX_free(h->work);
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  EVP_MD_free(h->fetched);
#endif
  memset(h, 0, sizeof *h);
}

/* Copying a fresh state costs less than making one. */
int sm_sha256_sum (sm_sha256 *h, sm_str message, unsigned char out[]) {
  if (!EVP_MD_CTX_copy_ex(h->work, h->fresh) ||
      !EVP_DigestUpdate(h->work, message.p, message.len) ||
      !EVP_DigestFinal_ex(h->work, out, NULL))
    return SM_ECRYPTO;
  return SM_OK;
}

void sm_sha256_forget (sm_sha256_start *start) {
  EVP_MD_CTX_free(start->state);
  OPENSSL_cleanse(start, sizeof *start);
}

/* Makes `start` that of a message whose first block is another one. */
static int learn (sm_sha256_start *start, const EVP_MD_CTX *from,
                  const char *block) {
  start->known = 0;
  if (start->state == NULL)
    start->state = EVP_MD_CTX_new();
  if (start->state == NULL)
    return SM_ENOMEM;
  if (!EVP_MD_CTX_copy_ex(start->state, from) ||
      !EVP_DigestUpdate(start->state, block, BLOCK))
    return SM_ECRYPTO;
  memcpy(start->block, block, BLOCK);
  start->known = 1;
  return SM_OK;
}

/* The sum of what `from` has taken and the message. */
static int sum_from (sm_sha256 *h, const EVP_MD_CTX *from,
                     sm_sha256_start *start, sm_str message,
                     unsigned char out[]) {
  if (message.len > BLOCK) {
    if (!start->known || memcmp(start->block, message.p, BLOCK) != 0) {
      int status = learn(start, from, message.p);
      if (status != SM_OK)
        return status;
    }
    from = start->state;
    message.p += BLOCK;
    message.len -= BLOCK;
  }
  if (!EVP_MD_CTX_copy_ex(h->work, from) ||
      !EVP_DigestUpdate(h->work, message.p, message.len) ||
      !EVP_DigestFinal_ex(h->work, out, NULL))
    return SM_ECRYPTO;
  return SM_OK;
}

int sm_sha256_sum_alike (sm_sha256 *h, sm_sha256_start *start, sm_str message,
                         unsigned char out[]) {
  return sum_from(h, h->fresh, start, message, out);
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
  sm_sha256_forget(&k->start);
}

/* The state after the key's block, each byte of it xor `pad`. */
static int begin (const sm_sha256 *h, EVP_MD_CTX *state,
                  const unsigned char key[BLOCK], int pad) {
  unsigned char block[BLOCK];
  int i, ok;
  for (i = 0; i < BLOCK; i++)
    block[i] = (unsigned char)(key[i] ^ pad);
  ok = EVP_MD_CTX_copy_ex(state, h->fresh) &&
       EVP_DigestUpdate(state, block, BLOCK);
  OPENSSL_cleanse(block, sizeof block);
  return ok ? SM_OK : SM_ECRYPTO;
}

int sm_hmac_key (sm_sha256 *h, sm_hmac *k, sm_str key) {
  unsigned char block[BLOCK] = {0};
  int status = SM_OK;
  k->start.known = 0;
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

int sm_hmac_sum (sm_sha256 *h, sm_hmac *k, sm_str message,
                 unsigned char out[]) {
  int status = sum_from(h, k->inner, &k->start, message, out);
  if (status != SM_OK)
    return status;
  if (!EVP_MD_CTX_copy_ex(h->work, k->outer) ||
      !EVP_DigestUpdate(h->work, out, SM_SHA256_SIZE) ||
      !EVP_DigestFinal_ex(h->work, out, NULL))
    return SM_ECRYPTO;
  return SM_OK;
}
