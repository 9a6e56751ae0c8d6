/*
** lmodel.h: the service userdata, shared by lmodel.c (its methods) and
** lmodel_load.c (which builds one at run time).
**
** A compiled-in service only points to constant tables. A run-time service
** owns its tables: eight buffers inside the userdata, filled through `part`,
** freed by __gc. The userdata exists, valid and empty, before the first of
** them allocates, so an error half-way leaves nothing behind.
*/
#ifndef LMODEL_H
#define LMODEL_H

#include "lsm.h"

SM_HIDDEN_BEGIN

enum lsm_part {
  LSM_POOL,       /* char */
  LSM_REFS,       /* sm_ref */
  LSM_SHAPES,     /* sm_shape */
  LSM_MEMBERS,    /* sm_member */
  LSM_VALUES,     /* uint16_t */
  LSM_ERRORS,     /* uint16_t */
  LSM_OPERATIONS, /* sm_operation */
  LSM_BY_SNAKE,   /* uint16_t */
  LSM_PARTS
};

typedef struct lsm_service {
  const sm_service *s; /* compiled in, or &own, or NULL while being built */
  sm_service own;
  sm_buf part[LSM_PARTS];
} lsm_service;

/*
** Fills an empty service from the model table at stack index `model`: what
** service.json decodes to. Raw access only: no metamethod runs. Throws
** "malformed model: …" with the place; sets u->s last.
*/
void lsm_buildservice(lua_State *L, lsm_service *u, int model);

SM_HIDDEN_END

#endif
