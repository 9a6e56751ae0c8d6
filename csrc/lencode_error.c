/*
** lencode_error.c: what the encoder says about a value it does not take.
*/
#include "lencode.h"
#include "sm_number.h"
#include "sm_text.h"

/* How many names a message lists. */
#define NAMES_MAX 12

/* {{ Frame of a message */

sm_buf *lsm_enc_problem (lsm_enc *e) {
  sm_buf *b = &e->scratch->text;
  sm_buf_reset(b);
  lsm_putpath(b, e->s, e->at);
  if (b->len == 0)
    sm_buf_puts(b, SM_LIT("the parameters"));
  sm_buf_puts(b, SM_LIT(": "));
  return b;
}

/* Sets a text field of the table on top. */
static void set_text (lua_State *L, const char *key, sm_str s) {
  lsm_pushstr(L, s);
  lua_setfield(L, -2, key);
}

static void push_path (lsm_enc *e) {
  sm_buf *b = &e->scratch->text;
  size_t begin = b->len;
  lsm_putpath(b, e->s, e->at);
  lsm_checkmemory(e->L, b);
  lsm_pushstr(e->L, (sm_str){b->p + begin, b->len - begin});
  b->len = begin;
}

void lsm_enc_note (lsm_enc *e, const char *code, const sm_shape *shape) {
  lua_State *L = e->L;
  sm_buf *b = &e->scratch->text;
  lsm_checkmemory(L, b);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (lua_isnil(L, e->errors)) {
    lua_newtable(L);
    lua_replace(L, e->errors);
  }
  lua_createtable(L, 0, 5);
  set_text(L, "message", sm_buf_str(b));
  push_path(e);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  if (shape != NULL)
    set_text(L, "shape", sm_text_of(e->s, shape->name));
  lua_pushvalue(L, -1);
  lua_rawseti(L, e->errors, ++e->nerrors);
  if (e->nerrors >= LSM_MAX_ERRORS)
    e->stop = 1;
}

void lsm_enc_complain (lsm_enc *e, const char *code, const sm_shape *shape,
                       const char *message) {
  sm_buf *b = lsm_enc_problem(e);
  sm_buf_put(b, message, strlen(message));
  lsm_enc_note(e, code, shape);
  lua_pop(e->L, 1);
}

/* }} */

/* {{ Words */

static void put_quoted (sm_buf *b, sm_str s) {
  sm_buf_putc(b, '"');
  lsm_putshown(b, s);
  sm_buf_putc(b, '"');
}

static void put_number (lua_State *L, sm_buf *b, int idx) {
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, idx)) {
    sm_put_i64(b, (int64_t)lua_tointeger(L, idx));
    return;
  }
#endif
  sm_put_double(b, (double)lua_tonumber(L, idx));
}

void lsm_enc_putvalue (lsm_enc *e, sm_buf *b, const sm_shape *shape, int idx) {
  lua_State *L = e->L;
  int hidden = shape != NULL && (shape->flags & SM_S_SENSITIVE);
  int type = lua_type(L, idx);
  sm_str s;
  if (lsm_isnull(L, idx)) {
    sm_buf_puts(b, SM_LIT("null"));
    return;
  }
  if (type == LUA_TNUMBER && !hidden) {
    put_number(L, b, idx);
  } else if (type == LUA_TBOOLEAN && !hidden) {
    sm_buf_puts(b, lua_toboolean(L, idx) ? SM_LIT("true") : SM_LIT("false"));
  } else if (type == LUA_TSTRING && !hidden) {
    s.p = lua_tolstring(L, idx, &s.len);
    put_quoted(b, s);
  } else {
    const char *name = lua_typename(L, type);
    sm_buf_puts(b, SM_LIT("a "));
    sm_buf_put(b, name, strlen(name));
  }
}

/* Appends "NAME, NAME …" of n names that `at` gives. */
static void put_names (sm_buf *b, sm_str (*at)(const void *ctx, int i),
                       const void *ctx, int n) {
  int i;
  for (i = 0; i < n && i < NAMES_MAX; i++) {
    if (i > 0)
      sm_buf_puts(b, SM_LIT(", "));
    sm_buf_puts(b, at(ctx, i));
  }
  if (n > NAMES_MAX)
    sm_buf_puts(b, SM_LIT(", ..."));
}

/* A shape in its service, for the functions that list names. */
typedef struct named {
  const sm_service *s;
  const sm_shape *shape;
} named;

static sm_str member_at (const void *ctx, int i) {
  const named *x = (const named *)ctx;
  return sm_text_of(x->s, sm_members_of(x->s, x->shape)[i].name);
}

static sm_str value_at (const void *ctx, int i) {
  const named *x = (const named *)ctx;
  return sm_text_of(x->s, x->s->values[x->shape->first + (unsigned)i]);
}

/* Appends "; did you mean X?" or the list of names, or `none`. The index of the
** suggestion, or -1. */
static int put_suggestion (sm_buf *b, sm_str text,
                           sm_str (*at)(const void *ctx, int i), const named *x,
                           const char *none) {
  int near = sm_nearest(text, at, x, x->shape->count);
  if (near >= 0) {
    sm_buf_puts(b, SM_LIT("; did you mean "));
    sm_buf_puts(b, at(x, near));
    sm_buf_putc(b, '?');
  } else if (x->shape->count == 0) {
    sm_buf_put(b, none, strlen(none));
  } else {
    sm_buf_puts(b, SM_LIT("; there are "));
    put_names(b, at, x, x->shape->count);
  }
  return near;
}

/* }} */

/* {{ Common problems */

void lsm_enc_wrong (lsm_enc *e, const sm_shape *shape, int idx) {
  sm_buf *b;
  lua_State *L = e->L;
  if (shape == NULL) {
    lsm_enc_complain(e, "type", NULL, "JSON cannot hold this value");
    return;
  }
  b = lsm_enc_problem(e);
  sm_buf_puts(b, SM_LIT("expected "));
  lsm_putwanted(b, shape);
  sm_buf_puts(b, SM_LIT(", got "));
  if (lua_istable(L, idx) && lsm_rawlen(L, idx) > 0)
    sm_buf_puts(b, SM_LIT("a list"));
  else
    lsm_enc_putvalue(e, b, shape, idx);
  lsm_enc_note(e, "type", shape);
  lua_pop(L, 1);
}

/* As lsm_enc_problem, for a member of the structure where the walk is. */
static sm_buf *member_problem (lsm_enc *e, sm_str name) {
  sm_buf *b = &e->scratch->text;
  sm_buf_reset(b);
  lsm_putpath(b, e->s, e->at);
  if (b->len > 0)
    sm_buf_putc(b, '.');
  lsm_putshown(b, name);
  return b;
}

void lsm_enc_missing (lsm_enc *e, const sm_shape *shape, const sm_member *m) {
  sm_str name = sm_text_of(e->s, m->name);
  sm_buf *b = member_problem(e, name);
  sm_buf_puts(b, SM_LIT(" is required"));
  lsm_enc_note(e, "required", shape);
  set_text(e->L, "member", name);
  lua_pop(e->L, 1);
}

void lsm_enc_unknown (lsm_enc *e, const sm_shape *shape, sm_str name) {
  named x = {e->s, shape};
  sm_buf *b = member_problem(e, name);
  int near;
  sm_buf_puts(b, SM_LIT(" is unknown"));
  near = put_suggestion(b, name, member_at, &x, "; there are no members");
  lsm_enc_note(e, "unknown", shape);
  set_text(e->L, "member", name);
  if (near >= 0)
    set_text(e->L, "suggestion", member_at(&x, near));
  lua_pop(e->L, 1);
}

void lsm_enc_union (lsm_enc *e, const sm_shape *shape, int n) {
  named x = {e->s, shape};
  sm_buf *b = lsm_enc_problem(e);
  sm_buf_puts(b, SM_LIT("exactly one member must be set, not "));
  sm_put_i64(b, n);
  sm_buf_puts(b, SM_LIT(", of "));
  put_names(b, member_at, &x, shape->count);
  lsm_enc_note(e, "union", shape);
  lua_pop(e->L, 1);
}

/* Sets the field `value` of the entry on top to what the message shows. */
static void set_value (lsm_enc *e, const sm_shape *shape, int idx) {
  sm_buf *b = &e->scratch->text;
  if (shape->flags & SM_S_SENSITIVE)
    return;
  sm_buf_reset(b);
  put_number(e->L, b, idx);
  lsm_checkmemory(e->L, b);
  set_text(e->L, "value", sm_buf_str(b));
}

static void set_limit (lua_State *L, double limit) {
  if (limit == (double)(int64_t)limit)
    lsm_pushint(L, (int64_t)limit);
  else
    lua_pushnumber(L, limit);
  lua_setfield(L, -2, "limit");
}

void lsm_enc_bound (lsm_enc *e, const sm_shape *shape, const char *code,
                    double limit, int idx) {
  int below = code[1] == 'i';
  sm_buf *b;
  idx = lsm_absindex(e->L, idx);
  b = lsm_enc_problem(e);
  sm_buf_puts(b,
              below ? SM_LIT("must be at least ") : SM_LIT("must be at most "));
  sm_put_double(b, limit);
  if (!(shape->flags & SM_S_SENSITIVE)) {
    sm_buf_puts(b, SM_LIT(", got "));
    lsm_enc_putvalue(e, b, shape, idx);
  }
  lsm_enc_note(e, code, shape);
  set_limit(e->L, limit);
  set_value(e, shape, idx);
  lua_pop(e->L, 1);
}

void lsm_enc_range (lsm_enc *e, const sm_shape *shape, int idx) {
  sm_buf *b;
  idx = lsm_absindex(e->L, idx);
  b = lsm_enc_problem(e);
  lsm_enc_putvalue(e, b, shape, idx);
  sm_buf_puts(b, SM_LIT(" does not fit into an integer of "));
  sm_put_i64(b, shape->type == SM_INTEGER ? 32 : 64);
  sm_buf_puts(b, SM_LIT(" bits"));
  lsm_enc_note(e, "range", shape);
  set_value(e, shape, idx);
  lua_pop(e->L, 1);
}

void lsm_enc_size (lsm_enc *e, const sm_shape *shape, size_t n,
                   const char *what, int below) {
  double limit = below ? shape->min : shape->max;
  sm_buf *b = lsm_enc_problem(e);
  sm_buf_puts(b, below ? SM_LIT("must have at least ")
                       : SM_LIT("must have at most "));
  sm_put_double(b, limit);
  sm_buf_putc(b, ' ');
  if (limit != 1 && strcmp(what, "entry") == 0)
    what = "entries";
  sm_buf_put(b, what, strlen(what));
  if (limit != 1 && strcmp(what, "entries") != 0)
    sm_buf_putc(b, 's');
  sm_buf_puts(b, SM_LIT(", has "));
  sm_put_u64(b, n);
  lsm_enc_note(e, below ? "min_length" : "max_length", shape);
  set_limit(e->L, limit);
  lua_pop(e->L, 1);
}

/* Begins with the value, unless it is secret; notes it as a field later. */
static sm_buf *value_problem (lsm_enc *e, const sm_shape *shape, sm_str s) {
  sm_buf *b = lsm_enc_problem(e);
  if (shape->flags & SM_S_SENSITIVE)
    sm_buf_puts(b, SM_LIT("the value"));
  else
    put_quoted(b, s);
  return b;
}

static void note_value (lsm_enc *e, const char *code, const sm_shape *shape,
                        sm_str s) {
  sm_buf *b = &e->scratch->text;
  lsm_enc_note(e, code, shape);
  if (shape->flags & SM_S_SENSITIVE)
    return;
  sm_buf_reset(b);
  lsm_putshown(b, s);
  lsm_checkmemory(e->L, b);
  set_text(e->L, "value", sm_buf_str(b));
}

void lsm_enc_enum (lsm_enc *e, const sm_shape *shape, sm_str value) {
  named x = {e->s, shape};
  sm_buf *b = value_problem(e, shape, value);
  int near;
  sm_buf_puts(b, SM_LIT(" is not a valid value"));
  near = put_suggestion(b, value, value_at, &x, "");
  note_value(e, "enum", shape, value);
  if (near >= 0)
    set_text(e->L, "suggestion", value_at(&x, near));
  lua_pop(e->L, 1);
}

void lsm_enc_pattern (lsm_enc *e, const sm_shape *shape, sm_str value) {
  sm_str pattern = sm_text_of(e->s, shape->pattern);
  sm_buf *b = value_problem(e, shape, value);
  sm_buf_puts(b, SM_LIT(" does not match the pattern "));
  sm_buf_puts(b, pattern);
  note_value(e, "pattern", shape, value);
  set_text(e->L, "pattern", pattern);
  lua_pop(e->L, 1);
}

/* }} */
