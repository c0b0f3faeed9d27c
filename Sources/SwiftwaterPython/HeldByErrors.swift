import PythonInterop
import SwiftwaterRDD
import Synchronization

extension PythonError: HoldingError {
  public func letGo() throws {
    try Interpreter.attach { py in
      let raised = try RaisedErrors.current?.list(py)
      try replacingTraceback(py) { exception in
        try Interpreter.called { py in try callTracebacks("let_go", raised, exception, py) }
      }
    }
  }
}

/// The errors that jobs have raised in a function of the driver's: it may have caught and kept them,
/// and they hold what is in its variables, the batch's RDD above all, when it is over.
final class RaisedErrors: Sendable {
  /// Those of the function that runs on this thread; nil outside of batches.
  @TaskLocal static var current: RaisedErrors?

  /// A list, from the first error on.
  private let errors = Mutex<PythonObject?>(nil)

  fileprivate func list(_ py: borrowing Python) throws -> PythonObject {
    if let known = errors.withLock({ $0 }) { return known }
    guard let new = Py.newList() else { throw PythonError.fetch(py) }
    let list = PythonObject(owning: new)
    errors.withLock { $0 = list }
    return list
  }

  /// The function is over.
  func letGo(_ py: borrowing Python) throws {
    guard let list = errors.withLock({ $0 }) else { return }
    try callTracebacks("let_all_go", list, nil, py)
  }
}

/// `swiftwater._tasks.tracebacks.function(list, error)`. An error of its own would be less than the one that it
/// is about, and is dropped.
///
/// - Throws: ``PythonError`` for an interrupt.
private func callTracebacks(
  _ name: String, _ list: PythonObject?, _ error: PythonObject?, _ py: borrowing Python
) throws {
  let function = try py.importing(name, from: "swiftwater._tasks.tracebacks")
  let arguments = [list, error].map { $0?.pointer ?? Py.borrowedNone }
  let result = withExtendedLifetime((list, error)) { function.call(arguments[0], arguments[1]) }
  if let result { return Py.release(result) }
  guard py.dropOrdinaryException() else { throw PythonError.fetch(py) }
}
