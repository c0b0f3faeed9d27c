import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan

/// Sends the records of one partition through functions of Python's.
package final class StepsCursor: BatchCursor {
  /// Records that are worked on between two looks at the outside world.
  private static let chunk = 4096

  private let task: TaskContext
  private let partition: Int
  private let input: any BatchCursor
  /// Cut, when they are called, before and behind each partition function.
  private let steps: [RecordStep]
  private var stage: Stage?

  /// A reader of records, and the functions on records behind it.
  private struct Stage {
    let reader: RecordReader
    let tail: [BoundStep]
    /// What computes them without calls.
    let direct: [DirectFunction?]
  }

  /// What the partition functions' iterators read. Whoever still refers to one when this is over,
  /// the frames of an exception for example, must not hold on to records with it.
  private var upstreams: [UpstreamRecords] = []

  private var isAtEnd = false
  /// What a function raised, until the records in front of it are taken.
  private var failure: (any Error)?

  package init(_ rest: Rest, _ task: TaskContext) {
    input = rest.input
    steps = rest.steps
    partition = rest.partition
    self.task = task
  }

  deinit { end() }

  /// Ends the partition functions, and gives up what their iterators hold.
  private func end() {
    isAtEnd = true
    if upstreams.isEmpty { return }
    stage = nil
    for records in upstreams { records.close() }
    upstreams = []
  }

  package func next() throws -> (any RecordBatch)? {
    if isAtEnd { return nil }
    if let failure {
      // An error that is kept holds nothing of this, nor this the error.
      self.failure = nil
      end()
      throw failure
    }
    try task.checkCancellation()
    return try Interpreter.attach { py in
      let stage = try lastStage(py)
      let chain = RecordChain(
        stage.tail, direct: stage.direct, into: try ListSink(capacity: Self.chunk, py))
      do {
        isAtEnd = try !stage.reader.pump(into: chain, py)
      } catch {
        // Its turn comes behind the records in front of it.
        failure = error
      }
      return PythonBatch(chain.sink.list)
    }
  }

  /// The first `limit` records, and no more work than they take.
  package func first(_ limit: Int, _ py: borrowing Python) throws -> PythonObject {
    let stage = try lastStage(py)
    let chain = RecordChain(
      stage.tail, direct: stage.direct, into: try ListSink(capacity: limit, py),
      stopsWhenFull: true)
    while !chain.sink.isFull, try stage.reader.pump(into: chain, py) {
      try task.checkCancellation()
    }
    isAtEnd = true
    return chain.sink.list
  }

  /// Sends all records into `sink`, without a list in between.
  func drain(into sink: some RecordSink, _ py: borrowing Python) throws {
    let stage = try lastStage(py)
    let chain = RecordChain(stage.tail, direct: stage.direct, into: sink)
    try pump(stage.reader, into: chain, task: task, py)
    isAtEnd = true
  }

  /// Calls the partition functions (once), and gives what is left: a reader of the last one's
  /// result, and the record functions behind it.
  private func lastStage(_ py: borrowing Python) throws -> Stage {
    if let stage { return stage }
    var reader = RecordReader(.batches(input))
    var pending: [BoundStep] = []
    for item in try BoundStep.bound(steps, py) {
      guard item.kind.takesPartition else {
        pending.append(item)
        continue
      }
      let records = UpstreamRecords(reader, through: pending)
      upstreams.append(records)
      pending = []
      reader = RecordReader(.iterator(try call(item, with: records, py), item.place, records))
    }
    let direct = task.isLowering ? try pending.map { try $0.origin.direct(1, py) } : []
    let stage = Stage(reader: reader, tail: pending, direct: direct)
    self.stage = stage
    return stage
  }

  private func call(
    _ item: BoundStep, with records: UpstreamRecords, _ py: borrowing Python
  ) throws -> PythonObject {
    guard let iterator = RecordIteratorType.make(records) else { throw PythonError.fetch(py) }
    defer { Py.release(iterator) }
    WorkerProgress.notes.enter(item.place)
    let result: PyPointer?
    if item.kind == .mapPartitionsWithIndex {
      guard let index = py.newInteger(partition) else { throw PythonError.fetch(py) }
      defer { Py.release(index) }
      result = item.function.call(index, iterator)
    } else {
      result = item.function.call(iterator)
    }
    guard let result else { throw PythonError.fetch(at: item.place, latest: records.latest, py) }
    defer { Py.release(result) }
    guard let output = Py.iterator(over: result) else {
      throw PythonError.fetch(at: item.place, latest: records.latest, py)
    }
    return PythonObject(owning: output)
  }
}

/// Sends all records of a reader through a chain.
func pump<Sink>(
  _ reader: RecordReader, into chain: RecordChain<Sink>, task: TaskContext, _ py: borrowing Python
) throws {
  while try reader.pump(into: chain, py) {
    try task.checkCancellation()
  }
}
