/*
** fuzz.h: what the fuzz targets share. Each file fuzz_<name>.c defines
** LLVMFuzzerTestOneInput; CMake builds it for clang with SAGEMAKER_FUZZ, and
**
**   fuzz_json csrc/fuzz/corpus/json
**
** goes on from its corpus; with -runs=0 it replays the corpus only. A finding
** is a crash: a sanitizer's, or that of FUZZ_CHECK.
*/
#ifndef SM_FUZZ_H
#define SM_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sm_base.h"
#include "sm_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(cond)                                                       \
  do {                                                                         \
    if (!(cond))                                                               \
      abort();                                                                 \
  } while (0)

/* The input in a block of its own, without a byte more: what reads past its
** end is seen. To be freed. */
static inline char *fuzz_copy (const uint8_t *data, size_t size) {
  char *p = malloc(size > 0 ? size : 1);
  FUZZ_CHECK(p != NULL);
  memcpy(p, data, size);
  return p;
}

#endif
