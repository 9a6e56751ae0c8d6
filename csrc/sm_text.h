/*
** sm_text.h: bytes and characters.
**
** Hex, base64, percent-encoding, UTF-8, and the ASCII-only helpers that stand
** in for <ctype.h>: nothing here asks the locale. Functions named *_put append
** to a sm_buf and leave failure to its sticky error; functions that read
** return SM_OK or a negative code, and on failure leave the buffer's length as
** it was.
*/
#ifndef SM_TEXT_H
#define SM_TEXT_H

#include <string.h>

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* {{ ASCII */

static inline int sm_isdigit (char c) {
  return (unsigned char)(c - '0') <= 9;
}

static inline int sm_isalpha (char c) {
  return (unsigned char)((c | 0x20) - 'a') <= 'z' - 'a';
}

static inline int sm_isalnum (char c) {
  return sm_isdigit(c) || sm_isalpha(c);
}

/* Lower case of an ASCII letter; every other byte as it is. */
static inline char sm_lower (char c) {
  return (unsigned char)(c - 'A') <= 'Z' - 'A' ? (char)(c | 0x20) : c;
}

/* Value of a hexadecimal digit, or -1. */
static inline int sm_hexval (char c) {
  if (sm_isdigit(c))
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* True when both hold the same bytes. */
static inline int sm_str_eq (sm_str a, sm_str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* True when both hold the same bytes, ASCII letters of any case. */
int sm_str_ieq(sm_str a, sm_str b);

/* Below, equal or above zero, by unsigned bytes; a prefix comes first. */
int sm_str_cmp(sm_str a, sm_str b);

/* The text without spaces, tabs, CR and LF at both ends. */
sm_str sm_str_trim(sm_str s);

/* }} */

/* {{ Eight bytes at a time */

/* A word whose eight bytes are all c. */
#define SM_BYTES(c) (UINT64_C(0x0101010101010101) * (c))

/* Eight bytes in the machine's order, from any address. */
static inline uint64_t sm_load64 (const void *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

/*
** Zero when none of the eight bytes of x is a control character, a quote, a
** backslash or outside ASCII: what a JSON string may hold verbatim without a
** closer look. Otherwise the lowest bit that is set belongs to the lowest such
** byte (bits above it mean nothing).
*/
static inline uint64_t sm_json_special (uint64_t x) {
  uint64_t quote = x ^ SM_BYTES('"');
  uint64_t slash = x ^ SM_BYTES('\\');
  return ((x - SM_BYTES(0x20)) | (quote - SM_BYTES(1)) | (slash - SM_BYTES(1)) |
          x) &
         SM_BYTES(0x80);
}

/* }} */

/* {{ Encodings */

/* Appends two lower-case hexadecimal digits for each of the n bytes. */
void sm_hex_put(sm_buf *b, const void *p, size_t n);

/* Appends the bytes that pairs of hexadecimal digits (any case) stand for.
** SM_ESYNTAX for an odd length or another character. */
int sm_hex_decode(sm_buf *b, sm_str s);

/* How many characters n bytes take in base64, padding included. */
static inline size_t sm_base64_size (size_t n) {
  return (n / 3 + (n % 3 != 0)) * 4;
}

/* Appends n bytes as base64 (RFC 4648, section 4), padded. */
void sm_base64_put(sm_buf *b, const void *p, size_t n);

/*
** Appends the bytes that base64 text stands for. Strict: padded to a multiple
** of four, no line breaks, no URL-safe alphabet, the unused bits zero; else
** SM_ESYNTAX.
*/
int sm_base64_decode(sm_buf *b, sm_str s);

/*
** Appends s percent-encoded as AWS wants it: A-Z a-z 0-9 - _ . ~ stay, every
** other byte becomes %XX in upper case. With keep_slash `/` stays too.
*/
void sm_percent_put(sm_buf *b, sm_str s, int keep_slash);

/*
** Appends s with every %XX replaced by its byte. A % without two hexadecimal
** digits behind it is SM_ESYNTAX. `+` is an ordinary character.
*/
int sm_percent_decode(sm_buf *b, sm_str s);

/* }} */

/* {{ UTF-8 */

/*
** The length (1 to 4) of the well-formed UTF-8 sequence at p, or 0. Overlong
** forms, surrogates and code points above U+10FFFF are not well-formed. There
** must be a byte: p < end.
*/
int sm_utf8_seq(const char *p, const char *end);

/* The offset of the first byte that is not part of well-formed UTF-8; s.len
** when all is well. */
size_t sm_utf8_check(sm_str s);

/* Writes the 1 to 4 bytes of a code point (below 0x110000, no surrogate) and
** returns how many. */
int sm_utf8_encode(char out[4], uint32_t code);

/* How many code points well-formed UTF-8 holds. */
size_t sm_utf8_len(sm_str s);

/* }} */

SM_HIDDEN_END

#endif
