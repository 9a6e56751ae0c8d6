/* The input is lines: method, path, query, then headers `name:value` up to an
** empty line, then the body. What was signed, in either form, verifies: the
** signature that the service makes of the signed request is the same. */
#include "fuzz.h"
#include "sm_sigv4.h"
#include "sm_text.h"

#define MAX_HEADERS 16

typedef struct input {
  sm_sigv4_header headers[MAX_HEADERS + 2];
  sm_sigv4_request r;
} input;

/* The next line, without its end. */
static sm_str line (sm_str *rest) {
  const char *end = rest->len == 0 ? NULL : memchr(rest->p, '\n', rest->len);
  sm_str s = *rest;
  if (end != NULL)
    s.len = (size_t)(end - rest->p);
  rest->p += s.len + (end != NULL);
  rest->len -= s.len + (end != NULL);
  return s;
}

static void read_input (input *in, sm_str text) {
  memset(in, 0, sizeof *in);
  in->r.method = line(&text);
  in->r.path = line(&text);
  in->r.query = line(&text);
  while (in->r.nheaders < MAX_HEADERS) {
    sm_str s = line(&text);
    sm_sigv4_header *h = &in->headers[in->r.nheaders];
    const char *colon = s.len == 0 ? NULL : memchr(s.p, ':', s.len);
    if (colon == NULL)
      break;
    h->name = (sm_str){s.p, (size_t)(colon - s.p)};
    h->value = (sm_str){colon + 1, s.len - h->name.len - 1};
    in->r.nheaders++;
  }
  in->r.headers = in->headers;
  in->r.host = SM_LIT("example.com");
  in->r.body = text;
  in->r.epoch = 1440938160;
  in->r.expires = -1;
}

/* Takes "a;b" apart. */
static size_t split (sm_str list, sm_str *names) {
  size_t i, n = 0, from = 0;
  for (i = 0; i <= list.len; i++) {
    if (i < list.len && list.p[i] != ';')
      continue;
    FUZZ_CHECK(n < SM_SIGV4_MAX_HEADERS);
    names[n++] = (sm_str){list.p + from, i - from};
    from = i + 1;
  }
  return n;
}

/* A header that the client leaves out of what it signs, or replaces. */
static int is_date (sm_str name) {
  return sm_str_ieq(name, SM_LIT("x-amz-date")) ||
         sm_str_ieq(name, SM_LIT("x-amz-security-token"));
}

static void drop_dates (input *in) {
  size_t i, n = 0;
  for (i = 0; i < in->r.nheaders; i++) {
    if (!is_date(in->headers[i].name))
      in->headers[n++] = in->headers[i];
  }
  in->r.nheaders = n;
}

static void add (input *in, const char *name, sm_str value) {
  sm_sigv4_header *h = &in->headers[in->r.nheaders++];
  h->name = (sm_str){name, strlen(name)};
  h->value = value;
}

/* A name with a semicolon is signed as it is, but cannot be told from two. */
static int ambiguous (const input *in) {
  size_t i;
  for (i = 0; i < in->r.nheaders; i++) {
    sm_str name = in->headers[i].name;
    if (memchr(name.p, ';', name.len) != NULL)
      return 1;
  }
  return 0;
}

static void header_form (sm_sigv4 *s, input *in, sm_buf *b) {
  sm_str names[SM_SIGV4_MAX_HEADERS];
  char again[SM_SIGV4_HEX];
  int status = sm_sigv4_authorization(s, &in->r, b);
  FUZZ_CHECK(status == SM_OK || status == SM_EARG);
  if (status != SM_OK || ambiguous(in))
    return;
  drop_dates(in);
  add(in, "X-Amz-Date", SM_LIT("20150830T123600Z"));
  add(in, "X-AMZ-Security-token", SM_LIT("token"));
  in->r.nnames =
      split((sm_str){s->canonical.p + s->signed_at, s->signed_len}, names);
  in->r.names = names;
  { /* the names are borrowed from scratch memory that the next call uses */
    char *text = fuzz_copy((const uint8_t *)s->canonical.p, s->canonical.len);
    size_t i;
    for (i = 0; i < in->r.nnames; i++)
      names[i].p = text + (names[i].p - s->canonical.p);
    FUZZ_CHECK(sm_sigv4_sign(s, &in->r, again) == SM_OK);
    free(text);
  }
  FUZZ_CHECK(memcmp(b->p + b->len - sizeof again, again, sizeof again) == 0);
}

static void query_form (sm_sigv4 *s, input *in, sm_buf *b) {
  sm_str names[SM_SIGV4_MAX_HEADERS];
  char again[SM_SIGV4_HEX], *text;
  size_t i;
  int status;
  in->r.expires = 60;
  status = sm_sigv4_query(s, &in->r, b);
  FUZZ_CHECK(status == SM_OK || status == SM_EARG);
  if (status != SM_OK || ambiguous(in))
    return;
  text = fuzz_copy((const uint8_t *)s->canonical.p, s->canonical.len);
  in->r.nnames = split((sm_str){text + s->signed_at, s->signed_len}, names);
  in->r.names = names;
  in->r.expires = 0;
  in->r.query = sm_buf_str(b);
  FUZZ_CHECK(sm_sigv4_sign(s, &in->r, again) == SM_OK);
  FUZZ_CHECK(memcmp(b->p + b->len - sizeof again, again, sizeof again) == 0);
  for (i = 0; i < b->len; i++)
    FUZZ_CHECK(b->p[i] != '\n');
  free(text);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const sm_sigv4_config config = {{"AKIDEXAMPLE", 11}, {"secret", 6},
                                         {"token", 5},        {"us-east-1", 9},
                                         {"service", 7},      0};
  char *copy = fuzz_copy(data, size);
  sm_sigv4 s;
  sm_buf b;
  input in;
  sm_sigv4_init(&s, sm_libc_alloc, NULL);
  sm_buf_init(&b, SIZE_MAX, sm_libc_alloc, NULL);
  FUZZ_CHECK(sm_sigv4_open(&s, &config) == SM_OK);
  read_input(&in, (sm_str){copy, size});
  header_form(&s, &in, &b);
  sm_buf_reset(&b);
  read_input(&in, (sm_str){copy, size});
  query_form(&s, &in, &b);
  sm_buf_free(&b);
  sm_sigv4_close(&s);
  free(copy);
  return 0;
}
