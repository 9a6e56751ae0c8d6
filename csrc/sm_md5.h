/*
** sm_md5.h: MD5 (RFC 1321), for Content-MD5.
**
** That header finds a body that was damaged on its way; it protects nothing,
** and a library of cryptography may refuse to make it (one in FIPS mode does).
*/
#ifndef SM_MD5_H
#define SM_MD5_H

#include "sm_base.h"

SM_HIDDEN_BEGIN

#define SM_MD5_SIZE 16

void sm_md5(sm_str message, unsigned char out[SM_MD5_SIZE]);

SM_HIDDEN_END

#endif
