/*
** sm_number.h: numbers and their decimal text, without the C library.
**
** No printf, no strtod, no locale. Reading a double rounds correctly (nearest,
** ties to even) for any number of digits, in time linear in the input plus a
** small constant; writing one gives the shortest text that reads back as the
** same double.
*/
#ifndef SM_NUMBER_H
#define SM_NUMBER_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* Room for the text of any 64-bit integer, and of any double. */
#define SM_INT_SIZE 20
#define SM_DOUBLE_SIZE 28

/* What number text stands for: see sm_number_parse. */
typedef struct sm_number {
  int is_int; /* 1: `i` holds it exactly; 0: `d` does */
  int64_t i;
  double d;
} sm_number;

/* The value as a double, rounded to nearest if need be. */
static inline double sm_number_double (const sm_number *n) {
  return n->is_int ? (double)n->i : n->d;
}

/* {{ Writing. The sm_*_text functions return how many bytes they wrote; there
** is no NUL at the end. */

size_t sm_u64_text(char out[SM_INT_SIZE], uint64_t v);
size_t sm_i64_text(char out[SM_INT_SIZE], int64_t v);

/*
** A finite double, in the form of ECMAScript's Number::toString (and of RFC
** 8785): 0.25, 1635195148.181, 100000000000000000000, 1e+21, 1.5e-7. Always a
** valid JSON number. Integral values have no ".0", except that minus zero is
** "-0.0", so that it stays one. NaN and the infinities are the caller's to
** treat; here they give "NaN", "Infinity" and "-Infinity".
*/
size_t sm_double_text(char out[SM_DOUBLE_SIZE], double v);

void sm_put_u64(sm_buf *b, uint64_t v);
void sm_put_i64(sm_buf *b, int64_t v);
void sm_put_double(sm_buf *b, double v);

/* }} */

/* {{ Reading. The whole of s must be the number; no blanks around it. */

/* Digits, maybe after a minus sign: SM_OK, SM_ESYNTAX, or SM_ERANGE when it
** does not fit. Leading zeros are allowed. */
int sm_parse_i64(sm_str s, int64_t *v);
int sm_parse_u64(sm_str s, uint64_t *v);

/*
** How many bytes from p are a number of the JSON grammar, the longest that
** matches (0: none). *integer becomes 1 when it has neither fraction nor
** exponent.
*/
size_t sm_number_span(const char *p, const char *end, int *integer);

/*
** Any number of the JSON grammar. Without fraction and exponent, and within 64
** bits, it is an integer ("-0" is the integer 0); otherwise a double: one too
** large becomes an infinity, one too small becomes zero. SM_ESYNTAX for all
** other text.
*/
int sm_number_parse(sm_str s, sm_number *n);

/* sm_number_parse for the bytes that sm_number_span has just counted, with the
** *integer it gave. */
void sm_number_read(sm_str s, int integer, sm_number *n);

/* The same, as a double in every case. */
int sm_parse_double(sm_str s, double *v);

/* }} */

SM_HIDDEN_END

#endif
