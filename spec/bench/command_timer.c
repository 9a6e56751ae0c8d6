/*
** command_timer.c: runs commands in turns, many rounds, and prints for each the
** median of its wall time and of its CPU time, and its largest resident set.
** Each round has an order of its own: a command that always came after a large
** one would always find the caches cold, and the next one find them warm.
**
**   command_timer ROUNDS NAME COMMAND [NAME COMMAND]...
**
** A command is split at blanks; what it prints goes to /dev/null.
*/
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX = 16, WORDS = 64 };

typedef struct entry {
  const char *name;
  char *words[WORDS];
  double *wall, *cpu;
  long rss;
} entry;

static double now (void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms (struct timeval t) {
  return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int run (entry *e, int round) {
  struct rusage used;
  int status;
  double start = now();
  pid_t pid = fork();
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    execvp(e->words[0], e->words);
    _exit(127);
  }
  if (wait4(pid, &status, 0, &used) != pid)
    return -1;
  e->wall[round] = now() - start;
  e->cpu[round] = ms(used.ru_utime) + ms(used.ru_stime);
  if (used.ru_maxrss > e->rss)
    e->rss = used.ru_maxrss;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fprintf(stderr, "%s failed with status %d\n", e->name, status);
    return -1;
  }
  return 0;
}

static int smaller (const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median (double *list, int n) {
  qsort(list, (size_t)n, sizeof(*list), smaller);
  return list[n / 2];
}

/* Brings the entries into another order, the same one in every run. */
static void shuffle (int *order, int n) {
  static unsigned long state = 1;
  int i;
  for (i = n - 1; i > 0; i--) {
    int other, kept = order[i];
    state = (state * 1103515245UL + 12345UL) & 0x7fffffffUL;
    other = (int)((state >> 16) % (unsigned long)(i + 1));
    order[i] = order[other];
    order[other] = kept;
  }
}

static void split (char *command, char **words) {
  int n = 0;
  char *word = strtok(command, " ");
  while (word != NULL && n < WORDS - 1) {
    words[n++] = word;
    word = strtok(NULL, " ");
  }
  words[n] = NULL;
}

int main (int argc, char **argv) {
  static entry entries[MAX];
  int rounds = argc > 1 ? atoi(argv[1]) : 0, n = (argc - 2) / 2, i, round;
  int order[MAX];
  if (rounds < 1 || n < 1 || n > MAX || argc != 2 + 2 * n)
    return 2;
  for (i = 0; i < n; i++) {
    order[i] = i;
    entries[i].name = argv[2 + 2 * i];
    split(argv[3 + 2 * i], entries[i].words);
    entries[i].wall = calloc((size_t)rounds, sizeof(double));
    entries[i].cpu = calloc((size_t)rounds, sizeof(double));
    if (entries[i].wall == NULL || entries[i].cpu == NULL ||
        run(&entries[i], 0) != 0) /* warms caches up, and tries it */
      return 1;
  }
  for (round = 0; round < rounds; round++) {
    shuffle(order, n);
    for (i = 0; i < n; i++) {
      if (run(&entries[order[i]], round) != 0)
        return 1;
    }
  }
  for (i = 0; i < n; i++)
    printf("%s %.3f %.3f %ld\n", entries[i].name,
           median(entries[i].wall, rounds), median(entries[i].cpu, rounds),
           entries[i].rss);
  return 0;
}
