/*
** ldecode.h: the decoder, from the bytes of an answer to a Lua table.
**
** The JSON text is pulled apart token by token while the shape is walked; the
** Lua table is built on the way, nothing is kept in between.
**
**   blob        the bytes
**   timestamp   seconds since the epoch; a whole number of them as an integer
**               where Lua has integers
**   integer, long
**               an integer where Lua has them; 3.0 and 1e3 are integers too
**   float, double
**               a float; also from the strings "NaN", "Infinity", "-Infinity"
**   null        a member that is null is absent, so is an entry of a map; in a
**               list it is core.null, so that positions stay; in a document it
**               is core.null
**   unknown     members that the shape does not know are skipped
**   twice       of two members with the same key the last one counts
**   union       exactly one member that is not null, `__type` aside; one that
**               is unknown gives {SDK_UNKNOWN_MEMBER = {name = "…"}}, as with
**               AWS's own SDKs
**
** Another JSON type than the shape's is a failure that names the place: "3"
** is no integer. So is anything that is not JSON.
*/
#ifndef LDECODE_H
#define LDECODE_H

#include "lcodec.h"
#include "sm_json.h"
#include "sm_time.h"

SM_HIDDEN_BEGIN

typedef struct lsm_dec {
  lsm_call call;
  lua_State *L;
  const sm_service *s;
  sm_json r;
  lsm_scratch *scratch; /* text holds the message after a failure */
  const lsm_frame *at;
  int failed;
} lsm_dec;

/* Begins; takes one stack slot. */
void lsm_dec_begin(lua_State *L, lsm_dec *d);

/* Puts the buffers at stack index `scratch` back; they are taken again by the
** next call. */
void lsm_dec_finish(lsm_dec *d, int scratch);

/* {{ ldecode_value.c. These push one value and return 1, or push nothing and
** return 0 (null), or return -1 after a failure: then the stack holds more or
** less than before, and d->scratch->text the message. */

/* The value of a shape that comes next. `ts` is the timestamp format of the
** member. */
int lsm_dec_value(lsm_dec *d, const sm_shape *shape, unsigned ts);

/* Any value. null is pushed as core.null. */
int lsm_dec_document(lsm_dec *d);

/*
** The object that comes next, into the table at stack index `t`. With `body`
** only members that travel in the body count. 1 or -1.
*/
int lsm_dec_members(lsm_dec *d, const sm_shape *shape, int t, int body);

/* Starts reading a text. */
void lsm_dec_open(lsm_dec *d, sm_str text);

/* Checks that nothing follows the value, and tells a failure of the reader. 1
** or -1. */
int lsm_dec_close(lsm_dec *d);

/* }} */

/* {{ Failures: all return -1 */

/* Begins a message with the place; returns the buffer that it goes to. The
** first failure stays, later ones are lost. */
sm_buf *lsm_dec_problem(lsm_dec *d);

/* "expected …, got …", from what comes next. */
int lsm_dec_wrong(lsm_dec *d, const sm_shape *shape);

/* "expected …, got "text"". */
int lsm_dec_wrongtext(lsm_dec *d, const sm_shape *shape, sm_str text);

int lsm_dec_complain(lsm_dec *d, const char *message);

/* }} */

/* {{ ldecode_rest.c */

/* Pushes what the text of a header, a label or a query parameter stands for.
** 1 or -1. */
int lsm_dec_text(lsm_dec *d, const sm_shape *shape, sm_str text);

/* Sets the members that headers and status hold in the table at `t`. 1 or -1.
 */
int lsm_dec_headers(lsm_dec *d, const sm_shape *shape, int t, int headers,
                    int status);

/* Sets the members that the body holds in the table at `t`; an empty body has
** none. 1 or -1. */
int lsm_dec_body(lsm_dec *d, const sm_shape *shape, int t, int body);

/* Pushes the header of this name (any case) at 1, else 0. */
int lsm_dec_findheader(lua_State *L, int headers, sm_str name);

/* }} */

/* {{ ldecode_error.c, ldecode_input.c */

int lsm_core_decode_error(lua_State *L);
int lsm_core_decode_input(lua_State *L);

/* }} */

SM_HIDDEN_END

#endif
