/* Canonical forms are fixed points where they should be, and hold nothing but
** the characters they may hold. */
#include "fuzz.h"
#include "sm_text.h"
#include "sm_uri.h"

static sm_buf fresh (void) {
  sm_buf b;
  sm_buf_init(&b, SIZE_MAX, sm_libc_alloc, NULL);
  return b;
}

static int contains (sm_str s, const char *what) {
  size_t n = strlen(what);
  size_t i;
  for (i = 0; i + n <= s.len; i++) {
    if (memcmp(s.p + i, what, n) == 0)
      return 1;
  }
  return 0;
}

static void paths (sm_str s) {
  sm_buf once = fresh(), twice = fresh(), canonical = fresh();
  size_t i;
  sm_uri_remove_dots(&once, s);
  sm_uri_remove_dots(&twice, sm_buf_str(&once));
  FUZZ_CHECK(sm_str_eq(sm_buf_str(&once), sm_buf_str(&twice)));
  FUZZ_CHECK(!contains(sm_buf_str(&once), "//"));
  FUZZ_CHECK(!contains(sm_buf_str(&once), "/../"));
  sm_buf_reset(&once);
  sm_buf_reset(&twice);
  sm_uri_canonical_path(&once, s, 0);
  sm_uri_canonical_path(&twice, sm_buf_str(&once), 0);
  FUZZ_CHECK(sm_str_eq(sm_buf_str(&once), sm_buf_str(&twice)));
  sm_uri_canonical_path(&canonical, s, SM_URI_NORMALIZE | SM_URI_DOUBLE_ENCODE);
  for (i = 0; i < canonical.len; i++)
    FUZZ_CHECK(canonical.p[i] > ' ' && canonical.p[i] < 0x7F);
  sm_buf_free(&once);
  sm_buf_free(&twice);
  sm_buf_free(&canonical);
}

static void queries (sm_str s) {
  sm_buf once = fresh(), twice = fresh();
  FUZZ_CHECK(sm_uri_canonical_query(&once, s) == SM_OK);
  FUZZ_CHECK(sm_uri_canonical_query(&twice, sm_buf_str(&once)) == SM_OK);
  FUZZ_CHECK(sm_str_eq(sm_buf_str(&once), sm_buf_str(&twice)));
  sm_buf_free(&once);
  sm_buf_free(&twice);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_str s = {copy, size};
  sm_url url;
  paths(s);
  queries(s);
  sm_ipv6_valid(s);
  if (sm_url_split(s, &url) == SM_OK) {
    FUZZ_CHECK(url.scheme.len > 0 && url.host.len > 0);
    FUZZ_CHECK(url.authority.len >= url.host.len);
    FUZZ_CHECK(url.path.len == 0 || url.path.p[0] == '/');
    FUZZ_CHECK(url.ipv6 ? url.host.p[0] == '[' : sm_host_valid(url.host));
    FUZZ_CHECK(memchr(url.authority.p, '@', url.authority.len) == NULL);
    paths(url.path);
    if (url.query.p != NULL)
      queries(url.query);
  }
  free(copy);
  return 0;
}
