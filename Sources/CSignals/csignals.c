#define _GNU_SOURCE
#include "csignals.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
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
  pthread_sigmask(SIG_SETMASK, &all, before);
}

void sw_restore_signals(const sigset_t *before) { pthread_sigmask(SIG_SETMASK, before, NULL); }

static atomic_int interrupts;       // since sw_watch_interrupts
static atomic_int interrupts_seen;  // since the process began
static struct sigaction wrapped_interrupt, wrapped_termination;

static pthread_t main_thread;  // the one that called sw_watch_interrupts

static void on_interrupt(int number) {
  // The waiting main thread must notice, whoever the system gave the signal to.
  if (!pthread_equal(pthread_self(), main_thread)) {
    pthread_kill(main_thread, number);
    return;
  }
  atomic_fetch_add(&interrupts_seen, 1);
  if (atomic_fetch_add(&interrupts, 1) > 0) _exit(128 + number);
  (number == SIGINT ? &wrapped_interrupt : &wrapped_termination)->sa_handler(number);
}

static void wrap(int number, struct sigaction *wrapped) {
  struct sigaction action;
  sigaction(number, NULL, &action);
  if (action.sa_handler == on_interrupt || action.sa_handler == SIG_DFL ||
      action.sa_handler == SIG_IGN)
    return;
  *wrapped = action;
  action.sa_handler = on_interrupt;
  sigaction(number, &action, NULL);
}

void sw_watch_interrupts(bool interrupt, bool termination) {
  atomic_store(&interrupts, 0);
  main_thread = pthread_self();
  if (interrupt) wrap(SIGINT, &wrapped_interrupt);
  if (termination) wrap(SIGTERM, &wrapped_termination);
}

int sw_interrupts_seen(void) { return atomic_load(&interrupts_seen); }

int sw_make_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void sw_signal_event(int descriptor) {
  uint64_t one = 1;
  // The only failure of an eventfd's write is a full counter, which is readable as it should be.
  ssize_t written = write(descriptor, &one, sizeof one);
  (void)written;
}

void sw_close_event(int descriptor) { close(descriptor); }

static atomic_bool forked;

static void mark_forked(void) { atomic_store(&forked, true); }

static void watch_forks(void) { pthread_atfork(NULL, NULL, mark_forked); }

void sw_watch_forks(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
}

bool sw_is_forked(void) { return atomic_load(&forked); }
