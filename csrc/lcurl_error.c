/*
** lcurl_error.c: how a transfer failed, in the words of the transport contract.
** The CURLcode of a failure is libcurl's while it connects; afterwards it is
** lcurl_exchange.c's.
**
**   code                   what happened                          try again?
**   HostNotFound           the name did not resolve                      yes
**   ConnectionRefused      nobody listens there                          yes
**   NetworkUnreachable     no route                                      yes
**   ConnectFailed          another failure to connect                    yes
**   ConnectTimeout         not connected (name, TCP, proxy, TLS) in time yes
**   ReadTimeout            connected, but no byte moved for too long     yes
**   AttemptTimeout         the deadline of the attempt passed            yes
**   CertificateError       the certificate is not trusted, or expired     no
**   HostNameMismatch       the certificate is for another host            no
**   CertificateStoreError  ca_file or ca_path cannot be used              no
**   TlsError               another failure of the handshake               no
**   ProxyError             the proxy did not do its part     unless it said no
**                        or its URL is none
**   ConnectionReset        the connection broke before an answer         yes
**   EmptyReply             the connection was closed without an answer   yes
**   TruncatedResponse      the answer broke off                          yes
**   InvalidResponse        the answer is not HTTP                         no
**   ResponseTooLarge       the answer is over the limit                   no
**   InvalidRequest         the request may not be sent                    no
**   TransportClosed        the transport was closed meanwhile            no
**   OutOfMemory            -                                              no
**   TransportError         anything else                  unless it was sent
*/
#include <errno.h>
#include <stdio.h>

#include "lcurl.h"

/* Failures that need no second look. */
static const struct row {
  CURLcode result;
  const char *code;
  int retryable;
} rows[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "HostNotFound", 1},
    {CURLE_COULDNT_RESOLVE_PROXY, "ProxyError", 1},
    {CURLE_PROXY, "ProxyError", 1},
    {CURLE_SSL_CACERT_BADFILE, "CertificateStoreError", 0},
    {CURLE_SSL_CRL_BADFILE, "CertificateStoreError", 0},
    {CURLE_SSL_ISSUER_ERROR, "CertificateError", 0},
    {CURLE_SSL_INVALIDCERTSTATUS, "CertificateError", 0},
    {CURLE_SSL_CLIENTCERT, "TlsError", 0},
    {CURLE_USE_SSL_FAILED, "TlsError", 0},
    {CURLE_SSL_SHUTDOWN_FAILED, "TlsError", 0},
    {CURLE_URL_MALFORMAT, "InvalidRequest", 0},
    {CURLE_LOGIN_DENIED, "InvalidRequest", 0},
    {CURLE_OUT_OF_MEMORY, "OutOfMemory", 0},
};

static void say (lcurl_failure *f, const char *code, int retryable) {
  f->code = code;
  f->retryable = retryable;
}

/* The sentence about this failure, or the one for its kind. */
static void quote (const lcurl_transfer *t, lcurl_failure *f) {
  const char *text =
      t->error[0] != '\0' ? t->error : curl_easy_strerror(t->result);
  size_t n;
  snprintf(f->text, sizeof(f->text), "%s", text);
  n = strlen(f->text);
  while (n > 0 && (f->text[n - 1] == ' ' || f->text[n - 1] == '\n'))
    f->text[--n] = '\0';
}

/* One of our own limits ended it. */
static void stopped (lcurl_stop stop, const lcurl_transfer *t,
                     lcurl_failure *f) {
  switch (stop) {
  case LCURL_STOP_CONNECT:
    say(f, "ConnectTimeout", 1);
    snprintf(f->text, sizeof(f->text), "not connected within %ld ms",
             (long)t->request.limits.connect);
    break;
  case LCURL_STOP_READ:
    say(f, "ReadTimeout", 1);
    snprintf(f->text, sizeof(f->text), "no byte %s for %ld ms",
             f->received ? "more" : "came", (long)t->request.limits.read);
    break;
  case LCURL_STOP_ATTEMPT:
    say(f, "AttemptTimeout", 1);
    snprintf(f->text, sizeof(f->text), "no answer within %ld ms",
             (long)t->request.limits.attempt);
    break;
  case LCURL_STOP_CLOSED:
    say(f, "TransportClosed", 0);
    snprintf(f->text, sizeof(f->text),
             "the transport was closed while a request was under way");
    break;
  default:
    say(f, "ConnectionReset", 1);
    snprintf(f->text, sizeof(f->text),
             "the connection was closed before an answer came");
  }
}

/* What came was too much. */
static void refused (const lcurl_transfer *t, lcurl_failure *f) {
  const lcurl_response *r = &t->response;
  if (r->refused == SM_ENOMEM) {
    say(f, "OutOfMemory", 0);
    snprintf(f->text, sizeof(f->text), "not enough memory for the answer");
    return;
  }
  say(f, "ResponseTooLarge", 0);
  if (r->limit[0] == 'h' && r->reader.lines > SM_HTTP_MAX_LINES)
    snprintf(f->text, sizeof(f->text),
             "more than %d header lines in the answer", SM_HTTP_MAX_LINES);
  else
    snprintf(
        f->text, sizeof(f->text), "%s of the answer is over %lu bytes",
        r->limit,
        (unsigned long)(r->limit[0] == 'b' ? r->body.max : t->agent->max_head));
}

static void not_connected (const lcurl_transfer *t, lcurl_failure *f) {
  long error = t->system_error;
  if (t->agent->proxied)
    say(f, "ProxyError", 1);
  else if (error == ECONNREFUSED)
    say(f, "ConnectionRefused", 1);
  else if (error == ENETUNREACH || error == EHOSTUNREACH)
    say(f, "NetworkUnreachable", 1);
  else if (error == ETIMEDOUT)
    say(f, "ConnectTimeout", 1);
  else
    say(f, "ConnectFailed", 1);
}

/* libcurl has one code for a certificate that does not verify and for one of
** another host; only its sentence tells them apart. */
static void not_verified (const lcurl_transfer *t, lcurl_failure *f) {
  if (strstr(t->error, "subject name") != NULL ||
      strstr(t->error, "hostname mismatch") != NULL ||
      strstr(t->error, "IP address mismatch") != NULL)
    say(f, "HostNameMismatch", 0);
  else
    say(f, "CertificateError", 0);
}

/* A handshake that was cut off is a connection that broke. */
static void no_handshake (const lcurl_transfer *t, lcurl_failure *f) {
  if (strstr(t->error, "SYSCALL") != NULL ||
      strstr(t->error, "reset by peer") != NULL ||
      strstr(t->error, "unexpected eof") != NULL)
    say(f, "ConnectionReset", 1);
  else
    say(f, "TlsError", 0);
}

/* The connection broke: before the request, before the answer, or in it. */
static void broken (const lcurl_transfer *t, lcurl_failure *f) {
  if (t->connecting != 0 && t->agent->proxied)
    say(f, "ProxyError", 1);
  else if (f->received)
    say(f, "TruncatedResponse", 1);
  else
    say(f, t->result == CURLE_GOT_NOTHING ? "EmptyReply" : "ConnectionReset",
        1);
}

/* Versions of libcurl do not agree on the code for this. */
static void no_tunnel (const lcurl_transfer *t, lcurl_failure *f) {
  say(f, "ProxyError", t->tunnel >= 500);
  snprintf(f->text, sizeof(f->text), "the proxy answered CONNECT with %ld",
           t->tunnel);
}

static void by_table (const lcurl_transfer *t, lcurl_failure *f) {
  size_t i;
  say(f, "TransportError", !f->sent);
  for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    if (rows[i].result == t->result)
      say(f, rows[i].code, rows[i].retryable);
  }
}

/* libcurl repeats the whole URL of a proxy that it cannot read, with the
** password in it. Another attempt would read no more. */
static int is_unreadable_proxy (const lcurl_failure *f) {
  return strncmp(f->text, "Unsupported proxy", 17) == 0;
}

/* libcurl knows the shorter one of the limits that count until a connection is
** there, and may notice it before we do. */
static void late (const lcurl_transfer *t, lcurl_failure *f) {
  const lcurl_limits *limits = &t->request.limits;
  if (limits->attempt <= limits->connect)
    stopped(LCURL_STOP_ATTEMPT, t, f);
  else
    say(f, "ConnectTimeout", 1);
}

static void failed (const lcurl_transfer *t, lcurl_failure *f) {
  quote(t, f);
  if (is_unreadable_proxy(f)) {
    say(f, "ProxyError", 0);
    snprintf(f->text, sizeof(f->text), "the URL of the proxy cannot be used");
    return;
  }
  if (t->tunnel >= 300) {
    no_tunnel(t, f);
    return;
  }
  switch (t->result) {
  case CURLE_COULDNT_CONNECT:
    not_connected(t, f);
    break;
  case CURLE_OPERATION_TIMEDOUT:
    late(t, f);
    break;
  case CURLE_PEER_FAILED_VERIFICATION:
    not_verified(t, f);
    break;
  case CURLE_SSL_CONNECT_ERROR:
    no_handshake(t, f);
    break;
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
    broken(t, f);
    break;
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY:
    say(f, t->connecting != 0 ? "InvalidRequest" : "InvalidResponse", 0);
    break;
  default:
    by_table(t, f);
  }
}

void lcurl_classify (const lcurl_transfer *t, lcurl_failure *f) {
  f->sent = t->sent != 0;
  f->received = t->response.reader.begun;
  if (t->stop != LCURL_STOP_NONE)
    stopped(t->stop, t, f);
  else if (t->response.refused != SM_OK)
    refused(t, f);
  else
    failed(t, f);
}
