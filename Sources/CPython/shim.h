// CPython's stable ABI, and what Swift cannot import of it: macros, variadics, singletons.
//
// One build serves CPython 3.11 and every later version.
#pragma once

// Before Python.h, which asks for GNU's extensions: the C library's types must be the same here as
// in Swift's own import of it.
#include <errno.h>
#include <sys/select.h>

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

// In the stable ABI since 3.12; exported, with the same meaning, by 3.11.
extern PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *arguments,
                                     size_t count_and_flags, PyObject *keyword_names);
// Exported by every version, outside the stable ABI: true when this thread holds the interpreter.
extern int PyGILState_Check(void);

static inline PyObject *sw_none(void) { return Py_None; }
static inline PyObject *sw_true(void) { return Py_True; }
static inline PyObject *sw_false(void) { return Py_False; }

static inline void sw_retain(PyObject *object) { Py_INCREF(object); }
static inline void sw_release(PyObject *object) { Py_DECREF(object); }

// The type of an object, as an object; borrowed.
static inline PyObject *sw_type(PyObject *object) { return (PyObject *)Py_TYPE(object); }
// What a weak reference shows, borrowed; NULL where it is gone.
static inline PyObject *sw_weakly_referenced(PyObject *reference) {
  PyObject *object = PyWeakref_GetObject(reference);
  return object == Py_None ? NULL : object;
}
static inline PyObject *sw_type_name(PyObject *type) { return PyType_GetName((PyTypeObject *)type); }
static inline PyObject *sw_allocate(PyObject *type) {
  return PyType_GenericAlloc((PyTypeObject *)type, 0);
}
static inline int sw_is_exact_tuple(PyObject *object) { return Py_IS_TYPE(object, &PyTuple_Type); }
static inline int sw_is_exact_list(PyObject *object) { return Py_IS_TYPE(object, &PyList_Type); }
static inline int sw_is_exact_text(PyObject *object) { return Py_IS_TYPE(object, &PyUnicode_Type); }
static inline int sw_is_exact_bytes(PyObject *object) { return Py_IS_TYPE(object, &PyBytes_Type); }
static inline int sw_is_exact_int(PyObject *object) { return Py_IS_TYPE(object, &PyLong_Type); }
static inline int sw_is_exact_float(PyObject *object) { return Py_IS_TYPE(object, &PyFloat_Type); }
static inline int sw_is_exact_bool(PyObject *object) { return Py_IS_TYPE(object, &PyBool_Type); }
static inline int sw_is_exact_dict(PyObject *object) { return Py_IS_TYPE(object, &PyDict_Type); }
static inline int sw_is_exact_set(PyObject *object) { return Py_IS_TYPE(object, &PySet_Type); }
static inline int sw_is_exact_frozenset(PyObject *object) {
  return Py_IS_TYPE(object, &PyFrozenSet_Type);
}
static inline int sw_is_exact_complex(PyObject *object) {
  return Py_IS_TYPE(object, &PyComplex_Type);
}
// Text of ASCII characters only, whose bytes lie in the object. False where it cannot be told.
static inline int sw_is_ascii(PyObject *text) {
  PyObject *answer = PyObject_CallMethod(text, "isascii", NULL);
  if (answer == NULL) {
    PyErr_Clear();
    return 0;
  }
  int is_ascii = answer == Py_True;
  Py_DECREF(answer);
  return is_ascii;
}
// A NaN is equal to nothing, and a dict finds it by which object it is.
static inline int sw_is_nan(PyObject *object) {
  if (Py_TYPE(object) != &PyFloat_Type) return 0;
  double value = PyFloat_AsDouble(object);
  return value != value;
}
// A single value in which nothing can be changed, and of which a copy is as good as itself.
static inline int sw_is_plain(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  if (type == &PyFloat_Type) return !sw_is_nan(object);
  return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyBool_Type ||
         type == &PyBytes_Type || object == Py_None || type == &PyComplex_Type;
}
static inline int sw_is_tuple(PyObject *object) { return PyTuple_Check(object); }
static inline int sw_is_list(PyObject *object) { return PyList_Check(object); }
static inline int sw_is_text(PyObject *object) { return PyUnicode_Check(object); }
static inline int sw_is_bytes(PyObject *object) { return PyBytes_Check(object); }
// True where the type, str or one made from it, hashes as str does.
static inline int sw_has_hash_of_text(PyObject *object) {
  return PyType_GetSlot(Py_TYPE(object), Py_tp_hash) == PyType_GetSlot(&PyUnicode_Type, Py_tp_hash);
}
static inline int sw_is_iterator(PyObject *object) { return PyIter_Check(object); }

// Asks for a cache line that is read soon. The address need not be valid.
static inline void sw_prefetch(const void *address) { __builtin_prefetch(address); }

static inline PyObject *sw_new_pair(PyObject *first, PyObject *second) {
  return PyTuple_Pack(2, first, second);
}

static inline PyObject *sw_exception_exception(void) { return PyExc_Exception; }
static inline PyObject *sw_exception_type_error(void) { return PyExc_TypeError; }
static inline PyObject *sw_exception_value_error(void) { return PyExc_ValueError; }
static inline PyObject *sw_exception_runtime_error(void) { return PyExc_RuntimeError; }
static inline PyObject *sw_exception_os_error(void) { return PyExc_OSError; }
static inline PyObject *sw_exception_file_not_found_error(void) {
    return PyExc_FileNotFoundError;
}
/* The OSError for a system call's error number, with a path in the file system's encoding. */
static inline void sw_raise_system_error(int code, const char *path) {
    errno = code;
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
}
static inline PyObject *sw_exception_attribute_error(void) { return PyExc_AttributeError; }
static inline PyObject *sw_exception_stop_iteration(void) { return PyExc_StopIteration; }
static inline PyObject *sw_exception_memory_error(void) { return PyExc_MemoryError; }
static inline PyObject *sw_exception_keyboard_interrupt(void) { return PyExc_KeyboardInterrupt; }
static inline PyObject *sw_exception_system_exit(void) { return PyExc_SystemExit; }

static inline PyObject *sw_new_module(PyModuleDef *definition) {
  return PyModule_Create(definition);
}

// The minor version of the headers that this was compiled with.
static inline int sw_compiled_minor(void) { return PY_MINOR_VERSION; }

// --- Calls ------------------------------------------------------------------------------------

#define SW_ARGUMENTS_OFFSET ((size_t)1 << (8 * sizeof(size_t) - 1))

// A call by the vectorcall protocol: no tuple is made for the arguments. Returns a new reference,
// or NULL with an exception set.
static inline PyObject *sw_call1(PyObject *callable, PyObject *argument) {
  PyObject *arguments[2] = {NULL, argument};
  return PyObject_Vectorcall(callable, arguments + 1, 1 | SW_ARGUMENTS_OFFSET, NULL);
}

static inline PyObject *sw_call2(PyObject *callable, PyObject *first, PyObject *second) {
  PyObject *arguments[3] = {NULL, first, second};
  return PyObject_Vectorcall(callable, arguments + 1, 2 | SW_ARGUMENTS_OFFSET, NULL);
}
