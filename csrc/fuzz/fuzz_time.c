/* What is read as a timestamp lies in the calendar, and reads the same after
** it was written in each form. */
#include "fuzz.h"
#include "sm_time.h"

typedef int (*put_form)(sm_buf *b, sm_time t);

static void again (sm_time t, put_form put, int keeps_nsec) {
  char memory[64];
  sm_buf b;
  sm_time same;
  sm_buf_fixed(&b, memory, sizeof memory);
  FUZZ_CHECK(put(&b, t) == SM_OK);
  FUZZ_CHECK(sm_time_parse(sm_buf_str(&b), &same) == SM_OK);
  FUZZ_CHECK(same.sec == t.sec);
  FUZZ_CHECK(same.nsec == (keeps_nsec ? t.nsec : 0));
}

static void check (sm_time t) {
  double v = sm_time_to_double(t);
  sm_time same;
  FUZZ_CHECK(t.sec >= SM_TIME_MIN && t.sec <= SM_TIME_MAX);
  FUZZ_CHECK(t.nsec >= 0 && t.nsec < 1000000000);
  again(t, sm_time_put_iso8601, 1);
  again(t, sm_time_put_epoch, 1);
  again(t, sm_time_put_http, 0);
  /* rounding may lead past the last second */
  if (sm_time_from_double(v, &same) == SM_OK)
    FUZZ_CHECK(sm_time_to_double(same) == v);
  else
    FUZZ_CHECK(t.sec == SM_TIME_MAX);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_str s = {copy, size};
  sm_time t;
  double v;
  if (sm_time_parse(s, &t) == SM_OK)
    check(t);
  if (sm_time_parse_iso8601(s, &t) == SM_OK)
    check(t);
  if (sm_time_parse_http(s, &t) == SM_OK)
    check(t);
  if (size >= sizeof v) {
    memcpy(&v, copy, sizeof v);
    if (sm_time_from_double(v, &t) == SM_OK)
      check(t);
  }
  free(copy);
  return 0;
}
