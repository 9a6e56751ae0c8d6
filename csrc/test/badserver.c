/*
** badserver.c: a TCP server on 127.0.0.1 that does as it is told, for what a
** well-behaved server cannot be made to do.
**
**   badserver STEP... [next STEP...]...
**
** It prints "port N" and serves until it is killed. The first connection goes
** through the first list of steps, the second through the second, and so on;
** the last list serves all further ones. At the end of its steps a connection
** is closed. Each connection has a thread, so one that hangs hinders no other.
**
**   read           reads one request (head, and a body of Content-Length), and
**                  prints "request N bytes" and then those bytes
**   await          reads some bytes, whatever they are
**   send:TEXT      sends; \r \n \t \0 \\ \xHH are understood
**   repeat:N:TEXT  sends TEXT N times
**   drip:MS:TEXT   sends TEXT byte by byte, MS milliseconds after each
**   wait:MS        does nothing for MS milliseconds
**   meet:N         waits until N connections are at this step: they are open at
**                  once then. Closes when they have not come in a minute
**   half           closes the sending side only
**   reset          closes with a TCP reset instead of a goodbye
**   hang           reads and forgets until the other side closes
**   tunnel         reads a CONNECT request, connects to the port that it names
**                  on 127.0.0.1, whatever the host, and passes bytes on
**   again          begins the list again, on the same connection
**
** `badserver full` listens too, but lets no connection through: the queue for
** new connections is full, as with a host behind a silent firewall.
**
** Whether the other side closes early does not matter to any step.
*/
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUEST (1 << 20)

typedef struct connection {
  int fd;
  char **steps; /* up to "next" or NULL */
} connection;

static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

/* Those who wait in "meet", and how often such a party has been complete. */
static pthread_mutex_t party = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t complete = PTHREAD_COND_INITIALIZER;
static long n_met, parties;

static void die (const char *what) {
  perror(what);
  exit(1);
}

static void pause_ms (long ms) {
  struct timespec ts;
  ts.tv_sec = ms / 1000;
  ts.tv_nsec = ms % 1000 * 1000000;
  nanosleep(&ts, NULL);
}

static int send_all (int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
    if (sent <= 0)
      return 0;
    p += sent;
    n -= (size_t)sent;
  }
  return 1;
}

/* The byte after a backslash; moves *p behind it. */
static char escaped (const char **p) {
  char c = *(*p)++, digits[3] = "";
  switch (c) {
  case 'r':
    return '\r';
  case 'n':
    return '\n';
  case 't':
    return '\t';
  case '0':
    return '\0';
  case 'x':
    memcpy(digits, *p, 2);
    *p += 2;
    return (char)strtol(digits, NULL, 16);
  default:
    return c;
  }
}

/* Copies TEXT without its escapes; returns the length. */
static size_t unescape (const char *text, char *out) {
  size_t n = 0;
  while (*text != '\0') {
    char c = *text++;
    out[n++] = c == '\\' ? escaped(&text) : c;
  }
  return n;
}

static void send_text (int fd, const char *text, long times, long ms) {
  char *bytes = (char *)malloc(strlen(text) + 1);
  size_t i, n = unescape(text, bytes);
  int open = 1;
  for (; open && times > 0; times--) {
    if (ms == 0)
      open = send_all(fd, bytes, n);
    for (i = 0; ms > 0 && open && i < n; i++) {
      open = send_all(fd, bytes + i, 1);
      pause_ms(ms);
    }
  }
  free(bytes);
}

/* The length of the body that a complete head announces. */
static size_t content_length (const char *head) {
  const char *line = head;
  while ((line = strstr(line, "\r\n")) != NULL) {
    line += 2;
    if (strncasecmp(line, "content-length:", 15) == 0)
      return (size_t)strtoul(line + 15, NULL, 10);
  }
  return 0;
}

/* Reads a request into p (MAX_REQUEST bytes, NUL-terminated). Returns its
** length, 0 when the other side closed before its end. */
static size_t read_request (int fd, char *p) {
  size_t n = 0;
  for (;;) {
    char *end;
    ssize_t got = recv(fd, p + n, MAX_REQUEST - 1 - n, 0);
    if (got <= 0)
      return 0;
    n += (size_t)got;
    p[n] = '\0';
    end = strstr(p, "\r\n\r\n");
    if (end == NULL)
      continue;
    if (n >= (size_t)(end + 4 - p) + content_length(p))
      return n;
  }
}

static int step_read (int fd) {
  char *p = (char *)malloc(MAX_REQUEST);
  size_t n = read_request(fd, p);
  if (n > 0) {
    pthread_mutex_lock(&output);
    printf("request %lu bytes\n", (unsigned long)n);
    fwrite(p, 1, n, stdout);
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&output);
  }
  free(p);
  return n > 0;
}

static struct sockaddr_in local_address (int port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof(address));
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int dial (int port) {
  struct sockaddr_in address = local_address(port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
    die("connect");
  return fd;
}

/* Passes what came on `from` on to `to`; 0 at its end. */
static int pass (int from, int to) {
  char bytes[16384];
  ssize_t n = recv(from, bytes, sizeof(bytes), 0);
  return n > 0 && send_all(to, bytes, (size_t)n);
}

static void splice_both (int a, int b) {
  struct pollfd fds[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  int open = 1;
  while (open && poll(fds, 2, -1) > 0) {
    if (fds[0].revents != 0)
      open = pass(a, b);
    if (open && fds[1].revents != 0)
      open = pass(b, a);
  }
}

/* The port of "CONNECT host:port HTTP/1.1\r\n…", which is cut after the line.
 */
static int port_of (char *request) {
  char *colon;
  request[strcspn(request, "\r\n")] = '\0';
  colon = strrchr(request, ':');
  return colon != NULL ? atoi(colon + 1) : 0;
}

static void step_tunnel (int fd) {
  static const char yes[] = "HTTP/1.1 200 Connected\r\nX-Proxy: yes\r\n\r\n";
  char *p = (char *)malloc(MAX_REQUEST);
  if (read_request(fd, p) > 0) {
    int other = dial(port_of(p));
    pthread_mutex_lock(&output);
    printf("tunnel %s\n", p);
    fflush(stdout);
    pthread_mutex_unlock(&output);
    send_all(fd, yes, sizeof(yes) - 1);
    splice_both(fd, other);
    close(other);
  }
  free(p);
}

static void step_hang (int fd) {
  char bytes[4096];
  while (recv(fd, bytes, sizeof(bytes), 0) > 0)
    continue;
}

static void step_reset (int fd) {
  struct linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* 0 when the others have not come in time. */
static int step_meet (long n) {
  struct timespec last;
  long mine;
  int met;
  clock_gettime(CLOCK_REALTIME, &last);
  last.tv_sec += 60;
  pthread_mutex_lock(&party);
  mine = parties;
  if (++n_met >= n) {
    n_met = 0;
    parties++;
    pthread_cond_broadcast(&complete);
  }
  while (mine == parties &&
         pthread_cond_timedwait(&complete, &party, &last) == 0)
    continue;
  met = mine != parties;
  pthread_mutex_unlock(&party);
  return met;
}

/* "name:N:TEXT": N, and TEXT in *rest. */
static long number_of (const char *step, const char **rest) {
  char *end;
  long n = strtol(strchr(step, ':') + 1, &end, 10);
  *rest = *end == ':' ? end + 1 : "";
  return n;
}

/* One step; 0 when the connection is to be closed. */
static int run_step (int fd, const char *step) {
  const char *text = "";
  long n = strchr(step, ':') != NULL ? number_of(step, &text) : 0;
  char byte[1];
  if (strcmp(step, "read") == 0)
    return step_read(fd);
  if (strcmp(step, "await") == 0)
    return recv(fd, byte, 1, MSG_PEEK) > 0;
  if (strncmp(step, "meet:", 5) == 0)
    return step_meet(n);
  if (strncmp(step, "send:", 5) == 0)
    send_text(fd, step + 5, 1, 0);
  else if (strncmp(step, "repeat:", 7) == 0)
    send_text(fd, text, n, 0);
  else if (strncmp(step, "drip:", 5) == 0)
    send_text(fd, text, 1, n);
  else if (strncmp(step, "wait:", 5) == 0)
    pause_ms(n);
  else if (strcmp(step, "half") == 0)
    shutdown(fd, SHUT_WR);
  else if (strcmp(step, "reset") == 0)
    step_reset(fd);
  else if (strcmp(step, "hang") == 0)
    step_hang(fd);
  else if (strcmp(step, "tunnel") == 0)
    step_tunnel(fd);
  else
    fprintf(stderr, "badserver: no step '%s'\n", step);
  return strcmp(step, "reset") != 0;
}

static void *serve (void *arg) {
  connection c = *(connection *)arg;
  char **step = c.steps;
  free(arg);
  while (*step != NULL && strcmp(*step, "next") != 0) {
    if (strcmp(*step, "again") == 0)
      step = c.steps;
    else if (run_step(c.fd, *step++) == 0)
      break;
  }
  close(c.fd);
  return NULL;
}

static void start (int fd, char **steps) {
  pthread_t thread;
  connection *c = (connection *)malloc(sizeof(*c));
  c->fd = fd;
  c->steps = steps;
  if (pthread_create(&thread, NULL, serve, c) != 0)
    die("pthread_create");
  pthread_detach(thread);
}

/* The steps after the next "next"; the same ones when there is none. */
static char **following (char **steps) {
  char **p = steps;
  while (*p != NULL && strcmp(*p, "next") != 0)
    p++;
  return *p == NULL ? steps : p + 1;
}

static int listen_somewhere (int queue, int *port) {
  struct sockaddr_in address = local_address(0);
  socklen_t size = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
      listen(fd, queue) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0)
    die("listen");
  *port = ntohs(address.sin_port);
  return fd;
}

/* Fills the queue of one with connections that nobody accepts. */
static void block (int port) {
  struct sockaddr_in address = local_address(port);
  int i;
  for (i = 0; i < 3; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)connect(fd, (struct sockaddr *)&address, sizeof(address));
  }
}

int main (int argc, char **argv) {
  char **steps = argv + 1;
  int full = argc == 2 && strcmp(argv[1], "full") == 0;
  int port, fd = listen_somewhere(full ? 0 : 64, &port);
  if (full)
    block(port);
  printf("port %d\n", port);
  fflush(stdout);
  signal(SIGPIPE, SIG_IGN);
  while (full)
    pause();
  for (;;) {
    int client = accept(fd, NULL, NULL);
    if (client < 0)
      die("accept");
    start(client, steps);
    steps = following(steps);
  }
}
