/*
** warm_limit.c: the yardstick of a warm call. A request that was built and
** signed beforehand goes out again and again over one plain libcurl easy
** handle, the answer into one fixed buffer: what no client can go below.
**
**   warm_limit URL CALLS BODY [HEADER LINE]...
**
** Prints the CPU time of one call in microseconds, the bytes of the answer and
** the status of the last one.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <curl/curl.h>

typedef struct answer {
  char bytes[1 << 20];
  size_t n;
} answer;

static size_t on_body (char *p, size_t size, size_t n, void *ud) {
  answer *a = (answer *)ud;
  n *= size;
  if (n > sizeof(a->bytes) - a->n)
    return 0;
  memcpy(a->bytes + a->n, p, n);
  a->n += n;
  return n;
}

static size_t on_header (char *p, size_t size, size_t n, void *ud) {
  (void)p;
  (void)ud;
  return size * n;
}

static double cpu (void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static CURL *prepare (char **argv, struct curl_slist *headers, answer *a) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, argv[3]);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(argv[3]));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, a);
  return easy;
}

int main (int argc, char **argv) {
  static answer a;
  struct curl_slist *headers = NULL;
  CURL *easy;
  long calls, i, status = 0;
  double start = 0;
  if (argc < 4)
    return 2;
  calls = atol(argv[2]);
  for (i = 4; i < argc; i++)
    headers = curl_slist_append(headers, argv[i]);
  easy = prepare(argv, headers, &a);
  for (i = -20; i < calls; i++) { /* the first ones connect and warm up */
    if (i == 0)
      start = cpu();
    a.n = 0;
    if (curl_easy_perform(easy) != CURLE_OK)
      return 1;
  }
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  printf("%.2f %lu %ld\n", (cpu() - start) / (double)calls, (unsigned long)a.n,
         status);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  return 0;
}
