import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

/// Python operators on an RDD, fused: the recipe of a pipeline's node.
struct Pipeline: Sendable {
  let parent: RDDNode
  let operators: [PythonOperator]
  /// What of it runs natively; nil where lowering is off.
  let native: NativeChain?

  /// An RDD of `operators` applied to `parent`. A parent that is such an RDD itself, and that is
  /// not cached, is fused: its records are never stored.
  ///
  /// - Throws: ``PythonError`` for an interrupt while the functions are read.
  static func node(_ operators: [PythonOperator], over parent: RDDNode) throws -> RDDNode {
    var (source, all) = (parent, operators)
    if let inner = parent.recipe as? Pipeline, !parent.isCached {
      (source, all) = (inner.parent, inner.operators + operators)
    }
    var native: NativeChain?
    if parent.context.isLowering, source.partitionCount > 0 {
      native = try Interpreter.attach { py in try NativeChain.of(all, py) }
    }
    return Pipeline(parent: source, operators: all, native: native).node(
      name: operators.map(\.name).last ?? parent.name)
  }

  private func node(name: String) -> RDDNode {
    let compiled = parent.recordType.flatMap { native?.compiled(for: $0) }
    let isNative = compiled?.count == operators.count
    return RDDNode(
      name: name, context: parent.context, dependencies: [.narrow(parent)],
      partitionCount: parent.partitionCount, placement: isNative ? .anyThread : .oneAtATime,
      recordType: isNative ? compiled?.prefixes.last?.outputType : nil, recipe: self
    ) { partition, task in
      let cursor = try parent.cursor(partition: partition, task: task)
      if task.isMoved, !isNative, let moved = moved(cursor, partition, task) { return moved }
      return PipelineCursor(
        cursor, through: self, try native?.current(operators), partition: partition, task: task)
    }
  }
}

extension Pipeline {
  /// The records of a cursor gone through the functions in a worker process.
  private func moved(
    _ cursor: any BatchCursor, _ partition: Int, _ task: TaskContext
  ) -> RemoteCursor? {
    if let earlier = cursor as? RemoteCursor {
      return earlier.then(.pipeline(operators), partition: partition)
    }
    return RemoteCursor(
      [cursor], again: { [parent] in [try parent.cursor(partition: partition, task: task)] },
      readsText: parent.recordType == .text, .pipeline(operators), partition: partition,
      in: parent.context, task: task)
  }
}

/// Runs a pipeline over one partition.
final class PipelineCursor: BatchCursor {
  /// Records that are worked on between two looks at the outside world.
  private static let chunk = 4096

  private let task: TaskContext
  private let partition: Int
  private let input: any BatchCursor
  private let native: NativeCursor?
  private let recordType: ColumnType?
  /// The operators, cut before and behind each partition function.
  private let operators: [PythonOperator]
  private var stage: Stage?

  /// A reader of records, and the functions on records behind it.
  private struct Stage {
    let reader: RecordReader
    let tail: [PythonOperator]
    /// What computes them without calls.
    let direct: [DirectFunction?]
  }

  /// What the partition functions' iterators read. Whoever still refers to one when this is over,
  /// the frames of an exception for example, must not hold on to records with it.
  private var upstreams: [UpstreamRecords] = []

  private var isAtEnd = false
  /// What a function raised, until the records in front of it are taken.
  private var failure: (any Error)?

  init(
    _ input: any BatchCursor, through pipeline: Pipeline, _ chain: NativeChain?, partition: Int,
    task: TaskContext
  ) {
    operators = pipeline.operators
    self.partition = partition
    self.task = task
    recordType = pipeline.parent.recordType
    native = chain.map {
      NativeCursor(input, $0, of: pipeline.operators, task: task)
    }
    self.input = native ?? input
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

  /// True where all functions run natively, for the records as far as they are known.
  func isNative() throws -> Bool {
    try native?.prepare(recordType)
    return native?.count == operators.count
  }

  /// The records go into a function of Python's behind the pipeline.
  func goesIntoPython() { native?.goesIntoPython() }

  func next() throws -> (any RecordBatch)? {
    if isAtEnd { return nil }
    if try isNative() { return try input.next() }
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
  func first(_ limit: Int, _ py: borrowing Python) throws -> PythonObject {
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
    try SwiftwaterPython.pump(stage.reader, into: chain, task: task, py)
    isAtEnd = true
  }

  /// Calls the partition functions (once), and gives what is left: a reader of the last one's
  /// result, and the record functions behind it.
  private func lastStage(_ py: borrowing Python) throws -> Stage {
    if let stage { return stage }
    try native?.prepare(recordType)
    var reader = RecordReader(.batches(input))
    var pending: [PythonOperator] = []
    for item in try PythonOperator.forTask(Array(operators[(native?.count ?? 0)...]), py) {
      guard item.kind.takesPartition else {
        pending.append(item)
        continue
      }
      let records = UpstreamRecords(reader, through: pending)
      upstreams.append(records)
      pending = []
      reader = RecordReader(.iterator(try call(item, with: records, py), item.place, records))
    }
    let direct = native == nil ? [] : try pending.map { try $0.taskFunction.direct(1, py) }
    let stage = Stage(reader: reader, tail: pending, direct: direct)
    self.stage = stage
    return stage
  }

  private func call(
    _ item: PythonOperator, with records: UpstreamRecords, _ py: borrowing Python
  ) throws -> PythonObject {
    guard let iterator = RecordIteratorType.make(records) else { throw PythonError.fetch(py) }
    defer { Py.release(iterator) }
    WorkerProgress.enter(item.place)
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

/// Sends all records of a cursor of any kind into `sink`.
func drain(
  _ cursor: any BatchCursor, into sink: some RecordSink, task: TaskContext, _ py: borrowing Python
) throws {
  if let cursor = cursor as? PipelineCursor {
    cursor.goesIntoPython()
    try cursor.drain(into: sink, py)
  } else {
    let reader = RecordReader(.batches(cursor))
    try pump(reader, into: RecordChain([], into: sink), task: task, py)
  }
}

/// Sends all records of a reader through a chain.
private func pump<Sink>(
  _ reader: RecordReader, into chain: RecordChain<Sink>, task: TaskContext, _ py: borrowing Python
) throws {
  while try reader.pump(into: chain, py) {
    try task.checkCancellation()
  }
}
