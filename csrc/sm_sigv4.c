/*
** Signature Version 4: the signer, and its stages 2 and 3.
*/
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <openssl/crypto.h>

#include "sm_sigv4_stages.h"
#include "sm_text.h"

#define MAX_TEXT 65536        /* bytes of all configured texts */
#define MAX_SCRATCH (1 << 22) /* bytes of a canonical request */

/* {{ Life */

void sm_sigv4_init (sm_sigv4 *s, sm_alloc alloc, void *ud) {
  memset(s, 0, sizeof *s);
  sm_buf_init(&s->secret, MAX_TEXT, alloc, ud);
  sm_buf_init(&s->texts, MAX_TEXT, alloc, ud);
  sm_buf_init(&s->scope, MAX_TEXT, alloc, ud);
  sm_buf_init(&s->canonical, MAX_SCRATCH, alloc, ud);
  sm_buf_init(&s->names, MAX_SCRATCH, alloc, ud);
  sm_buf_init(&s->list, MAX_SCRATCH, alloc, ud);
  sm_buf_init(&s->query, MAX_SCRATCH, alloc, ud);
}

void sm_sigv4_close (sm_sigv4 *s) {
  sm_buf_wipe(&s->secret);
  sm_buf_wipe(&s->texts);
  sm_buf_free(&s->scope);
  sm_buf_wipe(&s->canonical); /* these may have held the session token */
  sm_buf_free(&s->names);
  sm_buf_free(&s->list);
  sm_buf_wipe(&s->query);
  sm_hmac_close(&s->key);
  sm_sha256_forget(&s->start);
  sm_sha256_close(&s->sha);
  s->day[0] = s->date[0] = '\0';
}

/* Whether a text may stand in a header or a scope. */
static int printable (sm_str s, int slash_too) {
  size_t i;
  for (i = 0; i < s.len; i++) {
    if (s.p[i] <= ' ' || s.p[i] > '~' || (s.p[i] == '/' && !slash_too))
      return 0;
  }
  return 1;
}

static int config_ok (const sm_sigv4_config *c) {
  return c->access_key_id.len > 0 && printable(c->access_key_id, 0) &&
         c->secret_access_key.len > 0 && printable(c->secret_access_key, 1) &&
         printable(c->session_token, 1) && c->region.len > 0 &&
         printable(c->region, 0) && c->service.len > 0 &&
         printable(c->service, 0);
}

/* The next len bytes of the texts. */
static sm_str next_text (const char **p, size_t len) {
  sm_str s;
  s.p = *p;
  s.len = len;
  *p += len;
  return s;
}

static int copy_texts (sm_sigv4 *s, const sm_sigv4_config *c) {
  const char *p;
  sm_buf_puts(&s->secret, SM_LIT("AWS4"));
  sm_buf_puts(&s->secret, c->secret_access_key);
  sm_buf_puts(&s->texts, c->access_key_id);
  sm_buf_puts(&s->texts, c->session_token);
  sm_buf_puts(&s->texts, c->region);
  sm_buf_puts(&s->texts, c->service);
  if (s->secret.err != SM_OK || s->texts.err != SM_OK)
    return s->secret.err != SM_OK ? s->secret.err : s->texts.err;
  p = s->texts.p;
  s->access_key_id = next_text(&p, c->access_key_id.len);
  s->session_token = next_text(&p, c->session_token.len);
  s->region = next_text(&p, c->region.len);
  s->service = next_text(&p, c->service.len);
  s->flags = c->flags;
  return SM_OK;
}

int sm_sigv4_open (sm_sigv4 *s, const sm_sigv4_config *config) {
  int status = config_ok(config) ? copy_texts(s, config) : SM_EARG;
  if (status == SM_OK)
    status = sm_sha256_open(&s->sha);
  if (status == SM_OK)
    status = sm_hmac_open(&s->key);
  return status;
}

/* }} */

/* {{ What depends on the time */

const char *sm_sigv4_date (sm_sigv4 *s, int64_t epoch) {
  if (s->date[0] != '\0' && s->epoch == epoch)
    return s->date;
  if (sm_time_amz(s->date, epoch) != SM_OK) {
    s->date[0] = '\0';
    return NULL;
  }
  s->epoch = epoch;
  return s->date;
}

/* The chain of codes that ends in the key of a day, a region, a service. */
static int derive (sm_sigv4 *s) {
  unsigned char key[SM_SHA256_SIZE];
  sm_str chain[4], next = sm_buf_str(&s->secret);
  int i, status = SM_OK;
  chain[0].p = s->date;
  chain[0].len = sizeof s->day;
  chain[1] = s->region;
  chain[2] = s->service;
  chain[3] = SM_LIT("aws4_request");
  for (i = 0; status == SM_OK && i < 4; i++) {
    status = sm_hmac_key(&s->sha, &s->key, next);
    if (status == SM_OK)
      status = sm_hmac_sum(&s->sha, &s->key, chain[i], key);
    next.p = (const char *)key;
    next.len = sizeof key;
  }
  if (status == SM_OK)
    status = sm_hmac_key(&s->sha, &s->key, next);
  OPENSSL_cleanse(key, sizeof key);
  return status;
}

static int write_scope (sm_sigv4 *s) {
  sm_buf *b = &s->scope;
  sm_buf_reset(b);
  sm_buf_put(b, s->date, sizeof s->day);
  sm_buf_putc(b, '/');
  sm_buf_puts(b, s->region);
  sm_buf_putc(b, '/');
  sm_buf_puts(b, s->service);
  sm_buf_puts(b, SM_LIT("/aws4_request"));
  return b->err;
}

int sm_sigv4_prepare (sm_sigv4 *s, int64_t epoch) {
  int status;
  if (sm_sigv4_date(s, epoch) == NULL)
    return SM_ERANGE;
  if (memcmp(s->day, s->date, sizeof s->day) == 0)
    return SM_OK;
  s->day[0] = '\0';
  status = write_scope(s);
  if (status == SM_OK)
    status = derive(s);
  if (status == SM_OK)
    memcpy(s->day, s->date, sizeof s->day);
  return status;
}

/* }} */

/* {{ Stages 2 and 3 */

#if defined(__SSE2__)

/* The digits of sixteen nibbles. */
static __m128i digits (__m128i nibbles) {
  __m128i above9 = _mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9));
  __m128i letters = _mm_and_si128(above9, _mm_set1_epi8('a' - '9' - 1));
  return _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')), letters);
}

void sm_sigv4_hex (char out[SM_SIGV4_HEX],
                   const unsigned char hash[SM_SHA256_SIZE]) {
  const __m128i low4 = _mm_set1_epi8(15);
  int i;
  for (i = 0; i < SM_SHA256_SIZE; i += 16) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(hash + i));
    __m128i high = digits(_mm_and_si128(_mm_srli_epi16(x, 4), low4));
    __m128i low = digits(_mm_and_si128(x, low4));
    __m128i *to = (__m128i *)(void *)(out + 2 * i);
    _mm_storeu_si128(to, _mm_unpacklo_epi8(high, low));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi8(high, low));
  }
}

#else

void sm_sigv4_hex (char out[SM_SIGV4_HEX],
                   const unsigned char hash[SM_SHA256_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  int i;
  for (i = 0; i < SM_SHA256_SIZE; i++) {
    *out++ = digits[hash[i] >> 4];
    *out++ = digits[hash[i] & 15];
  }
}

#endif

/* The stages for a signer that is prepared. */

static int put_string_to_sign (sm_sigv4 *s, sm_str canonical, sm_buf *out) {
  unsigned char hash[SM_SHA256_SIZE];
  char hex[SM_SIGV4_HEX];
  int status = sm_sha256_sum_alike(&s->sha, &s->start, canonical, hash);
  if (status != SM_OK)
    return status;
  sm_sigv4_hex(hex, hash);
  sm_buf_puts(out, SM_LIT(SM_SIGV4_ALGORITHM "\n"));
  sm_buf_put(out, s->date, sizeof s->date);
  sm_buf_putc(out, '\n');
  sm_buf_puts(out, sm_buf_str(&s->scope));
  sm_buf_putc(out, '\n');
  sm_buf_put(out, hex, sizeof hex);
  return out->err;
}

static int make_signature (sm_sigv4 *s, sm_str string_to_sign,
                           char out[SM_SIGV4_HEX]) {
  unsigned char code[SM_SHA256_SIZE];
  int status = sm_hmac_sum(&s->sha, &s->key, string_to_sign, code);
  if (status == SM_OK)
    sm_sigv4_hex(out, code);
  return status;
}

int sm_sigv4_string_to_sign (sm_sigv4 *s, sm_str canonical, int64_t epoch,
                             sm_buf *out) {
  int status = sm_sigv4_prepare(s, epoch);
  return status != SM_OK ? status : put_string_to_sign(s, canonical, out);
}

int sm_sigv4_signature (sm_sigv4 *s, sm_str string_to_sign, int64_t epoch,
                        char out[SM_SIGV4_HEX]) {
  int status = sm_sigv4_prepare(s, epoch);
  return status != SM_OK ? status : make_signature(s, string_to_sign, out);
}

/* }} */

/* {{ All stages */

/* Leaves the canonical request in s->canonical; s->list is used for the string
** to sign, so what it held is gone. */
int sm_sigv4_sign (sm_sigv4 *s, const sm_sigv4_request *r,
                   char out[SM_SIGV4_HEX]) {
  int status;
  sm_buf_reset(&s->canonical);
  status = sm_sigv4_canonical(s, r, &s->canonical);
  if (status != SM_OK)
    return status;
  sm_buf_reset(&s->list);
  status =
      sm_sigv4_string_to_sign(s, sm_buf_str(&s->canonical), r->epoch, &s->list);
  if (status != SM_OK)
    return status;
  return sm_sigv4_signature(s, sm_buf_str(&s->list), r->epoch, out);
}

/* The signed headers of the canonical request that sm_sigv4_sign has left. */
static sm_str signed_names (const sm_sigv4 *s) {
  sm_str names;
  names.p = s->canonical.p + s->signed_at;
  names.len = s->signed_len;
  return names;
}

int sm_sigv4_authorization (sm_sigv4 *s, const sm_sigv4_request *r,
                            sm_buf *out) {
  char signature[SM_SIGV4_HEX];
  int status = sm_sigv4_sign(s, r, signature);
  if (status != SM_OK)
    return status;
  sm_buf_puts(out, SM_LIT(SM_SIGV4_ALGORITHM " Credential="));
  sm_buf_puts(out, s->access_key_id);
  sm_buf_putc(out, '/');
  sm_buf_puts(out, sm_buf_str(&s->scope));
  sm_buf_puts(out, SM_LIT(", SignedHeaders="));
  sm_buf_puts(out, signed_names(s));
  sm_buf_puts(out, SM_LIT(", Signature="));
  sm_buf_put(out, signature, sizeof signature);
  return out->err;
}

int sm_sigv4_query (sm_sigv4 *s, const sm_sigv4_request *r, sm_buf *out) {
  char signature[SM_SIGV4_HEX];
  int status = r->expires < 0 ? SM_EARG : sm_sigv4_sign(s, r, signature);
  if (status != SM_OK)
    return status;
  sm_sigv4_put_query(s, r, signed_names(s), 1, out);
  sm_buf_puts(out, SM_LIT("&X-Amz-Signature="));
  sm_buf_put(out, signature, sizeof signature);
  return out->err;
}

/* }} */
