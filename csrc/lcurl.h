/*
** lcurl.h: what the files of `sagemaker.curl` (lcurl*.c) share.
**
** The library sends one HTTP request at a time over libcurl and hands back the
** answer. Its files, bottom up:
**
**   lcurl_ca.c        which directory of CA certificates this system has
**   lcurl_response.c  bounded buffers that libcurl's callbacks fill
**   lcurl_easy.c      the options of an easy handle: fixed ones, and those of
**                     one request
**   lcurl_error.c     a CURLcode, in the words of our transport contract
**   lcurl_loop.c      sockets and timers of a multi handle, driven by poll
**   lcurl_request.c   a Lua request table, checked and turned into C
**   lcurl_answer.c    the answer as a Lua table
**   lcurl.c           the Lua module and its handle
**
** Only the last three include lua.h. libcurl never calls Lua: its callbacks
** fill buffers and note numbers, nothing else. All handles and buffers live
** in the Lua userdata of the handle, so a Lua error at any time leaks nothing.
**
** A connection is used again for the next request to the same host (so are
** DNS answers, for 60 s, and TLS sessions). When the service has closed a kept
** connection, libcurl notices and sends the request again on a fresh one. That
** happens only when no complete line of an answer had come, and only when the
** connection broke within LCURL_STALE_MS of the request: a connection that
** breaks later was not stale, its request may be at work, and sending it again
** is the caller's decision (error ConnectionReset, sent).
*/
#ifndef LCURL_H
#define LCURL_H

#include <poll.h>
#include <stdint.h>

#include <curl/curl.h>

#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* "No limit" and "never", in milliseconds. */
#define LCURL_NEVER INT64_MAX

/* Most header lines of an answer. */
#define LCURL_MAX_FIELDS 256

/* How long after a request a kept connection may turn out dead and the request
** still be sent again on a new one. */
#define LCURL_STALE_MS 1000

/* The longest stay in lcurl_run without giving the host a chance to react to a
** signal that poll did not see. */
#define LCURL_BREATH_MS 1000

/* Milliseconds of the monotonic clock. */
int64_t lcurl_now(void);

/* ASCII letters count the same in either case; no locale. */
int lcurl_same(sm_str a, sm_str b);

/* ---- lcurl_ca.c ------------------------------------------------------- */

/*
** The system's directory of CA certificates with hash links, or NULL. libcurl
** with OpenSSL reads from such a directory only what a handshake asks for (1 ms
** instead of 35 ms for the bundle). NULL too when libcurl's TLS library is not
** OpenSSL.
*/
const char *lcurl_ca_directory(void);

/* ---- lcurl_response.c ------------------------------------------------- */

/* How far the head of the answer has come. */
typedef enum lcurl_head {
  LCURL_HEAD_NONE, /* nothing yet, or an interim (1xx) head has ended */
  LCURL_HEAD_OPEN, /* inside a head */
  LCURL_HEAD_DONE  /* the final head has ended; what follows are trailers */
} lcurl_head;

/* What the callbacks collect. */
typedef struct lcurl_response {
  sm_buf head;       /* header lines "Name: value\n", folded ones unfolded */
  sm_buf body;       /* the body as sent */
  CURL *easy;        /* to ask for the announced length */
  int lines;         /* in head */
  int status;        /* of the status line read last */
  int received;      /* some line of an answer came */
  int refused;       /* SM_ELIMIT, SM_ENOMEM: why a callback stopped libcurl */
  lcurl_head state;  /* how far the head is */
  const char *limit; /* SM_ELIMIT: what was too large, "body" or "header" */
} lcurl_response;

/* Empty buffers with these limits in bytes; allocates nothing. */
void lcurl_response_init(lcurl_response *r, size_t max_body, size_t max_head,
                         sm_alloc alloc, void *ud);

/* Makes it ready for the next answer; gives back an unusually large body. */
void lcurl_response_reset(lcurl_response *r);

void lcurl_response_free(lcurl_response *r);

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION; ud: lcurl_response. */
size_t lcurl_on_header(char *p, size_t size, size_t n, void *ud);
size_t lcurl_on_body(char *p, size_t size, size_t n, void *ud);

typedef struct lcurl_field {
  sm_str name;
  sm_str value; /* without surrounding blanks */
} lcurl_field;

/* The header fields, borrowed from r; returns how many (<= LCURL_MAX_FIELDS).
** Lines without a colon are left out. */
int lcurl_response_fields(const lcurl_response *r, lcurl_field *out);

/* ---- lcurl_easy.c ----------------------------------------------------- */

/* Everything about a handle that stays the same over its requests. Strings are
** borrowed for the time of the call (libcurl copies them); NULL: not set. */
typedef struct lcurl_settings {
  const char *ca_file;  /* PEM bundle; alone trusted when set */
  const char *ca_path;  /* directory with hash links */
  const char *proxy;    /* URL; NULL or "": none, whatever the environment */
  const char *no_proxy; /* hosts that go without the proxy, comma-separated */
  int verify;           /* check the peer's certificate and host name */
} lcurl_settings;

/* Limits of one transfer in milliseconds, LCURL_NEVER for none. */
typedef struct lcurl_limits {
  int64_t connect; /* name, TCP, proxy and TLS */
  int64_t read;    /* without a byte moving once connected */
  int64_t attempt; /* all of it */
} lcurl_limits;

/* One request, checked. method, url and body are borrowed until the transfer
** has ended. */
typedef struct lcurl_request {
  const char *method;
  const char *url;
  sm_str body;
  sm_buf text; /* header lines, each with a final NUL */
  sm_buf list; /* array of struct curl_slist over text */
  lcurl_limits limits;
} lcurl_request;

/* What stopped a transfer when it was us and not libcurl. */
typedef enum lcurl_stop {
  LCURL_STOP_NONE,
  LCURL_STOP_CONNECT, /* limits.connect */
  LCURL_STOP_READ,    /* limits.read */
  LCURL_STOP_ATTEMPT, /* limits.attempt */
  LCURL_STOP_STALE    /* would have been sent again too late */
} lcurl_stop;

/* One request on its way. */
typedef struct lcurl_transfer {
  CURL *easy;
  lcurl_response response;
  lcurl_limits limits;
  int64_t start;    /* when it began */
  int64_t activity; /* when its socket was last ready */
  int64_t sent;     /* when sending began; 0: nothing sent yet */
  lcurl_stop stop;
  CURLcode result;
  int proxied; /* a proxy was configured */
  char error[CURL_ERROR_SIZE];
} lcurl_transfer;

/* Sets the fixed options and ties the callbacks to `t`, whose easy handle is
** already there. Both stay at their addresses. */
CURLcode lcurl_easy_setup(lcurl_transfer *t, const lcurl_settings *s);

/* Sets the options of one request and resets the transfer for it. */
CURLcode lcurl_easy_request(lcurl_transfer *t, const lcurl_request *r);

/* Whether request bytes may have reached the service. */
int lcurl_sent(const lcurl_transfer *t);

/* ---- lcurl_error.c ---------------------------------------------------- */

typedef struct lcurl_failure {
  const char *code; /* see the table in lcurl_error.c */
  int sent;         /* request bytes may have reached the service */
  int received;     /* bytes of an answer came */
  int retryable;    /* another attempt could end differently */
  char text[CURL_ERROR_SIZE + 64]; /* one sentence, no secrets */
} lcurl_failure;

/* Says what went wrong with a transfer that has stop or result set. */
void lcurl_classify(const lcurl_transfer *t, lcurl_failure *f);

/* ---- lcurl_loop.c ----------------------------------------------------- */

#define LCURL_MAX_FDS 16

/* A multi handle, its sockets as libcurl reports them, and its timer. */
typedef struct lcurl_loop {
  CURLM *multi;
  struct pollfd fds[LCURL_MAX_FDS];
  nfds_t nfds;
  int64_t timer; /* when libcurl wants to run; LCURL_NEVER: no wish */
} lcurl_loop;

/* Makes the multi handle; the loop stays at its address. 0 when out of memory,
** and then there is nothing to free. */
int lcurl_loop_init(lcurl_loop *l);

void lcurl_loop_free(lcurl_loop *l);

/* Puts a transfer that lcurl_easy_request prepared under way. */
CURLMcode lcurl_loop_add(lcurl_loop *l, lcurl_transfer *t);

/* Takes it out again; if it has not ended its connection is closed. */
void lcurl_loop_remove(lcurl_loop *l, lcurl_transfer *t);

/*
** Drives the loop until its one transfer has ended (1: t->result, or t->stop,
** says how) or a signal arrived or LCURL_BREATH_MS have passed (0: let the host
** run its handlers, then call again).
*/
int lcurl_run(lcurl_loop *l, lcurl_transfer *t);

SM_HIDDEN_END

#endif
