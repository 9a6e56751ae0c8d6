#include "test.h"

#include "sm_bundle.h"

static const char bundle[] = "00000026"
                             "a 0 3\n"
                             "a.b 3 2\n"
                             "b 5 0\n"
                             "zz 5 1"
                             "onetwo";

static sm_str find (const char *text, const char *name) {
  sm_str s = {text, strlen(text)}, n = {name, strlen(name)};
  return sm_bundle_find(s, n);
}

static void names (void) {
  test_name("names");
  CHECK_TEXT(find(bundle, "a"), "one");
  CHECK_TEXT(find(bundle, "a.b"), "tw");
  CHECK_TEXT(find(bundle, "b"), "");
  CHECK_TEXT(find(bundle, "zz"), "o");
  CHECK_TEXT(find(bundle, ""), "");
  CHECK_TEXT(find(bundle, "a."), "");
  CHECK_TEXT(find(bundle, "0"), "");
  CHECK_TEXT(find(bundle, "zzz"), "");
}

/* Every start of a bundle, in memory that ends with it. */
static void truncated (void) {
  test_edge e = test_edge_make(sizeof bundle);
  size_t n;
  test_name("truncated");
  for (n = 0; n < sizeof bundle - 1; n++) {
    sm_str start = {bundle, n}, code;
    start = test_edge_copy(&e, start);
    CHECK(sm_bundle_find(start, SM_LIT("zz")).len == 0);
    code = sm_bundle_find(start, SM_LIT("a"));
    CHECK(code.len <= 3);
    CHECK(code.len == 0 || memcmp(code.p, "one", code.len) == 0);
  }
  test_edge_free(&e);
}

static void numbers (void) {
  test_name("numbers out of bounds");
  CHECK_TEXT(find("00000009a 0 99999onetwo", "a"), "onetwo");
  CHECK_TEXT(find("00000009a 999 999onetwo", "a"), "");
  CHECK_TEXT(
      find("00000043a 99999999999999999999999999999999999 1\nonetwo", "a"), "");
  CHECK_TEXT(find("99999999a 0 3", "a"), "");
  CHECK_TEXT(find("-0000005a 0 3", "a"), "");
  CHECK_TEXT(find("00000001a", "a"), "");
  CHECK_TEXT(find("00000002a one", "a"), "");
}

int main (void) {
  names();
  truncated();
  numbers();
  return test_end();
}
