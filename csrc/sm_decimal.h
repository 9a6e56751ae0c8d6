/*
** sm_decimal.h: the exact part of turning decimal digits into doubles and
** back, for the rare values that the quick ways of sm_number.c cannot decide.
** Private to the number functions.
**
** Arithmetic is on integers of a fixed size, on the stack. 769 significant
** digits are enough to tell any two halfway points apart, so more digits are
** never looked at one by one: a non-zero rest counts as one final digit 1.
*/
#ifndef SM_DECIMAL_H
#define SM_DECIMAL_H

#include "sm_base.h"

SM_HIDDEN_BEGIN

/* A positive decimal number: 0.d1 d2 d3 … × 10^point, d1 not zero. */
typedef struct sm_decimal {
  const char *p;   /* from d1 on; a '.' may stand among the digits */
  const char *end; /* one past the last digit */
  long point;      /* -400 … 400, or the value needs no exact look */
} sm_decimal;

/*
** Compares the decimal number with half × 2^exponent exactly: below, equal or
** above zero. half is below 2^55, and both values lie within a factor of four
** of each other and in the range of doubles.
*/
int sm_decimal_compare(const sm_decimal *d, uint64_t half, int exponent);

/*
** The shortest digits that read back as mantissa × 2^exponent (a positive
** double, mantissa below 2^53, at least 2^52 unless exponent is -1074), and of
** the shortest the nearest (of two, the even). Writes n digits, 1 to 17, that
** mean 0.d1 d2 … dn × 10^*point, and returns n.
*/
int sm_decimal_shortest(uint64_t mantissa, int exponent, char digits[17],
                        int *point);

SM_HIDDEN_END

#endif
