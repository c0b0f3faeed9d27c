import CPython
import CSignals

/// A function that Python calls: the module and a tuple of arguments, both borrowed.
public typealias NativeFunction = @convention(c) (PyPointer?, PyPointer?) -> PyPointer?

/// Makes the native module. Called once, from its `PyInit_` function.
public enum NativeModule {
  /// - Parameters:
  ///   - name: what Python imports.
  ///   - functions: name, function, documentation.
  ///   - constants: added to the module as they are; takes over the references.
  /// - Returns: a new reference; nil with an exception set.
  public static func make(
    name: String, functions: [(String, NativeFunction, String)],
    constants: [(String, PyPointer?)]
  ) -> PyPointer? {
    // CPython keeps these structures for the life of the process; they are never freed.
    let methods = UnsafeMutablePointer<PyMethodDef>.allocate(capacity: functions.count + 1)
    for (index, (name, function, documentation)) in functions.enumerated() {
      (methods + index).initialize(
        to: PyMethodDef(
          ml_name: permanent(name), ml_meth: function, ml_flags: METH_VARARGS,
          ml_doc: permanent(documentation)))
    }
    (methods + functions.count).initialize(to: PyMethodDef())
    let definition = UnsafeMutablePointer<PyModuleDef>.allocate(capacity: 1)
    definition.initialize(to: PyModuleDef())
    definition.pointee.m_name = permanent(name)
    definition.pointee.m_size = -1
    definition.pointee.m_methods = methods

    guard let module = sw_new_module(definition) else { return nil }
    guard HandleType.register(in: module), RecordIteratorType.register(in: module) else {
      sw_release(module)
      return nil
    }
    for (name, value) in constants {
      guard let value, PyModule_AddObjectRef(module, name, value) == 0 else {
        sw_release(module)
        return nil
      }
      sw_release(value)
    }
    return module
  }

  /// The minor version of Python 3 that this was compiled for.
  public static var compiledMinorVersion: Int { Int(sw_compiled_minor()) }

  /// The minor version of the Python 3 that runs.
  public static let minorVersion: Int = {
    // SAFETY: the text is static. It begins as "3.11.2 (main, ...".
    let version = String(cString: Py_GetVersion())
    let fields = version.split(separator: ".")
    return fields.count > 1 ? Int(fields[1]) ?? compiledMinorVersion : compiledMinorVersion
  }()

  static func permanent(_ text: String) -> UnsafePointer<CChar> {
    let bytes = Array(text.utf8CString)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    return UnsafePointer(copy)
  }
}

/// Reads a call's arguments and gives them to `body`.
///
/// - Parameters:
///   - translate: sets a Python exception for an error that is not Python's own.
public func withCall(
  _ arguments: PyPointer?, translate: (any Error, borrowing Python) -> Void,
  _ body: (borrowing Python, Arguments) throws -> PyPointer?
) -> PyPointer? {
  Interpreter.called { py in
    do {
      return try body(py, Arguments(arguments!))
    } catch let error {
      if let error = error as? PythonError {
        error.restore(py)
      } else if let error = error as? ArgumentError {
        Py.raise(.typeError, error.description)
      } else {
        translate(error, py)
      }
      return nil
    }
  }
}

/// The Python type `Handle`: owns one Swift object.
public enum HandleType {
  /// What lies behind a handle's Python header.
  private static let offset = MemoryLayout<PyObject>.size

  // SAFETY (nonisolated(unsafe)): written once, while the module is being made, and read by
  // threads that hold the interpreter.
  nonisolated(unsafe) private static var type: PyPointer?

  static func register(in module: PyPointer) -> Bool {
    type = makeHeapType(
      name: "_swiftwater.Handle", size: offset + MemoryLayout<UnsafeRawPointer>.size,
      slots: [
        slot(Py_tp_dealloc, unsafeBitCast(deallocateBoxed, to: UnsafeMutableRawPointer.self))
      ])
    return type.map { PyModule_AddObjectRef(module, "Handle", $0) == 0 } ?? false
  }

  /// A new handle.
  public static func make(_ value: AnyObject) -> PyPointer? {
    guard let type else { preconditionFailure("the module is not made yet") }
    return makeBoxed(type: type, value)
  }

  /// The Swift object; nil when `object` is not a handle.
  public static func value(of object: PyPointer) -> AnyObject? {
    // Exactly: nothing can be derived from it, and what an object says of its class, which may be
    // anything, does not count.
    guard let type, sw_type(object) == type else { return nil }
    return boxed(in: object)
  }
}

/// What a ``RecordIteratorType`` hands out.
public protocol RecordSequence: AnyObject {
  /// The next record as a new reference; nil at the end, or with an exception set.
  func nextRecord() -> PyPointer?
}

/// The Python type of the iterator that `mapPartitions` functions are given.
public enum RecordIteratorType {
  // SAFETY (nonisolated(unsafe)): as `HandleType.type`.
  nonisolated(unsafe) private static var type: PyPointer?

  private static let next: @convention(c) (PyPointer?) -> PyPointer? = { object in
    // What the records are made of is the parent's: its other threads, sockets to its workers.
    if sw_is_forked() {
      Py.raise(
        .runtimeError,
        "the records of a partition cannot be read in a process that its function has forked: make "
          + "a list of them before")
      return nil
    }
    // Invariant: `make` is the only place that makes objects of this type.
    return (boxed(in: object!) as! any RecordSequence).nextRecord()
  }

  static func register(in module: PyPointer) -> Bool {
    type = makeHeapType(
      name: "_swiftwater.RecordIterator",
      size: MemoryLayout<PyObject>.size + MemoryLayout<UnsafeRawPointer>.size,
      slots: [
        slot(Py_tp_dealloc, unsafeBitCast(deallocateBoxed, to: UnsafeMutableRawPointer.self)),
        slot(Py_tp_iter, unsafeBitCast(returnSelf, to: UnsafeMutableRawPointer.self)),
        slot(Py_tp_iternext, unsafeBitCast(next, to: UnsafeMutableRawPointer.self)),
      ])
    return type.map { PyModule_AddObjectRef(module, "RecordIterator", $0) == 0 } ?? false
  }

  /// What an iterator hands out; nil where `object` is none.
  public static func records(of object: PyPointer) -> (any RecordSequence)? {
    // Exactly, as a handle.
    guard let type, sw_type(object) == type else { return nil }
    return boxed(in: object) as? any RecordSequence
  }

  /// A new iterator.
  public static func make(_ records: any RecordSequence) -> PyPointer? {
    guard let type else { preconditionFailure("the module is not made yet") }
    return makeBoxed(type: type, records)
  }
}

// MARK: - Objects of the two types: a Python header, then one retained Swift reference.

private func slot(_ number: Int32, _ function: UnsafeMutableRawPointer) -> PyType_Slot {
  PyType_Slot(slot: number, pfunc: function)
}

private func makeHeapType(name: String, size: Int, slots: [PyType_Slot]) -> PyPointer? {
  var slots = slots + [PyType_Slot(slot: 0, pfunc: nil)]
  return slots.withUnsafeMutableBufferPointer { slots in
    var specification = PyType_Spec(
      name: NativeModule.permanent(name), basicsize: Int32(size), itemsize: 0,
      flags: UInt32(Py_TPFLAGS_DISALLOW_INSTANTIATION), slots: slots.baseAddress)
    return PyType_FromSpec(&specification)
  }
}

private func makeBoxed(type: PyPointer, _ value: AnyObject) -> PyPointer? {
  guard let object = sw_allocate(type) else { return nil }
  // SAFETY: the types of this file have room for one pointer behind the header.
  UnsafeMutableRawPointer(object).storeBytes(
    of: Unmanaged.passRetained(value).toOpaque(), toByteOffset: MemoryLayout<PyObject>.size,
    as: UnsafeMutableRawPointer?.self)
  return object
}

private func boxed(in object: PyPointer) -> AnyObject {
  // SAFETY: `makeBoxed` stored a retained reference there, and the object is alive.
  let pointer = UnsafeMutableRawPointer(object).load(
    fromByteOffset: MemoryLayout<PyObject>.size, as: UnsafeMutableRawPointer?.self)!
  return Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue()
}

private let deallocateBoxed: @convention(c) (PyPointer?) -> Void = { object in
  guard let object else { return }
  let type = sw_type(object)!
  // SAFETY: as in `boxed`; the reference is given up exactly once, here.
  let pointer = UnsafeMutableRawPointer(object).load(
    fromByteOffset: MemoryLayout<PyObject>.size, as: UnsafeMutableRawPointer?.self)
  if let pointer { Unmanaged<AnyObject>.fromOpaque(pointer).release() }
  PyObject_Free(object)
  // An object of a heap type holds a reference to its type.
  sw_release(type)
}

private let returnSelf: @convention(c) (PyPointer?) -> PyPointer? = { object in
  sw_retain(object!)
  return object
}
