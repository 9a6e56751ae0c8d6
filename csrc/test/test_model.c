#include "test.h"

#include "sm_model.h"

static const char *const service_names[] = {
    "sagemaker", "sagemaker-runtime", "signin", "sso", "sso-oidc", "sts"};

static int is_string (const sm_service *s, unsigned id) {
  return id < s->nrefs;
}

static int is_string_or_none (const sm_service *s, unsigned id) {
  return id == SM_NONE || id < s->nrefs;
}

static int is_shape_or_none (const sm_service *s, unsigned id) {
  return id == SM_NONE || id < s->nshapes;
}

static int in_order (sm_str a, sm_str b) {
  size_t n = a.len < b.len ? a.len : b.len;
  int c = memcmp(a.p, b.p, n);
  return c < 0 || (c == 0 && a.len < b.len);
}

static void strings (const sm_service *s) {
  unsigned i, end = 0;
  test_name("strings follow one another and end in NUL");
  for (i = 0; i < s->nrefs; i++) {
    CHECK(s->refs[i].off == end);
    end = s->refs[i].off + s->refs[i].len + 1;
    CHECK(s->pool[end - 1] == '\0');
  }
  test_name("strings are unique");
  for (i = 1; i < s->nrefs; i++) {
    if (i != s->nnames)
      CHECK(in_order(sm_text_of(s, i - 1), sm_text_of(s, i)));
  }
  CHECK(sm_text_of(s, SM_NONE).p == NULL);
}

static void check_members (const sm_service *s, const sm_shape *shape) {
  const sm_member *m = sm_members_of(s, shape);
  int i;
  CHECK(shape->payload == SM_NONE || shape->payload < shape->count);
  for (i = 0; i < shape->count; i++) {
    CHECK(m[i].name < s->nnames);
    CHECK(is_string(s, m[i].wire));
    CHECK(m[i].shape < s->nshapes);
    CHECK(m[i].location <= SM_IN_PAYLOAD);
    CHECK(s->protocol == SM_REST_JSON || m[i].location == SM_IN_BODY);
    CHECK(m[i].ts_format <= SM_TS_RFC7231);
    CHECK((m[i].location == SM_IN_PAYLOAD) == (shape->payload == i));
    CHECK(sm_member_by_name(s, shape, sm_text_of(s, m[i].name), i) == i);
    CHECK(sm_member_by_name(s, shape, sm_text_of(s, m[i].name), 0) == i);
    CHECK(sm_member_by_wire(s, shape, sm_text_of(s, m[i].wire), i + 1) == i);
  }
  CHECK(sm_member_by_name(s, shape, SM_LIT("NoSuchMember"), 1) == -1);
  CHECK(sm_member_by_wire(s, shape, SM_LIT(""), -5) == -1);
}

static void check_shape (const sm_service *s, const sm_shape *shape) {
  int i;
  CHECK(shape->type <= SM_DOCUMENT);
  CHECK(is_string(s, shape->name));
  CHECK(is_string_or_none(s, shape->pattern));
  CHECK(is_string_or_none(s, shape->code));
  CHECK((shape->type == SM_MAP) == (shape->key != SM_NONE));
  CHECK((shape->type == SM_MAP || shape->type == SM_LIST) ==
        (shape->value != SM_NONE));
  CHECK(is_shape_or_none(s, shape->key) && is_shape_or_none(s, shape->value));
  CHECK((shape->flags & SM_S_HAS_MIN) != 0 || shape->min == 0);
  CHECK((shape->flags & SM_S_HAS_MAX) != 0 || shape->max == 0);
  CHECK(((shape->flags & SM_S_EXCEPTION) != 0) == (shape->code != SM_NONE));
  CHECK(sm_shape_find(s, sm_text_of(s, shape->name)) == shape);
  if (shape->type == SM_STRUCTURE)
    check_members(s, shape);
  if (shape->type != SM_STRING)
    return;
  for (i = 0; i < shape->count; i++) {
    unsigned id = s->values[shape->first + (unsigned)i];
    CHECK(is_string(s, id) && sm_enum_has(s, shape, sm_text_of(s, id)));
  }
  CHECK(!sm_enum_has(s, shape, SM_LIT("no such value")));
}

static void check_operation (const sm_service *s, const sm_operation *op) {
  int i;
  CHECK(is_string(s, op->name) && is_string(s, op->snake));
  CHECK(is_string(s, op->method) && is_string(s, op->uri));
  CHECK(is_string_or_none(s, op->host_prefix));
  CHECK(is_shape_or_none(s, op->input) && is_shape_or_none(s, op->output));
  CHECK(
      op->token == SM_NONE ||
      (s->shapes[op->input].count > op->token &&
       sm_members_of(s, s->shapes + op->input)[op->token].flags & SM_M_TOKEN));
  for (i = 0; i < op->nerrors; i++) {
    unsigned id = s->errors[op->errors + (unsigned)i];
    CHECK(id < s->nshapes && s->shapes[id].flags & SM_S_EXCEPTION);
  }
  CHECK(sm_operation_find(s, sm_text_of(s, op->name)) == op);
  CHECK(sm_operation_find(s, sm_text_of(s, op->snake)) == op);
}

static void tables (const sm_service *s) {
  int i;
  test_name("shapes");
  for (i = 0; i < s->nshapes; i++)
    check_shape(s, s->shapes + i);
  test_name("operations");
  for (i = 0; i < s->noperations; i++)
    check_operation(s, s->operations + i);
  for (i = 1; i < s->noperations; i++) {
    CHECK(in_order(sm_text_of(s, s->operations[i - 1].name),
                   sm_text_of(s, s->operations[i].name)));
    CHECK(in_order(sm_text_of(s, s->operations[s->by_snake[i - 1]].snake),
                   sm_text_of(s, s->operations[s->by_snake[i]].snake)));
  }
  test_name("metadata");
  CHECK(is_string(s, s->id) && is_string(s, s->signing_name));
  CHECK(is_string(s, s->endpoint_prefix) && is_string(s, s->api_version));
  CHECK(is_string_or_none(s, s->target_prefix));
  CHECK(is_string_or_none(s, s->json_version));
}

static void lookups (void) {
  const sm_service *s = sm_service_find(SM_LIT("sagemaker"));
  const sm_operation *op = sm_operation_find(s, SM_LIT("create_endpoint"));
  const sm_shape *input = s->shapes + op->input;
  test_name("look-ups");
  CHECK_TEXT(sm_text_of(s, op->name), "CreateEndpoint");
  CHECK_TEXT(sm_text_of(s, input->name), "CreateEndpointInput");
  CHECK_TEXT(sm_text_of(s, s->target_prefix), "SageMaker");
  CHECK(sm_member_by_name(s, input, SM_LIT("EndpointName"), 0) == 0);
  CHECK(sm_member_by_name(s, input, SM_LIT("EndpointConfigName"), 1) == 1);
  CHECK(sm_members_of(s, input)->flags == SM_M_REQUIRED);
  CHECK(sm_operation_find(s, SM_LIT("createendpoint")) == NULL);
  CHECK(sm_operation_find(s, SM_LIT("")) == NULL);
  CHECK(sm_operation_find(s, SM_LIT("zzz")) == NULL);
  CHECK(sm_shape_find(s, SM_LIT("Aaa")) == NULL);
  CHECK(sm_service_find(SM_LIT("sagemake")) == NULL);
  CHECK(sm_service_find(SM_LIT("")) == NULL);
}

static void runtime (void) {
  const sm_service *s = sm_service_find(SM_LIT("sagemaker-runtime"));
  const sm_operation *op =
      sm_operation_find(s, SM_LIT("invoke_endpoint_with_response_stream"));
  const sm_shape *input = s->shapes + op->input;
  test_name("the runtime service");
  CHECK(s->protocol == SM_REST_JSON);
  CHECK(op->flags & SM_O_STREAM_OUTPUT);
  CHECK_TEXT(sm_text_of(s, op->uri),
             "/endpoints/{EndpointName}/invocations-response-stream");
  CHECK(sm_members_of(s, input)[0].location == SM_IN_LABEL);
  CHECK(input->payload ==
        (unsigned)sm_member_by_name(s, input, SM_LIT("Body"), 0));
  CHECK(sm_operation_find(s, SM_LIT("InvokeEndpointAsync"))->status == 202);
}

static sm_str list_at (const void *ctx, int i) {
  return test_str(((const char *const *)ctx)[i]);
}

static void nearest (void) {
  static const char too_long[] =
      "A234567890B234567890C234567890D234567890E234567890F234567890G2345";
  static const char *const list[] = {"EndpointName", "EndpointConfigName",
                                     "Tags", "X", too_long};
  char text[400];
  test_name("nearest");
  CHECK(sm_nearest(SM_LIT("endpointname"), list_at, list, 5) == 0);
  CHECK(sm_nearest(SM_LIT("EndpontName"), list_at, list, 5) == 0);
  CHECK(sm_nearest(SM_LIT("EndpointConfgName"), list_at, list, 5) == 1);
  CHECK(sm_nearest(SM_LIT("Tag"), list_at, list, 5) == 2);
  CHECK(sm_nearest(SM_LIT("tgsa"), list_at, list, 5) == -1);
  CHECK(sm_nearest(SM_LIT("Y"), list_at, list, 5) == 3);
  CHECK(sm_nearest(SM_LIT(""), list_at, list, 5) == 3);
  CHECK(sm_nearest(SM_LIT(""), list_at, list, 3) == -1);
  CHECK(sm_nearest(SM_LIT("Tags"), list_at, list, 0) == -1);
  CHECK(sm_nearest(test_str(too_long), list_at, list, 5) == -1);
  memset(text, 'a', sizeof text);
  CHECK(sm_nearest((sm_str){text, sizeof text}, list_at, list, 5) == -1);
  CHECK(sm_nearest((sm_str){text, 64}, list_at, list, 5) == -1);
}

static void check_snake (const char *name, const char *want) {
  sm_buf b;
  sm_buf_init(&b, 100, sm_libc_alloc, NULL);
  CHECK(sm_snake(test_str(name), &b) == SM_OK);
  CHECK_TEXT(sm_buf_str(&b), want);
  sm_buf_free(&b);
}

static void snake (void) {
  sm_buf b;
  test_name("snake_case");
  check_snake("CreateEndpoint", "create_endpoint");
  check_snake("CreateAIBenchmarkJob", "create_ai_benchmark_job");
  check_snake("GatewayARNs", "gateway_arns");
  check_snake("IDs", "_ids");
  check_snake("As", "as");
  check_snake("S3Uri", "s3_uri");
  check_snake("IPV6", "ipv6");
  check_snake("leave_Alone", "leave_Alone");
  check_snake("CreateCachediSCSIVolume", "create_cached_iscsi_volume");
  check_snake("x", "x");
  check_snake("", "");
  test_name("snake_case appends");
  sm_buf_init(&b, 8, sm_libc_alloc, NULL);
  sm_buf_puts(&b, SM_LIT("a"));
  CHECK(sm_snake(SM_LIT("BcDe"), &b) == SM_OK);
  CHECK_TEXT(sm_buf_str(&b), "abc_de");
  CHECK(sm_snake(SM_LIT("LongName"), &b) == SM_ELIMIT);
  sm_buf_free(&b);
}

int main (void) {
  size_t i;
  for (i = 0; i < sizeof service_names / sizeof service_names[0]; i++) {
    const sm_service *s = sm_service_find(test_str(service_names[i]));
    if (!CHECK(s != NULL))
      return test_end();
    strings(s);
    tables(s);
  }
  lookups();
  runtime();
  nearest();
  snake();
  return test_end();
}
