import CPython

// Values from Swift to Python and back. Each function that returns a `PyPointer` gives a new
// reference, or nil with an exception set.
extension Python {
  public func newText(_ text: String) -> PyPointer? {
    var text = text
    return text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        PyUnicode_DecodeUTF8(characters.baseAddress, characters.count, nil)
      }
    }
  }

  /// A path as Python has it: bytes that are not in the file system's encoding stay as they are.
  public func newText(path: [UInt8]) -> PyPointer? {
    path.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        PyUnicode_DecodeFSDefaultAndSize(characters.baseAddress, characters.count)
      }
    }
  }

  /// An attribute, new; nil, and no exception, where there is none.
  public func attribute(_ name: StaticString, of object: PyPointer) -> PyPointer? {
    let value = name.withUTF8Buffer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        PyObject_GetAttrString(object, characters.baseAddress!)
      }
    }
    if value == nil { PyErr_Clear() }
    return value
  }

  public func newInteger(_ value: Int) -> PyPointer? { PyLong_FromSsize_t(value) }

  public func newBool(_ value: Bool) -> PyPointer {
    let object = (value ? sw_true() : sw_false())!
    sw_retain(object)
    return object
  }

  public func newBytes(_ bytes: UnsafeRawBufferPointer) -> PyPointer? {
    PyBytes_FromStringAndSize(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
  }

  /// A new list; takes over the references in `items`. Where one could not be made, its exception
  /// is set, and nothing is left of the others.
  public func newList(_ items: [PyPointer?]) -> PyPointer? {
    if let made = whole(items) { return newList(made) }
    for case let item? in items { sw_release(item) }
    return nil
  }

  /// As ``newList(_:)``, for items of which none is missing.
  public func newList(_ items: [PyPointer]) -> PyPointer? {
    guard let list = PyList_New(items.count) else {
      for item in items { sw_release(item) }
      return nil
    }
    for (index, item) in items.enumerated() { PyList_SetItem(list, index, item) }
    return list
  }

  /// As ``newList(_:)``, a tuple.
  public func newTuple(_ items: [PyPointer?]) -> PyPointer? {
    guard let made = whole(items), let tuple = PyTuple_New(made.count) else {
      for case let item? in items { sw_release(item) }
      return nil
    }
    for (index, item) in made.enumerated() { PyTuple_SetItem(tuple, index, item) }
    return tuple
  }

  private func whole(_ items: [PyPointer?]) -> [PyPointer]? {
    let made = items.compactMap(\.self)
    return made.count == items.count ? made : nil
  }

  /// The text of a `str`; nil for anything else, or one that UTF-8 cannot hold (lone surrogates).
  public func text(of object: PyPointer) -> String? {
    guard sw_is_text(object) != 0 else { return nil }
    var count = 0
    guard let bytes = PyUnicode_AsUTF8AndSize(object, &count) else {
      PyErr_Clear()
      return nil
    }
    return String(
      decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
  }

  /// The value of an `int` of 64 bits; nil for anything else.
  public func integer(of object: PyPointer) -> Int? {
    guard sw_is_exact_int(object) != 0 else { return nil }
    let value = PyLong_AsSsize_t(object)
    if value == -1, PyErr_Occurred() != nil {
      PyErr_Clear()
      return nil
    }
    return value
  }

  /// `repr(object)`, cut to `limit` characters; a substitute when `repr` raises. Leaves no
  /// exception, and one that is set as it is.
  public func describe(_ object: PyPointer, limit: Int) -> String {
    var type: PyPointer?
    var value: PyPointer?
    var traceback: PyPointer?
    PyErr_Fetch(&type, &value, &traceback)
    defer { PyErr_Restore(type, value, traceback) }
    // Of a long text no more is looked at than is shown.
    let isLong = isLongerText(object, than: limit)
    guard let shown = isLong ? PySequence_GetSlice(object, 0, limit) : Py.retained(object) else {
      PyErr_Clear()
      return "<not printable>"
    }
    defer { sw_release(shown) }
    guard let representation = PyObject_Repr(shown) else {
      dropException()
      return "<a record whose repr() fails>"
    }
    defer { sw_release(representation) }
    if isLongerText(representation, than: limit) {
      guard let part = PySequence_GetSlice(representation, 0, limit) else {
        PyErr_Clear()
        return "<not printable>"
      }
      defer { sw_release(part) }
      return (text(of: part) ?? "<not printable>") + "..."
    }
    return (text(of: representation) ?? "<not printable>") + (isLong ? "..." : "")
  }

  private func isLongerText(_ object: PyPointer, than limit: Int) -> Bool {
    (sw_is_exact_text(object) != 0 || sw_is_exact_bytes(object) != 0)
      && PySequence_Size(object) > limit
  }

  /// Runs Python's signal handlers, on the main thread.
  ///
  /// - Throws: ``PythonError``, what a handler raised.
  public func runSignalHandlers() throws {
    if PyErr_CheckSignals() != 0 { throw PythonError.fetch(self) }
  }

  /// Runs `body`, which makes objects and calls none of Python's code, without looks for garbage
  /// in between.
  public func withoutGarbageCollection<R>(_ body: () throws -> R) rethrows -> R {
    let wasEnabled = PyGC_Disable() != 0
    defer { if wasEnabled { PyGC_Enable() } }
    return try body()
  }

  /// `module.attribute`.
  ///
  /// - Throws: ``PythonError``.
  public func importing(_ attribute: String, from module: String) throws -> PythonObject {
    guard let module = PyImport_ImportModule(module) else { throw PythonError.fetch(self) }
    defer { sw_release(module) }
    guard let value = PyObject_GetAttrString(module, attribute) else {
      throw PythonError.fetch(self)
    }
    return PythonObject(owning: value)
  }

  /// What `sys` has under a name; nil where it has nothing.
  public func system(_ name: StaticString) -> PythonObject? {
    name.withUTF8Buffer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        PySys_GetObject(characters.baseAddress!).map { PythonObject(borrowing: $0) }
      }
    }
  }

  /// Calls `object.method()` without arguments.
  ///
  /// - Throws: ``PythonError``.
  public func callMethod(_ method: String, of object: PythonObject) throws {
    guard let function = PyObject_GetAttrString(object.pointer, method) else {
      throw PythonError.fetch(self)
    }
    try callWithoutArguments(PythonObject(owning: function))
  }

  /// Calls `function()`, and drops what it returns.
  ///
  /// - Throws: ``PythonError``.
  public func callWithoutArguments(_ function: PythonObject) throws {
    let result = withExtendedLifetime(function) { PyObject_CallObject(function.pointer, nil) }
    guard let result else { throw PythonError.fetch(self) }
    sw_release(result)
  }
}

/// The positional arguments of a call from Python, read by place and type. References are
/// borrowed from the call.
public struct Arguments {
  private let tuple: PyPointer
  public let count: Int

  init(_ tuple: PyPointer) {
    self.tuple = tuple
    count = PyTuple_Size(tuple)
  }

  /// - Throws: ``ArgumentError`` unless there are `expected` arguments.
  public func check(count expected: Int) throws {
    guard count == expected else {
      throw ArgumentError("expected \(expected) arguments, got \(count)")
    }
  }

  public subscript(index: Int) -> PyPointer { PyTuple_GetItem(tuple, index)! }

  public func isNone(_ index: Int) -> Bool { Py.isNone(self[index]) }

  /// The text of a `str`; what UTF-8 cannot hold (a file name's odd bytes) is shown as `?`.
  public func text(_ index: Int, _ py: borrowing Python) throws -> String {
    if let text = py.text(of: self[index]) { return text }
    guard sw_is_text(self[index]) != 0,
      let bytes = PyUnicode_AsEncodedString(self[index], "utf-8", "replace")
    else {
      PyErr_Clear()
      throw wrong(index, "str")
    }
    defer { sw_release(bytes) }
    return String(
      decoding: UnsafeRawBufferPointer(
        start: PyBytes_AsString(bytes), count: PyBytes_Size(bytes)), as: UTF8.self)
  }

  public func integer(_ index: Int) throws -> Int {
    let value = Interpreter.called { py in py.integer(of: self[index]) }
    guard let value else { throw wrong(index, "int of 64 bits") }
    return value
  }

  public func bool(_ index: Int) throws -> Bool {
    guard sw_is_exact_bool(self[index]) != 0 else { throw wrong(index, "bool") }
    return Py.truth(self[index]) == 1
  }

  /// Seconds, from a float or an int.
  public func seconds(_ index: Int) throws -> Double {
    let value = PyFloat_AsDouble(self[index])
    if value == -1, PyErr_Occurred() != nil {
      PyErr_Clear()
      throw wrong(index, "number of seconds")
    }
    return value
  }

  /// The items of a list or tuple, as they are now.
  public func sequence(_ index: Int) throws -> Items {
    guard sw_is_list(self[index]) != 0 || sw_is_tuple(self[index]) != 0 else {
      throw wrong(index, "list or tuple")
    }
    guard let tuple = PySequence_Tuple(self[index]) else {
      throw Interpreter.called { py in PythonError.fetch(py) }
    }
    return Items(PythonObject(owning: tuple))
  }

  /// The numbers in any sequence, such as a `range`.
  public func integers(_ index: Int, _ py: borrowing Python) throws -> [Int] {
    guard let tuple = PySequence_Tuple(self[index]) else {
      PyErr_Clear()
      throw wrong(index, "sequence of int")
    }
    defer { sw_release(tuple) }
    return try (0..<PyTuple_Size(tuple)).map { place in
      guard let value = py.integer(of: PyTuple_GetItem(tuple, place)!) else {
        throw wrong(index, "sequence of int")
      }
      return value
    }
  }

  public func bytes(_ index: Int) throws -> [UInt8] {
    guard sw_is_exact_bytes(self[index]) != 0 else { throw wrong(index, "bytes") }
    return try PythonInterop.bytes(of: self[index])
  }

  /// The entries of a dict whose keys and values are text.
  public func textDictionary(_ index: Int, _ py: borrowing Python) throws -> [String: String] {
    guard sw_is_exact_dict(self[index]) != 0, let items = PyMapping_Items(self[index]) else {
      PyErr_Clear()
      throw wrong(index, "dict")
    }
    defer { sw_release(items) }
    var result: [String: String] = [:]
    for place in 0..<PyList_Size(items) {
      let pair = PyList_GetItem(items, place)!
      guard let key = py.text(of: PyTuple_GetItem(pair, 0)),
        let value = py.text(of: PyTuple_GetItem(pair, 1))
      else { throw wrong(index, "dict of str") }
      result[key] = value
    }
    return result
  }

  /// The object behind a handle.
  public func handle<Value: AnyObject>(
    _ index: Int, as type: Value.Type = Value.self
  ) throws -> Value {
    guard let value = HandleType.value(of: self[index]) as? Value else {
      throw wrong(index, "handle of \(Value.self)")
    }
    return value
  }

  private func wrong(_ index: Int, _ expected: String) -> ArgumentError {
    ArgumentError("argument \(index + 1) must be: \(expected)")
  }
}

/// The items of a sequence, which they outlive: Python's code may change a list while they are in use.
/// They live as long as this.
public struct Items: RandomAccessCollection {
  private let tuple: PythonObject
  public let endIndex: Int
  public var startIndex: Int { 0 }

  init(_ tuple: PythonObject) {
    self.tuple = tuple
    endIndex = PyTuple_Size(tuple.pointer)
  }

  /// Borrowed from this.
  public subscript(index: Int) -> PyPointer { PyTuple_GetItem(tuple.pointer, index)! }
}

/// The contents of a `bytes` object.
///
/// - Throws: ``ArgumentError`` for another object.
public func bytes(of object: PyPointer) throws -> [UInt8] {
  Array(try bytesBorrowed(from: object))
}

/// The content of a `bytes`, which lives as long as the object.
///
/// - Throws: ``ArgumentError`` for another object.
public func bytesBorrowed(from object: PyPointer) throws -> UnsafeRawBufferPointer {
  guard sw_is_exact_bytes(object) != 0 else { throw ArgumentError("bytes are expected") }
  let start = UnsafeRawPointer(PyBytes_AsString(object)!)
  return UnsafeRawBufferPointer(start: start, count: PyBytes_Size(object))
}

/// The items of a list or tuple, borrowed; nil for another object. Only for what this package has made,
/// and nobody changes.
public func pointers(in object: PyPointer) -> [PyPointer]? {
  if sw_is_list(object) != 0 {
    return (0..<PyList_Size(object)).map { PyList_GetItem(object, $0)! }
  }
  if sw_is_tuple(object) != 0 {
    return (0..<PyTuple_Size(object)).map { PyTuple_GetItem(object, $0)! }
  }
  return nil
}

/// An argument of the wrong type: a `TypeError` in Python.
public struct ArgumentError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}

extension Python {
  /// `str(datetime.fromtimestamp(milliseconds / 1000))`: local time, as PySpark prints it.
  public func localTimeText(milliseconds: Int64) -> String {
    let fallback = "\(milliseconds) ms"
    guard let type = attempt({ try importing("datetime", from: "datetime") }),
      let method = PyObject_GetAttrString(type.pointer, "fromtimestamp")
    else {
      dropException()
      return fallback
    }
    defer { sw_release(method) }
    guard let seconds = PyFloat_FromDouble(Double(milliseconds) / 1000) else {
      dropException()
      return fallback
    }
    defer { sw_release(seconds) }
    guard let time = sw_call1(method, seconds) else {
      dropException()
      return fallback
    }
    defer { sw_release(time) }
    guard let text = PyObject_Str(time) else {
      dropException()
      return fallback
    }
    defer { sw_release(text) }
    return self.text(of: text) ?? fallback
  }
}

extension Python {
  /// Sets an exception of a class of Python's.
  public func raise(_ type: PythonObject, _ message: String) {
    withExtendedLifetime(type) { PyErr_SetString(type.pointer, message) }
  }

  /// Clears the exception that is set where it is an `Exception`; false for an interrupt or an exit,
  /// which stays.
  public func dropOrdinaryException() -> Bool {
    guard PyErr_Occurred() != nil else { return true }
    guard PyErr_ExceptionMatches(sw_exception_exception()) != 0 else { return false }
    PyErr_Clear()
    return true
  }
}
