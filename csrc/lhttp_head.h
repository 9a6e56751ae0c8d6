/*
** lhttp_head.h: heads of HTTP/1.1 between Lua tables and bytes, for the
** transports: `sagemaker.core` and `sagemaker.curl` each have it.
*/
#ifndef LHTTP_HEAD_H
#define LHTTP_HEAD_H

#include <lua.h>
#include <lauxlib.h>

#include "sm_buf.h"
#include "sm_http_read.h"

SM_HIDDEN_BEGIN

/* What the head of a request says beside its headers. */
typedef struct lhttp_request {
  sm_str method;
  sm_str origin; /* stands before the target where a proxy is told all of it */
  sm_str target; /* path and query; nothing and "?a=b" are below "/" */
  sm_str host;   /* for Host, unless the headers have one */
  sm_str extra;  /* further header lines */
  size_t length; /* of the body, in bytes */
  int last; /* set when it was written: none may follow on its connection */
} lhttp_request;

/*
** Appends the head of a request with the headers (name -> string or number) of
** the table or nil at absolute index `headers`. Content-Length is written for
** every body, and without one for POST, PUT and PATCH. Returns NULL, or says in
** a static sentence why the request may not be sent (RFC 9112, sections 2.2, 3
** and 6). Failures of the buffer are told by its `err`. Throws where a name or
** a value has a wrong type.
*/
const char *lhttp_puthead(lua_State *L, sm_buf *b, lhttp_request *r,
                          int headers);

/* Pushes the headers of an answer: names as received, a repeated one joined to
** the first with ", ". */
void lhttp_pushheaders(lua_State *L, const sm_http_reader *r);

SM_HIDDEN_END

#endif
