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
  size_t n;
  uint8_t order[SM_SIGV4_MAX_HEADERS]; /* places in list, sorted */
  entry list[SM_SIGV4_MAX_HEADERS];
} entries;

/* {{ Bytes */

/* Eight bytes, of which the high bits tell which are below `c` (at most 128);
** only whether it is zero can be relied on. */
static inline uint64_t below (uint64_t x, unsigned c) {
  return (x - SM_BYTES(c)) & ~x & SM_BYTES(0x80);
}

/* Whether any byte is a blank or a control character below it. The last eight
** bytes are looked at together, some of them for the second time. */
static int has_blank (sm_str s) {
  size_t i;
  uint64_t found = 0;
  if (s.len >= 8) {
    for (i = 0; i + 8 < s.len; i += 8)
      found |= below(sm_load64(s.p + i), '!');
    return (found | below(sm_load64(s.p + s.len - 8), '!')) != 0;
  }
  for (i = 0; i < s.len; i++)
    found |= (unsigned char)s.p[i] < '!';
  return found != 0;
}

static inline uint64_t lower8 (uint64_t x) {
  uint64_t low = x & SM_BYTES(0x7F);
  uint64_t after_z = low + SM_BYTES(0x7F - 'Z');
  uint64_t from_a = low + SM_BYTES(0x80 - 'A');
  return x | ((from_a ^ after_z) & ~x & SM_BYTES(0x80)) >> 2;
}

/* Lowers eight bytes; not zero when one of them is a blank or below. */
static inline uint64_t put_lower8 (char *out, const char *p) {
  uint64_t x = sm_load64(p), low = lower8(x);
  memcpy(out, &low, sizeof low);
  return below(x, '!');
}

/* Copies a name in lower case. Whether it has a blank or control character. */
static int copy_lower (char *out, sm_str s) {
  size_t i;
  uint64_t found = 0;
  if (s.len >= 8) {
    for (i = 0; i + 8 < s.len; i += 8)
      found |= put_lower8(out + i, s.p + i);
    return (found | put_lower8(out + s.len - 8, s.p + s.len - 8)) != 0;
  }
  for (i = 0; i < s.len; i++) {
    out[i] = sm_lower(s.p[i]);
    found |= (unsigned char)s.p[i] < '!';
  }
  return found != 0;
}

/* memcpy for texts of a few words, without a call: sixteen bytes at a time,
** the last of them maybe for the second time. Returns where it ends. */
static inline char *put_text (char *out, sm_str s) {
  size_t i;
  if (s.len >= 16) {
    for (i = 0; i + 16 < s.len; i += 16)
      memcpy(out + i, s.p + i, 16);
    memcpy(out + s.len - 16, s.p + s.len - 16, 16);
  } else if (s.len >= 8) {
    memcpy(out, s.p, 8);
    memcpy(out + s.len - 8, s.p + s.len - 8, 8);
  } else {
    for (i = 0; i < s.len; i++)
      out[i] = s.p[i];
  }
  return out + s.len;
}

/* The value of a header as it is signed: no blanks at its ends, one wherever
** there is more than one. Never longer than the value. */
static char *put_value (char *out, sm_str s) {
  char *const begin = out;
  size_t i = 0;
  if (!has_blank(s))
    return put_text(out, s);
  for (;;) {
    while (i < s.len && (unsigned char)s.p[i] <= ' ')
      i++;
    if (i == s.len)
      return out;
    if (out > begin)
      *out++ = ' ';
    while (i < s.len && (unsigned char)s.p[i] > ' ')
      *out++ = s.p[i++];
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

/* Names that are not signed, or that signing sets anew: of no other length is
** there one. */
static const sm_str fixed[] = {
#define NAME(text)                                                             \
  { text, sizeof text - 1 }
    NAME("te"),
    NAME("expect"),
    NAME("upgrade"),
    NAME("user-agent"),
    NAME("connection"),
    NAME("keep-alive"),
    NAME("x-amz-date"),
    NAME("authorization"),
    NAME("content-length"),
    NAME("x-amzn-trace-id"),
    NAME("transfer-encoding"),
    NAME("x-amz-security-token"),
#undef NAME
};
#define FIXED_LENGTHS                                                          \
  (1u << 2 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 13 | 1u << 14 | 1u << 15 |   \
   1u << 17 | 1u << 20)

/* Whether a header (name in lower case) stays unsigned, or is one that signing
** sets anew. */
static int ignored (const sm_sigv4 *s, sm_str name, int in_query) {
  if (name.len < 32 && (FIXED_LENGTHS >> name.len & 1)) {
    if (is_one_of(name, fixed, sizeof fixed / sizeof fixed[0]))
      return name.len != 14 || !(s->flags & SM_SIGV4_SIGN_LENGTH);
    if ((s->flags & SM_SIGV4_SIGN_BODY) && !in_query &&
        sm_str_eq(name, SM_LIT("x-amz-content-sha256")))
      return 1;
  }
  switch (name.p[0]) {
  case 'a':
    return begins_with(name, SM_LIT("amz-sdk-"));
  case 'p':
    return begins_with(name, SM_LIT("proxy-"));
  case 's':
    return begins_with(name, SM_LIT("sec-websocket-"));
  default:
    return 0;
  }
}

/* }} */

/* {{ Sorted headers */

static uint64_t prefix_of (sm_str name) {
  const unsigned char *p = (const unsigned char *)name.p;
  uint64_t x = 0;
  size_t i;
  if (name.len >= 8) /* compilers see one load in this */
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | (uint64_t)p[7];
  for (i = 0; i < name.len; i++)
    x |= (uint64_t)p[i] << (56 - 8 * i);
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
  entry *e = &es->list[i];
  if (i == SM_SIGV4_MAX_HEADERS)
    return SM_ELIMIT;
  e->prefix = prefix_of(name);
  e->name = name;
  e->value = value;
  for (; i > 0 && comes_after(&es->list[es->order[i - 1]], e); i--)
    es->order[i] = es->order[i - 1];
  es->order[i] = (uint8_t)es->n++;
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
    char *to = s->names.p;
    sm_str name;
    if (h->name.len == 0)
      return SM_EARG;
    to += s->names.len;
    if (copy_lower(to, h->name))
      return SM_EARG;
    name.p = to;
    name.len = h->name.len;
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

/* Whether the header at place i of the order has the name of the one before. */
static int same_name (const entries *es, size_t i) {
  return i > 0 && sm_str_eq(es->list[es->order[i]].name,
                            es->list[es->order[i - 1]].name);
}

/* One line a name. */
static char *put_headers (char *out, const entries *es) {
  size_t i;
  for (i = 0; i < es->n; i++) {
    const entry *e = &es->list[es->order[i]];
    if (same_name(es, i)) {
      out[-1] = ','; /* instead of the line's end */
    } else {
      out = put_text(out, e->name);
      *out++ = ':';
    }
    out = put_value(out, e->value);
    *out++ = '\n';
  }
  return out;
}

static char *put_names (char *out, const entries *es) {
  char *const begin = out;
  size_t i;
  for (i = 0; i < es->n; i++) {
    if (same_name(es, i))
      continue;
    if (out > begin)
      *out++ = ';';
    out = put_text(out, es->list[es->order[i]].name);
  }
  return out;
}

/* Bytes that are enough for the two above. */
static size_t size_of (const entries *es) {
  size_t i, n = 0;
  for (i = 0; i < es->n; i++)
    n += es->list[i].name.len * 2 + es->list[i].value.len + 3;
  return n;
}

/* The last three parts: headers, their names, the hash. */
static void put_end (sm_sigv4 *s, const entries *es, sm_str hash, sm_buf *out) {
  char *p, *names;
  if (!sm_buf_room(out, size_of(es) + hash.len + 2))
    return;
  p = put_headers(out->p + out->len, es);
  *p++ = '\n';
  names = p;
  p = put_names(p, es);
  s->signed_at = (size_t)(names - out->p);
  s->signed_len = (size_t)(p - names);
  *p++ = '\n';
  p = put_text(p, hash);
  out->len = (size_t)(p - out->p);
}

/* }} */

/* {{ Path and query */

/* The pairs of a query whose names are none of the list. */
static void put_pairs_without (sm_buf *b, sm_str query, const sm_str *list,
                               size_t n) {
  const char *p = query.len > 0 ? query.p : "", *end = p + query.len;
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
  if (r->names != NULL && r->expires >= 0) {
    put_pairs_without(q, r->query, &signature, 1);
  } else if (r->expires >= 0) {
    sm_str names;
    if (!sm_buf_room(&s->list, size_of(es)))
      return s->list.err;
    names.p = s->list.p;
    names.len = (size_t)(put_names(s->list.p, es) - s->list.p);
    sm_sigv4_put_query(s, r, names, !(s->flags & SM_SIGV4_OMIT_TOKEN), q);
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
  put_end(s, &es, hash, out);
  return out->err;
}
