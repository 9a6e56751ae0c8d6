/*
** sm_uri.h: URLs, and the canonical forms that Signature Version 4 signs.
**
** RFC 3986 for the grammar; for the canonical forms
** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
*/
#ifndef SM_URI_H
#define SM_URI_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* {{ Paths */

/*
** Appends the path without "." and ".." segments and without empty ones:
** "//a/./b/../c/" is "/a/c/". A leading and a trailing slash stay; ".." at the
** top vanishes. An empty path stays empty. This is what AWS's clients do; it
** differs from RFC 3986 (5.2.4) in collapsing slashes, and in that a final "."
** or ".." leaves no slash behind it.
*/
void sm_uri_remove_dots(sm_buf *b, sm_str path);

enum sm_uri_flag {
  SM_URI_NORMALIZE = 1 << 0,    /* remove dot segments and empty segments */
  SM_URI_DOUBLE_ENCODE = 1 << 1 /* encode what is encoded already once more */
};

/*
** Appends the canonical path of a request whose path on the wire is `path`
** (without query); "" counts as "/". Every service except S3 takes both flags:
** the segments are percent-encoded once more, so %3A becomes %253A. Without
** SM_URI_DOUBLE_ENCODE a well-formed %XX stays as it is and only bytes that
** are neither unreserved nor `/` are encoded.
*/
void sm_uri_canonical_path(sm_buf *b, sm_str path, int flags);

/* }} */

/* {{ Queries */

/*
** Appends the canonical query of a query on the wire (without "?"): pairs are
** split at `&` and the first `=`, decoded, encoded again, sorted by encoded
** name and then encoded value, and joined; a name without value gets an empty
** one; empty pairs vanish. `+` is a plus sign, not a blank. A stray % counts
** as itself. SM_OK, SM_ENOMEM or SM_ELIMIT (also in b->err).
*/
int sm_uri_canonical_query(sm_buf *b, sm_str query);

/* }} */

/* {{ URLs */

typedef struct sm_url {
  sm_str scheme;    /* as written: "https" */
  sm_str authority; /* host and port as written: what a Host header holds */
  sm_str host;      /* with its brackets when it is an IPv6 address */
  sm_str path;      /* begins with "/"; "" when there is none */
  sm_str query;     /* without "?"; p is NULL when there is none */
  unsigned port;    /* as written, else 443 for https, 80 for http, else 0 */
  int has_port;     /* 1 when a port was written */
  int secure;       /* 1: the scheme is https, in any case of letters */
  int ipv6;         /* 1: the host is an IPv6 literal */
} sm_url;

/*
** Takes an absolute URL apart; everything borrows from s. A fragment is
** dropped. SM_ESYNTAX for a missing scheme or host, user information, blanks,
** control characters, a host that is neither a name (labels of 1 to 63
** letters, digits, `-`, `_`, 255 bytes in all, maybe a final dot), an IPv4
** address nor a well-formed IPv6 literal; SM_ERANGE for a port that is 0 or
** above 65535.
*/
int sm_url_split(sm_str s, sm_url *url);

/* True when s is a host name as above, with no port. */
int sm_host_valid(sm_str s);

/* True when s is an IPv6 address without brackets; a zone (%25eth0) may
** follow. */
int sm_ipv6_valid(sm_str s);

/* }} */

SM_HIDDEN_END

#endif
