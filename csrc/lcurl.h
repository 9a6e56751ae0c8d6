/*
** lcurl.h: what the files of `sagemaker.curl` (lcurl*.c) share.
**
** The library sends HTTP requests over libcurl, many at once in one thread. Its
** files, bottom up:
**
**   lcurl_ca.c        which directory of CA certificates this system has
**   lcurl_timer.c     times in order: libcurl's own, and the limits of requests
**   lcurl_easy.c      the options of an easy handle that makes a connection
**   lcurl_connection.c  connections: made by libcurl, kept, closed
**   lcurl_exchange.c  a request and its answer over a connection
**   lcurl_error.c     how a transfer failed, in the words of our transport
**                     contract
**   lcurl_agent.c     settings with their connections, and the transfers that
**                     go over them, used again and again
**   lcurl_loop.c      sockets and times of all agents, driven by poll
**   lcurl_request.c   a Lua request table, checked and written as HTTP/1.1
**   lcurl_answer.c    the answer as a Lua table
**   lcurl_call.c      requests from Lua: waited for, or started and finished
**   lcurl_stream.c    bodies that are read while they come
**   lcurl.c           the Lua module: the loop and its agents
**
** Only the last five include lua.h. libcurl makes the connections (names,
** proxies, TLS; CURLOPT_CONNECT_ONLY) and moves bytes over them; the HTTP is
** ours (sm_http.h, sm_http_read.h), at a third of the cost. libcurl never calls
** Lua: its callbacks note numbers, nothing else. A loop owns what its agents
** need, an agent its transfers and connections, and both are Lua userdata, so a
** Lua error at any time leaks nothing.
**
** A connection is used again for the next request to the same host (so are
** DNS answers, for 60 s, and TLS sessions), unless the request or its answer
** says "Connection: close", or the end of the answer is in doubt. When the
** service has closed a kept connection, the request goes out again on a fresh
** one. That happens only when no byte of an answer had come, and only when the
** connection broke within LCURL_STALE_MS of the request: a connection that
** breaks later was not stale, its request may be at work, and sending it again
** is the caller's decision (error ConnectionReset, sent).
*/
#ifndef LCURL_H
#define LCURL_H

#include <poll.h>
#include <stdint.h>

#include <curl/curl.h>

#include "sm_buf.h"
#include "sm_http_read.h"

/* Older ones close the connections of others while they make a new one, and let
** the process die of SIGPIPE. */
#if LIBCURL_VERSION_NUM < 0x074D00
#error "libcurl 7.77 or later is needed"
#endif

SM_HIDDEN_BEGIN

/* Most bytes of a request's head; services allow less. A body of up to
** LCURL_SMALL_BODY bytes goes out behind it in one piece. */
#define LCURL_MAX_HEAD ((size_t)256 * 1024)
#define LCURL_SMALL_BODY ((size_t)16 * 1024)

/* "No limit" and "never", in milliseconds. */
#define LCURL_NEVER INT64_MAX

/* How long after a request a kept connection may turn out dead and the request
** still be sent again on a new one. */
#define LCURL_STALE_MS 1000

/* The longest stay in lcurl_run without giving the host a chance to react to a
** signal that poll did not see. */
#define LCURL_BREATH_MS 1000

/* Milliseconds of the monotonic clock. */
int64_t lcurl_now(void);

/* ---- lcurl_ca.c ------------------------------------------------------- */

/*
** The system's directory of CA certificates with hash links, or NULL. libcurl
** with OpenSSL reads from such a directory only what a handshake asks for (1 ms
** instead of 35 ms for the bundle). NULL too when libcurl's TLS library is not
** OpenSSL.
*/
const char *lcurl_ca_directory(void);

/* ---- lcurl_timer.c ---------------------------------------------------- */

struct lcurl_agent;
struct lcurl_transfer;

/* A time at which something is to be done for a transfer (one of its limits
** may have passed) or for an agent (libcurl wants to run). */
typedef struct lcurl_timer {
  int64_t at;   /* in the clock of lcurl_now */
  size_t place; /* in the heap, from 1; 0: not there */
  struct lcurl_transfer *transfer;
  struct lcurl_agent *agent; /* where transfer is NULL */
} lcurl_timer;

/* A heap of them, the earliest first. */
typedef struct lcurl_timers {
  sm_buf heap; /* array of lcurl_timer * */
  size_t n;
} lcurl_timers;

void lcurl_timers_init(lcurl_timers *h, sm_alloc alloc, void *ud);
void lcurl_timers_free(lcurl_timers *h);

/* Makes room for n timers in all, so that setting them cannot fail. */
int lcurl_timers_reserve(lcurl_timers *h, size_t n);

/* Sets a timer, anew if it is set; LCURL_NEVER takes it out. */
void lcurl_timers_set(lcurl_timers *h, lcurl_timer *t, int64_t at);

/* The earliest one, or NULL. */
lcurl_timer *lcurl_timers_first(const lcurl_timers *h);

/* ---- lcurl_easy.c ----------------------------------------------------- */

/* Everything about an agent that stays the same over its requests. */
typedef struct lcurl_settings {
  const char *ca_file; /* PEM bundle; alone trusted when set */
  const char *ca_path; /* directory with hash links */
  const char *proxy;   /* URL; NULL or "": none, whatever the environment */
  int verify;          /* check the peer's certificate and host name */
} lcurl_settings;

/* Limits of one transfer in milliseconds, LCURL_NEVER for none. */
typedef struct lcurl_limits {
  int64_t connect; /* name, TCP, proxy and TLS */
  int64_t read;    /* without a byte moving once connected */
  int64_t attempt; /* all of it, of a stream up to the end of its head */
} lcurl_limits;

/* One request, checked and written. `body` is borrowed until the transfer has
** ended. */
typedef struct lcurl_request {
  sm_buf text;   /* the head as it goes out, and a small body behind it */
  sm_str body;   /* a larger one */
  sm_str origin; /* "https://host:port"; borrowed until it is begun */
  lcurl_limits limits;
  int secure;  /* https */
  int is_head; /* HEAD: its answer has no body */
  int stream;  /* an answer of 2xx is to be streamed */
  int last;    /* "Connection: close": none may follow it */
} lcurl_request;

/* What came of its answer. */
typedef struct lcurl_response {
  sm_http_reader reader;
  sm_buf body;       /* the body as sent; of a stream what is not read yet */
  int refused;       /* SM_ELIMIT, SM_ENOMEM: why it was read no further */
  int headed;        /* its head is all there */
  int streamed;      /* the body is handed on as it comes */
  int paused;        /* nothing is read until it is */
  int lent;          /* Lua is at its bytes: none may be added */
  const char *limit; /* SM_ELIMIT: what was too large, "body" or "header" */
} lcurl_response;

/* A stream is paused while so much of it waits to be read. */
#define LCURL_STREAM_BYTES ((size_t)64 * 1024)

/* What stopped a transfer when it was us and not the other side. */
typedef enum lcurl_stop {
  LCURL_STOP_NONE,
  LCURL_STOP_CONNECT, /* limits.connect */
  LCURL_STOP_READ,    /* limits.read */
  LCURL_STOP_ATTEMPT, /* limits.attempt */
  LCURL_STOP_STALE,   /* would have been sent again too late */
  LCURL_STOP_CLOSED   /* its agent was closed */
} lcurl_stop;

typedef enum lcurl_phase {
  LCURL_IDLE,     /* in its agent's store */
  LCURL_PREPARED, /* taken from it; no connection yet */
  LCURL_UNDERWAY, /* has a connection, or waits for it */
  LCURL_ENDED     /* result or stop says how */
} lcurl_phase;

/* How long the steps took, in microseconds from the start. */
typedef struct lcurl_timings {
  int64_t resolve, connect, tls; /* 0 on a kept connection */
  int64_t first_byte, total;
} lcurl_timings;

struct lcurl_connection;

/* One request on its way; between requests it waits for the next one. */
typedef struct lcurl_transfer {
  struct lcurl_agent *agent;
  struct lcurl_connection *connection; /* while it is under way */
  lcurl_request request;
  lcurl_response response;
  size_t unsent;  /* bytes of the request */
  int unsendable; /* the other side takes no more of them */
  int futile;     /* looks at it in a row at which no byte went or came */
  int64_t again;  /* when to look at it whatever its socket tells; 0: never */
  int kept;       /* the connection had served before */
  lcurl_timer timer;  /* no later than the earliest of its limits */
  int64_t start;      /* when it began */
  int64_t connecting; /* since when it waits to be connected; 0: it is */
  int64_t activity;   /* when bytes last came to its socket, or went */
  int64_t sent;       /* when sending began last; 0: nothing sent yet */
  int64_t waiting;    /* since when somebody waits for the stream; 0: nobody */
  int64_t start_us;   /* where the agent wants timings */
  lcurl_timings took; /* the same */
  lcurl_phase phase;
  lcurl_stop stop;
  CURLcode result;
  long system_error; /* errno of the failure to connect */
  long tunnel;       /* what the proxy answered to CONNECT, or 0 */
  int handed;        /* the head of the stream was handed out */
  int quiet;       /* not reported by lcurl_loop_next: somebody looks himself */
  size_t slot;     /* its number in the loop while it is not idle */
  uint64_t serial; /* tells this request from all others of the loop */
  struct lcurl_transfer *next, *previous;             /* of the agent */
  struct lcurl_transfer *next_ready, *previous_ready; /* to be reported */
  int ready;
  int hands;   /* functions that are at work on it, and run Lua meanwhile */
  int dropped; /* given back in that time: it goes when they are done */
  char error[CURL_ERROR_SIZE];
} lcurl_transfer;

/* Sets all options of a handle that is to connect to `origin`. */
CURLcode lcurl_easy_setup(CURL *easy, const lcurl_settings *s, CURLSH *share,
                          const char *origin, const lcurl_limits *limits);

/* ---- lcurl_connection.c ----------------------------------------------- */

/* A connection. One that is open belongs to the transfer that uses it, or is
** kept by its agent. */
typedef struct lcurl_connection {
  CURL *easy;
  struct lcurl_agent *agent;
  lcurl_transfer *transfer; /* that waits for it or uses it; NULL: kept */
  curl_socket_t fd;         /* while it is open */
  int open;
  int secure;    /* over TLS, to the service or to the proxy */
  size_t place;  /* in the list of the loop, from 1; 0: not there */
  int64_t since; /* when it was kept last */
  struct lcurl_connection *next, *previous; /* of the kept ones */
  char error[CURL_ERROR_SIZE];              /* libcurl's last sentence */
  size_t size;                              /* bytes of it all */
  char origin[1];                           /* with a final NUL */
} lcurl_connection;

/* Begins to make a connection for a transfer, or says in its `result` why that
** cannot be and returns 0. */
int lcurl_connect(lcurl_transfer *t, sm_str origin);

/* Gives a transfer a kept connection to its origin; 0 when there is none. */
int lcurl_connection_take(lcurl_transfer *t);

/* Takes the connection off its transfer, whose answer is whole, to keep it. */
void lcurl_connection_keep(lcurl_connection *c);

/* Closes and frees it, whatever it is doing. */
void lcurl_connection_close(lcurl_connection *c);

/* What libcurl has made of it; the transfer goes on or ends. */
void lcurl_connection_made(lcurl_connection *c, CURLcode result);

/* ---- lcurl_exchange.c ------------------------------------------------- */

/* Bytes of an answer that are read at once. */
#define LCURL_READ_BYTES ((size_t)64 * 1024)

/* Sends the request over the open connection of its transfer. */
void lcurl_exchange_begin(lcurl_transfer *t);

/* Goes on: the socket is ready, or it is time. */
void lcurl_exchange(lcurl_transfer *t);

/* ---- lcurl_error.c ---------------------------------------------------- */

typedef struct lcurl_failure {
  const char *code; /* see the table in lcurl_error.c */
  int sent;         /* request bytes may have reached the service */
  int received;     /* bytes of an answer came */
  int retryable;    /* another attempt could end differently */
  char text[CURL_ERROR_SIZE + 64]; /* one sentence, no secrets */
} lcurl_failure;

/* Says what went wrong with a transfer that has stop or result set. */
void lcurl_classify(const lcurl_transfer *t, lcurl_failure *f);

/* ---- lcurl_agent.c ---------------------------------------------------- */

struct lcurl_loop;

/* One set of settings, the connections made with them, and the transfers. It
** belongs to its loop. */
typedef struct lcurl_agent {
  struct lcurl_loop *loop;
  CURLM *multi;            /* makes connections; NULL: closed */
  CURLSH *share;           /* TLS sessions of all of them */
  lcurl_settings settings; /* in text */
  sm_buf text;
  sm_buf credentials;  /* a header line for the proxy, or nothing */
  lcurl_limits limits; /* of requests that bring none */
  size_t max_body, max_head;
  size_t max_kept;        /* connections */
  int timings;            /* answers tell how long each step took */
  int proxied;            /* a proxy was configured */
  int absolute;           /* it is one that wants the whole URL of http */
  int secure;             /* it is reached over TLS */
  lcurl_timer timer;      /* libcurl's own */
  lcurl_connection *kept; /* connections that wait for work, the last first */
  lcurl_connection *oldest;
  size_t nkept;
  lcurl_transfer *idle; /* a stack of them, through `next` */
  size_t nidle;
  lcurl_transfer *busy; /* all others */
  size_t nbusy;
  struct lcurl_agent *next, *previous; /* of the loop */
} lcurl_agent;

/* The number of idle transfers that an agent keeps. */
#define LCURL_KEEP 64

/* Makes an agent in a loop, with a copy of the settings; NULL when out of
** memory. */
lcurl_agent *lcurl_agent_open(struct lcurl_loop *l, const lcurl_settings *s);

/*
** Closes all connections. Transfers under way end, as if by
** LCURL_STOP_CLOSED, and stay until they are released. Idempotent.
*/
void lcurl_agent_close(lcurl_agent *a);

/* Closes it and frees it with all it has, transfers too. */
void lcurl_agent_free(lcurl_agent *a);

/* A transfer that waits for its request to be filled in, to be given back with
** lcurl_release; NULL when out of memory. */
lcurl_transfer *lcurl_acquire(lcurl_agent *a);

/* Puts a transfer under way, whose request is filled in; 0 when it has ended
** already. */
int lcurl_begin(lcurl_transfer *t);

/* Ends a transfer. The connection that it still has is closed. */
void lcurl_end(lcurl_transfer *t);

/* Gives a transfer back, whatever it is doing; one in hand after that. */
void lcurl_release(lcurl_transfer *t);

/* Keeps what a transfer holds where it is until lcurl_let_go, unless its agent
** is freed. That answers 1 when the transfer was given back meanwhile. */
void lcurl_hold(lcurl_transfer *t);
int lcurl_let_go(lcurl_transfer *t);

/* Hears from libcurl which connections are made. */
void lcurl_harvest(lcurl_agent *a);

/* Libcurl gave up: all transfers end. */
void lcurl_agent_fail(lcurl_agent *a);

/* Whether there is something to hand out: the end, the head of a stream, or
** bytes of it. */
int lcurl_ripe(const lcurl_transfer *t);

/* Reports a transfer that has become ripe, once. */
void lcurl_ripen(lcurl_transfer *t);

/* The earliest limit of a transfer, and which one that is: LCURL_STOP_NONE
** where it is a time at which it is to go on. */
int64_t lcurl_limit(const lcurl_transfer *t, lcurl_stop *which);

/* Looks at the limits again: one may come earlier than before. */
void lcurl_retime(lcurl_transfer *t);

/* Somebody waits for more of a stream: the time to read begins, and it goes on
** if it was paused. */
void lcurl_await(lcurl_transfer *t);

/* ---- lcurl_loop.c ----------------------------------------------------- */

/* Whose socket it is; beside the struct pollfd of the same index. */
typedef struct lcurl_watch {
  lcurl_agent *agent;
  lcurl_connection *connection; /* NULL: one that libcurl connects */
  size_t slot;      /* of the transfer that it is for, or SIZE_MAX */
  unsigned long id; /* tells it from others that get the same descriptor */
} lcurl_watch;

/* All that waits: sockets of connections and those that libcurl reports, and
** times. It stays at its address. */
typedef struct lcurl_loop {
  sm_buf fds;     /* array of struct pollfd */
  sm_buf watches; /* array of lcurl_watch */
  sm_buf hits;    /* array of lcurl_hit, for one turn */
  sm_buf bytes;   /* LCURL_READ_BYTES, for what is being read */
  size_t nfds;
  unsigned long generation; /* counts changes of fds */
  unsigned long sockets;    /* the id given last */
  lcurl_timers timers;
  sm_buf slots;  /* array of lcurl_transfer *, NULL: free */
  sm_buf unused; /* array of size_t: free ones below nslots */
  size_t nslots, nunused;
  size_t population;  /* agents and transfers: they may want timers */
  uint64_t serial;    /* of the last request */
  unsigned long life; /* counts how often it was freed */
  lcurl_agent *agents;
  lcurl_transfer *ready, *last_ready;
  sm_alloc alloc;
  void *ud;
} lcurl_loop;

/* Allocates nothing. */
void lcurl_loop_init(lcurl_loop *l, sm_alloc alloc, void *ud);

/* Frees all agents with their transfers, and everything else; the loop can be
** used again. */
void lcurl_loop_free(lcurl_loop *l);

/* Makes room for one more agent or transfer; SM_OK or SM_ENOMEM. */
int lcurl_loop_admit(lcurl_loop *l);

/* Gives a transfer its number, for which lcurl_loop_admit made room. */
void lcurl_loop_number(lcurl_loop *l, lcurl_transfer *t);
void lcurl_loop_forget(lcurl_loop *l, lcurl_transfer *t);

/* The transfer of a slot, or NULL. */
lcurl_transfer *lcurl_loop_find(const lcurl_loop *l, size_t slot);

/* Waits for these events (of poll) of an open connection that has a transfer;
** 0: for none. There is room for it. */
void lcurl_loop_watch(lcurl_loop *l, lcurl_connection *c, int events);

/* Microseconds of the monotonic clock. */
int64_t lcurl_now_us(void);

/* CURLMOPT_SOCKETFUNCTION and CURLMOPT_TIMERFUNCTION; ud: lcurl_agent. */
int lcurl_on_socket(CURL *easy, curl_socket_t fd, int what, void *ud,
                    void *socket_ud);
int lcurl_on_timer(CURLM *multi, long ms, void *ud);

/* How a stay in the loop ended. */
typedef enum lcurl_event {
  LCURL_EVENT_READY,  /* what was waited for is there */
  LCURL_EVENT_TIME,   /* the time given has come */
  LCURL_EVENT_SIGNAL, /* the host should run its handlers, and call again */
} lcurl_event;

/*
** Drives the loop until `t` is ripe or, where it is NULL, any transfer is to be
** reported; until the time `until`; until a signal; and never for longer than
** LCURL_BREATH_MS.
*/
lcurl_event lcurl_run(lcurl_loop *l, const lcurl_transfer *t, int64_t until);

/* The next transfer to be reported, or NULL. */
lcurl_transfer *lcurl_loop_next(lcurl_loop *l);

SM_HIDDEN_END

#endif
