/*
** command_limit.c: what the command cannot be faster than, in C with the same
** libcurl: hashes and signs a prebuilt CreateEndpoint, sends it, prints the
** answer.
**
**   command_limit URL [CA-DIRECTORY]
*/
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

static const char body[] = "{\"EndpointName\":\"churn\",\"EndpointConfigName\":"
                           "\"churn-v2\"}";

static size_t print (char *p, size_t size, size_t n, void *to) {
  return fwrite(p, size, n, (FILE *)to);
}

static void hex (const unsigned char *p, unsigned n, char *out) {
  for (; n > 0; n--, p++, out += 2)
    sprintf(out, "%02x", *p);
}

/* The six hash operations of a signature; which bytes they hash is all one. */
static void sign (char *authorization, size_t size) {
  static const char *const steps[] = {"20260115", "eu-west-1", "sagemaker",
                                      "aws4_request", "string to sign"};
  unsigned char key[EVP_MAX_MD_SIZE] = "AWS4wJalrXUtnFEMI", hash[64];
  char text[2 * EVP_MAX_MD_SIZE + 1];
  unsigned length = 17, i, n;
  EVP_Digest(body, strlen(body), hash, &n, EVP_sha256(), NULL);
  EVP_Digest(hash, n, hash, &n, EVP_sha256(), NULL);
  for (i = 0; i < 5; i++) {
    HMAC(EVP_sha256(), key, (int)length, (const unsigned char *)steps[i],
         strlen(steps[i]), hash, &n);
    memcpy(key, hash, n);
    length = n;
  }
  hex(key, length, text);
  snprintf(authorization, size,
           "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260115/"
           "eu-west-1/sagemaker/aws4_request, SignedHeaders=content-type;host;"
           "x-amz-date;x-amz-target, Signature=%s",
           text);
}

int main (int argc, char **argv) {
  char authorization[512];
  struct curl_slist *headers = NULL;
  CURL *handle;
  CURLcode code;
  long status = 0;
  if (argc < 2 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return 2;
  handle = curl_easy_init();
  sign(authorization, sizeof(authorization));
  headers = curl_slist_append(headers, authorization);
  headers = curl_slist_append(headers, "Content-Type: "
                                       "application/x-amz-json-1.1");
  headers = curl_slist_append(headers, "X-Amz-Date: 20260115T120000Z");
  headers = curl_slist_append(headers, "X-Amz-Target: "
                                       "SageMaker.CreateEndpoint");
  curl_easy_setopt(handle, CURLOPT_URL, argv[1]);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, print);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, stdout);
  if (argc > 2) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(handle, CURLOPT_CAPATH, argv[2]);
  }
  code = curl_easy_perform(handle);
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl_slist_free_all(headers);
  curl_easy_cleanup(handle);
  return code == CURLE_OK && status == 200 ? 0 : 1;
}
