/*
** sm_json.c: JSON out and in.
**
** Time goes into strings, so both directions look at eight bytes at a time
** for the few that need a closer look (sm_json_special) and move what lies
** between as a block. The reader keeps one pointer and one flag; everything
** else its caller knows.
*/
#include <float.h>

#include "sm_json.h"

#include "sm_text.h"

/* True when a JSON string may hold the byte verbatim, without a closer look. */
static inline int isplain (char c) {
  unsigned char u = (unsigned char)c;
  return u >= 0x20 && u < 0x80 && c != '"' && c != '\\';
}

/* {{ Writer */

/*
** Appends what stands for the non-ASCII run or the escape at p. Returns where
** to go on; NULL when the bytes are not UTF-8. The caller has reserved one byte
** of output for each byte of input.
*/
static const char *put_special (sm_buf *b, const char *p, const char *end) {
  static const char hex[] = "0123456789abcdef";
  static const char names[] = "btn\0fr"; /* of the characters 8 to 13 */
  const char *start = p;
  char out[6] = {'\\', 'u', '0', '0', 0, 0};
  while (p < end && (unsigned char)*p >= 0x80) {
    int n = sm_utf8_seq(p, end);
    if (n == 0)
      return NULL;
    p += n;
  }
  if (p > start) {
    sm_buf_put(b, start, (size_t)(p - start));
    return p;
  }
  if (*p == '"' || *p == '\\') {
    out[1] = *p;
    sm_buf_put(b, out, 2);
  } else if (*p >= 8 && *p <= 13 && *p != 11) {
    out[1] = names[*p - 8];
    sm_buf_put(b, out, 2);
  } else {
    out[4] = hex[*p >> 4];
    out[5] = hex[*p & 15];
    sm_buf_put(b, out, 6);
  }
  return p + 1;
}

/*
** Copies a whole string of fewer than eight bytes when all of it is plain: its
** bytes meet in one word, some of them twice. 1 when it did.
*/
static inline int copy_short (const char *p, size_t n, char *o) {
  uint64_t x = SM_BYTES(' ');
  if (n >= 4) {
    memcpy(&x, p, 4);
    memcpy((char *)&x + 4, p + n - 4, 4);
    memcpy(o, &x, 4);
    memcpy(o + n - 4, (char *)&x + 4, 4);
  } else if (n > 0) {
    char c[3];
    c[0] = o[0] = p[0];
    c[1] = o[n / 2] = p[n / 2];
    c[2] = o[n - 1] = p[n - 1];
    memcpy(&x, c, 3);
  }
  return sm_json_special(x) == 0;
}

/*
** Copies plain bytes from p, of a string that began at `begin`, to *out, which
** has room for all of them. Returns the first byte that is not plain, or end.
*/
static const char *copy_plain (const char *begin, const char *p,
                               const char *end, char **out) {
  char *o = *out;
  while (end - p >= 8) {
    uint64_t x = sm_load64(p);
    if (sm_json_special(x) != 0)
      break;
    memcpy(o, &x, 8);
    p += 8;
    o += 8;
  }
  if (p < end && end - p < 8 && end - begin >= 8) {
    /* The last eight bytes at once: when all are plain, those of them that are
    ** behind us were copied as they are, and may be copied again. */
    uint64_t x = sm_load64(end - 8);
    if (sm_json_special(x) == 0) {
      ptrdiff_t left = end - p;
      memcpy(o + left - 8, &x, 8);
      *out = o + left;
      return end;
    }
  }
  while (p < end && isplain(*p))
    *o++ = *p++;
  *out = o;
  return p;
}

/* Room for the string without escapes is reserved at the start, and after each
** escape for what is left: plain bytes never look at the buffer. */
int sm_json_put_string (sm_buf *b, sm_str s, size_t *bad) {
  size_t start = b->len;
  const char *p = s.p;
  const char *end = s.len > 0 ? s.p + s.len : s.p;
  char *out;
  if (!sm_buf_room(b, s.len + 2))
    return b->err;
  b->p[b->len++] = '"';
  if (s.len < 8 && copy_short(p, s.len, b->p + b->len)) {
    b->len += s.len;
    b->p[b->len++] = '"';
    return SM_OK;
  }
  for (;;) {
    const char *next;
    out = b->p + b->len;
    p = copy_plain(s.p, p, end, &out);
    b->len = (size_t)(out - b->p);
    if (p == end)
      break;
    next = put_special(b, p, end);
    if (next == NULL) {
      b->len = start;
      if (bad != NULL)
        *bad = sm_utf8_check(s);
      return SM_EUTF8;
    }
    p = next;
    if (!sm_buf_room(b, (size_t)(end - p) + 1)) {
      b->len = start;
      return b->err;
    }
  }
  b->p[b->len++] = '"';
  return SM_OK;
}

/* The text of the three that JSON has no number for ends in a letter. */
void sm_json_put_double (sm_buf *b, double v) {
  char text[SM_DOUBLE_SIZE + 2];
  size_t n = sm_double_text(text + 1, v);
  if (sm_isdigit(text[n])) {
    sm_buf_put(b, text + 1, n);
    return;
  }
  text[0] = text[n + 1] = '"';
  sm_buf_put(b, text, n + 2);
}

void sm_json_put_blob (sm_buf *b, const void *p, size_t n) {
  sm_buf_putc(b, '"');
  sm_base64_put(b, p, n);
  sm_buf_putc(b, '"');
}

/* }} */

/* {{ Reader: places and failure */

void sm_json_init (sm_json *r, sm_str text, unsigned max_depth) {
  r->begin = text.p != NULL ? text.p : "";
  r->p = r->begin;
  r->end = r->begin + text.len;
  r->fresh = 0;
  r->depth = 0;
  r->max_depth = max_depth < SM_JSON_MAX_DEPTH ? max_depth : SM_JSON_MAX_DEPTH;
  r->err = SM_OK;
  r->at = 0;
  r->what = "";
}

/* Moving to the end makes every later function fail at its first look, so none
** of them has to ask for r->err. */
int sm_json_fail (sm_json *r, int err, const char *what) {
  if (r->err == SM_OK) {
    r->err = err;
    r->at = (size_t)(r->p - r->begin);
    r->what = what;
    r->p = r->end;
  }
  return r->err;
}

/* A failure at p. */
static int fail_at (sm_json *r, const char *p, int err, const char *what) {
  r->p = p;
  return sm_json_fail(r, err, what);
}

/* Past blanks; r->p is moved too. */
static inline const char *blanks (sm_json *r) {
  const char *p = r->p;
  while (p < r->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return r->p = p;
}

/* What to complain about at p: the end of the text is a kind of its own. */
static int unexpected (sm_json *r, const char *p, const char *what) {
  return fail_at(r, p, SM_ESYNTAX,
                 p == r->end ? "the text ends too early" : what);
}

/* }} */

/* {{ Reader: strings */

#if defined(__GNUC__) && defined(__BYTE_ORDER__) &&                            \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_BYTE(mask) (__builtin_ctzll(mask) >> 3)
#endif

/* The first byte that is not plain, or end. */
static inline const char *skip_plain (const char *p, const char *end) {
  while (end - p >= 8) {
    uint64_t mask = sm_json_special(sm_load64(p));
    if (mask != 0) {
#ifdef FIRST_BYTE
      return p + FIRST_BYTE(mask);
#else
      break;
#endif
    }
    p += 8;
  }
  while (p < end && isplain(*p))
    p++;
  return p;
}

/* Past the four digits of \uXXXX; NULL when they are not there. */
static const char *hex4 (const char *p, const char *end, uint32_t *code) {
  int i;
  *code = 0;
  if (end - p < 4)
    return NULL;
  for (i = 0; i < 4; i++) {
    int v = sm_hexval(*p++);
    if (v < 0)
      return NULL;
    *code = *code << 4 | (uint32_t)v;
  }
  return p;
}

/* Past the escape at p (a backslash); NULL when it is not one. */
static const char *skip_escape (const char *p, const char *end) {
  uint32_t code;
  if (end - p < 2)
    return NULL;
  switch (p[1]) {
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't':
    return p + 2;
  case 'u':
    return hex4(p + 2, end, &code);
  default:
    return NULL;
  }
}

/*
** Reads past the string at r->p, checking all of it. *raw is what stands
** between the quotes, escapes and all.
*/
static inline int scan_string (sm_json *r, sm_str *raw, int *escaped) {
  const char *p = r->p;
  const char *start = p + 1;
  if (p == r->end || *p++ != '"')
    return unexpected(r, r->p, "a string was expected");
  *escaped = 0;
  for (;;) {
    p = skip_plain(p, r->end);
    if (p == r->end)
      return unexpected(r, p, "");
    if (*p == '"') {
      raw->p = start;
      raw->len = (size_t)(p - start);
      r->p = p + 1;
      return SM_OK;
    }
    if (*p == '\\') {
      const char *next = skip_escape(p, r->end);
      if (next == NULL)
        return fail_at(r, p, SM_ESYNTAX, "a malformed escape");
      *escaped = 1;
      p = next;
    } else if ((unsigned char)*p >= 0x80) {
      /* checked here, in passing: no second look at the string is needed */
      int n = sm_utf8_seq(p, r->end);
      if (n == 0)
        return fail_at(r, p, SM_EUTF8, "invalid UTF-8 in a string");
      p += n;
    } else {
      return fail_at(r, p, SM_ESYNTAX, "a control character in a string");
    }
  }
}

/* Appends the character of the checked escape \u… at p; returns past it. */
static const char *unescape_unicode (sm_buf *b, const char *p,
                                     const char *end) {
  uint32_t code, low;
  char out[4];
  p = hex4(p + 2, end, &code);
  if (code >= 0xD800 && code < 0xE000) {
    const char *next = NULL;
    if (code < 0xDC00 && end - p >= 2 && p[0] == '\\' && p[1] == 'u')
      next = hex4(p + 2, end, &low);
    if (next != NULL && low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      p = next;
    } else {
      code = 0xFFFD;
    }
  }
  sm_buf_put(b, out, (size_t)sm_utf8_encode(out, code));
  return p;
}

/* Appends checked text with its escapes resolved. */
static int unescape (sm_buf *b, sm_str raw) {
  const char *p = raw.p;
  const char *end = raw.p + raw.len;
  sm_buf_reset(b);
  while (p < end && b->err == SM_OK) {
    const char *mark = memchr(p, '\\', (size_t)(end - p));
    const char *stop = mark != NULL ? mark : end;
    sm_buf_put(b, p, (size_t)(stop - p));
    p = stop;
    if (mark == NULL)
      break;
    if (mark[1] == 'u') {
      p = unescape_unicode(b, mark, end);
    } else {
      static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
      const char *hit = memchr(from, mark[1], sizeof from - 1);
      sm_buf_putc(b, hit != NULL ? to[hit - from] : mark[1]);
      p = mark + 2;
    }
  }
  return b->err;
}

/* The string at r->p, which blanks do not precede. */
static inline int read_string (sm_json *r, sm_str *s, sm_buf *scratch) {
  int escaped;
  if (scan_string(r, s, &escaped) != SM_OK)
    return r->err;
  if (escaped) {
    int err = unescape(scratch, *s);
    if (err != SM_OK)
      return sm_json_fail(r, err, "a string too long for its buffer");
    *s = sm_buf_str(scratch);
  }
  return SM_OK;
}

int sm_json_string (sm_json *r, sm_str *s, sm_buf *scratch) {
  blanks(r);
  return read_string(r, s, scratch);
}

/* }} */

/* {{ Reader: containers */

int sm_json_peek (sm_json *r) {
  const char *p = blanks(r);
  if (p == r->end)
    return unexpected(r, p, "");
  switch (*p) {
  case '{':
    return SM_J_OBJECT;
  case '[':
    return SM_J_ARRAY;
  case '"':
    return SM_J_STRING;
  case 't':
    return SM_J_TRUE;
  case 'f':
    return SM_J_FALSE;
  case 'n':
    return SM_J_NULL;
  default:
    if (sm_isdigit(*p) || *p == '-')
      return SM_J_NUMBER;
    return unexpected(r, p, "a value was expected");
  }
}

int sm_json_enter (sm_json *r, char open) {
  const char *p = blanks(r);
  if (p == r->end || *p != open)
    return unexpected(
        r, p, open == '{' ? "an object was expected" : "an array was expected");
  if (r->depth >= r->max_depth)
    return sm_json_fail(r, SM_ELIMIT, "the values are nested too deeply");
  r->p = p + 1;
  r->depth++;
  r->fresh = 1;
  return SM_OK;
}

/* Leaves the container whose closing bracket is at r->p. */
static int leave (sm_json *r) {
  if (r->depth == 0)
    return sm_json_fail(r, SM_EARG, "no container is open");
  r->p++;
  r->depth--;
  r->fresh = 0;
  return 0;
}

/*
** Inside a container: past the comma, when one is due, to the first byte of
** what comes next. 1, 0 when `close` came, negative on failure.
*/
static inline int advance (sm_json *r, char close, const char *what) {
  const char *p = blanks(r);
  if (p < r->end && *p == close)
    return leave(r);
  if (r->fresh) {
    r->fresh = 0;
    return 1;
  }
  if (p == r->end || *p != ',')
    return unexpected(r, p, what);
  r->p = p + 1;
  blanks(r);
  return 1;
}

/* Past the colon after a key, which nearly always follows at once. */
static inline int colon (sm_json *r) {
  const char *p = r->p;
  if (p == r->end || *p != ':') {
    p = blanks(r);
    if (p == r->end || *p != ':')
      return unexpected(r, p, "':' was expected");
  }
  r->p = p + 1;
  return 1;
}

/* advance has moved past blanks, so the key begins at r->p. */
int sm_json_key (sm_json *r, sm_str *key, sm_buf *scratch) {
  int more = advance(r, '}', "',' or '}' was expected");
  if (more <= 0)
    return more;
  if (read_string(r, key, scratch) != SM_OK)
    return r->err;
  return colon(r);
}

int sm_json_item (sm_json *r) {
  return advance(r, ']', "',' or ']' was expected");
}

/* }} */

/* {{ Reader: scalars */

/* Past the digits at p, which are added to *v. */
static inline const char *take_digits (const char *p, const char *end,
                                       uint64_t *v) {
  unsigned digit;
  for (; p < end && (digit = (unsigned)(unsigned char)*p - '0') < 10; p++)
    *v = *v * 10 + digit;
  return p;
}

/*
** The common numbers, read in one go: up to 15 digits, a fraction among them,
** no exponent. Digits and power of ten are exact as doubles then, so their
** quotient is rounded correctly. Returns past the number, or NULL for another
** one, which may be malformed.
*/
static inline const char *short_number (const char *p, const char *end,
                                        sm_number *n) {
  static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  int minus = p < end && *p == '-';
  const char *start = p + minus, *dot;
  uint64_t v = 0;
  if (end - start > 17)
    end = start + 17; /* the digits, a point, and one byte behind */
  p = take_digits(start, end, &v);
  if (p == end || p == start || (*start == '0' && p - start > 1))
    return NULL; /* among them: a leading zero */
  n->is_int = *p != '.';
  if (n->is_int) {
    n->i = minus ? -(int64_t)v : (int64_t)v;
    n->d = 0;
    return p - start > 15 || (*p | 0x20) == 'e' ? NULL : p;
  }
  dot = p;
  p = take_digits(dot + 1, end, &v);
  if (p == end || p == dot + 1 || (*p | 0x20) == 'e' || FLT_EVAL_METHOD != 0)
    return NULL; /* the last: the quotient would be rounded twice */
  n->i = 0;
  n->d = (double)(int64_t)v / powers[p - dot - 1];
  if (minus)
    n->d = -n->d;
  return p;
}

int sm_json_number (sm_json *r, sm_number *n, sm_str *text) {
  const char *start = blanks(r);
  const char *p = short_number(start, r->end, n);
  if (p == NULL) {
    int integer;
    size_t span = sm_number_span(start, r->end, &integer);
    if (span == 0)
      return unexpected(r, start, "a number was expected");
    p = start + span;
    sm_number_read((sm_str){start, span}, integer, n);
  }
  r->p = p;
  if (text != NULL)
    *text = (sm_str){start, (size_t)(p - start)};
  return SM_OK;
}

/* One of the three words; what follows it, the next token tells. */
static int literal (sm_json *r, sm_str word, const char *what) {
  const char *p = blanks(r);
  if ((size_t)(r->end - p) < word.len || memcmp(p, word.p, word.len) != 0)
    return fail_at(r, p, SM_ESYNTAX, what);
  r->p = p + word.len;
  return SM_OK;
}

int sm_json_bool (sm_json *r, int *v) {
  const char *p = blanks(r);
  *v = p < r->end && *p == 't';
  return literal(r, *v ? SM_LIT("true") : SM_LIT("false"),
                 "true or false was expected");
}

int sm_json_null (sm_json *r) {
  return literal(r, SM_LIT("null"), "null was expected");
}

/* }} */

/* {{ Reader: whole values */

/* Reads past a value that is no container. */
static int skip_scalar (sm_json *r, int kind) {
  sm_str s;
  int ignored;
  switch (kind) {
  case SM_J_STRING:
    return scan_string(r, &s, &ignored);
  case SM_J_NUMBER:
    s.len = sm_number_span(r->p, r->end, &ignored);
    if (s.len == 0)
      return unexpected(r, r->p, "a number was expected");
    r->p += s.len;
    return SM_OK;
  case SM_J_NULL:
    return sm_json_null(r);
  default:
    return sm_json_bool(r, &ignored);
  }
}

/* The next key, unread, or the next item: as sm_json_key. */
static int skip_to_next (sm_json *r, int in_object) {
  sm_str raw;
  int escaped;
  int more;
  if (!in_object)
    return sm_json_item(r);
  more = advance(r, '}', "',' or '}' was expected");
  if (more <= 0)
    return more;
  if (scan_string(r, &raw, &escaped) != SM_OK)
    return r->err;
  return colon(r);
}

/* The one place that must remember what is open, since no caller does: a bit
** for each level, instead of recursion. */
int sm_json_skip (sm_json *r) {
  /* 1: an object */
  uint32_t objects[SM_JSON_MAX_DEPTH / 32 + 1] = {0};
  unsigned base = r->depth;
  for (;;) {
    int kind = sm_json_peek(r);
    if (kind == SM_J_OBJECT || kind == SM_J_ARRAY) {
      uint32_t bit;
      if (sm_json_enter(r, kind == SM_J_OBJECT ? '{' : '[') != SM_OK)
        return r->err;
      bit = (uint32_t)1 << (r->depth % 32);
      if (kind == SM_J_OBJECT)
        objects[r->depth / 32] |= bit;
      else
        objects[r->depth / 32] &= ~bit;
    } else if (kind < 0 || skip_scalar(r, kind) != SM_OK) {
      return r->err;
    }
    for (;;) {
      int more;
      if (r->depth == base)
        return SM_OK;
      more = skip_to_next(r, objects[r->depth / 32] >> (r->depth % 32) & 1);
      if (more < 0)
        return more;
      if (more == 1)
        break;
    }
  }
}

int sm_json_raw (sm_json *r, sm_str *text) {
  const char *start = blanks(r);
  int err = sm_json_skip(r);
  if (err == SM_OK)
    *text = (sm_str){start, (size_t)(r->p - start)};
  return err;
}

int sm_json_end (sm_json *r) {
  if (r->err == SM_OK && blanks(r) != r->end)
    return sm_json_fail(r, SM_ESYNTAX, "nothing more was expected");
  return r->err;
}

/* }} */
