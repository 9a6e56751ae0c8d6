/*
** lcurl_loop.c: drives the agents of a loop with poll.
**
** curl_multi_poll would do the same, but it wakes up only when libcurl wants
** to, not at limits of ours, hides signals, and walks over all transfers each
** time. Here one list of descriptors follows what libcurl says of each socket,
** and every limit ends a transfer within a millisecond or two of its time.
*/
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "lcurl.h"

/* So many transfers and sockets at most; memory and the system's own limits
** come first. */
#define MANY ((size_t)1 << 22)

/* Sockets that a transfer has at once as a rule: its own, or two that race to
** connect, and those of a resolver. */
#define SOCKETS_EACH 4

/* A socket that is ready. */
typedef struct lcurl_hit {
  lcurl_agent *agent;
  const lcurl_connection *connection;
  size_t slot;
  int fd;
  int action;
} lcurl_hit;

int64_t lcurl_now (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t lcurl_now_us (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static struct pollfd *fds_of (const lcurl_loop *l) {
  return (struct pollfd *)(void *)l->fds.p;
}

static lcurl_watch *watches_of (const lcurl_loop *l) {
  return (lcurl_watch *)(void *)l->watches.p;
}

static lcurl_transfer **slots_of (const lcurl_loop *l) {
  return (lcurl_transfer **)(void *)l->slots.p;
}

static size_t *unused_of (const lcurl_loop *l) {
  return (size_t *)(void *)l->unused.p;
}

/* ---- the loop itself -------------------------------------------------- */

void lcurl_loop_init (lcurl_loop *l, sm_alloc alloc, void *ud) {
  memset(l, 0, sizeof(*l));
  l->alloc = alloc;
  l->ud = ud;
  sm_buf_init(&l->fds, MANY * sizeof(struct pollfd), alloc, ud);
  sm_buf_init(&l->watches, MANY * sizeof(lcurl_watch), alloc, ud);
  sm_buf_init(&l->hits, MANY * sizeof(lcurl_hit), alloc, ud);
  sm_buf_init(&l->bytes, LCURL_READ_BYTES, alloc, ud);
  sm_buf_init(&l->slots, MANY * sizeof(lcurl_transfer *), alloc, ud);
  sm_buf_init(&l->unused, MANY * sizeof(size_t), alloc, ud);
  lcurl_timers_init(&l->timers, alloc, ud);
}

void lcurl_loop_free (lcurl_loop *l) {
  while (l->agents != NULL)
    lcurl_agent_free(l->agents);
  sm_buf_free(&l->fds);
  sm_buf_free(&l->watches);
  sm_buf_free(&l->hits);
  sm_buf_free(&l->bytes);
  sm_buf_free(&l->slots);
  sm_buf_free(&l->unused);
  lcurl_timers_free(&l->timers);
  l->life++;
  l->nfds = l->nslots = l->nunused = 0;
}

/* Makes a buffer hold n bytes in all. Its len stays 0: what is in use is
** counted in entries, elsewhere. */
static int reserve (sm_buf *b, size_t n) {
  int rc = n <= b->cap ? SM_OK : sm_buf_grow(b, n);
  b->err = SM_OK;
  return rc;
}

static int reserve_sockets (lcurl_loop *l, size_t n) {
  return reserve(&l->fds, n * sizeof(struct pollfd)) == SM_OK &&
         reserve(&l->watches, n * sizeof(lcurl_watch)) == SM_OK &&
         reserve(&l->hits, n * sizeof(lcurl_hit)) == SM_OK;
}

int lcurl_loop_admit (lcurl_loop *l) {
  size_t n = l->population + 1;
  if (n * SOCKETS_EACH >= MANY ||
      !reserve_sockets(l, l->nfds + n * SOCKETS_EACH) ||
      reserve(&l->bytes, LCURL_READ_BYTES) != SM_OK ||
      reserve(&l->slots, n * sizeof(lcurl_transfer *)) != SM_OK ||
      reserve(&l->unused, n * sizeof(size_t)) != SM_OK ||
      lcurl_timers_reserve(&l->timers, n) != SM_OK)
    return SM_ENOMEM;
  return SM_OK;
}

void lcurl_loop_number (lcurl_loop *l, lcurl_transfer *t) {
  t->slot = l->nunused > 0 ? unused_of(l)[--l->nunused] : l->nslots++;
  t->serial = ++l->serial;
  slots_of(l)[t->slot] = t;
}

void lcurl_loop_forget (lcurl_loop *l, lcurl_transfer *t) {
  slots_of(l)[t->slot] = NULL;
  unused_of(l)[l->nunused++] = t->slot;
}

lcurl_transfer *lcurl_loop_find (const lcurl_loop *l, size_t slot) {
  return slot < l->nslots ? slots_of(l)[slot] : NULL;
}

/* ---- sockets ---------------------------------------------------------- */

/* Who knows the place of a socket in our list, from 1: its connection, or
** libcurl. */
static void tell_place (lcurl_loop *l, size_t i) {
  const lcurl_watch *w = watches_of(l) + i;
  if (w->connection != NULL)
    w->connection->place = i + 1;
  else
    curl_multi_assign(w->agent->multi, fds_of(l)[i].fd,
                      (void *)(uintptr_t)(i + 1));
}

/* The place of a socket, l->nfds when it is not there; `hint` is where libcurl
** says that it is. */
static size_t find_socket (const lcurl_loop *l, int fd, const void *hint) {
  size_t i = (size_t)(uintptr_t)hint - 1;
  if (i < l->nfds && fds_of(l)[i].fd == fd)
    return i;
  for (i = 0; i < l->nfds && fds_of(l)[i].fd != fd; i++)
    continue;
  return i;
}

/* Takes an entry out; the last one moves there. */
static void drop_socket (lcurl_loop *l, size_t i) {
  size_t last = --l->nfds;
  l->generation++;
  if (i == last)
    return;
  fds_of(l)[i] = fds_of(l)[last];
  watches_of(l)[i] = watches_of(l)[last];
  tell_place(l, i);
}

/* Puts a socket in at place i, or changes what is there. */
static void put_socket (lcurl_loop *l, size_t i, int fd, int events,
                        const lcurl_watch *watch) {
  struct pollfd *p = fds_of(l) + i;
  unsigned long id = i < l->nfds ? watches_of(l)[i].id : ++l->sockets;
  l->generation++;
  p->fd = fd;
  p->events = (short)events;
  p->revents = 0;
  watches_of(l)[i] = *watch;
  watches_of(l)[i].id = id;
  if (i == l->nfds) {
    l->nfds++;
    tell_place(l, i);
  }
}

void lcurl_loop_watch (lcurl_loop *l, lcurl_connection *c, int events) {
  size_t i = c->place - 1;
  lcurl_watch watch = {NULL, NULL, 0, 0};
  if (events == 0) {
    if (c->place != 0)
      drop_socket(l, i);
    c->place = 0;
    return;
  }
  if (c->place != 0 && fds_of(l)[i].events == events)
    return;
  watch.agent = c->agent;
  watch.connection = c;
  watch.slot = c->transfer->slot;
  put_socket(l, c->place != 0 ? i : l->nfds, (int)c->fd, events, &watch);
}

/* ---- what libcurl says ------------------------------------------------ */

static size_t slot_of (CURL *easy) {
  lcurl_connection *c = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
  /* a handle of libcurl's own has none */
  return c != NULL && c->transfer != NULL ? c->transfer->slot : SIZE_MAX;
}

int lcurl_on_socket (CURL *easy, curl_socket_t fd, int what, void *ud,
                     void *socket_ud) {
  lcurl_agent *a = (lcurl_agent *)ud;
  lcurl_loop *l = a->loop;
  size_t i = find_socket(l, (int)fd, socket_ud);
  lcurl_watch watch = {NULL, NULL, 0, 0};
  if (what == CURL_POLL_REMOVE) {
    if (i < l->nfds)
      drop_socket(l, i);
    return 0;
  }
  /* Later ones let six race. The rest is for lcurl_loop_watch. */
  if (i == l->nfds && !reserve_sockets(l, l->nfds + 1 + l->population))
    return -1;
  watch.agent = a;
  watch.slot = slot_of(easy);
  put_socket(l, i, (int)fd,
             (what & CURL_POLL_IN ? POLLIN : 0) |
                 (what & CURL_POLL_OUT ? POLLOUT : 0),
             &watch);
  return 0;
}

int lcurl_on_timer (CURLM *multi, long ms, void *ud) {
  lcurl_agent *a = (lcurl_agent *)ud;
  (void)multi;
  lcurl_timers_set(&a->loop->timers, &a->timer,
                   ms < 0 ? LCURL_NEVER : lcurl_now() + ms);
  return 0;
}

/* ---- one turn --------------------------------------------------------- */

/* poll's words for a socket in libcurl's. After a hang-up reading tells what
** happened. */
static int action_of (const struct pollfd *p) {
  int gone = (p->revents & (POLLERR | POLLHUP)) != 0;
  int action = 0;
  if ((p->revents & POLLIN) != 0 || (gone && (p->events & POLLIN) != 0))
    action |= CURL_CSELECT_IN;
  if ((p->revents & POLLOUT) != 0 || (gone && (p->events & POLLOUT) != 0))
    action |= CURL_CSELECT_OUT;
  return action != 0 ? action : CURL_CSELECT_ERR;
}

static void act (lcurl_agent *a, curl_socket_t fd, int action) {
  int running;
  if (curl_multi_socket_action(a->multi, fd, action, &running) == CURLM_OK)
    lcurl_harvest(a);
  else
    lcurl_agent_fail(a);
}

static lcurl_hit *hit_at (const lcurl_loop *l, size_t i) {
  return (lcurl_hit *)(void *)l->hits.p + i;
}

/* Copies the sockets that are ready: what libcurl does with one can change the
** list. */
static size_t collect (lcurl_loop *l, int n) {
  size_t i, found = 0;
  for (i = 0; i < l->nfds && n > 0; i++) {
    struct pollfd *p = fds_of(l) + i;
    lcurl_hit *hit = hit_at(l, found);
    if (p->revents == 0)
      continue;
    hit->agent = watches_of(l)[i].agent;
    hit->connection = watches_of(l)[i].connection;
    hit->slot = watches_of(l)[i].slot;
    hit->fd = p->fd;
    hit->action = action_of(p);
    found++;
    n--;
  }
  return found;
}

/* A connection that libcurl has handed over, unless it has gone meanwhile. */
static void go_on (lcurl_transfer *t, const lcurl_connection *c) {
  if (t != NULL && t->connection == c && c->open)
    lcurl_exchange(t);
}

/* Tells those whose sockets are ready. */
static void feed (lcurl_loop *l, int n) {
  size_t i, found = collect(l, n);
  int64_t now = lcurl_now();
  for (i = 0; i < found; i++) {
    lcurl_hit hit = *hit_at(l, i);
    lcurl_transfer *t = lcurl_loop_find(l, hit.slot);
    if (t != NULL && hit.action != CURL_CSELECT_OUT)
      t->activity = now;
    if (hit.connection != NULL)
      go_on(t, hit.connection);
    else
      act(hit.agent, hit.fd, hit.action);
  }
}

/* The time of a transfer's timer has come: one of its limits has passed, it is
** to go on, or its time is later than it was. When the host was busy elsewhere,
** what is waited for may be in the socket: nothing ends before that was looked
** at. */
static void check_limit (lcurl_transfer *t, int64_t now, int looked) {
  lcurl_stop which;
  int64_t limit = lcurl_limit(t, &which);
  if (now >= limit && looked && which == LCURL_STOP_NONE) {
    lcurl_exchange(t);
    if (t->phase != LCURL_UNDERWAY)
      return;
    limit = lcurl_limit(t, &which);
    lcurl_timers_set(&t->agent->loop->timers, &t->timer, limit);
  } else if (now < limit || !looked) {
    lcurl_timers_set(&t->agent->loop->timers, &t->timer, limit);
  } else {
    t->stop = which;
    lcurl_end(t);
  }
}

/* Everything whose time has come. A timer that is set again for now waits for
** the next turn, so that sockets have theirs. */
static void expire (lcurl_loop *l, int64_t now, int looked) {
  size_t left = l->timers.n;
  lcurl_timer *timer = lcurl_timers_first(&l->timers);
  for (; left > 0 && timer != NULL && timer->at <= now; left--) {
    if (timer->transfer != NULL) {
      check_limit(timer->transfer, now, looked);
    } else {
      lcurl_timers_set(&l->timers, timer, LCURL_NEVER);
      act(timer->agent, CURL_SOCKET_TIMEOUT, 0);
    }
    timer = lcurl_timers_first(&l->timers);
  }
}

/* Milliseconds from now to then, as poll takes them. */
static int span (int64_t now, int64_t then) {
  if (then <= now)
    return 0;
  return then - now > INT_MAX ? INT_MAX : (int)(then - now);
}

/* Waits for a socket or a timer, until the time given. 0 after a signal. */
static int turn (lcurl_loop *l, int64_t now, int64_t until) {
  const lcurl_timer *first = lcurl_timers_first(&l->timers);
  int64_t wake = first != NULL && first->at < until ? first->at : until;
  int n = poll(fds_of(l), (nfds_t)l->nfds, span(now, wake));
  if (n > 0)
    feed(l, n);
  if (n < 0 && errno == EINTR)
    return 0;
  if (n < 0) {
    lcurl_agent *a;
    for (a = l->agents; a != NULL; a = a->next)
      lcurl_agent_fail(a);
  }
  return 1;
}

lcurl_event lcurl_run (lcurl_loop *l, const lcurl_transfer *t, int64_t until) {
  int64_t now = lcurl_now();
  int64_t breath = now + LCURL_BREATH_MS;
  int looked = 0; /* at the sockets */
  for (;;) {
    expire(l, now, looked);
    if (t != NULL ? lcurl_ripe(t) : l->ready != NULL && looked)
      return LCURL_EVENT_READY;
    if (looked && (now >= until || now >= breath))
      return LCURL_EVENT_TIME;
    if (l->ready != NULL && t == NULL)
      until = now; /* no more than a look */
    if (!turn(l, now, until < breath ? until : breath))
      return LCURL_EVENT_SIGNAL;
    looked = 1;
    now = lcurl_now();
  }
}
