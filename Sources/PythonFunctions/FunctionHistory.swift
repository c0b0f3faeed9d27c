import PythonInterop
import Synchronization

/// How long stages that end in a function take.
package final class FunctionHistory: Sendable {
  /// Of the last stage with about so many records: the logarithm of their number to the base 4.
  private let last = Mutex<[Int: Int64]>([:])

  /// Those of functions that can be told apart from others, by their identity; the code is kept so that
  /// it stays the only one with its address.
  private static let known = Mutex<[Int: (code: PythonObject, history: FunctionHistory)]>([:])
  private static let mostKnown = 1000

  /// The history of a function, or of an earlier one that was made in the same way: streams make some of
  /// theirs anew in each batch.
  static func of(_ function: PyPointer, _ py: borrowing Python) throws -> FunctionHistory {
    guard let code = py.attribute("__code__", of: function) else { return FunctionHistory() }
    let owned = PythonObject(owning: code)
    let identity = try py.importing("identity", from: "swiftwater._tasks.isolation")
    guard let answer = identity.call(function) else { throw PythonError.fetch(py) }
    defer { Py.release(answer) }
    guard let number = py.integer(of: answer), number != 0 else { return FunctionHistory() }
    var dropped: [Int: (code: PythonObject, history: FunctionHistory)] = [:]
    let history = known.withLock { known in
      if let found = known[number] { return found.history }
      if known.count == mostKnown { swap(&known, &dropped) }
      let new = FunctionHistory()
      known[number] = (owned, new)
      return new
    }
    // Not under the lock: Python's code may run when an object goes.
    withExtendedLifetime(dropped) {}
    return history
  }

  /// What the last stage with about so many records took.
  package func nanoseconds(for records: Int) -> Int64? { last.withLock { $0[Self.size(records)] } }

  package func note(_ nanoseconds: Int64, records: Int) {
    last.withLock { $0[Self.size(records)] = nanoseconds }
  }

  private static func size(_ records: Int) -> Int {
    (Int.bitWidth - max(records, 1).leadingZeroBitCount) / 2
  }
}
