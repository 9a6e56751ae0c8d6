/*
** sm_time.h: points in time, and the ways AWS writes them.
**
** A sm_time counts from 1970-01-01T00:00:00Z without leap seconds, in the
** proleptic Gregorian calendar. Only years 0001 to 9999 exist: every function
** that makes or writes a sm_time answers SM_ERANGE beyond them.
**
** https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait
*/
#ifndef SM_TIME_H
#define SM_TIME_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

typedef struct sm_time {
  int64_t sec;  /* whole seconds, rounded down */
  int32_t nsec; /* 0 … 999,999,999 */
} sm_time;

#define SM_TIME_MIN INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define SM_TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* A point in time taken apart, in UTC. */
typedef struct sm_date {
  int year, month, day;     /* 1 … 9999, 1 … 12, 1 … 31 */
  int hour, minute, second; /* 0 … 23, 0 … 59, 0 … 59 */
  int weekday;              /* 0 is Sunday */
} sm_date;

/* sec within SM_TIME_MIN … SM_TIME_MAX to its parts; else SM_ERANGE. */
int sm_time_split(int64_t sec, sm_date *d);

/* Seconds of a date; `weekday` is not looked at. SM_ERANGE for a date that the
** calendar does not have. Second 60 is taken (leap seconds exist in text) and
** means the first of the next minute. */
int sm_time_join(const sm_date *d, int64_t *sec);

/*
** A double of epoch seconds. The decimal text of the double counts, so
** 1635195148.181 has exactly 181,000,000 ns; digits beyond nanoseconds are
** dropped towards the past. SM_ERANGE also for NaN and infinities.
*/
int sm_time_from_double(double seconds, sm_time *t);

/* The double nearest to t: the inverse of the above. */
double sm_time_to_double(sm_time t);

/* {{ Reading: the whole of s must be the timestamp; blanks around it are
** ignored. SM_ESYNTAX, or SM_ERANGE for an impossible date or field. */

/*
** ISO 8601 as RFC 3339 has it, with more freedom: yyyy-mm-dd alone (midnight);
** T, t or a blank before the time; seconds may be missing; a fraction of any
** length (digits beyond nanoseconds are dropped); Z, ±hh:mm, ±hhmm, ±hh or no
** zone, which means UTC. The compact form 20150830T123600Z is taken too.
*/
int sm_time_parse_iso8601(sm_str s, sm_time *t);

/*
** The three dates of RFC 7231 and those of RFC 822 and 5322:
**   Sun, 06 Nov 1994 08:49:37 GMT     Sunday, 06-Nov-94 08:49:37 GMT
**   Sun Nov  6 08:49:37 1994          6 Nov 94 08:49 -0500
** The weekday may be missing and need not be right; seconds may have a
** fraction; the zone is GMT, UT, UTC, Z, ±hhmm or a North American name. Years
** of two digits are 1950 to 2049.
*/
int sm_time_parse_http(sm_str s, sm_time *t);

/* Epoch seconds as a decimal number (JSON grammar): "1635195148.181", "1e9". */
int sm_time_parse_epoch(sm_str s, sm_time *t);

/* Whichever of the three it is. Eight digits alone are an epoch, not a date. */
int sm_time_parse(sm_str s, sm_time *t);

/* }} */

/* {{ Writing: SM_OK, SM_ERANGE (nothing appended) or the buffer's error. */

/* 2015-08-30T12:36:00Z, with the fraction, without trailing zeros, only when
** there is one. */
int sm_time_put_iso8601(sm_buf *b, sm_time t);

/* Sun, 30 Aug 2015 12:36:00 GMT; a fraction is dropped. */
int sm_time_put_http(sm_buf *b, sm_time t);

/* 1440938160 or 1440938160.25: a JSON number, exact to the nanosecond. */
int sm_time_put_epoch(sm_buf *b, sm_time t);

/* The 16 bytes 20150830T123600Z of X-Amz-Date; its first 8 are the date of the
** credential scope. No NUL. */
#define SM_AMZ_DATE_SIZE 16
int sm_time_amz(char out[SM_AMZ_DATE_SIZE], int64_t sec);

/* }} */

SM_HIDDEN_END

#endif
