/*
** test.h: what the C tests share. Include it first.
**
**   int main (void) {
**     test_name("empty buffer");
**     CHECK(b.len == 0);
**     return test_end();
**   }
**
** A failed check prints the name, the expression and the line, and the test
** goes on. Beside the checks: an allocator that counts, verifies sizes and can
** refuse its n-th call; and memory that ends where no page is.
*/
#ifndef SM_TEST_H
#define SM_TEST_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sm_base.h"
#include "sm_buf.h"

/* {{ Checks */

typedef struct test_counters {
  long passed, failed;
  const char *name;
} test_counters;

static test_counters test_now;

/* Names the checks that follow. */
static inline void test_name (const char *name) {
  test_now.name = name;
}

static inline int test_check (int ok, const char *text, const char *file,
                              int line) {
  if (ok) {
    test_now.passed++;
  } else {
    test_now.failed++;
    printf("%s:%d: [%s] %s\n", file, line, test_now.name, text);
  }
  return ok;
}

#define CHECK(cond) test_check((cond) != 0, #cond, __FILE__, __LINE__)

/* Checks that borrowed bytes are those of a C string. */
static inline int test_text (sm_str got, const char *want, const char *file,
                             int line) {
  size_t n = strlen(want);
  int ok = got.len == n && (n == 0 || memcmp(got.p, want, n) == 0);
  if (!test_check(ok, "texts differ", file, line))
    printf("  wanted %s\n  got    %.*s\n", want, (int)got.len,
           got.len > 0 ? got.p : "");
  return ok;
}

#define CHECK_TEXT(got, want) test_text((got), (want), __FILE__, __LINE__)

/* Prints the sum; the exit code of main. */
static inline int test_end (void) {
  printf("%ld passed, %ld failed\n", test_now.passed, test_now.failed);
  return test_now.failed != 0;
}

/* A C string as borrowed bytes. */
static inline sm_str test_str (const char *s) {
  return (sm_str){s, strlen(s)};
}

/* }} */

/* {{ An allocator that counts */

typedef struct test_heap {
  long left; /* how many allocations succeed still; -1: all */
  long live; /* blocks not yet freed */
  long wrong_sizes;
  long refused;
} test_heap;

/* Room before a block for its size, keeping its alignment. */
#define TEST_HEADER 16

static inline void *test_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  test_heap *h = ud;
  char *block = p != NULL ? (char *)p - TEST_HEADER : NULL;
  size_t had = 0;
  if (block != NULL)
    memcpy(&had, block, sizeof had);
  h->wrong_sizes += block != NULL && had != osize;
  if (nsize == 0) {
    h->live -= block != NULL;
    free(block);
    return NULL;
  }
  if (h->left == 0) {
    h->refused++;
    return NULL;
  }
  h->left -= h->left > 0;
  h->live += block == NULL;
  block = realloc(block, nsize + TEST_HEADER);
  if (block == NULL)
    abort();
  memcpy(block, &nsize, sizeof nsize);
  return block + TEST_HEADER;
}

/*
** Runs `run` with an allocator that refuses from its first, second, … call on,
** until one run is refused nothing. Each run must answer SM_ENOMEM exactly
** when it was refused something, and give back every block.
*/
static inline void test_allocations (int (*run)(sm_alloc alloc, void *ud)) {
  long n;
  for (n = 0; n < 10000; n++) {
    test_heap h = {0, 0, 0, 0};
    int err;
    h.left = n;
    err = run(test_alloc, &h);
    CHECK(h.live == 0);
    CHECK(h.wrong_sizes == 0);
    if (h.refused == 0) {
      CHECK(err == SM_OK);
      return;
    }
    CHECK(err == SM_ENOMEM);
  }
  CHECK(!"the run ends");
}

/* }} */

/* {{ Memory that ends where no page is */

typedef struct test_edge {
  char *base; /* the mapping */
  size_t size;
  char *end; /* one past the last byte that may be touched */
} test_edge;

/* At least n bytes before the edge. */
static inline test_edge test_edge_make (size_t n) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  test_edge e;
  size_t usable = (n / page + 1) * page;
  e.size = usable + page;
  e.base = mmap(NULL, e.size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (e.base == MAP_FAILED || mprotect(e.base + usable, page, PROT_NONE) != 0)
    abort();
  e.end = e.base + usable;
  return e;
}

/* A copy of s whose last byte is the last before the edge. */
static inline sm_str test_edge_copy (const test_edge *e, sm_str s) {
  char *p = e->end - s.len;
  if (s.len > 0)
    memcpy(p, s.p, s.len);
  return (sm_str){p, s.len};
}

static inline void test_edge_free (test_edge *e) {
  munmap(e->base, e->size);
}

/* }} */

#endif
