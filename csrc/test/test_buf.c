#include "test.h"

static void appends (void) {
  sm_buf b;
  int i;
  test_name("appends");
  sm_buf_init(&b, 10000, sm_libc_alloc, NULL);
  CHECK(b.p == NULL && b.len == 0 && b.err == SM_OK);
  sm_buf_put(&b, NULL, 0);
  CHECK(b.p == NULL);
  sm_buf_puts(&b, SM_LIT("abc"));
  sm_buf_putc(&b, 'd');
  CHECK_TEXT(sm_buf_str(&b), "abcd");
  for (i = 0; i < 9996; i++)
    sm_buf_putc(&b, 'x');
  CHECK(b.len == 10000 && b.err == SM_OK && b.cap == 10000);
  CHECK(b.p[0] == 'a' && b.p[9999] == 'x');
  sm_buf_reset(&b);
  CHECK(b.len == 0 && b.cap == 10000);
  sm_buf_free(&b);
  CHECK(b.p == NULL && b.cap == 0);
  sm_buf_free(&b);
}

static void limits (void) {
  sm_buf b;
  test_name("limits stick");
  sm_buf_init(&b, 5, sm_libc_alloc, NULL);
  sm_buf_put(&b, "1234", 4);
  sm_buf_put(&b, "56", 2);
  CHECK(b.err == SM_ELIMIT && b.len == 4);
  sm_buf_putc(&b, '5');
  CHECK(b.err == SM_ELIMIT && b.len == 4);
  CHECK(sm_buf_grow(&b, 0) == SM_ELIMIT);
  sm_buf_reset(&b);
  sm_buf_put(&b, "12345", 5);
  CHECK(b.err == SM_OK && b.len == 5);
  CHECK(sm_buf_grow(&b, SIZE_MAX) == SM_ELIMIT);
  sm_buf_free(&b);
  test_name("a buffer of nothing");
  sm_buf_init(&b, 0, sm_libc_alloc, NULL);
  sm_buf_put(&b, "", 0);
  CHECK(b.err == SM_OK);
  sm_buf_putc(&b, 'x');
  CHECK(b.err == SM_ELIMIT && b.p == NULL);
  sm_buf_free(&b);
  test_name("a huge limit does not overflow");
  sm_buf_init(&b, SIZE_MAX, sm_libc_alloc, NULL);
  sm_buf_put(&b, "x", 1);
  CHECK(b.err == SM_OK && b.len == 1);
  CHECK(!sm_buf_room(&b, SIZE_MAX));
  CHECK(b.err == SM_ELIMIT);
  sm_buf_free(&b);
}

static void fixed (void) {
  char memory[4];
  sm_buf b;
  test_name("a buffer on the stack");
  sm_buf_fixed(&b, memory, sizeof memory);
  sm_buf_put(&b, "abcd", 4);
  CHECK(b.err == SM_OK && b.p == memory);
  CHECK_TEXT(sm_buf_str(&b), "abcd");
  sm_buf_putc(&b, 'e');
  CHECK(b.err == SM_ELIMIT && b.len == 4);
}

static int fill (sm_alloc alloc, void *ud) {
  sm_buf b;
  int err, i;
  sm_buf_init(&b, 1 << 20, alloc, ud);
  for (i = 0; i < 5000; i++)
    sm_buf_put(&b, "0123456789", 10);
  err = b.err;
  if (err != SM_OK && b.len % 10 != 0)
    err = SM_EARG;
  sm_buf_wipe(&b);
  return err;
}

static void names (void) {
  int err;
  test_name("every status has a text");
  for (err = SM_EARG; err <= SM_OK; err++)
    CHECK(strcmp(sm_strerror(err), "unknown error") != 0);
  CHECK(strcmp(sm_strerror(-1000), "unknown error") == 0);
}

int main (void) {
  appends();
  limits();
  fixed();
  test_name("allocation failure");
  test_allocations(fill);
  names();
  return test_end();
}
