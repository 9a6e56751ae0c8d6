/*
** lcurl_agent.c: transfers, from their request to their end, and what they
** share.
**
** A transfer is idle (it waits in a stack for the next request), prepared (its
** request is being filled in), under way or ended (what came waits to be handed
** out). Only transfers that are not idle have a number in the loop.
*/
#include "lcurl.h"
#include "sm_text.h"

/* A body buffer above this size is not kept for the next answer; nor above the
** smaller one when several handles wait for work. */
#define KEEP_BODY ((size_t)256 * 1024)
#define KEEP_FEW 4
#define KEEP_SMALL ((size_t)16 * 1024)

/* ---- lists ------------------------------------------------------------ */

static void link_busy (lcurl_transfer *t) {
  lcurl_agent *a = t->agent;
  t->previous = NULL;
  t->next = a->busy;
  if (a->busy != NULL)
    a->busy->previous = t;
  a->busy = t;
  a->nbusy++;
}

static void unlink_busy (lcurl_transfer *t) {
  lcurl_agent *a = t->agent;
  if (t->previous != NULL)
    t->previous->next = t->next;
  else
    a->busy = t->next;
  if (t->next != NULL)
    t->next->previous = t->previous;
  a->nbusy--;
}

/* ---- what there is to report ------------------------------------------ */

int lcurl_ripe (const lcurl_transfer *t) {
  if (t->phase == LCURL_ENDED)
    return 1;
  if (!t->response.streamed)
    return 0;
  return !t->handed || t->response.body.len > 0;
}

static void enqueue (lcurl_loop *l, lcurl_transfer *t) {
  t->ready = 1;
  t->next_ready = NULL;
  t->previous_ready = l->last_ready;
  if (l->last_ready != NULL)
    l->last_ready->next_ready = t;
  else
    l->ready = t;
  l->last_ready = t;
}

static void dequeue (lcurl_loop *l, lcurl_transfer *t) {
  if (!t->ready)
    return;
  t->ready = 0;
  if (t->previous_ready != NULL)
    t->previous_ready->next_ready = t->next_ready;
  else
    l->ready = t->next_ready;
  if (t->next_ready != NULL)
    t->next_ready->previous_ready = t->previous_ready;
  else
    l->last_ready = t->previous_ready;
}

/* Once the head of a stream was handed out, only who waits is told of more. */
void lcurl_ripen (lcurl_transfer *t) {
  if (t->quiet || t->ready || !lcurl_ripe(t))
    return;
  if (t->handed && t->waiting == 0)
    return;
  enqueue(t->agent->loop, t);
}

lcurl_transfer *lcurl_loop_next (lcurl_loop *l) {
  lcurl_transfer *t = l->ready;
  if (t != NULL)
    dequeue(l, t);
  return t;
}

/* ---- limits ----------------------------------------------------------- */

/* start + span without overflow. */
static int64_t after (int64_t start, int64_t span) {
  return span >= LCURL_NEVER - start ? LCURL_NEVER : start + span;
}

/* Of a stream only the time to read is left, and only for who waits. */
static int64_t stream_limit (const lcurl_transfer *t, lcurl_stop *which) {
  int64_t since = t->activity > t->waiting ? t->activity : t->waiting;
  *which = LCURL_STOP_READ;
  if (t->waiting == 0 || t->response.paused || t->response.body.len > 0)
    return LCURL_NEVER; /* what is there can be read: no stall */
  return after(since, t->request.limits.read);
}

/* When something must end it. */
static int64_t end_limit (const lcurl_transfer *t, lcurl_stop *which) {
  const lcurl_limits *limits = &t->request.limits;
  int connecting = t->connecting != 0;
  int64_t attempt = after(t->start, limits->attempt);
  int64_t phase = connecting ? after(t->connecting, limits->connect)
                             : after(t->activity, limits->read);
  if (t->response.streamed)
    return stream_limit(t, which);
  if (attempt <= phase) {
    *which = LCURL_STOP_ATTEMPT;
    return attempt;
  }
  *which = connecting ? LCURL_STOP_CONNECT : LCURL_STOP_READ;
  return phase;
}

int64_t lcurl_limit (const lcurl_transfer *t, lcurl_stop *which) {
  int64_t limit = end_limit(t, which);
  if (t->again == 0 || t->again >= limit)
    return limit;
  *which = LCURL_STOP_NONE;
  return t->again;
}

void lcurl_retime (lcurl_transfer *t) {
  lcurl_stop which;
  int64_t limit = lcurl_limit(t, &which);
  if (t->timer.place == 0 || limit < t->timer.at)
    lcurl_timers_set(&t->agent->loop->timers, &t->timer, limit);
}

/* ---- transfers -------------------------------------------------------- */

static void destroy (lcurl_transfer *t) {
  lcurl_agent *a = t->agent;
  a->loop->population--;
  sm_http_reader_free(&t->response.reader);
  sm_buf_free(&t->response.body);
  sm_buf_free(&t->request.text);
  a->text.alloc(a->text.ud, t, sizeof(*t), 0);
}

static lcurl_transfer *create (lcurl_agent *a) {
  sm_alloc alloc = a->text.alloc;
  void *ud = a->text.ud;
  lcurl_transfer *t;
  if (lcurl_loop_admit(a->loop) != SM_OK)
    return NULL;
  t = (lcurl_transfer *)alloc(ud, NULL, 0, sizeof(*t));
  if (t == NULL)
    return NULL;
  a->loop->population++;
  memset(t, 0, sizeof(*t));
  t->agent = a;
  t->timer.transfer = t;
  sm_http_reader_init(&t->response.reader, a->max_head, alloc, ud);
  sm_buf_init(&t->response.body, a->max_body, alloc, ud);
  sm_buf_init(&t->request.text, LCURL_MAX_HEAD + LCURL_SMALL_BODY, alloc, ud);
  return t;
}

lcurl_transfer *lcurl_acquire (lcurl_agent *a) {
  lcurl_transfer *t = a->idle;
  if (t != NULL) {
    a->idle = t->next;
    a->nidle--;
  } else {
    t = create(a);
    if (t == NULL)
      return NULL;
  }
  lcurl_loop_number(a->loop, t);
  t->phase = LCURL_PREPARED;
  t->quiet = t->ready = t->hands = t->dropped = 0;
  link_busy(t);
  return t;
}

/* Forgets the request before. */
static void reset (lcurl_transfer *t) {
  lcurl_agent *a = t->agent;
  lcurl_response *r = &t->response;
  sm_http_reader_begin(&r->reader, t->request.is_head);
  if (r->body.cap > KEEP_BODY || r->body.cap > a->max_body)
    sm_buf_free(&r->body); /* a stream before may have had more */
  sm_buf_reset(&r->body);
  r->body.max = a->max_body;
  r->refused = SM_OK;
  r->headed = r->streamed = r->paused = r->lent = 0;
  r->limit = NULL;
  t->start = t->activity = lcurl_now();
  t->connecting = t->sent = t->waiting = t->again = 0;
  t->unsent = 0;
  t->unsendable = t->kept = t->handed = t->futile = 0;
  t->stop = LCURL_STOP_NONE;
  t->result = CURLE_OK;
  t->system_error = t->tunnel = 0;
  t->error[0] = '\0';
  if (a->timings) {
    memset(&t->took, 0, sizeof(t->took));
    t->start_us = lcurl_now_us();
  }
}

int lcurl_begin (lcurl_transfer *t) {
  reset(t);
  t->phase = LCURL_UNDERWAY;
  t->kept = lcurl_connection_take(t);
  if (t->kept) {
    lcurl_exchange_begin(t);
  } else if (!lcurl_connect(t, t->request.origin)) {
    lcurl_end(t);
  }
  return t->phase == LCURL_UNDERWAY;
}

void lcurl_end (lcurl_transfer *t) {
  if (t->phase != LCURL_UNDERWAY)
    return;
  t->phase = LCURL_ENDED;
  if (t->agent->timings)
    t->took.total = lcurl_now_us() - t->start_us;
  if (t->connection != NULL)
    lcurl_connection_close(t->connection);
  lcurl_timers_set(&t->agent->loop->timers, &t->timer, LCURL_NEVER);
  lcurl_ripen(t);
}

/* Takes a transfer out of all lists but that of the idle ones. */
static void detach (lcurl_transfer *t) {
  lcurl_end(t);
  dequeue(t->agent->loop, t);
  lcurl_loop_forget(t->agent->loop, t);
  unlink_busy(t);
  t->phase = LCURL_IDLE;
}

void lcurl_release (lcurl_transfer *t) {
  lcurl_agent *a = t->agent;
  if (t->hands > 0) {
    lcurl_end(t);
    dequeue(a->loop, t);
    t->dropped = 1;
    return;
  }
  detach(t);
  if (a->multi == NULL || a->nidle >= LCURL_KEEP) {
    destroy(t);
    return;
  }
  if (a->nidle >= KEEP_FEW && t->response.body.cap > KEEP_SMALL)
    sm_buf_free(&t->response.body);
  t->next = a->idle;
  a->idle = t;
  a->nidle++;
}

void lcurl_hold (lcurl_transfer *t) {
  t->hands++;
}

int lcurl_let_go (lcurl_transfer *t) {
  if (--t->hands > 0 || !t->dropped)
    return 0;
  lcurl_release(t);
  return 1;
}

void lcurl_await (lcurl_transfer *t) {
  if (t->phase != LCURL_UNDERWAY || t->response.body.len > 0)
    return;
  t->waiting = lcurl_now();
  if (t->response.paused)
    lcurl_exchange(t);
  if (t->phase == LCURL_UNDERWAY)
    lcurl_retime(t);
}

/* ---- agents ----------------------------------------------------------- */

void lcurl_harvest (lcurl_agent *a) {
  CURLMsg *msg;
  int left;
  while ((msg = curl_multi_info_read(a->multi, &left)) != NULL) {
    lcurl_connection *c = NULL;
    CURLcode result = msg->data.result;
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&c);
    lcurl_connection_made(c, result);
  }
}

void lcurl_agent_fail (lcurl_agent *a) {
  lcurl_transfer *t;
  for (t = a->busy; t != NULL; t = t->next) {
    if (t->phase == LCURL_UNDERWAY) {
      t->result = CURLE_FAILED_INIT;
      lcurl_end(t);
    }
  }
}

static int make_handles (lcurl_agent *a) {
  a->multi = curl_multi_init();
  a->share = curl_share_init();
  if (a->multi == NULL || a->share == NULL)
    return 0;
  curl_share_setopt(a->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  curl_multi_setopt(a->multi, CURLMOPT_SOCKETFUNCTION, lcurl_on_socket);
  curl_multi_setopt(a->multi, CURLMOPT_SOCKETDATA, a);
  curl_multi_setopt(a->multi, CURLMOPT_TIMERFUNCTION, lcurl_on_timer);
  curl_multi_setopt(a->multi, CURLMOPT_TIMERDATA, a);
  return 1;
}

/* A copy of a string in the agent's text, as an offset; its room is there. */
static const char *keep (sm_buf *text, const char *s) {
  const char *kept = text->p + text->len;
  if (s == NULL)
    return NULL;
  sm_buf_put(text, s, strlen(s) + 1);
  return kept;
}

static size_t length (const char *s) {
  return s != NULL ? strlen(s) + 1 : 0;
}

static int copy_settings (lcurl_agent *a, const lcurl_settings *s) {
  size_t n = length(s->ca_file) + length(s->ca_path) + length(s->proxy);
  if (n > 0 && sm_buf_grow(&a->text, n) != SM_OK)
    return 0;
  a->settings.ca_file = keep(&a->text, s->ca_file);
  a->settings.ca_path = keep(&a->text, s->ca_path);
  a->settings.proxy = keep(&a->text, s->proxy);
  a->settings.verify = s->verify;
  a->proxied = s->proxy != NULL && *s->proxy != '\0';
  return 1;
}

/* A part of a proxy's URL, decoded, or NULL where there is none. What may not
** be in it makes all of it unreadable: some versions of libcurl would go past
** the proxy then. */
static char *read_part (lcurl_agent *a, CURLU *url, CURLUPart part,
                        CURLUcode none) {
  char *text = NULL;
  CURLUcode rc = curl_url_get(url, part, &text, CURLU_URLDECODE);
  if (rc != CURLUE_OK && rc != none)
    a->settings.proxy = "://";
  return text;
}

/* What plain http needs of the proxy's URL: whether it is one that is told the
** whole URL, and who is to be named to it. What is wrong with it, libcurl says
** of the first connection. */
static int read_proxy (lcurl_agent *a) {
  CURLU *url = curl_url();
  char *scheme = NULL, *user = NULL, *password = NULL;
  sm_buf plain;
  if (url == NULL)
    return 0;
  sm_buf_init(&plain, 1 << 16, a->text.alloc, a->text.ud);
  curl_url_set(url, CURLUPART_URL, a->settings.proxy,
               CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
  curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
  user = read_part(a, url, CURLUPART_USER, CURLUE_NO_USER);
  password = read_part(a, url, CURLUPART_PASSWORD, CURLUE_NO_PASSWORD);
  a->absolute = scheme == NULL || strncmp(scheme, "socks", 5) != 0;
  a->secure = scheme != NULL && strcmp(scheme, "https") == 0;
  if (user != NULL) {
    sm_buf_put(&plain, user, strlen(user));
    sm_buf_putc(&plain, ':');
    if (password != NULL)
      sm_buf_put(&plain, password, strlen(password));
    sm_buf_puts(&a->credentials, SM_LIT("Proxy-Authorization: Basic "));
    sm_base64_put(&a->credentials, plain.p, plain.len);
    sm_buf_puts(&a->credentials, SM_LIT("\r\n"));
  }
  curl_free(scheme);
  curl_free(user);
  curl_free(password);
  curl_url_cleanup(url);
  if (plain.err != SM_OK)
    a->credentials.err = plain.err;
  sm_buf_wipe(&plain);
  return a->credentials.err == SM_OK;
}

static void close_handles (lcurl_agent *a) {
  if (a->multi != NULL)
    curl_multi_cleanup(a->multi);
  if (a->share != NULL)
    curl_share_cleanup(a->share);
  a->multi = NULL;
  a->share = NULL;
}

static void dispose (lcurl_agent *a) {
  sm_buf text = a->text; /* it knows the allocator */
  close_handles(a);
  sm_buf_wipe(&a->credentials);
  sm_buf_free(&text);
  text.alloc(text.ud, a, sizeof(*a), 0);
}

lcurl_agent *lcurl_agent_open (lcurl_loop *l, const lcurl_settings *s) {
  lcurl_agent *a = NULL;
  if (lcurl_loop_admit(l) == SM_OK)
    a = (lcurl_agent *)l->alloc(l->ud, NULL, 0, sizeof(*a));
  if (a == NULL)
    return NULL;
  memset(a, 0, sizeof(*a));
  sm_buf_init(&a->text, 1 << 20, l->alloc, l->ud);
  sm_buf_init(&a->credentials, 1 << 17, l->alloc, l->ud);
  a->timer.agent = a;
  if (!copy_settings(a, s) || (a->proxied && !read_proxy(a)) ||
      !make_handles(a)) {
    dispose(a);
    return NULL;
  }
  a->loop = l;
  a->next = l->agents;
  if (l->agents != NULL)
    l->agents->previous = a;
  l->agents = a;
  l->population++;
  return a;
}

void lcurl_agent_close (lcurl_agent *a) {
  lcurl_transfer *t;
  if (a->multi == NULL)
    return;
  for (t = a->busy; t != NULL; t = t->next) {
    if (t->phase == LCURL_UNDERWAY) {
      t->stop = LCURL_STOP_CLOSED;
      lcurl_end(t);
    }
  }
  while ((t = a->idle) != NULL) {
    a->idle = t->next;
    a->nidle--;
    destroy(t);
  }
  while (a->kept != NULL)
    lcurl_connection_close(a->kept);
  close_handles(a);
  lcurl_timers_set(&a->loop->timers, &a->timer, LCURL_NEVER);
}

void lcurl_agent_free (lcurl_agent *a) {
  lcurl_loop *l = a->loop;
  lcurl_agent_close(a);
  while (a->busy != NULL) {
    a->busy->hands = 0;
    lcurl_release(a->busy);
  }
  if (a->previous != NULL)
    a->previous->next = a->next;
  else
    l->agents = a->next;
  if (a->next != NULL)
    a->next->previous = a->previous;
  l->population--;
  dispose(a);
}
