/*
** lquery.h: the query protocol between Lua tables and the wire: what the
** encoder and the decoder (lencode.c, ldecode.c) call where a service speaks
** it. The client's side only.
*/
#ifndef LQUERY_H
#define LQUERY_H

#include "ldecode.h"
#include "lencode.h"
#include "sm_query.h"

SM_HIDDEN_BEGIN

/* Content type of the requests. */
#define LSM_FORM "application/x-www-form-urlencoded; charset=utf-8"

/* Throws for a service of this protocol: its own side is not written yet. */
static inline void lsm_noquery (lua_State *L, const sm_service *s) {
  if (s->protocol == SM_AWS_QUERY)
    luaL_argerror(L, 1, "the service's side of the query protocol is missing");
}

/*
** lquery_encode.c: writes the form of the operation to e->out, validating the
** parameters at `params` on the way, as lsm_enc_value does for JSON. Unknown
** members that nobody minds are left out: a form cannot hold any value.
*/
void lsm_enc_query(lsm_enc *e, int params);

/*
** lquery_decode.c: pushes the output that an answer holds: 1; or -1 after a
** failure, with the message in d->scratch->text.
*/
int lsm_dec_query(lsm_dec *d, sm_str body);

/*
** Reads the error in a body. The texts are in d->scratch->path until it is
** used again.
*/
void lsm_dec_fault(lsm_dec *d, sm_str body, sm_fault *fault);

SM_HIDDEN_END

#endif
