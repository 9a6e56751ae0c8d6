/*
** sm_unicode.h: the major general category of a code point.
**
** Unicode 15.0. sm_unicode.c is made from UnicodeData.txt by
** csrc/model/unicode.lua; unassigned code points, surrogates and private use
** are SM_U_C, as in the Unicode Character Database.
*/
#ifndef SM_UNICODE_H
#define SM_UNICODE_H

#include "sm_base.h"

SM_HIDDEN_BEGIN

/* The first letters of the general categories: \p{L} is SM_U_L. */
enum sm_unicode {
  SM_U_C, /* other: control, format, surrogate, private use, unassigned */
  SM_U_L, /* letter */
  SM_U_M, /* mark */
  SM_U_N, /* number */
  SM_U_P, /* punctuation */
  SM_U_S, /* symbol */
  SM_U_Z, /* separator */
  SM_U_COUNT
};

/* The category of a code point; SM_U_C above U+10FFFF. */
unsigned sm_unicode_category(uint32_t code);

SM_HIDDEN_END

#endif
