#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chost.h"

static int set_system_text(const char *name, const char *value) {
  PyObject *text = value ? PyUnicode_DecodeFSDefault(value) : Py_NewRef(Py_None);
  if (!text) return -1;
  int status = PySys_SetObject(name, text);
  Py_DECREF(text);
  return status;
}

// PYTHONPATH with `folder` in front of what the user has in it.
static PyStatus set_search_path(PyConfig *config, const char *folder) {
  const char *inherited = getenv("PYTHONPATH");
  size_t size = strlen(folder) + (inherited ? strlen(inherited) : 0) + 2;
  char *path = malloc(size);
  if (!path) return PyStatus_NoMemory();
  snprintf(path, size, inherited && *inherited ? "%s:%s" : "%s", folder, inherited);
  PyStatus status = PyConfig_SetBytesString(config, &config->pythonpath_env, path);
  free(path);
  return status;
}

static int has_library(const char *prefix) {
  char file[PATH_MAX + 64];
  snprintf(file, sizeof file, "%s/lib/python%d.%d/os.py", prefix, PY_MAJOR_VERSION,
           PY_MINOR_VERSION);
  return access(file, R_OK) == 0;
}

// The folder in whose lib the standard library of the embedded Python is: where its static library
// was built for, or above the shared one. False where it is not found.
static int find_home(char home[PATH_MAX]) {
#ifdef SW_PYTHON_HOME
  snprintf(home, PATH_MAX, "%s", SW_PYTHON_HOME);
  return has_library(home);
#else
  Dl_info library;
  if (!dladdr((void *)Py_InitializeFromConfig, &library) || !realpath(library.dli_fname, home))
    return 0;
  for (char *slash; (slash = strrchr(home, '/'));) {
    *slash = '\0';
    if (has_library(home)) return 1;
  }
  return 0;
#endif
}

static PyStatus configure(PyConfig *config, const struct sw_host_options *options) {
  // The hash seed that Spark gives its workers: keys keep their places from run to run.
  config->use_hash_seed = 1;
  config->hash_seed = 0;
  config->parse_argv = 0;
  // Nothing in front of the standard library: neither the current folder, which is what "swiftwater"
  // without a folder would mean, nor this program's own.
  config->safe_path = 1;
  PyStatus status = PyConfig_SetBytesArgv(config, options->argument_count, options->arguments);
  if (PyStatus_Exception(status)) return status;
  status = PyConfig_SetBytesString(config, &config->run_command, options->command);
  if (PyStatus_Exception(status)) return status;
  if (options->python_executable) {
    status = PyConfig_SetBytesString(config, &config->executable, options->python_executable);
    if (PyStatus_Exception(status)) return status;
    // An environment lends its packages and no more: the standard library of another build of the
    // same version has modules in C that this one cannot load.
    char home[PATH_MAX];
    if (find_home(home)) {
      status = PyConfig_SetBytesString(config, &config->home, home);
      if (PyStatus_Exception(status)) return status;
    }
  }
  return set_search_path(config, options->package_folder);
}

// Ctrl-C before there is a script that could catch it, or anything that had to be stopped.
static void end_at_once(int number) { _exit(128 + number); }

// Starts Python with SIGINT held: raised in what Python runs while it starts, KeyboardInterrupt would
// be shown as a fault of the installation. The script gets Python's own handler (run_script).
static PyStatus initialise(PyConfig *config) {
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &before);
  PyStatus status = Py_InitializeFromConfig(config);
  struct sigaction action;
  sigaction(SIGINT, NULL, &action);
  // A shell without job control starts background jobs with SIGINT ignored.
  if (action.sa_handler != SIG_IGN) {
    action.sa_handler = end_at_once;
    sigaction(SIGINT, &action, NULL);
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return status;
}

// Starts Python, on which the calling thread has a hold afterwards; 0, or 1 where it cannot start.
static int start(const struct sw_host_options *options) {
  PyImport_AppendInittab("_swiftwater", (PyObject * (*)(void)) options->make_module);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  PyStatus status = configure(&config, options);
  if (!PyStatus_Exception(status)) status = initialise(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) {
    fprintf(stderr, "swiftwater: Python cannot start: %s\n",
            status.err_msg ? status.err_msg : "unknown reason");
    return 1;
  }
  if (set_system_text("_swiftwater_host", options->host_executable) < 0 ||
      set_system_text("_swiftwater_environment_problem", options->environment_problem) < 0) {
    PyErr_Print();
    return 1;
  }
  return 0;
}

int sw_host_run(const struct sw_host_options *options) {
  return start(options) ? 1 : Py_RunMain();
}

int sw_host_start(const struct sw_host_options *options) {
  if (start(options)) return 1;
  PyEval_SaveThread();
  return 0;
}

int sw_host_python_minor(void) { return PY_MINOR_VERSION; }
