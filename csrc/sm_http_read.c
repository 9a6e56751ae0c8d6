/*
** sm_http_read.c: see sm_http_read.h.
*/
#include <string.h>

#include "sm_http_read.h"
#include "sm_text.h"

/* A line with the size of a chunk is no longer than this, extensions too. */
#define MAX_CHUNK_LINE 4096

/* {{ Words */

static int is_blank (char c) {
  return c == ' ' || c == '\t';
}

static sm_str trim (sm_str s) {
  while (s.len > 0 && is_blank(s.p[s.len - 1]))
    s.len--;
  while (s.len > 0 && is_blank(s.p[0])) {
    s.p++;
    s.len--;
  }
  return s;
}

static int invalid (sm_http_reader *r, const char *problem) {
  r->problem = problem;
  return SM_ESYNTAX;
}

int sm_http_lists (sm_str value, sm_str word) {
  while (value.len > 0) {
    const char *comma = memchr(value.p, ',', value.len);
    size_t n = comma != NULL ? (size_t)(comma - value.p) : value.len;
    if (sm_str_ieq(trim((sm_str){value.p, n}), word))
      return 1;
    n += comma != NULL;
    value.p += n;
    value.len -= n;
  }
  return 0;
}

/* }} */

/* {{ Setting up */

void sm_http_reader_init (sm_http_reader *r, size_t limit, sm_alloc alloc,
                          void *ud) {
  memset(r, 0, sizeof *r);
  r->limit = limit;
  sm_buf_init(&r->text, SIZE_MAX, alloc, ud);
  sm_buf_init(&r->spans, SIZE_MAX, alloc, ud);
  sm_buf_init(&r->line, SIZE_MAX, alloc, ud);
}

void sm_http_reader_free (sm_http_reader *r) {
  sm_buf_free(&r->text);
  sm_buf_free(&r->spans);
  sm_buf_free(&r->line);
}

void sm_http_reader_begin (sm_http_reader *r, int head) {
  r->state = SM_HTTP_STATUS;
  r->status = r->interim = r->lines = r->keep = r->begun = 0;
  r->length = -1;
  r->left = 0;
  r->problem = NULL;
  r->room = r->limit;
  r->bodiless = head;
  sm_buf_reset(&r->text);
  sm_buf_reset(&r->spans);
  sm_buf_reset(&r->line);
}

size_t sm_http_reader_fields (const sm_http_reader *r,
                              const sm_http_span **spans, const char **text) {
  *spans = (const sm_http_span *)(const void *)r->spans.p;
  *text = r->text.p;
  return r->spans.len / sizeof(sm_http_span);
}

/* }} */

/* {{ Lines */

/* Takes `n` bytes of a line off the text into r->line. */
static int keep_part (sm_http_reader *r, sm_str *text, size_t n) {
  sm_buf_put(&r->line, text->p, n);
  text->p += n;
  text->len -= n;
  return r->line.err;
}

/*
** Takes a line off the text, without its end; `line` is good until the next
** one. 1: there it is; 0: its end has not come, and what there is of it was put
** aside. Below zero: a failure; SM_ELIMIT when it takes more than *room bytes,
** its end included.
*/
static int next_line (sm_http_reader *r, sm_str *text, size_t *room,
                      sm_str *line) {
  const char *end = memchr(text->p, '\n', text->len);
  size_t n = end != NULL ? (size_t)(end - text->p) + 1 : text->len;
  size_t all = r->line.len + n;
  if (all > *room)
    return SM_ELIMIT;
  if (end == NULL)
    return keep_part(r, text, n);
  *room -= all;
  if (r->line.len > 0) {
    int status = keep_part(r, text, n);
    if (status != SM_OK)
      return status;
    *line = sm_buf_str(&r->line);
    r->line.len = 0; /* the bytes stay until more are put there */
  } else {
    *line = (sm_str){text->p, n};
    text->p += n;
    text->len -= n;
  }
  line->len--;
  if (line->len > 0 && line->p[line->len - 1] == '\r')
    line->len--;
  return 1;
}

/* }} */

/* {{ The head */

/* What came first cannot be the beginning of an answer: known at once, not when
** a line has ended. */
static int is_foreign (const sm_http_reader *r, sm_str text) {
  sm_str start = SM_LIT("HTTP/");
  size_t have = r->line.len < start.len ? r->line.len : start.len;
  size_t n = start.len - have < text.len ? start.len - have : text.len;
  return memcmp(text.p, start.p + have, n) != 0;
}

/* "HTTP/1.1 200 OK"; the words behind the status do not matter. */
static int read_status (sm_http_reader *r, sm_str line) {
  int i, status = 0;
  if (line.len < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 ||
      !sm_isdigit(line.p[7]) || line.p[8] != ' ' ||
      (line.len > 12 && line.p[12] != ' '))
    return invalid(r, "the answer is not HTTP");
  for (i = 9; i < 12; i++) {
    if (!sm_isdigit(line.p[i]))
      return invalid(r, "the answer is not HTTP");
    status = status * 10 + (line.p[i] - '0');
  }
  if (status < 100)
    return invalid(r, "the answer has no status");
  if (status == 101)
    return invalid(r, "the answer changes the protocol");
  r->status = status;
  r->minor = line.p[7] - '0';
  r->lines = r->folds = 0;
  sm_buf_reset(&r->text);
  sm_buf_reset(&r->spans);
  r->state = SM_HTTP_FIELDS;
  return SM_OK;
}

static int put_text (sm_http_reader *r, sm_str s, size_t *at) {
  *at = r->text.len;
  sm_buf_puts(&r->text, s);
  return r->text.err;
}

static int add_field (sm_http_reader *r, sm_str name, sm_str value) {
  sm_http_span span;
  span.name_len = name.len;
  span.value_len = value.len;
  if (put_text(r, name, &span.name) != SM_OK ||
      put_text(r, value, &span.value) != SM_OK)
    return r->text.err;
  sm_buf_put(&r->spans, &span, sizeof span);
  r->folds = 1;
  return r->spans.err;
}

static sm_http_span *last_span (const sm_http_reader *r) {
  return (sm_http_span *)(void *)(r->spans.p + r->spans.len) - 1;
}

/* A line that begins with a blank goes on with the value of the last one. */
static int add_folded (sm_http_reader *r, sm_str line) {
  if (!r->folds)
    return SM_OK; /* with a line that was left out */
  line = trim(line);
  sm_buf_putc(&r->text, ' ');
  sm_buf_puts(&r->text, line);
  if (r->text.err == SM_OK)
    last_span(r)->value_len += 1 + line.len;
  return r->text.err;
}

/* A header line or a trailer. A line without a colon is left out. */
static int read_field (sm_http_reader *r, sm_str line) {
  const char *colon;
  if (++r->lines > SM_HTTP_MAX_LINES)
    return SM_ELIMIT;
  if (memchr(line.p, '\0', line.len) != NULL ||
      memchr(line.p, '\r', line.len) != NULL)
    return invalid(r, "a header of the answer holds a NUL or a CR");
  if (is_blank(line.p[0]) && r->lines == 1)
    return invalid(r, "a folded header has none above it");
  if (r->state == SM_HTTP_TRAILERS)
    return SM_OK;
  if (is_blank(line.p[0]))
    return add_folded(r, line);
  colon = memchr(line.p, ':', line.len);
  r->folds = 0;
  if (colon == NULL || colon == line.p)
    return SM_OK;
  return add_field(
      r, (sm_str){line.p, (size_t)(colon - line.p)},
      trim((sm_str){colon + 1, (size_t)(line.p + line.len - colon) - 1}));
}

/* }} */

/* {{ How the body is delimited: RFC 9112, section 6.3 */

int64_t sm_http_length (sm_str s) {
  int64_t n = 0;
  size_t i;
  for (i = 0; i < s.len && i < 15 && sm_isdigit(s.p[i]); i++)
    n = n * 10 + (s.p[i] - '0');
  return s.len > 0 && i == s.len ? n : -1;
}

/* The same number several times over is one. */
static int read_length (sm_http_reader *r, sm_str value) {
  while (value.len > 0) {
    const char *comma = memchr(value.p, ',', value.len);
    size_t n = comma != NULL ? (size_t)(comma - value.p) : value.len;
    int64_t length = sm_http_length(trim((sm_str){value.p, n}));
    if (length < 0 || (r->length >= 0 && r->length != length))
      break;
    r->length = length;
    value.p += n;
    value.len -= n;
    if (comma == NULL)
      return SM_OK;
    value.p++;
    value.len--;
  }
  return invalid(r, "the Content-Length of the answer is no number");
}

/* What the few headers that concern us say. */
typedef struct framing {
  int chunked, close, keep_alive;
} framing;

static int read_coding (sm_http_reader *r, framing *f, sm_str value) {
  if (f->chunked || !sm_str_ieq(value, SM_LIT("chunked")))
    return invalid(r, "the answer has an unknown transfer coding");
  f->chunked = 1;
  return SM_OK;
}

static int read_framing (sm_http_reader *r, framing *f, sm_str name,
                         sm_str value) {
  if (is_blank(name.p[name.len - 1]))
    f->close = 1; /* some read "Name :" as Name */
  switch (name.len) {
  case 10:
    if (sm_str_ieq(name, SM_LIT("connection"))) {
      f->close |= sm_http_lists(value, SM_LIT("close"));
      f->keep_alive |= sm_http_lists(value, SM_LIT("keep-alive"));
    }
    return SM_OK;
  case 14:
    return sm_str_ieq(name, SM_LIT("content-length")) ? read_length(r, value)
                                                      : SM_OK;
  case 17:
    return sm_str_ieq(name, SM_LIT("transfer-encoding"))
               ? read_coding(r, f, value)
               : SM_OK;
  default:
    return SM_OK;
  }
}

/* Whether others might see the end of the answer elsewhere: a length beside
** chunks, chunks in HTTP/1.0, a body where none may be. Then nothing may follow
** on its connection. */
static int is_doubtful (const sm_http_reader *r, const framing *f) {
  if (f->chunked)
    return r->length >= 0 || r->minor == 0 || r->status == 204;
  return r->length > 0 && r->status == 204 && !r->bodiless;
}

static void await_body (sm_http_reader *r, const framing *f) {
  r->keep = !f->close && (r->minor > 0 || f->keep_alive) && !is_doubtful(r, f);
  if (r->bodiless || r->status == 204 || r->status == 304) {
    r->length = 0;
    r->state = SM_HTTP_DONE;
  } else if (f->chunked) {
    r->length = -1;
    r->state = SM_HTTP_SIZE;
  } else if (r->length >= 0) {
    r->left = (uint64_t)r->length;
    r->state = r->left > 0 ? SM_HTTP_BODY : SM_HTTP_DONE;
  } else {
    r->keep = 0;
    r->state = SM_HTTP_TO_END;
  }
}

/* The empty line behind a head. */
static int end_head (sm_http_reader *r) {
  const sm_http_span *spans;
  const char *text;
  framing f = {0, 0, 0};
  size_t i, n = sm_http_reader_fields(r, &spans, &text);
  if (r->status < 200) {
    r->interim++;
    r->state = SM_HTTP_STATUS;
    return SM_OK;
  }
  for (i = 0; i < n; i++) {
    int status =
        read_framing(r, &f, (sm_str){text + spans[i].name, spans[i].name_len},
                     (sm_str){text + spans[i].value, spans[i].value_len});
    if (status != SM_OK)
      return status;
  }
  await_body(r, &f);
  return SM_OK;
}

/* }} */

/* {{ Chunks */

static int read_size (sm_http_reader *r, sm_str line) {
  uint64_t size = 0;
  size_t i = 0;
  for (; i < line.len && i < 13 && sm_hexval(line.p[i]) >= 0; i++)
    size = size * 16 + (uint64_t)sm_hexval(line.p[i]);
  line.p += i;
  line.len -= i;
  line = trim(line);
  if (i == 0 || (line.len > 0 && line.p[0] != ';'))
    return invalid(r, "chunked-encoding: a chunk has no size");
  r->left = size;
  r->state = size > 0 ? SM_HTTP_CHUNK : SM_HTTP_TRAILERS;
  r->lines = 0;
  r->room = r->limit; /* for trailers */
  return SM_OK;
}

/* A line of the chunked coding. */
static int read_chunk_line (sm_http_reader *r, sm_str *text) {
  int size = r->state == SM_HTTP_SIZE;
  size_t room = size ? MAX_CHUNK_LINE : 2;
  sm_str line;
  int status = next_line(r, text, &room, &line);
  if (status == SM_ELIMIT)
    return invalid(r, size ? "chunked-encoding: a line is too long"
                           : "chunked-encoding: a chunk is longer than its "
                             "size");
  if (status <= 0)
    return status;
  if (size)
    return read_size(r, line);
  if (line.len > 0)
    return invalid(r, "chunked-encoding: a chunk is longer than its size");
  r->state = SM_HTTP_SIZE;
  return SM_OK;
}

/* }} */

/* {{ Feeding */

/* A line of a head, or a trailer. */
static int read_head_line (sm_http_reader *r, sm_str *text) {
  sm_str line;
  int status;
  if (r->state == SM_HTTP_STATUS && is_foreign(r, *text))
    return invalid(r, "the answer is not HTTP");
  r->begun = 1;
  status = next_line(r, text, &r->room, &line);
  if (status <= 0)
    return status;
  if (r->state == SM_HTTP_STATUS)
    return read_status(r, line);
  if (line.len > 0)
    return read_field(r, line);
  if (r->state == SM_HTTP_FIELDS)
    return end_head(r);
  r->state = SM_HTTP_DONE;
  return SM_OK;
}

static void read_body (sm_http_reader *r, sm_str *text, sm_str *piece) {
  size_t n = text->len;
  if (r->state != SM_HTTP_TO_END && n > r->left)
    n = (size_t)r->left;
  *piece = (sm_str){text->p, n};
  text->p += n;
  text->len -= n;
  if (r->state == SM_HTTP_TO_END)
    return;
  r->left -= n;
  if (r->left == 0)
    r->state = r->state == SM_HTTP_BODY ? SM_HTTP_DONE : SM_HTTP_CHUNK_END;
}

static int is_in_head (const sm_http_reader *r) {
  return r->state == SM_HTTP_STATUS || r->state == SM_HTTP_FIELDS;
}

int sm_http_reader_feed (sm_http_reader *r, sm_str *text, sm_str *piece) {
  int in_head = is_in_head(r), status = SM_OK;
  *piece = (sm_str){NULL, 0};
  while (status == SM_OK && text->len > 0 && piece->len == 0 &&
         is_in_head(r) == in_head) {
    switch (r->state) {
    case SM_HTTP_STATUS:
    case SM_HTTP_FIELDS:
    case SM_HTTP_TRAILERS:
      status = read_head_line(r, text);
      break;
    case SM_HTTP_SIZE:
    case SM_HTTP_CHUNK_END:
      status = read_chunk_line(r, text);
      break;
    case SM_HTTP_DONE:
      return SM_OK;
    default:
      read_body(r, text, piece);
    }
  }
  return status;
}

int sm_http_reader_end (sm_http_reader *r) {
  if (r->state == SM_HTTP_TO_END)
    r->state = SM_HTTP_DONE;
  return r->state == SM_HTTP_DONE;
}

/* }} */
