/*
** Stage 1 of Signature Version 4: the canonical request.
*/
#include <string.h>

#include "sm_sigv4_stages.h"
#include "sm_text.h"
#include "sm_uri.h"

#define EMPTY_HASH                                                             \
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* One header line that counts. */
typedef struct entry {
  uint64_t prefix; /* the name's first eight bytes, so that < is the order */
  sm_str name;     /* in lower case */
  sm_str value;
} entry;

typedef struct entries {
  entry list[SM_SIGV4_MAX_HEADERS];
  size_t n;
} entries;

/* {{ Bytes */

/* Eight bytes, of which the high bits tell which are below `c` (at most 128);
** only whether it is zero can be relied on. */
static inline uint64_t below (uint64_t x, unsigned c) {
  return (x - SM_BYTES(c)) & ~x & SM_BYTES(0x80);
}

/* Whether any byte is a blank or a control character below it. */
static int has_blank (sm_str s) {
  size_t i;
  uint64_t found = 0;
  for (i = 0; i + 8 <= s.len; i += 8)
    found |= below(sm_load64(s.p + i), '!');
  for (; i < s.len; i++)
    found |= (unsigned char)s.p[i] < '!';
  return found != 0;
}

static inline uint64_t lower8 (uint64_t x) {
  uint64_t low = x & SM_BYTES(0x7F);
  uint64_t after_z = low + SM_BYTES(0x7F - 'Z');
  uint64_t from_a = low + SM_BYTES(0x80 - 'A');
  return x | ((from_a ^ after_z) & ~x & SM_BYTES(0x80)) >> 2;
}

static void copy_lower (char *out, sm_str s) {
  size_t i;
  for (i = 0; i + 8 <= s.len; i += 8) {
    uint64_t x = lower8(sm_load64(s.p + i));
    memcpy(out + i, &x, sizeof x);
  }
  for (; i < s.len; i++)
    out[i] = sm_lower(s.p[i]);
}

/* The value of a header as it is signed: no blanks at its ends, one wherever
** there is more than one. */
static void put_value (sm_buf *b, sm_str s) {
  const size_t begin = b->len;
  size_t i = 0, from;
  if (!has_blank(s)) {
    sm_buf_puts(b, s);
    return;
  }
  while (b->err == SM_OK) {
    while (i < s.len && (unsigned char)s.p[i] <= ' ')
      i++;
    from = i;
    while (i < s.len && (unsigned char)s.p[i] > ' ')
      i++;
    if (i == from)
      break;
    if (b->len > begin)
      sm_buf_putc(b, ' ');
    sm_buf_put(b, s.p + from, i - from);
  }
}

/* }} */

/* {{ Which headers count */

static int begins_with (sm_str s, sm_str prefix) {
  return s.len >= prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

static int is_one_of (sm_str name, const sm_str *list, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (sm_str_eq(name, list[i]))
      return 1;
  }
  return 0;
}

/* Whether a header (name in lower case) stays unsigned, or is one that signing
** sets anew. */
static int ignored (const sm_sigv4 *s, sm_str name, int in_query) {
  static const struct {
    const char *text;
    size_t len;
  } list[] = {
#define NAME(text) {text, sizeof text - 1}
      NAME("user-agent"),      NAME("authorization"),
      NAME("connection"),      NAME("expect"),
      NAME("keep-alive"),      NAME("te"),
      NAME("upgrade"),         NAME("transfer-encoding"),
      NAME("x-amzn-trace-id"), NAME("x-amz-date"),
      NAME("content-length"),  NAME("x-amz-security-token"),
#undef NAME
  };
  size_t i;
  for (i = 0; i < sizeof list / sizeof list[0]; i++) {
    if (name.len == list[i].len && memcmp(name.p, list[i].text, name.len) == 0)
      return name.len != 14 || !(s->flags & SM_SIGV4_SIGN_LENGTH);
  }
  if ((s->flags & SM_SIGV4_SIGN_BODY) && !in_query &&
      sm_str_eq(name, SM_LIT("x-amz-content-sha256")))
    return 1;
  return begins_with(name, SM_LIT("amz-sdk-")) ||
         begins_with(name, SM_LIT("proxy-")) ||
         begins_with(name, SM_LIT("sec-websocket-"));
}

/* }} */

/* {{ Sorted headers */

static uint64_t prefix_of (sm_str name) {
  uint64_t x = 0;
  size_t i;
  for (i = 0; i < 8; i++)
    x = x << 8 | (i < name.len ? (unsigned char)name.p[i] : 0);
  return x;
}

static int comes_after (const entry *a, const entry *b) {
  if (a->prefix != b->prefix)
    return a->prefix > b->prefix;
  return sm_str_cmp(a->name, b->name) > 0;
}

/* Puts a header where it belongs, behind those of the same name. */
static int insert (entries *es, sm_str name, sm_str value) {
  size_t i = es->n;
  entry e;
  if (es->n == SM_SIGV4_MAX_HEADERS)
    return SM_ELIMIT;
  e.prefix = prefix_of(name);
  e.name = name;
  e.value = value;
  for (; i > 0 && comes_after(&es->list[i - 1], &e); i--)
    es->list[i] = es->list[i - 1];
  es->list[i] = e;
  es->n++;
  return SM_OK;
}

static int has_name (const entries *es, sm_str name) {
  size_t i;
  for (i = 0; i < es->n; i++) {
    if (sm_str_eq(es->list[i].name, name))
      return 1;
  }
  return 0;
}

/* Takes the request's own headers that count; their names in lower case go to
** s->names, which has room for all. */
static int take_headers (sm_sigv4 *s, const sm_sigv4_request *r, entries *es) {
  size_t i, total = 0;
  int status;
  for (i = 0; i < r->nheaders; i++)
    total += r->headers[i].name.len;
  status = sm_buf_grow(&s->names, total);
  for (i = 0; status == SM_OK && i < r->nheaders; i++) {
    const sm_sigv4_header *h = &r->headers[i];
    sm_str name;
    name.p = s->names.p + s->names.len;
    name.len = h->name.len;
    if (name.len == 0 || has_blank(h->name))
      return SM_EARG;
    copy_lower(s->names.p + s->names.len, h->name);
    if (r->names != NULL ? !is_one_of(name, r->names, r->nnames)
                         : ignored(s, name, r->expires >= 0))
      continue;
    s->names.len += name.len;
    status = insert(es, name, h->value);
  }
  return status;
}

/* Adds what signing will add to the request. */
static int add_own (sm_sigv4 *s, const sm_sigv4_request *r, sm_str hash,
                    entries *es) {
  int status = SM_OK;
  sm_str date;
  if (!has_name(es, SM_LIT("host"))) {
    if (r->host.len == 0)
      return SM_EARG;
    status = insert(es, SM_LIT("host"), r->host);
  }
  if (r->expires >= 0 || status != SM_OK)
    return status;
  date.p = sm_sigv4_date(s, r->epoch);
  date.len = SM_AMZ_DATE_SIZE;
  if (date.p == NULL)
    return SM_ERANGE;
  status = insert(es, SM_LIT("x-amz-date"), date);
  if (status == SM_OK && (s->flags & SM_SIGV4_SIGN_BODY))
    status = insert(es, SM_LIT("x-amz-content-sha256"), hash);
  if (status == SM_OK && s->session_token.len > 0 &&
      !(s->flags & SM_SIGV4_OMIT_TOKEN))
    status = insert(es, SM_LIT("x-amz-security-token"), s->session_token);
  return status;
}

/* Adds the names that a client says it signed and the request does not have:
** the host travels elsewhere; anything else is empty. */
static int add_missing (const sm_sigv4_request *r, entries *es) {
  size_t i;
  int status = SM_OK;
  for (i = 0; status == SM_OK && i < r->nnames; i++) {
    sm_str value = SM_LIT("");
    if (has_name(es, r->names[i]))
      continue;
    if (sm_str_eq(r->names[i], SM_LIT("host")))
      value = r->host;
    status = insert(es, r->names[i], value);
  }
  return status;
}

static void put_headers (sm_buf *b, const entries *es) {
  size_t i;
  for (i = 0; i < es->n; i++) {
    const entry *e = &es->list[i];
    if (i > 0 && sm_str_eq(e->name, e[-1].name)) {
      sm_buf_putc(b, ',');
    } else {
      if (i > 0)
        sm_buf_putc(b, '\n');
      sm_buf_puts(b, e->name);
      sm_buf_putc(b, ':');
    }
    put_value(b, e->value);
  }
  if (es->n > 0)
    sm_buf_putc(b, '\n');
}

static void put_names (sm_buf *b, const entries *es) {
  size_t i;
  for (i = 0; i < es->n; i++) {
    const entry *e = &es->list[i];
    if (i > 0 && sm_str_eq(e->name, e[-1].name))
      continue;
    if (i > 0)
      sm_buf_putc(b, ';');
    sm_buf_puts(b, e->name);
  }
}

/* }} */

/* {{ Path and query */

/* The pairs of a query whose names are none of the list. */
static void put_pairs_without (sm_buf *b, sm_str query, const sm_str *list,
                               size_t n) {
  const char *p = query.p, *end = query.p + query.len;
  const size_t begin = b->len;
  while (p < end) {
    const char *amp = memchr(p, '&', (size_t)(end - p)), *eq;
    sm_str pair, name;
    pair.p = p;
    pair.len = (size_t)((amp == NULL ? end : amp) - p);
    eq = memchr(p, '=', pair.len);
    name.p = p;
    name.len = eq == NULL ? pair.len : (size_t)(eq - p);
    if (pair.len > 0 && !is_one_of(name, list, n)) {
      if (b->len > begin)
        sm_buf_putc(b, '&');
      sm_buf_puts(b, pair);
    }
    p = amp == NULL ? end : amp + 1;
  }
}

static void put_number (sm_buf *b, unsigned long x) {
  char digits[24];
  size_t i = sizeof digits;
  do {
    digits[--i] = (char)('0' + x % 10);
    x /= 10;
  } while (x > 0);
  sm_buf_put(b, digits + i, sizeof digits - i);
}

void sm_sigv4_put_query (sm_sigv4 *s, const sm_sigv4_request *r, sm_str names,
                         int with_token, sm_buf *b) {
  static const sm_str own[] = {
      {"X-Amz-Algorithm", 15}, {"X-Amz-Credential", 16},
      {"X-Amz-Date", 10},      {"X-Amz-SignedHeaders", 19},
      {"X-Amz-Expires", 13},   {"X-Amz-Security-Token", 20},
      {"X-Amz-Signature", 15},
  };
  const size_t begin = b->len;
  if (r->query.len > 0)
    put_pairs_without(b, r->query, own, sizeof own / sizeof own[0]);
  if (b->len > begin)
    sm_buf_putc(b, '&');
  sm_buf_puts(
      b, SM_LIT("X-Amz-Algorithm=" SM_SIGV4_ALGORITHM "&X-Amz-Credential="));
  sm_percent_put(b, s->access_key_id, 0);
  sm_buf_puts(b, SM_LIT("%2F"));
  sm_percent_put(b, sm_buf_str(&s->scope), 0);
  sm_buf_puts(b, SM_LIT("&X-Amz-Date="));
  sm_buf_put(b, sm_sigv4_date(s, r->epoch), SM_AMZ_DATE_SIZE);
  sm_buf_puts(b, SM_LIT("&X-Amz-SignedHeaders="));
  sm_percent_put(b, names, 0);
  sm_buf_puts(b, SM_LIT("&X-Amz-Expires="));
  put_number(b, (unsigned long)r->expires);
  if (with_token && s->session_token.len > 0) {
    sm_buf_puts(b, SM_LIT("&X-Amz-Security-Token="));
    sm_percent_put(b, s->session_token, 0);
  }
}

/* The canonical query, by way of s->query where the wire's is not it. */
static int put_canonical_query (sm_sigv4 *s, const sm_sigv4_request *r,
                                const entries *es, sm_buf *out) {
  static const sm_str signature = {"X-Amz-Signature", 15};
  sm_buf *q = &s->query;
  if (r->names != NULL && r->query.len > 0) {
    put_pairs_without(q, r->query, &signature, 1);
  } else if (r->names == NULL && r->expires >= 0) {
    put_names(&s->list, es);
    if (s->list.err != SM_OK)
      return s->list.err;
    sm_sigv4_put_query(s, r, sm_buf_str(&s->list),
                       !(s->flags & SM_SIGV4_OMIT_TOKEN), q);
  } else if (r->query.len > 0) {
    return sm_uri_canonical_query(out, r->query);
  }
  if (q->err == SM_OK && q->len > 0)
    return sm_uri_canonical_query(out, sm_buf_str(q));
  return q->err;
}

static void put_path (const sm_sigv4 *s, sm_str path, sm_buf *out) {
  int flags = 0;
  if (path.len == 1 && path.p[0] == '/') {
    sm_buf_putc(out, '/');
    return;
  }
  if (!(s->flags & SM_SIGV4_KEEP_PATH))
    flags |= SM_URI_NORMALIZE;
  if (!(s->flags & SM_SIGV4_ENCODE_ONCE))
    flags |= SM_URI_DOUBLE_ENCODE;
  sm_uri_canonical_path(out, path, flags);
}

/* }} */

static int check (const sm_sigv4_request *r) {
  if (r->method.len == 0 || has_blank(r->method) || has_blank(r->payload_hash))
    return SM_EARG;
  if (r->names == NULL && r->expires > SM_SIGV4_MAX_EXPIRES)
    return SM_EARG;
  return SM_OK;
}

/* What stands at the end: given, or the hash of the body. */
static int find_hash (sm_sigv4 *s, const sm_sigv4_request *r,
                      char hex[SM_SIGV4_HEX], sm_str *hash) {
  *hash = r->payload_hash;
  if (hash->len > 0)
    return SM_OK;
  hash->p = hex;
  hash->len = SM_SIGV4_HEX;
  return sm_sigv4_payload(s, r->body, hex);
}

int sm_sigv4_payload (sm_sigv4 *s, sm_str body, char out[SM_SIGV4_HEX]) {
  unsigned char hash[SM_SHA256_SIZE];
  int status;
  if (body.len == 0) {
    memcpy(out, EMPTY_HASH, SM_SIGV4_HEX);
    return SM_OK;
  }
  status = sm_sha256_sum(&s->sha, body, hash);
  sm_sigv4_hex(out, hash);
  return status;
}

int sm_sigv4_canonical (sm_sigv4 *s, const sm_sigv4_request *r, sm_buf *out) {
  char hex[SM_SIGV4_HEX];
  entries es;
  sm_str hash;
  int status = check(r);
  es.n = 0;
  sm_buf_reset(&s->names);
  sm_buf_reset(&s->query);
  sm_buf_reset(&s->list);
  if (status == SM_OK)
    status = sm_sigv4_prepare(s, r->epoch);
  if (status == SM_OK)
    status = find_hash(s, r, hex, &hash);
  if (status == SM_OK)
    status = take_headers(s, r, &es);
  if (status == SM_OK)
    status = r->names != NULL ? add_missing(r, &es) : add_own(s, r, hash, &es);
  if (status != SM_OK)
    return status;
  sm_buf_puts(out, r->method);
  sm_buf_putc(out, '\n');
  put_path(s, r->path, out);
  sm_buf_putc(out, '\n');
  status = put_canonical_query(s, r, &es, out);
  if (status != SM_OK)
    return status;
  sm_buf_putc(out, '\n');
  put_headers(out, &es);
  sm_buf_putc(out, '\n');
  put_names(out, &es);
  sm_buf_putc(out, '\n');
  sm_buf_puts(out, hash);
  return out->err;
}
