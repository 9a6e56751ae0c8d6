/*
** sm_wipe.c: the one function of sm_buf.h that needs libcrypto. It stands apart
** so that `sagemaker.curl` can use the buffer without linking libcrypto.
*/
#include <openssl/crypto.h>

#include "sm_buf.h"

void sm_buf_wipe (sm_buf *b) {
  if (b->p != NULL)
    OPENSSL_cleanse(b->p, b->cap);
  sm_buf_free(b);
}
