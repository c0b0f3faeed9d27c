import CPython
import Synchronization

/// A Python exception on its way through Swift: the instance with its type and traceback.
public struct PythonError: Error, CustomStringConvertible {
  public let exception: PythonObject
  private let traceback: Traceback
  private var summary: String
  /// It was seen to come from outside of all functions; its traceback may not show that any more.
  private var isFromOutside = false

  /// That of the exception, wherever the error is.
  private final class Traceback: Sendable {
    private let object: Mutex<PythonObject?>

    /// Takes over the reference.
    init(owning pointer: PyPointer?) {
      object = Mutex(pointer.map { PythonObject(owning: $0) })
    }

    var current: PythonObject? { object.withLock { $0 } }

    func replace(by new: PythonObject?) {
      let old = object.withLock { object -> PythonObject? in
        defer { object = new }
        return object
      }
      // What goes here may run Python's code: not under the lock.
      withExtendedLifetime(old) {}
    }
  }

  /// Takes the exception that is set on this thread.
  ///
  /// - Precondition: one is set.
  public static func fetch(_ py: borrowing Python) -> PythonError {
    var type: PyPointer?
    var value: PyPointer?
    var traceback: PyPointer?
    PyErr_Fetch(&type, &value, &traceback)
    PyErr_NormalizeException(&type, &value, &traceback)
    guard let type, let value else { preconditionFailure("no Python exception is set") }
    sw_release(type)
    if let traceback { PyException_SetTraceback(value, traceback) }
    return PythonError(
      exception: PythonObject(owning: value),
      traceback: Traceback(owning: traceback),
      summary: Self.summary(of: value))
  }

  /// As ``fetch(_:)``, for what a user's function raised. A `StopIteration` becomes a `RuntimeError`
  /// with it as the cause, because an iterator around the function would take it for its end, and so
  /// does all that is no `Exception` (`SystemExit`, `KeyboardInterrupt`, ...), because only the
  /// program itself decides on its end; but see ``comesFromOutside``.
  ///
  /// Spark: `fail_on_stopiteration`; whatever else is raised in a worker is a failed task.
  public static func fetchFromFunction(_ py: borrowing Python) -> PythonError {
    let error = fetch(py)
    guard PyErr_GivenExceptionMatches(error.exception.pointer, sw_exception_stop_iteration()) != 0
    else { return error.asException(py) }
    return error.replaced(by: "Caught StopIteration", py)
  }

  // SAFETY (nonisolated(unsafe)): set once, while the module is made; read by threads that hold the
  // interpreter.
  /// Whether an exception that is no `Exception` came from outside of the function that it was
  /// raised in: from a signal's handler, or from who wants the function to end. Such ones stay.
  nonisolated(unsafe) public static var comesFromOutside: (PyPointer) -> Bool = { _ in true }

  /// The error itself where it is an `Exception` or comes from outside, else one with it as the cause.
  private func asException(_ py: borrowing Python) -> PythonError {
    let value = exception.pointer
    if isFromOutside || PyErr_GivenExceptionMatches(value, sw_exception_exception()) != 0 {
      return self
    }
    guard Self.comesFromOutside(value) else { return replaced(by: "Caught \(summary)", py) }
    var known = self
    known.isFromOutside = true
    return known
  }

  /// Whether it is an `Exception`: an interrupt is none.
  public func isException(_ py: borrowing Python) -> Bool {
    PyErr_GivenExceptionMatches(exception.pointer, sw_exception_exception()) != 0
  }

  private func replaced(by words: String, _ py: borrowing Python) -> PythonError {
    let value = exception.pointer
    Py.raise(.runtimeError, "\(words) thrown from user's code; failing the task")
    let failure = Self.fetch(py)
    sw_retain(value)
    PyException_SetCause(failure.exception.pointer, value)
    return failure
  }

  /// An exception that nobody has raised here, with the traceback that it has. Where it was raised it
  /// has been looked at.
  public static func of(_ exception: PythonObject, _ py: borrowing Python) -> PythonError {
    PythonError(
      exception: exception,
      traceback: Traceback(owning: PyException_GetTraceback(exception.pointer)),
      summary: Self.summary(of: exception.pointer), isFromOutside: true)
  }

  /// Memory was lacking.
  public var isMemoryError: Bool {
    Interpreter.attach { _ in
      PyErr_GivenExceptionMatches(exception.pointer, sw_exception_memory_error()) != 0
    }
  }

  /// Sets the exception on this thread again, with the traceback that it had.
  ///
  /// Also where it was raised by code that runs for the engine, by a record's own methods for
  /// example, it ends no more than the job (see ``fetchFromFunction(_:)``).
  public func restore(_ py: borrowing Python) { asException(py).set() }

  private func set() {
    resetTraceback()
    let value = exception.pointer
    PyErr_SetObject(sw_type(value), value)
  }

  private func resetTraceback() {
    let traceback = traceback.current
    withExtendedLifetime(traceback) {
      _ = PyException_SetTraceback(exception.pointer, traceback?.pointer ?? sw_none())
    }
  }

  /// Has `body` give the exception another traceback, which is the error's from then on.
  public func replacingTraceback(
    _ py: borrowing Python, _ body: (PythonObject) throws -> Void
  ) rethrows {
    resetTraceback()
    try body(exception)
    let new = PyException_GetTraceback(exception.pointer)
    traceback.replace(by: new.map { PythonObject(owning: $0) })
  }

  /// Adds a line that Python shows below the exception, unless `marker` is in one already.
  public mutating func addNote(_ note: String, unless marker: String, _ py: borrowing Python) {
    let notes = PyObject_GetAttrString(exception.pointer, "__notes__")
    if let notes {
      defer { sw_release(notes) }
      let text = py.describe(notes, limit: .max)
      if text.contains(marker) { return }
    } else {
      PyErr_Clear()
    }
    guard let text = py.newText(note) else { return PyErr_Clear() }
    defer { sw_release(text) }
    guard let name = py.newText("add_note") else { return PyErr_Clear() }
    defer { sw_release(name) }
    guard let method = PyObject_GetAttr(exception.pointer, name) else { return PyErr_Clear() }
    defer { sw_release(method) }
    guard let result = sw_call1(method, text) else { return py.dropException() }
    sw_release(result)
    summary += " (\(note))"
  }

  /// The type and the message, for the log: one line.
  public var description: String { summary }

  private static func summary(of value: PyPointer) -> String {
    Interpreter.called { py in
      let name = sw_type_name(sw_type(value)).map { name -> String in
        defer { sw_release(name) }
        return py.text(of: name) ?? "exception"
      }
      guard let text = PyObject_Str(value) else {
        py.dropException()
        return name ?? "exception"
      }
      defer { sw_release(text) }
      let message = (py.text(of: text) ?? "").split(separator: "\n").joined(separator: " ")
      let short = message.count > 200 ? message.prefix(200) + "..." : message[...]
      return short.isEmpty ? name ?? "exception" : "\(name ?? "exception"): \(short)"
    }
  }
}
