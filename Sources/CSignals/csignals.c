#define _GNU_SOURCE
#include "csignals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int sw_wait(int descriptor, long long nanoseconds, const sigset_t *mask) {
  struct pollfd one = {descriptor, POLLIN, 0};
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  return ppoll(&one, 1, nanoseconds < 0 ? NULL : &limit, mask);
}

void sw_block_signals(sigset_t *before) {
  sigset_t all;
  sigfillset(&all);
  // Those of faults end the process in any case: it may say why.
  const int faults[] = {SIGILL, SIGTRAP, SIGSEGV, SIGABRT, SIGBUS, SIGFPE};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
  pthread_sigmask(SIG_SETMASK, &all, before);
}

void sw_restore_signals(const sigset_t *before) { pthread_sigmask(SIG_SETMASK, before, NULL); }

static atomic_int interrupts;       // since sw_watch_interrupts
static atomic_int interrupts_seen;  // since the process began
static atomic_int latest_interrupt;
static sem_t unheard_interrupts;

static pthread_t main_thread;  // the one that called sw_watch_interrupts

// The signals that end a job, and what was installed for them.
static struct {
  int number;
  struct sigaction wrapped;
} watched[] = {{.number = SIGINT}, {.number = SIGTERM}, {.number = SIGHUP}};

#define WATCHED_COUNT (sizeof watched / sizeof *watched)

static void on_interrupt(int number) {
  // The waiting main thread must notice, whoever the system gave the signal to.
  if (!pthread_equal(pthread_self(), main_thread)) {
    pthread_kill(main_thread, number);
    return;
  }
  // A terminal that goes away sends several of these, as do shells: they are one.
  if (number == SIGHUP && atomic_load(&interrupts) > 0) return;
  atomic_fetch_add(&interrupts_seen, 1);
  if (atomic_fetch_add(&interrupts, 1) > 0) _exit(128 + number);
  atomic_store(&latest_interrupt, number);
  int error = errno;
  sem_post(&unheard_interrupts);
  errno = error;
  for (size_t i = 0; i < WATCHED_COUNT; i++)
    if (watched[i].number == number) watched[i].wrapped.sa_handler(number);
}

static void wrap(size_t index) {
  int number = watched[index].number;
  struct sigaction action;
  sigaction(number, NULL, &action);
  if (action.sa_handler == on_interrupt || action.sa_handler == SIG_DFL ||
      action.sa_handler == SIG_IGN)
    return;
  watched[index].wrapped = action;
  action.sa_handler = on_interrupt;
  sigaction(number, &action, NULL);
}

static void begin_watching(void) { sem_init(&unheard_interrupts, 0, 0); }

void sw_watch_interrupts(bool interrupt, bool termination, bool hangup) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, begin_watching);
  atomic_store(&interrupts, 0);
  main_thread = pthread_self();
  const bool wanted[WATCHED_COUNT] = {interrupt, termination, hangup};
  for (size_t i = 0; i < WATCHED_COUNT; i++)
    if (wanted[i]) wrap(i);
}

int sw_interrupts_seen(void) { return atomic_load(&interrupts_seen); }

int sw_await_interrupt(void) {
  while (sem_wait(&unheard_interrupts) != 0 && errno == EINTR) continue;
  return atomic_load(&latest_interrupt);
}

void sw_rouse_interrupt_watch(void) { sem_post(&unheard_interrupts); }

bool sw_is_main_thread(void) { return syscall(SYS_gettid) == getpid(); }

long long sw_main_thread_time(void) {
  clockid_t clock;
  struct timespec time = {0, 0};
  if (pthread_getcpuclockid(main_thread, &clock) == 0) clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

void sw_end_now(int status) { _exit(status); }

int sw_make_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void sw_signal_event(int descriptor) {
  uint64_t one = 1;
  // The only failure of an eventfd's write is a full counter, which is readable as it should be.
  ssize_t written = write(descriptor, &one, sizeof one);
  (void)written;
}

void sw_close_event(int descriptor) { close(descriptor); }

bool sw_forked = false;

static _Thread_local sigset_t mask_before_fork;

// A signal that comes while a process is made must not meet the parent's handlers in the child.
static void before_fork(void) {
  sigset_t held;
  sigemptyset(&held);
  for (size_t i = 0; i < WATCHED_COUNT; i++) sigaddset(&held, watched[i].number);
  pthread_sigmask(SIG_BLOCK, &held, &mask_before_fork);
}

static void after_fork_in_parent(void) { pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL); }

// A child is a program of its own: no stream runs there that a signal would have to stop, and the
// thread that the handlers speak of is the parent's. So signals do there what they did before.
static void after_fork_in_child(void) {
  sw_forked = true;
  for (size_t i = 0; i < WATCHED_COUNT; i++) {
    struct sigaction action;
    sigaction(watched[i].number, NULL, &action);
    if (action.sa_handler != on_interrupt) continue;
    // Python's own handler for SIGINT raises; for the others it has none.
    action = watched[i].wrapped;
    if (watched[i].number != SIGINT) action.sa_handler = SIG_DFL;
    sigaction(watched[i].number, &action, NULL);
  }
  pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL);
}

static void watch_forks(void) {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void sw_watch_forks(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
}

static void *kept;
static size_t kept_count;

static void replace_kept(void) {
  if (kept)
    mmap(kept, kept_count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void sw_keep_from_forks(void *start, size_t count) {
  kept = start;
  kept_count = count;
  pthread_atfork(NULL, NULL, replace_kept);
}

int sw_reserve(int descriptor, long long offset, long long count) {
  int error;
  do error = posix_fallocate(descriptor, offset, count);
  while (error == EINTR);
  return error;
}

int sw_unreserve(int descriptor, long long offset, long long count) {
  return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count) == 0
             ? 0
             : errno;
}

int sw_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int sw_socket_pair(int *first, int *second) {
  int both[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) return -1;
  *first = both[0];
  *second = both[1];
  return 0;
}

int sw_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

const char *sw_signal_name(int number) { return sigabbrev_np(number); }

static bool sets(const char *entry, const char *variable) {
  size_t length = strcspn(variable, "=") + 1;
  return strncmp(entry, variable, length) == 0;
}

int sw_spawn(const char *path, char *const *arguments, const char *variable, const int *descriptors,
             int count, pid_t *child) {
  extern char **environ;
  // Copies above the places that they are moved to, so that none is overwritten before its turn.
  int copies[16];
  if (count > 16) return EINVAL;
  size_t variables = 0;
  while (environ[variables]) variables++;
  const char **environment = calloc(variables + 2, sizeof *environment);
  if (!environment) return ENOMEM;
  size_t used = 0;
  for (size_t i = 0; i < variables; i++)
    if (!variable || !sets(environ[i], variable)) environment[used++] = environ[i];
  if (variable) environment[used++] = variable;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  int error = 0, made = 0;
  for (; made < count && !error; made++) {
    copies[made] = fcntl(descriptors[made], F_DUPFD_CLOEXEC, 16);
    if (copies[made] < 0) {
      // Invalid is a number beyond the limit of this process.
      error = errno == EINVAL ? EMFILE : errno;
      break;
    }
    error = posix_spawn_file_actions_adddup2(&actions, copies[made], made);
  }
  // Libraries open descriptors that programs would inherit.
  if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, count);
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGINT);
  sigaddset(&usual, SIGTERM);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  if (!error)
    error = posix_spawn(child, path, &actions, &attributes, arguments, (char *const *)environment);
  for (int i = 0; i < made; i++) close(copies[i]);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  free(environment);
  return error;
}

int sw_wait_for_hangup(int descriptor, int milliseconds) {
  struct pollfd one = {descriptor, POLLRDHUP, 0};
  return poll(&one, 1, milliseconds) > 0;
}

int sw_process_descriptor(pid_t process) {
#ifdef SYS_pidfd_open
  return (int)syscall(SYS_pidfd_open, process, 0);
#else
  return -1;
#endif
}
