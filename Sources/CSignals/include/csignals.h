// System calls that Swift cannot import.
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

// Waits until `descriptor` can be read, a signal arrives, or `nanoseconds` pass (< 0: for ever).
// While it waits the thread's signal mask is `mask`. 1: readable, 0: time is over, -1: a signal.
int sw_wait(int descriptor, long long nanoseconds, const sigset_t *mask);

// Blocks every signal but those of faults in this thread, and stores the mask that it had.
void sw_block_signals(sigset_t *before);
void sw_restore_signals(const sigset_t *before);

// Wraps the handlers that are installed for SIGINT, SIGTERM, SIGHUP: the first of these signals from
// now on goes to its handler, the second ends the process at once with status 130 or 143, whatever
// runs. One that arrives on another thread is passed on to the calling one. A SIGHUP is never the
// second: a terminal that goes away sends several.
void sw_watch_interrupts(bool interrupt, bool termination, bool hangup);

// Waits for a signal that goes to its handler, or for sw_rouse_interrupt_watch, and returns the number
// of the last signal. For one thread, after sw_watch_interrupts.
int sw_await_interrupt(void);
void sw_rouse_interrupt_watch(void);

// How long a processor has worked for the thread that called sw_watch_interrupts, in nanoseconds.
long long sw_main_thread_time(void);

// Ends the process as it is.
_Noreturn void sw_end_now(int status);

// True on the thread that the process began with, and on the one that forked a child, in that child.
bool sw_is_main_thread(void);

// How many signals the wrappers have seen since the process began.
int sw_interrupts_seen(void);

// A descriptor that becomes readable, and stays so, after sw_signal_event.
int sw_make_event(void);
void sw_signal_event(int descriptor);
void sw_close_event(int descriptor);

// True in a process that was made by fork after the first call of sw_watch_forks. There the signals
// of sw_watch_interrupts do again what they did before that.
void sw_watch_forks(void);
extern bool sw_forked;  // set before the child runs anything else, and never again
static inline bool sw_is_forked(void) { return __builtin_expect(sw_forked, 0); }

// A file without a name in memory, and two sockets that are connected. -1 with errno set where there
// is none; closed in programs that are started.
int sw_memory_file(const char *name);
int sw_socket_pair(int *first, int *second);
int sw_pipe(int *ends);

// "KILL" for 9; NULL for a number that is none.
const char *sw_signal_name(int number);

// Starts a program, with no signal blocked, in a process group of its own. It gets `descriptors` as 0,
// 1, 2, ..., no other ones, and this process's environment, with `variable` ("NAME=VALUE", or NULL) in
// place of what that has. Returns 0, or an errno.
int sw_spawn(const char *path, char *const *arguments, const char *variable, const int *descriptors,
             int count, pid_t *child);

// Gives a part of a file in memory its pages, and takes them away. 0, or an errno.
int sw_reserve(int descriptor, long long offset, long long count);
int sw_unreserve(int descriptor, long long offset, long long count);

// In a process that fork makes of this one, the pages from `start` on are zeros of its own. Once.
void sw_keep_from_forks(void *start, size_t count);

// Waits until the other end of a socket is closed: 1, or 0 when that did not happen in time.
int sw_wait_for_hangup(int descriptor, int milliseconds);

// Becomes readable when the process ends. -1 where the system has no such thing.
int sw_process_descriptor(pid_t process);

// Where memory is limited (ulimit -v, ulimit -d): threads share one arena of malloc, since each takes
// many addresses, and a process that ends by a failed allocation says so. For the thread that begins.
void sw_live_within_limits(void);
