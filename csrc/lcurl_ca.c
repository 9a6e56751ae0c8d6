/*
** lcurl_ca.c: finds the system's hashed directory of CA certificates.
*/
#include <dirent.h>
#include <string.h>

#include "lcurl.h"

/* Debian, Ubuntu, SUSE, Alpine, Arch; newer Fedora; older Red Hat; FreeBSD. */
static const char *const directories[] = {
    "/etc/ssl/certs",
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
    "/etc/pki/tls/certs",
    "/usr/local/share/certs",
};

/* Whether a file name is that of a hash link: eight hexadecimal digits, ".0".
 */
static int is_hash_link (const char *name) {
  size_t n = strspn(name, "0123456789abcdef");
  return n == 8 && strcmp(name + n, ".0") == 0;
}

static int has_hash_link (const char *path) {
  struct dirent *entry;
  int found = 0;
  DIR *dir = opendir(path);
  if (dir == NULL)
    return 0;
  while (!found && (entry = readdir(dir)) != NULL)
    found = is_hash_link(entry->d_name);
  closedir(dir);
  return found;
}

const char *lcurl_ca_directory (void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  size_t i;
  if (info->ssl_version == NULL ||
      strncmp(info->ssl_version, "OpenSSL", 7) != 0)
    return NULL;
  for (i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
    if (has_hash_link(directories[i]))
      return directories[i];
  }
  return NULL;
}
