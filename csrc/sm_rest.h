/*
** sm_rest.h: the parts of an HTTP message that restJson1 fills with values.
**
** https://smithy.io/2.0/spec/http-bindings.html
*/
#ifndef SM_REST_H
#define SM_REST_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* {{ URI templates: "/endpoints/{EndpointName}/invocations?x=y" */

typedef struct sm_template_part {
  sm_str text; /* the literal text, or the name of the label */
  int label;   /* 1: a label */
  int greedy;  /* 1: {name+}, whose slashes stay slashes */
} sm_template_part;

/* The next part of *rest, which moves on: 1, or 0 at the end. A brace that
** nothing closes is literal text. */
int sm_template_next(sm_str *rest, sm_template_part *part);

/* Splits a template at its first "?": *query is what follows, or empty. */
sm_str sm_template_path(sm_str uri, sm_str *query);

/* True when the text may stand in a path on its own: neither empty nor a dot
** segment, which proxies and servers take out of a path. */
int sm_label_valid(sm_str s, int greedy);

/* True when the text may be one label of a host name. */
int sm_hostlabel_valid(sm_str s);

/*
** Matches a path on the wire against the path of a template. Calls `found` for
** each label with its text still percent-encoded; a `found` of NULL only
** tests. 1 when it matches.
*/
int sm_template_match(sm_str uri, sm_str path,
                      void (*found)(void *ctx, sm_str name, sm_str text),
                      void *ctx);

/* }} */

/* {{ Queries */

/* Appends name=value, percent-encoded, after a "&" unless it comes first. */
void sm_rest_put_query(sm_buf *b, sm_str name, sm_str value);

/* The next pair of *query, still encoded; 0 at the end. A name without "=" has
** an empty value. */
int sm_rest_next_query(sm_str *query, sm_str *name, sm_str *value);

/* }} */

/* {{ Headers */

/* True for a token of RFC 9110: what a header may be called. */
int sm_header_name_valid(sm_str s);

/* True when the text has no CR, LF, NUL or other control character except a
** tab. */
int sm_header_value_valid(sm_str s);

/* Appends an item of a list in a header, after ", " unless it comes first;
** one that holds a comma or a quote is put in quotes. */
void sm_header_put_item(sm_buf *b, sm_str item, int first);

/*
** The next item of a list in a header; *rest moves on; 0 at the end. An item
** in quotes is put together in *scratch, which *item then borrows from. With
** `dates`, items are HTTP dates, which hold a comma themselves.
*/
int sm_header_next_item(sm_str *rest, sm_str *item, int dates, sm_buf *scratch);

/* Appends the Content-MD5 of a body. */
int sm_put_md5(sm_buf *b, sm_str body);

/* }} */

/* {{ Words */

/* True for "NaN", "Infinity" and "-Infinity", and their value. */
int sm_float_name(sm_str s, double *v);

/* The reason phrase of a status ("Service Unavailable"); "" for another. */
sm_str sm_status_phrase(int status);

/*
** The bare code of an error: "aws.x#FooError:http://internal/" is FooError.
** Empty when nothing is left.
*/
sm_str sm_error_code(sm_str s);

/* True when a body is a page of HTML. */
int sm_is_html(sm_str body);

/* }} */

SM_HIDDEN_END

#endif
