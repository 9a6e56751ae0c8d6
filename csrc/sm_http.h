/*
** sm_http.h: the parts of a request of HTTP/1.1, written (RFC 9112). Answers
** are read by sm_http_read.h.
**
**   sm_http_put_method(&b, SM_LIT("POST"));
**   sm_buf_puts(&b, target);
**   sm_http_put_host(&b, host);
**   sm_http_put_field(&b, name, value);
**   sm_buf_puts(&b, SM_LIT("\r\n"));
*/
#ifndef SM_HTTP_H
#define SM_HTTP_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* Writes the method and a blank. SM_ESYNTAX: it is no token. What target and
** host may hold is the caller's business. */
int sm_http_put_method(sm_buf *b, sm_str method);

/* Writes what stands behind the target, and Host. */
int sm_http_put_host(sm_buf *b, sm_str host);

/*
** Writes a header line. SM_ESYNTAX: the name is no token, or is one that says
** how the message is framed or where it goes (Host, Content-Length,
** Transfer-Encoding), or the value holds CR, LF or NUL.
*/
int sm_http_put_field(sm_buf *b, sm_str name, sm_str value);

SM_HIDDEN_END

#endif
