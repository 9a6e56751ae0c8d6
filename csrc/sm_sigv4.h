/*
** sm_sigv4.h: AWS Signature Version 4.
**
** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
**
** Three stages, each callable by itself, text in and text out:
**
**   1  request           -> canonical request   sm_sigv4_canonical
**   2  canonical request -> string to sign      sm_sigv4_string_to_sign
**   3  string to sign    -> signature           sm_sigv4_signature
**
** and the two that run them all: sm_sigv4_authorization for the header form,
** sm_sigv4_query for the query form (a presigned URL). Nothing here changes a
** request: the caller adds what the header form needs (X-Amz-Date, and
** X-Amz-Security-Token, X-Amz-Content-Sha256 where they apply). Those count as
** present while signing, in place of any that the request has already, so a
** request can be signed again.
**
** All other headers are signed, except those that belong to one hop or change
** on the way, or that AWS's own clients leave out: Authorization, Connection,
** Content-Length (unless SM_SIGV4_SIGN_LENGTH), Expect, Keep-Alive, TE,
** Transfer-Encoding, Upgrade, User-Agent, X-Amzn-Trace-Id, and all that begin
** with Amz-Sdk-, Proxy- or Sec-WebSocket-.
**
** The derived signing key is kept, as HMAC states, for the date it was last
** used with; so is what else depends on the date. Key material is wiped when
** the signer closes or takes another date. One thread at a time.
*/
#ifndef SM_SIGV4_H
#define SM_SIGV4_H

#include "sm_base.h"
#include "sm_buf.h"
#include "sm_sha256.h"
#include "sm_time.h"

SM_HIDDEN_BEGIN

#define SM_SIGV4_MAX_HEADERS 128
#define SM_SIGV4_HEX 64             /* characters of a hash or signature */
#define SM_SIGV4_MAX_EXPIRES 604800 /* a week: AWS accepts no more */
#define SM_SIGV4_ALGORITHM "AWS4-HMAC-SHA256"

enum sm_sigv4_flag {
  SM_SIGV4_ENCODE_ONCE = 1 << 0, /* S3: the path is encoded already */
  SM_SIGV4_KEEP_PATH = 1 << 1,   /* S3: no normalisation of the path */
  SM_SIGV4_SIGN_BODY = 1 << 2,   /* x-amz-content-sha256 in the header form */
  SM_SIGV4_SIGN_LENGTH = 1 << 3, /* content-length where the request has it */
  SM_SIGV4_OMIT_TOKEN = 1 << 4   /* the token is added, but not signed */
};

typedef struct sm_sigv4_config {
  sm_str access_key_id;
  sm_str secret_access_key;
  sm_str session_token; /* may be empty */
  sm_str region;
  sm_str service; /* the signing name */
  unsigned flags; /* sm_sigv4_flag */
} sm_sigv4_config;

typedef struct sm_sigv4 {
  sm_buf secret; /* "AWS4" and the secret access key */
  sm_buf texts;  /* what the next five borrow from */
  sm_str access_key_id, session_token, region, service;
  unsigned flags;
  sm_sha256 sha;
  sm_sha256_start start;       /* of canonical requests */
  sm_hmac key;                 /* the derived key of `day` */
  char day[8];                 /* 20150830; a first byte of 0: no key yet */
  int64_t epoch;               /* the second that `date` writes */
  char date[SM_AMZ_DATE_SIZE]; /* 20150830T123600Z; 0: none yet */
  sm_buf scope;                /* 20150830/us-east-1/service/aws4_request */
  sm_buf canonical, names, list, query; /* scratch */
  size_t signed_at, signed_len; /* SignedHeaders in the last stage 1's text */
} sm_sigv4;

typedef struct sm_sigv4_header {
  sm_str name, value;
} sm_sigv4_header;

/* What is signed. Everything is borrowed. */
typedef struct sm_sigv4_request {
  sm_str method;
  sm_str path;  /* as on the wire, without query; "" counts as "/" */
  sm_str query; /* as on the wire, without "?" */
  sm_str host;  /* used where no header says it */
  sm_str body;
  sm_str payload_hash; /* when not empty, used instead of a hash of the body:
                          64 hexadecimal digits, or UNSIGNED-PAYLOAD */
  const sm_sigv4_header *headers; /* equal names: in order, joined by commas */
  size_t nheaders;
  int64_t epoch; /* the time of signing */
  long expires;  /* seconds: the query form; -1: the header form */
  /*
  ** To verify a request: the names that its client says it signed. Then
  ** exactly these headers count, as the request has them (an absent one is
  ** empty), and nothing is added. For the query form `expires` is 0, and
  ** X-Amz-Signature is taken out of the query.
  */
  const sm_str *names;
  size_t nnames;
} sm_sigv4_request;

/* A closed signer, so that sm_sigv4_close is fine from here on. */
void sm_sigv4_init(sm_sigv4 *s, sm_alloc alloc, void *ud);

/*
** Copies the configuration into a closed signer. SM_EARG: a text other than
** the token is missing, or one holds a blank, control or non-ASCII character
** (or, in region and service, a slash). On failure close it.
*/
int sm_sigv4_open(sm_sigv4 *s, const sm_sigv4_config *config);

/* Wipes and frees. Idempotent. */
void sm_sigv4_close(sm_sigv4 *s);

/* The hash of the request's body in lower-case hexadecimal digits. */
int sm_sigv4_payload(sm_sigv4 *s, sm_str body, char out[SM_SIGV4_HEX]);

/* The value of X-Amz-Date for a time; valid until the next call. NULL: a time
** outside the years 1 to 9999. */
const char *sm_sigv4_date(sm_sigv4 *s, int64_t epoch);

/*
** Stage 1, appended. SM_EARG: no host, no method, or an `expires` beyond
** SM_SIGV4_MAX_EXPIRES; SM_ELIMIT: more headers than SM_SIGV4_MAX_HEADERS;
** SM_ERANGE: a time that cannot be written.
*/
int sm_sigv4_canonical(sm_sigv4 *s, const sm_sigv4_request *r, sm_buf *out);

/* Stage 2, appended: the canonical request signed at `epoch`. */
int sm_sigv4_string_to_sign(sm_sigv4 *s, sm_str canonical, int64_t epoch,
                            sm_buf *out);

/* Stage 3: the signature with the key of the day of `epoch`. */
int sm_sigv4_signature(sm_sigv4 *s, sm_str string_to_sign, int64_t epoch,
                       char out[SM_SIGV4_HEX]);

/* All stages: appends the value of the Authorization header. */
int sm_sigv4_authorization(sm_sigv4 *s, const sm_sigv4_request *r, sm_buf *out);

/* All stages: appends the query of the signed URL, without "?". */
int sm_sigv4_query(sm_sigv4 *s, const sm_sigv4_request *r, sm_buf *out);

/* All stages: only the signature (r->names being set: what X-Amz-Signature or
** Signature= should be). */
int sm_sigv4_sign(sm_sigv4 *s, const sm_sigv4_request *r,
                  char out[SM_SIGV4_HEX]);

SM_HIDDEN_END

#endif
