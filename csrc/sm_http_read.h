/*
** sm_http_read.h: answers of HTTP/1.1 as they come, in pieces of any size
** (RFC 9112).
**
** A reader takes the bytes of a connection and gives back the fields of the
** head and the pieces of the body. It reads every answer that a client has to
** read: interim heads are passed over, folded lines are unfolded, lines may end
** with a bare LF, the body is delimited by its length, by chunks or by the end
** of the connection, trailers are read and forgotten.
**
**   sm_http_reader_begin(&r, 0);
**   while (text.len > 0 && r.state != SM_HTTP_DONE) {
**     int status = sm_http_reader_feed(&r, &text, &piece);
**     ... piece.len bytes of the body are at piece.p ...
**   }
**   at the end of the connection: sm_http_reader_end(&r)
*/
#ifndef SM_HTTP_READ_H
#define SM_HTTP_READ_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* Most header lines of an answer. */
#define SM_HTTP_MAX_LINES 256

typedef enum sm_http_state {
  SM_HTTP_STATUS,    /* a status line is to come, perhaps after interim heads */
  SM_HTTP_FIELDS,    /* header lines */
  SM_HTTP_BODY,      /* `left` bytes of a body */
  SM_HTTP_TO_END,    /* a body that ends with the connection */
  SM_HTTP_SIZE,      /* the size of a chunk */
  SM_HTTP_CHUNK,     /* `left` bytes of it */
  SM_HTTP_CHUNK_END, /* the end of line behind it */
  SM_HTTP_TRAILERS,  /* header lines behind the last chunk */
  SM_HTTP_DONE       /* the answer is all there */
} sm_http_state;

/* Where a field is in the text of the head: offsets and lengths in bytes. */
typedef struct sm_http_span {
  size_t name, name_len;
  size_t value, value_len; /* without the blanks around it */
} sm_http_span;

typedef struct sm_http_reader {
  sm_http_state state;
  int status;     /* 100 to 999, of the status line read last */
  int interim;    /* how many interim heads were passed over */
  int lines;      /* header lines of this head */
  int keep;       /* the connection may be used again when the answer ended */
  int begun;      /* some byte of an answer has come */
  int64_t length; /* of the body, as announced; -1 where it is not */
  uint64_t left;
  const char *problem; /* after SM_ESYNTAX: what is wrong, a static sentence */

  /* private */
  sm_buf text;  /* names and values */
  sm_buf spans; /* array of sm_http_span */
  sm_buf line;  /* a line whose end has not come */
  size_t limit; /* bytes of a head, and of all trailers */
  size_t room;  /* what is left of that */
  int bodiless; /* the request was HEAD */
  int minor;    /* HTTP/1.minor */
  int folds;    /* a folded line belongs to the last field */
} sm_http_reader;

/* Makes a reader whose heads have `limit` bytes at most. Allocates nothing. */
void sm_http_reader_init(sm_http_reader *r, size_t limit, sm_alloc alloc,
                         void *ud);

void sm_http_reader_free(sm_http_reader *r);

/* Makes it ready for the next answer; `head` says that the request was HEAD,
** whose answer has no body. */
void sm_http_reader_begin(sm_http_reader *r, int head);

/*
** Takes bytes off the front of *text. Returns after a piece of the body, which
** is borrowed from *text, or with an empty piece when the text is used up, a
** head has ended, or the answer has. Bytes behind its end stay in *text.
** Failures stick: SM_ESYNTAX (see `problem`), SM_ELIMIT (the head or the
** trailers are larger than `limit`, or have more than SM_HTTP_MAX_LINES lines),
** SM_ENOMEM.
*/
int sm_http_reader_feed(sm_http_reader *r, sm_str *text, sm_str *piece);

/* The connection has ended: 1 when the answer is whole, and its state is
** SM_HTTP_DONE then. */
int sm_http_reader_end(sm_http_reader *r);

/* The fields of the head, borrowed from r; the number of them. */
size_t sm_http_reader_fields(const sm_http_reader *r,
                             const sm_http_span **spans, const char **text);

/* The length that digits announce; -1 where it is none, or has more than 15 of
** them: the number is exact in every Lua. */
int64_t sm_http_length(sm_str s);

/* Whether a word is among those that a value lists, separated by commas, in
** lower or upper case: "close" in "keep-alive, Close". */
int sm_http_lists(sm_str value, sm_str word);

SM_HIDDEN_END

#endif
