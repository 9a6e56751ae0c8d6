/*
** sm_bundle.h: where a module lies in a bundle of modules, which is one file
** that is mapped. lua/sagemaker/cli/bundle/writer.lua makes it:
**
**   00008405                  eight digits: the length of the index
**   sagemaker 0 1067          name, offset, length of each module, by name
**   sagemaker.agent 1067 …
**   …                         their code, one after the other
*/
#ifndef SM_BUNDLE_H
#define SM_BUNDLE_H

#include "sm_base.h"

SM_HIDDEN_BEGIN

/*
** The code of the module `name`, borrowed from the bundle; empty where it has
** none. A file that is no bundle, or only the start of one, gives less, never
** bytes that are not its own.
*/
sm_str sm_bundle_find(sm_str bundle, sm_str name);

SM_HIDDEN_END

#endif
