/*
** The reader against itself: reading token by token and skipping must agree
** on every text; what was read and written again must read the same.
*/
#include "fuzz.h"
#include "sm_json.h"
#include "sm_text.h"

#define DEPTH 64

typedef struct run {
  sm_json r;
  sm_buf scratch;
  sm_buf out; /* the text written again, without blanks */
  char open[DEPTH + 1];
} run;

static void put_text (run *c, sm_str s) {
  sm_json back;
  sm_buf scratch;
  sm_str same;
  size_t start = c->out.len;
  FUZZ_CHECK(sm_json_put_string(&c->out, s, NULL) == SM_OK);
  sm_buf_init(&scratch, SIZE_MAX, sm_libc_alloc, NULL);
  sm_json_init(&back, (sm_str){c->out.p + start, c->out.len - start}, 0);
  FUZZ_CHECK(sm_json_string(&back, &same, &scratch) == SM_OK);
  FUZZ_CHECK(sm_json_end(&back) == SM_OK && sm_str_eq(s, same));
  sm_buf_free(&scratch);
}

static void put_number (run *c, const sm_number *n, sm_str text) {
  sm_number same;
  size_t start = c->out.len;
  FUZZ_CHECK(sm_number_parse(text, &same) == SM_OK);
  FUZZ_CHECK(same.is_int == n->is_int && same.i == n->i && same.d == n->d);
  if (n->is_int) {
    sm_json_put_int(&c->out, n->i);
  } else {
    sm_json_put_double(&c->out, n->d);
    if (n->d - n->d != 0)
      return;
  }
  text = (sm_str){c->out.p + start, c->out.len - start};
  FUZZ_CHECK(sm_number_parse(text, &same) == SM_OK);
  FUZZ_CHECK(sm_number_double(&same) == sm_number_double(n));
}

static void value (run *c) {
  sm_number n;
  sm_str s;
  int flag;
  int kind = sm_json_peek(&c->r);
  if (kind == SM_J_OBJECT || kind == SM_J_ARRAY) {
    char open = *c->r.p;
    c->open[c->r.depth] = open;
    if (sm_json_enter(&c->r, open) == SM_OK)
      sm_buf_putc(&c->out, open);
  } else if (kind == SM_J_STRING) {
    if (sm_json_string(&c->r, &s, &c->scratch) == SM_OK)
      put_text(c, s);
  } else if (kind == SM_J_NUMBER) {
    if (sm_json_number(&c->r, &n, &s) == SM_OK)
      put_number(c, &n, s);
  } else if (kind == SM_J_NULL) {
    if (sm_json_null(&c->r) == SM_OK)
      sm_json_put_null(&c->out);
  } else if (sm_json_bool(&c->r, &flag) == SM_OK) {
    sm_json_put_bool(&c->out, flag);
  }
}

/* Leaves what ends here. 1: a value comes next; 0: all is read. */
static int next (run *c) {
  while (c->r.err == SM_OK && c->r.depth > 0) {
    int object = c->open[c->r.depth - 1] == '{';
    int first = c->r.fresh;
    sm_str key;
    int more =
        object ? sm_json_key(&c->r, &key, &c->scratch) : sm_json_item(&c->r);
    if (more == 1 && !first)
      sm_buf_putc(&c->out, ',');
    if (more == 1 && object) {
      put_text(c, key);
      sm_buf_putc(&c->out, ':');
    }
    if (more != 0)
      return more == 1;
    sm_buf_putc(&c->out, object ? '}' : ']');
  }
  return 0;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_copy(data, size);
  sm_json skipped;
  run c;
  sm_buf_init(&c.scratch, SIZE_MAX, sm_libc_alloc, NULL);
  sm_buf_init(&c.out, SIZE_MAX, sm_libc_alloc, NULL);
  sm_json_init(&skipped, (sm_str){copy, size}, DEPTH);
  sm_json_skip(&skipped);
  sm_json_end(&skipped);
  sm_json_init(&c.r, (sm_str){copy, size}, DEPTH);
  do
    value(&c);
  while (next(&c));
  sm_json_end(&c.r);
  FUZZ_CHECK(c.r.err == skipped.err && c.r.at == skipped.at);
  FUZZ_CHECK(c.r.at <= size && (c.r.err == SM_OK || c.r.what[0] != '\0'));
  if (c.r.err == SM_OK) {
    sm_json again;
    sm_json_init(&again, sm_buf_str(&c.out), DEPTH);
    FUZZ_CHECK(sm_json_skip(&again) == SM_OK && sm_json_end(&again) == SM_OK);
  }
  sm_buf_free(&c.scratch);
  sm_buf_free(&c.out);
  free(copy);
  return 0;
}
