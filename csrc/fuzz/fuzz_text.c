/* Encoding and decoding again gives the same bytes; numbers agree with the C
** library's strtod. */
#include "fuzz.h"
#include "sm_number.h"
#include "sm_text.h"

typedef int (*decode)(sm_buf *b, sm_str s);

static sm_buf coded, plain;

static void back (decode f, sm_str s) {
  FUZZ_CHECK(coded.err == SM_OK);
  FUZZ_CHECK(f(&plain, sm_buf_str(&coded)) == SM_OK);
  FUZZ_CHECK(sm_str_eq(sm_buf_str(&plain), s));
  sm_buf_reset(&coded);
  sm_buf_reset(&plain);
}

static void encodings (sm_str s) {
  sm_hex_put(&coded, s.p, s.len);
  back(sm_hex_decode, s);
  sm_base64_put(&coded, s.p, s.len);
  back(sm_base64_decode, s);
  sm_percent_put(&coded, s, 0);
  back(sm_percent_decode, s);
}

/* What base64 text decodes to is written in the same way. */
static void decodings (sm_str s) {
  if (sm_base64_decode(&plain, s) == SM_OK) {
    sm_base64_put(&coded, plain.p, plain.len);
    FUZZ_CHECK(sm_str_eq(sm_buf_str(&coded), s));
  }
  sm_buf_reset(&coded);
  sm_buf_reset(&plain);
  if (sm_hex_decode(&plain, s) != SM_OK)
    FUZZ_CHECK(plain.len == 0);
  sm_buf_reset(&plain);
  if (sm_percent_decode(&plain, s) == SM_OK)
    FUZZ_CHECK(plain.len <= s.len);
  else
    FUZZ_CHECK(plain.len == 0);
  sm_buf_reset(&plain);
}

/* The length is found byte by byte too. */
static void utf8 (sm_str s) {
  const char *p = s.p;
  const char *end = s.p + s.len;
  while (p < end) {
    int n = sm_utf8_seq(p, end);
    if (n == 0)
      break;
    p += n;
  }
  FUZZ_CHECK(sm_utf8_check(s) == (size_t)(p - s.p));
}

static void numbers (sm_str s) {
  sm_number n, same;
  char text[SM_DOUBLE_SIZE];
  double v;
  char *c;
  if (s.len == sizeof v) {
    memcpy(&v, s.p, sizeof v);
    if (v - v == 0) {
      sm_str t = {text, sm_double_text(text, v)};
      FUZZ_CHECK(sm_parse_double(t, &same.d) == SM_OK);
      FUZZ_CHECK(memcmp(&same.d, &v, sizeof v) == 0);
    }
  }
  if (sm_number_parse(s, &n) != SM_OK)
    return;
  c = malloc(s.len + 1);
  FUZZ_CHECK(c != NULL);
  memcpy(c, s.p, s.len);
  c[s.len] = '\0';
  FUZZ_CHECK(sm_parse_double(s, &v) == SM_OK);
  FUZZ_CHECK(v == strtod(c, NULL) && v == sm_number_double(&n));
  free(c);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_str s = {copy, size};
  sm_buf_init(&coded, SIZE_MAX, sm_libc_alloc, NULL);
  sm_buf_init(&plain, SIZE_MAX, sm_libc_alloc, NULL);
  encodings(s);
  decodings(s);
  utf8(s);
  numbers(s);
  sm_buf_free(&coded);
  sm_buf_free(&plain);
  free(copy);
  return 0;
}
