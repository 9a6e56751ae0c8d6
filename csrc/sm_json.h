/*
** sm_json.h: JSON out and JSON in (RFC 8259), with no tree in between.
**
** Writing appends to a sm_buf. The caller writes brackets and commas with
** sm_buf_putc, and values with the functions below:
**
**   sm_buf_putc(b, '{');
**   sm_json_put_name(b, SM_LIT("EndpointName"), 0);
**   if (sm_json_put_string(b, name, &bad) != SM_OK) ...
**   sm_buf_putc(b, '}');
**
** Reading pulls one token after the other out of borrowed bytes, which need no
** NUL and are never read past their end. The reader has no stack: the caller
** knows in which container it is, because it walks a shape as it reads.
**
**   sm_json r;
**   sm_json_init(&r, text, 100);
**   if (sm_json_enter(&r, '{') == SM_OK)
**     while ((more = sm_json_key(&r, &key, &scratch)) == 1)
**       if (sm_json_peek(&r) == SM_J_STRING)
**         sm_json_string(&r, &value, &scratch);
**       else
**         sm_json_skip(&r);
**   sm_json_end(&r);
**   if (r.err != SM_OK) ... r.what, at byte r.at
**
** Errors stick: after the first one every function returns it again, so a
** caller may look at r.err once, at its end, as long as its loops stop on
** negative answers.
**
** Choices where RFC 8259 leaves one: a byte-order mark is refused; invalid
** UTF-8 in a string is SM_EUTF8; an escaped surrogate without its partner
** becomes U+FFFD; \u0000 is taken; a number too large for a double is an
** infinity, too small a zero; duplicate keys are given as they come.
*/
#ifndef SM_JSON_H
#define SM_JSON_H

#include "sm_base.h"
#include "sm_buf.h"
#include "sm_number.h"

SM_HIDDEN_BEGIN

/* {{ Writer. Failure of the buffer is in b->err. */

/*
** Appends `"name":`, with a comma before it when `comma` is not zero. The name
** must need no escape: printable ASCII without quote and backslash, as member
** names of a model are.
*/
static inline void sm_json_put_name (sm_buf *b, sm_str name, int comma) {
  if (sm_buf_room(b, name.len + 4)) {
    char *p = b->p + b->len;
    if (comma)
      *p++ = ',';
    *p++ = '"';
    memcpy(p, name.p, name.len);
    p += name.len;
    *p++ = '"';
    *p++ = ':';
    b->len = (size_t)(p - b->p);
  }
}

/*
** Appends s in quotes. Quote, backslash and control characters are escaped;
** everything else goes through as it is. When s is not well-formed UTF-8 the
** answer is SM_EUTF8, *bad (unless bad is NULL) is the offset of the first bad
** byte and nothing is appended; otherwise it is b->err.
*/
int sm_json_put_string(sm_buf *b, sm_str s, size_t *bad);

/* Appends a number; NaN and the infinities become the strings "NaN",
** "Infinity" and "-Infinity", as Smithy has it. */
void sm_json_put_double(sm_buf *b, double v);

static inline void sm_json_put_int (sm_buf *b, int64_t v) {
  if (sm_buf_room(b, SM_INT_SIZE))
    b->len += sm_i64_text(b->p + b->len, v);
}

static inline void sm_json_put_bool (sm_buf *b, int v) {
  sm_buf_puts(b, v ? SM_LIT("true") : SM_LIT("false"));
}

static inline void sm_json_put_null (sm_buf *b) {
  sm_buf_put(b, "null", 4);
}

/* Appends n bytes as a string in base64. */
void sm_json_put_blob(sm_buf *b, const void *p, size_t n);

/* }} */

/* {{ Reader */

/* The hard limit of nesting; a caller may ask for less. */
#define SM_JSON_MAX_DEPTH 1024

/* What comes next. */
typedef enum sm_json_kind {
  SM_J_OBJECT = 1,
  SM_J_ARRAY,
  SM_J_STRING,
  SM_J_NUMBER,
  SM_J_TRUE,
  SM_J_FALSE,
  SM_J_NULL
} sm_json_kind;

typedef struct sm_json {
  const char *p;      /* the next byte to read */
  const char *end;    /* one past the last byte */
  const char *begin;  /* the first byte */
  int fresh;          /* 1: a container was just entered */
  unsigned depth;     /* how many containers are open */
  unsigned max_depth; /* how many may be */
  int err;            /* SM_OK or the first failure; sticky */
  size_t at;          /* its byte offset */
  const char *what;   /* what was wrong, in a few words; static text */
} sm_json;

/* Starts at the first byte of text; max_depth is at most SM_JSON_MAX_DEPTH
** (0: no container at all). */
void sm_json_init(sm_json *r, sm_str text, unsigned max_depth);

/*
** The kind of the value that comes next (a sm_json_kind), told by its first
** byte; the value may still turn out malformed. Reads nothing but blanks, so
** it may be asked again. Negative when no value can start here.
*/
int sm_json_peek(sm_json *r);

/* Goes into the object ('{') or the array ('[') that comes next: SM_OK,
** SM_ESYNTAX for another value, SM_ELIMIT beyond the allowed depth. */
int sm_json_enter(sm_json *r, char open);

/*
** Inside an object, at its begin or after a value: 1 and the next key, whose
** value must be read or skipped next; 0 when the object has ended, which also
** leaves it; negative on failure. About *key, see sm_json_string.
*/
int sm_json_key(sm_json *r, sm_str *key, sm_buf *scratch);

/*
** A short cut for sm_json_key: when exactly `,"name":` comes next, or at the
** begin of the object `"name":`, reads past it and answers 1; else reads
** nothing and answers 0. `text` is all of `,"name":`, len bytes.
*/
static inline int sm_json_take (sm_json *r, const char *text, size_t len) {
  const char *p = r->p - r->fresh; /* where the comma is, or would be */
  size_t i;
  if ((size_t)(r->end - r->p) < len || (*p != ',' && !r->fresh))
    return 0;
  for (i = 1; i + 8 <= len; i += 8) {
    if (memcmp(p + i, text + i, 8) != 0)
      return 0;
  }
  if (len < 9 ? memcmp(p + 1, text + 1, len - 1) != 0
              : memcmp(p + len - 8, text + len - 8, 8) != 0)
    return 0;
  r->p = p + len;
  r->fresh = 0;
  return 1;
}

/* Inside an array, at its begin or after an item: 1 when another item comes,
** 0 when the array has ended, which also leaves it; negative on failure. */
int sm_json_item(sm_json *r);

/*
** The string that comes next. *s borrows from the text when it holds no
** escape; otherwise the string is put together in *scratch (reset first) and
** *s borrows from there, until scratch is used again. SM_ESYNTAX, SM_EUTF8, or
** what befell scratch.
*/
int sm_json_string(sm_json *r, sm_str *s, sm_buf *scratch);

/* The number that comes next; *text, unless NULL, borrows its bytes. */
int sm_json_number(sm_json *r, sm_number *n, sm_str *text);

/* true (1) or false (0), whichever comes next. */
int sm_json_bool(sm_json *r, int *v);

/* The null that comes next. */
int sm_json_null(sm_json *r);

/* Reads past the next value, whatever it is, checking its syntax in full; its
** nesting counts from the present depth. */
int sm_json_skip(sm_json *r);

/* The same; *text borrows the value's bytes, without blanks around them. */
int sm_json_raw(sm_json *r, sm_str *text);

/* To be called after the outermost value: SM_ESYNTAX when anything but blanks
** follows. */
int sm_json_end(sm_json *r);

/* Notes a failure at the present place, for a caller that dislikes what it
** read; the first failure stays. Returns r->err. */
int sm_json_fail(sm_json *r, int err, const char *what);

/* }} */

SM_HIDDEN_END

#endif
