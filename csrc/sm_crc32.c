/*
** sm_crc32.c: CRC-32, eight bytes at a step ("slicing by 8", M. Kounavis and
** F. Berry, 2005).
**
** Entry i of table k is the CRC of byte i with k zero bytes behind it. A CRC
** is linear: the entry is the sum (exclusive or) of the entries of the bits of
** i, so eight numbers make a table, and the compiler works out the others.
*/
#include "sm_eventstream.h"

/* clang-format off */
#define ENTRY_(i, a, b, c, d, e, f, g, h)                                      \
  (((i) & 1 ? a : 0) ^ ((i) & 2 ? b : 0) ^ ((i) & 4 ? c : 0) ^                 \
   ((i) & 8 ? d : 0) ^ ((i) & 16 ? e : 0) ^ ((i) & 32 ? f : 0) ^               \
   ((i) & 64 ? g : 0) ^ ((i) & 128 ? h : 0))
/* Once more, so that the eight numbers count as eight arguments. */
#define ENTRY(...) ENTRY_(__VA_ARGS__)
#define ENTRIES4(i, ...)                                                       \
  ENTRY(i, __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__),                          \
  ENTRY((i) + 2, __VA_ARGS__), ENTRY((i) + 3, __VA_ARGS__)
#define ENTRIES16(i, ...)                                                      \
  ENTRIES4(i, __VA_ARGS__), ENTRIES4((i) + 4, __VA_ARGS__),                    \
  ENTRIES4((i) + 8, __VA_ARGS__), ENTRIES4((i) + 12, __VA_ARGS__)
#define ENTRIES64(i, ...)                                                      \
  ENTRIES16(i, __VA_ARGS__), ENTRIES16((i) + 16, __VA_ARGS__),                 \
  ENTRIES16((i) + 32, __VA_ARGS__), ENTRIES16((i) + 48, __VA_ARGS__)
#define TABLE(...)                                                             \
  {ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__),                      \
   ENTRIES64(128, __VA_ARGS__), ENTRIES64(192, __VA_ARGS__)}

static const uint32_t tables[8][256] = {
    TABLE(0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832,
          0x1DB71064, 0x3B6E20C8, 0x76DC4190, 0xEDB88320),
    TABLE(0x191B3141, 0x32366282, 0x646CC504, 0xC8D98A08,
          0x4AC21251, 0x958424A2, 0xF0794F05, 0x3B83984B),
    TABLE(0x01C26A37, 0x0384D46E, 0x0709A8DC, 0x0E1351B8,
          0x1C26A370, 0x384D46E0, 0x709A8DC0, 0xE1351B80),
    TABLE(0xB8BC6765, 0xAA09C88B, 0x8F629757, 0xC5B428EF,
          0x5019579F, 0xA032AF3E, 0x9B14583D, 0xED59B63B),
    TABLE(0x3D6029B0, 0x7AC05360, 0xF580A6C0, 0x30704BC1,
          0x60E09782, 0xC1C12F04, 0x58F35849, 0xB1E6B092),
    TABLE(0xCB5CD3A5, 0x4DC8A10B, 0x9B914216, 0xEC53826D,
          0x03D6029B, 0x07AC0536, 0x0F580A6C, 0x1EB014D8),
    TABLE(0xA6770BB4, 0x979F1129, 0xF44F2413, 0x33EF4E67,
          0x67DE9CCE, 0xCFBD399C, 0x440B7579, 0x8816EAF2),
    TABLE(0xCCAA009E, 0x4225077D, 0x844A0EFA, 0xD3E51BB5,
          0x7CBB312B, 0xF9766256, 0x299DC2ED, 0x533B85DA),
};
/* clang-format on */

/* Four bytes, the lowest first, whatever the machine. */
static inline uint32_t little (const unsigned char *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
         (uint32_t)p[3] << 24;
}

uint32_t sm_crc32 (uint32_t crc, const void *bytes, size_t n) {
  const unsigned char *p = (const unsigned char *)bytes;
  uint32_t c = ~crc, a, b;
  for (; n >= 8; n -= 8, p += 8) {
    a = little(p) ^ c;
    b = little(p + 4);
    c = tables[7][a & 255] ^ tables[6][a >> 8 & 255] ^
        tables[5][a >> 16 & 255] ^ tables[4][a >> 24] ^ tables[3][b & 255] ^
        tables[2][b >> 8 & 255] ^ tables[1][b >> 16 & 255] ^ tables[0][b >> 24];
  }
  for (; n > 0; n--, p++)
    c = tables[0][(c ^ *p) & 255] ^ c >> 8;
  return ~c;
}
