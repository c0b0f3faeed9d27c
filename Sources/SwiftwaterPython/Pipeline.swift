import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// Python operators on an RDD, fused: the recipe of a pipeline's node.
///
/// What its functions have captured is fixed late (``LateForm``), and with it how far it is native: of
/// a long chain of operators only the last node is ever asked.
final class Pipeline: LateForm {
  let parent: RDDNode
  private let functions: OperatorRun
  private let value: LateValue<Settled>

  /// The functions with what they have captured, and what is native of them.
  struct Settled: Sendable {
    let operators: [PythonOperator]
    /// Nil where lowering is off.
    let native: NativeChain?
    let isNative: Bool
    let recordType: ColumnType?
  }

  private init(parent: RDDNode, functions: OperatorRun) {
    self.parent = parent
    self.functions = functions
    value = LateValue { try Self.decided(functions, over: parent) }
  }

  /// An RDD of `operators` applied to `parent`. A parent that is such an RDD itself, and that is
  /// not cached, is fused: its records are never stored.
  static func node(_ operators: [PythonOperator], over parent: RDDNode) -> RDDNode {
    let pipeline: Pipeline
    if let inner = parent.recipe as? Pipeline, !parent.isCached {
      let (parent, functions) = inner.partsBehind
      pipeline = Pipeline(parent: parent, functions: functions.appending(operators))
    } else {
      pipeline = Pipeline(parent: parent.capturingAgain(), functions: OperatorRun(operators))
    }
    return pipeline.node(name: operators.map(\.name).last ?? parent.name)
  }

  /// The operators, with functions as the user gave them.
  var operators: [PythonOperator] { functions.operators }

  /// What is fused with what comes behind.
  private var partsBehind: (parent: RDDNode, functions: OperatorRun) {
    if let sealed = value.sealed { return (parent, OperatorRun(sealed.operators)) }
    return (parent.capturingAgainWherePartOfPipeline(), functions)
  }

  /// A node of the same records whose functions capture anew; nil where they would capture the same.
  ///
  /// Spark: most actions, and most shuffles, put a function of their own behind the RDD's functions,
  /// and pickle them all together.
  func again(name: String) -> RDDNode? {
    if value.sealed != nil { return nil }
    let again = parent.capturingAgainWherePartOfPipeline()
    guard again !== parent || operators.contains(where: \.taskFunction.isOpen) else { return nil }
    return Pipeline(parent: again, functions: functions).node(name: name)
  }

  private func node(name: String) -> RDDNode {
    RDDNode(
      name: name, context: parent.context, dependencies: [.narrow(parent)],
      settlesParents: (parent.recipe as? CombineRecipe)?.merge?.isFused != true,
      partitionCount: parent.partitionCount, form: self, recipe: self
    ) { partition, task in
      let settled = try self.value.get()
      let cursor = try self.parent.cursor(partition: partition, task: task)
      if task.isMoved, !settled.isNative,
        let moved = self.moved(cursor, settled.operators, partition, task)
      {
        return moved
      }
      return PipelineCursor(
        cursor, of: self.parent.recordType, through: settled.operators,
        try settled.native?.current(settled.operators), partition: partition, task: task)
    }
  }
}

extension Pipeline {
  var placement: TaskPlacement { value.known?.isNative == true ? .anyThread : .oneAtATime }
  var recordType: ColumnType? { value.known?.recordType }

  func settle() { _ = value.known }
  func seal() { value.seal() }

  /// - Throws: ``PythonError`` for an interrupt while the functions are read.
  private static func decided(
    _ functions: OperatorRun, over parent: RDDNode
  ) throws -> Settled {
    parent.settle()
    return try Interpreter.attach { py in
      let operators = try PythonOperator.captured(functions.operators, py)
      guard parent.context.isLowering, parent.partitionCount > 0 else {
        return Settled(operators: operators, native: nil, isNative: false, recordType: nil)
      }
      let native = try NativeChain.of(operators, py)
      let compiled = parent.recordType.map { native.compiled(for: $0) }
      let isNative = compiled?.count == operators.count
      return Settled(
        operators: operators, native: native, isNative: isNative,
        recordType: isNative ? compiled?.program.outputType : nil)
    }
  }

  /// The records of a cursor gone through the functions in a worker process.
  private func moved(
    _ cursor: any BatchCursor, _ operators: [PythonOperator], _ partition: Int, _ task: TaskContext
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

/// The first operators of a list that nodes share: each one that is fused with the last adds to it.
private struct OperatorRun: Sendable {
  private final class Storage: Sendable {
    let operators: Mutex<[PythonOperator]>
    init(_ operators: [PythonOperator]) { self.operators = Mutex(operators) }
  }

  private let storage: Storage
  private let count: Int

  init(_ operators: [PythonOperator]) { self.init(Storage(operators), operators.count) }

  private init(_ storage: Storage, _ count: Int) {
    self.storage = storage
    self.count = count
  }

  var operators: [PythonOperator] { Array(storage.operators.withLock { $0 }.prefix(count)) }

  func appending(_ new: [PythonOperator]) -> OperatorRun {
    let isLast = storage.operators.withLock { operators in
      guard operators.count == count else { return false }
      operators += new
      return true
    }
    return isLast
      ? OperatorRun(storage, count + new.count) : OperatorRun(operators + new)
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
    _ input: any BatchCursor, of recordType: ColumnType?, through operators: [PythonOperator],
    _ chain: NativeChain?, partition: Int, task: TaskContext
  ) {
    self.operators = operators
    self.partition = partition
    self.task = task
    self.recordType = recordType
    native = chain.map {
      NativeCursor(input, $0, of: operators, task: task)
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
