#include "test.h"

#include <openssl/evp.h>

#include "sm_md5.h"
#include "sm_text.h"

static char memory[64];

static sm_str sum_of (sm_str message) {
  unsigned char sum[SM_MD5_SIZE];
  sm_buf b;
  sm_md5(message, sum);
  sm_buf_fixed(&b, memory, sizeof memory);
  sm_hex_put(&b, sum, sizeof sum);
  return sm_buf_str(&b);
}

/* RFC 1321, appendix A.5 */
static void known (void) {
  test_name("the sums of RFC 1321");
  CHECK_TEXT(sum_of((sm_str){NULL, 0}), "d41d8cd98f00b204e9800998ecf8427e");
  CHECK_TEXT(sum_of(SM_LIT("a")), "0cc175b9c0f1b6a831c399e269772661");
  CHECK_TEXT(sum_of(SM_LIT("abc")), "900150983cd24fb0d6963f7d28e17f72");
  CHECK_TEXT(sum_of(SM_LIT("message digest")),
             "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK_TEXT(sum_of(SM_LIT("abcdefghijklmnopqrstuvwxyz")),
             "c3fcd3d76192e4007dfb496cca67e13b");
  CHECK_TEXT(sum_of(SM_LIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
                           "yz0123456789")),
             "d174ab98d277d9f5a5611c2c9f419d9f");
  CHECK_TEXT(sum_of(SM_LIT("1234567890123456789012345678901234567890123456789"
                           "0123456789012345678901234567890")),
             "57edf4a22be3c955ac49da2e2107b67a");
}

/* Every length around the ends of blocks. */
static void same_as_openssl (void) {
  char text[300];
  size_t n;
  test_name("the sums of OpenSSL");
  for (n = 0; n < sizeof text; n++)
    text[n] = (char)(n * 167 + n / 7);
  for (n = 0; n <= sizeof text; n++) {
    unsigned char ours[SM_MD5_SIZE], theirs[EVP_MAX_MD_SIZE];
    if (EVP_Digest(text, n, theirs, NULL, EVP_md5(), NULL) != 1)
      return; /* one that refuses MD5 */
    sm_md5((sm_str){text, n}, ours);
    CHECK(memcmp(ours, theirs, sizeof ours) == 0);
  }
}

int main (void) {
  known();
  same_as_openssl();
  return test_end();
}
