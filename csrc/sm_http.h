/*
** sm_http.h: the plain case of HTTP/1.1, quickly.
**
** Nearly every head that a service sends is of one kind: all there, one line
** for each header, no header twice, nothing said in two ways. Such a head is
** read here, and a head of that kind is written. Whatever is not plain is
** refused (SM_ESYNTAX) and left to lua/sagemaker/transport/http1.lua, which
** knows all of RFC 9112 and has words for what is wrong.
*/
#ifndef SM_HTTP_H
#define SM_HTTP_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* More headers than this are not plain. */
#define SM_HTTP_MAX_FIELDS 64

typedef struct sm_http_field {
  sm_str name;
  sm_str value; /* without the blanks around it */
} sm_http_field;

/* A head that was read; names and values are borrowed from its text. */
typedef struct sm_http_head {
  int status;     /* 200 to 999 */
  int keep;       /* the connection may be used again */
  int chunked;    /* the body comes in chunks */
  int has_length; /* Content-Length was there: */
  int64_t length;
  size_t size; /* bytes of the head with its empty line */
  size_t nfields;
  sm_http_field fields[SM_HTTP_MAX_FIELDS];
} sm_http_head;

/*
** Reads the head that `text` begins with. SM_ESYNTAX: it is not plain, or not
** all there; `head` then holds nothing of use.
*/
int sm_http_head_read(sm_str text, sm_http_head *head);

/* Writes the request line and Host. SM_ESYNTAX: the method is no token. What
** host and target may hold is the caller's business. */
int sm_http_put_request(sm_buf *b, sm_str method, sm_str target, sm_str host);

/* The same in two halves, between which the caller writes the target. */
int sm_http_put_method(sm_buf *b, sm_str method);
int sm_http_put_host(sm_buf *b, sm_str host);

/*
** Writes a header line. SM_ESYNTAX: the name is no token, or is one that says
** how the message is framed or where it goes (Host, Content-Length,
** Transfer-Encoding), or the value holds CR, LF or NUL.
*/
int sm_http_put_field(sm_buf *b, sm_str name, sm_str value);

SM_HIDDEN_END

#endif
