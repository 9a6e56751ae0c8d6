#include "test.h"

#include "sm_query.h"

static int write_form (sm_alloc alloc, void *ud) {
  sm_buf out, path;
  sm_query q;
  size_t a, b, c;
  int err;
  sm_buf_init(&out, 1000, alloc, ud);
  sm_buf_init(&path, 100, alloc, ud);
  sm_query_begin(&q, &out, &path, SM_LIT("Put It"), SM_LIT("2011-06-15"));
  a = sm_query_enter(&q, SM_LIT("Names"));
  b = sm_query_enter(&q, SM_LIT("member"));
  c = sm_query_index(&q, 1);
  sm_query_put(&q, SM_LIT("a b&c"));
  sm_query_leave(&q, c);
  sm_query_index(&q, 12);
  sm_query_put(&q, SM_LIT(""));
  sm_query_leave(&q, b);
  sm_query_leave(&q, a);
  sm_query_enter(&q, SM_LIT("Odd=Name"));
  sm_query_put(&q, SM_LIT("\xC3\xA9"));
  err = out.err != SM_OK ? out.err : path.err;
  if (err == SM_OK)
    CHECK_TEXT(sm_buf_str(&out),
               "Action=Put%20It&Version=2011-06-15&Names.member.1=a%20b%26c"
               "&Names.member.12=&Odd%3DName=%C3%A9");
  sm_buf_free(&out);
  sm_buf_free(&path);
  return err;
}

static void forms (void) {
  test_name("forms");
  CHECK(write_form(sm_libc_alloc, NULL) == SM_OK);
  test_allocations(write_form);
}

static sm_str text_of (const sm_buf *store, sm_run run) {
  return (sm_str){store->p + run.off, run.len};
}

typedef struct row {
  const char *body;
  int err;
  const char *code, *message, *type, *id;
} row;

static const row rows[] = {
    {"<ErrorResponse xmlns='x'><Error><Type>Sender</Type><Code>A</Code>"
     "<Message>&lt;m&gt;</Message><Detail><Code>no</Code></Detail></Error>"
     "<RequestId>r</RequestId></ErrorResponse>",
     SM_OK, "A", "<m>", "Sender", "r"},
    {"<Response><Errors><Error><Code>A</Code><Message>m</Message></Error>"
     "<Error><Code>B</Code><Type>T</Type></Error></Errors>"
     "<RequestID>r</RequestID></Response>",
     SM_OK, "A", "m", "", "r"},
    {"<Error><Code/><Message>only</Message></Error>", SM_OK, "", "only", "",
     ""},
    {"<R><RequestId>first</RequestId><Error/><RequestId>last</RequestId></R>",
     SM_OK, "", "", "", "first"},
    {"<R><Code>A</Code></R>", SM_ESYNTAX, "", "", "", ""},
    {"<R><Error><Code>A</Code></Error>", SM_ESYNTAX, "", "", "", ""},
    {"<R><Error><Code><b/></Code></Error></R>", SM_ESYNTAX, "", "", "", ""},
    {"", SM_ESYNTAX, "", "", "", ""},
    {"{}", SM_ESYNTAX, "", "", "", ""},
};

static void check_row (const row *x) {
  test_edge edge = test_edge_make(strlen(x->body));
  sm_buf store, scratch;
  sm_fault f;
  sm_buf_init(&store, 1000, sm_libc_alloc, NULL);
  sm_buf_init(&scratch, 1000, sm_libc_alloc, NULL);
  CHECK(sm_query_fault(test_edge_copy(&edge, test_str(x->body)), &f, &store,
                       &scratch) == x->err);
  CHECK_TEXT(text_of(&store, f.code), x->code);
  CHECK_TEXT(text_of(&store, f.message), x->message);
  CHECK_TEXT(text_of(&store, f.type), x->type);
  CHECK_TEXT(text_of(&store, f.request_id), x->id);
  sm_buf_free(&store);
  sm_buf_free(&scratch);
  test_edge_free(&edge);
}

static int read_fault (sm_alloc alloc, void *ud) {
  sm_buf store, scratch;
  sm_fault f;
  int err;
  sm_buf_init(&store, 1000, alloc, ud);
  sm_buf_init(&scratch, 1000, alloc, ud);
  err = sm_query_fault(test_str(rows[0].body), &f, &store, &scratch);
  sm_buf_free(&store);
  sm_buf_free(&scratch);
  return err;
}

static void faults (void) {
  sm_buf store, scratch;
  sm_fault f;
  size_t i;
  test_name("faults");
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    check_row(rows + i);
  test_allocations(read_fault);
  test_name("a store that is full");
  sm_buf_init(&store, 3, sm_libc_alloc, NULL);
  sm_buf_init(&scratch, 1000, sm_libc_alloc, NULL);
  CHECK(sm_query_fault(test_str(rows[0].body), &f, &store, &scratch) ==
        SM_ELIMIT);
  CHECK(f.code.len == 0 && f.type.len == 0);
  sm_buf_free(&store);
  sm_buf_free(&scratch);
}

int main (void) {
  forms();
  faults();
  return test_end();
}
