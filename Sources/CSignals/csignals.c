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

static void end_at_once(int signal) {
  (void)signal;
  _exit(130);
}

void sw_arm_interrupt(void) {
  struct sigaction action = {0};
  action.sa_handler = end_at_once;
  sigaction(SIGINT, &action, NULL);
}

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
