/*
** lcurl_timer.c: a binary heap of times. Each timer knows its place, so it can
** be moved or taken out without a search: thousands of transfers cost no more
** than the logarithm of their number.
*/
#include "lcurl.h"

#define MAX_TIMERS ((size_t)1 << 24)

void lcurl_timers_init (lcurl_timers *h, sm_alloc alloc, void *ud) {
  sm_buf_init(&h->heap, MAX_TIMERS * sizeof(lcurl_timer *), alloc, ud);
  h->n = 0;
}

void lcurl_timers_free (lcurl_timers *h) {
  sm_buf_free(&h->heap);
  h->n = 0;
}

int lcurl_timers_reserve (lcurl_timers *h, size_t n) {
  size_t bytes = n * sizeof(lcurl_timer *);
  int rc = bytes <= h->heap.cap ? SM_OK : sm_buf_grow(&h->heap, bytes);
  h->heap.err = SM_OK; /* less may do the next time */
  return rc;
}

static lcurl_timer **nodes (const lcurl_timers *h) {
  return (lcurl_timer **)(void *)h->heap.p;
}

static void put (lcurl_timers *h, size_t place, lcurl_timer *t) {
  nodes(h)[place - 1] = t;
  t->place = place;
}

/* Moves a timer, whose place is free, up to where it belongs. */
static size_t rise (lcurl_timers *h, size_t place, const lcurl_timer *t) {
  while (place > 1 && nodes(h)[place / 2 - 1]->at > t->at) {
    put(h, place, nodes(h)[place / 2 - 1]);
    place /= 2;
  }
  return place;
}

/* The same downwards. */
static size_t sink (lcurl_timers *h, size_t place, const lcurl_timer *t) {
  for (;;) {
    size_t child = place * 2;
    if (child > h->n)
      return place;
    if (child < h->n && nodes(h)[child]->at < nodes(h)[child - 1]->at)
      child++;
    if (nodes(h)[child - 1]->at >= t->at)
      return place;
    put(h, place, nodes(h)[child - 1]);
    place = child;
  }
}

static void settle (lcurl_timers *h, size_t place, lcurl_timer *t) {
  place = rise(h, place, t);
  put(h, sink(h, place, t), t);
}

static void take_out (lcurl_timers *h, lcurl_timer *t) {
  size_t place = t->place;
  lcurl_timer *last = nodes(h)[h->n - 1];
  h->n--;
  t->place = 0;
  if (last != t)
    settle(h, place, last);
}

void lcurl_timers_set (lcurl_timers *h, lcurl_timer *t, int64_t at) {
  t->at = at;
  if (at == LCURL_NEVER) {
    if (t->place != 0)
      take_out(h, t);
  } else {
    settle(h, t->place != 0 ? t->place : ++h->n, t);
  }
}

lcurl_timer *lcurl_timers_first (const lcurl_timers *h) {
  return h->n > 0 ? nodes(h)[0] : NULL;
}
