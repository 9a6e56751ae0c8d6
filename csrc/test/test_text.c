#include "test.h"

#include <float.h>
#include <math.h>

#include "sm_number.h"
#include "sm_text.h"

static sm_buf buf;

/* The contents of the shared buffer, which is then empty. */
static sm_str taken (void) {
  sm_str s = sm_buf_str(&buf);
  sm_buf_reset(&buf);
  return s;
}

/* {{ Characters */

static void ascii (void) {
  int c;
  test_name("ASCII");
  for (c = 0; c < 256; c++) {
    int digit = c >= '0' && c <= '9';
    int lower = c >= 'a' && c <= 'z';
    int upper = c >= 'A' && c <= 'Z';
    CHECK(sm_isdigit((char)c) == digit);
    CHECK(sm_isalpha((char)c) == (lower || upper));
    CHECK(sm_lower((char)c) == (char)(upper ? c + 32 : c));
    CHECK((sm_hexval((char)c) >= 0) ==
          (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
  }
  CHECK(sm_str_ieq(SM_LIT("Content-TYPE"), SM_LIT("content-type")));
  CHECK(!sm_str_ieq(SM_LIT("a"), SM_LIT("ab")));
  CHECK(!sm_str_ieq(SM_LIT("["), SM_LIT("{")));
  CHECK(sm_str_eq((sm_str){NULL, 0}, SM_LIT("")));
  CHECK(sm_str_cmp(SM_LIT("a"), SM_LIT("ab")) < 0);
  CHECK(sm_str_cmp(SM_LIT("\xC3"), SM_LIT("a")) > 0);
  CHECK(sm_str_cmp((sm_str){NULL, 0}, SM_LIT("")) == 0);
  CHECK_TEXT(sm_str_trim(SM_LIT(" \t\r\n a b \n")), "a b");
  CHECK_TEXT(sm_str_trim(SM_LIT("  ")), "");
}

static void hex (void) {
  test_name("hex");
  sm_hex_put(&buf, "\x00\x7f\xff", 3);
  CHECK_TEXT(taken(), "007fff");
  CHECK(sm_hex_decode(&buf, SM_LIT("4a4B")) == SM_OK);
  CHECK_TEXT(taken(), "JK");
  CHECK(sm_hex_decode(&buf, SM_LIT("4")) == SM_ESYNTAX);
  CHECK(sm_hex_decode(&buf, SM_LIT("4g")) == SM_ESYNTAX);
  CHECK(buf.len == 0);
}

static void base64 (void) {
  /* RFC 4648, section 10 */
  static const char *const rows[][2] = {
      {"", ""},         {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"},  {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
      {"\xff", "/w=="}, {"\xfb\xf0", "+/A="}, {"foobar", "Zm9vYmFy"}};
  static const char *const bad[] = {"Zg",   "Zg=",      "Zh==",  "Zm9=",
                                    "Z===", "====",     "Zm9v=", "Zm 9",
                                    "Zm9-", "Zg==Zg==", "=g=="};
  size_t i;
  test_name("base64");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    sm_base64_put(&buf, rows[i][0], strlen(rows[i][0]));
    CHECK(buf.len == sm_base64_size(strlen(rows[i][0])));
    CHECK_TEXT(taken(), rows[i][1]);
    CHECK(sm_base64_decode(&buf, test_str(rows[i][1])) == SM_OK);
    CHECK_TEXT(taken(), rows[i][0]);
  }
  for (i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(sm_base64_decode(&buf, test_str(bad[i])) == SM_ESYNTAX);
    CHECK(taken().len == 0);
  }
}

static void base64_round (void) {
  unsigned char in[70];
  size_t n;
  test_name("base64 of every length");
  for (n = 0; n < sizeof in; n++) {
    sm_buf text;
    in[n] = (unsigned char)(n * 37 + 11);
    sm_buf_init(&text, sm_base64_size(n), sm_libc_alloc, NULL);
    sm_base64_put(&text, in, n);
    CHECK(text.err == SM_OK);
    CHECK(sm_base64_decode(&buf, sm_buf_str(&text)) == SM_OK);
    CHECK(buf.len == n && (n == 0 || memcmp(buf.p, in, n) == 0));
    sm_buf_reset(&buf);
    sm_buf_free(&text);
  }
}

static void percent (void) {
  int c;
  test_name("percent-encoding");
  for (c = 0; c < 256; c++) {
    char in = (char)c;
    char want[4];
    int keep = sm_isalnum(in) || (c != 0 && strchr("-_.~", c) != NULL);
    snprintf(want, sizeof want, keep ? "%c" : "%%%02X", c);
    sm_percent_put(&buf, (sm_str){&in, 1}, 0);
    CHECK_TEXT(sm_buf_str(&buf), want);
    CHECK(sm_percent_decode(&buf, taken()) == SM_OK || c == 0);
    sm_buf_reset(&buf);
  }
  sm_percent_put(&buf, SM_LIT("a b/\xE2\x98\x83/c"), 1);
  CHECK_TEXT(taken(), "a%20b/%E2%98%83/c");
  CHECK(sm_percent_decode(&buf, SM_LIT("%41%7a+b%2F")) == SM_OK);
  CHECK_TEXT(taken(), "Az+b/");
  CHECK(sm_percent_decode(&buf, SM_LIT("ok%")) == SM_ESYNTAX);
  CHECK(sm_percent_decode(&buf, SM_LIT("ok%4")) == SM_ESYNTAX);
  CHECK(sm_percent_decode(&buf, SM_LIT("ok%4g")) == SM_ESYNTAX);
  CHECK(taken().len == 0);
}

/* }} */

/* {{ UTF-8 */

/* Whether a code point may be encoded, by definition. */
static int scalar (uint32_t code) {
  return code < 0x110000 && !(code >= 0xD800 && code < 0xE000);
}

static void utf8_all (void) {
  uint32_t code;
  long wrong = 0;
  test_name("every code point");
  for (code = 0; code < 0x110000; code++) {
    char text[4];
    int n = sm_utf8_encode(text, code);
    int seen = sm_utf8_seq(text, text + n);
    wrong += seen != (scalar(code) ? n : 0);
    wrong += n > 1 && sm_utf8_seq(text, text + n - 1) != 0;
  }
  CHECK(wrong == 0);
}

/* All sequences of two bytes, and of three and four with borders behind. */
static void utf8_bytes (void) {
  static const char tails[] = "\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0";
  long wrong = 0;
  int a, i, j, k;
  test_name("sequences of bytes");
  for (a = 0x80; a < 256; a++) {
    for (i = 0; i < 8 * 8 * 8; i++) {
      unsigned char t[4] = {0, 0, 0, 0};
      uint32_t code;
      int n;
      t[0] = (unsigned char)a;
      for (j = 1, k = i; j < 4; j++, k /= 8)
        t[j] = (unsigned char)tails[k % 8];
      n = sm_utf8_seq((char *)t, (char *)t + 4);
      if (n == 0)
        continue;
      code = n == 2 ? a & 0x1F : n == 3 ? a & 0x0F : a & 0x07;
      for (j = 1; j < n; j++) {
        wrong += (t[j] & 0xC0) != 0x80;
        code = code << 6 | (t[j] & 0x3F);
      }
      wrong += !scalar(code);
      wrong += code < (n == 2 ? 0x80u : n == 3 ? 0x800u : 0x10000u);
    }
  }
  CHECK(wrong == 0);
}

static void utf8_check (void) {
  const char *text = "0123456\xC3\xA4 9abcdef\xE2\x82\xAC\xF0\x9D\x84\x9E.";
  size_t whole = strlen(text);
  test_edge edge = test_edge_make(100);
  size_t n, i;
  test_name("UTF-8 up to the edge");
  CHECK(sm_utf8_check(test_str(text)) == whole);
  CHECK(sm_utf8_len(test_str(text)) == 19);
  for (n = 0; n <= whole; n++) {
    size_t at = sm_utf8_check(test_edge_copy(&edge, (sm_str){text, n}));
    CHECK(at <= n && n - at < 4);
  }
  test_name("a bad byte anywhere");
  for (i = 0; i < 40; i++) {
    char line[40];
    memset(line, 'x', sizeof line);
    line[i] = '\xFF';
    CHECK(sm_utf8_check((sm_str){line, sizeof line}) == i);
  }
  test_edge_free(&edge);
}

/* }} */

/* {{ Numbers */

static void integers (void) {
  char out[SM_INT_SIZE];
  int64_t i;
  uint64_t u;
  test_name("integers");
  CHECK_TEXT(((sm_str){out, sm_i64_text(out, 0)}), "0");
  CHECK_TEXT(((sm_str){out, sm_i64_text(out, INT64_MIN)}),
             "-9223372036854775808");
  CHECK_TEXT(((sm_str){out, sm_u64_text(out, UINT64_MAX)}),
             "18446744073709551615");
  sm_put_i64(&buf, -42);
  sm_put_u64(&buf, 7);
  CHECK_TEXT(taken(), "-427");
  CHECK(sm_parse_i64(SM_LIT("-9223372036854775808"), &i) == SM_OK);
  CHECK(i == INT64_MIN);
  CHECK(sm_parse_i64(SM_LIT("9223372036854775807"), &i) == SM_OK);
  CHECK(i == INT64_MAX);
  CHECK(sm_parse_i64(SM_LIT("9223372036854775808"), &i) == SM_ERANGE);
  CHECK(sm_parse_i64(SM_LIT("-9223372036854775809"), &i) == SM_ERANGE);
  CHECK(sm_parse_u64(SM_LIT("18446744073709551615"), &u) == SM_OK);
  CHECK(u == UINT64_MAX);
  CHECK(sm_parse_u64(SM_LIT("18446744073709551616"), &u) == SM_ERANGE);
  CHECK(sm_parse_u64(SM_LIT("99999999999999999999"), &u) == SM_ERANGE);
  CHECK(sm_parse_u64(SM_LIT("9999999999999999999x"), &u) == SM_ESYNTAX);
  CHECK(sm_parse_u64(SM_LIT(""), &u) == SM_ESYNTAX);
  CHECK(sm_parse_i64(SM_LIT("-"), &i) == SM_ESYNTAX);
  CHECK(sm_parse_i64(SM_LIT("+1"), &i) == SM_ESYNTAX);
}

static void double_text (void) {
  static const struct {
    double v;
    const char *text;
  } rows[] = {{0, "0"},
              {-0.0, "-0.0"},
              {1, "1"},
              {-2.5, "-2.5"},
              {0.1, "0.1"},
              {0.25, "0.25"},
              {1635195148.181, "1635195148.181"},
              {1.0 / 3, "0.3333333333333333"},
              {123456789012345680.0, "123456789012345680"},
              {1e20, "100000000000000000000"},
              {1e21, "1e+21"},
              {1e22, "1e+22"},
              {1e-6, "0.000001"},
              {1.5e-7, "1.5e-7"},
              {5e-324, "5e-324"},
              {DBL_MAX, "1.7976931348623157e+308"},
              {DBL_MIN, "2.2250738585072014e-308"},
              {9007199254740991.0, "9007199254740991"},
              {798773617134960.25, "798773617134960.2"},
              {2251799813685248.5, "2251799813685248.5"},
              {-1.2345678901234567e-300, "-1.2345678901234568e-300"}};
  size_t i;
  test_name("text of doubles");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    double back;
    sm_put_double(&buf, rows[i].v);
    CHECK_TEXT(sm_buf_str(&buf), rows[i].text);
    CHECK(sm_parse_double(taken(), &back) == SM_OK);
    CHECK(back == rows[i].v && signbit(back) == signbit(rows[i].v));
  }
  sm_put_double(&buf, NAN);
  CHECK_TEXT(taken(), "NaN");
  sm_put_double(&buf, -INFINITY);
  CHECK_TEXT(taken(), "-Infinity");
}

static double random_double (uint64_t *state) {
  uint64_t x = *state;
  double v;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  *state = x;
  if (x % 4 == 0) /* what people write */
    return (double)(x >> 40) / 1000;
  memcpy(&v, &x, sizeof v);
  return v - v == 0 ? v : 1;
}

/* The C library of the tests reads doubles correctly; the tests run in the C
** locale. */
static void double_round (void) {
  uint64_t state = 88172645463325252u;
  long wrong = 0;
  int i;
  test_name("doubles there and back");
  for (i = 0; i < 100000; i++) {
    double v = random_double(&state);
    char text[SM_DOUBLE_SIZE + 1], plain[40];
    double ours, same;
    size_t n = sm_double_text(text, v);
    text[n] = '\0';
    wrong += sm_parse_double((sm_str){text, n}, &ours) != SM_OK || ours != v;
    wrong += strtod(text, NULL) != v;
    n = (size_t)snprintf(plain, sizeof plain, "%.*e", i % 25, v);
    wrong += sm_parse_double((sm_str){plain, n}, &same) != SM_OK;
    wrong += same != strtod(plain, NULL);
  }
  CHECK(wrong == 0);
}

/* The double after v, which is positive. */
static double next_up (double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  bits++;
  memcpy(&v, &bits, sizeof v);
  return v;
}

/* Exactly between two doubles, just below and just above, in 1,000 digits. */
static void double_halfway (void) {
  static const double rows[] = {1,       0.1,        5e-324, 1e-310, DBL_MIN,
                                1.5e300, 123.456789, 1e22,   3e-308, 9e15};
  char text[1500];
  size_t i;
  test_name("halfway points");
  for (i = 0; i < sizeof rows / sizeof *rows; i++) {
    double up = next_up(rows[i]);
    long double mid = rows[i] + ((long double)up - rows[i]) / 2;
    size_t n = (size_t)snprintf(text, sizeof text, "%.1080Lf", mid);
    double v;
    if (LDBL_MANT_DIG < 64)
      continue;
    CHECK(sm_parse_double((sm_str){text, n}, &v) == SM_OK);
    CHECK(v == strtod(text, NULL));
    text[n] = '1';
    CHECK(sm_parse_double((sm_str){text, n + 1}, &v) == SM_OK);
    CHECK(v == up);
  }
}

static void number_grammar (void) {
  static const char *const good[] = {
      "0",       "-0",  "12",   "1.5",
      "-0.0e-0", "1E5", "1e+5", "123456789012345678901"};
  static const char *const bad[] = {"",   "-",   "01",  "1.",   ".5",   "+1",
                                    "1e", "1e+", "0x1", "1.e5", "NaN",  "1,5",
                                    " 1", "1 ",  "--1", "1e5.", "1.5.5"};
  sm_number n;
  size_t i;
  test_name("grammar of numbers");
  for (i = 0; i < sizeof good / sizeof *good; i++)
    CHECK(sm_number_parse(test_str(good[i]), &n) == SM_OK);
  for (i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK(sm_number_parse(test_str(bad[i]), &n) == SM_ESYNTAX);
  sm_number_parse(SM_LIT("-9223372036854775808"), &n);
  CHECK(n.is_int && n.i == INT64_MIN);
  sm_number_parse(SM_LIT("9223372036854775808"), &n);
  CHECK(!n.is_int && n.d == 9223372036854775808.0);
  sm_number_parse(SM_LIT("-0"), &n);
  CHECK(n.is_int && n.i == 0 && sm_number_double(&n) == 0);
  sm_number_parse(SM_LIT("-1e400"), &n);
  CHECK(!n.is_int && n.d == -INFINITY);
  sm_number_parse(SM_LIT("1e-999999999999999999999"), &n);
  CHECK(!n.is_int && n.d == 0);
}

static void number_long (void) {
  enum {
    SIZE = 100000
  };
  char *text = malloc(SIZE + 20);
  double v;
  size_t n;
  test_name("numbers of many digits");
  if (text == NULL)
    abort();
  memset(text, '9', SIZE);
  n = SIZE + (size_t)snprintf(text + SIZE, 20, "e-%d", SIZE);
  CHECK(sm_parse_double((sm_str){text, n}, &v) == SM_OK && v == 1);
  memset(text, '0', SIZE);
  text[0] = '1';
  CHECK(sm_parse_double((sm_str){text, n}, &v) == SM_OK && v == 0.1);
  text[0] = '0';
  text[1] = '.';
  text[SIZE - 1] = '7';
  n = SIZE + (size_t)snprintf(text + SIZE, 20, "e%d", SIZE - 2);
  CHECK(sm_parse_double((sm_str){text, n}, &v) == SM_OK && v == 7);
  free(text);
}

static void number_edge (void) {
  static const char text[] = "-12345678901234567890.125e-15";
  test_edge edge = test_edge_make(100);
  size_t i;
  test_name("numbers up to the edge");
  for (i = 0; i < sizeof text; i++) {
    sm_number n;
    char copy[sizeof text] = "";
    int ok;
    sm_str s = test_edge_copy(&edge, (sm_str){text, i});
    memcpy(copy, text, i);
    ok = sm_number_parse(s, &n) == SM_OK;
    CHECK(!ok || sm_number_double(&n) == strtod(copy, NULL));
  }
  test_edge_free(&edge);
}

/* }} */

static int everything (sm_alloc alloc, void *ud) {
  sm_buf b;
  int err;
  sm_buf_init(&b, 1 << 20, alloc, ud);
  while (b.err == SM_OK && b.len < 4000) {
    sm_hex_put(&b, "abc", 3);
    sm_base64_put(&b, "abcd", 4);
    sm_percent_put(&b, SM_LIT("a b c"), 0);
    sm_put_double(&b, 0.1);
    if (sm_hex_decode(&b, SM_LIT("4142")) != b.err ||
        sm_base64_decode(&b, SM_LIT("Zm9v")) != b.err ||
        sm_percent_decode(&b, SM_LIT("%41b")) != b.err)
      b.err = SM_EARG;
  }
  err = b.err;
  sm_buf_free(&b);
  return err;
}

int main (void) {
  sm_buf_init(&buf, 1 << 20, sm_libc_alloc, NULL);
  ascii();
  hex();
  base64();
  base64_round();
  percent();
  utf8_all();
  utf8_bytes();
  utf8_check();
  integers();
  double_text();
  double_round();
  double_halfway();
  number_grammar();
  number_long();
  number_edge();
  test_name("allocation failure");
  test_allocations(everything);
  sm_buf_free(&buf);
  return test_end();
}
