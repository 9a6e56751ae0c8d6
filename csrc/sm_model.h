/*
** sm_model.h: the shapes of a service, as constant tables.
**
** csrc/model/generate.lua turns the service models into one C file per
** service that defines one `const sm_service`. Inside a service everything is
** named by small numbers:
**
**   string id   index into refs[]; the text is at pool + refs[id].off
**   shape id    index into shapes[]
**   member      a run of members[] that its structure names: first, count
**
** Only sm_service itself holds pointers, so the tables need no relocation:
** they stay in read-only pages that all processes share. The generated files
** name every number by an enumerator or an offsetof, so that a small change of
** the model is a small change of the file. The same structures can be filled
** at run time (lmodel.c) for a model that was not compiled in.
**
** Terms are those of the Smithy 2.0 specification and of the service models:
** https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
** https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
*/
#ifndef SM_MODEL_H
#define SM_MODEL_H

#include "sm_base.h"
#include "sm_buf.h"

SM_HIDDEN_BEGIN

/* "No such string, shape or member" wherever an id is expected. */
#define SM_NONE 0xFFFFu

typedef enum sm_type {
  SM_STRUCTURE,
  SM_LIST,
  SM_MAP,
  SM_STRING,
  SM_BOOLEAN,
  SM_INTEGER, /* 32 bit */
  SM_LONG,    /* 64 bit */
  SM_FLOAT,
  SM_DOUBLE,
  SM_BLOB,      /* base64 in JSON, raw bytes as a payload */
  SM_TIMESTAMP, /* see sm_timestamp_format */
  SM_DOCUMENT   /* any JSON value */
} sm_type;

/* How a timestamp is written; SM_TS_DEFAULT means what the place asks for:
** epoch seconds in a JSON body, RFC 7231 in a header, ISO 8601 in a query or a
** label. */
typedef enum sm_timestamp_format {
  SM_TS_DEFAULT,
  SM_TS_EPOCH,
  SM_TS_ISO8601,
  SM_TS_RFC7231
} sm_timestamp_format;

/* Where a member travels (restJson1; always SM_IN_BODY in awsJson). */
typedef enum sm_location {
  SM_IN_BODY,
  SM_IN_LABEL,   /* {name} or {name+} of the URI */
  SM_IN_QUERY,   /* one query parameter; lists repeat it */
  SM_IN_QUERIES, /* a map whose entries are query parameters */
  SM_IN_HEADER,  /* one header; lists are joined by commas */
  SM_IN_HEADERS, /* a map whose entries are headers; wire is their prefix */
  SM_IN_STATUS,  /* the status code of the answer */
  SM_IN_PAYLOAD  /* the whole body */
} sm_location;

enum sm_member_flag {
  SM_M_REQUIRED = 1 << 0,
  SM_M_TOKEN = 1 << 1,        /* idempotencyToken: filled in when absent */
  SM_M_JSONVALUE = 1 << 2,    /* a string that holds JSON */
  SM_M_HOSTLABEL = 1 << 3,    /* part of the host name */
  SM_M_EVENTPAYLOAD = 1 << 4, /* the payload of an event-stream event */
  SM_M_EVENTHEADER = 1 << 5,  /* a header of an event-stream event */
  SM_M_DEPRECATED = 1 << 6,
  SM_M_FLATTENED = 1 << 7 /* list or map of awsQuery without an element around
                          ** its items */
};

enum sm_shape_flag {
  SM_S_HAS_MIN = 1 << 0, /* min counts: value, length or number of items */
  SM_S_HAS_MAX = 1 << 1,
  SM_S_UNION = 1 << 2, /* exactly one member is set */
  SM_S_EXCEPTION = 1 << 3,
  SM_S_FAULT = 1 << 4,     /* an exception that is the server's fault */
  SM_S_SENSITIVE = 1 << 5, /* the value never shows in a message or a log */
  SM_S_EVENTSTREAM = 1 << 6,
  SM_S_EVENT = 1 << 7
};

enum sm_operation_flag {
  SM_O_UNSIGNED = 1 << 0, /* authtype none: sent without a signature */
  SM_O_READONLY = 1 << 1,
  SM_O_IDEMPOTENT = 1 << 2,
  SM_O_CHECKSUM = 1 << 3,     /* httpChecksumRequired: Content-MD5 */
  SM_O_STREAM_OUTPUT = 1 << 4 /* the answer is an event stream */
};

typedef enum sm_protocol {
  SM_AWS_JSON,  /* awsJson1.0 and 1.1: POST / with X-Amz-Target */
  SM_REST_JSON, /* restJson1 */
  SM_AWS_QUERY  /* form-encoded request, XML answer */
} sm_protocol;

typedef struct sm_ref {
  uint32_t off; /* into the pool; the text is NUL-terminated there */
  uint32_t len; /* without the NUL */
} sm_ref;

typedef struct sm_member {
  uint16_t name;     /* string id: the key in Lua tables */
  uint16_t wire;     /* string id: JSON key, header, query key or prefix */
  uint16_t shape;    /* shape id */
  uint8_t location;  /* sm_location */
  uint8_t ts_format; /* sm_timestamp_format of the member itself */
  uint16_t flags;    /* sm_member_flag */
} sm_member;

typedef struct sm_shape {
  uint8_t type;      /* sm_type */
  uint8_t ts_format; /* sm_timestamp_format of the shape */
  uint16_t flags;    /* sm_shape_flag */
  uint16_t name;     /* string id */
  uint16_t count;    /* structure: members; string: enum values (0: none) */
  uint32_t first;    /* structure: into members[]; string: into values[] */
  uint16_t key;      /* map: shape id of the keys */
  uint16_t value;    /* map: shape of the values; list: shape of the items */
  uint16_t payload;  /* structure: which member (0-based) is the payload; map
                     ** of awsQuery: element name of a key, SM_NONE: "key" */
  uint16_t pattern;  /* string: string id of its regular expression */
  uint16_t code;     /* exception: string id of the code on the wire; list of
                     ** awsQuery: element name of an item, SM_NONE: "member";
                     ** map: of a value, SM_NONE: "value" */
  uint16_t status;   /* exception: HTTP status, 0 when the model names none */
  double min, max;   /* meant only where flags say so */
} sm_shape;

typedef struct sm_operation {
  uint16_t name;        /* string id: CreateEndpoint */
  uint16_t snake;       /* string id: create_endpoint */
  uint16_t method;      /* string id: POST */
  uint16_t uri;         /* string id: path with {labels}, maybe ?query */
  uint16_t input;       /* shape id or SM_NONE */
  uint16_t output;      /* shape id or SM_NONE */
  uint16_t host_prefix; /* string id or SM_NONE */
  uint16_t token;       /* member (0-based) that is an idempotency token */
  uint16_t nerrors;     /* how many exceptions the operation declares */
  uint16_t flags;       /* sm_operation_flag */
  uint32_t errors;      /* first of them in errors[] (shape ids) */
  uint16_t status;      /* HTTP status of success, 0 for 200 */
  uint16_t wrapper;     /* awsQuery: string id of the element around the
                        ** result, or SM_NONE */
} sm_operation;

typedef struct sm_service {
  const char *pool;
  const sm_ref *refs;
  const sm_shape *shapes; /* sorted by name */
  const sm_member *members;
  const uint16_t *values;         /* string ids of enum values, model order */
  const uint16_t *errors;         /* shape ids */
  const sm_operation *operations; /* sorted by name */
  const uint16_t *by_snake;       /* operation indices sorted by snake */
  uint16_t nrefs;
  uint16_t nnames; /* ids 0 … nnames-1 are the member names: see below */
  uint16_t nshapes;
  uint16_t noperations;
  uint16_t protocol;        /* sm_protocol */
  uint16_t id;              /* string id: "SageMaker" (serviceId) */
  uint16_t signing_name;    /* string id: "sagemaker" */
  uint16_t endpoint_prefix; /* string id: "api.sagemaker" */
  uint16_t target_prefix;   /* string id or SM_NONE: "SageMaker" */
  uint16_t json_version;    /* string id or SM_NONE: "1.1" */
  uint16_t api_version;     /* string id: "2017-07-24" */
  uint16_t query_errors;    /* 1: awsQueryCompatible */
} sm_service;

/*
** Member names have the lowest string ids, so that the binding can keep their
** Lua strings in a dense array and never hash them again.
*/

/* The text of a string id; {NULL, 0} for SM_NONE. */
static inline sm_str sm_text_of (const sm_service *s, unsigned id) {
  if (id == SM_NONE)
    return (sm_str){NULL, 0};
  return (sm_str){s->pool + s->refs[id].off, s->refs[id].len};
}

/* The members of a structure. */
static inline const sm_member *sm_members_of (const sm_service *s,
                                              const sm_shape *shape) {
  return s->members + shape->first;
}

/* A compiled-in service by its name ("sagemaker"), or NULL. */
const sm_service *sm_service_find(sm_str name);

/* An operation by its AWS name or its snake_case name, or NULL. */
const sm_operation *sm_operation_find(const sm_service *s, sm_str name);

/* A shape by its name, or NULL. */
const sm_shape *sm_shape_find(const sm_service *s, sm_str name);

/*
** The index (0-based) of the member with this name (sm_member_by_name) or this
** name on the wire (sm_member_by_wire), or -1. `hint` is where to look first:
** services write members in the order of the model, so the last index plus one
** is nearly always right.
*/
int sm_member_by_name(const sm_service *s, const sm_shape *shape, sm_str name,
                      int hint);
int sm_member_by_wire(const sm_service *s, const sm_shape *shape, sm_str wire,
                      int hint);

/* True when the text is one of the enum values of a string shape. */
int sm_enum_has(const sm_service *s, const sm_shape *shape, sm_str text);

/*
** The nearest of the names that `at(ctx, i)` gives for i in 0 … n-1: the least
** edit distance, at most a third of the length of `text` (and at least 1).
** Case differences count nothing. Returns its index, or -1.
*/
int sm_nearest(sm_str text, sm_str (*at)(const void *ctx, int i),
               const void *ctx, int n);

/*
** Appends the snake_case form of an AWS name, exactly as botocore's xform_name
** makes it: CreateAIBenchmarkJob gives create_ai_benchmark_job, ListARNs gives
** list_arns, a name with an underscore stays as it is. Returns out->err.
*/
int sm_snake(sm_str name, sm_buf *out);

SM_HIDDEN_END

#endif
