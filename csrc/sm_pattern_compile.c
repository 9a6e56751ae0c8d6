/*
** Sets -> classes, tree -> program.
*/
#include <string.h>

#include "sm_pattern_prog.h"
#include "sm_unicode.h"

#define SIGNATURE ((SM_P_MAX_SETS + 7) / 8)

/* {{ Classes */

/* Which sets a character belongs to, one bit each. */
typedef struct signature {
  uint8_t bits[SIGNATURE];
} signature;

/* Signatures of the classes met so far; class i + 1 has list[i]. */
typedef struct partition {
  signature *list;
  unsigned n;
} partition;

static int in_ranges (const sm_p_tree *t, const sm_p_set *set, uint32_t code) {
  const sm_p_range *r = sm_p_ranges(t);
  uint32_t low = set->first, end = set->first + set->count, high = end;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (r[middle].high < code)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && r[low].low <= code;
}

static void sign_code (const sm_p_tree *t, uint32_t code, unsigned category,
                       signature *s) {
  unsigned i;
  memset(s, 0, sizeof *s);
  for (i = 0; i < t->nsets; i++) {
    const sm_p_set *set = &t->sets[i];
    int in = (set->categories >> category & 1) || in_ranges(t, set, code);
    if (in != set->negate)
      s->bits[i / 8] |= (uint8_t)(1u << i % 8);
  }
}

/* The class of a signature, 0 when there are too many. */
static unsigned intern_class (partition *part, const signature *s) {
  unsigned i;
  for (i = 0; i < part->n; i++) {
    if (memcmp(&part->list[i], s, sizeof *s) == 0)
      return i + 1;
  }
  if (part->n == SM_P_MAX_CLASSES)
    return 0;
  part->list[part->n++] = *s;
  return part->n;
}

static void sort_codes (uint32_t *list, size_t n) {
  size_t gap, i, j;
  for (gap = n / 2; gap > 0; gap /= 2) {
    for (i = gap; i < n; i++) {
      uint32_t x = list[i];
      for (j = i; j >= gap && list[j - gap] > x; j -= gap)
        list[j] = list[j - gap];
      list[j] = x;
    }
  }
}

/* Every code point at which a set begins or has just ended, sorted, once. */
static int find_bounds (sm_buf *b, const sm_p_tree *t) {
  const sm_p_range *r = sm_p_ranges(t);
  size_t i, n, count = 0, nranges = t->ranges.len / sizeof *r;
  uint32_t *list, zero = 0;
  sm_buf_put(b, &zero, sizeof zero);
  for (i = 0; i < nranges; i++) {
    uint32_t after = r[i].high + 1;
    sm_buf_put(b, &r[i].low, sizeof after);
    if (after <= SM_P_MAX_RUNE)
      sm_buf_put(b, &after, sizeof after);
  }
  if (b->err != SM_OK)
    return b->err;
  list = (uint32_t *)(void *)b->p;
  n = b->len / sizeof *list;
  sort_codes(list, n);
  for (i = 0; i < n; i++) {
    if (count == 0 || list[i] != list[count - 1])
      list[count++] = list[i];
  }
  b->len = count * sizeof *list;
  return SM_OK;
}

unsigned sm_p_class (const sm_pattern *p, uint32_t code) {
  const uint32_t *bounds = (const uint32_t *)(const void *)p->bounds.p;
  const uint8_t *class = (const uint8_t *)p->interval.p;
  size_t low = 0, high = p->bounds.len / sizeof *bounds;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (bounds[middle] <= code)
      low = middle;
    else
      high = middle;
  }
  if (p->ncategories == 1)
    return class[low];
  return class[low * p->ncategories + sm_unicode_category(code)];
}

/* Gives every interval (and category) its class. */
static int classify (sm_pattern *p, const sm_p_tree *t, partition *part) {
  const uint32_t *bounds = (const uint32_t *)(const void *)p->bounds.p;
  size_t i, n = p->bounds.len / sizeof *bounds;
  unsigned c;
  for (i = 0; i < n; i++) {
    for (c = 0; c < p->ncategories; c++) {
      signature s;
      unsigned class;
      sign_code(t, bounds[i], c, &s);
      class = intern_class(part, &s);
      if (class == 0)
        return SM_ELIMIT;
      sm_buf_putc(&p->interval, (char)class);
    }
  }
  return p->interval.err;
}

/* The tables that the matcher asks: class of ASCII, class in set, word. */
static int fill_tables (sm_pattern *p, const sm_p_tree *t,
                        const partition *part) {
  unsigned i, k;
  for (i = 0; i < 128; i++)
    p->ascii[i] = (uint8_t)sm_p_class(p, i);
  p->nclasses = part->n + 1;
  for (i = 0; i < t->nsets; i++) {
    sm_buf_putc(&p->member, 0);
    for (k = 0; k < part->n; k++)
      sm_buf_putc(&p->member, part->list[k].bits[i / 8] >> i % 8 & 1);
  }
  for (k = 0; t->word >= 0 && k < part->n; k++)
    p->word[k + 1] = part->list[k].bits[t->word / 8] >> t->word % 8 & 1;
  return p->member.err;
}

static int make_classes (sm_pattern *p, const sm_p_tree *t) {
  partition part;
  const size_t size = SM_P_MAX_CLASSES * sizeof(signature);
  unsigned i;
  int status;
  p->ncategories = 1;
  for (i = 0; i < t->nsets; i++) {
    if (t->sets[i].categories != 0)
      p->ncategories = SM_U_COUNT;
  }
  part.n = 0;
  part.list = (signature *)p->alloc(p->ud, NULL, 0, size);
  if (part.list == NULL)
    return SM_ENOMEM;
  status = find_bounds(&p->bounds, t);
  if (status == SM_OK)
    status = classify(p, t, &part);
  if (status == SM_OK)
    status = fill_tables(p, t, &part);
  p->alloc(p->ud, part.list, size, 0);
  return status;
}

/* }} */

/* {{ Instructions */

typedef struct emitter {
  sm_buf *code;
  const sm_p_tree *t;
  int backward; /* children of a sequence come last first */
} emitter;

static void emit_node(emitter *e, uint32_t i);

static unsigned here (const emitter *e) {
  return (unsigned)(e->code->len / sizeof(sm_p_instr));
}

static sm_p_instr *instr_at (const emitter *e, unsigned i) {
  return (sm_p_instr *)(void *)e->code->p + i;
}

/* After a failure nothing is written; positions then mean nothing, so targets
** are set by set_x and set_y, which look first. */
static unsigned emit (emitter *e, int op, unsigned arg, unsigned x) {
  sm_p_instr i;
  unsigned at = here(e);
  memset(&i, 0, sizeof i);
  i.op = (uint8_t)op;
  i.arg = (uint8_t)arg;
  i.x = (uint16_t)x;
  sm_buf_put(e->code, &i, sizeof i);
  return at;
}

static void set_x (emitter *e, unsigned at, unsigned target) {
  if (e->code->err == SM_OK)
    instr_at(e, at)->x = (uint16_t)target;
}

static void set_y (emitter *e, unsigned at, unsigned target) {
  if (e->code->err == SM_OK)
    instr_at(e, at)->y = (uint16_t)target;
}

/* Instructions of a list that is linked through y all get y = target. */
static void patch (emitter *e, unsigned list, unsigned target) {
  while (e->code->err == SM_OK && list != SM_P_MANY) {
    unsigned next = instr_at(e, list)->y;
    set_y(e, list, target);
    list = next;
  }
}

/* Another way out for each alternative but the last:
**   split a, b; a: …; jump end; b: split …; …; end: */
static void emit_alternatives (emitter *e, const sm_p_node *node) {
  unsigned ends = SM_P_MANY;
  uint32_t i = node->first;
  while (i != 0 && e->code->err == SM_OK) {
    const sm_p_node *child = sm_p_node_at(e->t, i);
    unsigned split = 0, jump;
    if (child->next != 0) {
      split = emit(e, SM_P_OP_SPLIT, 0, 0);
      set_x(e, split, here(e));
    }
    emit_node(e, i);
    if (child->next != 0) {
      jump = emit(e, SM_P_OP_JUMP, 0, 0);
      set_y(e, jump, ends);
      ends = jump;
      set_y(e, split, here(e));
    }
    i = child->next;
  }
  while (e->code->err == SM_OK && ends != SM_P_MANY) {
    unsigned next = instr_at(e, ends)->y;
    set_x(e, ends, here(e));
    ends = next;
  }
}

/* split a, end; a: child; jump split; end: */
static void emit_star (emitter *e, uint32_t child) {
  unsigned split = emit(e, SM_P_OP_SPLIT, 0, 0);
  set_x(e, split, here(e));
  emit_node(e, child);
  emit(e, SM_P_OP_JUMP, 0, split);
  set_y(e, split, here(e));
}

/* child min times; then as often as wanted, or up to max times, each but the
** first inside the one before: split a, end; a: child; split b, end; b: … */
static void emit_repeat (emitter *e, const sm_p_node *node) {
  unsigned i, ends = SM_P_MANY, begin = here(e);
  for (i = 0; i < node->min && e->code->err == SM_OK; i++) {
    begin = here(e);
    emit_node(e, node->first);
    if (here(e) == begin)
      return; /* an empty child: any number of it is empty */
  }
  if (node->max == SM_P_MANY && node->min == 0) {
    emit_star(e, node->first);
  } else if (node->max == SM_P_MANY) {
    unsigned split = emit(e, SM_P_OP_SPLIT, 0, begin);
    set_y(e, split, here(e));
  }
  for (; node->max != SM_P_MANY && i < node->max && e->code->err == SM_OK;
       i++) {
    unsigned split = emit(e, SM_P_OP_SPLIT, 0, 0);
    set_x(e, split, here(e));
    set_y(e, split, ends);
    ends = split;
    emit_node(e, node->first);
  }
  patch(e, ends, here(e));
}

static void emit_sequence (emitter *e, const sm_p_node *node) {
  uint32_t i = e->backward ? node->last : node->first;
  while (i != 0 && e->code->err == SM_OK) {
    const sm_p_node *child = sm_p_node_at(e->t, i);
    emit_node(e, i);
    i = e->backward ? child->prev : child->next;
  }
}

static void emit_node (emitter *e, uint32_t i) {
  const sm_p_node *node = sm_p_node_at(e->t, i);
  switch (node->kind) {
  case SM_P_SET:
    emit(e, SM_P_OP_CHAR, node->arg, 0);
    break;
  case SM_P_CAT:
    emit_sequence(e, node);
    break;
  case SM_P_ALT:
    emit_alternatives(e, node);
    break;
  case SM_P_REPEAT:
    emit_repeat(e, node);
    break;
  case SM_P_ASSERT:
    emit(e, SM_P_OP_ASSERT, node->arg, 0);
    break;
  case SM_P_LOOK:
    emit(e, SM_P_OP_LOOK, node->arg, node->min);
    break;
  default:
    break;
  }
}

static void emit_machine (sm_pattern *p, const sm_p_tree *t, unsigned k) {
  sm_p_machine *m = &p->machine[k];
  uint32_t root = t->root;
  emitter e;
  unsigned i;
  e.code = &p->code;
  e.t = t;
  e.backward = 0;
  if (k < t->nlooks) {
    root = t->looks[k].root;
    e.backward = !t->looks[k].behind;
    m->floating = 1;
  }
  m->backward = (uint8_t)e.backward;
  m->begin = (uint16_t)here(&e);
  emit_node(&e, root);
  emit(&e, SM_P_OP_MATCH, 0, 0);
  m->end = (uint16_t)here(&e);
  for (i = m->begin; p->code.err == SM_OK && i < m->end; i++)
    m->asserts |= sm_p_code(p)[i].op == SM_P_OP_ASSERT;
}

/* }} */

int sm_p_compile (sm_pattern *p, const sm_p_tree *t, sm_pattern_error *error) {
  unsigned k;
  int status = make_classes(p, t);
  error->at = 0;
  error->what = "too many classes of characters";
  p->nmachines = t->nlooks + 1;
  for (k = 0; status == SM_OK && k < p->nmachines; k++) {
    emit_machine(p, t, k);
    status = p->code.err;
    error->what = "pattern too large when its repeats are written out";
  }
  if (status == SM_ENOMEM)
    error->what = sm_strerror(status);
  return status;
}
