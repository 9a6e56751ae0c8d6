/*
** sm_xml.h: the XML that AWS's query protocol answers with, one piece after
** the other out of borrowed bytes, with no tree in between.
**
**   sm_xml r;
**   sm_xml_init(&r, text);
**   while ((kind = sm_xml_next(&r, &s, &scratch)) > 0)
**     switch (kind) {
**     case SM_X_START: ... s is the element's name
**     case SM_X_TEXT:  ... s is what stands between two tags
**     case SM_X_END:   ... s is the name again
**     }
**   if (r.err != SM_OK) ... r.what, at byte r.at
**
** It reads elements, character data with the five predefined entities and
** character references, CDATA sections, comments, processing instructions and
** attributes (which it checks and leaves out). It gives names without their
** namespace prefix. It refuses document type declarations, so that no entity
** can ever be defined, text outside the root element, tags that do not match,
** bytes that are not UTF-8 (XML 1.0, https://www.w3.org/TR/xml/) and nesting
** deeper than SM_XML_MAX_DEPTH.
*/
#ifndef SM_XML_H
#define SM_XML_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

#define SM_XML_MAX_DEPTH 32

typedef enum sm_xml_kind {
  SM_X_EOF = 0,
  SM_X_START,
  SM_X_TEXT,
  SM_X_END
} sm_xml_kind;

typedef struct sm_xml {
  const char *p;                 /* the next byte to read */
  const char *end;               /* one past the last byte */
  const char *begin;             /* the first byte */
  sm_str open[SM_XML_MAX_DEPTH]; /* full names of the open elements */
  unsigned depth;                /* how many they are */
  int closing;                   /* 1: the end of <a/> is still to be told */
  int fresh;                     /* 1: a start tag was just told */
  int rooted;                    /* 1: the root element was met */
  int err;                       /* SM_OK or the first failure; sticky */
  size_t at;                     /* its byte offset */
  const char *what;              /* what was wrong; static text */
} sm_xml;

/* Starts at the first byte of text, which may begin with a byte-order mark. */
void sm_xml_init(sm_xml *r, sm_str text);

/*
** The next piece: a positive sm_xml_kind, SM_X_EOF after the root element, or
** a negative status. *s borrows from the text, or from *scratch where text had
** to be put together, until scratch is used again. Text that is blank only is
** left out unless it is all that its element holds.
*/
int sm_xml_next(sm_xml *r, sm_str *s, sm_buf *scratch);

/*
** After SM_X_START: the whole text of that element, through its end tag. An
** element inside it is SM_ESYNTAX.
*/
int sm_xml_text(sm_xml *r, sm_str *s, sm_buf *scratch);

/* After SM_X_START: reads through the end tag of that element. */
int sm_xml_skip(sm_xml *r, sm_buf *scratch);

SM_HIDDEN_END

#endif
