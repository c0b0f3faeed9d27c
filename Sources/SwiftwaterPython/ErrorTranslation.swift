import CSignals
import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

// The one place where Swift errors become Python exceptions.

/// Sets the Python exception for an error of any kind.
func raise(_ error: any Error, _ py: borrowing Python) {
  switch error {
  case let error as PythonError: error.restore(py)
  case let error as ArgumentError: Py.raise(.typeError, error.description)
  case .illegalState(let message) as EngineError: raiseIllegalState(message, py)
  case let error as EngineError: Py.raise(kind(of: error), error.message)
  case let error as FileFailure: Py.raise(systemError: error.code, at: error.path.bytes)
  default: Py.raise(.runtimeError, String(describing: error))
  }
}

/// The Python half has a class for it, which is a `RuntimeError` too.
private func raiseIllegalState(_ message: String, _ py: borrowing Python) {
  guard
    let type = py.attempt({ try py.importing("IllegalStateException", from: "swiftwater.errors") })
  else {
    return Py.raise(.runtimeError, message)
  }
  py.raise(type, message)
}

private func kind(of error: EngineError) -> ExceptionKind {
  switch error {
  case .invalidArgument: .valueError
  case .illegalState, .cancelled: .runtimeError
  case .unavailable: .osError
  case .missing: .fileNotFoundError
  }
}

/// What every native function does around its body: refuses to work in a forked process, and turns
/// errors into exceptions.
func entry(
  _ arguments: PyPointer?, count: Int, _ body: (borrowing Python, Arguments) throws -> PyPointer?
) -> PyPointer? {
  withCall(arguments, translate: raise) { py, arguments in
    guard !sw_is_forked() else {
      throw EngineError.illegalState(
        "this process was made by os.fork() from one that uses Swiftwater: the engine's threads do "
          + "not exist here. Use subprocess or multiprocessing's 'spawn' start method instead")
    }
    try arguments.check(count: count)
    return try body(py, arguments)
  }
}

/// Asks the Python half where an exception that is no `Exception` came from.
func comesFromOutside(_ exception: PyPointer) -> Bool {
  Interpreter.called { py in
    guard
      let ask = py.attempt({ try py.importing("comes_from_outside", from: "swiftwater._outside") }),
      let answer = ask.call(exception)
    else {
      py.dropException()
      return true
    }
    defer { Py.release(answer) }
    return Py.truth(answer) == 1
  }
}
