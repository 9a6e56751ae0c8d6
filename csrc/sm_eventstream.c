/*
** sm_eventstream.c: frames of event streams.
*/
#include "sm_eventstream.h"

#include "sm_text.h"

#define PRELUDE 12

static uint32_t get_u32 (const char *p) {
  const unsigned char *u = (const unsigned char *)p;
  return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 |
         u[3];
}

/* A signed number of n bytes. */
static int64_t get_int (const char *p, unsigned n) {
  uint64_t v = (unsigned char)*p & 0x80 ? UINT64_MAX : 0;
  unsigned i;
  for (i = 0; i < n; i++)
    v = v << 8 | (unsigned char)p[i];
  return v <= INT64_MAX ? (int64_t)v : -(int64_t)(UINT64_MAX - v) - 1;
}

/* {{ Headers */

/* How many bytes the number, the flag or the UUID of a type takes. */
static const unsigned char sizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};

#define HAS_LENGTH(type) ((type) == SM_ES_BYTES || (type) == SM_ES_STRING)

/* What is wrong with a header. */
enum {
  BAD_NAME = 1,
  BAD_TYPE,
  BAD_UTF8,
  CUT
};

static int read_value (sm_str *rest, sm_es_header *h) {
  size_t n = sizes[h->type];
  h->i = h->type == SM_ES_TRUE;
  h->s = (sm_str){NULL, 0};
  if (HAS_LENGTH(h->type)) {
    if (rest->len < 2)
      return CUT;
    n = (size_t)((unsigned char)rest->p[0] << 8 | (unsigned char)rest->p[1]);
    *rest = (sm_str){rest->p + 2, rest->len - 2};
  }
  if (rest->len < n)
    return CUT;
  if (HAS_LENGTH(h->type) || h->type == SM_ES_UUID)
    h->s = (sm_str){rest->p, n};
  else if (n > 0)
    h->i = get_int(rest->p, (unsigned)n);
  if (h->type == SM_ES_STRING && sm_utf8_check(h->s) < n)
    return BAD_UTF8;
  *rest = (sm_str){rest->p + n, rest->len - n};
  return 0;
}

/* 0, or what is wrong; *rest is then where. */
static int read_header (sm_str *rest, sm_es_header *h) {
  size_t n = (unsigned char)rest->p[0];
  if (n == 0)
    return BAD_NAME;
  if (rest->len < n + 2)
    return CUT;
  h->name = (sm_str){rest->p + 1, n};
  if (sm_utf8_check(h->name) < n)
    return BAD_UTF8;
  h->type = (unsigned char)rest->p[n + 1];
  if (h->type > SM_ES_UUID)
    return BAD_TYPE;
  *rest = (sm_str){rest->p + n + 2, rest->len - n - 2};
  return read_value(rest, h);
}

int sm_es_header_next (sm_str *rest, sm_es_header *h) {
  int wrong;
  if (rest->len == 0)
    return 0;
  wrong = read_header(rest, h);
  if (wrong == 0)
    return 1;
  return wrong == BAD_UTF8 ? SM_EUTF8 : SM_ESYNTAX;
}

int sm_es_find (const sm_es_message *m, sm_str name, sm_es_header *h) {
  sm_str rest = m->headers;
  while (sm_es_header_next(&rest, h) == 1) {
    if (sm_str_eq(h->name, name))
      return 1;
  }
  return 0;
}

/* }} */

/* {{ Decoder */

void sm_es_init (sm_eventstream *es, size_t max_frame, sm_alloc alloc,
                 void *ud) {
  sm_buf_init(&es->frame, max_frame, alloc, ud);
  es->max_frame = max_frame;
  es->base = es->at = 0;
  es->given = 0;
  es->err = SM_OK;
  es->what = NULL;
}

void sm_es_free (sm_eventstream *es) {
  sm_buf_free(&es->frame);
}

/* Notes a failure at an offset from the frame's first byte. */
static int fail (sm_eventstream *es, int err, size_t offset, const char *what) {
  es->err = err;
  es->at = es->base + offset;
  es->what = what;
  return err;
}

static int check_prelude (sm_eventstream *es, const char *p) {
  size_t total = get_u32(p), headers = get_u32(p + 4);
  if (sm_crc32(0, p, 8) != get_u32(p + 8))
    return fail(es, SM_ESYNTAX, 8, "the checksum of the prelude is wrong");
  if (total < SM_ES_OVERHEAD)
    return fail(es, SM_ESYNTAX, 0, "the frame is shorter than a frame can be");
  if (headers > total - SM_ES_OVERHEAD)
    return fail(es, SM_ESYNTAX, 4, "the headers are longer than the frame");
  if (total > es->max_frame)
    return fail(es, SM_ELIMIT, 0, "the frame is longer than the limit");
  if (headers > SM_ES_MAX_HEADER_BYTES)
    return fail(es, SM_ELIMIT, 4, "the headers are longer than the limit");
  return SM_OK;
}

static int fail_header (sm_eventstream *es, int wrong, size_t offset) {
  switch (wrong) {
  case BAD_NAME:
    return fail(es, SM_ESYNTAX, offset, "a header has an empty name");
  case BAD_TYPE:
    return fail(es, SM_ESYNTAX, offset, "a header has an unknown type");
  case BAD_UTF8:
    return fail(es, SM_EUTF8, offset, "a header is not valid UTF-8");
  default:
    return fail(es, SM_ESYNTAX, offset, "a header goes past the headers");
  }
}

/* Reads all headers once; frame is where their offsets count from. */
static int check_headers (sm_eventstream *es, sm_str headers,
                          const char *frame) {
  sm_str names[SM_ES_MAX_HEADERS], rest = headers;
  sm_es_header h;
  size_t n, i;
  for (n = 0; rest.len > 0; n++) {
    size_t offset = (size_t)(rest.p - frame);
    int wrong = read_header(&rest, &h);
    if (wrong != 0)
      return fail_header(es, wrong, offset);
    if (n == SM_ES_MAX_HEADERS)
      return fail(es, SM_ELIMIT, offset, "there are too many headers");
    for (i = 0; i < n; i++) {
      if (sm_str_eq(names[i], h.name))
        return fail(es, SM_ESYNTAX, offset, "a header comes twice");
    }
    names[n] = h.name;
  }
  return SM_OK;
}

/* The message of a whole frame whose prelude was checked. */
static int read_frame (sm_eventstream *es, sm_str frame, sm_es_message *m) {
  size_t headers = get_u32(frame.p + 4);
  const char *tail = frame.p + frame.len - 4;
  if (sm_crc32(0, frame.p, frame.len - 4) != get_u32(tail))
    return fail(es, SM_ESYNTAX, frame.len - 4,
                "the checksum of the message is wrong");
  m->headers = (sm_str){frame.p + PRELUDE, headers};
  m->payload.p = frame.p + PRELUDE + headers;
  m->payload.len = (size_t)(tail - m->payload.p);
  if (check_headers(es, m->headers, frame.p) != SM_OK)
    return es->err;
  es->base += frame.len;
  return 1;
}

/* Takes bytes from *in until `want` are there: 1, or 0 when *in is too short,
** or negative. */
static int gather (sm_eventstream *es, sm_str *in, size_t want) {
  size_t n = want - es->frame.len;
  if (n > in->len)
    n = in->len;
  sm_buf_put(&es->frame, in->p, n);
  if (es->frame.err != SM_OK)
    return fail(es, es->frame.err, es->frame.len, sm_strerror(es->frame.err));
  *in = (sm_str){in->p + n, in->len - n};
  return es->frame.len == want;
}

/* A frame that lies whole in *in, and is not copied: 1; 0 when it does not. */
static int read_here (sm_eventstream *es, sm_str *in, sm_es_message *m) {
  size_t total;
  int got;
  if (in->len < PRELUDE)
    return 0;
  if (check_prelude(es, in->p) != SM_OK)
    return es->err;
  total = get_u32(in->p);
  if (in->len < total)
    return 0;
  got = read_frame(es, (sm_str){in->p, total}, m);
  *in = (sm_str){in->p + total, in->len - total};
  return got;
}

int sm_es_next (sm_eventstream *es, sm_str *in, sm_es_message *m) {
  int got;
  if (es->given) {
    sm_buf_reset(&es->frame);
    es->given = 0;
  }
  if (es->err != SM_OK)
    return es->err;
  if (es->frame.len == 0) {
    got = read_here(es, in, m);
    if (got != 0)
      return got;
  }
  if (es->frame.len < PRELUDE) {
    got = gather(es, in, PRELUDE);
    if (got <= 0)
      return got;
    if (check_prelude(es, es->frame.p) != SM_OK)
      return es->err;
  }
  got = gather(es, in, get_u32(es->frame.p));
  if (got <= 0)
    return got;
  es->given = 1;
  return read_frame(es, sm_buf_str(&es->frame), m);
}

int sm_es_end (sm_eventstream *es) {
  if (es->err == SM_OK && !es->given && es->frame.len > 0)
    return fail(es, SM_ESYNTAX, es->frame.len,
                "the stream ends inside of a frame");
  return es->err;
}

/* }} */

/* {{ Encoder */

static void put_int (sm_buf *out, uint64_t v, unsigned n) {
  while (n-- > 0)
    sm_buf_putc(out, (char)(v >> 8 * n & 255));
}

/* Whether a number fits n bytes. */
static int fits (int64_t v, unsigned n) {
  return n >= 8 ||
         (v >= -((int64_t)1 << (8 * n - 1)) && v < (int64_t)1 << (8 * n - 1));
}

/* Whether the name or the value of an earlier header forbids this one. */
static int can_put (const sm_es_header *headers, size_t n) {
  const sm_es_header *h = headers + n;
  size_t i;
  if (h->name.len == 0 || h->name.len > 255 || h->type > SM_ES_UUID ||
      sm_utf8_check(h->name) < h->name.len)
    return 0;
  if (HAS_LENGTH(h->type) && h->s.len > 32767)
    return 0;
  if (h->type == SM_ES_STRING && sm_utf8_check(h->s) < h->s.len)
    return 0;
  if (h->type == SM_ES_UUID && h->s.len != 16)
    return 0;
  if (h->type >= SM_ES_BYTE && h->type <= SM_ES_INTEGER &&
      !fits(h->i, sizes[h->type]))
    return 0;
  for (i = 0; i < n; i++) {
    if (sm_str_eq(headers[i].name, h->name))
      return 0;
  }
  return 1;
}

static size_t size_of (const sm_es_header *h) {
  size_t n = 2 + h->name.len + sizes[h->type];
  return HAS_LENGTH(h->type) ? n + 2 + h->s.len : n;
}

static void put_header (sm_buf *out, const sm_es_header *h) {
  sm_buf_putc(out, (char)h->name.len);
  sm_buf_puts(out, h->name);
  sm_buf_putc(out, (char)h->type);
  if (HAS_LENGTH(h->type))
    put_int(out, h->s.len, 2);
  if (HAS_LENGTH(h->type) || h->type == SM_ES_UUID)
    sm_buf_puts(out, h->s);
  else
    put_int(out, (uint64_t)h->i, sizes[h->type]);
}

int sm_es_put (sm_buf *out, const sm_es_header *headers, size_t n,
               sm_str payload, size_t *bad) {
  size_t start = out->len, size = 0, i;
  if (n > SM_ES_MAX_HEADERS || payload.len > SM_ES_MAX_PAYLOAD)
    return SM_ELIMIT;
  for (i = 0; i < n; i++) {
    if (bad != NULL)
      *bad = i;
    if (!can_put(headers, i))
      return SM_EARG;
    size += size_of(headers + i);
  }
  if (size > SM_ES_MAX_HEADER_BYTES)
    return SM_ELIMIT;
  if (!sm_buf_room(out, SM_ES_OVERHEAD + size + payload.len))
    return out->err;
  put_int(out, SM_ES_OVERHEAD + size + payload.len, 4);
  put_int(out, size, 4);
  put_int(out, sm_crc32(0, out->p + start, 8), 4);
  for (i = 0; i < n; i++)
    put_header(out, headers + i);
  sm_buf_puts(out, payload);
  put_int(out, sm_crc32(0, out->p + start, out->len - start), 4);
  return out->err;
}

/* }} */
