/*
** tables.h: turns the list of a generated file into the tables of sm_model.h.
**
** A generated file (sagemaker.c) is a list: one line per string, shape, member,
** enum value, operation. This header includes it again and again, each time
** with other meanings for the words of the list: first a structure with one
** char array per string, then the offsets in it, then enumerators that number
** the shapes, the members, and so on, and at last the tables. So no line holds
** a number that another line could make wrong, and the tables hold no address:
** only the sm_service at the end does.
**
** Words of a list, by SM_PART:
**
**   SM_STRINGS     NAME(text)           the name of a member
**                  NAME_(id, "text")    the same, where text is no C name
**                  NAMES_END()          after the last member name
**                  TEXT, TEXT_          any other string
**   SM_SHAPES      STRUCTURE(name, flags, payload) … END(name)
**                  EXCEPTION(name, flags, payload, code, status) … END(name)
**                  MEMBER(structure, name, shape, flags)
**                  MEMBER_(structure, name, shape, flags, wire, location,
**                          timestamp format)
**                  LIST(name, flags, min, max, items)
**                  LIST_(the same, element name of an item)
**                  MAP(name, flags, min, max, keys, values)
**                  MAP_(the same, element names of a key and of a value)
**                  STRING(name, flags, min, max, pattern)
**                  ENUM(name, flags, min, max, pattern) … END_ENUM(name)
**                  VALUE(shape, string)
**                  SCALAR(name, type, flags, min, max, timestamp format)
**   SM_OPERATIONS  OPERATION(name, snake, input, output, flags, token) …
**                  OPERATION_(the same, method, uri, status, host prefix) …
**                  QUERY(as OPERATION, element around the result) …
**                  ERROR(operation, shape)
**                  END(operation)
**   SM_ORDER       SNAKE(operation)     in the order of the snake_case names
**   SM_METADATA    METADATA(protocol, query errors, id, signing name, endpoint
**                           prefix, target prefix, JSON version, API version)
**
** Strings and shapes are named by their ids; 0 means that there is none. A
** payload or token is AT(structure, member) or SM_NONE. The words paste their
** prefixes at once: so a string may have the name of a macro (NULL).
**
** Enumerators: s_ strings, h_ shapes, o_ operations; m_, v_ and e_ are where a
** run of members, values or errors begins, m_end_, v_end_ and e_end_ where it
** ends.
*/
#ifndef SM_TABLES_H
#define SM_TABLES_H

#include <stddef.h>

#include "services.h"

#define SM_STRINGS 1
#define SM_SHAPES 2
#define SM_OPERATIONS 3
#define SM_ORDER 4
#define SM_METADATA 5

/* The flags of sm_model.h in one word each. */
enum {
  REQUIRED = SM_M_REQUIRED,
  TOKEN = SM_M_TOKEN,
  JSONVALUE = SM_M_JSONVALUE,
  HOSTLABEL = SM_M_HOSTLABEL,
  EVENTPAYLOAD = SM_M_EVENTPAYLOAD,
  EVENTHEADER = SM_M_EVENTHEADER,
  DEPRECATED = SM_M_DEPRECATED,
  FLATTENED = SM_M_FLATTENED,
  HAS_MIN = SM_S_HAS_MIN,
  HAS_MAX = SM_S_HAS_MAX,
  UNION = SM_S_UNION,
  FAULT = SM_S_FAULT,
  SENSITIVE = SM_S_SENSITIVE,
  EVENTSTREAM = SM_S_EVENTSTREAM,
  EVENT = SM_S_EVENT,
  UNSIGNED = SM_O_UNSIGNED,
  READONLY = SM_O_READONLY,
  IDEMPOTENT = SM_O_IDEMPOTENT,
  CHECKSUM = SM_O_CHECKSUM,
  STREAM_OUTPUT = SM_O_STREAM_OUTPUT
};

/* What 0 stands for in place of a string or a shape. */
enum {
  s_0 = SM_NONE,
  h_0 = SM_NONE
};

/* The place of a member in its structure. */
#define AT(structure, member) (m_##structure##__##member - m_##structure)

/* An enumerator that takes no number of its own: the next one gets it. */
#define MARK(name, before) name, before = name - 1,

/* {{ Strings: the pool, their ids, where they are */

#define SM_PART SM_STRINGS
#define NAME(text) STR(s_##text, #text)
#define NAME_(id, text) STR(s_##id, text)
#define TEXT(text) STR(s_##text, #text)
#define TEXT_(id, text) STR(s_##id, text)

#define NAMES_END()
#define STR(id, text) char id[sizeof(text)];
static const struct pool {
#include SM_FILE
} pool = {
#undef STR
#define STR(id, text) text,
#include SM_FILE
#undef STR
};

#define STR(id, text) {offsetof(struct pool, id), sizeof(text) - 1},
static const sm_ref refs[] = {
#include SM_FILE
};
#undef STR
#undef NAMES_END

#define STR(id, text) id,
#define NAMES_END() MARK(nnames, before_nnames)
enum {
#include SM_FILE
  nrefs
};
#undef STR
#undef NAMES_END
#undef SM_PART

/* }} */

/* {{ Shapes, members, enum values */

#define SM_PART SM_SHAPES
#define STRUCTURE(n, flags, payload)                                           \
  SHAPE(h_##n, s_##n, SM_STRUCTURE, SM_TS_DEFAULT, flags, 0, 0, m_end_##n,     \
        m_##n, h_0, h_0, payload, s_0, s_0, 0)                                 \
  MEMBERS(m_##n, m_before_##n)
#define EXCEPTION(n, flags, payload, code, status)                             \
  SHAPE(h_##n, s_##n, SM_STRUCTURE, SM_TS_DEFAULT, flags | SM_S_EXCEPTION, 0,  \
        0, m_end_##n, m_##n, h_0, h_0, payload, s_0, s_##code, status)         \
  MEMBERS(m_##n, m_before_##n)
#define MEMBER(structure, n, shape, flags)                                     \
  FIELD(m_##structure##__##n, s_##n, s_##n, h_##shape, SM_IN_BODY,             \
        SM_TS_DEFAULT, flags)
#define MEMBER_(structure, n, shape, flags, wire, location, format)            \
  FIELD(m_##structure##__##n, s_##n, s_##wire, h_##shape, location, format,    \
        flags)
#define END(n) MEMBERS(m_end_##n, m_after_##n)
#define LIST(n, flags, min, max, items)                                        \
  LIST_(n, flags, min, max, items, 0)
#define LIST_(n, flags, min, max, items, item)                                 \
  SHAPE(h_##n, s_##n, SM_LIST, SM_TS_DEFAULT, flags, min, max, 0, 0, h_0,      \
        h_##items, SM_NONE, s_0, s_##item, 0)
#define MAP(n, flags, min, max, keys, values)                                  \
  MAP_(n, flags, min, max, keys, values, 0, 0)
#define MAP_(n, flags, min, max, keys, values, k, v)                           \
  SHAPE(h_##n, s_##n, SM_MAP, SM_TS_DEFAULT, flags, min, max, 0, 0, h_##keys,  \
        h_##values, s_##k, s_0, s_##v, 0)
#define STRING(n, flags, min, max, pattern)                                    \
  SHAPE(h_##n, s_##n, SM_STRING, SM_TS_DEFAULT, flags, min, max, 0, 0, h_0,    \
        h_0, SM_NONE, s_##pattern, s_0, 0)
#define ENUM(n, flags, min, max, pattern)                                      \
  SHAPE(h_##n, s_##n, SM_STRING, SM_TS_DEFAULT, flags, min, max, v_end_##n,    \
        v_##n, h_0, h_0, SM_NONE, s_##pattern, s_0, 0)                         \
  VALUES(v_##n, v_before_##n)
#define VALUE(shape, text) ITEM(v_##shape##__##text, s_##text)
#define END_ENUM(n) VALUES(v_end_##n, v_after_##n)
#define SCALAR(n, type, flags, min, max, format)                               \
  SHAPE(h_##n, s_##n, type, format, flags, min, max, 0, 0, h_0, h_0, SM_NONE,  \
        s_0, s_0, 0)

#define SHAPE(id, ...) id,
#define MEMBERS(id, mark)
#define FIELD(id, ...)
#define VALUES(id, mark)
#define ITEM(id, text)
enum {
#include SM_FILE
  nshapes
};
#undef SHAPE
#define SHAPE(id, ...)

#undef MEMBERS
#undef FIELD
#define MEMBERS(id, mark) MARK(id, mark)
#define FIELD(id, ...) id,
enum {
#include SM_FILE
  nmembers
};
#undef MEMBERS
#undef FIELD
#define MEMBERS(id, mark)

#define FIELD(id, name, wire, shape, location, format, flags)                  \
  {name, wire, shape, location, format, flags},
static const sm_member members[] = {
#include SM_FILE
    {0, 0, 0, 0, 0, 0}};
#undef FIELD
#define FIELD(id, ...)

#undef VALUES
#undef ITEM
#define VALUES(id, mark) MARK(id, mark)
#define ITEM(id, text) id,
enum {
#include SM_FILE
  nvalues
};
#undef VALUES
#undef ITEM
#define VALUES(id, mark)

#define ITEM(id, text) text,
static const uint16_t values[] = {
#include SM_FILE
    0};
#undef ITEM
#define ITEM(id, text)

#undef SHAPE
#define SHAPE(id, name, type, format, flags, min, max, end, first, key, value, \
              payload, pattern, code, status)                                  \
  {type,  format,  flags,   name, (end) - (first), first, key,                 \
   value, payload, pattern, code, status,          min,   max},
static const sm_shape shapes[] = {
#include SM_FILE
};
#undef SHAPE
#undef MEMBERS
#undef FIELD
#undef VALUES
#undef ITEM
#undef END
#undef SM_PART

/* }} */

/* {{ Operations and their errors */

#define SM_PART SM_OPERATIONS
#define OPERATION(n, snake, input, output, flags, token)                       \
  OPERATION_(n, snake, input, output, flags, token, POST, _2f, 0, 0)
#define OPERATION_(n, snake, input, output, flags, token, method, uri, status, \
                   host)                                                       \
  CALL(o_##n, s_##n, s_##snake, s_##method, s_##uri, h_##input, h_##output,    \
       s_##host, token, e_end_##n - e_##n, flags, e_##n, status, s_0)          \
  ERRORS(e_##n, e_before_##n)
#define QUERY(n, snake, input, output, flags, token, result)                   \
  CALL(o_##n, s_##n, s_##snake, s_POST, s__2f, h_##input, h_##output, s_0,     \
       token, e_end_##n - e_##n, flags, e_##n, 0, s_##result)                  \
  ERRORS(e_##n, e_before_##n)
#define ERROR(n, shape) EXCEPT(e_##n##__##shape, h_##shape)
#define END(n) ERRORS(e_end_##n, e_after_##n)

#define CALL(id, ...) id,
#define ERRORS(id, mark)
#define EXCEPT(id, shape)
enum {
#include SM_FILE
  noperations
};
#undef CALL
#define CALL(id, ...)

#undef ERRORS
#undef EXCEPT
#define ERRORS(id, mark) MARK(id, mark)
#define EXCEPT(id, shape) id,
enum {
#include SM_FILE
  nerrors
};
#undef ERRORS
#undef EXCEPT
#define ERRORS(id, mark)

#define EXCEPT(id, shape) shape,
static const uint16_t errors[] = {
#include SM_FILE
    0};
#undef EXCEPT
#define EXCEPT(id, shape)

#undef CALL
#define CALL(id, ...) {__VA_ARGS__},
static const sm_operation operations[] = {
#include SM_FILE
};
#undef SM_PART

#define SM_PART SM_ORDER
#define SNAKE(n) o_##n,
static const uint16_t by_snake[] = {
#include SM_FILE
};
#undef SM_PART

/* }} */

/* The only addresses. */
#define SM_PART SM_METADATA
#define METADATA(protocol, query, id, signing, endpoint, target, json, api)    \
  nrefs, nnames, nshapes, noperations, protocol, s_##id, s_##signing,          \
      s_##endpoint, s_##target, s_##json, s_##api, query
const sm_service SM_SERVICE = {
    (const char *)&pool, refs,     shapes, members, values, errors,
    operations,          by_snake,
#include SM_FILE
};

#endif
