/* Whatever the bytes, and however they are cut: an answer is read the same, and
** its body is no longer than what came. The first byte says how the rest is
** cut. */
#include "fuzz.h"
#include "sm_http_read.h"
#include "sm_text.h"

#define LIMIT 2000

typedef struct result {
  int status;
  sm_buf body;
  size_t rest;
} result;

static void read_all (sm_http_reader *r, const uint8_t *data, size_t size,
                      size_t step, result *out) {
  sm_http_reader_init(r, LIMIT, sm_libc_alloc, NULL);
  sm_http_reader_begin(r, 0);
  sm_buf_init(&out->body, SIZE_MAX, sm_libc_alloc, NULL);
  out->status = SM_OK;
  out->rest = 0;
  while (size > 0 && out->status == SM_OK) {
    size_t n = step < size ? step : size;
    char *copy = fuzz_copy(data, n);
    sm_str text = {copy, n};
    while (out->status == SM_OK && text.len > 0 && r->state != SM_HTTP_DONE) {
      sm_str piece;
      out->status = sm_http_reader_feed(r, &text, &piece);
      sm_buf_puts(&out->body, piece);
    }
    out->rest += text.len;
    free(copy);
    data += n;
    size -= n;
  }
}

static sm_str field_name (const sm_http_span *s, const char *text) {
  return (sm_str){text + s->name, s->name_len};
}

static void compare_fields (const sm_http_reader *a, const sm_http_reader *b) {
  const sm_http_span *one, *two;
  const char *text_a, *text_b;
  size_t i, n = sm_http_reader_fields(a, &one, &text_a);
  FUZZ_CHECK(n == sm_http_reader_fields(b, &two, &text_b));
  FUZZ_CHECK(n <= SM_HTTP_MAX_LINES);
  for (i = 0; i < n; i++) {
    FUZZ_CHECK(one[i].name_len > 0);
    FUZZ_CHECK(
        sm_str_eq(field_name(one + i, text_a), field_name(two + i, text_b)));
    FUZZ_CHECK(sm_str_eq((sm_str){text_a + one[i].value, one[i].value_len},
                         (sm_str){text_b + two[i].value, two[i].value_len}));
  }
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  sm_http_reader whole, cut;
  result one, two;
  if (size == 0)
    return 0;
  read_all(&whole, data + 1, size - 1, size, &one);
  read_all(&cut, data + 1, size - 1, data[0] % 64 + 1u, &two);
  /* of two things that are wrong, either may be noticed first */
  FUZZ_CHECK((one.status == SM_OK) == (two.status == SM_OK));
  FUZZ_CHECK(one.status != SM_ENOMEM);
  FUZZ_CHECK(sm_str_eq(sm_buf_str(&one.body), sm_buf_str(&two.body)));
  FUZZ_CHECK(one.body.len < size);
  if (one.status == SM_OK) {
    FUZZ_CHECK(whole.state == cut.state && whole.status == cut.status);
    FUZZ_CHECK(whole.keep == cut.keep && whole.left == cut.left);
    FUZZ_CHECK(one.rest == two.rest);
    compare_fields(&whole, &cut);
  }
  sm_http_reader_free(&whole);
  sm_http_reader_free(&cut);
  sm_buf_free(&one.body);
  sm_buf_free(&two.body);
  return 0;
}
