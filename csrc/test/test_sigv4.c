#include "test.h"

#include <openssl/crypto.h>

#include "sm_sigv4.h"
#include "sm_text.h"

/* The vectors of the three stages are the subject of spec/sign_spec.lua; here
** are hashes, memory, and what the binding does not let through. */

/* {{ OpenSSL's own allocations, which can be refused, too */

static long openssl_left = -1;

static void *openssl_malloc (size_t n, const char *file, int line) {
  (void)file;
  (void)line;
  if (openssl_left == 0)
    return NULL;
  openssl_left -= openssl_left > 0;
  return malloc(n);
}

static void *openssl_realloc (void *p, size_t n, const char *file, int line) {
  (void)file;
  (void)line;
  if (openssl_left == 0)
    return NULL;
  openssl_left -= openssl_left > 0;
  return realloc(p, n);
}

static void openssl_free (void *p, const char *file, int line) {
  (void)file;
  (void)line;
  free(p);
}

/* }} */

/* {{ Hashes */

static sm_buf hex;

static sm_str hex_of (const unsigned char *hash) {
  sm_buf_reset(&hex);
  sm_hex_put(&hex, hash, SM_SHA256_SIZE);
  return sm_buf_str(&hex);
}

/* FIPS 180-2 and RFC 4231. */
static void hashes (void) {
  sm_sha256 h = {0};
  sm_hmac k = {0};
  unsigned char out[SM_SHA256_SIZE];
  char key[131];
  test_name("hashes");
  CHECK(sm_sha256_open(&h) == SM_OK && sm_hmac_open(&k) == SM_OK);
  CHECK(sm_sha256_sum(&h, SM_LIT("abc"), out) == SM_OK);
  CHECK_TEXT(
      hex_of(out),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sm_hmac_key(&h, &k, SM_LIT("Jefe")) == SM_OK);
  sm_hmac_sum(&h, &k, SM_LIT("what do ya want for nothing?"), out);
  CHECK_TEXT(
      hex_of(out),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  memset(key, 0xAA, sizeof key);
  CHECK(sm_hmac_key(&h, &k, (sm_str){key, sizeof key}) == SM_OK);
  sm_hmac_sum(&h, &k,
              SM_LIT("Test Using Larger Than Block-Size Key - Hash Key First"),
              out);
  CHECK_TEXT(
      hex_of(out),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  sm_hmac_close(&k);
  sm_hmac_close(&k);
  sm_sha256_close(&h);
  sm_sha256_close(&h);
}

/* Whatever the message before was like, the sum is that of the message. */
static void alike (void) {
  static char text[2400];
  sm_sha256 h = {0};
  sm_sha256_start start = {0};
  sm_hmac warm = {0}, cold = {0};
  unsigned char a[SM_SHA256_SIZE], b[SM_SHA256_SIZE];
  size_t i;
  test_name("messages that begin alike");
  sm_sha256_open(&h);
  sm_hmac_open(&warm);
  sm_hmac_open(&cold);
  sm_hmac_key(&h, &warm, SM_LIT("key"));
  for (i = 0; i < sizeof text; i++) {
    sm_str s = {text, i};
    text[i * 7 % (i % 3 == 0 ? sizeof text : 130)] = (char)i;
    CHECK(sm_sha256_sum(&h, s, a) == SM_OK);
    CHECK(sm_sha256_sum_alike(&h, &start, s, b) == SM_OK);
    CHECK(memcmp(a, b, sizeof a) == 0);
    CHECK(sm_sha256_sum_alike(&h, &start, s, b) == SM_OK);
    CHECK(memcmp(a, b, sizeof a) == 0);
    CHECK(sm_hmac_key(&h, &cold, SM_LIT("key")) == SM_OK);
    CHECK(sm_hmac_sum(&h, &cold, s, a) == SM_OK);
    CHECK(sm_hmac_sum(&h, &warm, s, b) == SM_OK);
    CHECK(memcmp(a, b, sizeof a) == 0);
  }
  for (i = 0; i < 2; i++)
    CHECK(sm_hmac_sum(&h, &warm, (sm_str){text, sizeof text}, b) == SM_OK);
  CHECK(warm.start.known > 0);
  CHECK(sm_hmac_key(&h, &warm, SM_LIT("another")) == SM_OK);
  CHECK(warm.start.state == NULL && warm.start.len == 0);
  sm_sha256_forget(&start);
  sm_hmac_close(&warm);
  sm_hmac_close(&cold);
  sm_sha256_close(&h);
}

/* }} */

/* {{ Signers */

static const sm_sigv4_config vanilla = {
    {"AKIDEXAMPLE", 11}, {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 40},
    {NULL, 0},           {"us-east-1", 9},
    {"service", 7},      0};

static const sm_sigv4_header host = {{"Host", 4},
                                     {"example.amazonaws.com", 21}};

static const sm_sigv4_header nameless = {{"", 0}, {"value", 5}};

static sm_sigv4_request get (void) {
  sm_sigv4_request r;
  memset(&r, 0, sizeof r);
  r.method = SM_LIT("GET");
  r.path = SM_LIT("/");
  r.headers = &host;
  r.nheaders = 1;
  r.epoch = 1440938160;
  r.expires = -1;
  return r;
}

static void signs (void) {
  sm_sigv4 s;
  sm_sigv4_request r = get();
  sm_buf b;
  char hexes[SM_SIGV4_HEX];
  test_name("a signer");
  sm_sigv4_init(&s, sm_libc_alloc, NULL);
  sm_buf_init(&b, 4096, sm_libc_alloc, NULL);
  CHECK(sm_sigv4_open(&s, &vanilla) == SM_OK);
  CHECK(sm_sigv4_authorization(&s, &r, &b) == SM_OK);
  CHECK_TEXT(
      sm_buf_str(&b),
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
      "service/aws4_request, SignedHeaders=host;x-amz-date, Signature="
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  sm_buf_reset(&b);
  CHECK(sm_sigv4_query(&s, &r, &b) == SM_EARG);
  r.expires = 3600;
  CHECK(sm_sigv4_sign(&s, &r, hexes) == SM_OK);
  CHECK_TEXT(
      ((sm_str){hexes, sizeof hexes}),
      "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d");
  r.expires = SM_SIGV4_MAX_EXPIRES + 1;
  CHECK(sm_sigv4_sign(&s, &r, hexes) == SM_EARG);
  r = get();
  r.headers = &nameless;
  CHECK(sm_sigv4_sign(&s, &r, hexes) == SM_EARG);
  r = get();
  r.nheaders = 0;
  CHECK(sm_sigv4_sign(&s, &r, hexes) == SM_EARG);
  r.epoch = SM_TIME_MAX + 1;
  CHECK(sm_sigv4_sign(&s, &r, hexes) == SM_ERANGE);
  CHECK(sm_sigv4_date(&s, SM_TIME_MIN - 1) == NULL);
  CHECK(memcmp(sm_sigv4_date(&s, 0), "19700101T000000Z", 16) == 0);
  sm_buf_free(&b);
  sm_sigv4_close(&s);
  sm_sigv4_close(&s);
}

static void refuses (void) {
  sm_sigv4 s;
  sm_sigv4_config c = vanilla;
  test_name("configurations");
  sm_sigv4_init(&s, sm_libc_alloc, NULL);
  c.secret_access_key = SM_LIT("");
  CHECK(sm_sigv4_open(&s, &c) == SM_EARG);
  c = vanilla;
  c.service = SM_LIT("a/b");
  CHECK(sm_sigv4_open(&s, &c) == SM_EARG);
  c = vanilla;
  c.session_token = SM_LIT("a\nb");
  CHECK(sm_sigv4_open(&s, &c) == SM_EARG);
  sm_sigv4_close(&s);
}

/* What is borrowed is not read past its end. */
static void edges (void) {
  static const char *const texts[] = {
      "",        "a",        "a b",       " a  b ",
      "abcdefg", "abcdefgh", "abcdefghi", "abcdefghijklmnopq"};
  test_edge e = test_edge_make(4096), f = test_edge_make(4096);
  size_t i, k;
  sm_sigv4 s;
  char hexes[SM_SIGV4_HEX];
  test_name("edges");
  sm_sigv4_init(&s, sm_libc_alloc, NULL);
  CHECK(sm_sigv4_open(&s, &vanilla) == SM_OK);
  for (i = 1; i < sizeof texts / sizeof *texts; i++) {
    for (k = 0; k < sizeof texts / sizeof *texts; k++) {
      sm_sigv4_header h;
      sm_sigv4_request r = get();
      h.name = test_edge_copy(&e, test_str(texts[i]));
      h.value = test_edge_copy(&f, test_str(texts[k]));
      r.host = h.value;
      r.query = h.value;
      r.path = h.value;
      r.body = h.value;
      r.headers = &h;
      CHECK(sm_sigv4_sign(&s, &r, hexes) ==
            (r.host.len == 0 || strchr(texts[i], ' ') ? SM_EARG : SM_OK));
    }
  }
  sm_sigv4_close(&s);
  test_edge_free(&e);
  test_edge_free(&f);
}

/* }} */

/* {{ Refused memory */

static int use_signer (sm_alloc alloc, void *ud) {
  sm_sigv4 s;
  sm_sigv4_config c = vanilla;
  sm_sigv4_request r = get();
  sm_buf b;
  int status;
  c.session_token = SM_LIT("token");
  c.flags = SM_SIGV4_SIGN_BODY;
  r.query = SM_LIT("b=1&a=2");
  r.path = SM_LIT("/a/../b%20c");
  sm_sigv4_init(&s, alloc, ud);
  sm_buf_init(&b, 4096, alloc, ud);
  status = sm_sigv4_open(&s, &c);
  if (status == SM_OK)
    status = sm_sigv4_authorization(&s, &r, &b);
  r.expires = 60;
  if (status == SM_OK)
    status = sm_sigv4_query(&s, &r, &b);
  sm_buf_free(&b);
  sm_sigv4_close(&s);
  return status;
}

/* OpenSSL refuses its n-th allocation: an error, no crash, and a signer that
** works again afterwards. */
static void openssl_refuses (void) {
  int status;
  long n;
  test_name("OpenSSL without memory");
  for (n = 0; n < 2000; n++) {
    openssl_left = n;
    status = use_signer(sm_libc_alloc, NULL);
    if (openssl_left > 0)
      break;
    openssl_left = -1;
    CHECK(status == SM_OK || status == SM_ENOMEM || status == SM_ECRYPTO);
  }
  openssl_left = -1;
  CHECK(n < 2000);
  CHECK(use_signer(sm_libc_alloc, NULL) == SM_OK);
}

/* }} */

int main (void) {
  CHECK(
      CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free));
  sm_buf_init(&hex, 256, sm_libc_alloc, NULL);
  hashes();
  alike();
  signs();
  refuses();
  edges();
  test_name("refused memory");
  test_allocations(use_signer);
  openssl_refuses();
  sm_buf_free(&hex);
  return test_end();
}
