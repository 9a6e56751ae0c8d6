/*
** lmodel_load.h: what the three files that build a run-time service share:
** lmodel_read.c (reading the model), lmodel_shape.c (shapes and members),
** lmodel_load.c (operations, and the order of it all).
**
** The tables are those that csrc/model/generate.lua writes for a compiled-in
** service. Order of work: names of shapes (their ids), names of members (the
** lowest string ids), shapes with their members, operations, metadata.
**
** The parts grow and move while they are filled, so everything is named by
** index until the end. All Lua access is raw: no metamethod of the model runs.
** Whatever throws leaves the parts to the service userdata, which is on the
** stack before the first of them allocates.
**
** Traits may stand on a shape or on the reference to it (member, input,
** output); the reference wins, as in botocore. JSON null counts as absent.
*/
#ifndef LMODEL_LOAD_H
#define LMODEL_LOAD_H

#include "lmodel.h"

SM_HIDDEN_BEGIN

typedef struct lsm_builder {
  lua_State *L;
  lsm_service *u;
  int model;     /* stack index of the model */
  int strings;   /* stack index: text -> string id */
  int shapes;    /* stack index: the model's shapes */
  int shape_ids; /* stack index: name -> shape id */
  unsigned nstrings;
  sm_protocol protocol;
  const char *kind; /* what is being read, for messages: "shape" … */
  sm_str name;      /* … and which */
} lsm_builder;

/* Keys of a table, sorted; `p` is a userdata that the stack holds. */
typedef struct lsm_keys {
  sm_str *p;
  int n;
} lsm_keys;

/* A trait of the model and the flag that it sets. */
typedef struct lsm_trait {
  const char *key;
  uint16_t flag;
} lsm_trait;

/* Throws "malformed model: <kind> <name>: <what> <problem>"; int, so that it
** can stand in a return statement. */
int lsm_malformed(lsm_builder *b, const char *what, const char *problem);

/* Appends n zero bytes to a part and returns where they are, for now. */
void *lsm_append(lsm_builder *b, enum lsm_part part, size_t n);

/* How many items of this size a part holds. */
size_t lsm_countof(const lsm_builder *b, enum lsm_part part, size_t size);

/*
** Pushes t[key] and returns 1 when it has this type; pushes nothing and
** returns 0 when it is absent or null; throws when it has another type.
*/
int lsm_getfield(lsm_builder *b, int t, const char *key, int type);

/* The same, throwing when it is absent. */
void lsm_needfield(lsm_builder *b, int t, const char *key, int type);

/* True when the boolean t[key] is true. */
int lsm_istrue(lsm_builder *b, int t, const char *key);

/* True when t[key] is there and not false; many a trait is an empty table. */
int lsm_isset(lsm_builder *b, int t, const char *key);

/* The flags of the traits that the table at `t` has set; a NULL key ends the
** list. */
uint16_t lsm_traits(lsm_builder *b, int t, const lsm_trait *list);

/* The HTTP status t[key], 0 when absent. */
uint16_t lsm_status(lsm_builder *b, int t, const char *key);

/* The index in a NULL-terminated list of the string t[key]; -1 when absent. */
int lsm_choice(lsm_builder *b, int t, const char *key, const char *const *list);

/* The string at `idx`, borrowed. */
sm_str lsm_tostr(lua_State *L, int idx);

/* Byte order of two sm_str, for qsort. */
int lsm_bybytes(const void *x, const void *y);

/*
** Pushes a userdata with the keys of the table at `t`, sorted; throws when one
** is not a string. The table keeps the strings alive; nobody changes it
** meanwhile.
*/
lsm_keys lsm_sortedkeys(lsm_builder *b, int t, const char *what);

/* Pushes t[key], which must be a table. */
void lsm_getentry(lsm_builder *b, int t, sm_str key);

/* The string id of a text, a new one when it was not seen before. */
uint16_t lsm_intern(lsm_builder *b, sm_str text);

/* The string id of the string t[key]; SM_NONE when absent. */
uint16_t lsm_internfield(lsm_builder *b, int t, const char *key);

/* The shape id that the reference table at `t` names. */
uint16_t lsm_shapeof(lsm_builder *b, int t);

/* Marks the member that the table at `t` (a shape, or a reference to it) calls
** payload; t may name none. */
void lsm_readpayload(lsm_builder *b, int t, sm_shape *shape);

/* Appends the shape whose table is on top of the stack. */
void lsm_readshape(lsm_builder *b, sm_str name);

SM_HIDDEN_END

#endif
