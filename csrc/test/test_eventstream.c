#include "test.h"

#include "sm_eventstream.h"
#include "sm_number.h"

static sm_es_header header_of (const char *name, unsigned type, int64_t i,
                               sm_str s) {
  return (sm_es_header){test_str(name), type, i, s};
}

#define UUID SM_LIT("0123456789abcdef")

/* One frame with headers of all types. */
static void put_all (sm_buf *out, sm_str payload) {
  sm_es_header h[10];
  size_t bad;
  h[0] = header_of("t", SM_ES_TRUE, 1, SM_LIT(""));
  h[1] = header_of("f", SM_ES_FALSE, 0, SM_LIT(""));
  h[2] = header_of("byte", SM_ES_BYTE, -128, SM_LIT(""));
  h[3] = header_of("short", SM_ES_SHORT, -2, SM_LIT(""));
  h[4] = header_of("int", SM_ES_INTEGER, 2147483647, SM_LIT(""));
  h[5] = header_of("long", SM_ES_LONG, INT64_MIN, SM_LIT(""));
  h[6] = header_of("bytes", SM_ES_BYTES, 0, (sm_str){"\0\xFF", 2});
  h[7] = header_of("str", SM_ES_STRING, 0, SM_LIT("h\xC3\xA9"));
  h[8] = header_of("time", SM_ES_TIMESTAMP, 1768480496123, SM_LIT(""));
  h[9] = header_of("uuid", SM_ES_UUID, 0, UUID);
  CHECK(sm_es_put(out, h, 10, payload, &bad) == SM_OK);
}

/* {{ What was read, as text */

static void show (sm_buf *out, const sm_es_message *m) {
  sm_str rest = m->headers;
  sm_es_header h;
  while (sm_es_header_next(&rest, &h) == 1) {
    sm_buf_puts(out, h.name);
    sm_buf_putc(out, '=');
    if (h.s.p != NULL)
      sm_buf_puts(out, h.s);
    else
      sm_put_i64(out, h.i);
    sm_buf_putc(out, ' ');
  }
  sm_buf_putc(out, '[');
  sm_buf_puts(out, m->payload);
  sm_buf_putc(out, ']');
}

/* Reads a stream that comes in pieces of which the first ends at `cut` and the
** others are `step` long. Every piece ends where no page is. */
static int read_cut (sm_eventstream *es, sm_str text, size_t cut, size_t step,
                     sm_buf *out) {
  int got = 0;
  sm_es_message m;
  while (text.len > 0 && got >= 0) {
    size_t n = cut < text.len ? cut : text.len;
    test_edge edge = test_edge_make(n);
    sm_str in = test_edge_copy(&edge, (sm_str){text.p, n});
    while ((got = sm_es_next(es, &in, &m)) == 1)
      show(out, &m);
    CHECK(got < 0 || in.len == 0);
    text = (sm_str){text.p + n, text.len - n};
    cut = step;
    test_edge_free(&edge);
  }
  return got < 0 ? got : sm_es_end(es);
}

/* Reads it with the limit of a small frame. */
static int read_text (sm_str text, size_t cut, size_t step, sm_buf *out,
                      sm_eventstream *es) {
  int err;
  sm_es_init(es, 4096, sm_libc_alloc, NULL);
  err = read_cut(es, text, cut, step, out);
  CHECK(sm_es_end(es) == err);
  sm_es_free(es);
  return err;
}

/* }} */

#define ALL_SHOWN                                                              \
  "t=1 f=0 byte=-128 short=-2 int=2147483647 long=-9223372036854775808 "       \
  "bytes=\0\xFF str=h\xC3\xA9 time=1768480496123 uuid=0123456789abcdef "

static sm_buf new_buf (void) {
  sm_buf b;
  sm_buf_init(&b, 1 << 20, sm_libc_alloc, NULL);
  return b;
}

static void checksums (void) {
  size_t i;
  char text[40];
  test_name("checksums");
  CHECK(sm_crc32(0, "", 0) == 0);
  CHECK(sm_crc32(0, "123456789", 9) == 0xCBF43926);
  for (i = 0; i < sizeof text; i++)
    text[i] = (char)(i * 37);
  for (i = 0; i <= sizeof text; i++)
    CHECK(sm_crc32(sm_crc32(0, text, i), text + i, sizeof text - i) ==
          sm_crc32(0, text, sizeof text));
}

static void every_cut (void) {
  static const char want[] = ALL_SHOWN "[payload][]" ALL_SHOWN "[x]";
  sm_buf stream = new_buf(), out = new_buf();
  sm_eventstream es;
  size_t cut, step;
  test_name("every cut");
  put_all(&stream, SM_LIT("payload"));
  CHECK(sm_es_put(&stream, NULL, 0, SM_LIT(""), NULL) == SM_OK);
  put_all(&stream, SM_LIT("x"));
  for (cut = 1; cut <= stream.len; cut++) {
    for (step = 1; step <= stream.len; step += step < 20 ? 1 : 50) {
      sm_buf_reset(&out);
      CHECK(read_text(sm_buf_str(&stream), cut, step, &out, &es) == SM_OK);
      CHECK(out.len == sizeof want - 1 && memcmp(out.p, want, out.len) == 0);
    }
  }
  sm_buf_free(&stream);
  sm_buf_free(&out);
}

/* A stream that ends inside of a frame is an error; at its begin it is not. */
static void truncation (void) {
  sm_buf stream = new_buf(), out = new_buf();
  sm_eventstream es;
  size_t n;
  test_name("truncation");
  put_all(&stream, SM_LIT("payload"));
  for (n = 0; n < stream.len; n++) {
    int err = read_text((sm_str){stream.p, n}, 7, 5, &out, &es);
    CHECK(err == (n == 0 ? SM_OK : SM_ESYNTAX));
    CHECK(n == 0 || (es.at == n && es.what != NULL));
    CHECK(out.len == 0);
  }
  sm_buf_free(&stream);
  sm_buf_free(&out);
}

/* A wrong byte anywhere is seen, in whole frames and in pieces. */
static void corruption (void) {
  sm_buf stream = new_buf(), out = new_buf();
  sm_eventstream es;
  size_t n;
  test_name("corruption");
  put_all(&stream, SM_LIT("payload"));
  for (n = 0; n < stream.len; n++) {
    stream.p[n] ^= 0x10;
    CHECK(read_text(sm_buf_str(&stream), stream.len, 1, &out, &es) ==
          SM_ESYNTAX);
    CHECK(es.at == (n < 12 ? 8 : stream.len - 4));
    CHECK(read_text(sm_buf_str(&stream), 1, 1, &out, &es) == SM_ESYNTAX);
    CHECK(es.at == (n < 12 ? 8 : stream.len - 4));
    CHECK(out.len == 0);
    stream.p[n] ^= 0x10;
  }
  sm_buf_free(&stream);
  sm_buf_free(&out);
}

static void put_u32 (char *p, uint32_t v) {
  int i;
  for (i = 0; i < 4; i++)
    p[i] = (char)(v >> (24 - 8 * i));
}

/* A frame of these headers and right checksums, whatever they hold. */
static void put_raw (sm_buf *out, sm_str headers, uint32_t total,
                     uint32_t length) {
  char p[12], tail[4];
  put_u32(p, total);
  put_u32(p + 4, length);
  put_u32(p + 8, sm_crc32(0, p, 8));
  sm_buf_reset(out);
  sm_buf_put(out, p, sizeof p);
  sm_buf_puts(out, headers);
  put_u32(tail, sm_crc32(0, out->p, out->len));
  sm_buf_put(out, tail, sizeof tail);
}

static void bad_headers (void) {
  static const struct {
    sm_str headers;
    int err;
    uint64_t at;
  } rows[] = {
      {{"\0\0", 2}, SM_ESYNTAX, 12},            /* an empty name */
      {{"\2a", 2}, SM_ESYNTAX, 12},             /* a name that is cut */
      {{"\1a", 2}, SM_ESYNTAX, 12},             /* no type */
      {{"\1a\12", 3}, SM_ESYNTAX, 12},          /* an unknown type */
      {{"\1a\4\0\0\0", 6}, SM_ESYNTAX, 12},     /* a cut number */
      {{"\1a\0\1b\7\0", 7}, SM_ESYNTAX, 15},    /* a cut length */
      {{"\1a\7\0\2x", 6}, SM_ESYNTAX, 12},      /* a cut string */
      {{"\1a\7\0\1\xFF", 6}, SM_EUTF8, 12},     /* not UTF-8 */
      {{"\1\xFF\0", 3}, SM_EUTF8, 12},          /* a name that is not */
      {{"\1a\0\1b\0\1a\1", 9}, SM_ESYNTAX, 18}, /* one twice */
      {{"\1a\11"
        "0123456789abcde",
        18},
       SM_ESYNTAX,
       12}, /* a cut UUID */
  };
  sm_buf stream = new_buf(), out = new_buf();
  sm_eventstream es;
  size_t i;
  test_name("bad headers");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint32_t n = (uint32_t)rows[i].headers.len;
    put_raw(&stream, rows[i].headers, n + 16, n);
    CHECK(read_text(sm_buf_str(&stream), 100, 1, &out, &es) == rows[i].err);
    CHECK(es.at == rows[i].at);
    CHECK(es.what != NULL);
  }
  sm_buf_free(&stream);
  sm_buf_free(&out);
}

static void limits (void) {
  sm_buf stream = new_buf(), out = new_buf();
  sm_eventstream es;
  int i;
  test_name("limits");
  put_raw(&stream, SM_LIT(""), 15, 0);
  CHECK(read_text(sm_buf_str(&stream), 100, 1, &out, &es) == SM_ESYNTAX);
  put_raw(&stream, SM_LIT(""), 16, 1);
  CHECK(read_text(sm_buf_str(&stream), 100, 1, &out, &es) == SM_ESYNTAX);
  CHECK(es.at == 4);
  put_raw(&stream, SM_LIT(""), 4097, 0);
  CHECK(read_text(sm_buf_str(&stream), 100, 1, &out, &es) == SM_ELIMIT);
  CHECK(read_text(sm_buf_str(&stream), 1, 1, &out, &es) == SM_ELIMIT);
  sm_es_init(&es, SM_ES_MAX_FRAME, sm_libc_alloc, NULL);
  put_raw(&stream, SM_LIT(""), (256 << 10), (128 << 10) + 1);
  CHECK(read_cut(&es, sm_buf_str(&stream), 100, 1, &out) == SM_ELIMIT);
  sm_es_free(&es);
  sm_buf_reset(&stream);
  for (i = 0; i <= SM_ES_MAX_HEADERS; i++) {
    char name[4] = {2, (char)('A' + i / 26), (char)('a' + i % 26), 0};
    sm_buf_put(&out, name, 4);
  }
  put_raw(&stream, sm_buf_str(&out), (uint32_t)out.len + 16, (uint32_t)out.len);
  sm_buf_reset(&out);
  CHECK(read_text(sm_buf_str(&stream), 9999, 1, &out, &es) == SM_ELIMIT);
  CHECK(es.at == 12 + 4 * SM_ES_MAX_HEADERS);
  sm_buf_free(&stream);
  sm_buf_free(&out);
}

/* After a failure nothing is read any more; a whole frame before it is. */
static void sticky (void) {
  sm_buf stream = new_buf(), out = new_buf();
  sm_eventstream es;
  sm_es_message m;
  sm_str in;
  test_name("sticky");
  CHECK(sm_es_put(&stream, NULL, 0, SM_LIT("a"), NULL) == SM_OK);
  CHECK(sm_es_put(&stream, NULL, 0, SM_LIT("b"), NULL) == SM_OK);
  stream.p[17 + 12] = 'x';
  CHECK(read_text(sm_buf_str(&stream), 3, 2, &out, &es) == SM_ESYNTAX);
  CHECK_TEXT(sm_buf_str(&out), "[a]");
  CHECK(es.at == 17 + 13);
  in = (sm_str){stream.p, 17};
  CHECK(sm_es_next(&es, &in, &m) == SM_ESYNTAX);
  sm_buf_free(&stream);
  sm_buf_free(&out);
}

static void refused_headers (void) {
  static char large[32768];
  sm_es_header rows[8];
  sm_buf out = new_buf();
  size_t i, bad;
  test_name("refused headers");
  memset(large, 'x', sizeof large);
  rows[0] = header_of("", SM_ES_TRUE, 0, SM_LIT(""));
  rows[1] = header_of("a", 10, 0, SM_LIT(""));
  rows[2] = header_of("a", SM_ES_BYTE, 128, SM_LIT(""));
  rows[3] = header_of("a", SM_ES_SHORT, -32769, SM_LIT(""));
  rows[4] = header_of("a", SM_ES_INTEGER, 2147483648, SM_LIT(""));
  rows[5] = header_of("a", SM_ES_STRING, 0, SM_LIT("\xFF"));
  rows[6] = header_of("a", SM_ES_UUID, 0, SM_LIT("0123456789abcde"));
  rows[7] = header_of("a", SM_ES_BYTES, 0, (sm_str){large, sizeof large});
  for (i = 0; i < 8; i++) {
    sm_es_header two[2];
    two[0] = header_of("b", SM_ES_TRUE, 0, SM_LIT(""));
    two[1] = rows[i];
    CHECK(sm_es_put(&out, two, 2, SM_LIT(""), &bad) == SM_EARG);
    CHECK(bad == 1);
  }
  rows[0] = rows[1] = header_of("a", SM_ES_TRUE, 0, SM_LIT(""));
  CHECK(sm_es_put(&out, rows, 2, SM_LIT(""), &bad) == SM_EARG && bad == 1);
  CHECK(sm_es_put(&out, rows, SM_ES_MAX_HEADERS + 1, SM_LIT(""), NULL) ==
        SM_ELIMIT);
  CHECK(out.len == 0);
  sm_buf_free(&out);
}

static void find (void) {
  sm_buf stream = new_buf();
  sm_eventstream es;
  sm_es_message m;
  sm_es_header h;
  sm_str in;
  test_name("find");
  put_all(&stream, SM_LIT(""));
  in = sm_buf_str(&stream);
  sm_es_init(&es, 4096, sm_libc_alloc, NULL);
  CHECK(sm_es_next(&es, &in, &m) == 1);
  CHECK(sm_es_find(&m, SM_LIT("str"), &h) == 1);
  CHECK_TEXT(h.s, "h\xC3\xA9");
  CHECK(sm_es_find(&m, SM_LIT("st"), &h) == 0);
  CHECK(es.frame.cap == 0); /* it lay whole in what was handed in */
  sm_es_free(&es);
  sm_buf_free(&stream);
}

static int read_with (sm_alloc alloc, void *ud) {
  sm_buf stream, out = new_buf();
  sm_eventstream es;
  int err;
  sm_es_header h = header_of("a", SM_ES_TRUE, 1, SM_LIT(""));
  sm_buf_init(&stream, 1000, alloc, ud);
  sm_es_init(&es, 1000, alloc, ud);
  err = sm_es_put(&stream, &h, 1, SM_LIT("some payload, some payload"), NULL);
  if (err == SM_OK)
    err = read_cut(&es, sm_buf_str(&stream), 3, 4, &out);
  sm_es_free(&es);
  sm_buf_free(&stream);
  sm_buf_free(&out);
  return err;
}

int main (void) {
  checksums();
  every_cut();
  truncation();
  corruption();
  bad_headers();
  limits();
  sticky();
  refused_headers();
  find();
  test_name("allocation failures");
  test_allocations(read_with);
  return test_end();
}
