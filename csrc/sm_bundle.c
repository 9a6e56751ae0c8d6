/*
** sm_bundle.c: see sm_bundle.h.
*/
#include "sm_bundle.h"

#include <string.h>

#define DIGITS 8 /* of the length of the index */

/* The number at the start of `s`, which is cut off; too large a one is as good
** as any other that is out of bounds. */
static size_t number (sm_str *s) {
  size_t n = 0;
  while (s->len > 0 && *s->p >= '0' && *s->p <= '9') {
    n = n < ((size_t)-1) / 16 ? n * 10 + (size_t)(*s->p - '0') : n;
    s->p++;
    s->len--;
  }
  return n;
}

static void skip (sm_str *s, size_t n) {
  n = n < s->len ? n : s->len;
  s->p += n;
  s->len -= n;
}

/* The order of a line "name …" and a name: below, at or above zero. */
static int compare (sm_str line, sm_str name) {
  const char *blank = (const char *)memchr(line.p, ' ', line.len);
  size_t n = blank != NULL ? (size_t)(blank - line.p) : line.len;
  int order = memcmp(line.p, name.p, n < name.len ? n : name.len);
  return order != 0 ? order : (n > name.len) - (n < name.len);
}

/* The line of a name, cut off behind the name; or NULL. */
static sm_str find_line (sm_str index, sm_str name) {
  const char *low = index.p, *high = index.p + index.len;
  while (low < high) {
    const char *start = low + (high - low) / 2, *stop;
    sm_str line;
    int order;
    while (start > low && start[-1] != '\n')
      start--;
    stop = (const char *)memchr(start, '\n', (size_t)(high - start));
    stop = stop != NULL ? stop + 1 : high;
    line.p = start;
    line.len = (size_t)(stop - start);
    order = compare(line, name);
    if (order == 0) {
      skip(&line, name.len + 1);
      return line;
    }
    if (order < 0)
      low = stop;
    else
      high = start;
  }
  index.p = NULL;
  index.len = 0;
  return index;
}

sm_str sm_bundle_find (sm_str bundle, sm_str name) {
  sm_str rest = bundle, index = bundle, line, code = {NULL, 0};
  size_t offset, n;
  index.len = index.len < DIGITS ? index.len : DIGITS;
  n = number(&index);
  skip(&rest, DIGITS);
  index.p = rest.p;
  index.len = n < rest.len ? n : rest.len;
  skip(&rest, index.len);
  line = find_line(index, name);
  if (line.p == NULL)
    return code;
  offset = number(&line);
  skip(&line, 1);
  n = number(&line);
  skip(&rest, offset);
  code.p = rest.p;
  code.len = n < rest.len ? n : rest.len;
  return code;
}
