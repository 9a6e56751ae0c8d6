/*
** leventstream.h: what reading (leventstream.c) and writing
** (leventstream_encode.c) event streams share.
*/
#ifndef LEVENTSTREAM_H
#define LEVENTSTREAM_H

#include "lsm.h"
#include "sm_eventstream.h"

SM_HIDDEN_BEGIN

/* Names of header types, by sm_es_type; NULL at the end. Both booleans have the
** same one. */
extern const char *const lsm_event_types[SM_ES_UUID + 2];

int lsm_core_eventstream_encode(lua_State *L);

SM_HIDDEN_END

#endif
