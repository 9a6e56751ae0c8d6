/*
** sm_query.h: what AWS's query protocol sends and answers, short of shapes.
** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
**
** A request is a form. The name of a field is the path to its value, and list
** indices count from 1:
**
**   Action=PutThings&Version=2011-06-15&Names.member.1=a&Tags.entry.1.key=b
**
**   sm_query q;
**   sm_query_begin(&q, out, path, action, version);
**   mark = sm_query_enter(&q, SM_LIT("Names"));
**   inner = sm_query_enter(&q, SM_LIT("member"));
**   last = sm_query_index(&q, 1);
**   sm_query_put(&q, SM_LIT("a"));
**   sm_query_leave(&q, last); ... inner, mark
**
** An answer is XML (sm_xml.h) with the result in an element of its own; an
** error is one of
**
**   <ErrorResponse><Error><Type>Sender</Type><Code/><Message/></Error>
**     <RequestId/></ErrorResponse>
**   <Response><Errors><Error><Code/><Message/></Error></Errors>
**     <RequestID/></Response>
*/
#ifndef SM_QUERY_H
#define SM_QUERY_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

typedef struct sm_query {
  sm_buf *out;  /* the form */
  sm_buf *path; /* the name of the field that comes next, percent-encoded */
} sm_query;

/* Starts a form with the fields Action and Version; `path` is emptied. Errors
** stick to the two buffers. */
void sm_query_begin(sm_query *q, sm_buf *out, sm_buf *path, sm_str action,
                    sm_str version);

/* Goes one name (or one index from 1) deeper; the answer is for leave. */
size_t sm_query_enter(sm_query *q, sm_str name);
size_t sm_query_index(sm_query *q, size_t index);
void sm_query_leave(sm_query *q, size_t mark);

/* Appends a field with the path as its name. */
void sm_query_put(sm_query *q, sm_str value);

/* A run of bytes in a buffer that may still grow. */
typedef struct sm_run {
  size_t off, len;
} sm_run;

/* What an error says; a field of no bytes was absent or empty. */
typedef struct sm_fault {
  sm_run code, message, type, request_id;
} sm_fault;

/*
** Reads the first error of an answer; texts are appended to *store, which the
** runs refer to. SM_OK; SM_ESYNTAX and the like where the body is no XML, or
** XML without an <Error>: then all runs are empty.
*/
int sm_query_fault(sm_str body, sm_fault *fault, sm_buf *store,
                   sm_buf *scratch);

SM_HIDDEN_END

#endif
