/*
** sm_decimal.c: exact comparison and exact digits, with integers that are
** large enough by arithmetic on the range of doubles, not by growing.
*/
#include "sm_decimal.h"

/*
** The largest number met is 769 digits (2,555 bits) or 2^55 × 5^1,100 (2,610
** bits) when reading, 2^1,130 when writing, and 31 bits of shift.
*/
#define LIMBS 96
#define MAX_DIGITS 769

/* An unsigned integer, least limb first; the top limb is not zero. */
typedef struct bignum {
  uint32_t limb[LIMBS];
  int n;
} bignum;

/* {{ Integers */

/* a = v */
static void big_set (bignum *a, uint64_t v) {
  a->n = 0;
  while (v != 0) {
    a->limb[a->n++] = (uint32_t)v;
    v >>= 32;
  }
}

/* a = a × m + add */
static void big_muladd (bignum *a, uint32_t m, uint32_t add) {
  uint64_t carry = add;
  int i;
  for (i = 0; i < a->n; i++) {
    carry += (uint64_t)a->limb[i] * m;
    a->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry != 0)
    a->limb[a->n++] = (uint32_t)carry;
}

/* a = a × 5^k */
static void big_pow5 (bignum *a, long k) {
  for (; k >= 13; k -= 13) /* the largest power of five in 32 bits */
    big_muladd(a, 1220703125u, 0);
  for (; k > 0; k--)
    big_muladd(a, 5, 0);
}

/* a = a × 2^k */
static void big_shift (bignum *a, long k) {
  int limbs = (int)(k / 32);
  int bits = (int)(k % 32);
  int i;
  if (a->n == 0 || k <= 0)
    return;
  /* whole limbs move, from the top; the rest is a multiplication */
  for (i = a->n - 1; i >= 0; i--)
    a->limb[i + limbs] = a->limb[i];
  for (i = 0; i < limbs; i++)
    a->limb[i] = 0;
  a->n += limbs;
  if (bits > 0)
    big_muladd(a, (uint32_t)1 << bits, 0);
}

/* Below, equal or above zero. No leading zeros: more limbs are more. */
static int big_compare (const bignum *a, const bignum *b) {
  int i;
  if (a->n != b->n)
    return a->n < b->n ? -1 : 1;
  for (i = a->n - 1; i >= 0; i--) {
    if (a->limb[i] != b->limb[i])
      return a->limb[i] < b->limb[i] ? -1 : 1;
  }
  return 0;
}

/* a = a + b */
static void big_add (bignum *a, const bignum *b) {
  uint64_t carry = 0;
  int i;
  for (i = 0; i < b->n || carry != 0; i++) {
    if (i == a->n)
      a->limb[a->n++] = 0;
    carry += (uint64_t)a->limb[i] + (i < b->n ? b->limb[i] : 0);
    a->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

/* a = a - b, which is not above a */
static void big_sub (bignum *a, const bignum *b) {
  uint64_t borrow = 0;
  int i;
  for (i = 0; i < a->n; i++) {
    uint64_t take = borrow + (i < b->n ? b->limb[i] : 0);
    borrow = a->limb[i] < take;
    a->limb[i] = (uint32_t)(a->limb[i] - take);
  }
  while (a->n > 0 && a->limb[a->n - 1] == 0)
    a->n--;
}

/* }} */

/* {{ Reading */

/* The digits as an integer; returns how many it took. */
static int big_digits (bignum *a, const sm_decimal *d) {
  const char *p = d->p;
  int n = 0;
  big_set(a, 0);
  for (; p < d->end && n < MAX_DIGITS; p++) {
    if (*p != '.') {
      big_muladd(a, 10, (uint32_t)(*p - '0'));
      n++;
    }
  }
  /* Any rest lies strictly between the digits so far and one more in the last
  ** place, and so does one final digit 1. */
  for (; p < d->end; p++) {
    if (*p != '.' && *p != '0') {
      big_muladd(a, 10, 1);
      return n + 1;
    }
  }
  return n;
}

int sm_decimal_compare (const sm_decimal *d, uint64_t half, int exponent) {
  bignum a, b;
  long ten = d->point - big_digits(&a, d); /* a × 10^ten is the number */
  long two = ten - exponent;
  /* a × 5^ten × 2^ten against b × 2^exponent: negative powers change sides, and
  ** those of two meet in one shift. */
  big_set(&b, half);
  if (ten >= 0)
    big_pow5(&a, ten);
  else
    big_pow5(&b, -ten);
  if (two >= 0)
    big_shift(&a, two);
  else
    big_shift(&b, -two);
  return big_compare(&a, &b);
}

/* }} */

/* {{ Writing: the free-format algorithm of Burger and Dybvig, "Printing
** Floating-Point Numbers Quickly and Accurately" (PLDI 1996). */

typedef struct printer {
  bignum r, s; /* the value is r / s … */
  bignum m;    /* … and m / s the distance to the boundary below */
  int wide;    /* 1: the boundary above is twice as far */
  int even;    /* 1: the boundaries read back as the value themselves */
} printer;

/* Compares r + m+ with s. */
static int above (const printer *p) {
  bignum sum = p->r;
  big_add(&sum, &p->m);
  if (p->wide)
    big_add(&sum, &p->m);
  return big_compare(&sum, &p->s);
}

/* Whether value and distance above reach the next digit or power. */
static int reaches (const printer *p) {
  int order = above(p);
  return order > 0 || (order == 0 && p->even);
}

/* Everything is doubled, or doubled twice, so that half the distance to each
** neighbour is whole. */
static void printer_set (printer *p, uint64_t mantissa, int exponent) {
  int twice;
  p->even = mantissa % 2 == 0;
  p->wide = mantissa == UINT64_C(1) << 52 && exponent > -1074;
  twice = p->wide ? 2 : 1;
  big_set(&p->r, mantissa);
  big_set(&p->s, 1);
  big_set(&p->m, 1);
  big_shift(&p->r, twice + (exponent > 0 ? exponent : 0));
  big_shift(&p->s, twice + (exponent < 0 ? -exponent : 0));
  big_shift(&p->m, exponent > 0 ? exponent : 0);
}

/* floor(log10(mantissa × 2^exponent)) or one less */
static int log10_estimate (uint64_t mantissa, int exponent) {
  int bits = exponent - 1;
  while (mantissa != 0) {
    mantissa >>= 1;
    bits++;
  }
  /* 78913 / 2^18 is log10(2); the offset keeps the shift off negatives */
  return (int)(((bits * 78913L) + (1024L << 18)) >> 18) - 1024;
}

/* Multiplies by 10^-k, so that 0 < value < 1 or the estimate was one short. */
static void printer_scale (printer *p, int k) {
  if (k >= 0) {
    big_pow5(&p->s, k);
    big_shift(&p->s, k);
  } else {
    big_pow5(&p->r, -k);
    big_shift(&p->r, -k);
    big_pow5(&p->m, -k);
    big_shift(&p->m, -k);
  }
}

/* The next digit: the quotient r × 10 / s, by subtraction. */
static int printer_digit (printer *p) {
  int digit = 0;
  big_muladd(&p->r, 10, 0);
  big_muladd(&p->m, 10, 0);
  while (big_compare(&p->r, &p->s) >= 0) {
    big_sub(&p->r, &p->s);
    digit++;
  }
  return digit;
}

int sm_decimal_shortest (uint64_t mantissa, int exponent, char digits[17],
                         int *point) {
  printer p;
  int n = 0;
  *point = log10_estimate(mantissa, exponent) + 1;
  printer_set(&p, mantissa, exponent);
  printer_scale(&p, *point);
  if (reaches(&p)) {
    ++*point;
    big_muladd(&p.s, 10, 0);
  }
  for (;;) {
    int digit = printer_digit(&p);
    int order = big_compare(&p.r, &p.m);
    int low = order < 0 || (order == 0 && p.even);
    int high = reaches(&p);
    if (low || high) {
      /* both ends are within reach: the nearer one, of two the even */
      if (low && high) {
        big_shift(&p.r, 1);
        order = big_compare(&p.r, &p.s);
        high = order > 0 || (order == 0 && digit % 2 != 0);
      }
      digits[n++] = (char)('0' + digit + high);
      return n;
    }
    digits[n++] = (char)('0' + digit);
  }
}

/* }} */
