/*
** sm_model.c: look-ups in the tables of a service. See sm_model.h.
*/
#include <string.h>

#include "sm_model.h"
#include "model/services.h"

/* Names longer than this are never suggested. */
#define NEAREST_MAX 64

/* Byte order, the shorter first; the generator sorts the same way. */
static int compare (sm_str a, sm_str b) {
  size_t n = a.len < b.len ? a.len : b.len;
  int c = n > 0 ? memcmp(a.p, b.p, n) : 0;
  if (c != 0)
    return c;
  return a.len < b.len ? -1 : a.len > b.len;
}

static int equal (sm_str a, sm_str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

const sm_service *sm_service_find (sm_str name) {
  static const struct {
    sm_str name;
    const sm_service *service;
  } list[] = {
      {{"cloudwatch", 10}, &sm_service_cloudwatch},
      {{"sagemaker", 9}, &sm_service_sagemaker},
      {{"sagemaker-runtime", 17}, &sm_service_sagemaker_runtime},
      {{"signin", 6}, &sm_service_signin},
      {{"sso", 3}, &sm_service_sso},
      {{"sso-oidc", 8}, &sm_service_sso_oidc},
      {{"sts", 3}, &sm_service_sts},
  };
  size_t i;
  for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
    if (equal(name, list[i].name))
      return list[i].service;
  }
  return NULL;
}

/*
** Binary search over the string ids that `at` gives for 0 … n-1; the index, or
** -1.
*/
static int search (const sm_service *s, sm_str text, int n,
                   unsigned (*at)(const sm_service *s, int i)) {
  int low = 0;
  while (low < n) {
    int middle = low + (n - low) / 2;
    int c = compare(text, sm_text_of(s, at(s, middle)));
    if (c == 0)
      return middle;
    if (c < 0)
      n = middle;
    else
      low = middle + 1;
  }
  return -1;
}

static unsigned operation_name (const sm_service *s, int i) {
  return s->operations[i].name;
}

static unsigned operation_snake (const sm_service *s, int i) {
  return s->operations[s->by_snake[i]].snake;
}

static unsigned shape_name (const sm_service *s, int i) {
  return s->shapes[i].name;
}

const sm_operation *sm_operation_find (const sm_service *s, sm_str name) {
  int i = search(s, name, s->noperations, operation_name);
  if (i >= 0)
    return s->operations + i;
  i = search(s, name, s->noperations, operation_snake);
  return i >= 0 ? s->operations + s->by_snake[i] : NULL;
}

const sm_shape *sm_shape_find (const sm_service *s, sm_str name) {
  int i = search(s, name, s->nshapes, shape_name);
  return i >= 0 ? s->shapes + i : NULL;
}

/* The member with a text, which is its name or its name on the wire, looked for
** from `hint` on. Inlined, so that each caller has a loop of its own. */
static inline int find_member (const sm_service *s, const sm_shape *shape,
                               sm_str text, int hint, int by_wire) {
  const sm_member *members = sm_members_of(s, shape);
  int n = shape->count, i;
  if (hint < 0 || hint >= n)
    hint = 0;
  for (i = hint; i < n; i++) {
    const sm_member *m = members + i;
    if (equal(text, sm_text_of(s, by_wire ? m->wire : m->name)))
      return i;
  }
  for (i = 0; i < hint; i++) {
    const sm_member *m = members + i;
    if (equal(text, sm_text_of(s, by_wire ? m->wire : m->name)))
      return i;
  }
  return -1;
}

int sm_member_by_name (const sm_service *s, const sm_shape *shape, sm_str name,
                       int hint) {
  return find_member(s, shape, name, hint, 0);
}

int sm_member_by_wire (const sm_service *s, const sm_shape *shape, sm_str wire,
                       int hint) {
  return find_member(s, shape, wire, hint, 1);
}

int sm_enum_has (const sm_service *s, const sm_shape *shape, sm_str text) {
  const uint16_t *values = s->values + shape->first;
  int i;
  for (i = 0; i < shape->count; i++) {
    if (equal(text, sm_text_of(s, values[i])))
      return 1;
  }
  return 0;
}

static int is_upper (char c) {
  return c >= 'A' && c <= 'Z';
}

static int is_lower (char c) {
  return c >= 'a' && c <= 'z';
}

static char to_lower (char c) {
  return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* The next row of the table of edit distances; returns its least entry. */
static int next_row (unsigned char *row, sm_str text, char c) {
  int diagonal = row[0], least = ++row[0];
  size_t j;
  for (j = 0; j < text.len; j++) {
    int d = diagonal + (to_lower(text.p[j]) != to_lower(c));
    diagonal = row[j + 1];
    if (diagonal + 1 < d)
      d = diagonal + 1;
    if (row[j] + 1 < d)
      d = row[j] + 1;
    row[j + 1] = (unsigned char)d;
    if (d < least)
      least = d;
  }
  return least;
}

/* The edit distance if it is at most `limit`, else limit + 1. */
static int distance (sm_str text, sm_str name, int limit) {
  unsigned char row[NEAREST_MAX + 1];
  size_t i;
  size_t gap = text.len < name.len ? name.len - text.len : text.len - name.len;
  if (name.len > NEAREST_MAX || gap > (size_t)limit)
    return limit + 1;
  for (i = 0; i <= text.len; i++)
    row[i] = (unsigned char)i;
  for (i = 0; i < name.len; i++) {
    if (next_row(row, text, name.p[i]) > limit)
      return limit + 1;
  }
  return row[text.len] <= limit ? row[text.len] : limit + 1;
}

int sm_nearest (sm_str text, sm_str (*at)(const void *ctx, int i),
                const void *ctx, int n) {
  int limit = (int)(text.len / 3), best = -1, i;
  if (text.len > NEAREST_MAX)
    return -1;
  if (limit < 1)
    limit = 1;
  for (i = 0; i < n && limit >= 0; i++) {
    int d = distance(text, at(ctx, i), limit);
    if (d <= limit) {
      best = i;
      limit = d - 1;
    }
  }
  return best;
}

/* How many capitals stand before the final s of a name like ListARNs: 0
** unless there are at least two. */
static size_t plural_capitals (sm_str name) {
  size_t n = 0;
  if (name.len < 3 || name.p[name.len - 1] != 's')
    return 0;
  while (n < name.len - 1 && is_upper(name.p[name.len - 2 - n]))
    n++;
  return n >= 2 ? n : 0;
}

/*
** Appends one character of the first pass, and before it the separator that
** the second pass puts between a small letter or digit and a capital.
*/
static void put_snake (sm_buf *out, size_t start, char c) {
  if (is_upper(c) && out->len > start) {
    char before = out->p[out->len - 1];
    if (is_lower(before) || (before >= '0' && before <= '9'))
      sm_buf_putc(out, '_');
  }
  sm_buf_putc(out, c);
}

/* The length of the word at `i` that botocore treats as one word although its
** capitals say otherwise, or 0. */
static size_t odd_word (sm_str name, size_t i) {
  static const char words[][9] = {"iSCSI", "HITs", "OTel", "PartiQL",
                                  "WhatsApp"};
  size_t w;
  for (w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
    size_t n = strlen(words[w]);
    if (name.len - i >= n && memcmp(name.p + i, words[w], n) == 0)
      return n;
  }
  return 0;
}

static void put_odd_word (sm_buf *out, size_t start, const char *p, size_t n) {
  size_t i;
  if (out->len > start)
    sm_buf_putc(out, '_');
  for (i = 0; i < n; i++)
    sm_buf_putc(out, to_lower(p[i]));
}

/* A capital that small letters follow starts a word, unless it comes first. */
static void split_words (sm_str name, sm_buf *out, size_t start) {
  size_t i = 0, n;
  while (i < name.len) {
    if ((n = odd_word(name, i)) > 0) {
      put_odd_word(out, start, name.p + i, n);
      i += n;
      continue;
    }
    put_snake(out, start, name.p[i++]);
    if (i + 1 >= name.len || !is_upper(name.p[i]) || !is_lower(name.p[i + 1]) ||
        odd_word(name, i) > 0)
      continue;
    sm_buf_putc(out, '_');
    sm_buf_putc(out, name.p[i++]);
    while (i < name.len && is_lower(name.p[i]) && odd_word(name, i) == 0)
      sm_buf_putc(out, name.p[i++]);
  }
}

int sm_snake (sm_str name, sm_buf *out) {
  size_t start = out->len, plural, i;
  if (name.len > 0 && memchr(name.p, '_', name.len) != NULL) {
    sm_buf_puts(out, name);
    return out->err;
  }
  plural = plural_capitals(name);
  if (plural > 0)
    name.len -= plural + 1;
  split_words(name, out, start);
  if (plural > 0) {
    sm_buf_putc(out, '_');
    sm_buf_put(out, name.p + name.len, plural + 1);
  }
  if (out->err == SM_OK) {
    for (i = start; i < out->len; i++)
      out->p[i] = to_lower(out->p[i]);
  }
  return out->err;
}
