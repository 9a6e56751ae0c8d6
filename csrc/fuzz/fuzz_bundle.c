/* What is found lies inside the bundle, whatever the file holds; what stands in
** the index of a bundle that is in order is found. The input up to its first
** line break is the name. */
#include <stdio.h>

#include "fuzz.h"
#include "sm_bundle.h"
#include "sm_text.h"

static void inside (sm_str bundle, sm_str name) {
  sm_str code = sm_bundle_find(bundle, name);
  FUZZ_CHECK(code.len <= bundle.len);
  if (code.len > 0)
    FUZZ_CHECK(code.p >= bundle.p &&
               code.p + code.len <= bundle.p + bundle.len);
}

/* A bundle of one module with the name, and the bytes as its code. */
static void only (sm_str name, sm_str bytes) {
  char numbers[64], digits[64];
  sm_buf b;
  sm_buf_init(&b, SIZE_MAX, sm_libc_alloc, NULL);
  snprintf(numbers, sizeof numbers, " 0 %zu\n", bytes.len);
  snprintf(digits, sizeof digits, "%08zu", name.len + strlen(numbers));
  sm_buf_put(&b, digits, strlen(digits));
  sm_buf_puts(&b, name);
  sm_buf_put(&b, numbers, strlen(numbers));
  sm_buf_puts(&b, bytes);
  FUZZ_CHECK(b.err == SM_OK);
  FUZZ_CHECK(sm_str_eq(sm_bundle_find(sm_buf_str(&b), name), bytes));
  sm_buf_free(&b);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_str all = {copy, size}, name = all, rest = all;
  const char *line = memchr(copy, '\n', size);
  if (line != NULL) {
    name.len = (size_t)(line - copy);
    rest.p = line + 1;
    rest.len = size - name.len - 1;
  }
  inside(rest, name);
  inside(all, name);
  if (memchr(name.p, ' ', name.len) == NULL)
    only(name, rest);
  free(copy);
  return 0;
}
