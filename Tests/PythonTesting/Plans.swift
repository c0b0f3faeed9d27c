import PythonFunctions
import PythonInterop
import PythonOperators
import PythonRecords
import SwiftwaterCore
import SwiftwaterPlan

extension TaskContext {
  /// A task that nobody ends.
  public static func ofTest(partition: Int = 0, isLowering: Bool = false) -> TaskContext {
    TaskContext(
      partition: partition, stage: 0, attempt: 0, isLowering: isLowering, watch: Endless())
  }

  private struct Endless: TaskWatch {
    func check() {}
  }
}

extension PythonCode {
  /// A function of the program's.
  package func function(_ expression: String, _ py: borrowing Python) throws -> PythonFunction {
    try PythonFunction(value(expression, py).pointer, py)
  }

  public func step(
    _ kind: RecordStep.Kind, _ expression: String, _ py: borrowing Python
  ) throws -> RecordStep {
    RecordStep(
      kind, try function(expression, py),
      at: OperatorPlace(name: kind.rawValue, site: "test.py:1"))
  }

  /// The items of a list in batches of so many.
  public func batches(
    _ expression: String, of size: Int, _ py: borrowing Python
  ) throws -> [any RecordBatch] {
    let list = try value("list(\(expression))", py)
    return try stride(from: 0, to: Py.listCount(list.pointer), by: size).map { start in
      let end = min(start + size, Py.listCount(list.pointer))
      guard let part = Py.slice(of: list.pointer, from: start, to: end) else {
        throw PythonError.fetch(py)
      }
      return PythonBatch(PythonObject(owning: part))
    }
  }
}

/// All records of a cursor as a list.
public func records(of cursor: any BatchCursor, _ py: borrowing Python) throws -> PythonObject {
  guard let new = Py.newList() else { throw PythonError.fetch(py) }
  let list = PythonObject(owning: new)
  while let batch = try cursor.next() { try append(batch, to: new, limit: .max, py) }
  return list
}
