/*
** lencode.h: the encoder, from a Lua table to a request.
**
** One walk over the value and its shape validates and writes. Problems do not
** stop it: each becomes an entry in a list, and what was written is thrown
** away when there is one. An entry is
**
**   path        where: "A.B[0].C"; "" at the top; indices count from 0
**   member      the member that is meant, for "required" and "unknown"
**   code        one of
**     required    a required member is absent
**     unknown     the structure has no such member
**     type        not of the shape's type; also a number with a fraction for
**                 an integer, a list with holes, a string that is no date
**     range       an integer that needs more bits than its type has
**     utf8        a string that is not UTF-8
**     union       not exactly one member of a union is set
**     min max     a number beyond its bounds (`limit`)
**     min_length max_length
**                 a string (characters), blob (bytes), list or map (entries)
**     enum        not one of the values (strict only)
**     pattern     does not match `pattern` (strict only)
**     label       cannot be part of a URL or of a host name
**     header      cannot be (part of) a header
**     limit       too deep, too large, or without end
**     metamethod  a metamethod of the value threw
**   message     one sentence with the path
**   suggestion  the nearest valid name or value, where there is one
**   shape       the name of the shape that was violated
**   limit, pattern, value
**               the bound, the expression, the value as the message shows it
**               (never of a sensitive shape)
**
** Nothing is changed in the caller's tables. A plain table is read raw. One
** whose metatable has __index or __pairs is first copied, one level at a time
** and in protected mode, so that no foreign code runs while the walk holds
** pointers into strings.
*/
#ifndef LENCODE_H
#define LENCODE_H

#include "lcodec.h"
#include "sm_time.h"

SM_HIDDEN_BEGIN

/* A call reports at most this many problems. */
#define LSM_MAX_ERRORS 100

/* What is checked beyond what cannot be written at all. */
enum lsm_check {
  LSM_CHECK_REQUIRED = 1 << 0, /* required members; unions have one member */
  LSM_CHECK_UNKNOWN = 1 << 1,  /* else unknown members go out as documents */
  LSM_CHECK_MIN = 1 << 2,
  LSM_CHECK_STRICT = 1 << 3, /* max, enum, pattern */
  LSM_CHECK_NULL = 1 << 4,   /* null is refused; else it counts as absent */
  LSM_WHOLE_SECONDS = 1 << 5 /* epoch seconds go out without a fraction, as
                             ** AWS's own clients send them */
};

#define LSM_BASIC                                                              \
  (LSM_CHECK_REQUIRED | LSM_CHECK_UNKNOWN | LSM_CHECK_MIN | LSM_CHECK_NULL |   \
   LSM_WHOLE_SECONDS)
#define LSM_STRICT (LSM_BASIC | LSM_CHECK_STRICT)

typedef struct lsm_enc {
  lsm_call call;
  lua_State *L;
  const sm_service *s;
  sm_buf *out; /* where values are written to */
  lsm_scratch *scratch;
  const lsm_frame *at; /* where the walk is */
  unsigned checks;     /* lsm_check */
  int depth;
  int stack;  /* up to this index the Lua stack is reserved */
  int errors; /* stack index of the list of problems, or of nil */
  int nerrors;
  int stop;         /* 1: enough is known, return */
  int token;        /* stack index of the idempotency token, or 0 */
  unsigned foreign; /* how often foreign code has run */
  int body;         /* stack index of a body that needs no copy, or 0 */
} lsm_enc;

/*
** The members of a structure, gathered from a table: member i is the value at
** stack index base + 2 * pos[i], behind its key, or absent where pos[i] is 0.
** They stay on the stack for as long as pointers into them are used.
*/
typedef struct lsm_found {
  const lsm_plan *plan;
  int base;
  int table;   /* stack index of the plain table */
  int unknown; /* how many keys of it are no member's name */
  unsigned char pos[LSM_MAX_MEMBERS + 1];
} lsm_found;

/* {{ lencode_walk.c */

/* Writes the value at `idx` as JSON. `ts` is the format of timestamps that the
** place or the member asks for. May leave values on the stack: whoever goes
** through many of them restores the top himself. */
void lsm_enc_value(lsm_enc *e, const sm_shape *shape, unsigned ts, int idx);

/*
** Gathers the members of a structure from the value at `idx` and checks which
** are there. 0 when it is not such a table; then the problem is noted. Either
** way the caller restores the top of the stack to what it was before, and
** calls lsm_enc_leave when the answer was 1.
*/
int lsm_enc_enter(lsm_enc *e, const sm_shape *shape, int idx, lsm_found *found);
void lsm_enc_leave(lsm_enc *e);

/*
** Goes into a list, a map or a document: *idx becomes that of a plain table
** that may be read raw. 0 when it is no table or too deep; when the answer is 1
** the caller calls lsm_enc_leave afterwards.
*/
int lsm_enc_table(lsm_enc *e, const sm_shape *shape, int *idx);

/* How many items the plain list at `idx` has; -1 when it is none, which is
** noted. */
int lsm_enc_count(lsm_enc *e, const sm_shape *shape, int idx);

/* The key at `idx`, a string, of a map of this shape; 0 when it breaks a rule,
** which is noted. */
int lsm_enc_key(lsm_enc *e, const sm_shape *map, int idx, sm_str *key);

/* Writes `{"name":value,…}`; of the input of restJson1 operations (`body`) only
** the members that belong there. */
void lsm_enc_members(lsm_enc *e, const sm_shape *shape, const lsm_found *found,
                     int body);

/* Pushes nothing; appends the JSON text of a jsonvalue member to `b`. */
void lsm_enc_jsonvalue(lsm_enc *e, const sm_shape *shape, int idx, sm_buf *b);

/* Writes any Lua value as JSON. */
void lsm_enc_document(lsm_enc *e, int idx);

/* }} */

/* {{ lencode_copy.c */

/*
** The metatable of the table at *idx is on top of the stack; it is popped. When
** it says how the table is read, a plain copy is pushed and *idx is the copy's.
** 0 when a metamethod threw, which is noted.
*/
int lsm_enc_plain(lsm_enc *e, const sm_shape *shape, int *idx);

/*
** Pushes a copy of the plain table at `idx` that no foreign code can change
** while it is traversed; returns the copy's index.
*/
int lsm_enc_freeze(lsm_enc *e, int idx);

/* }} */

/* {{ lencode_error.c */

/*
** Begins a message: "path: ", or "the parameters: " at the top, in
** e->scratch->text, which is returned.
*/
sm_buf *lsm_enc_problem(lsm_enc *e);

/* Appends the value at `idx`, in words, unless the shape is sensitive. */
void lsm_enc_putvalue(lsm_enc *e, sm_buf *b, const sm_shape *shape, int idx);

/*
** Ends it: pushes the entry and notes it. The caller may set further fields in
** the table on top of the stack, and pops it.
*/
void lsm_enc_note(lsm_enc *e, const char *code, const sm_shape *shape);

/* The whole of it, where a constant sentence is enough. */
void lsm_enc_complain(lsm_enc *e, const char *code, const sm_shape *shape,
                      const char *message);

/* Common problems. */
void lsm_enc_wrong(lsm_enc *e, const sm_shape *shape, int idx);
void lsm_enc_missing(lsm_enc *e, const sm_shape *shape, const sm_member *m);
void lsm_enc_unknown(lsm_enc *e, const sm_shape *shape, sm_str name);
void lsm_enc_union(lsm_enc *e, const sm_shape *shape, int n);
void lsm_enc_bound(lsm_enc *e, const sm_shape *shape, const char *code,
                   double limit, int idx);
void lsm_enc_range(lsm_enc *e, const sm_shape *shape, int idx);
void lsm_enc_size(lsm_enc *e, const sm_shape *shape, size_t n, const char *what,
                  int below);
void lsm_enc_enum(lsm_enc *e, const sm_shape *shape, sm_str value);
void lsm_enc_pattern(lsm_enc *e, const sm_shape *shape, sm_str value);

/* }} */

/* {{ lencode_scalar.c: 1 and the value, or 0 and a problem is noted */

/* Checks a string against its shape beyond its type. */
void lsm_enc_checkstring(lsm_enc *e, const sm_shape *shape, sm_str s);

static inline int lsm_enc_string (lsm_enc *e, const sm_shape *shape, int idx,
                                  sm_str *s) {
  if (lua_type(e->L, idx) != LUA_TSTRING) {
    lsm_enc_wrong(e, shape, idx);
    return 0;
  }
  s->p = lua_tolstring(e->L, idx, &s->len);
  if ((e->checks & LSM_CHECK_STRICT) || (double)s->len < 4 * shape->min)
    lsm_enc_checkstring(e, shape, *s); /* characters have at most 4 bytes */
  return 1;
}

int lsm_enc_blob(lsm_enc *e, const sm_shape *shape, int idx, sm_str *s);
int lsm_enc_bool(lsm_enc *e, const sm_shape *shape, int idx, int *v);
int lsm_enc_int(lsm_enc *e, const sm_shape *shape, int idx, int64_t *v);
int lsm_enc_double(lsm_enc *e, const sm_shape *shape, int idx, double *v);
int lsm_enc_time(lsm_enc *e, const sm_shape *shape, int idx, sm_time *t);

/* Checks the number of bytes, characters or entries. `what` is "byte",
** "character", "item" or "entry". */
void lsm_enc_length(lsm_enc *e, const sm_shape *shape, size_t n,
                    const char *what);

/* Appends a timestamp in a format other than SM_TS_DEFAULT. */
void lsm_enc_puttime(lsm_enc *e, sm_buf *b, unsigned format, sm_time t);

/* }} */

/* {{ lencode_rest.c */

/*
** Writes a restJson1 request: path and query go to the scratch buffers, the
** body to e->out or e->body, headers to the table at stack index `headers`,
** the host prefix to scratch->text. Leaves values on the stack.
*/
void lsm_enc_rest(lsm_enc *e, int params, int headers);

/* The same for an answer; returns the status that a member holds, or 0. */
int lsm_enc_restoutput(lsm_enc *e, int output, int headers);

/* Puts the operation's host prefix into b, with its labels filled in. */
void lsm_enc_hostprefix(lsm_enc *e, const sm_shape *shape,
                        const lsm_found *found, sm_buf *b);

/* }} */

SM_HIDDEN_END

#endif
