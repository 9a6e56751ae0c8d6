/*
** sm_eventstream.h: the frames of application/vnd.amazon.eventstream, in and
** out. https://smithy.io/2.0/aws/amazon-eventstream.html
**
**   total length (4) | length of the headers (4) | CRC of these 8 bytes (4)
**   headers
**   payload
**   CRC of everything before it (4)
**
** All numbers are big endian; the CRC is that of zlib. The decoder takes the
** bytes of a stream in pieces of any size and gives one message after the
** other:
**
**   sm_eventstream es;
**   sm_es_init(&es, SM_ES_MAX_FRAME, sm_libc_alloc, NULL);
**   while (more bytes) {
**     sm_str in = ...;
**     while ((got = sm_es_next(&es, &in, &m)) == 1)
**       ... m.payload, sm_es_find(&m, SM_LIT(":event-type"), &h)
**     if (got < 0) ... es.what, at byte es.at of the stream
**   }
**   if (sm_es_end(&es) != SM_OK) ... the stream was cut
**   sm_es_free(&es);
**
** A message is given only when both its checksums are right and all its
** headers can be read: names of 1 to 255 bytes of UTF-8, each once, at most
** SM_ES_MAX_HEADERS of them. A frame that lies whole in the bytes handed in is
** not copied; else at most one frame is kept. Failures stick: where frames
** begin is lost.
*/
#ifndef SM_EVENTSTREAM_H
#define SM_EVENTSTREAM_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* Bytes around headers and payload. */
#define SM_ES_OVERHEAD 16

/* The largest headers and payload that AWS writes, and the frame of both. */
#define SM_ES_MAX_HEADER_BYTES ((size_t)128 << 10)
#define SM_ES_MAX_PAYLOAD ((size_t)16 << 20)
#define SM_ES_MAX_FRAME                                                        \
  (SM_ES_MAX_PAYLOAD + SM_ES_MAX_HEADER_BYTES + SM_ES_OVERHEAD)

/* Headers of one message. */
#define SM_ES_MAX_HEADERS 256

/* The types of header values, by their number on the wire. */
typedef enum sm_es_type {
  SM_ES_TRUE,
  SM_ES_FALSE,
  SM_ES_BYTE,    /* 8 bit, signed as all of them */
  SM_ES_SHORT,   /* 16 bit */
  SM_ES_INTEGER, /* 32 bit */
  SM_ES_LONG,    /* 64 bit */
  SM_ES_BYTES,
  SM_ES_STRING,    /* UTF-8 */
  SM_ES_TIMESTAMP, /* milliseconds since the epoch */
  SM_ES_UUID       /* 16 bytes */
} sm_es_type;

typedef struct sm_es_header {
  sm_str name;
  unsigned type; /* sm_es_type */
  int64_t i;     /* of the numbers and timestamps; 1 and 0 of the booleans */
  sm_str s;      /* of bytes, strings and UUIDs */
} sm_es_header;

/* One message; all of it borrows from the bytes handed to sm_es_next or from
** the decoder, until the next call of sm_es_next or sm_es_free. */
typedef struct sm_es_message {
  sm_str headers; /* as on the wire: see sm_es_header_next */
  sm_str payload;
} sm_es_message;

typedef struct sm_eventstream {
  sm_buf frame;     /* the beginning of a frame that is not whole yet */
  size_t max_frame; /* longest frame, in bytes */
  uint64_t base;    /* offset in the stream of the frame that is read */
  int given;        /* 1: `frame` holds a message that was given */
  int err;          /* SM_OK or the first failure; sticky */
  uint64_t at;      /* its byte offset in the stream, from 0 */
  const char *what; /* what was wrong, in a few words; static text */
} sm_eventstream;

/* A decoder at the begin of a stream. Allocates nothing. */
void sm_es_init(sm_eventstream *es, size_t max_frame, sm_alloc alloc, void *ud);

void sm_es_free(sm_eventstream *es);

/*
** The next message: 1; 0 when all of *in was taken in and more is needed;
** negative on failure: SM_ESYNTAX, SM_EUTF8 (a header), SM_ELIMIT or
** SM_ENOMEM. Moves *in past what was read.
*/
int sm_es_next(sm_eventstream *es, sm_str *in, sm_es_message *m);

/* To be called at the end of the stream: SM_ESYNTAX when it ends inside a
** frame, or the failure of sm_es_next. */
int sm_es_end(sm_eventstream *es);

/*
** The first of the headers that *rest borrows, which is moved past it: 1; 0
** when none is left; SM_ESYNTAX, SM_EUTF8 on failure, which is never that of a
** message which sm_es_next gave.
*/
int sm_es_header_next(sm_str *rest, sm_es_header *h);

/* The header of this name: 1, or 0 when the message has none. */
int sm_es_find(const sm_es_message *m, sm_str name, sm_es_header *h);

/*
** Appends a frame. SM_OK, SM_EARG for a header that cannot be written (its
** index goes to *bad, unless that is NULL), SM_ELIMIT for too many headers or
** too much payload, or out->err. Appends nothing on failure.
*/
int sm_es_put(sm_buf *out, const sm_es_header *headers, size_t n,
              sm_str payload, size_t *bad);

/* The CRC-32 of zlib, PNG and IEEE 802.3 of n bytes that follow others whose
** CRC is `crc` (0: none). */
uint32_t sm_crc32(uint32_t crc, const void *p, size_t n);

SM_HIDDEN_END

#endif
