/*
** sm_sigv4_stages.h: what the two files of the signer share. Private.
**
**   sm_sigv4_canonical.c   stage 1
**   sm_sigv4.c             life of a signer, stages 2 and 3, all together
*/
#ifndef SM_SIGV4_STAGES_H
#define SM_SIGV4_STAGES_H

#include "sm_sigv4.h"

SM_HIDDEN_BEGIN

/* Makes date, scope and key those of a time. SM_ERANGE, SM_ENOMEM or
** SM_ECRYPTO. */
int sm_sigv4_prepare(sm_sigv4 *s, int64_t epoch);

/* The 64 lower-case digits of a hash. No NUL. */
void sm_sigv4_hex(char out[SM_SIGV4_HEX],
                  const unsigned char hash[SM_SHA256_SIZE]);

/* Appends the request's query and the parameters of the query form, except
** the signature; `names` are the signed headers, joined. */
void sm_sigv4_put_query(sm_sigv4 *s, const sm_sigv4_request *r, sm_str names,
                        int with_token, sm_buf *b);

SM_HIDDEN_END

#endif
