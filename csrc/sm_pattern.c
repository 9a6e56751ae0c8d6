/*
** The machine that runs a pattern's program, as a table that grows.
**
** A step of the plain machine takes a list of instructions and a character to
** the next list. Here every list that occurs is a numbered state, and a step
** once made is a row entry, so the next time it costs one look-up. When the
** table is full it is thrown away and begun anew: memory is bounded, and a
** subject costs at worst a plain step per character.
*/
#include <string.h>

#include "sm_pattern_prog.h"
#include "sm_text.h"

#define DEAD 1  /* the state from which nothing matches; state 0 is none */
#define START 2 /* the state before the first character */

#define MAX_TABLE 65536 /* bytes of rows, of keys */
#define MIN_STATES 16
#define MAX_STATES 4096
#define KEEP 4096 /* bytes of a long subject's marks are given back */

/* What a state knows of the characters before it (where that matters). */
#define FIRST 1 /* there was none */
#define WORD 2  /* the last was a word character */

typedef struct state {
  uint32_t key; /* where its instructions begin in keys */
  uint16_t len; /* how many they are */
  uint16_t flags;
} state;

/* The parts of p->work, for one machine. */
typedef struct work {
  uint32_t *seen; /* instructions met in this step, a bit each */
  uint32_t *next; /* instructions of the next state */
  uint16_t *stack;
  uint16_t *waiting; /* SM_P_OP_CHAR instructions met in this step */
  unsigned words;    /* of each bit set */
  unsigned nwaiting;
} work;

/* {{ One step of the plain machine */

static work open_work (const sm_pattern *p, const sm_p_machine *m) {
  work w;
  unsigned n = (unsigned)m->end - m->begin;
  w.words = (n + 31) / 32;
  w.seen = (uint32_t *)(void *)p->work.p;
  w.next = w.seen + w.words;
  w.stack = (uint16_t *)(void *)(w.next + w.words);
  w.waiting = w.stack + n;
  w.nwaiting = 0;
  return w;
}

/* Puts an instruction on the stack unless it is in the bit set already. */
static inline unsigned push (const sm_p_machine *m, uint32_t *set,
                             uint16_t *stack, unsigned n, unsigned pc) {
  unsigned bit = pc - m->begin;
  if (!(set[bit / 32] >> bit % 32 & 1)) {
    set[bit / 32] |= 1u << bit % 32;
    stack[n++] = (uint16_t)pc;
  }
  return n;
}

/* Adds to w->next what is reached from pc without reading or asking. The bits
** of splits and jumps are cleared when the state is made. */
static void follow (const sm_pattern *p, const sm_p_machine *m, work *w,
                    unsigned pc) {
  const sm_p_instr *code = sm_p_code(p);
  unsigned n = push(m, w->next, w->stack, 0, pc);
  while (n > 0) {
    const sm_p_instr *i = &code[pc = w->stack[--n]];
    if (i->op == SM_P_OP_SPLIT || i->op == SM_P_OP_JUMP)
      n = push(m, w->next, w->stack, n, i->x);
    if (i->op == SM_P_OP_SPLIT)
      n = push(m, w->next, w->stack, n, i->y);
  }
}

/* Whether an assertion holds between the character behind a state and the one
** (a class, 0 at the end) that comes next. */
static int holds (const sm_pattern *p, const sm_p_machine *m, unsigned assert,
                  unsigned flags, unsigned class) {
  int none_behind = (flags & FIRST) != 0, none_ahead = class == 0;
  switch (assert) {
  case SM_P_BEGIN:
    return m->backward ? none_ahead : none_behind;
  case SM_P_END:
    return m->backward ? none_behind : none_ahead;
  case SM_P_WORD:
    return ((flags & WORD) != 0) != p->word[class];
  default:
    return ((flags & WORD) != 0) == p->word[class];
  }
}

/*
** Collects the instructions of a state that wait for a character, assertions
** and look-arounds being decided now that the next character is known. Returns
** 1 when the machine has matched here.
*/
static int resolve (const sm_pattern *p, const sm_p_machine *m, work *w,
                    const state *s, const uint16_t *key, unsigned column) {
  const sm_p_instr *code = sm_p_code(p);
  unsigned class = column % p->nclasses, marks = column / p->nclasses;
  unsigned i, n = 0;
  int matched = 0;
  for (i = 0; i < s->len; i++)
    n = push(m, w->seen, w->stack, n, key[i]);
  while (n > 0) {
    unsigned pc = w->stack[--n];
    const sm_p_instr *at = &code[pc];
    switch (at->op) {
    case SM_P_OP_CHAR:
      w->waiting[w->nwaiting++] = (uint16_t)pc;
      break;
    case SM_P_OP_SPLIT:
      n = push(m, w->seen, w->stack, n, at->x);
      n = push(m, w->seen, w->stack, n, at->y);
      break;
    case SM_P_OP_JUMP:
      n = push(m, w->seen, w->stack, n, at->x);
      break;
    case SM_P_OP_ASSERT:
      if (holds(p, m, at->arg, s->flags, class))
        n = push(m, w->seen, w->stack, n, pc + 1);
      break;
    case SM_P_OP_LOOK:
      if ((marks >> at->arg & 1) != at->x)
        n = push(m, w->seen, w->stack, n, pc + 1);
      break;
    default:
      matched = 1;
    }
  }
  return matched;
}

/* }} */

/* {{ States */

static inline state *state_at (const sm_p_machine *m, unsigned i) {
  return (state *)(void *)m->states.p + i;
}

static inline uint16_t *row_of (const sm_p_machine *m, unsigned i) {
  return (uint16_t *)(void *)m->rows.p + (size_t)i * m->stride;
}

/* NULL while no state has had a key yet: then this one's is empty. */
static inline uint16_t *key_of (const sm_p_machine *m, const state *s) {
  return m->keys.p == NULL ? NULL : (uint16_t *)(void *)m->keys.p + s->key;
}

/* Appends the instructions of a bit set that wait or ask to keys, in order;
** how many. */
static unsigned append_key (const sm_pattern *p, sm_p_machine *m,
                            const work *w) {
  const sm_p_instr *code = sm_p_code(p);
  unsigned i, n = 0;
  for (i = 0; i < w->words; i++) {
    uint32_t bits = w->next[i];
    unsigned pc = m->begin + i * 32;
    for (; bits != 0; bits >>= 1, pc++) {
      uint16_t id = (uint16_t)pc;
      if (!(bits & 1) || code[pc].op == SM_P_OP_SPLIT ||
          code[pc].op == SM_P_OP_JUMP)
        continue;
      sm_buf_put(&m->keys, &id, sizeof id);
      n++;
    }
  }
  return n;
}

static uint32_t hash_key (const uint16_t *key, unsigned n, unsigned flags) {
  uint32_t h = 2166136261u ^ flags;
  unsigned i;
  for (i = 0; i < n; i++)
    h = (h ^ key[i]) * 16777619u;
  return h ^ h >> 15;
}

/* The slot of the hash table where a key is, or would be. */
static uint16_t *find_slot (const sm_p_machine *m, const uint16_t *key,
                            unsigned n, unsigned flags) {
  uint16_t *hash = (uint16_t *)(void *)m->hash.p;
  size_t mask = m->hash.len / sizeof *hash - 1;
  size_t i = hash_key(key, n, flags) & mask;
  for (; hash[i] != 0; i = (i + 1) & mask) {
    const state *s = state_at(m, hash[i]);
    if (s->len == n && s->flags == flags &&
        (n == 0 || memcmp(key_of(m, s), key, n * sizeof *key) == 0))
      break;
  }
  return &hash[i];
}

static void put_zeros (sm_buf *b, size_t n) {
  if (sm_buf_room(b, n)) {
    memset(b->p + b->len, 0, n);
    b->len += n;
  }
}

/* The first error of the machine's buffers. */
static int table_error (const sm_p_machine *m) {
  if (m->rows.err != SM_OK)
    return m->rows.err;
  if (m->states.err != SM_OK)
    return m->states.err;
  return m->keys.err != SM_OK ? m->keys.err : m->hash.err;
}

/* Adds a state whose key is the last n entries of keys. */
static int add_state (sm_p_machine *m, unsigned n, unsigned flags) {
  state s;
  s.key = (uint32_t)(m->keys.len / sizeof(uint16_t)) - n;
  s.len = (uint16_t)n;
  s.flags = (uint16_t)flags;
  sm_buf_put(&m->states, &s, sizeof s);
  put_zeros(&m->rows, m->stride * sizeof(uint16_t));
  if (table_error(m) != SM_OK)
    return table_error(m);
  return m->nstates++;
}

/* Makes the hash table twice as large, or makes the first one. */
static int grow_hash (sm_p_machine *m) {
  size_t size = m->hash.len == 0 ? 64 * sizeof(uint16_t) : m->hash.len * 2;
  unsigned i;
  m->hash.len = 0;
  put_zeros(&m->hash, size);
  if (m->hash.err != SM_OK)
    return m->hash.err;
  for (i = DEAD; i < m->nstates; i++) {
    const state *s = state_at(m, i);
    *find_slot(m, key_of(m, s), s->len, s->flags) = (uint16_t)i;
  }
  return SM_OK;
}

/*
** The state whose instructions w->next holds; a new one if need be. Negative:
** SM_ENOMEM, or SM_ELIMIT when the table is full (nothing has changed).
*/
static int intern (const sm_pattern *p, sm_p_machine *m, const work *w,
                   unsigned flags) {
  size_t keys = m->keys.len;
  unsigned n = append_key(p, m, w);
  uint16_t *slot;
  int id;
  if (m->keys.err != SM_OK)
    return m->keys.err;
  if (n == 0)
    flags = 0; /* DEAD, whatever was before */
  slot = find_slot(m, (uint16_t *)(void *)(m->keys.p + keys), n, flags);
  if (*slot != 0) {
    m->keys.len = keys;
    return *slot;
  }
  if (m->nstates == m->max_states)
    return SM_ELIMIT;
  id = add_state(m, n, flags);
  if (id < 0)
    return id;
  *slot = (uint16_t)id;
  if (m->nstates * 2u * sizeof *slot > m->hash.len && grow_hash(m) != SM_OK)
    return m->hash.err;
  return id;
}

/* }} */

/* {{ The table */

static void close_table (sm_p_machine *m) {
  sm_buf_free(&m->rows);
  sm_buf_free(&m->states);
  sm_buf_free(&m->keys);
  sm_buf_free(&m->hash);
  m->nstates = 0;
}

/* Makes an empty table: no state 0, DEAD, START. */
static int open_table (const sm_pattern *p, sm_p_machine *m) {
  work w = open_work(p, m);
  unsigned i;
  int id;
  sm_buf_reset(&m->rows);
  sm_buf_reset(&m->states);
  sm_buf_reset(&m->keys);
  sm_buf_reset(&m->hash);
  m->nstates = 0;
  m->generation++;
  if (add_state(m, 0, 0xFFFF) < 0 || add_state(m, 0, 0) < 0 ||
      grow_hash(m) != SM_OK)
    return table_error(m);
  for (i = 0; i < m->stride; i++)
    row_of(m, DEAD)[i] = DEAD << 1;
  memset(w.next, 0, w.words * sizeof *w.next);
  follow(p, m, &w, m->begin);
  id = intern(p, m, &w, m->asserts ? FIRST : 0);
  return id < 0 ? id : SM_OK;
}

/* Interns w->next, in a fresh table when this one is full. w stays as it is:
** open_table uses the same memory, so the bits are saved in the stack's. */
static int intern_or_flush (const sm_pattern *p, sm_p_machine *m, work *w,
                            unsigned flags) {
  int id = intern(p, m, w, flags);
  if (id == SM_ELIMIT) {
    size_t size = w->words * sizeof *w->next;
    memcpy(w->seen, w->next, size);
    id = open_table(p, m);
    if (id != SM_OK)
      return id;
    memcpy(w->next, w->seen, size);
    id = intern(p, m, w, flags);
  }
  return id;
}

/*
** Makes the step that the table does not know yet. Returns its entry (next
** state << 1 | matched), or a negative status. State numbers from before mean
** nothing after it.
*/
static int step (const sm_pattern *p, sm_p_machine *m, unsigned from,
                 unsigned column) {
  const uint8_t *member = (const uint8_t *)p->member.p;
  const state *s = state_at(m, from);
  unsigned i, class = column % p->nclasses, flags = 0;
  uint32_t generation = m->generation;
  work w = open_work(p, m);
  int id = DEAD, entry, matched;
  memset(w.seen, 0, w.words * sizeof *w.seen);
  memset(w.next, 0, w.words * sizeof *w.next);
  matched = resolve(p, m, &w, s, key_of(m, s), column);
  for (i = 0; class != 0 && i < w.nwaiting; i++) {
    const sm_p_instr *at = &sm_p_code(p)[w.waiting[i]];
    if (member[at->arg * p->nclasses + class])
      follow(p, m, &w, w.waiting[i] + 1u);
  }
  if (m->floating)
    follow(p, m, &w, m->begin);
  if (m->asserts && p->word[class])
    flags = WORD;
  if (class != 0)
    id = intern_or_flush(p, m, &w, flags);
  if (id < 0)
    return id;
  entry = id << 1 | matched;
  if (m->generation == generation)
    row_of(m, from)[column] = (uint16_t)entry;
  return entry;
}

/* A failure inside the table leaves it half made: away with it. */
static int give_up (sm_p_machine *m, int status) {
  close_table(m);
  return status;
}

/* }} */

/* {{ Subjects */

/* The class of the character at *c, which is not ASCII; 0 and *c as it was
** when there is none. */
static unsigned wide_class (const sm_pattern *p, const char **c,
                            const char *end) {
  const unsigned char *at = (const unsigned char *)*c;
  int i, n = sm_utf8_seq(*c, end);
  uint32_t code = at[0] & 0xFFu >> (n + 1);
  for (i = 1; i < n; i++)
    code = code << 6 | (at[i] & 0x3F);
  *c += n;
  return n == 0 ? 0 : sm_p_class(p, code);
}

/* A pattern without look-arounds, straight over the bytes. */
static int run_bytes (sm_pattern *p, sm_p_machine *m, sm_str s) {
  const char *c = s.p, *end = s.p + s.len;
  const uint16_t *rows = row_of(m, 0);
  unsigned stride = m->stride, at = START, column;
  int entry;
  while (c < end) {
    if ((unsigned char)*c < 0x80) {
      column = p->ascii[(unsigned char)*c++];
    } else {
      column = wide_class(p, &c, end);
      if (column == 0)
        return SM_EUTF8;
    }
    entry = rows[at * stride + column];
    if (entry == 0) {
      entry = step(p, m, at, column);
      if (entry < 0)
        return give_up(m, entry);
      rows = row_of(m, 0);
    }
    at = (unsigned)entry >> 1;
    if (at == DEAD)
      return 0;
  }
  entry = rows[at * stride];
  if (entry == 0)
    entry = step(p, m, at, 0);
  return entry < 0 ? give_up(m, entry) : entry & 1;
}

/* The subject as classes, and as many zero marks plus one. */
static int read_classes (sm_pattern *p, sm_str s) {
  const char *c = s.p, *end = s.p + s.len;
  sm_buf_reset(&p->classes);
  sm_buf_reset(&p->marks);
  while (c < end) {
    unsigned class = (unsigned char)*c < 0x80 ? p->ascii[(unsigned char)*c++]
                                              : wide_class(p, &c, end);
    if (class == 0)
      return SM_EUTF8;
    sm_buf_putc(&p->classes, (char)class);
  }
  put_zeros(&p->marks, p->classes.len + 1);
  return p->classes.err != SM_OK ? p->classes.err : p->marks.err;
}

/*
** Runs a machine over p->classes. A floating one (a look-around, number k)
** leaves bit k in the marks of each position where it matches; the pattern's
** own says whether it matched.
*/
static int run_classes (sm_pattern *p, sm_p_machine *m, unsigned k) {
  const uint8_t *classes = (const uint8_t *)p->classes.p;
  uint8_t *marks = (uint8_t *)p->marks.p;
  size_t i, n = p->classes.len;
  unsigned at = START;
  int entry = 0;
  for (i = 0; i <= n; i++) {
    size_t position = m->backward ? n - i : i;
    unsigned class = i == n ? 0 : classes[m->backward ? n - 1 - i : i];
    unsigned column = SM_P_COLUMN(p, class, marks[position]);
    entry = row_of(m, at)[column];
    if (entry == 0)
      entry = step(p, m, at, column);
    if (entry < 0)
      return give_up(m, entry);
    if (m->floating && (entry & 1))
      marks[position] |= (uint8_t)(1u << k);
    at = (unsigned)entry >> 1;
    if (at == DEAD && !m->floating)
      break;
  }
  return i < n ? 0 : entry & 1;
}

static int run_looks (sm_pattern *p, sm_str subject) {
  unsigned k;
  int result = read_classes(p, subject);
  for (k = 0; result >= 0 && k < p->nmachines; k++)
    result = run_classes(p, &p->machine[k], k);
  if (p->classes.cap > KEEP) {
    sm_buf_free(&p->classes);
    sm_buf_free(&p->marks);
  }
  return result;
}

int sm_pattern_match (sm_pattern *p, sm_str subject) {
  unsigned k;
  if (subject.p == NULL)
    subject.p = "";
  for (k = 0; k < p->nmachines; k++) {
    sm_p_machine *m = &p->machine[k];
    int status = m->nstates > 0 ? SM_OK : open_table(p, m);
    if (status != SM_OK)
      return give_up(m, status);
  }
  if (p->nmachines == 1)
    return run_bytes(p, &p->machine[0], subject);
  return run_looks(p, subject);
}

/* }} */

/* {{ Life of a pattern */

static void open_machine (sm_pattern *p, unsigned k) {
  sm_p_machine *m = &p->machine[k];
  size_t code = (size_t)m->end - m->begin;
  size_t keys = code * 4 * sizeof(uint16_t), states;
  m->stride = (uint16_t)(p->nclasses << k);
  states = MAX_TABLE / (m->stride * sizeof(uint16_t));
  if (states > MAX_STATES)
    states = MAX_STATES;
  if (states < MIN_STATES)
    states = MIN_STATES;
  m->max_states = (uint16_t)states;
  m->rows.max = states * m->stride * sizeof(uint16_t);
  m->states.max = states * sizeof(state);
  m->keys.max = keys > MAX_TABLE ? keys : MAX_TABLE;
  m->hash.max = MAX_STATES * 8 * sizeof(uint16_t);
}

/* Makes room for one step of the largest machine. */
static int open_scratch (sm_pattern *p) {
  size_t most = 0, words;
  unsigned k;
  for (k = 0; k < p->nmachines; k++) {
    size_t n = (size_t)p->machine[k].end - p->machine[k].begin;
    open_machine(p, k);
    most = n > most ? n : most;
  }
  words = (most + 31) / 32;
  return sm_buf_grow(&p->work, words * 2 * sizeof(uint32_t) +
                                   most * 2 * sizeof(uint16_t));
}

static sm_pattern *new_pattern (sm_alloc alloc, void *ud) {
  const size_t unlimited = (size_t)-1 / 4;
  unsigned k;
  sm_pattern *p = (sm_pattern *)alloc(ud, NULL, 0, sizeof *p);
  if (p == NULL)
    return NULL;
  memset(p, 0, sizeof *p);
  p->alloc = alloc;
  p->ud = ud;
  sm_buf_init(&p->bounds, unlimited, alloc, ud);
  sm_buf_init(&p->interval, unlimited, alloc, ud);
  sm_buf_init(&p->member, unlimited, alloc, ud);
  sm_buf_init(&p->code, SM_P_MAX_CODE * sizeof(sm_p_instr), alloc, ud);
  sm_buf_init(&p->work, unlimited, alloc, ud);
  sm_buf_init(&p->classes, unlimited, alloc, ud);
  sm_buf_init(&p->marks, unlimited, alloc, ud);
  for (k = 0; k <= SM_P_MAX_LOOKS; k++) {
    sm_p_machine *m = &p->machine[k];
    sm_buf_init(&m->rows, 0, alloc, ud);
    sm_buf_init(&m->states, 0, alloc, ud);
    sm_buf_init(&m->keys, 0, alloc, ud);
    sm_buf_init(&m->hash, 0, alloc, ud);
  }
  return p;
}

void sm_pattern_free (sm_pattern *p) {
  unsigned k;
  if (p == NULL)
    return;
  sm_buf_free(&p->bounds);
  sm_buf_free(&p->interval);
  sm_buf_free(&p->member);
  sm_buf_free(&p->code);
  sm_buf_free(&p->work);
  sm_buf_free(&p->classes);
  sm_buf_free(&p->marks);
  for (k = 0; k <= SM_P_MAX_LOOKS; k++)
    close_table(&p->machine[k]);
  p->alloc(p->ud, p, sizeof *p, 0);
}

int sm_pattern_new (sm_pattern **out, sm_str text, sm_alloc alloc, void *ud,
                    sm_pattern_error *error) {
  sm_pattern_error ignored;
  sm_p_tree *t = (sm_p_tree *)alloc(ud, NULL, 0, sizeof *t);
  sm_pattern *p = t == NULL ? NULL : new_pattern(alloc, ud);
  int status = SM_ENOMEM;
  error = error == NULL ? &ignored : error;
  error->what = sm_strerror(SM_ENOMEM);
  error->at = 0;
  *out = NULL;
  if (p != NULL) {
    sm_p_tree_init(t, alloc, ud);
    status = sm_p_parse(t, text, error);
    if (status == SM_OK)
      status = sm_p_compile(p, t, error);
    if (status == SM_OK)
      status = open_scratch(p);
    sm_p_tree_free(t);
  }
  if (t != NULL)
    alloc(ud, t, sizeof *t, 0);
  if (status == SM_OK)
    *out = p;
  else
    sm_pattern_free(p);
  return status;
}

/* }} */

/* {{ Many patterns */

void sm_patterns_init (sm_patterns *c, sm_alloc alloc, void *ud) {
  c->slots = NULL;
  c->nslots = c->used = 0;
  c->alloc = alloc;
  c->ud = ud;
}

void sm_patterns_free (sm_patterns *c) {
  size_t i;
  for (i = 0; i < c->nslots; i++)
    sm_pattern_free(c->slots[i].pattern);
  if (c->slots != NULL)
    c->alloc(c->ud, c->slots, c->nslots * sizeof *c->slots, 0);
  sm_patterns_init(c, c->alloc, c->ud);
}

/* Where `id` is, or would be. The number of slots is a power of two. */
static sm_patterns_slot *slot_of (const sm_patterns *c, unsigned id) {
  size_t i = (id * 2654435769u >> 8) & (c->nslots - 1);
  while (c->slots[i].used && c->slots[i].id != id)
    i = (i + 1) & (c->nslots - 1);
  return &c->slots[i];
}

/* Twice as many slots; the first are 32. */
static int grow_slots (sm_patterns *c) {
  sm_patterns wider = *c;
  size_t i, size;
  wider.nslots = c->nslots == 0 ? 32 : c->nslots * 2;
  size = wider.nslots * sizeof *wider.slots;
  wider.slots = (sm_patterns_slot *)c->alloc(c->ud, NULL, 0, size);
  if (wider.slots == NULL)
    return SM_ENOMEM;
  memset(wider.slots, 0, size);
  for (i = 0; i < c->nslots; i++) {
    if (c->slots[i].used)
      *slot_of(&wider, c->slots[i].id) = c->slots[i];
  }
  if (c->slots != NULL)
    c->alloc(c->ud, c->slots, c->nslots * sizeof *c->slots, 0);
  *c = wider;
  return SM_OK;
}

/* Compiles a pattern that is not there yet; one that cannot be compiled keeps
** its slot, too, with the reason. */
static int add_pattern (sm_patterns *c, unsigned id, sm_str pattern) {
  sm_patterns_slot slot;
  int status = SM_OK;
  if (c->used * 2 >= c->nslots)
    status = grow_slots(c);
  if (status != SM_OK)
    return status;
  slot.id = id;
  slot.used = 1;
  slot.status = sm_pattern_new(&slot.pattern, pattern, c->alloc, c->ud, NULL);
  if (slot.status == SM_ENOMEM)
    return SM_ENOMEM;
  *slot_of(c, id) = slot;
  c->used++;
  return SM_OK;
}

int sm_patterns_match (sm_patterns *c, unsigned id, sm_str pattern,
                       sm_str subject) {
  sm_patterns_slot *slot;
  if (c->nslots == 0 || !slot_of(c, id)->used) {
    int status = add_pattern(c, id, pattern);
    if (status != SM_OK)
      return status;
  }
  slot = slot_of(c, id);
  if (slot->status != SM_OK)
    return slot->status;
  return sm_pattern_match(slot->pattern, subject);
}

/* }} */
