// Starting an embedded CPython.
#pragma once

// What the host decides before Python starts. Strings are UTF-8 and may be NULL where it says so.
struct sw_host_options {
  int argument_count;
  char **arguments;
  const char *command;              // Python source to run; NULL: none
  const char *package_folder;       // put in front of the module search path
  const char *python_executable;    // whose environment to use; NULL: the one built against
  const char *host_executable;      // becomes sys._swiftwater_host
  const char *environment_problem;  // becomes sys._swiftwater_environment_problem; NULL: none
  void *(*make_module)(void);       // PyInit__swiftwater
};

// Runs Python to its end, finalisation included, and returns the process's exit status.
int sw_host_run(const struct sw_host_options *options);

// Starts Python for a program of its own, a test's, and lets go of it: any thread may attach. `command` is
// not run. Returns 0, or 1 where it cannot start.
int sw_host_start(const struct sw_host_options *options);

// The minor version of Python 3 that is embedded.
int sw_host_python_minor(void);
