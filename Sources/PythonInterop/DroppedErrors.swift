import CPython
import CSignals
import Glibc

/// Errors that go no further, because the engine can do without what failed.
///
/// Python runs the handlers of signals in whatever the main thread is at. So what such a handler
/// raises may come up in a call that has nothing to do with it, and must not be lost with the call's
/// own failures: the signal is asked for again, and the main thread hears of it at its next look.
extension Python {
  /// What `body` gives; nil where it throws.
  @discardableResult
  public func attempt<R>(_ body: () throws -> R) -> R? {
    do {
      return try body()
    } catch {
      if let error = error as? PythonError { error.askAgain(self) }
      return nil
    }
  }

  /// Clears the exception that is set, if any.
  public func dropException() {
    guard PyErr_Occurred() != nil else { return }
    var type: PyPointer?
    var value: PyPointer?
    var traceback: PyPointer?
    PyErr_Fetch(&type, &value, &traceback)
    PyErr_NormalizeException(&type, &value, &traceback)
    if let value { askAgain(for: value) }
    for each in [type, value, traceback] { each.map(Py.release) }
  }

  /// Has the signal handled again whose handler has raised `exception`, if one has.
  ///
  /// - Returns: whether one has.
  @discardableResult
  fileprivate func askAgain(for exception: PyPointer) -> Bool {
    // A request to another thread is no signal, and that thread has heard it.
    guard sw_is_main_thread(), let number = signalNumber(of: exception) else { return false }
    PyErr_SetInterruptEx(number)
    return true
  }

  /// That of the handlers that Python and the engine have for signals which end a program.
  private func signalNumber(of exception: PyPointer) -> CInt? {
    if PyErr_GivenExceptionMatches(exception, sw_exception_keyboard_interrupt()) != 0 {
      return SIGINT
    }
    guard PyErr_GivenExceptionMatches(exception, sw_exception_system_exit()) != 0 else {
      return nil
    }
    guard let code = PyObject_GetAttrString(exception, "code") else {
      PyErr_Clear()
      return nil
    }
    defer { sw_release(code) }
    return [SIGTERM, SIGHUP].first { integer(of: code) == 128 + Int($0) }
  }
}

extension PythonError {
  /// Has the signal handled again whose handler has raised this, if one has.
  ///
  /// - Returns: whether one has.
  @discardableResult
  public func askAgain(_ py: borrowing Python) -> Bool { py.askAgain(for: exception.pointer) }
}

/// True for what a signal's handler has raised in the middle of something else: the signal is handled
/// again then.
public func isOfSignal(_ error: any Error) -> Bool {
  guard let error = error as? PythonError else { return false }
  return Interpreter.attach { py in error.askAgain(py) }
}
