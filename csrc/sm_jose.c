/*
** sm_jose.c: see sm_jose.h.
*/
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "sm_jose.h"

/* A key of 256 bits takes 240 bytes of text. */
#define MAX_PEM 8192

/* Room for a signature in DER: two numbers of 33 bytes and their frames. */
#define MAX_DER 128

/* Without this OpenSSL would ask at the terminal. */
static int no_password (char *text, int size, int writing, void *ud) {
  (void)text;
  (void)size;
  (void)writing;
  (void)ud;
  return -1;
}

static int is_p256 (const EVP_PKEY *key) {
  char name[32];
  size_t len;
  return EVP_PKEY_is_a(key, "EC") &&
         EVP_PKEY_get_group_name(key, name, sizeof name, &len) == 1 &&
         strcmp(name, "prime256v1") == 0;
}

/* The caller owns *key. */
static int read_key (sm_str pem, EVP_PKEY **key) {
  BIO *bio;
  *key = NULL;
  if (pem.len > MAX_PEM)
    return SM_ELIMIT;
  bio = BIO_new_mem_buf(pem.p, (int)pem.len); /* borrows the text */
  if (bio == NULL)
    return SM_ECRYPTO;
  *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
  BIO_free(bio);
  if (*key == NULL)
    return SM_ESYNTAX;
  if (is_p256(*key))
    return SM_OK;
  EVP_PKEY_free(*key);
  *key = NULL;
  return SM_EARG;
}

/* OpenSSL's list of errors belongs to the thread: leave none for others. */
static int done (EVP_PKEY *key, int status) {
  EVP_PKEY_free(key);
  if (status != SM_OK)
    ERR_clear_error();
  return status;
}

static int sign_der (EVP_PKEY *key, sm_str message, unsigned char *der,
                     size_t *len) {
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  int ok = ctx != NULL &&
           EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestSign(ctx, der, len, (const unsigned char *)message.p,
                          message.len) == 1;
  EVP_MD_CTX_free(ctx);
  return ok ? SM_OK : SM_ECRYPTO;
}

/* From DER to two numbers of a fixed size. */
static int unpack (const unsigned char *der, size_t len,
                   unsigned char signature[2 * SM_P256_SIZE]) {
  ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
  unsigned char both[2 * SM_P256_SIZE];
  int ok = sig != NULL &&
           BN_bn2binpad(ECDSA_SIG_get0_r(sig), both, SM_P256_SIZE) >= 0 &&
           BN_bn2binpad(ECDSA_SIG_get0_s(sig), both + SM_P256_SIZE,
                        SM_P256_SIZE) >= 0;
  ECDSA_SIG_free(sig);
  if (!ok)
    return SM_ECRYPTO;
  memcpy(signature, both, sizeof both);
  return SM_OK;
}

int sm_jose_es256 (sm_str pem, sm_str message,
                   unsigned char signature[2 * SM_P256_SIZE]) {
  unsigned char der[MAX_DER];
  size_t len = sizeof der;
  EVP_PKEY *key;
  int status = read_key(pem, &key);
  if (status == SM_OK)
    status = sign_der(key, message, der, &len);
  if (status == SM_OK)
    status = unpack(der, len, signature);
  return done(key, status);
}

/* One coordinate of the public point. */
static int coordinate (const EVP_PKEY *key, const char *name,
                       unsigned char out[SM_P256_SIZE]) {
  BIGNUM *n = NULL;
  int ok = EVP_PKEY_get_bn_param(key, name, &n) == 1 &&
           BN_bn2binpad(n, out, SM_P256_SIZE) >= 0;
  BN_free(n);
  return ok;
}

int sm_jose_p256 (sm_str pem, unsigned char x[SM_P256_SIZE],
                  unsigned char y[SM_P256_SIZE]) {
  unsigned char both[2][SM_P256_SIZE];
  EVP_PKEY *key;
  int status = read_key(pem, &key);
  if (status == SM_OK && !(coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, both[0]) &&
                           coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, both[1])))
    status = SM_ECRYPTO;
  if (status == SM_OK) {
    memcpy(x, both[0], SM_P256_SIZE);
    memcpy(y, both[1], SM_P256_SIZE);
  }
  return done(key, status);
}
