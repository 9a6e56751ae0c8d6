/*
** lcurl_easy.c: the options of an easy handle.
*/
#include "lcurl.h"

/* In a function that returns CURLcode and has `easy`: sets or gives up. */
#define SET(option, value)                                                     \
  do {                                                                         \
    CURLcode set_rc = curl_easy_setopt(easy, option, value);                   \
    if (set_rc != CURLE_OK)                                                    \
      return set_rc;                                                           \
  } while (0)

static int lower (char c) {
  return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int lcurl_same (sm_str a, sm_str b) {
  size_t i;
  if (a.len != b.len)
    return 0;
  for (i = 0; i < a.len; i++) {
    if (lower(a.p[i]) != lower(b.p[i]))
      return 0;
  }
  return 1;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/*
** libcurl calls this when it is connected and about to send: the first time to
** say that from now on the service may see something, a second time when a kept
** connection died and the request is to go out again.
*/
static int before_request (void *ud, char *ip, char *local, int port,
                           int local_port) {
  lcurl_transfer *t = (lcurl_transfer *)ud;
  int64_t now = lcurl_now();
  (void)ip;
  (void)local;
  (void)port;
  (void)local_port;
  if (t->sent != 0 && now - t->sent > LCURL_STALE_MS) {
    t->stop = LCURL_STOP_STALE;
    return CURL_PREREQFUNC_ABORT;
  }
  t->sent = t->activity = now;
  lcurl_retime(t); /* the time to read may be shorter than that to connect */
  return CURL_PREREQFUNC_OK;
}

static CURLcode set_watch (CURL *easy, lcurl_transfer *t) {
  SET(CURLOPT_PREREQFUNCTION, before_request);
  SET(CURLOPT_PREREQDATA, t);
  return CURLE_OK;
}

int lcurl_sent (const lcurl_transfer *t) {
  return t->sent != 0;
}
#else
static CURLcode set_watch (CURL *easy, lcurl_transfer *t) {
  (void)easy;
  (void)t;
  return CURLE_OK;
}

int lcurl_sent (const lcurl_transfer *t) {
  long bytes = 0, code = 0;
  curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &bytes);
  curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &code);
  return bytes > 0 && code < 300;
}
#endif

/* No redirects, no old protocols, no cookies, no rewriting of the path. */
static CURLcode set_http (CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  return CURLE_OK;
}

/*
** libcurl before 7.87 lets OpenSSL write to a closed socket, which raises
** SIGPIPE; it guards against that only without CURLOPT_NOSIGNAL. With a
** resolver in a thread it then uses no signal itself.
*/
static CURLcode set_signals (CURL *easy) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  int guard = info->version_num < 0x075700 &&
              (info->features & CURL_VERSION_ASYNCHDNS) != 0;
  SET(CURLOPT_NOSIGNAL, guard ? 0L : 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* A timeout while a name is being resolved does not wait for the resolver. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  return CURLE_OK;
}

/* Who is trusted: what the caller names and nothing else, or the system. */
static CURLcode set_trust (CURL *easy, const lcurl_settings *s) {
  const char *path = s->ca_path;
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, s->verify ? 1L : 0L);
  SET(CURLOPT_SSL_VERIFYHOST, s->verify ? 2L : 0L);
  SET(CURLOPT_PROXY_SSL_VERIFYPEER, s->verify ? 1L : 0L);
  SET(CURLOPT_PROXY_SSL_VERIFYHOST, s->verify ? 2L : 0L);
  if (s->ca_file == NULL && path == NULL)
    path = lcurl_ca_directory();
  if (s->ca_file == NULL && path == NULL)
    return CURLE_OK; /* as libcurl was built */
  SET(CURLOPT_CAINFO, s->ca_file);
  SET(CURLOPT_CAPATH, path);
  SET(CURLOPT_PROXY_CAINFO, s->ca_file);
  SET(CURLOPT_PROXY_CAPATH, path);
  return CURLE_OK;
}

/* Set in any case, so that libcurl does not look at the environment. */
static CURLcode set_proxy (CURL *easy, const lcurl_settings *s) {
  SET(CURLOPT_PROXY, s->proxy != NULL ? s->proxy : "");
  SET(CURLOPT_NOPROXY, s->no_proxy != NULL ? s->no_proxy : "");
  return CURLE_OK;
}

static CURLcode set_callbacks (CURL *easy, lcurl_transfer *t) {
  SET(CURLOPT_ERRORBUFFER, t->error);
  SET(CURLOPT_PRIVATE, t);
  SET(CURLOPT_HEADERFUNCTION, lcurl_on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, lcurl_on_body);
  SET(CURLOPT_WRITEDATA, t);
  return set_watch(easy, t);
}

CURLcode lcurl_easy_setup (lcurl_transfer *t, const lcurl_settings *s) {
  CURL *easy = t->easy;
  CURLcode rc = set_http(easy);
  if (rc == CURLE_OK)
    rc = set_signals(easy);
  if (rc == CURLE_OK)
    rc = set_trust(easy, s);
  if (rc == CURLE_OK)
    rc = set_proxy(easy, s);
  if (rc == CURLE_OK)
    rc = set_callbacks(easy, t);
  return rc;
}

/* POST and PUT announce a length even for an empty body. */
static int wants_body (const lcurl_request *r) {
  return r->body.len > 0 || strcmp(r->method, "POST") == 0 ||
         strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;
}

static CURLcode set_method (CURL *easy, const lcurl_request *r) {
  const char *method = r->method;
  SET(CURLOPT_HTTPGET, 1L); /* forgets what the last request set */
  if (wants_body(r)) {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, r->body.p);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    SET(CURLOPT_CUSTOMREQUEST, strcmp(method, "POST") == 0 ? NULL : method);
  } else if (strcmp(method, "HEAD") == 0) {
    SET(CURLOPT_CUSTOMREQUEST, NULL);
    SET(CURLOPT_NOBODY, 1L);
  } else {
    SET(CURLOPT_CUSTOMREQUEST, strcmp(method, "GET") == 0 ? NULL : method);
  }
  return CURLE_OK;
}

/* libcurl spreads the time to connect over the addresses of a host, so it must
** know the limit; the loop enforces it. 0 is libcurl's own 300 s. */
static long connect_ms (const lcurl_limits *limits) {
  int64_t ms =
      limits->connect < limits->attempt ? limits->connect : limits->attempt;
  return ms > 1000000000 ? 0L : (long)ms;
}

CURLcode lcurl_easy_request (lcurl_transfer *t) {
  CURL *easy = t->easy;
  const lcurl_request *r = &t->request;
  t->start = t->activity = lcurl_now();
  t->sent = t->waiting = 0;
  t->stop = LCURL_STOP_NONE;
  t->result = CURLE_OK;
  t->handed = 0;
  t->error[0] = '\0';
  SET(CURLOPT_URL, r->url);
  SET(CURLOPT_HTTPHEADER, (struct curl_slist *)(void *)r->list.p);
  SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms(&r->limits));
  return set_method(easy, r);
}
