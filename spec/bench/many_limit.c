/*
** many_limit.c: the yardstick of many calls at once. Requests that were built
** and signed beforehand, so many in flight over plain curl multi and epoll,
** each easy handle used again as soon as its answer is there.
**
**   many_limit URL CALLS IN_FLIGHT BODY [HEADER LINE]...
**
** Prints the CPU time of one call in microseconds, calls a second, and how many
** answers were not 200.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include <curl/curl.h>

typedef struct call {
  char bytes[1 << 16];
  size_t n;
} call;

typedef struct bench {
  CURLM *multi;
  int epoll;
  long timeout;
  long left, done, bad;
} bench;

static size_t on_body (char *p, size_t size, size_t n, void *ud) {
  call *c = (call *)ud;
  n *= size;
  if (n > sizeof(c->bytes) - c->n)
    return 0;
  memcpy(c->bytes + c->n, p, n);
  c->n += n;
  return n;
}

static size_t on_header (char *p, size_t size, size_t n, void *ud) {
  (void)p;
  (void)ud;
  return size * n;
}

static int on_socket (CURL *easy, curl_socket_t fd, int what, void *ud,
                      void *known) {
  bench *b = (bench *)ud;
  struct epoll_event event;
  (void)easy;
  event.data.fd = fd;
  event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
                 (what & CURL_POLL_OUT ? EPOLLOUT : 0);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(b->epoll, EPOLL_CTL_DEL, fd, NULL);
  } else {
    epoll_ctl(b->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    curl_multi_assign(b->multi, fd, b);
  }
  return 0;
}

static int on_timer (CURLM *multi, long ms, void *ud) {
  (void)multi;
  ((bench *)ud)->timeout = ms;
  return 0;
}

static double cpu (void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double wall (void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static CURL *prepare (char **argv, struct curl_slist *headers) {
  CURL *easy = curl_easy_init();
  call *c = (call *)calloc(1, sizeof(*c));
  curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, argv[4]);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(argv[4]));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
  return easy;
}

/* Takes in what has ended, and begins as many calls anew. */
static void harvest (bench *b) {
  CURLMsg *msg;
  int left;
  while ((msg = curl_multi_info_read(b->multi, &left)) != NULL) {
    CURL *easy = msg->easy_handle;
    long status = 0;
    call *c;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
    b->bad += status != 200;
    b->done++;
    curl_multi_remove_handle(b->multi, easy);
    if (b->left > 0) {
      b->left--;
      c->n = 0;
      curl_multi_add_handle(b->multi, easy);
    } else {
      curl_easy_cleanup(easy);
      free(c);
    }
  }
}

static void turn (bench *b) {
  struct epoll_event events[64];
  int i, running;
  long timeout = b->timeout;
  int n = epoll_wait(b->epoll, events, 64, (int)timeout);
  for (i = 0; i < n; i++) {
    int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(b->multi, events[i].data.fd, what, &running);
  }
  if (n == 0 || timeout == 0) {
    b->timeout = -1;
    curl_multi_socket_action(b->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  harvest(b);
}

int main (int argc, char **argv) {
  struct curl_slist *headers = NULL;
  bench b;
  long calls, i, flying;
  double start, began;
  if (argc < 5)
    return 2;
  memset(&b, 0, sizeof(b));
  calls = atol(argv[2]);
  flying = atol(argv[3]);
  for (i = 5; i < argc; i++)
    headers = curl_slist_append(headers, argv[i]);
  b.multi = curl_multi_init();
  b.epoll = epoll_create1(0);
  b.timeout = -1;
  curl_multi_setopt(b.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(b.multi, CURLMOPT_SOCKETDATA, &b);
  curl_multi_setopt(b.multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(b.multi, CURLMOPT_TIMERDATA, &b);
  curl_multi_setopt(b.multi, CURLMOPT_MAXCONNECTS, flying);
  start = cpu();
  began = wall();
  b.left = calls - flying;
  for (i = 0; i < flying; i++)
    curl_multi_add_handle(b.multi, prepare(argv, headers));
  while (b.done < calls)
    turn(&b);
  printf("%.2f %.0f %ld\n", (cpu() - start) / (double)calls,
         (double)calls / (wall() - began), b.bad);
  curl_multi_cleanup(b.multi);
  curl_slist_free_all(headers);
  return 0;
}
