/*
** lcurl_loop.c: drives a multi handle with poll, for one transfer at a time.
**
** curl_easy_perform would do the same, but it wakes up only once a second to
** look at limits of ours, and hides signals. Here every limit ends a transfer
** within a millisecond or two of its time.
*/
#include <errno.h>
#include <time.h>

#include "lcurl.h"

/* What one turn of the loop brought. */
typedef enum event {
  EVENT_IDLE,   /* nothing until the time given */
  EVENT_TIMER,  /* libcurl's own timer */
  EVENT_SOCKET, /* bytes, or room for them */
  EVENT_SIGNAL, /* poll was interrupted */
  EVENT_BROKEN  /* libcurl or poll gave up */
} event;

int64_t lcurl_now (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The place of a descriptor in the list; l->nfds when it is not there. */
static nfds_t find_fd (const lcurl_loop *l, int fd) {
  nfds_t i = 0;
  while (i < l->nfds && l->fds[i].fd != fd)
    i++;
  return i;
}

/* CURLMOPT_SOCKETFUNCTION */
static int on_socket (CURL *easy, curl_socket_t fd, int what, void *ud,
                      void *socket_ud) {
  lcurl_loop *l = (lcurl_loop *)ud;
  nfds_t i = find_fd(l, (int)fd);
  (void)easy;
  (void)socket_ud;
  if (what == CURL_POLL_REMOVE) {
    if (i < l->nfds)
      l->fds[i] = l->fds[--l->nfds];
    return 0;
  }
  if (i == LCURL_MAX_FDS)
    return -1;
  if (i == l->nfds)
    l->nfds++;
  l->fds[i].fd = (int)fd;
  l->fds[i].events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
                             (what & CURL_POLL_OUT ? POLLOUT : 0));
  l->fds[i].revents = 0;
  return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timer (CURLM *multi, long ms, void *ud) {
  lcurl_loop *l = (lcurl_loop *)ud;
  (void)multi;
  l->timer = ms < 0 ? LCURL_NEVER : lcurl_now() + ms;
  return 0;
}

int lcurl_loop_init (lcurl_loop *l) {
  l->nfds = 0;
  l->timer = LCURL_NEVER;
  l->multi = curl_multi_init();
  if (l->multi == NULL)
    return 0;
  curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
  curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
  curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, 8L);
  return 1;
}

void lcurl_loop_free (lcurl_loop *l) {
  if (l->multi != NULL)
    curl_multi_cleanup(l->multi);
  l->multi = NULL;
}

CURLMcode lcurl_loop_add (lcurl_loop *l, lcurl_transfer *t) {
  return curl_multi_add_handle(l->multi, t->easy);
}

void lcurl_loop_remove (lcurl_loop *l, lcurl_transfer *t) {
  curl_multi_remove_handle(l->multi, t->easy);
  l->timer = LCURL_NEVER;
}

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

/* Tells libcurl about every socket that is ready. The list can change below
** the loop, hence the copy. */
static event feed (lcurl_loop *l) {
  struct pollfd ready[LCURL_MAX_FDS];
  nfds_t i, n = l->nfds;
  int running;
  memcpy(ready, l->fds, n * sizeof(*ready));
  for (i = 0; i < n; i++) {
    if (ready[i].revents != 0 &&
        curl_multi_socket_action(l->multi, ready[i].fd, action_of(&ready[i]),
                                 &running) != CURLM_OK)
      return EVENT_BROKEN;
  }
  return EVENT_SOCKET;
}

static event run_timer (lcurl_loop *l) {
  int running;
  l->timer = LCURL_NEVER;
  if (curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running) !=
      CURLM_OK)
    return EVENT_BROKEN;
  return EVENT_TIMER;
}

/* One turn: waits for a socket, libcurl's timer or the time `until`. */
static event turn (lcurl_loop *l, int64_t now, int64_t until) {
  int64_t wake = l->timer < until ? l->timer : until;
  int n;
  if (l->timer <= now)
    return run_timer(l);
  n = poll(l->fds, l->nfds, wake <= now ? 0 : (int)(wake - now));
  if (n > 0)
    return feed(l);
  if (n < 0)
    return errno == EINTR ? EVENT_SIGNAL : EVENT_BROKEN;
  return wake == l->timer ? EVENT_TIMER : EVENT_IDLE;
}

/* start + span without overflow. */
static int64_t after (int64_t start, int64_t span) {
  return span >= LCURL_NEVER - start ? LCURL_NEVER : start + span;
}

/* The earliest limit of a transfer, and which one that is. */
static int64_t limit_of (const lcurl_transfer *t, lcurl_stop *which) {
  int sent = lcurl_sent(t);
  int64_t attempt = after(t->start, t->limits.attempt);
  int64_t phase = sent ? after(t->activity, t->limits.read)
                       : after(t->start, t->limits.connect);
  if (attempt <= phase) {
    *which = LCURL_STOP_ATTEMPT;
    return attempt;
  }
  *which = sent ? LCURL_STOP_READ : LCURL_STOP_CONNECT;
  return phase;
}

/* Whether the transfer has ended; then t->result says how. */
static int ended (lcurl_loop *l, lcurl_transfer *t) {
  int left;
  CURLMsg *msg = curl_multi_info_read(l->multi, &left);
  if (msg == NULL)
    return 0;
  t->result = msg->data.result;
  return 1;
}

int lcurl_run (lcurl_loop *l, lcurl_transfer *t) {
  int64_t now = lcurl_now();
  int64_t breath = now + LCURL_BREATH_MS;
  for (;;) {
    lcurl_stop stop;
    int64_t limit = limit_of(t, &stop);
    event e = turn(l, now, limit < breath ? limit : breath);
    now = lcurl_now();
    if (e == EVENT_SOCKET)
      t->activity = now;
    if (ended(l, t))
      return 1;
    if (e == EVENT_BROKEN) {
      t->result = CURLE_FAILED_INIT;
      return 1;
    }
    if (now >= limit_of(t, &stop)) {
      t->stop = stop;
      return 1;
    }
    if (e == EVENT_SIGNAL || now >= breath)
      return 0;
  }
}
