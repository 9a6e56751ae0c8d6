/*
** lcurl_response.c: the callbacks that collect an answer, within bounds.
*/
#include "lcurl.h"

/* What a stream may hold at the very most: one more piece of libcurl's. */
#define STREAM_MAX (LCURL_STREAM_BYTES + CURL_MAX_WRITE_SIZE)

void lcurl_response_init (lcurl_response *r, size_t max_body, size_t max_head,
                          sm_alloc alloc, void *ud) {
  memset(r, 0, sizeof(*r));
  sm_buf_init(&r->head, max_head, alloc, ud);
  sm_buf_init(&r->body, max_body, alloc, ud);
}

void lcurl_response_reset (lcurl_response *r, size_t max_body, size_t keep) {
  sm_buf_reset(&r->head);
  if (r->body.cap > keep || r->body.cap > max_body)
    sm_buf_free(&r->body); /* a stream before may have had more */
  sm_buf_reset(&r->body);
  r->body.max = max_body;
  r->lines = r->status = r->received = 0;
  r->streamed = r->paused = 0;
  r->refused = SM_OK;
  r->state = LCURL_HEAD_NONE;
  r->limit = NULL;
}

void lcurl_response_free (lcurl_response *r) {
  sm_buf_free(&r->head);
  sm_buf_free(&r->body);
}

/* Notes why libcurl is to stop; returns what a callback then answers. */
static size_t refuse (lcurl_response *r, int why, const char *what) {
  r->refused = why;
  r->limit = what;
  return 0;
}

static int is_blank (char c) {
  return c == ' ' || c == '\t';
}

static sm_str trim (sm_str s) {
  while (s.len > 0 && is_blank(s.p[0])) {
    s.p++;
    s.len--;
  }
  while (s.len > 0 && is_blank(s.p[s.len - 1]))
    s.len--;
  return s;
}

/* The three digits after the first blank of a status line, or 0. */
static int status_of (sm_str line) {
  const char *p = (const char *)memchr(line.p, ' ', line.len);
  int status = 0, i;
  if (p == NULL || line.p + line.len - p < 4)
    return 0;
  for (i = 1; i <= 3; i++) {
    if (p[i] < '0' || p[i] > '9')
      return 0;
    status = status * 10 + (p[i] - '0');
  }
  return status;
}

/* A status line opens a head; the interim one before it is forgotten. */
static void open_head (lcurl_response *r, sm_str line) {
  sm_buf_reset(&r->head);
  r->lines = 0;
  r->received = 1;
  r->status = status_of(line);
  r->state = LCURL_HEAD_OPEN;
}

/* Appends a field line; one that begins with a blank continues the last. */
static void add_line (lcurl_response *r, sm_str line) {
  if (is_blank(line.p[0]) && r->lines > 0) {
    r->head.len--;
    sm_buf_putc(&r->head, ' ');
  } else {
    r->lines++;
  }
  sm_buf_puts(&r->head, trim(line));
  sm_buf_putc(&r->head, '\n');
}

/* The end of a head: of an interim one, or of the one that counts. */
static void close_head (lcurl_transfer *t) {
  lcurl_response *r = &t->response;
  if (r->status < 200 && r->status != 101) {
    r->state = LCURL_HEAD_NONE;
    return;
  }
  r->state = LCURL_HEAD_DONE;
  if (t->request.stream && r->status >= 200 && r->status < 300) {
    r->streamed = 1;
    if (r->body.max < STREAM_MAX)
      r->body.max = STREAM_MAX; /* the limit of answers is for whole ones */
    lcurl_ripen(t);
  }
}

size_t lcurl_on_header (char *p, size_t size, size_t n, void *ud) {
  lcurl_transfer *t = (lcurl_transfer *)ud;
  lcurl_response *r = &t->response;
  sm_str line;
  n *= size;
  line.p = p;
  line.len = n;
  while (line.len > 0 && (p[line.len - 1] == '\r' || p[line.len - 1] == '\n'))
    line.len--;
  if (r->state == LCURL_HEAD_DONE)
    return n; /* a trailer */
  if (r->state == LCURL_HEAD_NONE) {
    open_head(r, line);
  } else if (line.len == 0) {
    close_head(t);
  } else {
    add_line(r, line);
    if (r->head.err != SM_OK || r->lines > LCURL_MAX_FIELDS)
      return refuse(r, r->head.err == SM_ENOMEM ? SM_ENOMEM : SM_ELIMIT,
                    "header");
  }
  return n;
}

/* Makes room for the whole body when its length was announced. */
static void expect_body (lcurl_transfer *t) {
  lcurl_response *r = &t->response;
  curl_off_t length = -1;
  curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length <= 0)
    return;
  if ((uint64_t)length > r->body.max)
    r->body.err = SM_ELIMIT;
  else
    sm_buf_grow(&r->body, (size_t)length);
}

/* Bytes of a stream, unless too many wait already: libcurl keeps them then and
** brings them again. */
static size_t on_stream (lcurl_transfer *t, const char *p, size_t n) {
  lcurl_response *r = &t->response;
  if (r->body.len > 0 && r->body.len + n > LCURL_STREAM_BYTES) {
    r->paused = 1;
    return CURL_WRITEFUNC_PAUSE;
  }
  sm_buf_put(&r->body, p, n);
  if (r->body.err != SM_OK)
    return refuse(r, r->body.err, "body");
  lcurl_ripen(t);
  return n;
}

size_t lcurl_on_body (char *p, size_t size, size_t n, void *ud) {
  lcurl_transfer *t = (lcurl_transfer *)ud;
  lcurl_response *r = &t->response;
  n *= size;
  if (r->streamed)
    return on_stream(t, p, n);
  if (r->body.len == 0)
    expect_body(t);
  sm_buf_put(&r->body, p, n);
  if (r->body.err != SM_OK)
    return refuse(r, r->body.err, "body");
  return n;
}

int lcurl_response_fields (const lcurl_response *r, lcurl_field *out) {
  const char *p = r->head.p, *end = p + r->head.len;
  int n = 0;
  while (p < end && n < LCURL_MAX_FIELDS) {
    const char *eol = (const char *)memchr(p, '\n', (size_t)(end - p));
    const char *colon = (const char *)memchr(p, ':', (size_t)(eol - p));
    if (colon != NULL && colon > p) {
      out[n].name = trim((sm_str){p, (size_t)(colon - p)});
      out[n].value = trim((sm_str){colon + 1, (size_t)(eol - colon - 1)});
      n++;
    }
    p = eol + 1;
  }
  return n;
}
