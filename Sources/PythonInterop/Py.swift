import CPython
import CSignals

/// A raw reference to a Python object.
///
/// Conventions of this layer and of its callers: a parameter is borrowed and a result is new
/// (owned by the caller) unless its documentation says otherwise. A nil result means that a Python
/// exception is set.
public typealias PyPointer = UnsafeMutablePointer<PyObject>

/// Single calls of the C API, for loops that handle many records. Every caller holds the
/// interpreter: it was given a ``Python`` token, or runs inside a function that was.
///
/// SAFETY: each wrapper passes its arguments on to the function of the C API that it names; what
/// that function demands of them (a live object, the right type) is its own documentation here.
public enum Py {
  @inlinable @inline(__always)
  public static func retain(_ object: PyPointer) { sw_retain(object) }

  /// The same object, as a new reference.
  @inlinable @inline(__always)
  public static func retained(_ object: PyPointer) -> PyPointer? {
    sw_retain(object)
    return object
  }

  @inlinable @inline(__always)
  public static func release(_ object: PyPointer) { sw_release(object) }

  public static func call(_ function: PyPointer) -> PyPointer? {
    here(PyObject_CallObject(function, nil))
  }

  @inlinable @inline(__always)
  public static func call(_ function: PyPointer, _ argument: PyPointer) -> PyPointer? {
    here(sw_call1(function, argument))
  }

  @inlinable @inline(__always)
  public static func call(
    _ function: PyPointer, _ first: PyPointer, _ second: PyPointer
  ) -> PyPointer? {
    here(sw_call2(function, first, second))
  }

  /// What a call of a user's function gave. A process that the function has forked ends here: all
  /// that follows is its parent's to do.
  @inlinable @inline(__always)
  static func here(_ result: PyPointer?) -> PyPointer? {
    if sw_is_forked() { ForkedProcess.end(result) }
    return result
  }

  /// 1 true, 0 false, -1 exception.
  @inlinable @inline(__always)
  public static func truth(_ object: PyPointer) -> Int32 {
    if object == sw_true() { return 1 }
    if object == sw_false() { return 0 }
    return PyObject_IsTrue(object)
  }

  // MARK: Text

  /// A new `str` from valid UTF-8.
  @inlinable @inline(__always)
  public static func newText(utf8 start: UnsafeRawPointer, count: Int) -> PyPointer? {
    PyUnicode_DecodeUTF8(start.assumingMemoryBound(to: CChar.self), count, nil)
  }

  /// `str(object)`; nil with an exception set.
  public static func newText(of object: PyPointer) -> PyPointer? { PyObject_Str(object) }

  /// `text.encode()`; nil with an exception set, for lone surrogates too.
  public static func newUTF8(of text: PyPointer) -> PyPointer? { PyUnicode_AsUTF8String(text) }

  /// The content of a `bytes`, or of an object of a class derived from it, which lives as long as the
  /// object; nil for another one.
  public static func bytes(of object: PyPointer) -> UnsafeRawBufferPointer? {
    guard sw_is_bytes(object) != 0, let start = PyBytes_AsString(object) else { return nil }
    return UnsafeRawBufferPointer(start: start, count: PyBytes_Size(object))
  }

  // MARK: Lists

  @inlinable @inline(__always)
  public static func newList() -> PyPointer? { PyList_New(0) }

  /// Adds another reference to `item`. False: exception.
  @inlinable @inline(__always)
  public static func append(_ item: PyPointer, to list: PyPointer) -> Bool {
    PyList_Append(list, item) == 0
  }

  /// A new list of some of the items.
  public static func slice(of list: PyPointer, from start: Int, to end: Int) -> PyPointer? {
    PyList_GetSlice(list, start, end)
  }

  @inlinable @inline(__always)
  public static func isExactList(_ object: PyPointer) -> Bool { sw_is_exact_list(object) != 0 }

  @inlinable @inline(__always)
  public static func listCount(_ list: PyPointer) -> Int { PyList_Size(list) }

  /// A borrowed reference; `index` is inside the list.
  @inlinable @inline(__always)
  public static func listItem(_ list: PyPointer, _ index: Int) -> PyPointer {
    PyList_GetItem(list, index)!
  }

  // MARK: Tuples

  @inlinable @inline(__always)
  public static func isExactTuple(_ object: PyPointer) -> Bool { sw_is_exact_tuple(object) != 0 }

  @inlinable @inline(__always)
  public static func tupleCount(_ tuple: PyPointer) -> Int { PyTuple_Size(tuple) }

  /// A borrowed reference; `index` is inside the tuple.
  @inlinable @inline(__always)
  public static func tupleItem(_ tuple: PyPointer, _ index: Int) -> PyPointer {
    PyTuple_GetItem(tuple, index)!
  }

  @inlinable @inline(__always)
  public static func newPair(_ first: PyPointer, _ second: PyPointer) -> PyPointer? {
    sw_new_pair(first, second)
  }

  /// `object[index]`.
  @inlinable @inline(__always)
  public static func sequenceItem(_ object: PyPointer, _ index: Int) -> PyPointer? {
    if sw_is_exact_tuple(object) != 0, index < PyTuple_Size(object) {
      let item = PyTuple_GetItem(object, index)!
      sw_retain(item)
      return item
    }
    guard let key = PyLong_FromSsize_t(index) else { return nil }
    defer { sw_release(key) }
    return PyObject_GetItem(object, key)
  }

  /// A new tuple of what `object` iterates over.
  public static func newTuple(from object: PyPointer) -> PyPointer? { PySequence_Tuple(object) }

  // MARK: Values of columns

  @inlinable @inline(__always)
  public static func newInteger(_ value: Int64) -> PyPointer? { PyLong_FromLongLong(value) }

  @inlinable @inline(__always)
  public static func newDouble(_ value: Double) -> PyPointer? { PyFloat_FromDouble(value) }

  @inlinable @inline(__always)
  public static func bool(_ value: Bool) -> PyPointer { retained(value ? sw_true() : sw_false())! }

  /// A new tuple; its items are still to be set.
  @inlinable @inline(__always)
  public static func newTuple(count: Int) -> PyPointer? { PyTuple_New(count) }

  /// Sets an item of a new tuple; takes over the reference.
  @inlinable @inline(__always)
  public static func setItem(_ item: PyPointer, of tuple: PyPointer, at index: Int) {
    PyTuple_SetItem(tuple, index, item)
  }

  /// Takes a tuple that cannot be part of a cycle out of the garbage collector's sight.
  @inlinable @inline(__always)
  public static func untrack(_ tuple: PyPointer) { PyObject_GC_UnTrack(tuple) }

  /// A new list; its items are still to be set.
  @inlinable @inline(__always)
  public static func newList(count: Int) -> PyPointer? { PyList_New(count) }

  /// Sets an item of a new list; takes over the reference.
  @inlinable @inline(__always)
  public static func setListItem(_ item: PyPointer, of list: PyPointer, at index: Int) {
    PyList_SetItem(list, index, item)
  }

  @inlinable @inline(__always)
  public static func isExactText(_ object: PyPointer) -> Bool { sw_is_exact_text(object) != 0 }

  @inlinable @inline(__always)
  public static func isExactInteger(_ object: PyPointer) -> Bool { sw_is_exact_int(object) != 0 }

  @inlinable @inline(__always)
  public static func isExactDouble(_ object: PyPointer) -> Bool { sw_is_exact_float(object) != 0 }

  @inlinable @inline(__always)
  public static func isExactBool(_ object: PyPointer) -> Bool { sw_is_exact_bool(object) != 0 }

  /// The value of an `int`; nil beyond 64 bits.
  @inlinable @inline(__always)
  public static func integer(_ object: PyPointer) -> Int64? {
    var overflow: Int32 = 0
    let value = PyLong_AsLongLongAndOverflow(object, &overflow)
    return overflow == 0 ? value : nil
  }

  /// The value of a `float`.
  @inlinable @inline(__always)
  public static func double(_ object: PyPointer) -> Double { PyFloat_AsDouble(object) }

  /// The UTF-8 of a `str`, which lives as long as the object; nil for one that UTF-8 cannot hold
  /// (lone surrogates).
  @inlinable @inline(__always)
  public static func utf8(of text: PyPointer) -> UnsafeRawBufferPointer? {
    var count = 0
    guard let bytes = PyUnicode_AsUTF8AndSize(text, &count) else {
      PyErr_Clear()
      return nil
    }
    return UnsafeRawBufferPointer(start: bytes, count: count)
  }

  // MARK: Operators

  public enum Arithmetic: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
  }

  @inlinable @inline(__always)
  public static func compute(
    _ operation: Arithmetic, _ a: PyPointer, _ b: PyPointer
  ) -> PyPointer? {
    switch operation {
    case .add: PyNumber_Add(a, b)
    case .subtract: PyNumber_Subtract(a, b)
    case .multiply: PyNumber_Multiply(a, b)
    case .divide: PyNumber_TrueDivide(a, b)
    case .floorDivide: PyNumber_FloorDivide(a, b)
    case .modulo: PyNumber_Remainder(a, b)
    }
  }

  public enum Comparison: String, Sendable {
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
  }

  @inlinable @inline(__always)
  public static func compare(
    _ a: PyPointer, _ comparison: Comparison, _ b: PyPointer
  ) -> PyPointer? {
    let code =
      switch comparison {
      case .less: Py_LT
      case .lessOrEqual: Py_LE
      case .greater: Py_GT
      case .greaterOrEqual: Py_GE
      case .equal: Py_EQ
      case .notEqual: Py_NE
      }
    return PyObject_RichCompare(a, b, code)
  }

  /// `item in container`: 1 true, 0 false, -1 exception.
  @inlinable @inline(__always)
  public static func contains(_ container: PyPointer, _ item: PyPointer) -> Int32 {
    PySequence_Contains(container, item)
  }

  @inlinable @inline(__always)
  public static func negative(_ object: PyPointer) -> PyPointer? { PyNumber_Negative(object) }

  // MARK: Keys

  /// `hash(object)`; -1 with an exception set.
  @inlinable @inline(__always)
  public static func hash(_ object: PyPointer) -> Int { PyObject_Hash(object) }

  /// `a is b or a == b`: 1 true, 0 false, -1 exception.
  @inlinable @inline(__always)
  public static func equal(_ a: PyPointer, _ b: PyPointer) -> Int32 {
    a == b ? 1 : PyObject_RichCompareBool(a, b, Py_EQ)
  }

  /// Asks for the memory at an address that is read soon.
  @inlinable @inline(__always)
  public static func prefetch(_ address: UnsafeRawPointer) { sw_prefetch(address) }

  // MARK: Iterators

  @inlinable @inline(__always)
  public static func iterator(over object: PyPointer) -> PyPointer? {
    here(PyObject_GetIter(object))
  }

  /// Nil at the end, or with an exception set.
  @inlinable @inline(__always)
  public static func next(_ iterator: PyPointer) -> PyPointer? { here(PyIter_Next(iterator)) }

  // MARK: State

  @inlinable @inline(__always)
  public static var isExceptionSet: Bool { PyErr_Occurred() != nil }

  public static func clearException() { PyErr_Clear() }

  public static func isCallable(_ object: PyPointer) -> Bool { PyCallable_Check(object) != 0 }

  /// A new reference to None.
  @inlinable @inline(__always)
  public static func none() -> PyPointer {
    let none = sw_none()!
    sw_retain(none)
    return none
  }

  /// None, borrowed: it is never gone.
  public static var borrowedNone: PyPointer { sw_none() }

  @inlinable @inline(__always)
  public static func isNone(_ object: PyPointer) -> Bool { object == sw_none() }

  /// Where unpacking failed because `record` cannot be iterated over: says so as Python does.
  public static func restateUnpacking(of record: PyPointer) {
    // An object can get another type while this one is asked.
    let type = sw_type(record)!
    sw_retain(type)
    defer { sw_release(type) }
    guard PyErr_ExceptionMatches(sw_exception_type_error()) != 0,
      let iterator = PyObject_GetAttrString(type, "__iter__")
    else {
      if PyErr_Occurred() == nil || PyErr_ExceptionMatches(sw_exception_attribute_error()) != 0 {
        PyErr_Clear()
        let name = sw_type_name(type)
        defer { if let name { sw_release(name) } }
        let text = name.flatMap { name in Interpreter.called { $0.text(of: name) } }
        raise(.typeError, "cannot unpack non-iterable \(text ?? "unknown") object")
      }
      return
    }
    sw_release(iterator)
  }

  /// Sets a `ValueError` or `TypeError`.
  public static func raise(_ kind: ExceptionKind, _ message: String) {
    PyErr_SetString(kind.type, message)
  }

  /// Sets the `OSError` for a system call's error number.
  public static func raise(systemError code: Int32, at path: [UInt8]) {
    (path.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer {
      sw_raise_system_error(code, $0.baseAddress)
    }
  }
}

/// Exceptions that the native side raises itself.
public enum ExceptionKind: Sendable {
  case typeError
  case valueError
  case runtimeError
  case osError
  case fileNotFoundError
  case memoryError

  var type: PyPointer {
    switch self {
    case .typeError: sw_exception_type_error()
    case .valueError: sw_exception_value_error()
    case .runtimeError: sw_exception_runtime_error()
    case .osError: sw_exception_os_error()
    case .fileNotFoundError: sw_exception_file_not_found_error()
    case .memoryError: sw_exception_memory_error()
    }
  }
}
