#include <stdlib.h>

#include "sm_buf.h"

#define FIRST_CAPACITY 256

const char *sm_strerror (int status) {
  switch (status) {
  case SM_OK:
    return "no error";
  case SM_ENOMEM:
    return "not enough memory";
  case SM_ELIMIT:
    return "a limit was reached";
  case SM_ESYNTAX:
    return "malformed input";
  case SM_ERANGE:
    return "value out of range";
  case SM_EUTF8:
    return "invalid UTF-8";
  case SM_ECRYPTO:
    return "cryptographic operation failed";
  case SM_EARG:
    return "bad argument";
  default:
    return "unknown error";
  }
}

void *sm_libc_alloc (void *ud, void *p, size_t osize, size_t nsize) {
  (void)ud;
  (void)osize;
  if (nsize == 0) {
    free(p);
    return NULL;
  }
  return realloc(p, nsize);
}

void sm_buf_init (sm_buf *b, size_t max, sm_alloc alloc, void *ud) {
  b->p = NULL;
  b->len = b->cap = 0;
  b->max = max;
  b->err = SM_OK;
  b->alloc = alloc;
  b->ud = ud;
}

void sm_buf_free (sm_buf *b) {
  if (b->p != NULL)
    b->alloc(b->ud, b->p, b->cap, 0);
  b->p = NULL;
  b->len = b->cap = 0;
  b->err = SM_OK;
}

int sm_buf_grow (sm_buf *b, size_t n) {
  size_t cap;
  char *p;
  if (b->err != SM_OK)
    return b->err;
  if (n > b->max - b->len)
    return b->err = SM_ELIMIT;
  if (b->cap - b->len >= n)
    return SM_OK;
  cap = b->cap < FIRST_CAPACITY ? FIRST_CAPACITY : b->cap;
  while (cap < b->len + n)
    cap = cap > b->max / 2 ? b->max : cap * 2;
  if (cap > b->max)
    cap = b->max;
  p = b->alloc(b->ud, b->p, b->cap, cap);
  if (p == NULL)
    return b->err = SM_ENOMEM;
  b->p = p;
  b->cap = cap;
  return SM_OK;
}

/* What is called through it cannot be left out, whoever looks at the bytes. */
static void *(*const volatile overwrite)(void *, int, size_t) = memset;

void sm_buf_wipe (sm_buf *b) {
  if (b->p != NULL)
    overwrite(b->p, 0, b->cap);
  sm_buf_free(b);
}
