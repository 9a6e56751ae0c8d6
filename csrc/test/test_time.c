#include "test.h"

#include <math.h>

#include "sm_time.h"

static sm_buf buf;

static sm_str taken (void) {
  sm_str s = sm_buf_str(&buf);
  sm_buf_reset(&buf);
  return s;
}

/* {{ The calendar */

static void every_day (void) {
  sm_date d = {1, 1, 1, 0, 0, 0, 0};
  int64_t sec = SM_TIME_MIN;
  int weekday = 1;
  long wrong = 0;
  test_name("every day of the calendar");
  while (sec <= SM_TIME_MAX) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
    int leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
    sm_date got;
    int64_t joined;
    wrong += sm_time_split(sec + 86399, &got) != SM_OK;
    wrong += got.year != d.year || got.month != d.month || got.day != d.day;
    wrong += got.hour != 23 || got.minute != 59 || got.second != 59;
    wrong += got.weekday != weekday;
    wrong += sm_time_join(&d, &joined) != SM_OK || joined != sec;
    sec += 86400;
    weekday = (weekday + 1) % 7;
    if (++d.day > lengths[d.month - 1] + (d.month == 2 && leap)) {
      wrong += sm_time_join(&d, &joined) != SM_ERANGE;
      d.day = 1;
      d.month++;
    }
    if (d.month > 12) {
      d.month = 1;
      d.year++;
    }
  }
  CHECK(wrong == 0);
  CHECK(d.year == 10000);
}

static void calendar_bounds (void) {
  static const sm_date bad[] = {
      {0, 1, 1, 0, 0, 0, 0},        {10000, 1, 1, 0, 0, 0, 0},
      {2015, 0, 1, 0, 0, 0, 0},     {2015, 13, 1, 0, 0, 0, 0},
      {2015, 1, 0, 0, 0, 0, 0},     {2015, 2, 29, 0, 0, 0, 0},
      {2015, 1, 1, 24, 0, 0, 0},    {2015, 1, 1, 0, 60, 0, 0},
      {2015, 1, 1, 0, 0, 61, 0},    {2015, 1, 1, -1, 0, 0, 0},
      {9999, 12, 31, 23, 59, 60, 0}};
  sm_date d = {2016, 12, 31, 23, 59, 60, 0};
  int64_t sec;
  char amz[SM_AMZ_DATE_SIZE];
  size_t i;
  test_name("bounds of the calendar");
  for (i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK(sm_time_join(&bad[i], &sec) == SM_ERANGE);
  CHECK(sm_time_join(&d, &sec) == SM_OK && sec == 1483228800);
  CHECK(sm_time_split(SM_TIME_MIN - 1, &d) == SM_ERANGE);
  CHECK(sm_time_split(SM_TIME_MAX + 1, &d) == SM_ERANGE);
  CHECK(sm_time_split(INT64_MAX, &d) == SM_ERANGE);
  CHECK(sm_time_split(INT64_MIN, &d) == SM_ERANGE);
  CHECK(sm_time_amz(amz, INT64_MIN) == SM_ERANGE);
}

/* }} */

/* {{ Reading */

typedef struct row {
  const char *text;
  int64_t sec;
  int32_t nsec;
} row;

static const row good[] = {
    {"2014-01-01T12:12:12Z", 1388578332, 0},
    {"2014-01-01t12:12:12z", 1388578332, 0},
    {"2014-01-01 12:12:12", 1388578332, 0},
    {"  2014-01-01T12:12:12Z\n", 1388578332, 0},
    {"2014-01-01T12:12:12+00:00", 1388578332, 0},
    {"2014-01-01T07:12:12-05:00", 1388578332, 0},
    {"2014-01-01T07:12:12-0500", 1388578332, 0},
    {"2014-01-01T07:12:12-05", 1388578332, 0},
    {"2014-01-01T17:42:12+05:30", 1388578332, 0},
    {"2014-01-01T12:12", 1388578320, 0},
    {"2014-01-01T12:12Z", 1388578320, 0},
    {"2014-01-01T12:12:12.123456", 1388578332, 123456000},
    {"2014-01-01T12:12:12.5Z", 1388578332, 500000000},
    {"2014-01-01T12:12:12.1234567899999Z", 1388578332, 123456789},
    {"1970-01-01", 0, 0},
    {"2000-02-29", 951782400, 0},
    {"0001-01-01T00:00:00Z", SM_TIME_MIN, 0},
    {"9999-12-31T23:59:59.999999999Z", SM_TIME_MAX, 999999999},
    {"1969-12-31T23:59:59.25Z", -1, 250000000},
    {"2016-12-31T23:59:60Z", 1483228800, 0},
    {"20150830T123600Z", 1440938160, 0},
    {"Wed, 01 Jan 2014 12:12:12 GMT", 1388578332, 0},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777, 0},
    {"Sun Nov  6 08:49:37 1994", 784111777, 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777, 0},
    {"sun, 6 NOV 1994 08:49:37 gmt", 784111777, 0},
    {"6 Nov 94 08:49:37 UT", 784111777, 0},
    {"6 Nov 94 03:49:37 -0500", 784111777, 0},
    {"6 Nov 94 03:49:37 EST", 784111777, 0},
    {"6 Nov 1994 00:49:37 PST", 784111777, 0},
    {"Sun, 02 Jan 2000 20:34:56.000 GMT", 946845296, 0},
    {"Sun, 02 Jan 2000 20:34:56.456 GMT", 946845296, 456000000},
    {"Mon, 1 Jan 2049 00:00 +0000", 2493072000, 0},
    {"1 Jan 50 00:00 Z", -631152000, 0},
    {"0", 0, 0},
    {"-0", 0, 0},
    {"1222172800", 1222172800, 0},
    {"-2208988800", -2208988800, 0},
    {"1635195148.181", 1635195148, 181000000},
    {"-1.25", -2, 750000000},
    {"-0.25", -1, 750000000},
    {"0.0000000019", 0, 1},
    {"-0.0000000019", -1, 999999998},
    {"1e9", 1000000000, 0},
    {"1.5E3", 1500, 0},
    {"25e-1", 2, 500000000},
    {"3e-7", 0, 300},
    {"-3e-7", -1, 999999700},
    {"1e-300", 0, 0},
    {"20150830", 20150830, 0},
    {"253402300799.5", SM_TIME_MAX, 500000000},
    {"-62135596800", SM_TIME_MIN, 0}};

static void parse_good (void) {
  size_t i;
  test_name("timestamps");
  for (i = 0; i < sizeof good / sizeof *good; i++) {
    sm_time t = {-7, -7};
    int err = sm_time_parse(test_str(good[i].text), &t);
    if (!CHECK(err == SM_OK && t.sec == good[i].sec && t.nsec == good[i].nsec))
      printf("  %s: %d, %ld, %ld\n", good[i].text, err, (long)t.sec,
             (long)t.nsec);
  }
}

static const struct {
  const char *text;
  int err;
} bad[] = {{"", SM_ESYNTAX},
           {" ", SM_ESYNTAX},
           {"notTimestamp", SM_ESYNTAX},
           {"invalid date", SM_ESYNTAX},
           {"None", SM_ESYNTAX},
           {"NaN", SM_ESYNTAX},
           {"2014", SM_OK},
           {"2014-01", SM_ESYNTAX},
           {"2014-1-1", SM_ESYNTAX},
           {"2014-01-01T", SM_ESYNTAX},
           {"2014-01-01T12", SM_ESYNTAX},
           {"2014-01-01T12:12:12.", SM_ESYNTAX},
           {"2014-01-01T12:12:12.Z", SM_ESYNTAX},
           {"2014-01-01T12:12:12ZZ", SM_ESYNTAX},
           {"2014-01-01T12:12:12+", SM_ESYNTAX},
           {"2014-01-01T12:12:12+5", SM_ESYNTAX},
           {"2014-01-01T12:12:12+05:3", SM_ESYNTAX},
           {"2014-01-01T12:12:12 GMT", SM_ESYNTAX},
           {"2014-01-01X12:12:12Z", SM_ESYNTAX},
           {"02014-01-01", SM_ESYNTAX},
           {"2014-13-01", SM_ERANGE},
           {"2014-02-29", SM_ERANGE},
           {"2014-01-01T24:00:00Z", SM_ERANGE},
           {"2014-01-01T12:60:00Z", SM_ERANGE},
           {"2014-01-01T12:12:61Z", SM_ERANGE},
           {"2014-01-01T12:12:12+24:00", SM_ERANGE},
           {"2014-01-01T12:12:12+05:60", SM_ERANGE},
           {"0000-01-01", SM_ERANGE},
           {"0001-01-01T00:00:00+00:01", SM_ERANGE},
           {"9999-12-31T23:59:59-00:01", SM_ERANGE},
           {"20150830T123600", SM_ESYNTAX},
           {"20150830T1236Z", SM_ESYNTAX},
           {"20151330T123600Z", SM_ERANGE},
           {"Foo, 01 Jan 2014 12:12:12 GMT", SM_ESYNTAX},
           {"Wed, 01 Foo 2014 12:12:12 GMT", SM_ESYNTAX},
           {"Wed, 01 Jan 201 12:12:12 GMT", SM_ESYNTAX},
           {"Wed, 01 Jan 2014 12:12:12", SM_ESYNTAX},
           {"Wed, 01 Jan 2014 12:12:12 XYZ", SM_ESYNTAX},
           {"Wed, 01 Jan 2014 12:12:12 GMT x", SM_ESYNTAX},
           {"Wed, 32 Jan 2014 12:12:12 GMT", SM_ERANGE},
           {"Wed, 01 Jan 2014 12:12:12 +9900", SM_ERANGE},
           {"Wed", SM_ESYNTAX},
           {"Wed,", SM_ESYNTAX},
           {"Sun Nov  6 08:49:37", SM_ESYNTAX},
           {"1e400", SM_ERANGE},
           {"1e12", SM_ERANGE},
           {"253402300800", SM_ERANGE},
           {"-62135596801", SM_ERANGE},
           {"-62135596800.5", SM_ERANGE},
           {"99999999999999999999999999", SM_ERANGE},
           {"0x10", SM_ESYNTAX},
           {"1_000", SM_ESYNTAX},
           {"+5", SM_ESYNTAX}};

static void parse_bad (void) {
  size_t i;
  test_name("bad timestamps");
  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    sm_time t;
    int err = sm_time_parse(test_str(bad[i].text), &t);
    if (!CHECK(err == bad[i].err))
      printf("  %s: %d\n", bad[i].text, err);
  }
}

/* Every beginning, with nothing readable behind it. */
static void parse_edge (void) {
  static const char *const texts[] = {
      "2014-01-01T17:42:12.123456789+05:30", "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994", "20150830T123600Z", "-1635195148.181e-3"};
  test_edge edge = test_edge_make(100);
  size_t i, n;
  test_name("timestamps up to the edge");
  for (i = 0; i < sizeof texts / sizeof *texts; i++) {
    sm_time t;
    for (n = 0; n <= strlen(texts[i]); n++) {
      sm_str s = test_edge_copy(&edge, (sm_str){texts[i], n});
      sm_time_parse(s, &t);
      sm_time_parse_iso8601(s, &t);
      sm_time_parse_http(s, &t);
      sm_time_parse_epoch(s, &t);
    }
    CHECK(sm_time_parse(test_str(texts[i]), &t) == SM_OK);
  }
  CHECK(sm_time_parse((sm_str){NULL, 0}, &(sm_time){0, 0}) == SM_ESYNTAX);
  test_edge_free(&edge);
}

/* }} */

/* {{ Doubles */

static void doubles (void) {
  static const double rows[] = {0,    1,          -1,         1635195148.181,
                                0.25, -0.25,      1e-9,       946845296.123,
                                5e-7, -5e-7,      123.456789, -62135596800.0,
                                1e11, 1e11 + 0.5, -1e10 - .1, 1768480496.000001,
                                1e-6, -1e-6,      0.1,        253402300799.0};
  static const double beyond[] = {
      NAN, INFINITY, -INFINITY, 1e300, 253402300800.0, -62135596800.5, -1e18};
  sm_time t;
  size_t i;
  test_name("doubles");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    CHECK(sm_time_from_double(rows[i], &t) == SM_OK);
    CHECK(t.nsec >= 0 && t.nsec < 1000000000);
    if (!CHECK(sm_time_to_double(t) == rows[i]))
      printf("  %.17g %.17g\n", rows[i], sm_time_to_double(t));
  }
  for (i = 0; i < sizeof beyond / sizeof *beyond; i++)
    CHECK(sm_time_from_double(beyond[i], &t) == SM_ERANGE);
  CHECK(sm_time_from_double(1635195148.181, &t) == SM_OK);
  CHECK(t.sec == 1635195148 && t.nsec == 181000000);
  CHECK(sm_time_from_double(-1e-300, &t) == SM_OK && t.sec == 0);
  CHECK(sm_time_to_double((sm_time){253402300799, 999999999}) ==
        253402300800.0);
}

/* }} */

/* {{ Writing */

static void formats (void) {
  char amz[SM_AMZ_DATE_SIZE];
  sm_time t = {1440938160, 0};
  test_name("formats");
  CHECK(sm_time_put_iso8601(&buf, t) == SM_OK);
  CHECK_TEXT(taken(), "2015-08-30T12:36:00Z");
  CHECK(sm_time_put_http(&buf, t) == SM_OK);
  CHECK_TEXT(taken(), "Sun, 30 Aug 2015 12:36:00 GMT");
  CHECK(sm_time_put_epoch(&buf, t) == SM_OK);
  CHECK_TEXT(taken(), "1440938160");
  CHECK(sm_time_amz(amz, t.sec) == SM_OK);
  CHECK_TEXT(((sm_str){amz, sizeof amz}), "20150830T123600Z");
  t.nsec = 250000000;
  sm_time_put_iso8601(&buf, t);
  CHECK_TEXT(taken(), "2015-08-30T12:36:00.25Z");
  sm_time_put_http(&buf, t);
  CHECK_TEXT(taken(), "Sun, 30 Aug 2015 12:36:00 GMT");
  sm_time_put_epoch(&buf, t);
  CHECK_TEXT(taken(), "1440938160.25");
  sm_time_put_epoch(&buf, (sm_time){-2, 750000000});
  CHECK_TEXT(taken(), "-1.25");
  sm_time_put_epoch(&buf, (sm_time){-1, 750000000});
  CHECK_TEXT(taken(), "-0.25");
  sm_time_put_epoch(&buf, (sm_time){SM_TIME_MIN, 1});
  CHECK_TEXT(taken(), "-62135596799.999999999");
  sm_time_put_iso8601(&buf, (sm_time){SM_TIME_MIN, 1});
  CHECK_TEXT(taken(), "0001-01-01T00:00:00.000000001Z");
  sm_time_put_http(&buf, (sm_time){SM_TIME_MAX, 0});
  CHECK_TEXT(taken(), "Fri, 31 Dec 9999 23:59:59 GMT");
  test_name("formats out of range");
  CHECK(sm_time_put_iso8601(&buf, (sm_time){SM_TIME_MAX + 1, 0}) == SM_ERANGE);
  CHECK(sm_time_put_http(&buf, (sm_time){SM_TIME_MIN - 1, 0}) == SM_ERANGE);
  CHECK(sm_time_put_epoch(&buf, (sm_time){INT64_MAX, 0}) == SM_ERANGE);
  CHECK(buf.len == 0 && buf.err == SM_OK);
}

static void round_trips (void) {
  uint64_t x = 88172645463325252u;
  long wrong = 0;
  int i;
  test_name("there and back");
  for (i = 0; i < 20000; i++) {
    sm_time t, back;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    t.sec = SM_TIME_MIN + (int64_t)(x % (uint64_t)(SM_TIME_MAX - SM_TIME_MIN));
    t.nsec = i % 2 ? (int32_t)(x >> 32) & 0x1FFFFFFF : 0;
    wrong += sm_time_put_iso8601(&buf, t) != SM_OK;
    wrong += sm_time_parse(taken(), &back) != SM_OK;
    wrong += back.sec != t.sec || back.nsec != t.nsec;
    wrong += sm_time_put_epoch(&buf, t) != SM_OK;
    wrong += sm_time_parse(taken(), &back) != SM_OK;
    wrong += back.sec != t.sec || back.nsec != t.nsec;
    wrong += sm_time_put_http(&buf, t) != SM_OK;
    wrong += sm_time_parse(taken(), &back) != SM_OK;
    wrong += back.sec != t.sec || back.nsec != 0;
    sm_time_from_double(sm_time_to_double(t), &back);
    wrong += sm_time_to_double(back) != sm_time_to_double(t);
  }
  CHECK(wrong == 0);
}

/* }} */

static int writes (sm_alloc alloc, void *ud) {
  sm_time t = {1440938160, 5};
  sm_buf b;
  int err;
  sm_buf_init(&b, 4096, alloc, ud);
  while (b.len < 2000 && b.err == SM_OK) {
    if (sm_time_put_iso8601(&b, t) != b.err ||
        sm_time_put_http(&b, t) != b.err || sm_time_put_epoch(&b, t) != b.err)
      b.err = SM_EARG;
  }
  err = b.err;
  sm_buf_free(&b);
  return err;
}

int main (void) {
  sm_buf_init(&buf, 1000, sm_libc_alloc, NULL);
  every_day();
  calendar_bounds();
  parse_good();
  parse_bad();
  parse_edge();
  doubles();
  formats();
  round_trips();
  test_name("allocation failure");
  test_allocations(writes);
  sm_buf_free(&buf);
  return test_end();
}
