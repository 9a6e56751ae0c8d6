/*
** sm_query.c: forms and errors of the query protocol. See sm_query.h.
*/
#include "sm_query.h"
#include "sm_number.h"
#include "sm_text.h"
#include "sm_xml.h"

/* {{ Forms */

void sm_query_begin (sm_query *q, sm_buf *out, sm_buf *path, sm_str action,
                     sm_str version) {
  q->out = out;
  q->path = path;
  sm_buf_reset(path);
  sm_buf_puts(out, SM_LIT("Action="));
  sm_percent_put(out, action, 0);
  sm_buf_puts(out, SM_LIT("&Version="));
  sm_percent_put(out, version, 0);
}

static size_t begin_step (sm_query *q) {
  size_t mark = q->path->len;
  if (mark > 0)
    sm_buf_putc(q->path, '.');
  return mark;
}

size_t sm_query_enter (sm_query *q, sm_str name) {
  size_t mark = begin_step(q);
  sm_percent_put(q->path, name, 0);
  return mark;
}

size_t sm_query_index (sm_query *q, size_t index) {
  size_t mark = begin_step(q);
  sm_put_u64(q->path, index);
  return mark;
}

void sm_query_leave (sm_query *q, size_t mark) {
  q->path->len = mark;
}

void sm_query_put (sm_query *q, sm_str value) {
  sm_buf_putc(q->out, '&');
  sm_buf_puts(q->out, sm_buf_str(q->path));
  sm_buf_putc(q->out, '=');
  sm_percent_put(q->out, value, 0);
}

/* }} */

/* {{ Errors */

/* The field of the error that an element is, or NULL. Elements of this name
** count within <Error>, only the identifier of the request outside of it. */
static sm_run *field_of (sm_fault *f, sm_str name, int inside) {
  if (!inside) {
    int is_id = sm_str_eq(name, SM_LIT("RequestId")) ||
                sm_str_eq(name, SM_LIT("RequestID"));
    return is_id ? &f->request_id : NULL;
  }
  if (sm_str_eq(name, SM_LIT("Code")))
    return &f->code;
  if (sm_str_eq(name, SM_LIT("Message")))
    return &f->message;
  return sm_str_eq(name, SM_LIT("Type")) ? &f->type : NULL;
}

/* Keeps the text of the element that was just entered; of several the first
** one counts. */
static int keep_text (sm_xml *r, sm_run *run, sm_buf *store, sm_buf *scratch) {
  sm_str text;
  int err = sm_xml_text(r, &text, scratch);
  if (err == SM_OK && run->len == 0) {
    run->off = store->len;
    run->len = text.len;
    sm_buf_puts(store, text);
    err = store->err;
  }
  return err;
}

/* The children of <Error>; those without a meaning are skipped. */
static int read_error (sm_xml *r, sm_fault *f, sm_buf *store, sm_buf *scratch) {
  sm_str s;
  int kind, err = SM_OK;
  while (err == SM_OK && (kind = sm_xml_next(r, &s, scratch)) != SM_X_END) {
    sm_run *run;
    if (kind < 0)
      return kind;
    if (kind != SM_X_START)
      continue;
    run = field_of(f, s, 1);
    err = run != NULL ? keep_text(r, run, store, scratch)
                      : sm_xml_skip(r, scratch);
  }
  return err;
}

/* Everything up to the end of the document. */
static int read_fault (sm_xml *r, sm_fault *f, sm_buf *store, sm_buf *scratch) {
  sm_str s;
  int kind, met = 0, err = SM_OK;
  while (err == SM_OK && (kind = sm_xml_next(r, &s, scratch)) > 0) {
    sm_run *run = kind == SM_X_START ? field_of(f, s, 0) : NULL;
    if (kind == SM_X_START && !met && sm_str_eq(s, SM_LIT("Error"))) {
      met = 1;
      err = read_error(r, f, store, scratch);
    } else if (run != NULL) {
      err = keep_text(r, run, store, scratch);
    }
  }
  if (err == SM_OK)
    err = r->err;
  return err == SM_OK && !met ? SM_ESYNTAX : err;
}

int sm_query_fault (sm_str body, sm_fault *fault, sm_buf *store,
                    sm_buf *scratch) {
  static const sm_fault none = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
  sm_xml r;
  int err;
  *fault = none;
  sm_xml_init(&r, body);
  err = read_fault(&r, fault, store, scratch);
  if (err != SM_OK)
    *fault = none;
  return err;
}

/* }} */
