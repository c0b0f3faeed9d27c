import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

/// Partitions put together from partitions of several RDDs, without a shuffle.
struct Gather: Sendable {
  struct Part: Sendable {
    let rdd: RDDNode
    let partition: Int
  }

  /// For each partition, what it is made of.
  let plan: [[Part]]
  /// Called with the partition's number and an iterator for each part; nil: one part behind the
  /// other.
  let function: TaskFunction?
  let place: OperatorPlace

  func node(over rdds: [RDDNode], context: SparkContext) -> RDDNode {
    RDDNode(
      name: place.name, context: context, dependencies: rdds.map { .narrow($0) },
      partitionCount: plan.count, placement: function == nil ? .anyThread : .callingThread
    ) { partition, task in
      let parts = plan[partition]
      guard let function else { return ConcatenatingCursor(parts, task: task) }
      return try Interpreter.attach { py in
        let inputs = try parts.map { part in
          UpstreamRecords(
            RecordReader(.batches(try part.rdd.cursor(partition: part.partition, task: task))),
            through: [])
        }
        let reader = try call(function, partition: partition, inputs, py)
        return ReaderCursor(reader, task: task)
      }
    }
  }

  private func call(
    _ function: TaskFunction, partition: Int, _ inputs: [UpstreamRecords], _ py: borrowing Python
  ) throws -> RecordReader {
    let iterators = inputs.compactMap { RecordIteratorType.make($0) }
    guard iterators.count == inputs.count, let list = py.newList(iterators),
      let index = py.newInteger(partition)
    else { throw PythonError.fetch(py) }
    defer {
      Py.release(list)
      Py.release(index)
    }
    guard let result = try function.forTask(py).call(index, list) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    defer { Py.release(result) }
    guard let output = Py.iterator(over: result) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    return RecordReader(.iterator(PythonObject(owning: output), place, nil))
  }
}

/// One cursor after the other; each is opened when it is reached.
private final class ConcatenatingCursor: BatchCursor {
  private var remaining: ArraySlice<Gather.Part>
  private let task: TaskContext
  private var current: (any BatchCursor)?

  init(_ parts: [Gather.Part], task: TaskContext) {
    remaining = parts[...]
    self.task = task
  }

  func next() throws -> (any RecordBatch)? {
    while true {
      if let batch = try current?.next() { return batch }
      guard let part = remaining.popFirst() else { return nil }
      current = try part.rdd.cursor(partition: part.partition, task: task)
    }
  }
}

/// What a reader gives, some records at a time.
final class ReaderCursor: BatchCursor {
  private static let chunk = 4096

  private let reader: RecordReader
  private let task: TaskContext
  private var isAtEnd = false
  private var failure: (any Error)?

  init(_ reader: RecordReader, task: TaskContext) {
    self.reader = reader
    self.task = task
  }

  func next() throws -> (any RecordBatch)? {
    if isAtEnd { return nil }
    if let failure { throw failure }
    try task.checkCancellation()
    return try Interpreter.attach { py in
      let chain = RecordChain([], into: try ListSink(capacity: Self.chunk, py))
      do {
        isAtEnd = try !reader.pump(into: chain, py)
      } catch {
        // Its turn comes behind the records in front of it.
        failure = error
      }
      return PythonBatch(chain.sink.list)
    }
  }
}
