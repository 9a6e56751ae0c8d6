#include "test.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "sm_jose.h"

/* The key of RFC 7515, appendix A.3, as PKCS #8 and as SEC 1 without the
** public part. */
static const char pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";
static const char sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MDECAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
    "AwEH\n"
    "-----END EC PRIVATE KEY-----\n";

static const unsigned char x[] = {
    0x7f, 0xcd, 0xce, 0x27, 0x70, 0xf6, 0xc4, 0x5d, 0x41, 0x83, 0xcb,
    0xee, 0x6f, 0xdb, 0x4b, 0x7b, 0x58, 0x07, 0x33, 0x35, 0x7b, 0xe9,
    0xef, 0x13, 0xba, 0xcf, 0x6e, 0x3c, 0x7b, 0xd1, 0x54, 0x45};
static const unsigned char y[] = {
    0xc7, 0xf1, 0x44, 0xcd, 0x1b, 0xbd, 0x9b, 0x7e, 0x87, 0x2c, 0xdf,
    0xed, 0xb9, 0xee, 0xb9, 0xf4, 0xb3, 0x69, 0x5d, 0x6e, 0xa9, 0x0b,
    0x24, 0xad, 0x8a, 0x46, 0x23, 0x28, 0x85, 0x88, 0xe5, 0xad};

static sm_str text (const char *s) {
  return (sm_str){s, strlen(s)};
}

static void coordinates (void) {
  unsigned char a[SM_P256_SIZE], b[SM_P256_SIZE];
  test_name("coordinates");
  CHECK(sm_jose_p256(text(pkcs8), a, b) == SM_OK);
  CHECK(memcmp(a, x, sizeof x) == 0 && memcmp(b, y, sizeof y) == 0);
  memset(a, 0, sizeof a);
  test_name("coordinates that the key leaves out");
  CHECK(sm_jose_p256(text(sec1), a, b) == SM_OK);
  CHECK(memcmp(a, x, sizeof x) == 0 && memcmp(b, y, sizeof y) == 0);
}

/* An integer of DER from 32 bytes; its length. */
static size_t put_integer (unsigned char *der, const unsigned char *n) {
  size_t skip = 0, pad;
  while (skip < SM_P256_SIZE - 1 && n[skip] == 0)
    skip++;
  pad = n[skip] >> 7;
  der[0] = 2;
  der[1] = (unsigned char)(SM_P256_SIZE - skip + pad);
  der[2] = 0;
  memcpy(der + 2 + pad, n + skip, SM_P256_SIZE - skip);
  return 2u + der[1];
}

static int verifies (EVP_PKEY *key, sm_str message, const unsigned char *sig) {
  unsigned char der[2 + 2 * (SM_P256_SIZE + 3)];
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  size_t n = put_integer(der + 2, sig);
  int ok;
  n += put_integer(der + 2 + n, sig + SM_P256_SIZE);
  der[0] = 0x30;
  der[1] = (unsigned char)n;
  ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
       EVP_DigestVerify(ctx, sig == NULL ? NULL : der, n + 2,
                        (const unsigned char *)message.p, message.len) == 1;
  EVP_MD_CTX_free(ctx);
  return ok;
}

/* Signatures differ each time: numbers with leading zeros come up, too. */
static void signatures (void) {
  BIO *bio = BIO_new_mem_buf(pkcs8, -1);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  unsigned char sig[2 * SM_P256_SIZE];
  int i;
  test_name("signatures");
  for (i = 0; i < 600; i++) {
    char memory[16];
    sm_str message = {memory, (size_t)snprintf(memory, sizeof memory, "%d", i)};
    CHECK(sm_jose_es256(text(pkcs8), message, sig) == SM_OK);
    CHECK(verifies(key, message, sig));
    sig[40] ^= 1;
    CHECK(!verifies(key, message, sig));
  }
  CHECK(sm_jose_es256(text(sec1), SM_LIT(""), sig) == SM_OK);
  CHECK(verifies(key, SM_LIT(""), sig));
  EVP_PKEY_free(key);
  BIO_free(bio);
}

/* The PEM text of a new key, encrypted where there is a password. */
static void generate (sm_buf *out, EVP_PKEY *key, const char *password) {
  BIO *bio = BIO_new(BIO_s_mem());
  char *p;
  long n;
  CHECK(PEM_write_bio_PKCS8PrivateKey(
            bio, key, password == NULL ? NULL : EVP_aes_128_cbc(), password,
            password == NULL ? 0 : (int)strlen(password), NULL, NULL) == 1);
  n = BIO_get_mem_data(bio, &p);
  sm_buf_reset(out);
  sm_buf_put(out, p, (size_t)n);
  BIO_free(bio);
  EVP_PKEY_free(key);
}

static int refused (sm_str pem) {
  unsigned char sig[2 * SM_P256_SIZE] = {7}, b[SM_P256_SIZE];
  int status = sm_jose_es256(pem, SM_LIT("x"), sig);
  CHECK(sm_jose_p256(pem, sig, b) == status);
  CHECK(status < 0 && sig[0] == 7);
  CHECK(ERR_peek_error() == 0);
  return status;
}

static void refusals (void) {
  static char endless[1 << 16];
  sm_buf pem;
  sm_buf_init(&pem, 1 << 16, sm_libc_alloc, NULL);
  test_name("keys of other kinds");
  generate(&pem, EVP_EC_gen("P-384"), NULL);
  CHECK(refused(sm_buf_str(&pem)) == SM_EARG);
  generate(&pem, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
  CHECK(refused(sm_buf_str(&pem)) == SM_EARG);
  generate(&pem, EVP_RSA_gen(1024), NULL);
  CHECK(refused(sm_buf_str(&pem)) == SM_EARG);
  test_name("encrypted key");
  generate(&pem, EVP_EC_gen("P-256"), "hush");
  CHECK(refused(sm_buf_str(&pem)) == SM_ESYNTAX);
  generate(&pem, EVP_EC_gen("P-256"), "");
  CHECK(refused(sm_buf_str(&pem)) == SM_ESYNTAX);
  sm_buf_free(&pem);
  test_name("what is no key");
  CHECK(refused(SM_LIT("")) == SM_ESYNTAX);
  CHECK(refused(SM_LIT("hush")) == SM_ESYNTAX);
  CHECK(refused(SM_LIT("-----BEGIN PRIVATE KEY-----\nAAAA\n"
                       "-----END PRIVATE KEY-----\n")) == SM_ESYNTAX);
  CHECK(refused((sm_str){endless, sizeof endless}) == SM_ELIMIT);
  memset(endless, '-', sizeof endless);
  CHECK(refused((sm_str){endless, 8192}) == SM_ESYNTAX);
}

/* The key cut short anywhere, in memory that ends there. */
static void cut (void) {
  size_t n;
  test_name("cut keys");
  for (n = 0; n < sizeof pkcs8 - 3; n++) {
    char *copy = (char *)malloc(n > 0 ? n : 1);
    unsigned char a[SM_P256_SIZE], b[SM_P256_SIZE];
    memcpy(copy, pkcs8, n);
    CHECK(sm_jose_p256((sm_str){copy, n}, a, b) == SM_ESYNTAX);
    free(copy);
  }
}

int main (void) {
  coordinates();
  signatures();
  refusals();
  cut();
  return test_end();
}
