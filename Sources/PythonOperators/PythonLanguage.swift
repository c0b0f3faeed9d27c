import PythonFunctions
import PythonInterop
import PythonRecords
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// What Python supplies for its functions and objects. Each part is in a file of its own.
package struct PythonLanguage: Language {
  package init() {}

  package var name: String { "Python" }
  /// More threads would only take turns on one interpreter lock.
  package var placement: TaskPlacement { .oneAtATime }

  package func together(_ body: () throws -> Void) rethrows {
    try Interpreter.attach { _ in try body() }
  }

  package func reading(
    of function: any UserFunction, arguments: Int
  ) throws -> FunctionReading {
    try Interpreter.attach { py in try PythonFunction.of(function).reading(arguments, py) }
  }

  package func keptStates(of function: any UserFunction) throws -> StatesReading {
    try Interpreter.attach { py in
      let (states, refusal) = try PythonFunction.of(function).keptStates(py)
      if let states { return .kept(states.states) }
      return .refused(refusal ?? Refusal("nothing is known of it", at: nil))
    }
  }

  package func captured(_ functions: [any UserFunction]) throws -> [any UserFunction] {
    try Interpreter.attach { py in
      try PythonFunction.captured(functions.map(PythonFunction.of), py)
    }
  }

  package func checkCaptures(of functions: [any UserFunction]) throws {
    let open = functions.map(PythonFunction.of).filter(\.isOpen)
    if open.isEmpty { return }
    try Interpreter.attach { py in _ = try PythonFunction.forTask(open, py) }
  }

  package func cursor(over rest: Rest, _ task: TaskContext) throws -> any BatchCursor {
    StepsCursor(rest, task)
  }

  package func count(_ rest: Rest, _ task: TaskContext) throws -> Int {
    try Interpreter.attach { py in try rest.count(task, py) }
  }

  package func divided(
    _ rest: Rest, _ division: PartitionByKey, _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    try Interpreter.attach { py in
      let partitioner = try BoundPartitioner(division.partitioner, at: division.place, py)
      let sink = PartitionSink(partitioner)
      try rest.drain(into: sink, task, py)
      return try sink.batches()
    }
  }

  package func spread(
    _ rest: Rest, among count: Int, _ turns: inout Turns, _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    try Interpreter.attach { py in try rest.spread(among: count, &turns, task, py) }
  }

  package func column(of batch: any RecordBatch) -> Column? {
    guard let batch = batch as? PythonBatch else { return nil }
    return Interpreter.attach { _ in PythonRecords.column(ofList: batch.list.pointer) }
  }

  package func keys(of pairs: [any RecordBatch]) throws -> Column? {
    try Interpreter.attach { py in try PythonRecords.keys(of: pairs, py) }
  }

  package func records(
    at places: [UInt32], of batches: [any RecordBatch]
  ) throws -> (any RecordBatch)? {
    try Interpreter.attach { py in try PythonRecords.records(at: places, of: batches, py) }
  }

  package func finder(of pairs: [any RecordBatch]) throws -> (any PairFinder)? {
    try Interpreter.attach { py in try PythonPairFinder(pairs, py) }
  }

  package func rowsNotKept(
    by function: any UserFunction, in states: any RecordBatch
  ) throws -> [UInt32] {
    try Interpreter.attach { py in
      guard let kept = try PythonFunction.of(function).keptStates(py).states,
        let batch = states as? PythonBatch
      else { return (0..<states.recordCount).map { UInt32(truncatingIfNeeded: $0) } }
      return try (0..<batch.recordCount).filter { row in
        try !kept.contains(Py.listItem(batch.list.pointer, row), py)
      }.map { UInt32(truncatingIfNeeded: $0) }
    }
  }

  package func tableForm(for operation: TableOperation) -> (any ObjectForm)? {
    PythonForm(at: operation.place)
  }

  package func isOfRecords(_ error: any Error) -> Bool {
    guard let error = error as? PythonError else { return false }
    return Interpreter.attach { error.isException($0) }
  }

  package func waiting<R>(_ body: () throws -> R) rethrows -> R {
    try Interpreter.detachIfHeld(body)
  }
}
