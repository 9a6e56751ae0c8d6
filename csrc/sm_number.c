/*
** sm_number.c: numbers and their text.
**
** Both directions try the quick way first, and know when it does not decide:
** reading, one exact product or quotient of doubles (Clinger), then 64-bit
** arithmetic that carries a bound of its error, then sm_decimal.c; writing,
** the fewest decimals that divide back exactly, then sm_decimal.c.
*/
#include "sm_number.h"

#include <float.h>
#include <string.h>

#include "sm_decimal.h"
#include "sm_text.h"

/* Where arithmetic carries extra precision (x87) it would round twice; then
** only the integer ways below are used. */
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD == 0
#define EXACT_DOUBLES 1
#else
#define EXACT_DOUBLES 0
#endif

/* The powers of ten that a double holds exactly. */
#define MAX_EXACT_POWER 22
static const double exact_power[MAX_EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* {{ Integers */

/* Digits come out last first. */
static size_t put_digits (char *out, uint64_t v) {
  char tmp[SM_INT_SIZE];
  size_t n = 0;
  size_t i;
  do {
    tmp[n++] = (char)('0' + v % 10);
    v /= 10;
  } while (v != 0);
  for (i = 0; i < n; i++)
    out[i] = tmp[n - 1 - i];
  return n;
}

size_t sm_u64_text (char out[SM_INT_SIZE], uint64_t v) {
  return put_digits(out, v);
}

size_t sm_i64_text (char out[SM_INT_SIZE], int64_t v) {
  if (v >= 0)
    return put_digits(out, (uint64_t)v);
  out[0] = '-';
  /* negated as unsigned: INT64_MIN has no positive twin */
  return 1 + put_digits(out + 1, 0 - (uint64_t)v);
}

void sm_put_u64 (sm_buf *b, uint64_t v) {
  char text[SM_INT_SIZE];
  sm_buf_put(b, text, sm_u64_text(text, v));
}

void sm_put_i64 (sm_buf *b, int64_t v) {
  char text[SM_INT_SIZE];
  sm_buf_put(b, text, sm_i64_text(text, v));
}

/* Goes on after an overflow: what follows may still be no digit. */
int sm_parse_u64 (sm_str s, uint64_t *v) {
  uint64_t sum = 0;
  int err = s.len > 0 ? SM_OK : SM_ESYNTAX;
  size_t i;
  for (i = 0; i < s.len; i++) {
    unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
    if (digit > 9)
      return SM_ESYNTAX;
    if (sum > (UINT64_MAX - digit) / 10)
      err = SM_ERANGE;
    sum = sum * 10 + digit;
  }
  if (err == SM_OK)
    *v = sum;
  return err;
}

int sm_parse_i64 (sm_str s, int64_t *v) {
  int minus = s.len > 0 && s.p[0] == '-';
  uint64_t sum;
  int err;
  if (minus) {
    s.p++;
    s.len--;
  }
  err = sm_parse_u64(s, &sum);
  if (err != SM_OK)
    return err;
  if (sum > (uint64_t)INT64_MAX + (unsigned)minus)
    return SM_ERANGE;
  if (!minus)
    *v = (int64_t)sum;
  else
    *v = sum > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)sum;
  return SM_OK;
}

/* }} */

/* {{ Bits of doubles */

static uint64_t double_bits (double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

static double bits_double (uint64_t bits) {
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

#define MANTISSA_BITS ((UINT64_C(1) << 52) - 1)
#define HIDDEN_BIT (UINT64_C(1) << 52)
#define SIGN_BIT (UINT64_C(1) << 63)
#define INFINITY_BITS (UINT64_C(0x7FF) << 52)

/* mantissa × 2^exponent; mantissa at most 2^53, and below 2^52 only where
** exponent is -1074. */
static double compose (uint64_t mantissa, int exponent) {
  uint64_t biased;
  if (mantissa == HIDDEN_BIT << 1) {
    mantissa = HIDDEN_BIT;
    exponent++;
  }
  if (exponent > 971)
    return bits_double(INFINITY_BITS);
  biased = (mantissa & HIDDEN_BIT) != 0 ? (uint64_t)(exponent + 1075) : 0;
  return bits_double(biased << 52 | (mantissa & MANTISSA_BITS));
}

/* }} */

/* {{ Writing doubles */

/*
** A number with up to 15 digits is told from every other one by the double it
** rounds to, so the first m / 10^k that is v, with m below 10^15, is the
** shortest. Quotients of two exact doubles are rounded correctly. Returns the
** number of digits, or 0.
*/
static int short_digits (double v, char *digits, int *point) {
  int k;
  if (!EXACT_DOUBLES)
    return 0;
  for (k = 0; k <= MAX_EXACT_POWER; k++) {
    double scaled = v * exact_power[k];
    uint64_t m;
    if (scaled >= 1e15)
      return 0;
    m = (uint64_t)(scaled + 0.5);
    if ((double)m / exact_power[k] == v) {
      int n = (int)put_digits(digits, m);
      *point = n - k;
      return n;
    }
  }
  return 0;
}

/* The exponent of a number in scientific form: e+21, e-7. */
static size_t put_exponent (char *out, int e) {
  out[0] = 'e';
  out[1] = e < 0 ? '-' : '+';
  return 2 + put_digits(out + 2, (uint64_t)(e < 0 ? -e : e));
}

/* 0.digits × 10^point in the form that ECMAScript gives it. */
static size_t layout (char *out, const char *digits, int n, int point) {
  char *p = out;
  int whole = point <= 0 ? 0 : n < point ? n : point;
  if (point > 21 || point < -5) {
    *p++ = digits[0];
    if (n > 1) {
      *p++ = '.';
      memcpy(p, digits + 1, (size_t)n - 1);
      p += n - 1;
    }
    return (size_t)(p - out) + put_exponent(p, point - 1);
  }
  if (whole == 0)
    *p++ = '0';
  memcpy(p, digits, (size_t)whole);
  p += whole;
  for (; whole < point; point--)
    *p++ = '0';
  if (whole < n) {
    *p++ = '.';
    for (; point < 0; point++)
      *p++ = '0';
    memcpy(p, digits + whole, (size_t)(n - whole));
    p += n - whole;
  }
  return (size_t)(p - out);
}

static size_t put_word (char *out, const char *word) {
  size_t n = strlen(word);
  memcpy(out, word, n);
  return n;
}

size_t sm_double_text (char out[SM_DOUBLE_SIZE], double v) {
  uint64_t bits = double_bits(v);
  int biased = (int)(bits >> 52 & 0x7FF);
  int minus = (bits & SIGN_BIT) != 0;
  uint64_t mantissa = bits & MANTISSA_BITS;
  char digits[SM_INT_SIZE];
  char *p = out;
  int point, n;
  if (biased == 0x7FF && mantissa != 0)
    return put_word(out, "NaN");
  if (biased == 0x7FF)
    return put_word(out, minus ? "-Infinity" : "Infinity");
  if (v == 0)
    return put_word(out, minus ? "-0.0" : "0");
  if (minus) {
    *p++ = '-';
    v = -v;
  }
  if (v < 9007199254740992.0 && v == (double)(int64_t)v)
    return (size_t)(p - out) + put_digits(p, (uint64_t)v);
  n = short_digits(v, digits, &point);
  if (n == 0) { /* 16 or 17 digits, or an exponent beyond ±22 */
    int exponent = (biased > 0 ? biased : 1) - 1075;
    if (biased > 0)
      mantissa |= HIDDEN_BIT;
    n = sm_decimal_shortest(mantissa, exponent, digits, &point);
  }
  return (size_t)(p - out) + layout(p, digits, n, point);
}

void sm_put_double (sm_buf *b, double v) {
  char text[SM_DOUBLE_SIZE];
  sm_buf_put(b, text, sm_double_text(text, v));
}

/* }} */

/* {{ Reading doubles */

/* 10^(16 k) for k = -22 … 19: the upper 64 bits, rounded to nearest. */
#define FIRST_POWER (-22)
static const uint64_t power16[42] = {
    UINT64_C(0xCD42A11346F34F7D), UINT64_C(0xE3E27A444D8D98B8),
    UINT64_C(0xFD00B897478238D1), UINT64_C(0x8C71DCD9BA0B4926),
    UINT64_C(0x9BECCE62836AC577), UINT64_C(0xAD1C8EAB5EE43B67),
    UINT64_C(0xC0314325637A193A), UINT64_C(0xD5605FCDCF32E1D7),
    UINT64_C(0xECE53CEC4A314EBE), UINT64_C(0x8380DEA93DA4BC60),
    UINT64_C(0x91FF83775423CC06), UINT64_C(0xA21727DB38CB0030),
    UINT64_C(0xB3F4E093DB73A093), UINT64_C(0xC7CABA6E7C5382C9),
    UINT64_C(0xDDD0467C64BCE4A1), UINT64_C(0xF64335BCF065D37D),
    UINT64_C(0x88B402F7FD75539B), UINT64_C(0x97C560BA6B0919A6),
    UINT64_C(0xA87FEA27A539E9A5), UINT64_C(0xBB127C53B17EC159),
    UINT64_C(0xCFB11EAD453994BA), UINT64_C(0xE69594BEC44DE15B),
    UINT64_C(0x8000000000000000), UINT64_C(0x8E1BC9BF04000000),
    UINT64_C(0x9DC5ADA82B70B59E), UINT64_C(0xAF298D050E4395D7),
    UINT64_C(0xC2781F49FFCFA6D5), UINT64_C(0xD7E77A8F87DAF7FC),
    UINT64_C(0xEFB3AB16C59B14A3), UINT64_C(0x850FADC09923329E),
    UINT64_C(0x93BA47C980E98CE0), UINT64_C(0xA402B9C5A8D3A6E7),
    UINT64_C(0xB616A12B7FE617AA), UINT64_C(0xCA28A291859BBF93),
    UINT64_C(0xE070F78D3927556B), UINT64_C(0xF92E0C3537826146),
    UINT64_C(0x8A5296FFE33CC930), UINT64_C(0x9991A6F3D6BF1766),
    UINT64_C(0xAA7EEBFB9DF9DE8E), UINT64_C(0xBD49D14AA79DBC82),
    UINT64_C(0xD226FC195C6A2F8C), UINT64_C(0xE950DF20247C83FD)};

/* A number of the JSON grammar taken apart: 0.digits × 10^point. */
typedef struct scan {
  sm_decimal d;
  uint64_t w;    /* the first 19 significant digits */
  int digits;    /* how many of them there are */
  int truncated; /* 1: more digits follow, not all of them zero */
  int minus;
} scan;

/* An approximation: f × 2^e, off by at most `slack` eighths of a unit. */
typedef struct approx {
  uint64_t f;
  int e;
  uint64_t slack;
} approx;

/* Shifts until the top bit of f, which is not zero, is set. */
static void normalize (approx *a) {
  while ((a->f & SIGN_BIT) == 0) {
    a->f <<= 1;
    a->slack <<= 1;
    a->e--;
  }
}

/* The upper 64 bits of a 128-bit product, rounded to nearest. */
static uint64_t multiply (uint64_t a, uint64_t b) {
  uint64_t a1 = a >> 32, a0 = a & 0xFFFFFFFFu;
  uint64_t b1 = b >> 32, b0 = b & 0xFFFFFFFFu;
  uint64_t low = a0 * b0;
  uint64_t mid1 = a1 * b0 + (low >> 32);
  uint64_t mid2 = a0 * b1 + (mid1 & 0xFFFFFFFFu);
  /* the lower half is mid2 << 32 | …: its top bit rounds */
  return a1 * b1 + (mid1 >> 32) + (mid2 >> 32) + (mid2 >> 31 & 1);
}

/* a = a × 10^k, k from -352 to 319. */
static void scale (approx *a, int k) {
  int q = (k - FIRST_POWER * 16) / 16 + FIRST_POWER;
  int r = k - q * 16;
  approx ten = {1, 0, 0};
  for (; r > 0; r--)
    ten.f *= 10;
  normalize(&ten);
  normalize(a);
  a->f = multiply(a->f, ten.f);
  a->e += ten.e + 64;
  a->slack += 4;
  normalize(a);
  a->f = multiply(a->f, power16[q - FIRST_POWER]);
  /* floor(16 q log2(10)) + 1; the offset keeps the shift off negatives */
  a->e += (int)((q * 16 * 1741647L + (2048L << 19)) >> 19) - 2048 + 1;
  a->slack += 9; /* half a unit of the power, half of rounding, a rest */
  normalize(a);
}

/*
** Rounds an approximation to a double's mantissa and exponent. Returns 1 when
** the slack leaves no doubt; else 0, and the mantissa is that below the
** halfway point in question.
*/
static int round_approx (const approx *a, uint64_t *mantissa, int *exponent) {
  int drop = a->e + 64 > -1021 ? 11 : -1074 - a->e;
  uint64_t half, rest, slack;
  if (drop > 63) {
    *mantissa = 0;
    *exponent = -1074;
    return drop > 65; /* far below half of the least double */
  }
  half = UINT64_C(1) << (drop - 1);
  rest = a->f & (half * 2 - 1);
  slack = a->slack / 8 + 1;
  *mantissa = a->f >> drop;
  *exponent = a->e + drop;
  if (rest + slack < half)
    return 1;
  if (rest > half + slack) {
    ++*mantissa;
    return 1;
  }
  return 0;
}

/* The nearest double by 64-bit arithmetic; only where its error leaves it open
** on which side of a halfway point the number lies, exactly. */
static double approximate (const scan *s) {
  approx a;
  uint64_t mantissa;
  int exponent;
  a.f = s->w;
  a.e = 0;
  a.slack = s->truncated ? 8 : 0;
  scale(&a, (int)s->d.point - s->digits);
  if (!round_approx(&a, &mantissa, &exponent)) {
    int order = sm_decimal_compare(&s->d, mantissa * 2 + 1, exponent - 1);
    if (order > 0 || (order == 0 && mantissa % 2 != 0))
      mantissa++;
  }
  return compose(mantissa, exponent);
}

/* The magnitude of a scanned number. */
static double scan_value (const scan *s) {
  long e = s->d.point - s->digits;
  if (s->w == 0 || s->d.point < -324) /* below half of the least double */
    return 0;
  if (s->d.point > 309)
    return bits_double(INFINITY_BITS);
  if (EXACT_DOUBLES && !s->truncated && s->w <= HIDDEN_BIT << 1) {
    if (e >= 0 && e <= MAX_EXACT_POWER)
      return (double)s->w * exact_power[e];
    if (e < 0 && e >= -MAX_EXACT_POWER)
      return (double)s->w / exact_power[-e];
  }
  return approximate(s);
}

/* }} */

/* {{ Scanning */

/* A fraction or an exponent that is not complete does not belong to it: "1.x"
** is the number 1 and then something else. */
size_t sm_number_span (const char *begin, const char *end, int *integer) {
  const char *p = begin;
  const char *mark;
  if (p < end && *p == '-')
    p++;
  if (p == end || !sm_isdigit(*p))
    return 0;
  if (*p++ != '0') {
    while (p < end && sm_isdigit(*p))
      p++;
  }
  mark = p;
  if (end - p >= 2 && *p == '.' && sm_isdigit(p[1])) {
    for (p++; p < end && sm_isdigit(*p); p++)
      ;
  }
  if (end - p >= 2 && (*p | 0x20) == 'e') {
    const char *q = p + 1;
    if (*q == '+' || *q == '-')
      q++;
    if (q < end && sm_isdigit(*q)) {
      for (p = q; p < end && sm_isdigit(*p); p++)
        ;
    }
  }
  *integer = p == mark;
  return (size_t)(p - begin);
}

/* The exponent that begins at p with e or E, held below 10^9. */
static long scan_exponent (const char *p, const char *end) {
  long e = 0;
  int minus;
  if (p == end)
    return 0;
  minus = p[1] == '-';
  p += 1 + (p[1] == '-' || p[1] == '+');
  for (; p < end; p++) {
    if (e < 100000000) /* more cannot be balanced by digits in memory */
      e = e * 10 + (*p - '0');
  }
  return minus ? -e : e;
}

/* Digits and point, up to the exponent or the end, which it returns. */
static const char *scan_digits (scan *s, const char *p, const char *end) {
  long whole = 0; /* significant digits before the point, minus leading zeros
                     behind it */
  int fraction = 0;
  for (; p < end && (*p | 0x20) != 'e'; p++) {
    if (*p == '.') {
      fraction = 1;
      continue;
    }
    if (s->digits == 0 && *p == '0') {
      whole -= fraction;
      continue;
    }
    if (s->digits == 0)
      s->d.p = p;
    if (s->digits < 19) {
      s->w = s->w * 10 + (uint64_t)(*p - '0');
      s->digits++;
    } else if (*p != '0') {
      s->truncated = 1;
    }
    whole += !fraction;
  }
  s->d.end = p;
  s->d.point = whole;
  return p;
}

/* Takes apart text that sm_number_span accepts. */
static void scan_number (scan *s, const char *p, const char *end) {
  memset(s, 0, sizeof *s);
  if (*p == '-') {
    s->minus = 1;
    p++;
  }
  s->d.p = p;
  p = scan_digits(s, p, end);
  s->d.point += scan_exponent(p, end);
}

/* For text that is known to be a number. */
static double read_double (sm_str s) {
  scan sc;
  double magnitude;
  scan_number(&sc, s.p, s.p + s.len);
  magnitude = scan_value(&sc);
  return sc.minus ? -magnitude : magnitude;
}

void sm_number_read (sm_str s, int integer, sm_number *n) {
  n->d = 0;
  n->i = 0;
  n->is_int = integer && sm_parse_i64(s, &n->i) == SM_OK;
  if (!n->is_int)
    n->d = read_double(s);
}

/* True when all of s is one number. */
static int whole (sm_str s, int *integer) {
  return s.len > 0 && sm_number_span(s.p, s.p + s.len, integer) == s.len;
}

int sm_number_parse (sm_str s, sm_number *n) {
  int integer;
  if (!whole(s, &integer))
    return SM_ESYNTAX;
  sm_number_read(s, integer, n);
  return SM_OK;
}

int sm_parse_double (sm_str s, double *v) {
  int integer;
  if (!whole(s, &integer))
    return SM_ESYNTAX;
  *v = read_double(s);
  return SM_OK;
}

/* }} */
