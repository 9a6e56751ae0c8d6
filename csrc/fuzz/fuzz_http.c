/* Whatever the bytes: it ends and stays inside them; a head that is read is of
** the plain kind, and written again it reads the same. */
#include "fuzz.h"
#include "sm_http.h"
#include "sm_text.h"

static int is_framing (sm_str name) {
  return sm_str_ieq(name, SM_LIT("content-length")) ||
         sm_str_ieq(name, SM_LIT("transfer-encoding")) ||
         sm_str_ieq(name, SM_LIT("host"));
}

/* Its headers as a request, which then has as many lines and two more. */
static void write_again (const sm_http_head *head) {
  sm_buf b;
  size_t i, lines = 0, fields = 0;
  sm_buf_init(&b, SIZE_MAX, sm_libc_alloc, NULL);
  FUZZ_CHECK(sm_http_put_request(&b, SM_LIT("GET"), SM_LIT("/"), SM_LIT("h")) ==
             SM_OK);
  for (i = 0; i < head->nfields; i++) {
    const sm_http_field *f = &head->fields[i];
    int status = sm_http_put_field(&b, f->name, f->value);
    FUZZ_CHECK(status == (is_framing(f->name) ? SM_ESYNTAX : SM_OK));
    fields += status == SM_OK;
  }
  for (i = 0; i < b.len; i++)
    lines += b.p[i] == '\n';
  FUZZ_CHECK(lines == fields + 2);
  sm_buf_free(&b);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_http_head head;
  if (sm_http_head_read((sm_str){copy, size}, &head) == SM_OK) {
    FUZZ_CHECK(head.size <= size && head.status >= 200 && head.status <= 999);
    FUZZ_CHECK(head.nfields <= SM_HTTP_MAX_FIELDS);
    FUZZ_CHECK(!(head.chunked && head.has_length) && head.length >= 0);
    FUZZ_CHECK(memcmp(copy + head.size - 4, "\r\n\r\n", 4) == 0);
    write_again(&head);
  }
  free(copy);
  return 0;
}
