/*
** lcurl_easy.c: the options of an easy handle that makes a connection.
*/
#include "lcurl.h"

/* In a function that returns CURLcode and has `easy`: sets or gives up. */
#define SET(option, value)                                                     \
  do {                                                                         \
    CURLcode set_rc = curl_easy_setopt(easy, option, value);                   \
    if (set_rc != CURLE_OK)                                                    \
      return set_rc;                                                           \
  } while (0)

/* What a proxy says beside its status. */
static size_t forget (char *p, size_t size, size_t n, void *ud) {
  (void)p;
  (void)ud;
  return size * n;
}

/* Only the connection is made, for HTTP/1.1. */
static CURLcode set_purpose (CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  SET(CURLOPT_CONNECT_ONLY, 1L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_HEADERFUNCTION, forget);
  SET(CURLOPT_WRITEFUNCTION, forget);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_BUFFERSIZE, (long)LCURL_READ_BYTES);
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

/* libcurl spreads the time to connect over the addresses of a host, so it must
** know the limit; the loop enforces it. 0 is libcurl's own 300 s. */
static long connect_ms (const lcurl_limits *limits) {
  int64_t ms =
      limits->connect < limits->attempt ? limits->connect : limits->attempt;
  return ms > 1000000000 ? 0L : (long)ms;
}

/* Where to, and by which way: set in any case, so that libcurl does not look at
** the environment. */
static CURLcode set_way (CURL *easy, const lcurl_settings *s,
                         const char *origin, const lcurl_limits *limits) {
  SET(CURLOPT_URL, origin);
  SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms(limits));
  SET(CURLOPT_PROXY, s->proxy != NULL ? s->proxy : "");
  SET(CURLOPT_NOPROXY, "");
  return CURLE_OK;
}

CURLcode lcurl_easy_setup (CURL *easy, const lcurl_settings *s, CURLSH *share,
                           const char *origin, const lcurl_limits *limits) {
  CURLcode rc = set_purpose(easy);
  if (rc == CURLE_OK)
    rc = set_signals(easy);
  if (rc == CURLE_OK)
    rc = set_trust(easy, s);
  if (rc == CURLE_OK)
    rc = set_way(easy, s, origin, limits);
  if (rc == CURLE_OK)
    rc = curl_easy_setopt(easy, CURLOPT_SHARE, share);
  return rc;
}
