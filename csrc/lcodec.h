/*
** lcodec.h: what the encoder (lencode*.c) and the decoder (ldecode*.c) share.
**
** Both walk a value and its shape side by side. The encoder reads Lua tables
** and writes bytes; the decoder reads bytes and builds Lua tables. Neither
** keeps anything global: a state of Lua has one table, upvalue 1 of every
** function of the codec, which holds
**
**   [1]          the scratch buffers, or false while a call has taken them
**   [service]    a row per service that was used (its keys are weak):
**                [1] the lsm_codec userdata, [2] the member-name strings,
**                [3 + shape id] the plan of a structure,
**                [operation name] {index, method, content type, target}
**
** A call takes the scratch buffers away and puts them back when it is done. A
** call that a metamethod makes meanwhile finds none and makes its own; so does
** the next call after one that ended in a thrown error.
*/
#ifndef LCODEC_H
#define LCODEC_H

#include "lsm.h"
#include "sm_pattern.h"

SM_HIDDEN_BEGIN

/* Containers may be nested this deep, in both directions. */
#define LSM_MAX_DEPTH 64

/* Largest body that the encoder writes. */
#define LSM_MAX_BODY ((size_t)64 << 20)

/* Structures may have this many members. */
#define LSM_MAX_MEMBERS 255

/* {{ What is kept for a service in one Lua state */

/* A member as it is on the wire: `,"name":`, to be copied or compared whole. */
typedef struct lsm_slot {
  unsigned char len; /* of text; 0: too long for it */
  char text[47];
} lsm_slot;

/*
** What is known of a structure's members, made when it is first met. Short
** strings are unique in a state of Lua, so most keys of a table are recognised
** by address alone; the strings are anchored in the service's row.
*/
typedef struct lsm_plan {
  const void **keys; /* for each member what lsm_keyof says of its name */
  lsm_slot *slots;   /* for each member */
  /* For each member the one that came behind it when a value was last decoded;
  ** [count]: the one that came first. Services keep their order. */
  unsigned char *next;
} lsm_plan;

typedef struct lsm_codec {
  const sm_service *s;
  lsm_plan **plans; /* per shape, or NULL */
  int by_pointer;   /* 1: lua_topointer tells the address of a string */
  /* Per shape: how many entries its last value had when decoded. The next one
  ** of its kind most likely has as many, so its table gets the right size. */
  unsigned char *sizes;
  sm_patterns patterns; /* by the string id of the pattern */
} lsm_codec;

/* }} */

/* {{ Scratch buffers */

typedef struct lsm_scratch {
  sm_buf body;  /* encoder: the body; decoder: strings with escapes, base64 */
  sm_buf path;  /* encoder: the path, header values */
  sm_buf query; /* encoder: the query */
  sm_buf text;  /* one message, one number */
} lsm_scratch;

/* Pushes the scratch buffers, empty, and takes them out of the state. */
lsm_scratch *lsm_takescratch(lua_State *L);

/* Puts the buffers at stack index `idx` back for the next call. */
void lsm_givescratch(lua_State *L, int idx);

/* Throws when the allocator refused; anything else is not for it. */
void lsm_checkmemory(lua_State *L, const sm_buf *b);

/* }} */

/* {{ Where in a value we are: a chain of frames on the C stack */

typedef enum lsm_place {
  LSM_MEMBER, /* id: string id of the member's name */
  LSM_ITEM,   /* index: from 0 */
  LSM_ENTRY,  /* key: of a map */
  LSM_KEY     /* the key of a map itself is meant */
} lsm_place;

typedef struct lsm_frame {
  const struct lsm_frame *up;
  lsm_place place;
  unsigned id;
  size_t index;
  sm_str key;
} lsm_frame;

/* Appends `A.B[0].key`; nothing at the top. */
void lsm_putpath(sm_buf *b, const sm_service *s, const lsm_frame *at);

/* Appends at most 64 bytes of s; what is not printable is escaped. */
void lsm_putshown(sm_buf *b, sm_str s);

/* Appends "a string", "an integer" …: what a shape wants. */
void lsm_putwanted(sm_buf *b, const sm_shape *shape);

/* }} */

/* {{ One call on an operation of a service */

typedef struct lsm_call {
  lua_State *L;
  const sm_service *s;
  lsm_codec *codec;
  const sm_operation *op; /* NULL: the call names none */
  int names;              /* stack index of the member-name strings */
  int row;                /* stack index of the operation's row */
} lsm_call;

/*
** Takes the service at index 1 and, unless it is nil and `optional`, the name
** of an operation at index 2; leaves three values on the stack. Throws for
** anything else, with the nearest operation name.
*/
void lsm_begincall(lua_State *L, lsm_call *c, int optional);

/* The plan of a structure. */
const lsm_plan *lsm_newplan(lsm_call *c, const sm_shape *shape);

static inline const lsm_plan *lsm_planof (lsm_call *c, const sm_shape *shape) {
  const lsm_plan *plan = c->codec->plans[shape - c->s->shapes];
  return plan != NULL ? plan : lsm_newplan(c, shape);
}

/*
** What identifies the key at `idx`: the address of a short string is its own.
** NULL for a key that is no string.
*/
static inline const void *lsm_keyof (lua_State *L, int by_pointer, int idx) {
  if (by_pointer)
    return lua_topointer(L, idx);
  return lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
}

/* Fields of an operation's row. */
enum {
  LSM_OP_INDEX = 1,
  LSM_OP_METHOD,
  LSM_OP_TYPE,
  LSM_OP_TARGET
};

/* Pushes the state's table, made when it is first asked for. */
void lsm_pushcodecstate(lua_State *L);

/* How many upvalues every function of the codec has. */
#define LSM_UPVALUES 1

/* Registers functions with the state's table as their upvalue in the table on
** top of the stack. */
void lsm_setcodecfuncs(lua_State *L, const luaL_Reg *list);

/* }} */

/* Absolute form of a stack index. */
static inline int lsm_absindex (lua_State *L, int idx) {
  return idx > 0 || idx <= LUA_REGISTRYINDEX ? idx : lua_gettop(L) + idx + 1;
}

/* lightuserdata(NULL), the explicit null. */
static inline int lsm_isnull (lua_State *L, int idx) {
  return lua_type(L, idx) == LUA_TLIGHTUSERDATA &&
         lua_touserdata(L, idx) == NULL;
}

/* An integer, where Lua has them; else the nearest number. */
static inline void lsm_pushint (lua_State *L, int64_t v) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)v);
#else
  lua_pushnumber(L, (lua_Number)v);
#endif
}

SM_HIDDEN_END

#endif
