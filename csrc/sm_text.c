/*
** sm_text.c: bytes and characters.
**
** The encoders reserve what they need once and then write without looking at
** the buffer again; percent-encoding, which may grow threefold but hardly ever
** does, appends run by run instead.
*/
#include "sm_text.h"

/* {{ ASCII */

/* Header names are compared this way: HTTP folds ASCII letters only. */
int sm_str_ieq (sm_str a, sm_str b) {
  size_t i;
  if (a.len != b.len)
    return 0;
  for (i = 0; i < a.len; i++) {
    if (sm_lower(a.p[i]) != sm_lower(b.p[i]))
      return 0;
  }
  return 1;
}

int sm_str_cmp (sm_str a, sm_str b) {
  size_t n = a.len < b.len ? a.len : b.len;
  int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
  if (order != 0)
    return order;
  return (a.len > b.len) - (a.len < b.len);
}

/* isspace would ask the locale. */
static int isblank_ascii (char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

sm_str sm_str_trim (sm_str s) {
  while (s.len > 0 && isblank_ascii(s.p[0])) {
    s.p++;
    s.len--;
  }
  while (s.len > 0 && isblank_ascii(s.p[s.len - 1]))
    s.len--;
  return s;
}

/* }} */

/* {{ Hex and base64 */

static const char lower_digits[] = "0123456789abcdef";
static const char upper_digits[] = "0123456789ABCDEF";
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The first check keeps n * 2 from wrapping around; such an n cannot be met in
** memory, but a buffer without limit would not notice. */
void sm_hex_put (sm_buf *b, const void *p, size_t n) {
  const unsigned char *in = p;
  char *out;
  size_t i;
  if (n > SIZE_MAX / 2)
    b->err = b->err == SM_OK ? SM_ELIMIT : b->err;
  if (n == 0 || !sm_buf_room(b, n * 2))
    return;
  out = b->p + b->len;
  for (i = 0; i < n; i++) {
    *out++ = lower_digits[in[i] >> 4];
    *out++ = lower_digits[in[i] & 15];
  }
  b->len += n * 2;
}

/* The length is set only at the end, so a bad digit leaves nothing behind. */
int sm_hex_decode (sm_buf *b, sm_str s) {
  char *out;
  size_t i;
  if (s.len % 2 != 0)
    return SM_ESYNTAX;
  if (s.len == 0)
    return b->err;
  if (!sm_buf_room(b, s.len / 2))
    return b->err;
  out = b->p + b->len;
  for (i = 0; i < s.len; i += 2) {
    int high = sm_hexval(s.p[i]);
    int low = sm_hexval(s.p[i + 1]);
    if (high < 0 || low < 0)
      return SM_ESYNTAX;
    *out++ = (char)(high << 4 | low);
  }
  b->len += s.len / 2;
  return SM_OK;
}

/* Four characters for the three bytes of `word`. */
static void base64_quad (char *out, unsigned long word) {
  out[0] = alphabet[word >> 18 & 63];
  out[1] = alphabet[word >> 12 & 63];
  out[2] = alphabet[word >> 6 & 63];
  out[3] = alphabet[word & 63];
}

void sm_base64_put (sm_buf *b, const void *p, size_t n) {
  const unsigned char *in = p;
  char *out;
  size_t i;
  if (n > SIZE_MAX / 2)
    b->err = b->err == SM_OK ? SM_ELIMIT : b->err;
  if (n == 0 || !sm_buf_room(b, sm_base64_size(n)))
    return;
  out = b->p + b->len;
  for (i = 0; n - i >= 3; i += 3, out += 4)
    base64_quad(out, (unsigned long)in[i] << 16 |
                         (unsigned long)in[i + 1] << 8 | in[i + 2]);
  if (n - i > 0) {
    unsigned long word = (unsigned long)in[i] << 16;
    if (n - i == 2)
      word |= (unsigned long)in[i + 1] << 8;
    base64_quad(out, word);
    out[3] = '=';
    if (n - i == 1)
      out[2] = '=';
  }
  b->len += sm_base64_size(n);
}

/* Value of a base64 digit, or -1. */
static int base64_value (char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/*
** Decodes four characters of which the last `pad` are padding. Returns how
** many bytes it wrote, or -1.
*/
static int base64_decode_quad (char *out, const char *in, int pad) {
  unsigned long word = 0;
  int i;
  for (i = 0; i < 4; i++) {
    int v = i < 4 - pad ? base64_value(in[i]) : 0;
    if (v < 0)
      return -1;
    word = word << 6 | (unsigned long)v;
  }
  /* Bits that belong to no byte must be zero, or two texts would mean the same
  ** bytes: RFC 4648, section 3.5. */
  if ((word & ((1ul << (8 * pad)) - 1)) != 0)
    return -1;
  out[0] = (char)(word >> 16 & 255);
  if (pad < 2)
    out[1] = (char)(word >> 8 & 255);
  if (pad < 1)
    out[2] = (char)(word & 255);
  return 3 - pad;
}

int sm_base64_decode (sm_buf *b, sm_str s) {
  size_t start = b->len;
  size_t i;
  if (s.len % 4 != 0)
    return SM_ESYNTAX;
  if (s.len == 0)
    return b->err;
  /* The padding is not decoded: a limit equal to the result is enough. */
  if (!sm_buf_room(b, s.len / 4 * 3 - (s.p[s.len - 1] == '=') -
                          (s.p[s.len - 2] == '=')))
    return b->err;
  for (i = 0; i < s.len; i += 4) {
    int pad = 0; /* '=' counts as padding at the very end only */
    int n;
    if (i + 4 == s.len && s.p[i + 3] == '=')
      pad = s.p[i + 2] == '=' ? 2 : 1;
    n = base64_decode_quad(b->p + b->len, s.p + i, pad);
    if (n < 0) {
      b->len = start;
      return SM_ESYNTAX;
    }
    b->len += (size_t)n;
  }
  return SM_OK;
}

/* }} */

/* {{ Percent-encoding */

/* One bit for each of the 128 ASCII characters: A-Z a-z 0-9 - _ . ~ */
static const uint32_t unreserved[4] = {0, 0x03FF6000u, 0x87FFFFFEu,
                                       0x47FFFFFEu};

/* Whether AWS wants the character as it is. */
static int stays (char c, int keep_slash) {
  unsigned char u = (unsigned char)c;
  if (u < 128 && (unreserved[u >> 5] >> (u & 31) & 1) != 0)
    return 1;
  return keep_slash && c == '/';
}

void sm_percent_put (sm_buf *b, sm_str s, int keep_slash) {
  size_t i = 0;
  while (i < s.len && b->err == SM_OK) {
    size_t run = i; /* most text is one run: copied at once */
    while (i < s.len && stays(s.p[i], keep_slash))
      i++;
    sm_buf_put(b, s.p + run, i - run);
    if (i < s.len) {
      unsigned char u = (unsigned char)s.p[i++];
      char hex[3] = {'%', 0, 0};
      hex[1] = upper_digits[u >> 4];
      hex[2] = upper_digits[u & 15];
      sm_buf_put(b, hex, sizeof hex);
    }
  }
}

int sm_percent_decode (sm_buf *b, sm_str s) {
  size_t start = b->len;
  size_t i = 0;
  while (i < s.len && b->err == SM_OK) {
    const char *mark = memchr(s.p + i, '%', s.len - i);
    size_t run = mark != NULL ? (size_t)(mark - s.p) : s.len;
    sm_buf_put(b, s.p + i, run - i);
    i = run;
    if (mark != NULL) {
      int high = s.len - i > 2 ? sm_hexval(s.p[i + 1]) : -1;
      int low = s.len - i > 2 ? sm_hexval(s.p[i + 2]) : -1;
      if (high < 0 || low < 0) {
        b->len = start;
        return SM_ESYNTAX;
      }
      sm_buf_putc(b, (char)(high << 4 | low));
      i += 3;
    }
  }
  if (b->err != SM_OK)
    b->len = start;
  return b->err;
}

/* }} */

/* {{ UTF-8 */

/* True for a byte 10xxxxxx, which continues a sequence. */
static int continues (char c) {
  return ((unsigned char)c & 0xC0) == 0x80;
}

/* Whether the second byte v fits the lead u: no overlong form, no surrogate,
** nothing above U+10FFFF (RFC 3629, section 4). */
static int second_fits (unsigned char u, unsigned char v) {
  switch (u) {
  case 0xE0:
    return v >= 0xA0;
  case 0xED:
    return v <= 0x9F;
  case 0xF0:
    return v >= 0x90;
  case 0xF4:
    return v <= 0x8F;
  default:
    return 1;
  }
}

int sm_utf8_seq (const char *p, const char *end) {
  unsigned char u = (unsigned char)*p;
  ptrdiff_t left = end - p;
  if (u < 0x80)
    return 1;
  /* C0 and C1 would begin overlong forms; F5 and above lead beyond U+10FFFF */
  if (u < 0xC2 || u > 0xF4 || left < 2 || !continues(p[1]))
    return 0;
  if (u < 0xE0)
    return 2;
  if (left < 3 || !continues(p[2]) || !second_fits(u, (unsigned char)p[1]))
    return 0;
  if (u < 0xF0)
    return 3;
  return left >= 4 && continues(p[3]) ? 4 : 0;
}

size_t sm_utf8_check (sm_str s) {
  size_t i = 0;
  while (i < s.len) {
    int n;
    /* Eight ASCII bytes at once: the usual case by far. */
    if (s.len - i >= 8 && (sm_load64(s.p + i) & SM_BYTES(0x80)) == 0) {
      i += 8;
      continue;
    }
    n = sm_utf8_seq(s.p + i, s.p + s.len);
    if (n == 0)
      return i;
    i += (size_t)n;
  }
  return s.len;
}

int sm_utf8_encode (char out[4], uint32_t code) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xC0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | code >> 18);
  out[1] = (char)(0x80 | (code >> 12 & 0x3F));
  out[2] = (char)(0x80 | (code >> 6 & 0x3F));
  out[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

size_t sm_utf8_len (sm_str s) {
  size_t n = 0;
  size_t i;
  for (i = 0; i < s.len; i++)
    n += !continues(s.p[i]);
  return n;
}

/* }} */
