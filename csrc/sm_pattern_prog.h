/*
** sm_pattern_prog.h: what the files of the pattern matcher share. Private:
** everybody else includes sm_pattern.h.
**
**   sm_pattern_parse.c    text -> tree of nodes, sets of characters
**   sm_pattern_compile.c  sets -> classes, tree -> program
**   sm_pattern.c          program + subject -> yes or no; the public functions
**
** Characters that no set of the pattern tells apart are one *class*, so the
** matcher's tables have a column per class, not per character.
**
** The program is that of a Thompson machine. One *machine* is the pattern
** itself; each look-around has a machine of its own, that marks every position
** of the subject where it holds. A look-ahead is compiled back to front and
** run from the end of the subject to its beginning, so that one run finds all
** positions. Look-arounds are numbered inside out: machine k may ask for the
** marks of those below k only.
*/
#ifndef SM_PATTERN_PROG_H
#define SM_PATTERN_PROG_H

#include "sm_buf.h"
#include "sm_pattern.h"

SM_HIDDEN_BEGIN

#define SM_P_MAX_TEXT 8192   /* bytes of a pattern */
#define SM_P_MAX_DEPTH 100   /* nested groups */
#define SM_P_MAX_LOOKS 6     /* look-arounds of one pattern */
#define SM_P_MAX_SETS 250    /* different sets and literals */
#define SM_P_MAX_CLASSES 250 /* classes */
#define SM_P_MAX_CODE 16384  /* instructions */
#define SM_P_MAX_COUNT 32767 /* of a counted repeat */
#define SM_P_MAX_RUNE 0x10FFFFu
#define SM_P_MANY 0xFFFF /* no upper limit of a repeat */

/* {{ The tree */

enum sm_p_kind {
  SM_P_EMPTY,
  SM_P_SET,    /* one character; arg: set */
  SM_P_CAT,    /* children one after the other */
  SM_P_ALT,    /* one of the children */
  SM_P_REPEAT, /* its only child, min to max times */
  SM_P_ASSERT, /* arg: sm_p_assert */
  SM_P_LOOK    /* arg: number of the look-around; min: 1 when negative */
};

enum sm_p_assert {
  SM_P_BEGIN,  /* ^ \A */
  SM_P_END,    /* $ \z */
  SM_P_WORD,   /* \b */
  SM_P_NOTWORD /* \B */
};

/* Nodes name each other by index; 0 is SM_P_EMPTY and stands for "none". */
typedef struct sm_p_node {
  uint8_t kind;
  uint8_t arg;
  uint16_t min, max;
  uint32_t first, last; /* children */
  uint32_t next, prev;  /* siblings */
} sm_p_node;

typedef struct sm_p_range {
  uint32_t low, high;
} sm_p_range;

/* A set of characters: ranges and general categories, or all but those. */
typedef struct sm_p_set {
  uint32_t first, count; /* in ranges[]: sorted, apart from each other */
  uint8_t categories;    /* 1 << enum sm_unicode */
  uint8_t negate;
} sm_p_set;

typedef struct sm_p_look {
  uint32_t root;
  uint8_t behind;
} sm_p_look;

typedef struct sm_p_tree {
  sm_buf nodes;  /* sm_p_node */
  sm_buf ranges; /* sm_p_range */
  sm_p_set sets[SM_P_MAX_SETS];
  sm_p_look looks[SM_P_MAX_LOOKS];
  unsigned nsets, nlooks;
  int word; /* set number of \w when \b or \B occurs, else -1 */
  uint32_t root;
} sm_p_tree;

/* An empty tree; sm_p_tree_free is due after it, whatever sm_p_parse says. */
void sm_p_tree_init(sm_p_tree *t, sm_alloc alloc, void *ud);
void sm_p_tree_free(sm_p_tree *t);

/* Fills the tree from the text. SM_OK, SM_ESYNTAX, SM_ELIMIT or SM_ENOMEM. */
int sm_p_parse(sm_p_tree *t, sm_str text, sm_pattern_error *error);

static inline sm_p_node *sm_p_node_at (const sm_p_tree *t, uint32_t i) {
  return (sm_p_node *)(void *)t->nodes.p + i;
}

static inline sm_p_range *sm_p_ranges (const sm_p_tree *t) {
  return (sm_p_range *)(void *)t->ranges.p;
}

/* }} */

/* {{ The program */

enum sm_p_op {
  SM_P_OP_CHAR,  /* arg: set; a character of it, then the next instruction */
  SM_P_OP_SPLIT, /* go on at x and at y */
  SM_P_OP_JUMP,  /* go on at x */
  SM_P_OP_ASSERT,
  SM_P_OP_LOOK, /* arg: look-around; x: 1 when it must not hold */
  SM_P_OP_MATCH
};

typedef struct sm_p_instr {
  uint8_t op;
  uint8_t arg;
  uint16_t x, y;
} sm_p_instr;

/*
** One machine and its table. A state is the sorted list of instructions that
** wait for a character, plus what must be known of the character before. Rows
** of the table have `stride` entries: next state << 1 | 1 when the machine has
** matched at this position; 0 where nobody went yet. A column is a class,
** class 0 the end of the subject, plus marks << something: see SM_P_COLUMN.
*/
typedef struct sm_p_machine {
  uint16_t begin, end; /* its instructions */
  uint8_t backward;    /* runs from the end of the subject */
  uint8_t floating;    /* may begin at every position, not only the first */
  uint8_t asserts;     /* has assertions: what was before matters */
  uint16_t stride;
  uint16_t max_states;
  uint16_t nstates;
  uint32_t generation; /* counts how often the table was thrown away */
  sm_buf rows;         /* uint16_t */
  sm_buf states;       /* sm_p_state */
  sm_buf keys;         /* uint16_t: instructions of the states */
  sm_buf hash;         /* uint16_t: states by hash of their key */
} sm_p_machine;

#define SM_P_COLUMN(p, class, marks) ((class) + (marks) * (p)->nclasses)

struct sm_pattern {
  sm_alloc alloc;
  void *ud;
  uint8_t ascii[128]; /* class of an ASCII character */
  sm_buf bounds;      /* uint32_t: where intervals of other characters begin */
  sm_buf interval;    /* uint8_t: class of an interval, per category if any */
  unsigned ncategories; /* 1, or SM_U_COUNT where the pattern has any \p{L} */
  unsigned nclasses;    /* class 0, the end of the subject, included */
  uint8_t word[SM_P_MAX_CLASSES + 1]; /* 1: a class of word characters */
  sm_buf member;                      /* uint8_t [set][class] */
  sm_buf code;                        /* sm_p_instr */
  sm_buf work;        /* two bit sets, a stack and a list for one step */
  sm_buf classes;     /* the subject as classes, for look-arounds */
  sm_buf marks;       /* which look-arounds hold, by position */
  unsigned nmachines; /* the look-arounds, and last the pattern itself */
  sm_p_machine machine[SM_P_MAX_LOOKS + 1];
};

static inline const sm_p_instr *sm_p_code (const sm_pattern *p) {
  return (const sm_p_instr *)(const void *)p->code.p;
}

/* Fills classes, code and machines from a tree. Codes as sm_p_parse. */
int sm_p_compile(sm_pattern *p, const sm_p_tree *t, sm_pattern_error *error);

/* The class of a code point. */
unsigned sm_p_class(const sm_pattern *p, uint32_t code);

/* }} */

SM_HIDDEN_END

#endif
