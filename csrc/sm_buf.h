/*
** sm_buf.h: bytes that grow, up to a limit.
**
** A sm_buf owns its bytes. Whoever creates it says how large it may ever grow.
** Errors stick: after the first failed append every later one fails the same
** way and changes nothing, so a writer can append many times and look at
** `err` once, at its end.
**
**   sm_buf b;
**   sm_buf_init(&b, 1 << 20, sm_libc_alloc, NULL);
**   sm_buf_put(&b, "abc", 3);
**   sm_buf_putc(&b, 'd');
**   if (b.err != SM_OK) ...
**   sm_buf_free(&b);
*/
#ifndef SM_BUF_H
#define SM_BUF_H

#include <string.h>

#include "sm_base.h"

SM_HIDDEN_BEGIN

typedef struct sm_buf {
  char *p;        /* the bytes; NULL before the first append */
  size_t len;     /* how many are in use */
  size_t cap;     /* how many are allocated */
  size_t max;     /* hard limit of len, in bytes */
  int err;        /* SM_OK, SM_ENOMEM or SM_ELIMIT; sticky */
  sm_alloc alloc; /* where the bytes come from */
  void *ud;       /* first argument of alloc */
} sm_buf;

/* Makes an empty buffer. Allocates nothing. */
void sm_buf_init(sm_buf *b, size_t max, sm_alloc alloc, void *ud);

/*
** Makes an empty buffer on n bytes of the caller's own, on the stack for
** example: it never grows, allocates nothing and must not be freed.
*/
static inline void sm_buf_fixed (sm_buf *b, char *memory, size_t n) {
  b->p = memory;
  b->len = 0;
  b->cap = b->max = n;
  b->err = SM_OK;
  b->alloc = NULL;
  b->ud = NULL;
}

/* Gives the bytes back; the buffer is as after sm_buf_init. Idempotent. */
void sm_buf_free(sm_buf *b);

/* Overwrites the bytes with zeros (for key material), then frees them. */
void sm_buf_wipe(sm_buf *b);

/* Makes room for n more bytes. Returns SM_OK or sets and returns b->err. */
int sm_buf_grow(sm_buf *b, size_t n);

/* Forgets the contents and the error, keeps the memory for the next use. */
static inline void sm_buf_reset (sm_buf *b) {
  b->len = 0;
  b->err = SM_OK;
}

/* True when n more bytes fit, growing if need be. */
static inline int sm_buf_room (sm_buf *b, size_t n) {
  return (b->err == SM_OK && b->cap - b->len >= n) ||
         sm_buf_grow(b, n) == SM_OK;
}

/* Appends n bytes. */
static inline void sm_buf_put (sm_buf *b, const void *p, size_t n) {
  if (n > 0 && sm_buf_room(b, n)) {
    memcpy(b->p + b->len, p, n);
    b->len += n;
  }
}

/* Appends one byte. */
static inline void sm_buf_putc (sm_buf *b, char c) {
  if (sm_buf_room(b, 1))
    b->p[b->len++] = c;
}

/* Appends borrowed bytes. */
static inline void sm_buf_puts (sm_buf *b, sm_str s) {
  sm_buf_put(b, s.p, s.len);
}

/* The contents, borrowed until the next append. */
static inline sm_str sm_buf_str (const sm_buf *b) {
  return (sm_str){b->p, b->len};
}

SM_HIDDEN_END

#endif
