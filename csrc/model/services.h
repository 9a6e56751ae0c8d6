/*
** services.h: the services that are compiled in, one generated file each.
*/
#ifndef SM_SERVICES_H
#define SM_SERVICES_H

#include "../sm_model.h"

SM_HIDDEN_BEGIN

extern const sm_service sm_service_cloudwatch;
extern const sm_service sm_service_sagemaker;
extern const sm_service sm_service_sagemaker_runtime;
extern const sm_service sm_service_signin;
extern const sm_service sm_service_sso;
extern const sm_service sm_service_sso_oidc;
extern const sm_service sm_service_sts;

SM_HIDDEN_END

#endif
