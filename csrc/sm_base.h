/*
** sm_base.h: the words that every part of the core shares.
**
** The core (files and symbols that start with sm_) is plain C99: it knows
** nothing of Lua, keeps no state, has no globals and never asks the locale.
** A core function returns SM_OK or one of the negative codes below, and writes
** into memory that its caller handed in.
*/
#ifndef SM_BASE_H
#define SM_BASE_H

#include <stddef.h>
#include <stdint.h>

/*
** The functions that a header declares between these two stay inside the shared
** library, whatever the compiler was told: what a library exports is its
** luaopen function and nothing else.
*/
#if defined(__GNUC__)
#define SM_HIDDEN_BEGIN _Pragma("GCC visibility push(hidden)")
#define SM_HIDDEN_END _Pragma("GCC visibility pop")
#else
#define SM_HIDDEN_BEGIN
#define SM_HIDDEN_END
#endif

SM_HIDDEN_BEGIN

/* Borrowed bytes: not owned, not NUL-terminated, may hold any byte. */
typedef struct sm_str {
  const char *p;
  size_t len;
} sm_str;

/* A sm_str of a string literal. */
#define SM_LIT(s) ((sm_str){(s), sizeof(s) - 1})

/*
** What a core function answers. Anything below zero is a failure; sm_strerror
** names it in a few lower-case words without a full stop.
*/
enum sm_status {
  SM_OK = 0,
  SM_ENOMEM = -1,  /* the allocator refused */
  SM_ELIMIT = -2,  /* a hard limit (size, depth, count) was reached */
  SM_ESYNTAX = -3, /* the input does not follow its grammar */
  SM_ERANGE = -4,  /* a number or a date does not fit its type */
  SM_EUTF8 = -5,   /* the input is not valid UTF-8 */
  SM_ECRYPTO = -6, /* OpenSSL refused */
  SM_EARG = -7     /* an argument is not what the contract asks for */
};

const char *sm_strerror(int status);

/*
** Every allocation goes through a function of this type, whose contract is
** that of lua_Alloc: nsize 0 frees and returns NULL; otherwise it returns a
** block of nsize bytes with the old contents, or NULL and leaves the old block
** alone. The binding hands in the allocator of its Lua state, so a host's
** memory limit and the allocation-failure tests reach the core too.
*/
typedef void *(*sm_alloc)(void *ud, void *p, size_t osize, size_t nsize);

/* sm_alloc on top of the C library's realloc and free; `ud` is ignored. */
void *sm_libc_alloc(void *ud, void *p, size_t osize, size_t nsize);

SM_HIDDEN_END

#endif
