/*
** sm_uri.c: URLs and canonical forms.
**
** A path is normalised and encoded in one pass: segments are appended as they
** come, and ".." takes the last one back. Encoded or not, a segment holds no
** slash, so the last slash in the buffer is where it began.
*/
#include "sm_uri.h"

#include "sm_number.h"
#include "sm_text.h"

/* {{ Paths */

/* How a segment is written. */
typedef void (*put_segment)(sm_buf *b, sm_str segment);

/* The put_segment of paths that are encoded once more. */
static void put_encoded (sm_buf *b, sm_str s) {
  sm_percent_put(b, s, 1);
}

/* The byte that %XX at s.p[i] stands for, or -1. */
static int escape_at (sm_str s, size_t i) {
  int high, low;
  if (s.len - i < 3 || s.p[i] != '%')
    return -1;
  high = sm_hexval(s.p[i + 1]);
  low = sm_hexval(s.p[i + 2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* The length of what comes before the first % from i on. */
static size_t run_at (sm_str s, size_t i) {
  const char *mark = memchr(s.p + i, '%', s.len - i);
  return mark != NULL ? (size_t)(mark - s.p) - i : s.len - i;
}

/* Encodes, but leaves each %XX as it is. */
static void put_once (sm_buf *b, sm_str s) {
  size_t i = 0;
  while (i < s.len && b->err == SM_OK) {
    size_t n = run_at(s, i);
    sm_percent_put(b, (sm_str){s.p + i, n}, 1);
    i += n;
    if (i == s.len)
      return;
    n = escape_at(s, i) >= 0 ? 3 : 1;
    if (n == 3)
      sm_buf_put(b, s.p + i, n);
    else
      sm_percent_put(b, SM_LIT("%"), 1);
    i += n;
  }
}

/* Takes the last segment, and the slash before it, off what was appended since
** `start`. */
static void drop_segment (sm_buf *b, size_t start) {
  while (b->len > start) {
    if (b->p[--b->len] == '/')
      return;
  }
}

/* Appends the segments that are left of a path, each but the first of a
** relative path with a slash before it. */
static void put_segments (sm_buf *b, sm_str path, put_segment put) {
  size_t start = b->len;
  size_t i = 0;
  int absolute = path.len > 0 && path.p[0] == '/';
  while (i < path.len && b->err == SM_OK) {
    const char *slash = memchr(path.p + i, '/', path.len - i);
    size_t stop = slash != NULL ? (size_t)(slash - path.p) : path.len;
    sm_str segment = {path.p + i, stop - i};
    i = stop + 1;
    if (segment.len == 0 || sm_str_eq(segment, SM_LIT(".")))
      continue;
    if (sm_str_eq(segment, SM_LIT(".."))) {
      drop_segment(b, start);
      continue;
    }
    if (absolute || b->len > start)
      sm_buf_putc(b, '/');
    put(b, segment);
  }
  if (b->len > start ? path.p[path.len - 1] == '/' : absolute)
    sm_buf_putc(b, '/');
}

void sm_uri_remove_dots (sm_buf *b, sm_str path) {
  put_segments(b, path, sm_buf_puts);
}

/* Without normalising, the whole path is one segment that may hold slashes. */
void sm_uri_canonical_path (sm_buf *b, sm_str path, int flags) {
  put_segment put = (flags & SM_URI_DOUBLE_ENCODE) ? put_encoded : put_once;
  if (path.len == 0)
    path = SM_LIT("/");
  if (flags & SM_URI_NORMALIZE)
    put_segments(b, path, put);
  else
    put(b, path);
}

/* }} */

/* {{ Queries */

/* One pair of a query, encoded: the name, then the value. */
typedef struct pair {
  size_t name, value, end; /* offsets into the text of all pairs */
} pair;

typedef struct pairs {
  sm_buf text;
  sm_buf list; /* of pair */
} pairs;

static pair *pairs_at (const pairs *ps, size_t i) {
  return (pair *)(void *)ps->list.p + i;
}

static sm_str slice (const pairs *ps, size_t from, size_t to) {
  if (from == to)
    return SM_LIT("");
  return (sm_str){ps->text.p + from, to - from};
}

/* Decodes and encodes again; a % that escapes nothing counts as itself. */
static void put_recoded (sm_buf *b, sm_str s) {
  size_t i = 0;
  while (i < s.len && b->err == SM_OK) {
    size_t n = run_at(s, i);
    int byte;
    sm_percent_put(b, (sm_str){s.p + i, n}, 0);
    i += n;
    if (i == s.len)
      return;
    byte = escape_at(s, i);
    i += byte >= 0 ? 3 : 1;
    if (byte < 0)
      byte = '%';
    sm_percent_put(b, (sm_str){(char[]){(char)byte}, 1}, 0);
  }
}

/* Encodes one pair behind the text so far and notes where it lies. */
static void add_pair (pairs *ps, sm_str text) {
  const char *equals = memchr(text.p, '=', text.len);
  size_t n = equals != NULL ? (size_t)(equals - text.p) : text.len;
  size_t skip = n + (equals != NULL);
  pair p;
  p.name = ps->text.len;
  put_recoded(&ps->text, (sm_str){text.p, n});
  p.value = ps->text.len;
  put_recoded(&ps->text, (sm_str){text.p + skip, text.len - skip});
  p.end = ps->text.len;
  sm_buf_put(&ps->list, &p, sizeof p);
}

/* By name, then by value. "a=1" as a whole would not do: `=` sorts behind `-`,
** so a-b would come before a. */
static int compare (const pairs *ps, size_t i, size_t j) {
  const pair *a = pairs_at(ps, i);
  const pair *b = pairs_at(ps, j);
  int order =
      sm_str_cmp(slice(ps, a->name, a->value), slice(ps, b->name, b->value));
  if (order != 0)
    return order;
  return sm_str_cmp(slice(ps, a->value, a->end), slice(ps, b->value, b->end));
}

static void swap (const pairs *ps, size_t i, size_t j) {
  pair tmp = *pairs_at(ps, i);
  *pairs_at(ps, i) = *pairs_at(ps, j);
  *pairs_at(ps, j) = tmp;
}

/* Heap sort: no memory, no bad case. (qsort hands its comparison no context.)
 */
static void sift (const pairs *ps, size_t root, size_t n) {
  for (;;) {
    size_t child = root * 2 + 1;
    if (child >= n)
      return;
    if (child + 1 < n && compare(ps, child, child + 1) < 0)
      child++;
    if (compare(ps, root, child) >= 0)
      return;
    swap(ps, root, child);
    root = child;
  }
}

static void sort (const pairs *ps, size_t n) {
  size_t i;
  for (i = n / 2; i > 0; i--)
    sift(ps, i - 1, n);
  for (i = n; i > 1; i--) {
    swap(ps, 0, i - 1);
    sift(ps, 0, i - 1);
  }
}

/* The sorted pairs, joined. */
static void put_pairs (sm_buf *b, const pairs *ps, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    const pair *p = pairs_at(ps, i);
    if (i > 0)
      sm_buf_putc(b, '&');
    sm_buf_puts(b, slice(ps, p->name, p->value));
    sm_buf_putc(b, '=');
    sm_buf_puts(b, slice(ps, p->value, p->end));
  }
}

/* The pairs live in buffers of their own until they are in order; they come
** from the allocator of b and are gone when this returns. */
int sm_uri_canonical_query (sm_buf *b, sm_str query) {
  pairs ps;
  size_t i = 0;
  int err;
  if (query.len == 0)
    return b->err;
  sm_buf_init(&ps.text, b->max, b->alloc, b->ud);
  sm_buf_init(&ps.list, SIZE_MAX, b->alloc, b->ud);
  while (i < query.len && ps.text.err == SM_OK && ps.list.err == SM_OK) {
    const char *amp = memchr(query.p + i, '&', query.len - i);
    size_t stop = amp != NULL ? (size_t)(amp - query.p) : query.len;
    if (stop > i)
      add_pair(&ps, (sm_str){query.p + i, stop - i});
    i = stop + 1;
  }
  err = ps.text.err != SM_OK ? ps.text.err : ps.list.err;
  if (err == SM_OK) {
    size_t n = ps.list.len / sizeof(pair);
    sort(&ps, n);
    put_pairs(b, &ps, n);
  } else if (b->err == SM_OK) {
    b->err = err;
  }
  sm_buf_free(&ps.text);
  sm_buf_free(&ps.list);
  return b->err;
}

/* }} */

/* {{ Hosts */

/* Underscores are no host name of RFC 1123, but container networks use them.
 */
static int label_valid (sm_str s) {
  size_t i;
  if (s.len == 0 || s.len > 63 || s.p[0] == '-' || s.p[s.len - 1] == '-')
    return 0;
  for (i = 0; i < s.len; i++) {
    if (!sm_isalnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
      return 0;
  }
  return 1;
}

int sm_host_valid (sm_str s) {
  size_t i = 0;
  if (s.len == 0 || s.len > 255)
    return 0;
  if (s.p[s.len - 1] == '.')
    s.len--;
  while (i <= s.len) {
    const char *dot = memchr(s.p + i, '.', s.len - i);
    size_t stop = dot != NULL ? (size_t)(dot - s.p) : s.len;
    if (!label_valid((sm_str){s.p + i, stop - i}))
      return 0;
    i = stop + 1;
  }
  return 1;
}

/* Four numbers of 0 to 255 with dots between them. */
static int ipv4_valid (const char *p, const char *end) {
  int part;
  for (part = 0; part < 4; part++) {
    int v = 0;
    int n = 0;
    if (part > 0 && (p == end || *p++ != '.'))
      return 0;
    for (; p < end && sm_isdigit(*p) && n < 4; n++)
      v = v * 10 + (*p++ - '0');
    if (n == 0 || n > 3 || v > 255)
      return 0;
  }
  return p == end;
}

/* What follows an address: %25eth0, or %eth0 as people write it. */
static int zone_valid (sm_str s) {
  size_t i;
  size_t skip = s.len >= 3 && memcmp(s.p, "%25", 3) == 0 ? 3 : 1;
  if (s.len <= skip)
    return 0;
  for (i = skip; i < s.len; i++) {
    if (!sm_isalnum(s.p[i]) && memchr("-._~", s.p[i], 4) == NULL)
      return 0;
  }
  return 1;
}

/* How many hexadecimal digits, up to 5, are at p. */
static int hex_run (const char *p, const char *end) {
  int n = 0;
  while (n < 5 && end - p > n && sm_hexval(p[n]) >= 0)
    n++;
  return n;
}

/* The address proper, RFC 4291, section 2.2. */
static int address_valid (const char *p, const char *end) {
  int groups = 0;
  int gap = end - p >= 2 && p[0] == ':' && p[1] == ':';
  if (gap)
    p += 2;
  while (p < end) {
    int n = hex_run(p, end);
    if (n == 0 || n > 4)
      return 0;
    if (end - p > n && p[n] == '.')
      return ipv4_valid(p, end) && (gap ? groups <= 5 : groups == 6);
    p += n;
    if (++groups > 8)
      return 0;
    if (p == end)
      break;
    if (*p++ != ':' || p == end)
      return 0;
    if (*p == ':') {
      if (gap)
        return 0;
      gap = 1;
      p++;
    }
  }
  return gap ? groups <= 7 : groups == 8;
}

/* The zone is cut off first: it may hold anything but what ends a host. */
int sm_ipv6_valid (sm_str s) {
  size_t n;
  if (s.len == 0)
    return 0;
  n = run_at(s, 0);
  if (n < s.len && !zone_valid((sm_str){s.p + n, s.len - n}))
    return 0;
  return address_valid(s.p, s.p + n);
}

/* }} */

/* {{ URLs */

/* Moves the front of *s, up to the first of `marks`, to *part. */
static void cut (sm_str *s, const char *marks, sm_str *part) {
  size_t n = 0;
  while (n < s->len && (s->p[n] == '\0' || strchr(marks, s->p[n]) == NULL))
    n++;
  *part = (sm_str){s->p, n};
  s->p += n;
  s->len -= n;
}

/* RFC 3986, section 3.1 */
static int scheme_valid (sm_str s) {
  size_t i;
  if (s.len == 0 || !sm_isalpha(s.p[0]))
    return 0;
  for (i = 1; i < s.len; i++) {
    if (!sm_isalnum(s.p[i]) && s.p[i] != '+' && s.p[i] != '-' && s.p[i] != '.')
      return 0;
  }
  return 1;
}

/* Blanks, control characters, DEL. */
static int has_control (sm_str s) {
  size_t i;
  for (i = 0; i < s.len; i++) {
    if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7F)
      return 1;
  }
  return 0;
}

/* ":8080" or nothing. */
static int split_port (sm_str s, sm_url *url) {
  uint64_t port;
  int err;
  if (s.len == 0)
    return SM_OK;
  if (s.p[0] != ':')
    return SM_ESYNTAX;
  err = sm_parse_u64((sm_str){s.p + 1, s.len - 1}, &port);
  if (err != SM_OK)
    return err;
  if (port == 0 || port > 65535)
    return SM_ERANGE;
  url->port = (unsigned)port;
  url->has_port = 1;
  return SM_OK;
}

/* User information needs no look of its own: `@` is valid neither in a host nor
** in a port. */
static int split_authority (sm_url *url) {
  sm_str rest = url->authority;
  int ok;
  if (rest.len > 0 && rest.p[0] == '[') {
    cut(&rest, "]", &url->host);
    if (rest.len == 0)
      return SM_ESYNTAX;
    rest.p++;
    rest.len--;
    url->host.len++;
    url->ipv6 = 1;
    ok = sm_ipv6_valid((sm_str){url->host.p + 1, url->host.len - 2});
  } else {
    cut(&rest, ":", &url->host);
    ok = sm_host_valid(url->host);
  }
  return ok ? split_port(rest, url) : SM_ESYNTAX;
}

/* From the left, each part up to the first character that ends it. Control
** characters are refused everywhere: a URL ends up in a request line. */
int sm_url_split (sm_str s, sm_url *url) {
  memset(url, 0, sizeof *url);
  if (s.len == 0 || has_control(s))
    return SM_ESYNTAX;
  cut(&s, ":/?#", &url->scheme);
  if (!scheme_valid(url->scheme) || s.len < 3 || memcmp(s.p, "://", 3) != 0)
    return SM_ESYNTAX;
  s.p += 3;
  s.len -= 3;
  url->secure = sm_str_ieq(url->scheme, SM_LIT("https"));
  if (url->secure)
    url->port = 443;
  else if (sm_str_ieq(url->scheme, SM_LIT("http")))
    url->port = 80;
  cut(&s, "/?#", &url->authority);
  cut(&s, "?#", &url->path);
  if (s.len > 0 && s.p[0] == '?') {
    s.p++;
    s.len--;
    cut(&s, "#", &url->query);
  }
  return split_authority(url);
}

/* }} */
