import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// What Python supplies for its functions and objects. Each part is in a file of its own.
struct PythonLanguage: Language {
  var name: String { "Python" }
  /// More threads would only take turns on one interpreter lock.
  var placement: TaskPlacement { .oneAtATime }

  func together(_ body: () throws -> Void) rethrows {
    try Interpreter.attach { _ in try body() }
  }

  func reading(
    of function: any UserFunction, arguments: Int
  ) throws -> FunctionReading {
    try Interpreter.attach { py in try PythonFunction.of(function).reading(arguments, py) }
  }

  func captured(_ functions: [any UserFunction]) throws -> [any UserFunction] {
    try Interpreter.attach { py in
      try PythonFunction.captured(functions.map(PythonFunction.of), py)
    }
  }

  func checkCaptures(of functions: [any UserFunction]) throws {
    let open = functions.map(PythonFunction.of).filter(\.isOpen)
    if open.isEmpty { return }
    try Interpreter.attach { py in _ = try PythonFunction.forTask(open, py) }
  }

  func cursor(over rest: Rest, _ task: TaskContext) throws -> any BatchCursor {
    StepsCursor(rest, task)
  }

  func count(_ rest: Rest, _ task: TaskContext) throws -> Int {
    try Interpreter.attach { py in
      let sink = CountSink()
      try StepsCursor(rest, task).drain(into: sink, py)
      return sink.count
    }
  }

  func divided(
    _ rest: Rest, _ division: PartitionByKey, _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    try Interpreter.attach { py in
      let partitioner = try BoundPartitioner(division.partitioner, at: division.place, py)
      let sink = PartitionSink(partitioner)
      try drain(rest, into: sink, task, py)
      return try sink.batches()
    }
  }

  func column(of batch: any RecordBatch) -> Column? {
    guard let batch = batch as? PythonBatch else { return nil }
    return Interpreter.attach { _ in SwiftwaterPython.column(ofList: batch.list.pointer) }
  }

  /// Sends all records, gone through the steps that are left, into `sink`.
  func drain(
    _ rest: Rest, into sink: some RecordSink, _ task: TaskContext, _ py: borrowing Python
  ) throws {
    if rest.steps.isEmpty {
      let reader = RecordReader(.batches(rest.input))
      return try pump(reader, into: RecordChain([], into: sink), task: task, py)
    }
    try StepsCursor(rest, task).drain(into: sink, py)
  }
}
