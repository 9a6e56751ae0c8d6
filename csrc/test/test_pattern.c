#include "test.h"

#include "sm_pattern.h"

/* Grammar and meaning are the subject of spec/pattern_spec.lua; here is what
** can only be seen from C: memory. */

static sm_pattern *compile (const char *text) {
  sm_pattern_error error;
  sm_pattern *p;
  if (!CHECK(sm_pattern_new(&p, test_str(text), sm_libc_alloc, NULL, &error) ==
             SM_OK)) {
    printf("  %s: %s at %u\n", text, error.what, (unsigned)error.at);
    abort();
  }
  return p;
}

static int match (const char *pattern, const char *subject) {
  sm_pattern *p = compile(pattern);
  int first = sm_pattern_match(p, test_str(subject));
  CHECK(sm_pattern_match(p, test_str(subject)) == first);
  sm_pattern_free(p);
  return first;
}

static void answers (void) {
  sm_pattern *p;
  test_name("answers");
  CHECK(match("[a-z](-*[a-z]){0,62}", "my-name") == 1);
  CHECK(match("[a-z](-*[a-z]){0,62}", "my-name-") == 0);
  CHECK(match("(?!.*--)[a-z-]+", "a--b") == 0);
  CHECK(match("\\p{L}+", "\xC3\xA9\xD0\x96") == 1);
  CHECK(match(".*", "a\xFF") == SM_EUTF8);
  CHECK(match("(?=.*).*", "a\xFF") == SM_EUTF8);
  p = compile("a*");
  CHECK(sm_pattern_match(p, (sm_str){NULL, 0}) == 1);
  CHECK(sm_pattern_match(p, (sm_str){"a\0", 2}) == 0);
  sm_pattern_free(p);
  p = compile("");
  CHECK(sm_pattern_match(p, (sm_str){NULL, 0}) == 1);
  sm_pattern_free(p);
  sm_pattern_free(NULL);
}

static void errors (void) {
  sm_pattern_error error;
  sm_pattern *p = NULL;
  test_name("errors");
  CHECK(sm_pattern_new(&p, SM_LIT("ab(c"), sm_libc_alloc, NULL, &error) ==
        SM_ESYNTAX);
  CHECK(p == NULL && error.at == 2);
  CHECK_TEXT(test_str(error.what), ") expected");
  CHECK(sm_pattern_new(&p, SM_LIT("((a{99}){99}){99}"), sm_libc_alloc, NULL,
                       NULL) == SM_ELIMIT);
  CHECK(sm_pattern_new(&p, (sm_str){NULL, 0}, sm_libc_alloc, NULL, NULL) ==
        SM_OK);
  sm_pattern_free(p);
}

/* Neither the pattern nor the subject is read past its end. */
static void edges (void) {
  static const char *const patterns[] = {
      "a",    "\\d",   "[a-z]", "(a)",     "a{1,2}", "\\p{L}",  "\\u0041",
      "\\p{", "[a-",   "[\\",   "\\u00",   "(?",     "(?<",     "(?<a",
      "a{1",  "a{1,2", "\\x4",  "\\uD83D", "\\c",    "\xC3\xA9"};
  static const char *const subjects[] = {"", "a", "\xC3\xA9", "\xF0\x9F\x98",
                                         "ab\xE2\x82"};
  test_edge e = test_edge_make(4096);
  size_t i, k;
  test_name("edges");
  for (i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    sm_pattern *p;
    sm_str text = test_edge_copy(&e, test_str(patterns[i]));
    if (sm_pattern_new(&p, text, sm_libc_alloc, NULL, NULL) != SM_OK)
      continue;
    for (k = 0; k < sizeof subjects / sizeof *subjects; k++)
      sm_pattern_match(p, test_edge_copy(&e, test_str(subjects[k])));
    sm_pattern_free(p);
  }
  CHECK(1);
  test_edge_free(&e);
}

/* A table that is thrown away many times gives the same answers. */
static void overflow (void) {
  enum {
    LENGTH = 3000,
    TAIL = 60
  };
  static char subject[LENGTH];
  unsigned seed = 1;
  size_t i;
  sm_pattern *p = compile("(a|b)*a(a|b){60}");
  test_name("overflow");
  for (i = 0; i < LENGTH; i++) {
    seed = seed * 1103515245 + 12345;
    subject[i] = seed >> 16 & 1 ? 'a' : 'b';
  }
  for (i = TAIL + 1; i < LENGTH; i += 7)
    CHECK(sm_pattern_match(p, (sm_str){subject, i}) ==
          (subject[i - 1 - TAIL] == 'a'));
  sm_pattern_free(p);
}

/* {{ Refused memory */

static const char *const several[] = {"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
                                      "(?=.{1,32}$)[a-z](?<!x)\\b.*",
                                      "[\\p{L}\\p{N}]*", "(a|b)*a(a|b){12}"};
static const char *const subjects[] = {"my-name", "abbaabbabaabbabbababa", "x",
                                       "\xC3\xA9t\xC3\xA9"};

/* A match that was refused memory can be asked again, later. */
static int match_all (sm_pattern *p) {
  int result = SM_OK, status;
  size_t i;
  for (i = 0; i < sizeof subjects / sizeof *subjects; i++) {
    status = sm_pattern_match(p, test_str(subjects[i]));
    if (status == SM_ENOMEM)
      result = SM_ENOMEM;
    else
      CHECK(status == 0 || status == 1);
  }
  return result;
}

static int use_patterns (sm_alloc alloc, void *ud) {
  int result = SM_OK, status;
  size_t i;
  for (i = 0; i < sizeof several / sizeof *several; i++) {
    sm_pattern *p;
    status = sm_pattern_new(&p, test_str(several[i]), alloc, ud, NULL);
    CHECK((status == SM_OK) == (p != NULL));
    if (status == SM_OK)
      status = match_all(p);
    if (status != SM_OK)
      result = status;
    sm_pattern_free(p);
  }
  return result;
}

static int use_cache (sm_alloc alloc, void *ud) {
  sm_patterns c;
  int result = SM_OK, status;
  unsigned id;
  sm_patterns_init(&c, alloc, ud);
  for (id = 0; id < 40; id++) {
    sm_str text = test_str(several[id % 2]);
    status = sm_patterns_match(&c, id * 37, text, SM_LIT("my-name"));
    if (status == SM_ENOMEM)
      result = status;
    else
      CHECK(status == (id % 2 == 0));
  }
  sm_patterns_free(&c);
  sm_patterns_free(&c);
  return result;
}

/* }} */

static void cache (void) {
  sm_patterns c;
  test_name("cache");
  sm_patterns_init(&c, sm_libc_alloc, NULL);
  CHECK(sm_patterns_match(&c, 7, SM_LIT("a+"), SM_LIT("aa")) == 1);
  CHECK(sm_patterns_match(&c, 7, SM_LIT("not looked at"), SM_LIT("b")) == 0);
  CHECK(sm_patterns_match(&c, 8, SM_LIT("("), SM_LIT("b")) == SM_ESYNTAX);
  CHECK(sm_patterns_match(&c, 8, SM_LIT("("), SM_LIT("b")) == SM_ESYNTAX);
  CHECK(sm_patterns_match(&c, 0xFFFF, SM_LIT("b"), SM_LIT("b")) == 1);
  sm_patterns_free(&c);
  CHECK(sm_patterns_match(&c, 7, SM_LIT("b"), SM_LIT("b")) == 1);
  sm_patterns_free(&c);
}

int main (void) {
  answers();
  errors();
  edges();
  overflow();
  cache();
  test_name("refused memory");
  test_allocations(use_patterns);
  test_allocations(use_cache);
  return test_end();
}
