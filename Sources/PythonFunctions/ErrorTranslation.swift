import PythonInterop
import SwiftwaterCore

// The one place where Swift errors become Python exceptions.

/// Sets the Python exception for an error of any kind.
package func raise(_ error: any Error, _ py: borrowing Python) {
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
