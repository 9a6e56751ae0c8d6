/*
** sm_sha256.h: SHA-256 and HMAC-SHA-256, for many short messages that are
** alike.
**
** OpenSSL 3 looks algorithms up and allocates a context in each of its one-shot
** calls, which costs several times the hash. Here the algorithm is fetched
** once, a context is used again and again, and a key is kept as the two hash
** states that HMAC begins with (RFC 2104): a message then costs two copied
** states instead of two more blocks. The same is done with the first blocks of
** messages that begin alike: two requests of one client do within a second, up
** to what they are for or to the hashes of their bodies, and the same session
** token; so do their strings to sign.
**
** SM_ENOMEM or SM_ECRYPTO when OpenSSL refuses. One thread at a time.
*/
#ifndef SM_SHA256_H
#define SM_SHA256_H

#include "sm_base.h"

SM_HIDDEN_BEGIN

#define SM_SHA256_SIZE 32
#define SM_SHA256_BLOCK 64

struct evp_md_st;
struct evp_md_ctx_st;

typedef struct sm_sha256 {
  const struct evp_md_st *md;
  struct evp_md_st *fetched;   /* what must be given back */
  struct evp_md_ctx_st *fresh; /* the state before the first byte */
  struct evp_md_ctx_st *work;
} sm_sha256;

/* How the last message began, and the state behind the blocks of it that the
** one before had, too. All zero: none yet. */
typedef struct sm_sha256_start {
  struct evp_md_ctx_st *state;
  size_t known; /* the state is that behind so many bytes of text */
  size_t len;   /* of text: whole blocks */
  unsigned char text[32 * SM_SHA256_BLOCK]; /* enough for a session token */
} sm_sha256_start;

/* A key, as the states after its inner and its outer block. */
typedef struct sm_hmac {
  struct evp_md_ctx_st *inner, *outer;
  sm_sha256_start start; /* of messages, behind the inner block */
} sm_hmac;

/* A closed hash is all zero; closing it is fine, and idempotent. */
int sm_sha256_open(sm_sha256 *h);
void sm_sha256_close(sm_sha256 *h);

/* The hash of a message. */
int sm_sha256_sum(sm_sha256 *h, sm_str message, unsigned char out[]);

/* The same, for messages that often begin like the one before. Forgetting
** wipes. */
int sm_sha256_sum_alike(sm_sha256 *h, sm_sha256_start *start, sm_str message,
                        unsigned char out[]);
void sm_sha256_forget(sm_sha256_start *start);

/* A closed key is all zero, too; OpenSSL wipes its states when it closes. */
int sm_hmac_open(sm_hmac *k);
void sm_hmac_close(sm_hmac *k);

/* Takes another key, of any length. Nothing of the one before stays. */
int sm_hmac_key(sm_sha256 *h, sm_hmac *k, sm_str key);

/* The authentication code of a message. `out` may be the message. */
int sm_hmac_sum(sm_sha256 *h, sm_hmac *k, sm_str message, unsigned char out[]);

SM_HIDDEN_END

#endif
