/*
** sm_pattern.h: the regular expressions of the service models.
**
** A pattern always means the whole subject, as if it stood between \A(?: and
** )\z: that is how AWS means the patterns of its models.
**
**   sm_pattern *p;
**   sm_pattern_error error;
**   if (sm_pattern_new(&p, SM_LIT("[a-z](-*[a-z]){0,62}"), alloc, ud,
**                      &error) == SM_OK) {
**     int yes = sm_pattern_match(p, subject);
**     ...
**     sm_pattern_free(p);
**   }
**
** The grammar is ECMA-262's, which Smithy names, and what AWS's own models
** take from Java beyond it:
**
**   .             any character but \n
**   [...] [^...]  sets; a dash that cannot be a range is a dash: [a-z0-9-_]
**   \d \w \s \D \W \S       ASCII only
**   \t \n \r \f \v \0 \cX \xHH \uHHHH (surrogate pairs make one character)
**   \p{L} \P{L} \pL         major general categories L M N P S Z C
**   \p{Alnum} …             POSIX classes of ASCII, as in Java: Alnum Alpha
**                           ASCII Blank Cntrl Digit Graph Lower Print Punct
**                           Space Upper XDigit
**   * + ? {n} {n,} {n,m}    lazy ones too (they match the same subjects);
**                           a brace that begins no repeat is a brace
**   (...) (?:...) (?<name>...)
**   ^ \A          the beginning of the subject        $ \z   its end
**   \b \B         a word boundary, or none (ASCII words)
**   (?=…) (?!…) (?<=…) (?<!…)   look-around of any length, nested too
**
** Not expressible, and refused: back references, atomic groups, possessive
** repeats, flags.
**
** There is no backtracking. A subject is read once from left to right, and
** once more for each look-around, through a table that is built as it is
** needed: about 1 ns a character once the table is there, and never more than
** (instructions of the program) steps a character. A program has at most
** 16,384 instructions; a counted repeat is written out, .{1,4096} takes half
** of that.
**
** A pattern changes while it matches (its table grows, rarely beyond 128 KB):
** one thread at a time. Everything comes from the allocator it was given.
*/
#ifndef SM_PATTERN_H
#define SM_PATTERN_H

#include "sm_base.h"

SM_HIDDEN_BEGIN

typedef struct sm_pattern sm_pattern;

/* What is wrong with a pattern, and at which of its bytes (0-based). */
typedef struct sm_pattern_error {
  const char *what; /* a few lower-case words, never NULL */
  size_t at;
} sm_pattern_error;

/*
** Compiles. SM_ESYNTAX: malformed, or one of the things not expressible.
** SM_ELIMIT: too large a program, too deep, too many look-arounds (6) or sets
** (250). `error` (may be NULL) is filled in on every failure, *out is NULL.
*/
int sm_pattern_new(sm_pattern **out, sm_str text, sm_alloc alloc, void *ud,
                   sm_pattern_error *error);

/*
** 1: the whole subject matches; 0: it does not. SM_EUTF8: it is not UTF-8
** (found on the way: a subject that cannot match any more is 0). SM_ENOMEM.
*/
int sm_pattern_match(sm_pattern *p, sm_str subject);

/* NULL is fine. */
void sm_pattern_free(sm_pattern *p);

/*
** Patterns kept by a small number (the string id of the pattern in its
** service), each compiled when it is first needed.
*/
typedef struct sm_patterns_slot {
  sm_pattern *pattern; /* NULL when status is not SM_OK */
  unsigned id;
  int status; /* of sm_pattern_new */
  int used;
} sm_patterns_slot;

typedef struct sm_patterns {
  sm_patterns_slot *slots; /* a hash table */
  size_t nslots, used;
  sm_alloc alloc;
  void *ud;
} sm_patterns;

/* An empty cache. Allocates nothing. */
void sm_patterns_init(sm_patterns *c, sm_alloc alloc, void *ud);

/*
** As sm_pattern_match, with `pattern` compiled and kept under `id` before.
** SM_ESYNTAX or SM_ELIMIT where it cannot be compiled, each time.
*/
int sm_patterns_match(sm_patterns *c, unsigned id, sm_str pattern,
                      sm_str subject);

/* Frees all; the cache is as after sm_patterns_init. Idempotent. */
void sm_patterns_free(sm_patterns *c);

SM_HIDDEN_END

#endif
