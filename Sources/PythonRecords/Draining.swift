import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan

// All records of a partition, gone through the steps that are left, into a sink. The chains are made
// here and not by who has the sink: within one target they know its type, and call it directly.
extension Rest {
  package func drain(
    into sink: CombineSink, _ task: TaskContext, _ py: borrowing Python
  ) throws { try send(to: sink, task, py) }

  package func drain(
    into sink: PartitionSink, _ task: TaskContext, _ py: borrowing Python
  ) throws { try send(to: sink, task, py) }

  package func count(_ task: TaskContext, _ py: borrowing Python) throws -> Int {
    let sink = CountSink()
    try send(to: sink, task, py)
    return sink.count
  }

  func send(
    to sink: some RecordSink, _ task: TaskContext, _ py: borrowing Python
  ) throws {
    if steps.isEmpty {
      let reader = RecordReader(.batches(input))
      return try pump(reader, into: RecordChain([], into: sink), task: task, py)
    }
    try StepsCursor(self, task).drain(into: sink, py)
  }
}
