/*
** lencode_rest.c: the parts of a restJson1 message that are not in its body.
**
** https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
*/
#include "lencode.h"
#include "sm_json.h"
#include "sm_rest.h"
#include "sm_text.h"

/* One message under way. */
typedef struct rest {
  lsm_enc *e;
  const sm_shape *shape;
  const sm_member *members;
  lsm_found found;
  int headers; /* stack index of the table of headers */
} rest;

/* {{ Text of a single value */

/* What was put together in a buffer; 0 when that failed, which e->out then
** remembers. */
static int finished (lsm_enc *e, const sm_buf *b, sm_str *s) {
  if (b->err != SM_OK && e->out->err == SM_OK)
    e->out->err = b->err;
  *s = sm_buf_str(b);
  return b->err == SM_OK;
}

static int time_text (lsm_enc *e, const sm_shape *shape, unsigned format,
                      int idx, sm_buf *b) {
  sm_time t;
  if (!lsm_enc_time(e, shape, idx, &t))
    return 0;
  lsm_enc_puttime(e, b, format, t);
  return 1;
}

/* A number or a boolean. */
static int number_text (lsm_enc *e, const sm_shape *shape, int idx, sm_buf *b) {
  int64_t i;
  double d;
  int v;
  switch (shape->type) {
  case SM_INTEGER:
  case SM_LONG:
    if (!lsm_enc_int(e, shape, idx, &i))
      return 0;
    sm_put_i64(b, i);
    return 1;
  case SM_FLOAT:
  case SM_DOUBLE:
    if (!lsm_enc_double(e, shape, idx, &d))
      return 0;
    sm_put_double(b, d);
    return 1;
  case SM_BOOLEAN:
    if (!lsm_enc_bool(e, shape, idx, &v))
      return 0;
    sm_buf_puts(b, v ? SM_LIT("true") : SM_LIT("false"));
    return 1;
  default:
    lsm_enc_complain(e, "type", shape,
                     "this type has no place outside of the body");
    return 0;
  }
}

/*
** The text of the value at `idx`: *s borrows from Lua or from scratch->text.
** `format` is the timestamp format of the place.
*/
static int value_text (lsm_enc *e, const sm_shape *shape, unsigned format,
                       int idx, sm_str *s) {
  sm_buf *b = &e->scratch->text;
  int ok;
  sm_buf_reset(b);
  if (shape->type == SM_STRING)
    return lsm_enc_string(e, shape, idx, s);
  if (shape->type == SM_TIMESTAMP) {
    if (shape->ts_format != SM_TS_DEFAULT)
      format = shape->ts_format;
    ok = time_text(e, shape, format, idx, b);
  } else if (shape->type == SM_BLOB) {
    ok = lsm_enc_blob(e, shape, idx, s);
    if (ok)
      sm_base64_put(b, s->p, s->len);
  } else {
    ok = number_text(e, shape, idx, b);
  }
  return ok && finished(e, b, s);
}

/* The same for a member, whose own format and jsonvalue trait count. */
static int member_text (lsm_enc *e, const sm_member *m, unsigned format,
                        int idx, sm_str *s) {
  const sm_shape *shape = e->s->shapes + m->shape;
  sm_buf *b = &e->scratch->text;
  if (m->flags & SM_M_JSONVALUE) {
    sm_buf_reset(b);
    lsm_enc_jsonvalue(e, shape, idx, b);
    return finished(e, b, s);
  }
  if (shape->type == SM_TIMESTAMP && m->ts_format != SM_TS_DEFAULT) {
    sm_buf_reset(b);
    return time_text(e, shape, m->ts_format, idx, b) && finished(e, b, s);
  }
  return value_text(e, shape, format, idx, s);
}

/* True when the member has a value that counts; *idx is where. */
static int has_value (const rest *x, int i, int *idx) {
  const lsm_enc *e = x->e;
  *idx = x->found.base + 2 * x->found.pos[i];
  if (x->found.pos[i] == 0)
    return 0;
  return (e->checks & LSM_CHECK_NULL) || !lsm_isnull(e->L, *idx);
}

/* Writes the members that were given and belong to one of two locations. */
static void each_located (rest *x, int location, int other,
                          void (*put)(rest *, const sm_member *, int)) {
  lsm_enc *e = x->e;
  lsm_frame f = {e->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  int i, idx;
  e->at = &f;
  for (i = 0; i < x->shape->count; i++) {
    const sm_member *m = x->members + i;
    if (m->location != location && m->location != other)
      continue;
    f.id = m->name;
    if (has_value(x, i, &idx))
      put(x, m, idx);
  }
  e->at = f.up;
}

/* }} */

/* {{ Labels: the path and the host prefix */

static void put_label (rest *x, int i, const sm_template_part *part,
                       sm_buf *b) {
  lsm_enc *e = x->e;
  const sm_member *m = x->members + i;
  const sm_shape *shape = e->s->shapes + m->shape;
  sm_str s;
  int idx;
  if (!has_value(x, i, &idx)) {
    if (!(m->flags & SM_M_REQUIRED) || !(e->checks & LSM_CHECK_REQUIRED))
      lsm_enc_complain(e, "label", shape, "must be set: it is part of the URL");
    return;
  }
  if (!member_text(e, m, SM_TS_ISO8601, idx, &s))
    return;
  if (!sm_label_valid(s, part->greedy))
    lsm_enc_complain(e, "label", shape,
                     s.len == 0 ? "must not be empty: it is part of the URL"
                                : "must not be a dot segment: it is part of "
                                  "the URL");
  else if (sm_utf8_check(s) < s.len)
    lsm_enc_complain(e, "utf8", shape, "not valid UTF-8");
  else
    sm_percent_put(b, s, part->greedy);
}

/* The member that a label of the path names, or -1. */
static int label_member (const rest *x, sm_str name) {
  int i;
  for (i = 0; i < x->shape->count; i++) {
    if (x->members[i].location == SM_IN_LABEL &&
        sm_str_eq(sm_text_of(x->e->s, x->members[i].wire), name))
      return i;
  }
  return -1;
}

static void put_path (rest *x, sm_str path) {
  lsm_enc *e = x->e;
  lsm_frame f = {e->at, LSM_MEMBER, 0, 0, {NULL, 0}};
  sm_buf *b = &e->scratch->path;
  sm_template_part part;
  sm_buf_reset(b);
  e->at = &f;
  while (sm_template_next(&path, &part)) {
    int i = part.label ? label_member(x, part.text) : -1;
    if (i < 0) {
      sm_buf_puts(b, part.text);
    } else {
      f.id = x->members[i].name;
      put_label(x, i, &part, b);
    }
  }
  e->at = f.up;
}

static void put_hostlabel (lsm_enc *e, const sm_shape *shape,
                           const lsm_found *found, sm_str name, sm_buf *b) {
  int i = sm_member_by_name(e->s, shape, name, 0), idx;
  sm_str s = {NULL, 0};
  if (i < 0)
    return;
  idx = found->base + 2 * found->pos[i];
  if (found->pos[i] != 0 && lua_type(e->L, idx) == LUA_TSTRING)
    s.p = lua_tolstring(e->L, idx, &s.len);
  if (sm_hostlabel_valid(s)) {
    sm_buf_puts(b, s);
  } else {
    lsm_frame f = {e->at, LSM_MEMBER, 0, 0, {NULL, 0}};
    f.id = sm_members_of(e->s, shape)[i].name;
    e->at = &f;
    lsm_enc_complain(e, "label", shape,
                     "must be 1 to 63 letters, digits and dashes: it is part "
                     "of the host name");
    e->at = f.up;
  }
}

void lsm_enc_hostprefix (lsm_enc *e, const sm_shape *shape,
                         const lsm_found *found, sm_buf *b) {
  sm_str left = sm_text_of(e->s, e->call.op->host_prefix);
  sm_template_part part;
  sm_buf_reset(b);
  while (sm_template_next(&left, &part)) {
    if (part.label)
      put_hostlabel(e, shape, found, part.text, b);
    else
      sm_buf_puts(b, part.text);
  }
}

/* }} */

/* {{ Queries */

/* A list repeats the name. */
static void put_query_list (lsm_enc *e, const sm_shape *shape, sm_str name,
                            int idx) {
  lua_State *L = e->L;
  int top = lua_gettop(L), n;
  lsm_frame f = {e->at, LSM_ITEM, 0, 0, {NULL, 0}};
  sm_str s;
  if (!lsm_enc_table(e, shape, &idx))
    return;
  n = lsm_enc_count(e, shape, idx);
  if (n >= 0)
    lsm_enc_length(e, shape, (size_t)n, "item");
  e->at = &f;
  for (; (int)f.index < n && !e->stop; f.index++) {
    lua_rawgeti(L, idx, (int)f.index + 1);
    if (value_text(e, e->s->shapes + shape->value, SM_TS_ISO8601, lua_gettop(L),
                   &s))
      sm_rest_put_query(&e->scratch->query, name, s);
    lua_pop(L, 1);
  }
  e->at = f.up;
  lsm_enc_leave(e);
  lua_settop(L, top);
}

static void put_query_value (lsm_enc *e, const sm_shape *shape, sm_str name,
                             int idx) {
  sm_str s;
  if (shape->type == SM_LIST)
    put_query_list(e, shape, name, idx);
  else if (value_text(e, shape, SM_TS_ISO8601, idx, &s))
    sm_rest_put_query(&e->scratch->query, name, s);
}

/* True when a member of its own sets this query parameter. */
static int is_named_query (const rest *x, sm_str name) {
  int i, idx;
  for (i = 0; i < x->shape->count; i++) {
    if (x->members[i].location == SM_IN_QUERY && has_value(x, i, &idx) &&
        sm_str_eq(sm_text_of(x->e->s, x->members[i].wire), name))
      return 1;
  }
  return 0;
}

/* Calls `put` for each entry of the map at `idx`; e->at is the entry's. */
static void each_entry (rest *x, const sm_shape *map, sm_str prefix, int idx,
                        void (*put)(rest *x, const sm_shape *value,
                                    sm_str prefix, sm_str key, int idx)) {
  lsm_enc *e = x->e;
  lua_State *L = e->L;
  int top = lua_gettop(L);
  size_t n = 0;
  lsm_frame f = {e->at, LSM_ENTRY, 0, 0, {NULL, 0}};
  if (!lsm_enc_table(e, map, &idx))
    return;
  idx = lsm_enc_freeze(e, idx); /* values may be hooked */
  lua_pushnil(L);
  while (!e->stop && lua_next(L, idx)) {
    int value = lua_gettop(L);
    if (lua_type(L, -2) != LUA_TSTRING) {
      lsm_enc_wrong(e, map, idx);
      break;
    }
    n++;
    if (lsm_enc_key(e, map, value - 1, &f.key)) {
      e->at = &f;
      put(x, e->s->shapes + map->value, prefix, f.key, value);
      e->at = f.up;
    }
    lua_settop(L, value - 1);
  }
  lsm_enc_length(e, map, n, "entry");
  lsm_enc_leave(e);
  lua_settop(L, top);
}

static void put_query_entry (rest *x, const sm_shape *value, sm_str prefix,
                             sm_str key, int idx) {
  (void)prefix;
  if (!is_named_query(x, key))
    put_query_value(x->e, value, key, idx);
}

static void put_query_member (rest *x, const sm_member *m, int idx) {
  lsm_enc *e = x->e;
  const sm_shape *shape = e->s->shapes + m->shape;
  sm_str s;
  if (m->location == SM_IN_QUERIES)
    each_entry(x, shape, (sm_str){NULL, 0}, idx, put_query_entry);
  else if (shape->type == SM_LIST)
    put_query_list(e, shape, sm_text_of(e->s, m->wire), idx);
  else if (member_text(e, m, SM_TS_ISO8601, idx, &s))
    sm_rest_put_query(&e->scratch->query, sm_text_of(e->s, m->wire), s);
}

static void put_query (rest *x, sm_str constant) {
  sm_buf_puts(&x->e->scratch->query, constant);
  each_located(x, SM_IN_QUERY, SM_IN_QUERIES, put_query_member);
}

/* }} */

/* {{ Headers */

/* Sets a header, unless the text cannot be one. */
static void set_header (rest *x, const sm_shape *shape, sm_str name,
                        sm_str value) {
  lsm_enc *e = x->e;
  if (!sm_header_value_valid(value)) {
    lsm_enc_complain(e, "header", shape,
                     "holds a control character, which a header cannot");
    return;
  }
  lsm_pushstr(e->L, name);
  lsm_pushstr(e->L, value);
  lua_rawset(e->L, x->headers);
}

static void set_header_list (rest *x, const sm_shape *shape, sm_str name,
                             int idx) {
  lsm_enc *e = x->e;
  lua_State *L = e->L;
  int top = lua_gettop(L), n;
  const sm_shape *item = e->s->shapes + shape->value;
  sm_buf *b = &e->scratch->path;
  lsm_frame f = {e->at, LSM_ITEM, 0, 0, {NULL, 0}};
  sm_str s;
  if (!lsm_enc_table(e, shape, &idx))
    return;
  n = lsm_enc_count(e, shape, idx);
  if (n >= 0)
    lsm_enc_length(e, shape, (size_t)n, "item");
  sm_buf_reset(b);
  e->at = &f;
  for (; (int)f.index < n && !e->stop; f.index++) {
    lua_rawgeti(L, idx, (int)f.index + 1);
    if (value_text(e, item, SM_TS_RFC7231, lua_gettop(L), &s)) {
      if (item->type == SM_STRING)
        sm_header_put_item(b, s, f.index == 0);
      else
        sm_buf_puts(b, f.index == 0 ? SM_LIT("") : SM_LIT(", "));
      if (item->type != SM_STRING)
        sm_buf_puts(b, s);
    }
    lua_pop(L, 1);
  }
  e->at = f.up;
  if (n > 0 && finished(e, b, &s)) /* an empty list sends no header */
    set_header(x, shape, name, s);
  lsm_enc_leave(e);
  lua_settop(L, top);
}

/* An entry of a map of headers with a common prefix. */
static void set_header_entry (rest *x, const sm_shape *shape, sm_str prefix,
                              sm_str key, int idx) {
  lsm_enc *e = x->e;
  sm_buf *b = &e->scratch->path;
  sm_str name, s;
  sm_buf_reset(b);
  sm_buf_puts(b, prefix);
  sm_buf_puts(b, key);
  if (!finished(e, b, &name))
    return;
  if (!sm_header_name_valid(name))
    lsm_enc_complain(e, "header", shape, "cannot be the name of a header");
  else if (value_text(e, shape, SM_TS_RFC7231, idx, &s))
    set_header(x, shape, name, s);
}

static void set_header_member (rest *x, const sm_member *m, int idx) {
  lsm_enc *e = x->e;
  const sm_shape *shape = e->s->shapes + m->shape;
  sm_str name = sm_text_of(e->s, m->wire), s;
  if (m->location == SM_IN_HEADERS) {
    each_entry(x, shape, name, idx, set_header_entry);
  } else if (shape->type == SM_LIST && !(m->flags & SM_M_JSONVALUE)) {
    set_header_list(x, shape, name, idx);
  } else if (member_text(e, m, SM_TS_RFC7231, idx, &s)) {
    if (m->flags & SM_M_JSONVALUE) {
      sm_buf *b = &e->scratch->path;
      sm_buf_reset(b);
      sm_base64_put(b, s.p, s.len);
      if (!finished(e, b, &s))
        return;
    }
    set_header(x, shape, name, s);
  }
}

static void set_headers (rest *x) {
  each_located(x, SM_IN_HEADER, SM_IN_HEADERS, set_header_member);
}

/*
** Sets Content-Type unless the caller has. Where the shape has a member for it,
** the type of raw bytes is the caller's business alone, given or not.
*/
static void default_type (rest *x, sm_str type, int raw) {
  int i, idx;
  for (i = 0; i < x->shape->count; i++) {
    const sm_member *m = x->members + i;
    if (m->location == SM_IN_HEADER &&
        sm_str_ieq(sm_text_of(x->e->s, m->wire), SM_LIT("Content-Type")) &&
        (raw || has_value(x, i, &idx)))
      return;
  }
  set_header(x, x->shape, SM_LIT("Content-Type"), type);
}

/* }} */

/* {{ Bodies */

/* A blob or a string is the body itself: no copy is made here. */
static void raw_payload (rest *x, const sm_shape *shape, int idx) {
  lsm_enc *e = x->e;
  int blob = shape->type == SM_BLOB;
  sm_str s;
  if (!(blob ? lsm_enc_blob(e, shape, idx, &s)
             : lsm_enc_string(e, shape, idx, &s)))
    return;
  if (!blob && sm_utf8_check(s) < s.len)
    lsm_enc_complain(e, "utf8", shape, "not valid UTF-8");
  e->body = idx;
  if (s.len > 0)
    default_type(
        x, blob ? SM_LIT("application/octet-stream") : SM_LIT("text/plain"), 1);
}

static void put_payload (rest *x) {
  lsm_enc *e = x->e;
  const sm_member *m = x->members + x->shape->payload;
  const sm_shape *shape = e->s->shapes + m->shape;
  lsm_frame f = {e->at, LSM_MEMBER, m->name, 0, {NULL, 0}};
  int idx, given = has_value(x, x->shape->payload, &idx);
  if (shape->flags & SM_S_EVENTSTREAM)
    return;
  e->at = &f;
  if (shape->type == SM_BLOB || shape->type == SM_STRING) {
    if (given)
      raw_payload(x, shape, idx);
  } else if (given) {
    lsm_enc_value(e, shape, m->ts_format, idx);
    default_type(x, SM_LIT("application/json"), 0);
  } else if (shape->type == SM_STRUCTURE && !(shape->flags & SM_S_UNION)) {
    sm_buf_puts(e->out, SM_LIT("{}"));
    default_type(x, SM_LIT("application/json"), 0);
  }
  e->at = f.up;
}

/* True when the shape has members that travel in the body. */
static int has_body (const rest *x) {
  int i;
  for (i = 0; i < x->shape->count; i++) {
    if (x->members[i].location == SM_IN_BODY)
      return 1;
  }
  return 0;
}

static void put_body (rest *x) {
  if (x->shape->payload != SM_NONE) {
    put_payload(x);
  } else if (has_body(x)) {
    lsm_enc_members(x->e, x->shape, &x->found, 1);
    default_type(x, SM_LIT("application/json"), 0);
  }
}

/* }} */

/* Gathers the members of the table at `idx`. */
static int begin (rest *x, lsm_enc *e, unsigned shape, int idx, int headers) {
  x->e = e;
  x->shape = e->s->shapes + shape;
  x->members = sm_members_of(e->s, x->shape);
  x->headers = headers;
  return lsm_enc_enter(e, x->shape, idx, &x->found);
}

void lsm_enc_rest (lsm_enc *e, int params, int headers) {
  const sm_operation *op = e->call.op;
  sm_str query, path = sm_template_path(sm_text_of(e->s, op->uri), &query);
  rest x;
  if (op->input == SM_NONE) {
    sm_buf_puts(&e->scratch->path, path);
    sm_buf_puts(&e->scratch->query, query);
    return;
  }
  if (!begin(&x, e, op->input, params, headers))
    return;
  set_headers(&x);
  put_path(&x, path);
  put_query(&x, query);
  put_body(&x);
  if (op->host_prefix != SM_NONE)
    lsm_enc_hostprefix(e, x.shape, &x.found, &e->scratch->text);
  lsm_enc_leave(e);
}

int lsm_enc_restoutput (lsm_enc *e, int output, int headers) {
  const sm_operation *op = e->call.op;
  int status = 0, i, idx;
  rest x;
  if (op->output == SM_NONE || !begin(&x, e, op->output, output, headers))
    return 0;
  set_headers(&x);
  for (i = 0; i < x.shape->count; i++) {
    int64_t v;
    if (x.members[i].location == SM_IN_STATUS && has_value(&x, i, &idx) &&
        lsm_enc_int(e, e->s->shapes + x.members[i].shape, idx, &v))
      status = (int)v;
  }
  put_body(&x);
  lsm_enc_leave(e);
  return status;
}
