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

/* Makes `start` the state behind the first `n` bytes of a message. */
static int learn (sm_sha256_start *start, const EVP_MD_CTX *from,
                  const char *text, size_t n) {
  start->known = 0;
  if (start->state == NULL)
    start->state = EVP_MD_CTX_new();
  if (start->state == NULL)
    return SM_ENOMEM;
  if (!EVP_MD_CTX_copy_ex(start->state, from) ||
      !EVP_DigestUpdate(start->state, text, n))
    return SM_ECRYPTO;
  start->known = n;
  return SM_OK;
}

/* How many bytes of whole blocks two texts begin with alike. */
static size_t alike (const unsigned char *a, const char *b, size_t len) {
  size_t n = 0;
  while (n < len && memcmp(a + n, b + n, BLOCK) == 0)
    n += BLOCK;
  return n;
}

/*
** Goes on from what a message has in common with the one before: moves *from
** and the message behind it. What only one message had is not worth a state,
** which costs as much as a block: who signs for many endpoints in turn pays
** nothing for it.
*/
static int skip_alike (sm_sha256_start *start, const EVP_MD_CTX **from,
                       sm_str *message) {
  size_t len = message->len / BLOCK * BLOCK, shared;
  int status = SM_OK;
  if (len > sizeof start->text)
    len = sizeof start->text;
  shared = alike(start->text, message->p, len < start->len ? len : start->len);
  if (shared > start->known)
    status = learn(start, *from, message->p, shared);
  else if (shared < start->known)
    start->known = 0;
  memcpy(start->text + shared, message->p + shared, len - shared);
  start->len = len;
  if (start->known > 0)
    *from = start->state;
  message->p += start->known;
  message->len -= start->known;
  return status;
}

/* The sum of what `from` has taken and the message. */
static int sum_from (sm_sha256 *h, const EVP_MD_CTX *from,
                     sm_sha256_start *start, sm_str message,
                     unsigned char out[]) {
  if (message.len >= BLOCK) {
    int status = skip_alike(start, &from, &message);
    if (status != SM_OK)
      return status;
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
  sm_sha256_forget(&k->start); /* it was behind another block */
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
