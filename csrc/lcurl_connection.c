/*
** lcurl_connection.c: connections, which libcurl makes (CURLOPT_CONNECT_ONLY)
** and closes.
**
** Its easy handle stays with the multi handle as long as a connection is open:
** taken out, it would be closed. libcurl hands its socket over when it is
** connected (names, proxy and TLS are done), and the loop watches it from then
** on.
*/
#include <string.h>
#include <sys/socket.h>

#include "lcurl.h"

/* A connection that was kept for longer is not used again: services and what
** stands before them forget such ones, some without a word. */
#define MAX_KEPT_MS 118000

/* ---- the kept ones ---------------------------------------------------- */

static void unlink_kept (lcurl_connection *c) {
  lcurl_agent *a = c->agent;
  if (c->previous != NULL)
    c->previous->next = c->next;
  else
    a->kept = c->next;
  if (c->next != NULL)
    c->next->previous = c->previous;
  else
    a->oldest = c->previous;
  a->nkept--;
}

static void link_kept (lcurl_connection *c) {
  lcurl_agent *a = c->agent;
  c->previous = NULL;
  c->next = a->kept;
  if (a->kept != NULL)
    a->kept->previous = c;
  else
    a->oldest = c;
  a->kept = c;
  a->nkept++;
}

/* Closes those that have been kept for too long, or are too many. */
static void tidy (lcurl_agent *a) {
  int64_t now = lcurl_now();
  while (a->oldest != NULL &&
         (a->nkept > a->max_kept || now - a->oldest->since > MAX_KEPT_MS))
    lcurl_connection_close(a->oldest);
}

static int leads_to (const lcurl_connection *c, sm_str origin) {
  return strncmp(c->origin, origin.p, origin.len) == 0 &&
         c->origin[origin.len] == '\0';
}

/* Whether the other side has said nothing since: neither that it is closed, nor
** what belongs to no request. TLS takes in what is its own business. */
static int is_silent (const lcurl_connection *c) {
  char byte;
  size_t n;
  return curl_easy_recv(c->easy, &byte, 1, &n) == CURLE_AGAIN;
}

int lcurl_connection_take (lcurl_transfer *t) {
  lcurl_connection *c, *next;
  tidy(t->agent);
  for (c = t->agent->kept; c != NULL; c = next) {
    next = c->next;
    if (!leads_to(c, t->request.origin))
      continue;
    if (is_silent(c)) {
      unlink_kept(c);
      c->transfer = t;
      t->connection = c;
      return 1;
    }
    lcurl_connection_close(c);
  }
  return 0;
}

void lcurl_connection_keep (lcurl_connection *c) {
  lcurl_loop_watch(c->agent->loop, c, 0);
  c->transfer->connection = NULL;
  c->transfer = NULL;
  c->since = lcurl_now();
  link_kept(c);
  tidy(c->agent);
}

/* ---- their lives ------------------------------------------------------ */

static void dispose (lcurl_connection *c) {
  sm_buf *b = &c->agent->text; /* it knows the allocator */
  if (c->easy != NULL)
    curl_easy_cleanup(c->easy);
  b->alloc(b->ud, c, c->size, 0);
}

static lcurl_connection *create (lcurl_agent *a, sm_str origin) {
  size_t size = sizeof(lcurl_connection) + origin.len;
  lcurl_connection *c =
      (lcurl_connection *)a->text.alloc(a->text.ud, NULL, 0, size);
  if (c == NULL)
    return NULL;
  memset(c, 0, sizeof(*c));
  c->agent = a;
  c->size = size;
  memcpy(c->origin, origin.p, origin.len);
  c->origin[origin.len] = '\0';
  c->easy = curl_easy_init();
  if (c->easy == NULL) {
    dispose(c);
    return NULL;
  }
  return c;
}

/* Hands the easy handle to libcurl. */
static CURLcode dial (lcurl_connection *c) {
  lcurl_agent *a = c->agent;
  CURLMcode code;
  CURLcode rc = lcurl_easy_setup(c->easy, &a->settings, a->share, c->origin,
                                 &c->transfer->request.limits);
  if (rc == CURLE_OK)
    rc = curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
  if (rc == CURLE_OK)
    rc = curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
  if (rc != CURLE_OK)
    return rc;
  code = curl_multi_add_handle(a->multi, c->easy);
  if (code == CURLM_OK)
    return CURLE_OK;
  return code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
}

int lcurl_connect (lcurl_transfer *t, sm_str origin) {
  lcurl_connection *c = create(t->agent, origin);
  t->connecting = lcurl_now();
  if (c == NULL) {
    t->result = CURLE_OUT_OF_MEMORY;
    return 0;
  }
  c->transfer = t;
  c->secure = t->request.secure || c->agent->secure;
  t->result = dial(c);
  if (t->result != CURLE_OK) {
    dispose(c);
    return 0;
  }
  t->connection = c;
  lcurl_retime(t);
  return 1;
}

/* libcurl before 7.85 closes the socket not now, but when it makes another
** connection: the other side need not wait for that. */
static void hang_up (const lcurl_connection *c) {
#if LIBCURL_VERSION_NUM < 0x075500
  if (c->open)
    (void)shutdown(c->fd, SHUT_RDWR);
#else
  (void)c;
#endif
}

void lcurl_connection_close (lcurl_connection *c) {
  if (c->transfer == NULL)
    unlink_kept(c);
  else if (c->transfer->connection == c)
    c->transfer->connection = NULL; /* else it has another one already */
  if (c->open)
    lcurl_loop_watch(c->agent->loop, c, 0);
  hang_up(c);
  curl_multi_remove_handle(c->agent->multi, c->easy);
  dispose(c);
}

/* ---- what libcurl says ------------------------------------------------ */

static void note_failure (const lcurl_connection *c, lcurl_transfer *t) {
  curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &t->system_error);
  curl_easy_getinfo(c->easy, CURLINFO_HTTP_CONNECTCODE, &t->tunnel);
  memcpy(t->error, c->error, sizeof(t->error));
}

/* libcurl counts from when it was given the handle, which is when the transfer
** began, or began again. */
static void note_timings (const lcurl_connection *c, lcurl_transfer *t) {
  int64_t before = lcurl_now_us() - t->start_us;
  curl_off_t resolve = 0, connect = 0, tls = 0, total = 0;
  curl_easy_getinfo(c->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolve);
  curl_easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T, &connect);
  curl_easy_getinfo(c->easy, CURLINFO_APPCONNECT_TIME_T, &tls);
  curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME_T, &total);
  before = before > total ? before - total : 0;
  t->took.resolve = before + resolve;
  t->took.connect = before + connect;
  t->took.tls = tls > 0 ? before + tls : 0;
}

void lcurl_connection_made (lcurl_connection *c, CURLcode result) {
  lcurl_transfer *t = c->transfer;
  if (result == CURLE_OK)
    result = curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &c->fd);
  if (result != CURLE_OK || c->fd == CURL_SOCKET_BAD) {
    t->result = result != CURLE_OK ? result : CURLE_COULDNT_CONNECT;
    note_failure(c, t);
    lcurl_end(t);
    return;
  }
  c->open = 1;
  c->error[0] = '\0';
  if (t->agent->timings)
    note_timings(c, t);
  lcurl_exchange_begin(t);
}
