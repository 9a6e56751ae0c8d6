/*
** lcurl_exchange.c: a request and its answer over an open connection.
**
** Both directions go on at once: an answer that comes before the request is all
** sent is read too. Nothing here waits, not even the body of a request with
** "Expect: 100-continue", which RFC 9110, section 10.1.1, allows.
*/
#include <poll.h>
#include <stdio.h>

#include "lcurl.h"

/* Reads of one connection, and as many writes, before others have their turn;
** and the bytes of a write. TLS says nothing of a write before all of it has
** gone, so it gets no more than a record. */
#define MAX_ROUNDS 8
#define WRITE_BYTES ((size_t)64 * 1024)
#define RECORD_BYTES ((size_t)16 * 1024)

/* TLS that takes nothing so many times in a row, although its socket would, has
** to read first, which no event of the socket tells: it is left alone for a
** while. Less often it may have sent parts of what it was given. */
#define MOST_FUTILE 8
#define BLOCKED_MS 10

static int is_underway (const lcurl_transfer *t) {
  return t->phase == LCURL_UNDERWAY;
}

/* Whether it is under way and has this connection still, which may be gone. */
static int goes_on (const lcurl_transfer *t, const lcurl_connection *c) {
  return is_underway(t) && t->connection == c;
}

/* ---- how it ends ------------------------------------------------------ */

static void fail (lcurl_transfer *t, CURLcode result, const char *text) {
  t->result = result;
  snprintf(t->error, sizeof(t->error), "%s", text);
  lcurl_end(t);
}

/* Nothing of an answer had come on a connection that was kept: most likely it
** was closed before the request. */
static void again_elsewhere (lcurl_transfer *t) {
  lcurl_connection *old = t->connection;
  if (lcurl_now() - t->sent > LCURL_STALE_MS) {
    t->stop = LCURL_STOP_STALE;
    lcurl_end(t);
    return;
  }
  t->kept = t->unsendable = 0;
  if (lcurl_connect(t, (sm_str){old->origin, strlen(old->origin)}))
    lcurl_connection_close(old);
  else
    lcurl_end(t);
}

/* The connection broke. */
static void broke (lcurl_transfer *t, CURLcode result) {
  if (!t->response.reader.begun && t->kept && result != CURLE_OUT_OF_MEMORY)
    again_elsewhere(t);
  else
    fail(t, result, t->connection->error);
}

/* The other side has closed the connection. */
static void closed (lcurl_transfer *t) {
  sm_http_reader *r = &t->response.reader;
  t->connection->error[0] = '\0';
  if (sm_http_reader_end(r)) {
    lcurl_end(t);
  } else if (!r->begun) {
    broke(t, CURLE_GOT_NOTHING);
  } else {
    fail(t, CURLE_PARTIAL_FILE,
         t->response.headed
             ? "the connection was closed before the end of the answer"
             : "the answer broke off in its head");
  }
}

/* The answer is whole; `rest` bytes behind it belong to nothing. */
static void complete (lcurl_transfer *t, size_t rest) {
  if (t->response.reader.keep && !t->request.last && rest == 0 &&
      t->unsent == 0)
    lcurl_connection_keep(t->connection);
  lcurl_end(t);
}

/* ---- the answer ------------------------------------------------------- */

static void refuse (lcurl_transfer *t, int why, const char *what) {
  t->response.refused = why;
  t->response.limit = what;
  t->result = CURLE_WRITE_ERROR;
  lcurl_end(t);
}

/* A head has ended: an interim one, or the one that counts. */
static void on_head (lcurl_transfer *t) {
  lcurl_response *r = &t->response;
  int64_t length = r->reader.length;
  if (r->reader.state <= SM_HTTP_FIELDS)
    return;
  r->headed = 1;
  if (t->request.stream && r->reader.status >= 200 && r->reader.status < 300) {
    r->streamed = 1;
    if (r->body.max < LCURL_STREAM_BYTES)
      r->body.max = LCURL_STREAM_BYTES; /* its limit is for whole answers */
    lcurl_ripen(t);
  } else if (length > 0 && (uint64_t)length > r->body.max) {
    refuse(t, SM_ELIMIT, "body");
  } else if (length > 0) {
    sm_buf_room(&r->body, (size_t)length);
  }
}

static void on_piece (lcurl_transfer *t, sm_str piece) {
  sm_buf *body = &t->response.body;
  sm_buf_puts(body, piece);
  if (body->err != SM_OK)
    refuse(t, body->err, "body");
  else if (t->response.streamed)
    lcurl_ripen(t);
}

/* Takes in what has come. */
static void take (lcurl_transfer *t, sm_str text) {
  lcurl_response *r = &t->response;
  while (is_underway(t) && text.len > 0 && r->reader.state != SM_HTTP_DONE) {
    sm_str piece;
    int status = sm_http_reader_feed(&r->reader, &text, &piece);
    if (status == SM_ESYNTAX)
      fail(t, CURLE_WEIRD_SERVER_REPLY, r->reader.problem);
    else if (status != SM_OK)
      refuse(t, status, "header");
    else if (!r->headed)
      on_head(t);
    if (is_underway(t) && piece.len > 0)
      on_piece(t, piece);
  }
  if (is_underway(t) && r->reader.state == SM_HTTP_DONE)
    complete(t, text.len);
}

/* How much may be read now. */
static size_t room_of (const lcurl_transfer *t) {
  size_t waits = t->response.body.len;
  if (!t->response.streamed)
    return LCURL_READ_BYTES;
  if (waits >= LCURL_STREAM_BYTES || t->response.lent)
    return 0;
  return LCURL_STREAM_BYTES - waits;
}

/* Reads what is there. */
static void receive (lcurl_transfer *t) {
  const lcurl_connection *c = t->connection;
  char *bytes = t->agent->loop->bytes.p;
  int i, secure = c->secure;
  t->response.paused = 0;
  for (i = 0; i < MAX_ROUNDS && goes_on(t, c); i++) {
    size_t n = 0, room = room_of(t);
    CURLcode rc;
    if (room == 0) {
      t->response.paused = 1;
      return;
    }
    rc = curl_easy_recv(c->easy, bytes, room, &n);
    if (rc == CURLE_AGAIN)
      return;
    if (rc != CURLE_OK) {
      broke(t, rc == CURLE_OUT_OF_MEMORY ? rc : CURLE_RECV_ERROR);
    } else if (n == 0) {
      closed(t);
    } else {
      t->futile = 0;
      if (t->agent->timings && !t->response.reader.begun)
        t->took.first_byte = lcurl_now_us() - t->start_us;
      take(t, (sm_str){bytes, n});
      if (n < room && !secure)
        return; /* a socket gives all it has; TLS may hold some back */
    }
  }
  if (goes_on(t, c))
    t->again = lcurl_now();
}

/* ---- the request ------------------------------------------------------ */

/* What is to be sent next: of the head, then of a body that is beside it. */
static sm_str next_part (const lcurl_transfer *t) {
  const lcurl_request *r = &t->request;
  size_t most = t->connection->secure ? RECORD_BYTES : WRITE_BYTES;
  sm_str part = {r->body.p + r->body.len - t->unsent, t->unsent};
  if (t->unsent > r->body.len) {
    part.len = t->unsent - r->body.len;
    part.p = r->text.p + r->text.len - part.len;
  }
  if (part.len > most)
    part.len = most;
  return part;
}

/* Sends what the connection takes. When it takes no more, an answer may say
** why: that is read before anything is said of it. */
static void send_more (lcurl_transfer *t) {
  int i;
  if (t->unsendable)
    return;
  for (i = 0; i < MAX_ROUNDS && t->unsent > 0; i++) {
    sm_str part = next_part(t);
    size_t n = 0;
    CURLcode rc = curl_easy_send(t->connection->easy, part.p, part.len, &n);
    if (rc == CURLE_AGAIN)
      return;
    if (rc != CURLE_OK) {
      t->unsendable = 1;
      return;
    }
    t->unsent -= n;
    t->futile = 0;
    t->activity = lcurl_now();
  }
}

/* ---- both ------------------------------------------------------------- */

static int wants_to_send (const lcurl_transfer *t) {
  return t->unsent > 0 && !t->unsendable;
}

static void watch (lcurl_transfer *t) {
  int events = t->response.paused ? 0 : POLLIN;
  if (wants_to_send(t) && t->again == 0)
    events |= POLLOUT;
  lcurl_loop_watch(t->agent->loop, t->connection, events);
}

void lcurl_exchange (lcurl_transfer *t) {
  const lcurl_connection *c = t->connection;
  t->again = 0;
  t->futile++;
  send_more(t);
  receive(t);
  if (goes_on(t, c) && t->unsendable && t->again == 0 && !t->response.paused)
    broke(t, CURLE_SEND_ERROR);
  if (goes_on(t, c)) {
    if (wants_to_send(t) && t->futile >= MOST_FUTILE) {
      t->futile = 0;
      t->again = lcurl_now() + BLOCKED_MS;
    }
    watch(t);
    if (t->again != 0)
      lcurl_retime(t);
  }
}

void lcurl_exchange_begin (lcurl_transfer *t) {
  t->sent = t->activity = lcurl_now();
  t->connecting = 0;
  t->unsent = t->request.text.len + t->request.body.len;
  send_more(t);
  if (t->unsendable) {
    lcurl_exchange(t);
    return;
  }
  watch(t);
  lcurl_retime(t); /* the time to read may be shorter than that to connect */
}
