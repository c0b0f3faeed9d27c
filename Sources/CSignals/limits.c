#define _GNU_SOURCE
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "csignals.h"

// Below this much an arena of malloc for each thread (64 MB of addresses) is more than can be spared.
static const rlim_t little = (rlim_t)4 << 30;

// How a process ends for which an allocation has failed that nobody can do without: Swift's runtime
// traps, a stack that cannot grow is an invalid address, C++ and Python abort.
static const struct {
  int number;
  const char *name;
} fatal[] = {
    {SIGILL, "SIGILL"}, {SIGTRAP, "SIGTRAP"}, {SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}};

#define FATAL_COUNT (sizeof fatal / sizeof *fatal)

static struct sigaction earlier[FATAL_COUNT];

static rlim_t limit_of(int kind) {
  struct rlimit limit;
  return getrlimit(kind, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

// A line of text that is put together without anything that allocates.
struct line {
  char text[320];
  size_t count;
};

static void add(struct line *line, const char *text) {
  while (*text && line->count < sizeof line->text) line->text[line->count++] = *text++;
}

static void add_number(struct line *line, unsigned long long number) {
  char digits[24];
  size_t first = sizeof digits - 1;
  digits[first] = '\0';
  do digits[--first] = (char)('0' + number % 10);
  while (number /= 10);
  add(line, digits + first);
}

static void add_limit(struct line *line, int kind, const char *option) {
  rlim_t limit = limit_of(kind);
  if (limit == RLIM_INFINITY) return;
  add(line, ", and its memory is limited to ");
  add_number(line, limit >> 20);
  add(line, " MB (ulimit ");
  add(line, option);
  add(line, ")");
}

static void on_fatal(int number) {
  struct line line = {.count = 0};
  add(&line, "swiftwater: the process ends by ");
  for (size_t i = 0; i < FATAL_COUNT; i++)
    if (fatal[i].number == number) add(&line, fatal[i].name);
  size_t named = line.count;
  add_limit(&line, RLIMIT_AS, "-v");
  add_limit(&line, RLIMIT_DATA, "-d");
  if (line.count > named) {
    add(&line, ". That may be too little: raise the limit and start again\n");
    ssize_t written = write(STDERR_FILENO, line.text, line.count);
    (void)written;
  }
  for (size_t i = 0; i < FATAL_COUNT; i++) sigaction(fatal[i].number, &earlier[i], NULL);
  // Held until this function returns; then it ends the process, or whoever was there before hears it.
  raise(number);
}

static void watch(void) {
  // For this thread's stack, which has no room for a handler where it cannot grow.
  static char room[65536];
  stack_t stack;
  if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE)) {
    stack = (stack_t){.ss_sp = room, .ss_size = sizeof room};
    sigaltstack(&stack, NULL);
  }
  struct sigaction action = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < FATAL_COUNT; i++) sigaction(fatal[i].number, &action, &earlier[i]);
}

void sw_live_within_limits(void) {
  static bool watches = false;
  rlim_t addresses = limit_of(RLIMIT_AS), data = limit_of(RLIMIT_DATA);
  if (addresses == RLIM_INFINITY && data == RLIM_INFINITY) return;
  if (addresses < little || data < little) mallopt(M_ARENA_MAX, 1);
  if (!watches) watch();
  watches = true;
}
