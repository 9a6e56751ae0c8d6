/*
** lencode_scalar.c: single values and what the model asks of them.
*/
#include "lencode.h"
#include "sm_number.h"
#include "sm_rest.h"
#include "sm_text.h"

/* {{ Constraints */

/* Notes a number beyond its bounds, if it is. NaN is within none. */
static void check_bounds (lsm_enc *e, const sm_shape *shape, double v,
                          int idx) {
  if ((shape->flags & SM_S_HAS_MIN) && (e->checks & LSM_CHECK_MIN) &&
      !(v >= shape->min))
    lsm_enc_bound(e, shape, "min", shape->min, idx);
  if ((shape->flags & SM_S_HAS_MAX) && (e->checks & LSM_CHECK_STRICT) &&
      !(v <= shape->max))
    lsm_enc_bound(e, shape, "max", shape->max, idx);
}

void lsm_enc_length (lsm_enc *e, const sm_shape *shape, size_t n,
                     const char *what) {
  int below = (shape->flags & SM_S_HAS_MIN) && (e->checks & LSM_CHECK_MIN) &&
              (double)n < shape->min;
  int above = (shape->flags & SM_S_HAS_MAX) && (e->checks & LSM_CHECK_STRICT) &&
              (double)n > shape->max;
  if (below || above)
    lsm_enc_size(e, shape, n, what, below);
}

/* Enumeration and pattern of a string. */
static void check_strict (lsm_enc *e, const sm_shape *shape, sm_str s) {
  if (shape->count > 0 && !sm_enum_has(e->s, shape, s))
    lsm_enc_enum(e, shape, s);
  if (shape->pattern != SM_NONE) {
    int r = sm_patterns_match(&e->call.codec->patterns, shape->pattern,
                              sm_text_of(e->s, shape->pattern), s);
    if (r == SM_ENOMEM)
      luaL_error(e->L, "not enough memory");
    if (r == 0) /* one that we cannot express forbids nothing */
      lsm_enc_pattern(e, shape, s);
  }
}

/* }} */

void lsm_enc_checkstring (lsm_enc *e, const sm_shape *shape, sm_str s) {
  if (shape->flags & (SM_S_HAS_MIN | SM_S_HAS_MAX))
    lsm_enc_length(e, shape, sm_utf8_len(s), "character");
  if (e->checks & LSM_CHECK_STRICT)
    check_strict(e, shape, s);
}

int lsm_enc_blob (lsm_enc *e, const sm_shape *shape, int idx, sm_str *s) {
  if (lua_type(e->L, idx) != LUA_TSTRING) {
    lsm_enc_wrong(e, shape, idx);
    return 0;
  }
  s->p = lua_tolstring(e->L, idx, &s->len);
  lsm_enc_length(e, shape, s->len, "byte");
  return 1;
}

int lsm_enc_bool (lsm_enc *e, const sm_shape *shape, int idx, int *v) {
  if (!lua_isboolean(e->L, idx)) {
    lsm_enc_wrong(e, shape, idx);
    return 0;
  }
  *v = lua_toboolean(e->L, idx);
  return 1;
}

/* The integer that a Lua number is: 1; 0 when it has a fraction or is no
** number; -1 when it needs more than 64 bits. */
static int to_int64 (lua_State *L, int idx, int64_t *v) {
  double d;
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, idx)) {
    *v = (int64_t)lua_tointeger(L, idx);
    return 1;
  }
#endif
  d = (double)lua_tonumber(L, idx);
  if (d >= -9223372036854775808.0 && d < 9223372036854775808.0) {
    *v = (int64_t)d;
    return (double)*v == d;
  }
  return d - d == 0 ? -1 : 0; /* infinities and NaN are no integers */
}

int lsm_enc_int (lsm_enc *e, const sm_shape *shape, int idx, int64_t *v) {
  int is = lua_type(e->L, idx) == LUA_TNUMBER ? to_int64(e->L, idx, v) : 0;
  if (is == 0) {
    lsm_enc_wrong(e, shape, idx);
    return 0;
  }
  if (is < 0 || (shape->type == SM_INTEGER && *v != (int32_t)*v)) {
    lsm_enc_range(e, shape, idx);
    return 0;
  }
  check_bounds(e, shape, (double)*v, idx);
  return 1;
}

/* NaN and the infinities may be given by the names that Smithy has for them. */
static int named_double (lua_State *L, int idx, double *v) {
  sm_str s;
  if (lua_type(L, idx) != LUA_TSTRING)
    return 0;
  s.p = lua_tolstring(L, idx, &s.len);
  return sm_float_name(s, v);
}

int lsm_enc_double (lsm_enc *e, const sm_shape *shape, int idx, double *v) {
  if (lua_type(e->L, idx) == LUA_TNUMBER) {
    *v = (double)lua_tonumber(e->L, idx);
  } else if (!named_double(e->L, idx, v)) {
    lsm_enc_wrong(e, shape, idx);
    return 0;
  }
  check_bounds(e, shape, *v, idx);
  return 1;
}

int lsm_enc_time (lsm_enc *e, const sm_shape *shape, int idx, sm_time *t) {
  int err = SM_ESYNTAX;
  if (lua_type(e->L, idx) == LUA_TNUMBER) {
    err = sm_time_from_double((double)lua_tonumber(e->L, idx), t);
  } else if (lua_type(e->L, idx) == LUA_TSTRING) {
    sm_str s;
    s.p = lua_tolstring(e->L, idx, &s.len);
    err = sm_time_parse(s, t);
  }
  if (err != SM_OK)
    lsm_enc_wrong(e, shape, idx);
  return err == SM_OK;
}

void lsm_enc_puttime (lsm_enc *e, sm_buf *b, unsigned format, sm_time t) {
  switch (format) {
  case SM_TS_ISO8601:
    sm_time_put_iso8601(b, t);
    break;
  case SM_TS_RFC7231:
    sm_time_put_http(b, t);
    break;
  default:
    if (e->checks & LSM_WHOLE_SECONDS)
      t.nsec = 0;
    sm_time_put_epoch(b, t);
  }
}
