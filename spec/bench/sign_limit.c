/*
** The yardstick of spec/bench/sign.lua: the least that signing a request can
** cost in C with OpenSSL's SHA-256. The names of the headers come in lower case
** and sorted, path and values need no normalisation, all that depends on the
** day is written down already, the key is kept as HMAC states, and the hash is
** the low-level one (deprecated in OpenSSL 3, so nothing that ships uses it).
** No allocation, no checks.
**
**   cc -O2 -w -o sign_limit spec/bench/sign_limit.c -lcrypto
**   ./sign_limit [rounds]                      prints "limit <ns>"
**
** Built with -DSIGN_CORE -Icsrc, libsm_crypto.a and libsm.a it also signs through sm_sigv4, in
** alternating rounds, and prints "core <ns>" after checking that both make the
** same signature. Every body is another one. Times are of the CPU, the least of
** all rounds.
*/
#define OPENSSL_SUPPRESS_DEPRECATED
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#define BODY 680
#define PER_ROUND 20000

#define HOST "api.sagemaker.us-west-2.amazonaws.com"
#define TARGET "SageMaker.CreateEndpoint"
#define TYPE "application/x-amz-json-1.1"
#define SCOPE "20260115/us-west-2/sagemaker/aws4_request"
#define DATE "20260115T123456Z"
#define ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

#define PUT(p, text) (memcpy(p, text, sizeof(text) - 1), p + sizeof(text) - 1)

static SHA256_CTX inner, outer;
static char body[BODY];

static char pairs[512]; /* "000102…ff" */

static char *put_hex (char *p, const unsigned char *hash) {
  int i;
  for (i = 0; i < 32; i++, p += 2)
    memcpy(p, pairs + 2 * hash[i], 2);
  return p;
}

static void set_key (const unsigned char *key, size_t n) {
  unsigned char block[64] = {0};
  int i;
  memcpy(block, key, n);
  for (i = 0; i < 64; i++)
    block[i] ^= 0x36;
  SHA256_Init(&inner);
  SHA256_Update(&inner, block, 64);
  for (i = 0; i < 64; i++)
    block[i] ^= 0x36 ^ 0x5C;
  SHA256_Init(&outer);
  SHA256_Update(&outer, block, 64);
}

static void hmac (const void *data, size_t n, unsigned char *out) {
  SHA256_CTX c = inner;
  SHA256_Update(&c, data, n);
  SHA256_Final(out, &c);
  c = outer;
  SHA256_Update(&c, out, 32);
  SHA256_Final(out, &c);
}

static void derive (void) {
  static const char *const chain[] = {"20260115", "us-west-2", "sagemaker",
                                      "aws4_request"};
  unsigned char key[32];
  int i;
  set_key((const unsigned char *)"AWS4" SECRET, sizeof "AWS4" SECRET - 1);
  for (i = 0; i < 4; i++) {
    hmac(chain[i], strlen(chain[i]), key);
    set_key(key, sizeof key);
  }
}

static void hash (const void *data, size_t n, unsigned char *out) {
  SHA256_CTX c;
  SHA256_Init(&c);
  SHA256_Update(&c, data, n);
  SHA256_Final(out, &c);
}

typedef struct header {
  const char *name, *value;
  size_t name_len, value_len;
} header;

static struct request {
  const char *method, *path;
  size_t method_len, path_len;
  header headers[4];
  int n;
} request;

static void open_limit (void) {
  static const char *const texts[][2] = {{"content-type", TYPE},
                                         {"host", HOST},
                                         {"x-amz-date", DATE},
                                         {"x-amz-target", TARGET}};
  for (request.n = 0; request.n < 4; request.n++) {
    header *h = &request.headers[request.n];
    h->name = texts[request.n][0];
    h->name_len = strlen(h->name);
    h->value = texts[request.n][1];
    h->value_len = strlen(h->value);
  }
  request.method = "POST";
  request.method_len = 4;
  request.path = "/";
  request.path_len = 1;
}

static char *put (char *p, const char *text, size_t n) {
  memcpy(p, text, n);
  return p + n;
}

static char *put_names (char *p, const struct request *r) {
  int i;
  for (i = 0; i < r->n; i++) {
    if (i > 0)
      *p++ = ';';
    p = put(p, r->headers[i].name, r->headers[i].name_len);
  }
  return p;
}

static char *put_canonical (char *p, const struct request *r) {
  int i;
  p = put(p, r->method, r->method_len);
  *p++ = '\n';
  p = put(p, r->path, r->path_len);
  p = PUT(p, "\n\n");
  for (i = 0; i < r->n; i++) {
    p = put(p, r->headers[i].name, r->headers[i].name_len);
    *p++ = ':';
    p = put(p, r->headers[i].value, r->headers[i].value_len);
    *p++ = '\n';
  }
  *p++ = '\n';
  p = put_names(p, r);
  *p++ = '\n';
  return p;
}

static size_t sign_limit (char *out) {
  char text[1024], *p = put_canonical(text, &request);
  unsigned char digest[32];
  hash(body, BODY, digest);
  p = put_hex(p, digest);
  hash(text, (size_t)(p - text), digest);
  p = PUT(text, "AWS4-HMAC-SHA256\n" DATE "\n" SCOPE "\n");
  p = put_hex(p, digest);
  hmac(text, (size_t)(p - text), digest);
  p = PUT(out, "AWS4-HMAC-SHA256 Credential=" ID "/" SCOPE ", SignedHeaders=");
  p = put_names(p, &request);
  p = PUT(p, ", Signature=");
  return (size_t)(put_hex(p, digest) - out);
}

#ifdef SIGN_CORE
#include "sm_sigv4.h"

static sm_sigv4 signer;
static sm_buf result;

static void open_core (void) {
  sm_sigv4_config c = {SM_LIT(ID), SM_LIT(SECRET), {NULL, 0},
                       SM_LIT("us-west-2"), SM_LIT("sagemaker"), 0};
  sm_sigv4_init(&signer, sm_libc_alloc, NULL);
  sm_buf_init(&result, 4096, sm_libc_alloc, NULL);
  if (sm_sigv4_open(&signer, &c) != SM_OK)
    exit(1);
}

static size_t sign_core (char *out) {
  sm_sigv4_header headers[] = {
      {SM_LIT("X-Amz-Target"), SM_LIT(TARGET)},
      {SM_LIT("Content-Type"), SM_LIT(TYPE)},
      {SM_LIT("Host"), SM_LIT(HOST)},
  };
  sm_sigv4_request r;
  memset(&r, 0, sizeof r);
  r.method = SM_LIT("POST");
  r.path = SM_LIT("/");
  r.body = (sm_str){body, BODY};
  r.headers = headers;
  r.nheaders = sizeof headers / sizeof headers[0];
  r.epoch = 1768480496;
  r.expires = -1;
  sm_buf_reset(&result);
  if (sm_sigv4_authorization(&signer, &r, &result) != SM_OK)
    exit(1);
  memcpy(out, result.p, result.len);
  return result.len;
}
#endif

static double now (void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double round_of (size_t (*sign)(char *)) {
  char out[512];
  double start = now();
  int i;
  for (i = 0; i < PER_ROUND; i++) {
    body[0] = (char)i;
    sign(out);
  }
  return (now() - start) / PER_ROUND;
}

int main (int argc, char **argv) {
  int i, rounds = argc > 1 ? atoi(argv[1]) : 15;
  double limit = 1e9, core = 1e9, x;
  for (i = 0; i < 512; i++)
    pairs[i] = "0123456789abcdef"[i & 1 ? i / 2 & 15 : i / 32];
  memset(body, 'x', sizeof body);
  derive();
  open_limit();
#ifdef SIGN_CORE
  {
    char a[512], b[512];
    size_t n;
    open_core();
    n = sign_limit(a);
    if (sign_core(b) != n || memcmp(a, b, n) != 0) {
      fprintf(stderr, "signatures differ\n%.*s\n%.*s\n", (int)n, a, (int)n, b);
      return 1;
    }
  }
#endif
  for (i = 0; i < rounds; i++) {
    x = round_of(sign_limit);
    limit = x < limit ? x : limit;
#ifdef SIGN_CORE
    x = round_of(sign_core);
    core = x < core ? x : core;
#endif
  }
  printf("limit %.1f\n", limit);
  if (core < 1e9)
    printf("core %.1f\n", core);
  return 0;
}
