/*
** sm_time.c: timestamps. No mktime, strptime or strftime: they ask the locale
** and the time zone, and stop at the limits of time_t.
*/
#include "sm_time.h"

#include "sm_number.h"
#include "sm_text.h"

#define DAY INT64_C(86400)
#define BILLION 1000000000

/* {{ The calendar: years begin in March, so that the leap day is their last;
** an era is 400 of them, 146,097 days. */

/* Days from 0000-03-01 to the first of January 1970. */
#define EPOCH_DAYS 719468

/* Days from the epoch to a date. From March on, the lengths of the months
** repeat every five: (153 m + 2) / 5 counts the days before month m. */
static long days_of (int year, int month, int day) {
  long y = month > 2 ? year : year - 1L; /* year 0 at least */
  long m = month > 2 ? month - 3 : month + 9;
  return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 -
         EPOCH_DAYS;
}

static int days_in_month (int year, int month) {
  int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month == 2)
    return 28 + leap;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* The inverse of days_of, counting from 0001-01-01 so that nothing divided is
** negative. */
int sm_time_split (int64_t sec, sm_date *d) {
  long day, era, of_era, year, of_year, m, rest;
  if (sec < SM_TIME_MIN || sec > SM_TIME_MAX)
    return SM_ERANGE;
  day = (long)((sec - SM_TIME_MIN) / DAY); /* since 0001-01-01, a Monday */
  rest = (long)((sec - SM_TIME_MIN) % DAY);
  d->weekday = (int)((day + 1) % 7);
  day += 306; /* since 0000-03-01 */
  era = day / 146097;
  of_era = day % 146097;
  year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  of_year = of_era - (365 * year + year / 4 - year / 100);
  m = (5 * of_year + 2) / 153;
  d->day = (int)(of_year - (153 * m + 2) / 5 + 1);
  d->month = (int)(m < 10 ? m + 3 : m - 9);
  d->year = (int)(year + era * 400 + (d->month <= 2));
  d->hour = (int)(rest / 3600);
  d->minute = (int)(rest / 60 % 60);
  d->second = (int)(rest % 60);
  return SM_OK;
}

int sm_time_join (const sm_date *d, int64_t *sec) {
  if (d->year < 1 || d->year > 9999 || d->month < 1 || d->month > 12 ||
      d->day < 1 || d->day > days_in_month(d->year, d->month))
    return SM_ERANGE;
  if (d->hour < 0 || d->hour > 23 || d->minute < 0 || d->minute > 59 ||
      d->second < 0 || d->second > 60)
    return SM_ERANGE;
  *sec = days_of(d->year, d->month, d->day) * DAY + d->hour * 3600L +
         d->minute * 60L + d->second;
  return *sec <= SM_TIME_MAX ? SM_OK : SM_ERANGE;
}

/* Whether the calendar has this second. */
static int in_range (int64_t sec) {
  return sec >= SM_TIME_MIN && sec <= SM_TIME_MAX;
}

/* }} */

/* {{ Pieces of text */

/* v as n digits, at out. */
static char *digits (char *out, int v, int n) {
  int i;
  for (i = n - 1; i >= 0; i--) {
    out[i] = (char)('0' + v % 10);
    v /= 10;
  }
  return out + n;
}

/* .25 and the like, without trailing zeros; nothing for 0. */
static char *fraction (char *out, int32_t nsec) {
  if (nsec == 0)
    return out;
  *out++ = '.';
  out = digits(out, nsec, 9);
  while (out[-1] == '0')
    out--;
  return out;
}

/* Room for epoch seconds with nanoseconds. */
#define EPOCH_SIZE (SM_INT_SIZE + 12)

static size_t epoch_text (char out[EPOCH_SIZE], sm_time t) {
  char *p = out;
  int64_t sec = t.sec;
  int32_t nsec = t.nsec;
  if (sec < 0 && nsec > 0) { /* -2 s + 0.75 s is written -1.25 */
    sec++;
    nsec = BILLION - nsec;
    if (sec == 0)
      *p++ = '-';
  }
  p += sm_i64_text(p, sec);
  return (size_t)(fraction(p, nsec) - out);
}

/* }} */

/* {{ Doubles */

/* Less than a microsecond: the only doubles here whose text has an exponent. */
static void from_tiny (double seconds, sm_time *t) {
  /* the offsets make truncation round down, and forgive the product's error */
  int32_t n = (int32_t)(seconds * 1e9 + 1e-9 + 1000) - 1000;
  t->sec = n < 0 ? -1 : 0;
  t->nsec = n < 0 ? n + BILLION : n;
}

/* By way of the shortest text: 1635195148.181 is a little less than that in
** binary, and rounding down would lose a nanosecond. */
int sm_time_from_double (double seconds, sm_time *t) {
  char text[SM_DOUBLE_SIZE];
  if (!(seconds >= (double)SM_TIME_MIN && seconds < (double)SM_TIME_MAX + 1))
    return SM_ERANGE;
  if (seconds == (double)(int64_t)seconds) {
    t->sec = (int64_t)seconds;
    t->nsec = 0;
    return SM_OK;
  }
  if (seconds > -1e-6 && seconds < 1e-6) {
    from_tiny(seconds, t);
    return SM_OK;
  }
  return sm_time_parse_epoch((sm_str){text, sm_double_text(text, seconds)}, t);
}

double sm_time_to_double (sm_time t) {
  int64_t scale = BILLION;
  int64_t rest = t.nsec;
  double v = 0;
  char text[EPOCH_SIZE];
  if (rest == 0)
    return (double)t.sec;
  while (rest % 10 == 0) {
    rest /= 10;
    scale /= 10;
  }
  /* A quotient of two exact doubles is rounded correctly. */
  if (scale <= 1000000 && t.sec > -INT64_C(4000000000) &&
      t.sec < INT64_C(4000000000))
    return (double)(t.sec * scale + rest) / (double)scale;
  sm_parse_double((sm_str){text, epoch_text(text, t)}, &v);
  return v;
}

/* }} */

/* {{ Reading: a cursor over the text. Each take_* function moves it and
** answers 1, or answers 0; once it has failed it must not be used on. */

typedef struct cursor {
  const char *p;
  const char *end;
} cursor;

/* The text without blanks around it. */
static cursor cursor_over (sm_str s) {
  cursor c;
  s = sm_str_trim(s);
  c.p = s.p;
  c.end = s.len > 0 ? s.p + s.len : s.p;
  return c;
}

static int at (const cursor *c, char ch) {
  return c->p < c->end && *c->p == ch;
}

static int take (cursor *c, char ch) {
  if (!at(c, ch))
    return 0;
  c->p++;
  return 1;
}

static int take_blanks (cursor *c) {
  const char *start = c->p;
  while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
    c->p++;
  return c->p > start;
}

/* min to max digits, as many as there are. */
static int take_digits (cursor *c, int min, int max, int *v) {
  int n = 0;
  *v = 0;
  while (n < max && c->p < c->end && sm_isdigit(*c->p)) {
    *v = *v * 10 + (*c->p++ - '0');
    n++;
  }
  return n >= min;
}

/* A fraction, when one comes: .5 is 500,000,000. */
static int take_fraction (cursor *c, int32_t *nsec) {
  int32_t unit = BILLION / 10;
  *nsec = 0;
  if (!take(c, '.'))
    return 1;
  if (c->p == c->end || !sm_isdigit(*c->p))
    return 0;
  /* unit becomes 0 after nine digits, and the rest counts nothing */
  for (; c->p < c->end && sm_isdigit(*c->p); c->p++) {
    *nsec += (*c->p - '0') * unit;
    unit /= 10;
  }
  return 1;
}

/* hh:mm:ss with an optional fraction; the seconds may be missing. */
static int take_clock (cursor *c, sm_date *d, int32_t *nsec) {
  *nsec = 0;
  d->second = 0;
  if (!take_digits(c, 2, 2, &d->hour) || !take(c, ':') ||
      !take_digits(c, 2, 2, &d->minute))
    return 0;
  if (!take(c, ':'))
    return 1;
  return take_digits(c, 2, 2, &d->second) && take_fraction(c, nsec);
}

/* A sign, then hhmm, hh:mm or hh; *offset in seconds east. -1 when a field is
** out of range. */
static int take_offset (cursor *c, long *offset) {
  int minus = at(c, '-');
  int hours, minutes = 0;
  if (!take(c, '-') && !take(c, '+'))
    return 0;
  if (!take_digits(c, 2, 2, &hours))
    return 0;
  if (take(c, ':') || (c->p < c->end && sm_isdigit(*c->p))) {
    if (!take_digits(c, 2, 2, &minutes))
      return 0;
  }
  if (hours > 23 || minutes > 59)
    return -1;
  *offset = (hours * 3600L + minutes * 60L) * (minus ? -1 : 1);
  return 1;
}

/* Puts a date, its fraction and its offset together. */
static int finish (const sm_date *d, int32_t nsec, long offset, sm_time *t) {
  int64_t sec;
  int err = sm_time_join(d, &sec);
  if (err != SM_OK)
    return err;
  sec -= offset;
  if (!in_range(sec))
    return SM_ERANGE;
  t->sec = sec;
  t->nsec = nsec;
  return SM_OK;
}

/* }} */

/* {{ ISO 8601 */

/* What follows yyyymmdd: "T123600Z". */
static int parse_compact (cursor *c, sm_date *d, sm_time *t) {
  if (!take_digits(c, 2, 2, &d->month) || !take_digits(c, 2, 2, &d->day) ||
      !take(c, 'T') || !take_digits(c, 2, 2, &d->hour) ||
      !take_digits(c, 2, 2, &d->minute) || !take_digits(c, 2, 2, &d->second) ||
      !take(c, 'Z') || c->p != c->end)
    return SM_ESYNTAX;
  return finish(d, 0, 0, t);
}

/* The first separator tells the two forms apart. */
int sm_time_parse_iso8601 (sm_str s, sm_time *t) {
  cursor c = cursor_over(s);
  sm_date d = {0, 0, 0, 0, 0, 0, 0};
  int32_t nsec = 0;
  long offset = 0;
  int ok;
  if (!take_digits(&c, 4, 4, &d.year))
    return SM_ESYNTAX;
  if (!take(&c, '-'))
    return parse_compact(&c, &d, t);
  if (!take_digits(&c, 2, 2, &d.month) || !take(&c, '-') ||
      !take_digits(&c, 2, 2, &d.day))
    return SM_ESYNTAX;
  if (c.p == c.end)
    return finish(&d, 0, 0, t);
  if (!take(&c, 'T') && !take(&c, 't') && !take(&c, ' '))
    return SM_ESYNTAX;
  if (!take_clock(&c, &d, &nsec))
    return SM_ESYNTAX;
  if (c.p < c.end && !take(&c, 'Z') && !take(&c, 'z')) {
    ok = take_offset(&c, &offset);
    if (ok <= 0)
      return ok == 0 ? SM_ESYNTAX : SM_ERANGE;
  }
  return c.p == c.end ? finish(&d, nsec, offset, t) : SM_ESYNTAX;
}

/* }} */

/* {{ RFC 7231, RFC 822 */

static const char weekdays[] = "sunmontuewedthufrisat";
static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char long_weekdays[7][10] = {"sunday",    "monday",   "tuesday",
                                          "wednesday", "thursday", "friday",
                                          "saturday"};

static sm_str take_word (cursor *c) {
  sm_str word = {c->p, 0};
  while (c->p < c->end && sm_isalpha(*c->p))
    c->p++;
  word.len = (size_t)(c->p - word.p);
  return word;
}

/* The place of a word of three letters in a list of such words, or -1. */
static int find3 (const char *list, int n, sm_str word) {
  int i;
  for (i = 0; i < n; i++) {
    if (sm_str_ieq(word, (sm_str){list + 3 * i, 3}))
      return i;
  }
  return -1;
}

/* "Sun", "Sunday", with a comma or not; or nothing when no letter comes. */
static int take_weekday (cursor *c) {
  sm_str word;
  int i;
  if (c->p < c->end && sm_isdigit(*c->p))
    return 1;
  word = take_word(c);
  if (find3(weekdays, 7, word) < 0) {
    for (i = 0; i < 7; i++) {
      const char *name = long_weekdays[i];
      if (sm_str_ieq(word, (sm_str){name, strlen(name)}))
        break;
    }
    if (i == 7)
      return 0;
  }
  if (take(c, ','))
    take_blanks(c);
  else if (!take_blanks(c))
    return 0;
  return 1;
}

/* A name of three letters; *month from 1. */
static int take_month (cursor *c, int *month) {
  *month = find3(months, 12, take_word(c)) + 1;
  return *month > 0;
}

/* Four digits, or two of 1950 to 2049. */
static int take_year (cursor *c, int *year) {
  const char *start = c->p;
  if (!take_digits(c, 2, 4, year))
    return 0;
  if (c->p - start == 2)
    *year += *year < 50 ? 2000 : 1900;
  else
    return c->p - start == 4;
  return 1;
}

/* The zone at the end of a date: 1, 0 or -1 as take_offset. */
static int take_zone (cursor *c, long *offset) {
  static const char names[] = "estedtcstcdtmstmdtpstpdt";
  static const signed char hours[] = {-5, -4, -6, -5, -7, -6, -8, -7};
  sm_str word;
  int i;
  *offset = 0;
  if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
    return take_offset(c, offset);
  word = take_word(c);
  if (sm_str_ieq(word, SM_LIT("GMT")) || sm_str_ieq(word, SM_LIT("UTC")) ||
      sm_str_ieq(word, SM_LIT("UT")) || sm_str_ieq(word, SM_LIT("Z")))
    return 1;
  i = find3(names, 8, word);
  if (i < 0)
    return 0;
  *offset = hours[i] * 3600L;
  return 1;
}

/* What follows "Sun " in "Sun Nov  6 08:49:37 1994". */
static int parse_asctime (cursor *c, sm_time *t) {
  sm_date d;
  int32_t nsec;
  if (!take_month(c, &d.month) || !take_blanks(c) ||
      !take_digits(c, 1, 2, &d.day) || !take_blanks(c) ||
      !take_clock(c, &d, &nsec) || !take_blanks(c) ||
      !take_digits(c, 4, 4, &d.year) || c->p != c->end)
    return SM_ESYNTAX;
  return finish(&d, nsec, 0, t);
}

/* The blank, or for RFC 850 the hyphen, between day, month and year. */
static int take_gap (cursor *c) {
  return take(c, '-') || take_blanks(c);
}

/* All three dates begin with a weekday or a day; a letter after the weekday is
** the month of asctime. */
int sm_time_parse_http (sm_str s, sm_time *t) {
  cursor c = cursor_over(s);
  sm_date d;
  int32_t nsec;
  long offset;
  int ok;
  if (!take_weekday(&c))
    return SM_ESYNTAX;
  if (c.p < c.end && sm_isalpha(*c.p))
    return parse_asctime(&c, t);
  if (!take_digits(&c, 1, 2, &d.day) || !take_gap(&c) ||
      !take_month(&c, &d.month) || !take_gap(&c) || !take_year(&c, &d.year) ||
      !take_blanks(&c) || !take_clock(&c, &d, &nsec) || !take_blanks(&c))
    return SM_ESYNTAX;
  ok = take_zone(&c, &offset);
  if (ok < 0)
    return SM_ERANGE;
  if (ok == 0 || c.p != c.end)
    return SM_ESYNTAX;
  return finish(&d, nsec, offset, t);
}

/* }} */

/* {{ Epoch seconds */

/* -1.25 is one second and 750,000,000 ns, counted from second -2. */
static int negate (sm_time *t, int inexact) {
  int64_t nsec = -(int64_t)t->nsec - inexact;
  t->sec = -t->sec;
  if (nsec < 0) {
    t->sec--;
    nsec += BILLION;
  }
  t->nsec = (int32_t)nsec;
  return in_range(t->sec) ? SM_OK : SM_ERANGE;
}

/* Digits with a fraction and no exponent, exactly. */
static int parse_decimal (cursor c, sm_time *t) {
  int minus = take(&c, '-');
  int inexact = 0;
  const char *p;
  t->sec = 0;
  for (; c.p < c.end && sm_isdigit(*c.p); c.p++) {
    t->sec = t->sec * 10 + (*c.p - '0');
    if (t->sec > SM_TIME_MAX)
      return SM_ERANGE;
  }
  p = c.p;
  take_fraction(&c, &t->nsec);
  if (c.end - p > 10) { /* the point and nine digits */
    for (p += 10; p < c.end; p++)
      inexact |= *p != '0';
  }
  return minus ? negate(t, inexact) : SM_OK;
}

/* Without an exponent the digits count as they are: a double would blur the
** nanoseconds. */
int sm_time_parse_epoch (sm_str s, sm_time *t) {
  cursor c = cursor_over(s);
  size_t n = (size_t)(c.end - c.p);
  double v;
  int integer;
  if (n == 0 || sm_number_span(c.p, c.end, &integer) != n)
    return SM_ESYNTAX;
  if (memchr(c.p, 'e', n) == NULL && memchr(c.p, 'E', n) == NULL)
    return parse_decimal(c, t);
  sm_parse_double((sm_str){c.p, n}, &v);
  return sm_time_from_double(v, t);
}

/* A number is an epoch; of the others only ISO 8601 begins with four digits.
 */
int sm_time_parse (sm_str s, sm_time *t) {
  cursor c = cursor_over(s);
  int integer;
  if (c.p == c.end)
    return SM_ESYNTAX;
  if (sm_number_span(c.p, c.end, &integer) == (size_t)(c.end - c.p))
    return sm_time_parse_epoch(s, t);
  if (c.end - c.p > 4 && sm_isdigit(c.p[2]) && sm_isdigit(c.p[3]))
    return sm_time_parse_iso8601(s, t);
  return sm_time_parse_http(s, t);
}

/* }} */

/* {{ Writing */

/* hh:mm:ss */
static char *clock_text (char *out, const sm_date *d) {
  out = digits(out, d->hour, 2);
  *out++ = ':';
  out = digits(out, d->minute, 2);
  *out++ = ':';
  return digits(out, d->second, 2);
}

/* Hands the text to the buffer, at once, so that none of it or all of it is
** appended. */
static int put (sm_buf *b, const char *text, const char *end) {
  sm_buf_put(b, text, (size_t)(end - text));
  return b->err;
}

int sm_time_put_iso8601 (sm_buf *b, sm_time t) {
  sm_date d;
  char text[32];
  char *p = text;
  if (sm_time_split(t.sec, &d) != SM_OK)
    return SM_ERANGE;
  p = digits(p, d.year, 4);
  *p++ = '-';
  p = digits(p, d.month, 2);
  *p++ = '-';
  p = digits(p, d.day, 2);
  *p++ = 'T';
  p = clock_text(p, &d);
  p = fraction(p, t.nsec);
  *p++ = 'Z';
  return put(b, text, p);
}

/* Three letters of a list, the first in upper case, and a blank. */
static char *name3 (char *out, const char *list, int i) {
  memcpy(out, list + 3 * i, 3);
  out[0] = (char)(out[0] - 'a' + 'A');
  return out + 3;
}

int sm_time_put_http (sm_buf *b, sm_time t) {
  sm_date d;
  char text[32];
  char *p = text;
  if (sm_time_split(t.sec, &d) != SM_OK)
    return SM_ERANGE;
  p = name3(p, weekdays, d.weekday);
  *p++ = ',';
  *p++ = ' ';
  p = digits(p, d.day, 2);
  *p++ = ' ';
  p = name3(p, months, d.month - 1);
  *p++ = ' ';
  p = digits(p, d.year, 4);
  *p++ = ' ';
  p = clock_text(p, &d);
  memcpy(p, " GMT", 4);
  return put(b, text, p + 4);
}

int sm_time_put_epoch (sm_buf *b, sm_time t) {
  char text[EPOCH_SIZE];
  if (!in_range(t.sec))
    return SM_ERANGE;
  return put(b, text, text + epoch_text(text, t));
}

int sm_time_amz (char out[SM_AMZ_DATE_SIZE], int64_t sec) {
  sm_date d;
  char *p = out;
  if (sm_time_split(sec, &d) != SM_OK)
    return SM_ERANGE;
  p = digits(p, d.year, 4);
  p = digits(p, d.month, 2);
  p = digits(p, d.day, 2);
  *p++ = 'T';
  p = digits(p, d.hour, 2);
  p = digits(p, d.minute, 2);
  p = digits(p, d.second, 2);
  *p = 'Z';
  return SM_OK;
}

/* }} */
