/*
** lcurl_agent.c: transfers, from their request to their end, and the multi
** handle that they share.
**
** A transfer is idle (its easy handle waits in a stack for the next request),
** prepared (its request is being filled in), under way (libcurl has it) or
** ended (libcurl has it no more; what came waits to be handed out). Only
** transfers that are not idle have a number in the loop.
*/
#include "lcurl.h"

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

int64_t lcurl_limit (const lcurl_transfer *t, lcurl_stop *which) {
  const lcurl_limits *limits = &t->request.limits;
  int sent = lcurl_sent(t);
  int64_t attempt = after(t->start, limits->attempt);
  int64_t phase = sent ? after(t->activity, limits->read)
                       : after(t->start, limits->connect);
  if (t->response.streamed)
    return stream_limit(t, which);
  if (attempt <= phase) {
    *which = LCURL_STOP_ATTEMPT;
    return attempt;
  }
  *which = sent ? LCURL_STOP_READ : LCURL_STOP_CONNECT;
  return phase;
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
  if (t->easy != NULL)
    curl_easy_cleanup(t->easy);
  lcurl_response_free(&t->response);
  sm_buf_free(&t->request.text);
  sm_buf_free(&t->request.list);
  a->text.alloc(a->text.ud, t, sizeof(*t), 0);
}

/* All header lines of a request together, in bytes; services allow less. */
#define MAX_HEADERS ((size_t)256 * 1024)

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
  lcurl_response_init(&t->response, a->max_body, a->max_head, alloc, ud);
  sm_buf_init(&t->request.text, MAX_HEADERS, alloc, ud);
  sm_buf_init(&t->request.list, MAX_HEADERS * 4, alloc, ud);
  t->easy = curl_easy_init();
  if (t->easy == NULL || lcurl_easy_setup(t, &a->settings) != CURLE_OK) {
    destroy(t);
    return NULL;
  }
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

int lcurl_begin (lcurl_transfer *t) {
  CURLMcode code = CURLM_OK;
  lcurl_response_reset(&t->response, t->agent->max_body, KEEP_BODY);
  t->result = lcurl_easy_request(t);
  if (t->result == CURLE_OK) {
    t->phase = LCURL_UNDERWAY;
    lcurl_retime(t);
    code = curl_multi_add_handle(t->agent->multi, t->easy);
    if (code == CURLM_OK)
      return 1;
    t->result =
        code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
  }
  lcurl_timers_set(&t->agent->loop->timers, &t->timer, LCURL_NEVER);
  t->phase = LCURL_ENDED;
  return 0;
}

void lcurl_end (lcurl_transfer *t) {
  if (t->phase != LCURL_UNDERWAY)
    return;
  t->phase = LCURL_ENDED;
  curl_multi_remove_handle(t->agent->multi, t->easy);
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
  if (t->response.paused) {
    CURLcode rc;
    t->response.paused = 0;
    rc = curl_easy_pause(t->easy, CURLPAUSE_CONT); /* may fill the buffer */
    if (rc != CURLE_OK) {
      t->result = rc;
      lcurl_end(t);
      return;
    }
  }
  lcurl_retime(t);
}

/* ---- agents ----------------------------------------------------------- */

/* libcurl is content with a head that the end of the connection has cut off,
** unless a length of the body stood in it. */
static CURLcode verdict (const lcurl_transfer *t, CURLcode result) {
  if (result == CURLE_OK && t->response.state != LCURL_HEAD_DONE)
    return CURLE_PARTIAL_FILE;
  return result;
}

void lcurl_harvest (lcurl_agent *a) {
  CURLMsg *msg;
  int left;
  while ((msg = curl_multi_info_read(a->multi, &left)) != NULL) {
    lcurl_transfer *t = NULL;
    CURLcode result = msg->data.result;
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
    t->result = verdict(t, result);
    lcurl_end(t);
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

static int make_multi (lcurl_agent *a, long connections) {
  a->multi = curl_multi_init();
  if (a->multi == NULL)
    return 0;
  curl_multi_setopt(a->multi, CURLMOPT_SOCKETFUNCTION, lcurl_on_socket);
  curl_multi_setopt(a->multi, CURLMOPT_SOCKETDATA, a);
  curl_multi_setopt(a->multi, CURLMOPT_TIMERFUNCTION, lcurl_on_timer);
  curl_multi_setopt(a->multi, CURLMOPT_TIMERDATA, a);
  curl_multi_setopt(a->multi, CURLMOPT_MAXCONNECTS, connections);
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
  size_t n = length(s->ca_file) + length(s->ca_path) + length(s->proxy) +
             length(s->no_proxy);
  if (n > 0 && sm_buf_grow(&a->text, n) != SM_OK)
    return 0;
  a->settings.ca_file = keep(&a->text, s->ca_file);
  a->settings.ca_path = keep(&a->text, s->ca_path);
  a->settings.proxy = keep(&a->text, s->proxy);
  a->settings.no_proxy = keep(&a->text, s->no_proxy);
  a->settings.verify = s->verify;
  a->proxied = s->proxy != NULL && *s->proxy != '\0';
  return 1;
}

static void dispose (lcurl_agent *a) {
  sm_buf text = a->text; /* it knows the allocator */
  if (a->multi != NULL)
    curl_multi_cleanup(a->multi);
  sm_buf_free(&text);
  text.alloc(text.ud, a, sizeof(*a), 0);
}

lcurl_agent *lcurl_agent_open (lcurl_loop *l, const lcurl_settings *s,
                               long connections) {
  lcurl_agent *a = NULL;
  if (lcurl_loop_admit(l) == SM_OK)
    a = (lcurl_agent *)l->alloc(l->ud, NULL, 0, sizeof(*a));
  if (a == NULL)
    return NULL;
  memset(a, 0, sizeof(*a));
  sm_buf_init(&a->text, 1 << 20, l->alloc, l->ud);
  a->timer.agent = a;
  if (!copy_settings(a, s) || !make_multi(a, connections)) {
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
  curl_multi_cleanup(a->multi);
  a->multi = NULL;
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
