/* The input is a pattern, a NUL, and a subject. Asked twice, a pattern says the
** same; asked backwards, by way of a look-ahead that runs from the end of the
** subject, it says the same, too. */
#include "fuzz.h"
#include "sm_pattern.h"

/* Long subjects of large programs take long, which is known: see the bound in
** sm_pattern.h. */
#define MAX_SUBJECT 200

static int ask (sm_str pattern, sm_str subject, int *status) {
  sm_pattern *p;
  int answer = SM_EARG;
  *status = sm_pattern_new(&p, pattern, sm_libc_alloc, NULL, NULL);
  FUZZ_CHECK((*status == SM_OK) == (p != NULL));
  if (*status == SM_OK) {
    answer = sm_pattern_match(p, subject);
    FUZZ_CHECK(answer == 0 || answer == 1 || answer == SM_EUTF8);
    FUZZ_CHECK(sm_pattern_match(p, subject) == answer);
  }
  sm_pattern_free(p);
  return answer;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const uint8_t *nul = memchr(data, 0, size);
  size_t n = nul == NULL ? size : (size_t)(nul - data);
  size_t left = nul == NULL ? 0 : size - n - 1;
  char *copy = fuzz_copy(data, n);
  char *rest = fuzz_copy(nul == NULL ? data : nul + 1, left);
  sm_str subject = {rest, left > MAX_SUBJECT ? MAX_SUBJECT : left};
  sm_str pattern = {copy, n};
  int status, forward = ask(pattern, subject, &status);
  sm_buf b;
  sm_buf_init(&b, SIZE_MAX, sm_libc_alloc, NULL);
  sm_buf_puts(&b, SM_LIT("(?=(?:"));
  sm_buf_puts(&b, pattern);
  sm_buf_puts(&b, SM_LIT(")$)[^\\uD800]*"));
  if (status == SM_OK) {
    int answer = ask(sm_buf_str(&b), subject, &status);
    FUZZ_CHECK(status == SM_OK || status == SM_ELIMIT);
    if (status == SM_OK && forward >= 0 && answer >= 0)
      FUZZ_CHECK(answer == forward);
  }
  sm_buf_free(&b);
  free(copy);
  free(rest);
  return 0;
}
