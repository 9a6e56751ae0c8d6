/* Whatever method, name and value are: the head of a request that is written
** has as many lines as it is given headers, and two more. The bytes are cut at
** NULs into those three. */
#include "fuzz.h"
#include "sm_http.h"
#include "sm_text.h"

static sm_str next_part (sm_str *s) {
  const char *end = s->len > 0 ? memchr(s->p, '\0', s->len) : NULL;
  sm_str part = {s->p, end != NULL ? (size_t)(end - s->p) : s->len};
  size_t n = part.len + (end != NULL);
  s->p += n;
  s->len -= n;
  return part;
}

static int is_framing (sm_str name) {
  return sm_str_ieq(name, SM_LIT("content-length")) ||
         sm_str_ieq(name, SM_LIT("transfer-encoding")) ||
         sm_str_ieq(name, SM_LIT("host"));
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_str rest = {copy, size}, method = next_part(&rest), name, value;
  size_t i, lines = 0, fields = 0;
  sm_buf b;
  sm_buf_init(&b, SIZE_MAX, sm_libc_alloc, NULL);
  if (sm_http_put_method(&b, method) == SM_OK) {
    FUZZ_CHECK(memchr(b.p, ' ', b.len) == b.p + method.len);
    sm_buf_putc(&b, '/');
    FUZZ_CHECK(sm_http_put_host(&b, SM_LIT("h")) == SM_OK);
    while (rest.len > 0) {
      int status;
      name = next_part(&rest);
      value = next_part(&rest);
      status = sm_http_put_field(&b, name, value);
      FUZZ_CHECK(status == SM_OK || status == SM_ESYNTAX);
      FUZZ_CHECK(!(status == SM_OK && is_framing(name)));
      fields += status == SM_OK;
    }
    for (i = 0; i < b.len; i++)
      lines += b.p[i] == '\n';
    FUZZ_CHECK(lines == fields + 2);
  }
  sm_buf_free(&b);
  free(copy);
  return 0;
}
