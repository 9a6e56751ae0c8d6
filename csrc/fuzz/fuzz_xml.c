#include <stdlib.h>

#include "sm_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the bytes: it ends, stays inside them, and a document that is read
** to its end has as many ends as starts. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  sm_buf scratch;
  sm_str s;
  sm_xml r;
  int kind;
  long open = 0;
  sm_buf_init(&scratch, 1 << 16, sm_libc_alloc, NULL);
  sm_xml_init(&r, (sm_str){(const char *)data, size});
  while ((kind = sm_xml_next(&r, &s, &scratch)) > 0)
    open += kind == SM_X_START ? 1 : kind == SM_X_END ? -1 : 0;
  if (kind == SM_X_EOF ? open != 0 : r.at > size || r.what == NULL)
    abort();
  sm_buf_free(&scratch);
  return 0;
}
