#include "fuzz.h"

#include "sm_query.h"
#include "sm_text.h"
#include "sm_xml.h"

/* The texts of a fault are inside the store and valid UTF-8. */
static void check_run (const sm_buf *store, sm_run run) {
  FUZZ_CHECK(run.off <= store->len && run.len <= store->len - run.off);
  FUZZ_CHECK(run.len == 0 ||
             sm_utf8_check((sm_str){store->p + run.off, run.len}) == run.len);
}

/* Reads the input as an error, and writes its elements and texts as a form:
** that stays ASCII and within its limit. */
static void write_form (sm_str text, sm_buf *out, sm_buf *path,
                        sm_buf *scratch) {
  size_t marks[SM_XML_MAX_DEPTH], i;
  sm_query q;
  sm_xml r;
  sm_str s;
  int kind;
  sm_query_begin(&q, out, path, text, SM_LIT("1"));
  sm_xml_init(&r, text);
  while ((kind = sm_xml_next(&r, &s, scratch)) > 0) {
    if (kind == SM_X_START)
      marks[r.depth - 1] = sm_query_enter(&q, s);
    else if (kind == SM_X_TEXT)
      sm_query_put(&q, s);
    else
      sm_query_leave(&q, marks[r.depth]);
  }
  FUZZ_CHECK(kind < 0 || path->len == 0);
  for (i = 0; i < out->len; i++)
    FUZZ_CHECK(out->p[i] > ' ' && out->p[i] < 0x7F);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_str text = {copy, size};
  sm_buf store, scratch, path;
  sm_fault f;
  int err;
  sm_buf_init(&store, 1 << 16, sm_libc_alloc, NULL);
  sm_buf_init(&scratch, 1 << 16, sm_libc_alloc, NULL);
  sm_buf_init(&path, 1 << 12, sm_libc_alloc, NULL);
  err = sm_query_fault(text, &f, &store, &scratch);
  FUZZ_CHECK(err == SM_OK || f.code.len + f.message.len == 0);
  check_run(&store, f.code);
  check_run(&store, f.message);
  check_run(&store, f.type);
  check_run(&store, f.request_id);
  sm_buf_reset(&store);
  write_form(text, &store, &path, &scratch);
  sm_buf_free(&store);
  sm_buf_free(&scratch);
  sm_buf_free(&path);
  free(copy);
  return 0;
}
