#include "fuzz.h"

#include "sm_eventstream.h"

/* What is read must be written again as the same bytes. */
static void write_again (const sm_es_message *m) {
  static sm_es_header headers[SM_ES_MAX_HEADERS];
  sm_str rest = m->headers;
  sm_buf out;
  size_t n = 0;
  int got, err;
  while ((got = sm_es_header_next(&rest, headers + n)) == 1)
    n++;
  FUZZ_CHECK(got == 0);
  sm_buf_init(&out, 1 << 20, sm_libc_alloc, NULL);
  err = sm_es_put(&out, headers, n, m->payload, NULL);
  if (err == SM_OK)
    FUZZ_CHECK(out.len == m->headers.len + m->payload.len + SM_ES_OVERHEAD &&
               memcmp(out.p + 12, m->headers.p, m->headers.len) == 0);
  else
    FUZZ_CHECK(err == SM_EARG); /* a value longer than 32767 */
  sm_buf_free(&out);
}

/* Reads it in pieces of `step`; the number of messages. */
static long read_all (const uint8_t *data, size_t size, size_t step,
                      sm_eventstream *es) {
  sm_es_message m;
  long n = 0;
  int got = 0;
  sm_es_init(es, 1 << 16, sm_libc_alloc, NULL);
  while (size > 0 && got >= 0) {
    size_t k = step < size ? step : size;
    char *copy = fuzz_copy(data, k);
    sm_str in = {copy, k};
    while ((got = sm_es_next(es, &in, &m)) == 1) {
      write_again(&m);
      n++;
    }
    free(copy);
    data += k;
    size -= k;
  }
  sm_es_end(es);
  sm_es_free(es);
  return n;
}

/* The input with its checksums put right, so that more than them is met. */
static void mend (uint8_t *p, size_t size) {
  size_t total;
  uint32_t crc;
  int i;
  while (size >= SM_ES_OVERHEAD) {
    p[0] = p[1] = p[4] = p[5] = 0;
    total = (size_t)(p[2] << 8 | p[3]);
    crc = sm_crc32(0, p, 8);
    for (i = 0; i < 4; i++)
      p[8 + i] = (uint8_t)(crc >> (24 - 8 * i));
    if (total < SM_ES_OVERHEAD || total > size)
      return;
    crc = sm_crc32(0, p, total - 4);
    for (i = 0; i < 4; i++)
      p[total - 4 + i] = (uint8_t)(crc >> (24 - 8 * i));
    p += total;
    size -= total;
  }
}

/* However the bytes are cut: the same messages and the same failure. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  uint8_t *copy = (uint8_t *)fuzz_copy(data, size);
  int round;
  for (round = 0; round < 2; round++) {
    sm_eventstream a, b, c;
    long n = read_all(copy, size, size > 0 ? size : 1, &a);
    FUZZ_CHECK(read_all(copy, size, 1, &b) == n);
    FUZZ_CHECK(read_all(copy, size, 13, &c) == n);
    FUZZ_CHECK(a.err == b.err && a.err == c.err);
    FUZZ_CHECK(a.at == b.at && a.at == c.at && a.what == b.what);
    FUZZ_CHECK(a.err == SM_OK ? a.at == 0 : a.at <= size);
    mend(copy, size);
  }
  free(copy);
  return 0;
}
