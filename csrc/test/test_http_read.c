/* Answers of every kind, whole and cut at every byte: what is read must be the
** same. */
#include "test.h"

#include "sm_http_read.h"

#define LIMIT 400

/* What was read of an answer. */
typedef struct result {
  int status; /* of the reader */
  char body[4096];
  size_t len;
  size_t rest; /* bytes behind the end of the answer */
} result;

/* Feeds text until the answer has ended or failed. */
static void feed (sm_http_reader *r, sm_str text, result *out) {
  while (out->status == SM_OK && text.len > 0 && r->state != SM_HTTP_DONE) {
    sm_str piece;
    out->status = sm_http_reader_feed(r, &text, &piece);
    if (piece.len > 0)
      memcpy(out->body + out->len, piece.p, piece.len);
    out->len += piece.len;
  }
  out->rest += text.len;
}

/* Feeds text in two parts, each of which ends where no page is. */
static void feed_cut (sm_http_reader *r, sm_str text, size_t cut, int head,
                      result *out) {
  test_edge e = test_edge_make(text.len);
  sm_str first = {text.p, cut}, second = {text.p + cut, text.len - cut};
  memset(out, 0, sizeof *out);
  sm_http_reader_begin(r, head);
  feed(r, test_edge_copy(&e, first), out);
  feed(r, test_edge_copy(&e, second), out);
  test_edge_free(&e);
}

/* The fields as "name=value;". */
static sm_str fields (const sm_http_reader *r) {
  static char text[8192];
  const sm_http_span *spans;
  const char *p;
  size_t i, n = sm_http_reader_fields(r, &spans, &p);
  int len = 0;
  text[0] = '\0';
  for (i = 0; i < n; i++)
    len +=
        sprintf(text + len, "%.*s=%.*s;", (int)spans[i].name_len,
                p + spans[i].name, (int)spans[i].value_len, p + spans[i].value);
  return (sm_str){text, (size_t)len};
}

typedef struct row {
  const char *text;
  int head; /* the request was HEAD */
  int code;
  const char *fields;
  const char *body;
  int keep;
  size_t rest;
} row;

#define OK "HTTP/1.1 200 OK\r\n"

static const row good[] = {
    {OK "Content-Length: 2\r\n\r\nok", 0, 200, "Content-Length=2;", "ok", 1, 0},
    {OK "content-length:2\n\nokmore", 0, 200, "content-length=2;", "ok", 1, 4},
    {OK "Content-Length: 0\r\n\r\n", 0, 200, "Content-Length=0;", "", 1, 0},
    {OK "Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok", 0, 200,
     "Content-Length=2, 2;Content-Length=2;", "ok", 1, 0},
    {OK "Content-Length: 9\r\n\r\n", 1, 200, "Content-Length=9;", "", 1, 0},
    {"HTTP/1.1 204 None\r\n\r\nx", 0, 204, "", "", 1, 1},
    {"HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n", 0, 304, "Content-Length=5;",
     "", 1, 0},
    {"HTTP/1.1 299\r\nContent-Length: 1\r\n\r\n!", 0, 299, "Content-Length=1;",
     "!", 1, 0},
    {OK "Connection: Close\r\nContent-Length: 1\r\n\r\na", 0, 200,
     "Connection=Close;Content-Length=1;", "a", 0, 0},
    {OK "Connection: upgrade, close\r\nContent-Length: 1\r\n\r\na", 0, 200,
     "Connection=upgrade, close;Content-Length=1;", "a", 0, 0},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 0, 200,
     "Content-Length=1;", "a", 0, 0},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
     0, 200, "Connection=Keep-Alive;Content-Length=1;", "a", 1, 0},
    {OK "A: b\r\n  c \r\n\td\r\nE:\r\n F\r\nContent-Length: 1\r\n\r\na", 0, 200,
     "A=b c d;E= F;Content-Length=1;", "a", 1, 0},
    {OK "no colon\r\n folded\r\n: empty\r\nContent-Length: 1\r\n\r\na", 0, 200,
     "Content-Length=1;", "a", 1, 0},
    {OK "A: b\r\nno colon\r\n folded\r\nContent-Length: 1\r\n\r\na", 0, 200,
     "A=b;Content-Length=1;", "a", 1, 0},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 1\r\n"
     "\r\na",
     0, 200, "Connection=keep-alive, close;Content-Length=1;", "a", 0, 0},
    {OK "Content-Length : 9\r\nContent-Length: 1\r\n\r\na", 0, 200,
     "Content-Length =9;Content-Length=1;", "a", 0, 0},
    {"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", 0, 204,
     "Content-Length=5;", "", 0, 0},
    {"HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n", 0, 204,
     "Content-Length=0;", "", 1, 0},
    {"HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 204,
     "Transfer-Encoding=chunked;", "", 0, 0},
    {"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", 1, 204,
     "Content-Length=5;", "", 1, 0},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: "
     "chunked\r\n"
     "\r\n1\r\na\r\n0\r\n\r\n",
     0, 200, "Connection=keep-alive;Transfer-Encoding=chunked;", "a", 0, 0},
    {OK "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
        "0\r\nTrailer: t\r\n folded\r\n\r\n",
     0, 200, "Transfer-Encoding=Chunked;", "abc0123456789", 1, 0},
    {OK "Transfer-Encoding: chunked\r\n\r\n1 \t;q\n!\n00\n\nrest", 0, 200,
     "Transfer-Encoding=chunked;", "!", 1, 4},
    {OK "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
     200, "Content-Length=9;Transfer-Encoding=chunked;", "", 0, 0},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" OK
     "Content-Length: 1\r\n\r\na",
     0, 200, "Content-Length=1;", "a", 1, 0},
};

static void check_good (const row *w, sm_http_reader *r, const result *got) {
  CHECK(got->status == SM_OK && r->state == SM_HTTP_DONE);
  CHECK(r->status == w->code && r->keep == w->keep && r->begun);
  CHECK(got->rest == w->rest);
  CHECK_TEXT(fields(r), w->fields);
  CHECK_TEXT(((sm_str){got->body, got->len}), w->body);
  CHECK(sm_http_reader_end(r));
}

static void answers (void) {
  sm_http_reader r;
  result got;
  size_t i, cut;
  test_name("answers, cut anywhere");
  sm_http_reader_init(&r, LIMIT, sm_libc_alloc, NULL);
  for (i = 0; i < sizeof good / sizeof *good; i++) {
    sm_str text = test_str(good[i].text);
    for (cut = 0; cut <= text.len; cut++) {
      feed_cut(&r, text, cut, good[i].head, &got);
      check_good(&good[i], &r, &got);
    }
  }
  CHECK(r.interim == 2);
  sm_http_reader_free(&r);
}

static void unfinished (void) {
  sm_http_reader r;
  result got;
  size_t i, cut;
  test_name("answers that break off");
  sm_http_reader_init(&r, LIMIT, sm_libc_alloc, NULL);
  for (i = 0; i < sizeof good / sizeof *good; i++) {
    sm_str text = test_str(good[i].text);
    for (cut = 0; cut < text.len - good[i].rest; cut++) {
      feed_cut(&r, (sm_str){text.p, cut}, cut / 2, good[i].head, &got);
      CHECK(got.status == SM_OK && r.state != SM_HTTP_DONE);
      CHECK(!sm_http_reader_end(&r));
      CHECK(r.begun == (cut > 0));
    }
  }
  test_name("an answer that ends with its connection");
  feed_cut(&r, test_str(OK "\r\nab"), 20, 0, &got);
  CHECK(r.state == SM_HTTP_TO_END && r.length == -1 && !r.keep);
  CHECK_TEXT(((sm_str){got.body, got.len}), "ab");
  CHECK(sm_http_reader_end(&r) && r.state == SM_HTTP_DONE);
  sm_http_reader_free(&r);
}

static void wrong (void) {
  static const struct {
    const char *text, *problem;
    int begun;
  } rows[] = {
      {"SSH-2.0", "the answer is not HTTP", 0},
      {"\r\n" OK, "the answer is not HTTP", 0},
      {"HTTP/2 200\r\n", "the answer is not HTTP", 1},
      {"HTTP/1.1 20\r\n\r\n", "the answer is not HTTP", 1},
      {"HTTP/1.1 2000\r\n\r\n", "the answer is not HTTP", 1},
      {"HTTP/1.1  200\r\n\r\n", "the answer is not HTTP", 1},
      {"HTTP/1.x 200\r\n\r\n", "the answer is not HTTP", 1},
      {"HTTP/1.1 099 X\r\n\r\n", "the answer has no status", 1},
      {"HTTP/1.1 101 X\r\n\r\n", "the answer changes the protocol", 1},
      {OK " folded\r\n\r\n", "a folded header has none above it", 1},
      {OK "A: b\rc\r\n\r\n", "a header of the answer holds a NUL or a CR", 1},
      {OK "Content-Length: -1\r\n\r\n",
       "the Content-Length of the answer is no number", 1},
      {OK "Content-Length: 1, 2\r\n\r\n",
       "the Content-Length of the answer is no number", 1},
      {OK "Content-Length: 1\r\nContent-length: 2\r\n\r\n",
       "the Content-Length of the answer is no number", 1},
      {OK "Content-Length: 1,\r\n\r\n",
       "the Content-Length of the answer is no number", 1},
      {OK "Content-Length:\r\n\r\n",
       "the Content-Length of the answer is no number", 1},
      {OK "Content-Length: 1234567890123456\r\n\r\n",
       "the Content-Length of the answer is no number", 1},
      {OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
       "the answer has an unknown transfer coding", 1},
      {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       "the answer has an unknown transfer coding", 1},
      {OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       "chunked-encoding: a chunk has no size", 1},
      {OK "Transfer-Encoding: chunked\r\n\r\n\r\n",
       "chunked-encoding: a chunk has no size", 1},
      {OK "Transfer-Encoding: chunked\r\n\r\n1 2\r\n",
       "chunked-encoding: a chunk has no size", 1},
      {OK "Transfer-Encoding: chunked\r\n\r\n12345678901234\r\n",
       "chunked-encoding: a chunk has no size", 1},
      {OK "Transfer-Encoding: chunked\r\n\r\n0\r\n folded\r\n\r\n",
       "a folded header has none above it", 1},
      {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
       "chunked-encoding: a chunk is longer than its size", 1},
      {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nabcdefgh",
       "chunked-encoding: a chunk is longer than its size", 1},
  };
  sm_http_reader r;
  result got;
  size_t i, cut;
  test_name("what is no answer");
  sm_http_reader_init(&r, LIMIT, sm_libc_alloc, NULL);
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_str text = test_str(rows[i].text);
    for (cut = 0; cut <= text.len; cut++) {
      feed_cut(&r, text, cut, 0, &got);
      CHECK(got.status == SM_ESYNTAX);
      CHECK_TEXT(test_str(r.problem != NULL ? r.problem : ""), rows[i].problem);
      CHECK(r.begun == rows[i].begun || (cut > 0 && r.begun));
    }
  }
  feed_cut(&r, (sm_str){OK "A: \0\r\n\r\n", 24}, 3, 0, &got);
  CHECK(got.status == SM_ESYNTAX);
  sm_http_reader_free(&r);
}

/* Feeds `before`, then n times `text`, then `after`. */
static int repeated (sm_http_reader *r, const char *before, int n,
                     const char *text, const char *after) {
  result got;
  memset(&got, 0, sizeof got);
  sm_http_reader_begin(r, 0);
  feed(r, test_str(before), &got);
  while (n-- > 0)
    feed(r, test_str(text), &got);
  feed(r, test_str(after), &got);
  return got.status;
}

static void limits (void) {
  static const char chunked[] = OK "Transfer-Encoding: chunked\r\n\r\n";
  sm_http_reader r;
  test_name("limits");
  sm_http_reader_init(&r, LIMIT, sm_libc_alloc, NULL);
  /* 17 bytes of status line and 2 of the end */
  CHECK(repeated(&r, OK, (LIMIT - 19) / 3 - 2, "A:\n", "B:bb\r\n\r\n") ==
        SM_OK);
  CHECK(r.state == SM_HTTP_TO_END);
  CHECK(repeated(&r, OK, (LIMIT - 19) / 3, "A:\n", "B:b\r\n\r\n") == SM_ELIMIT);
  CHECK(repeated(&r, OK "A: ", LIMIT, "x", "") == SM_ELIMIT);
  CHECK(repeated(&r, "HTTP/1.1 200 ", LIMIT, "x", "") == SM_ELIMIT);
  CHECK(repeated(&r, "", LIMIT / 20, "HTTP/1.1 100 X\r\n\r\n", "") == SM_OK);
  CHECK(repeated(&r, "", LIMIT / 10, "HTTP/1.1 100 X\r\n\r\n", "") ==
        SM_ELIMIT);
  CHECK(repeated(&r, chunked, 1, "0\r\n", "A: b\r\n\r\n") == SM_OK);
  CHECK(r.state == SM_HTTP_DONE);
  CHECK(repeated(&r, chunked, 1, "0\r\nA: ", "") == SM_OK);
  CHECK(repeated(&r, chunked, LIMIT, "0\r\nA: ", "") == SM_ELIMIT);
  /* trailers have a limit of their own, in bytes and lines */
  CHECK(repeated(&r, OK, (LIMIT - 60) / 3, "A:\n",
                 "Transfer-Encoding: chunked\r\n\r\n0\r\n"
                 "A: 0123456789012345678901234567890123456789\r\n"
                 "B: 0123456789012345678901234567890123456789\r\n\r\n") ==
        SM_OK);
  CHECK(r.state == SM_HTTP_DONE);
  CHECK(repeated(&r, chunked, 4096, "0", "") == SM_OK);
  CHECK(repeated(&r, chunked, 4097, "0", "") == SM_ESYNTAX);
  sm_http_reader_free(&r);
  sm_http_reader_init(&r, SIZE_MAX, sm_libc_alloc, NULL);
  CHECK(repeated(&r, OK, SM_HTTP_MAX_LINES, "A: b\r\n", "\r\n") == SM_OK);
  CHECK(repeated(&r, OK, SM_HTTP_MAX_LINES + 1, "A: b\r\n", "") == SM_ELIMIT);
  CHECK(r.lines > SM_HTTP_MAX_LINES);
  CHECK(repeated(&r, "HTTP/1.1 103 Early\r\n", SM_HTTP_MAX_LINES, "A: b\r\n",
                 "\r\n" OK "A: b\r\nContent-Length: 0\r\n\r\n") == SM_OK);
  CHECK(r.state == SM_HTTP_DONE);
  CHECK(repeated(&r, OK, SM_HTTP_MAX_LINES - 1, "A: b\r\n",
                 "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n") ==
        SM_OK);
  CHECK(r.state == SM_HTTP_DONE);
  sm_http_reader_free(&r);
}

static int read_once (sm_alloc alloc, void *ud) {
  sm_http_reader r;
  int status;
  sm_http_reader_init(&r, SIZE_MAX, alloc, ud);
  status = repeated(&r, "HTTP/1.1 1", 1, "00\r\n\r\nHTTP/1.1 200 O",
                    "K\r\nA: b\r\n c\r\nLong: ");
  if (status == SM_OK)
    status = repeated(&r, OK, 200, "A-longer-name: and a value\r\n", "\r\n");
  sm_http_reader_free(&r);
  return status;
}

static void lists (void) {
  static const char *const yes[] = {
      "close",   "Close", "a,close", "close ,b", " keep-alive ,\tCLOSE ",
      ",,close,"};
  static const char *const no[] = {
      "", ",", "closed", "clos", "disclose", "close keep-alive", "a;close"};
  size_t i;
  test_name("lists of words");
  for (i = 0; i < sizeof yes / sizeof *yes; i++)
    CHECK(sm_http_lists(test_str(yes[i]), SM_LIT("close")));
  for (i = 0; i < sizeof no / sizeof *no; i++)
    CHECK(!sm_http_lists(test_str(no[i]), SM_LIT("close")));
}

int main (void) {
  lists();
  answers();
  unfinished();
  wrong();
  limits();
  test_name("refused allocations");
  test_allocations(read_once);
  return test_end();
}
