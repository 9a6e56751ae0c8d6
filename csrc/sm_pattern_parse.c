/*
** Text of a pattern -> tree. A recursive descent over ECMA-262's grammar:
**
**   alternatives  sequence { "|" sequence }
**   sequence      { atom [ repeat [ "?" ] ] }
**   atom          character | set | escape | assertion | group
*/
#include <string.h>

#include "sm_pattern_prog.h"
#include "sm_text.h"
#include "sm_unicode.h"

typedef struct parser {
  sm_p_tree *t;
  const char *begin, *p, *end;
  int depth;
  int status;
  sm_pattern_error error;
} parser;

/* One element of a set: a character, or a set of its own (categories and
** ranges were added already). */
typedef struct element {
  uint32_t rune;
  int is_set;
} element;

static uint32_t parse_alternatives(parser *ps);

/* {{ Small tools */

/* Remembers the first failure and leaps to the end of the text, which ends
** every loop of the parser. Returns node 0. */
static uint32_t fail_at (parser *ps, int status, const char *what,
                         const char *at) {
  if (ps->status == SM_OK) {
    ps->status = status;
    ps->error.what = what;
    ps->error.at = (size_t)(at - ps->begin);
  }
  ps->p = ps->end;
  return 0;
}

static uint32_t fail (parser *ps, const char *what) {
  return fail_at(ps, SM_ESYNTAX, what, ps->p);
}

static int peek (const parser *ps) {
  return ps->p < ps->end ? (unsigned char)*ps->p : -1;
}

static int accept (parser *ps, char c) {
  if (ps->p < ps->end && *ps->p == c) {
    ps->p++;
    return 1;
  }
  return 0;
}

/* Takes the text when it comes next. */
static int accept_text (parser *ps, const char *text) {
  size_t n = strlen(text);
  if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, text, n) != 0)
    return 0;
  ps->p += n;
  return 1;
}

static uint32_t new_node (parser *ps, int kind, unsigned arg) {
  sm_p_node node;
  sm_buf *b = &ps->t->nodes;
  memset(&node, 0, sizeof node);
  node.kind = (uint8_t)kind;
  node.arg = (uint8_t)arg;
  sm_buf_put(b, &node, sizeof node);
  if (b->err != SM_OK)
    return fail_at(ps, b->err, sm_strerror(b->err), ps->p);
  return (uint32_t)(b->len / sizeof node - 1);
}

static void add_child (sm_p_tree *t, uint32_t parent, uint32_t child) {
  sm_p_node *p = sm_p_node_at(t, parent), *c = sm_p_node_at(t, child);
  c->prev = p->last;
  if (p->last != 0)
    sm_p_node_at(t, p->last)->next = child;
  else
    p->first = child;
  p->last = child;
}

/* The next character of the text, any but the end. */
static uint32_t next_rune (parser *ps) {
  const unsigned char *p = (const unsigned char *)ps->p;
  int n = sm_utf8_seq(ps->p, ps->end);
  uint32_t code = p[0];
  int i;
  if (n == 0)
    return fail(ps, "not UTF-8");
  if (n > 1) {
    code &= 0xFFu >> (n + 1);
    for (i = 1; i < n; i++)
      code = code << 6 | (p[i] & 0x3F);
  }
  ps->p += n;
  return code;
}

/* }} */

/* {{ Sets */

static void add_range (parser *ps, uint32_t low, uint32_t high) {
  sm_p_range r;
  sm_buf *b = &ps->t->ranges;
  r.low = low;
  r.high = high;
  sm_buf_put(b, &r, sizeof r);
  if (b->err != SM_OK)
    fail_at(ps, b->err, sm_strerror(b->err), ps->p);
}

/* Adds every character outside n sorted ranges of ASCII. */
static void add_others (parser *ps, const unsigned char (*list)[2], size_t n) {
  uint32_t low = 0;
  size_t i;
  for (i = 0; i < n; i++) {
    if (list[i][0] > low)
      add_range(ps, low, list[i][0] - 1u);
    low = list[i][1] + 1u;
  }
  add_range(ps, low, SM_P_MAX_RUNE);
}

static const struct posix {
  const char *name;
  unsigned char n;
  unsigned char ranges[4][2];
} posix[] = {
    {"d", 1, {{'0', '9'}}},
    {"s", 2, {{9, 13}, {' ', ' '}}},
    {"w", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"ASCII", 1, {{0, 127}}},
    {"Alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
    {"Alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
    {"Blank", 2, {{9, 9}, {' ', ' '}}},
    {"Cntrl", 2, {{0, 31}, {127, 127}}},
    {"Digit", 1, {{'0', '9'}}},
    {"Graph", 1, {{'!', '~'}}},
    {"Lower", 1, {{'a', 'z'}}},
    {"Print", 1, {{' ', '~'}}},
    {"Punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
    {"Space", 2, {{9, 13}, {' ', ' '}}},
    {"Upper", 1, {{'A', 'Z'}}},
    {"XDigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

/* Adds a class of ASCII, or all but it. 0 when there is none of this name. */
static int add_posix (parser *ps, sm_str name, int negate) {
  size_t i, j;
  for (i = 0; i < sizeof posix / sizeof posix[0]; i++) {
    const struct posix *c = &posix[i];
    if (strlen(c->name) != name.len || memcmp(c->name, name.p, name.len) != 0)
      continue;
    if (negate)
      add_others(ps, c->ranges, c->n);
    for (j = 0; !negate && j < c->n; j++)
      add_range(ps, c->ranges[j][0], c->ranges[j][1]);
    return 1;
  }
  return 0;
}

/* Bit of the category that a letter names, or 0. */
static unsigned category_bit (char letter) {
  static const char letters[] = "CLMNPSZ"; /* as enum sm_unicode */
  const char *at = letter == '\0' ? NULL : strchr(letters, letter);
  return at == NULL ? 0 : 1u << (at - letters);
}

/* {Name} or one letter, after \p or \P. */
static void add_property (parser *ps, sm_p_set *set, int negate) {
  sm_str name;
  unsigned bit;
  name.p = ps->p;
  name.len = 1;
  if (accept(ps, '{')) {
    name.p = ps->p;
    while (ps->p < ps->end && *ps->p != '}')
      ps->p++;
    name.len = (size_t)(ps->p - name.p);
  }
  if (ps->p == ps->end) {
    fail(ps, "property without a name");
    return;
  }
  ps->p++;
  bit = name.len == 1 ? category_bit(name.p[0]) : 0;
  if (bit != 0)
    set->categories |= (uint8_t)(negate ? bit ^ 0x7F : bit);
  else if (name.len < 2 || !add_posix(ps, name, negate))
    fail_at(ps, SM_ESYNTAX, "unknown character property", name.p);
}

/* Shell's sort: a hostile set has thousands of ranges. */
static void sort_ranges (sm_p_range *r, uint32_t n) {
  uint32_t gap, i, j;
  for (gap = n / 2; gap > 0; gap /= 2) {
    for (i = gap; i < n; i++) {
      sm_p_range x = r[i];
      for (j = i; j >= gap && r[j - gap].low > x.low; j -= gap)
        r[j] = r[j - gap];
      r[j] = x;
    }
  }
}

/* Sorts ranges and joins those that touch; how many are left. */
static uint32_t normalize (sm_p_range *r, uint32_t n) {
  uint32_t i, count = 0;
  sort_ranges(r, n);
  for (i = 0; i < n; i++) {
    if (count > 0 && r[i].low <= r[count - 1].high + 1) {
      if (r[i].high > r[count - 1].high)
        r[count - 1].high = r[i].high;
    } else {
      r[count++] = r[i];
    }
  }
  return count;
}

static int same_set (const sm_p_tree *t, const sm_p_set *a, const sm_p_set *b) {
  const sm_p_range *r = sm_p_ranges(t);
  return a->count == b->count && a->categories == b->categories &&
         a->negate == b->negate &&
         (a->count == 0 ||
          memcmp(r + a->first, r + b->first, a->count * sizeof *r) == 0);
}

/* The number of a set whose ranges are the last of ranges[]. */
static unsigned intern_set (parser *ps, sm_p_set *set) {
  sm_p_tree *t = ps->t;
  unsigned i;
  if (ps->status != SM_OK)
    return 0;
  set->count = (uint32_t)(t->ranges.len / sizeof(sm_p_range)) - set->first;
  if (set->count > 0)
    set->count = normalize(sm_p_ranges(t) + set->first, set->count);
  t->ranges.len = (set->first + set->count) * sizeof(sm_p_range);
  for (i = 0; i < t->nsets; i++) {
    if (same_set(t, &t->sets[i], set)) {
      t->ranges.len = set->first * sizeof(sm_p_range);
      return i;
    }
  }
  if (t->nsets == SM_P_MAX_SETS)
    return fail_at(ps, SM_ELIMIT, "too many different sets", ps->p);
  t->sets[t->nsets] = *set;
  return t->nsets++;
}

static sm_p_set open_set (const parser *ps) {
  sm_p_set set;
  memset(&set, 0, sizeof set);
  set.first = (uint32_t)(ps->t->ranges.len / sizeof(sm_p_range));
  return set;
}

/* }} */

/* {{ Escapes */

/* n hexadecimal digits. */
static uint32_t hex_digits (parser *ps, int n) {
  uint32_t x = 0;
  for (; n > 0; n--) {
    int v = ps->p < ps->end ? sm_hexval(*ps->p) : -1;
    if (v < 0)
      return fail(ps, "hexadecimal digit expected");
    x = x << 4 | (uint32_t)v;
    ps->p++;
  }
  return x;
}

/* Behind \u; two of them that are a surrogate pair are one character. */
static uint32_t unicode_escape (parser *ps) {
  uint32_t code = hex_digits(ps, 4);
  if (code >= 0xD800 && code <= 0xDBFF) {
    const char *here = ps->p;
    if (accept_text(ps, "\\u")) {
      uint32_t low = hex_digits(ps, 4);
      if (low >= 0xDC00 && low <= 0xDFFF)
        return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (ps->status == SM_OK)
      ps->p = here;
  }
  return code;
}

/* Behind a backslash: an escape that means one character. */
static uint32_t rune_escape (parser *ps) {
  const char *at = ps->p;
  switch (*ps->p++) {
  case 't':
    return '\t';
  case 'n':
    return '\n';
  case 'v':
    return '\v';
  case 'f':
    return '\f';
  case 'r':
    return '\r';
  case '0':
    return 0;
  case 'x':
    return hex_digits(ps, 2);
  case 'u':
    return unicode_escape(ps);
  case 'c':
    if (ps->p < ps->end && sm_isalpha(*ps->p))
      return (uint32_t)*ps->p++ & 0x1F;
    return fail_at(ps, SM_ESYNTAX, "letter expected after \\c", at);
  case 'k':
    return fail_at(ps, SM_ESYNTAX, "back references are not supported", at);
  default:
    ps->p = at;
    if (sm_isdigit(*at))
      return fail(ps, "back references are not supported");
    if (sm_isalpha(*at))
      return fail(ps, "unknown escape");
    return next_rune(ps);
  }
}

/* Behind a backslash: an escape that means a set, which is added. */
static int set_escape (parser *ps, sm_p_set *set) {
  char c = *ps->p, lower = sm_lower(c);
  if (lower == 'd' || lower == 's' || lower == 'w') {
    sm_str name;
    name.p = &lower;
    name.len = 1;
    ps->p++;
    return add_posix(ps, name, c != lower);
  }
  if (lower == 'p') {
    ps->p++;
    add_property(ps, set, c == 'P');
    return 1;
  }
  return 0;
}

/* }} */

/* {{ Bracketed sets */

static element parse_element (parser *ps, sm_p_set *set) {
  element e;
  e.rune = 0;
  e.is_set = 0;
  if (ps->p == ps->end) {
    fail(ps, "] expected");
  } else if (*ps->p != '\\') {
    e.rune = next_rune(ps);
  } else if (++ps->p == ps->end) {
    fail(ps, "pattern ends with a backslash");
  } else if (accept(ps, 'b')) {
    e.rune = '\b';
  } else {
    e.is_set = set_escape(ps, set);
    if (!e.is_set)
      e.rune = rune_escape(ps);
  }
  return e;
}

/* True at a dash that may make a range: it is not the last of the set. */
static int at_range (const parser *ps) {
  return ps->end - ps->p >= 2 && ps->p[0] == '-' && ps->p[1] != ']';
}

/* Behind the [. */
static uint32_t parse_set (parser *ps) {
  sm_p_set set = open_set(ps);
  const char *begin = ps->p;
  set.negate = (uint8_t)accept(ps, '^');
  if (peek(ps) == ']')
    return fail(ps, "empty set");
  while (ps->status == SM_OK && !accept(ps, ']')) {
    const char *at = ps->p;
    element low = parse_element(ps, &set), high;
    if (ps->p == ps->end)
      return fail_at(ps, SM_ESYNTAX, "] expected", begin);
    if (low.is_set)
      continue;
    if (!at_range(ps)) {
      add_range(ps, low.rune, low.rune);
      continue;
    }
    ps->p++;
    high = parse_element(ps, &set);
    if (high.is_set) { /* [a-\d]: the dash is one */
      add_range(ps, low.rune, low.rune);
      add_range(ps, '-', '-');
    } else if (high.rune < low.rune) {
      fail_at(ps, SM_ESYNTAX, "range out of order", at);
    } else {
      add_range(ps, low.rune, high.rune);
    }
  }
  return new_node(ps, SM_P_SET, intern_set(ps, &set));
}

/* }} */

/* {{ Atoms */

static uint32_t rune_node (parser *ps, uint32_t code) {
  sm_p_set set = open_set(ps);
  add_range(ps, code, code);
  return new_node(ps, SM_P_SET, intern_set(ps, &set));
}

static uint32_t dot_node (parser *ps) {
  sm_p_set set = open_set(ps);
  add_range(ps, '\n', '\n');
  set.negate = 1;
  return new_node(ps, SM_P_SET, intern_set(ps, &set));
}

/* \b and \B need the word characters to be classes of their own. */
static uint32_t word_node (parser *ps, int which) {
  sm_p_set set = open_set(ps);
  add_posix(ps, SM_LIT("w"), 0);
  ps->t->word = (int)intern_set(ps, &set);
  return new_node(ps, SM_P_ASSERT, (unsigned)which);
}

/* Behind the backslash. */
static uint32_t parse_escape (parser *ps) {
  sm_p_set set = open_set(ps);
  if (ps->p == ps->end)
    return fail(ps, "pattern ends with a backslash");
  if (accept(ps, 'b'))
    return word_node(ps, SM_P_WORD);
  if (accept(ps, 'B'))
    return word_node(ps, SM_P_NOTWORD);
  if (accept(ps, 'A'))
    return new_node(ps, SM_P_ASSERT, SM_P_BEGIN);
  if (accept(ps, 'z') || accept(ps, 'Z'))
    return new_node(ps, SM_P_ASSERT, SM_P_END);
  if (set_escape(ps, &set))
    return new_node(ps, SM_P_SET, intern_set(ps, &set));
  return rune_node(ps, rune_escape(ps));
}

/* Behind the beginning of a look-around. */
static uint32_t parse_look (parser *ps, int behind, int negative) {
  const char *at = ps->p;
  uint32_t root = parse_alternatives(ps), node;
  sm_p_tree *t = ps->t;
  if (ps->status == SM_OK && t->nlooks == SM_P_MAX_LOOKS)
    return fail_at(ps, SM_ELIMIT, "too many look-arounds", at);
  if (ps->status != SM_OK)
    return 0;
  t->looks[t->nlooks].root = root;
  t->looks[t->nlooks].behind = (uint8_t)behind;
  node = new_node(ps, SM_P_LOOK, t->nlooks++);
  if (node != 0)
    sm_p_node_at(t, node)->min = (uint16_t)negative;
  return node;
}

/* Behind (?< or (?P<, a name that ends with >. */
static void skip_name (parser *ps) {
  const char *at = ps->p;
  while (ps->p < ps->end && (sm_isalnum(*ps->p) || *ps->p == '_'))
    ps->p++;
  if (ps->p == at || !accept(ps, '>'))
    fail_at(ps, SM_ESYNTAX, "malformed group name", at);
}

/* Behind the parenthesis, its end not included. */
static uint32_t parse_group_body (parser *ps) {
  if (!accept(ps, '?') || accept(ps, ':'))
    return parse_alternatives(ps);
  if (accept(ps, '='))
    return parse_look(ps, 0, 0);
  if (accept(ps, '!'))
    return parse_look(ps, 0, 1);
  if (accept_text(ps, "<="))
    return parse_look(ps, 1, 0);
  if (accept_text(ps, "<!"))
    return parse_look(ps, 1, 1);
  if (accept(ps, '<') || accept_text(ps, "P<")) {
    skip_name(ps);
    return parse_alternatives(ps);
  }
  if (peek(ps) == '>')
    return fail(ps, "atomic groups are not supported");
  return fail(ps, "flags are not supported");
}

/* Behind the parenthesis. */
static uint32_t parse_group (parser *ps) {
  const char *at = ps->p - 1;
  uint32_t node;
  if (++ps->depth > SM_P_MAX_DEPTH)
    return fail_at(ps, SM_ELIMIT, "groups nested too deep", at);
  node = parse_group_body(ps);
  ps->depth--;
  if (ps->status == SM_OK && !accept(ps, ')'))
    return fail_at(ps, SM_ESYNTAX, ") expected", at);
  return node;
}

/* }} */

/* {{ Repeats and sequences */

/* A decimal number, at most SM_P_MAX_COUNT + 1; -1 where there is none. */
static int number (const char **p, const char *end) {
  int x = 0;
  if (*p == end || !sm_isdigit(**p))
    return -1;
  for (; *p < end && sm_isdigit(**p); (*p)++) {
    x = x * 10 + (**p - '0');
    if (x > SM_P_MAX_COUNT)
      x = SM_P_MAX_COUNT + 1;
  }
  return x;
}

/* {n}, {n,} or {n,m}; returns where it ends, or NULL when it is none. */
static const char *counts (const parser *ps, int *min, int *max) {
  const char *p = ps->p + 1;
  *min = *max = number(&p, ps->end);
  if (*min < 0)
    return NULL;
  if (p < ps->end && *p == ',') {
    p++;
    *max = number(&p, ps->end);
  }
  return p < ps->end && *p == '}' ? p + 1 : NULL;
}

/* Takes a repeat; *max is -1 for no limit. */
static int accept_repeat (parser *ps, int *min, int *max) {
  const char *end;
  *min = 0;
  *max = -1;
  switch (peek(ps)) {
  case '+':
    *min = 1;
    break;
  case '?':
    *max = 1;
    break;
  case '*':
    break;
  case '{':
    end = counts(ps, min, max);
    if (end == NULL)
      return 0;
    ps->p = end;
    return 1;
  default:
    return 0;
  }
  ps->p++;
  return 1;
}

static uint32_t parse_repeat (parser *ps, uint32_t atom) {
  const char *at = ps->p;
  int min, max;
  uint32_t node;
  if (!accept_repeat(ps, &min, &max))
    return atom;
  if (max >= 0 && max < min)
    return fail_at(ps, SM_ESYNTAX, "repeat counts out of order", at);
  if (min > SM_P_MAX_COUNT || max > SM_P_MAX_COUNT)
    return fail_at(ps, SM_ELIMIT, "repeat count too large", at);
  accept(ps, '?'); /* lazy: the same subjects match */
  at = ps->p;
  if (peek(ps) == '+')
    return fail(ps, "possessive repeats are not supported");
  if (accept_repeat(ps, &(int){0}, &(int){0}))
    return fail_at(ps, SM_ESYNTAX, "nothing to repeat", at);
  node = new_node(ps, SM_P_REPEAT, 0);
  if (node == 0)
    return 0;
  sm_p_node_at(ps->t, node)->min = (uint16_t)min;
  sm_p_node_at(ps->t, node)->max = max < 0 ? SM_P_MANY : (uint16_t)max;
  /* a node has one place among its siblings: node 0 is shared, wrap it */
  add_child(ps->t, node, atom == 0 ? new_node(ps, SM_P_EMPTY, 0) : atom);
  return node;
}

static uint32_t parse_atom (parser *ps) {
  int c = peek(ps), min, max;
  const char *at = ps->p;
  if (accept_repeat(ps, &min, &max))
    return fail_at(ps, SM_ESYNTAX, "nothing to repeat", at);
  if (c >= 0x80)
    return rune_node(ps, next_rune(ps));
  ps->p++;
  switch (c) {
  case '(':
    return parse_group(ps);
  case '[':
    return parse_set(ps);
  case '.':
    return dot_node(ps);
  case '^':
    return new_node(ps, SM_P_ASSERT, SM_P_BEGIN);
  case '$':
    return new_node(ps, SM_P_ASSERT, SM_P_END);
  case '\\':
    return parse_escape(ps);
  default:
    return rune_node(ps, (uint32_t)c);
  }
}

static uint32_t parse_sequence (parser *ps) {
  uint32_t cat = 0;
  while (ps->p < ps->end && *ps->p != '|' && *ps->p != ')') {
    uint32_t atom = parse_repeat(ps, parse_atom(ps));
    if (ps->status != SM_OK)
      return 0;
    if (cat == 0)
      cat = new_node(ps, SM_P_CAT, 0);
    if (cat != 0 && atom != 0)
      add_child(ps->t, cat, atom);
  }
  return cat;
}

static uint32_t parse_alternatives (parser *ps) {
  uint32_t alt, next = parse_sequence(ps);
  if (peek(ps) != '|')
    return next;
  alt = new_node(ps, SM_P_ALT, 0);
  while (ps->status == SM_OK) {
    if (next == 0)
      next = new_node(ps, SM_P_EMPTY, 0);
    if (next != 0 && alt != 0)
      add_child(ps->t, alt, next);
    if (!accept(ps, '|'))
      break;
    next = parse_sequence(ps);
  }
  return alt;
}

/* }} */

void sm_p_tree_init (sm_p_tree *t, sm_alloc alloc, void *ud) {
  memset(t, 0, sizeof *t);
  sm_buf_init(&t->nodes, SM_P_MAX_TEXT * 4 * sizeof(sm_p_node), alloc, ud);
  sm_buf_init(&t->ranges, SM_P_MAX_TEXT * 8 * sizeof(sm_p_range), alloc, ud);
  t->word = -1;
}

void sm_p_tree_free (sm_p_tree *t) {
  sm_buf_free(&t->nodes);
  sm_buf_free(&t->ranges);
}

int sm_p_parse (sm_p_tree *t, sm_str text, sm_pattern_error *error) {
  parser ps;
  memset(&ps, 0, sizeof ps);
  ps.t = t;
  ps.begin = ps.p = text.p == NULL ? "" : text.p;
  ps.end = ps.begin + text.len;
  if (text.len > SM_P_MAX_TEXT)
    fail_at(&ps, SM_ELIMIT, "pattern too long", ps.begin);
  new_node(&ps, SM_P_EMPTY, 0);
  t->root = parse_alternatives(&ps);
  if (ps.status == SM_OK && ps.p < ps.end)
    fail(&ps, "unmatched )");
  *error = ps.error;
  return ps.status;
}
