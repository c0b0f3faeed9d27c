import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

/// A table at one time, and the batches that it takes in until then: what an RDD of a window or a state
/// stands on. They are taken in once, in a stage of the job that needs them first.
public final class TableStep: Sendable {
  /// The pairs of one batch time, each key once; or what the table is from a time on.
  public struct Input: Sendable {
    public let time: Int64
    /// Nil where the stream has no RDD.
    public let node: RDDNode?
    /// Set for what the table is, whatever it was: batches behind this time are taken in on top of it.
    let goesOnBehind: Int64?
    /// Set for when the keys of what the table is had new values last.
    var isTimes = false

    /// The batch of a stream; nil where it has no RDD.
    public static func batch(_ node: RDDNode?, at time: Int64) -> Input {
      Input(time: time, node: node, goesOnBehind: nil)
    }

    /// What the table is at a time.
    ///
    /// - Parameter behind: the batches behind this time are taken in on top: for a running window also
    ///   those that are in it already, which it gives up one by one.
    public static func contents(_ node: RDDNode, at time: Int64, goingOnBehind: Int64) -> Input {
      Input(time: time, node: node, goesOnBehind: goingOnBehind)
    }

    /// When the keys of the contents at a time had new values last: see ``RDDNode/keyTimes(with:)``.
    public static func keyTimes(_ node: RDDNode, at time: Int64) -> Input {
      Input(time: time, node: node, goesOnBehind: nil, isTimes: true)
    }

    func records(_ batches: [any RecordBatch]) -> TableInput {
      TableInput(
        time: time, batches: batches, isInitial: goesOnBehind != nil, isMissing: node == nil)
    }
  }

  /// How many pairs are read together. Who wants only some has them with the first ones.
  static func rowsTogether(inBatch number: Int) -> Int { number == 0 ? 256 : 4096 }

  public let table: KeyedTable
  /// Somebody reads the pairs of this time.
  private let isShown: Bool
  /// With what its functions referred to when the RDD was made.
  let operation: TableOperation
  public let time: Int64
  /// Batches up to this time are not in the window any more.
  let start: Int64
  /// In their order; nothing once they are taken in.
  private let inputs: Mutex<[Input]>
  private let context: SparkContext
  /// Set for what a function makes of records: the view of the table that they go through, until they are
  /// there.
  private let source: Mutex<TableStep?>
  /// Nobody has had what a function made of records behind this time.
  private let origin = Atomic(Int64.min)
  private let isDelivered = Atomic(false)
  private let failed = Atomic(false)
  private let asides = Mutex<[Int: Aside]>([:])
  private typealias Aside = (pairs: [any RecordBatch], times: [any RecordBatch])
  private let unfinished = Mutex<[Int: UnfinishedPairs]>([:])
  /// Why its pairs could not be made in time.
  private let lastError = Mutex<(any Error)?>(nil)

  init(
    _ table: KeyedTable, _ operation: TableOperation, time: Int64, start: Int64, _ inputs: [Input],
    _ context: SparkContext, isShown: Bool = true, source: TableStep? = nil
  ) {
    self.table = table
    self.source = Mutex(source)
    self.isShown = isShown
    self.operation = operation
    self.time = time
    self.start = start
    self.inputs = Mutex(inputs)
    self.context = context
  }

  /// What is still to be taken in.
  public var nodes: [RDDNode] {
    if let source = source.withLock({ $0 }) { return source.nodes }
    return inputs.withLock { $0.compactMap(\.node) }
  }

  /// The time of the next batch that is to be taken in.
  var nextTime: Int64? { inputs.withLock { $0.first?.time } }

  /// How many batches are still to be taken in.
  public var waitingCount: Int { inputs.withLock { $0.count } }

  var isReady: Bool {
    table.parts.indices.allSatisfy { table.parts[$0].shows(self, $0) }
  }

  /// Takes in what the table lacks until this time, and makes the pairs that are read.
  ///
  /// - Throws: what the tasks throw; what was taken in by then stays so.
  func prepare(with runner: JobRunner) throws {
    // As a rule it is.
    if isReady { return }
    do {
      try table.inTurn(runner) { try makeReady(runner) }
    } catch {
      failed.store(true, ordering: .relaxed)
      throw error
    }
  }

  private func makeReady(_ runner: JobRunner) throws {
    if isReady { return }
    if let source = source.withLock({ $0 }) { return try makeRecords(source, runner) }
    origin.store(table.deliveredTime.load(ordering: .relaxed), ordering: .relaxed)
    try takeInputs(runner)
    try makePairs(runner)
    table.deliveredTime.store(time, ordering: .relaxed)
    isDelivered.store(true, ordering: .relaxed)
  }

  /// True where a later view has what became of the records of this one's batch, which had failed.
  private var isOvertaken: Bool {
    !isDelivered.load(ordering: .relaxed)
      && table.deliveredTime.load(ordering: .relaxed) > time
  }

  /// Takes over what a function has made of records. The view is not needed any more: nothing is put
  /// aside for it.
  private func makeRecords(_ view: TableStep, _ runner: JobRunner) throws {
    let records: [[any RecordBatch]]
    if view.isOvertaken {
      records = table.parts.map { _ in [] }
    } else {
      for part in table.parts { try part.checkTime(time, operation.place) }
      do {
        try view.makeReady(runner)
      } catch {
        view.failed.store(true, ordering: .relaxed)
        throw error
      }
      let start = view.origin.load(ordering: .relaxed)
      records = try table.parts.map {
        try $0.records(behind: start, at: time, operation.place)
      }
    }
    for (partition, batches) in records.enumerated() { putAside(batches, partition) }
    let done = source.withLock { source in
      defer { source = nil }
      return source
    }
    // Freed here, outside the lock.
    withExtendedLifetime(done) {}
  }

  private func makePairs(_ runner: JobRunner) throws {
    let hidden = table.parts.indices.filter { !table.parts[$0].shows(self, $0) }
    if hidden.isEmpty { return }
    // No batch came with it.
    try run(emptyNode, hidden, runner, operation) { [self] _, partition, call in
      try table.parts[partition].show(self, partition, call)
    }
  }

  /// True where what the table lacks could not be taken in, and nobody has done so since.
  var hasFailed: Bool { failed.load(ordering: .relaxed) && !isReady }

  /// Takes batches into a table that nobody reads yet.
  ///
  /// - Throws: what the tasks throw; what was taken in by then stays so.
  public static func takingIn(
    _ inputs: [Input], into table: KeyedTable, until time: Int64, from start: Int64,
    context: SparkContext, with runner: JobRunner
  ) throws {
    if inputs.isEmpty { return }
    let step = TableStep(
      table, try table.operation.captured(), time: time, start: start, inputs, context,
      isShown: false)
    try table.inTurn(runner) { try step.takeInputs(runner) }
  }

  private func takeInputs(_ runner: JobRunner) throws {
    try showWaiting(runner)
    try takeInputs(runner, operation, isShown: isShown)
  }

  /// - Parameters:
  ///   - operation: of this view, or of a later one that goes on behind it.
  ///   - isShown: makes the pairs together with the last batch.
  func takeInputs(
    _ runner: JobRunner, _ operation: TableOperation, isShown: Bool = false
  ) throws {
    while let input = inputs.withLock({ $0.first }) {
      let missing = table.parts.indices.filter { table.parts[$0].lacks(input) }
      if !missing.isEmpty {
        let node = try input.node.map(divided) ?? emptyNode
        try run(node, missing, runner, operation) { [self] batches, partition, call in
          let part = table.parts[partition]
          try part.take(input, batches, partition, from: start, call)
          if isShown, input.time == time, !input.isTimes { try part.show(self, partition, call) }
        }
      }
      let done = inputs.withLock { $0.removeFirst() }
      // Freed here, outside the lock.
      withExtendedLifetime(done) {}
    }
  }

  var emptyNode: RDDNode {
    .batches(table.parts.map { _ in [] }, name: operation.place.name, context: context)
  }

  /// The pairs where the table has them: an earlier run may have had other partitions.
  private func divided(_ node: RDDNode) throws -> RDDNode {
    if node.partitionCount == table.parts.count { return node }
    if node.partitionCount == 0 { return emptyNode }
    return try node.partitioned(
      PartitionByKey(
        operation.partitioner, in: operation.language, for: operation.functions[0],
        at: operation.place))
  }

  func run(
    _ node: RDDNode, _ partitions: [Int], _ runner: JobRunner, _ operation: TableOperation,
    _ body: @escaping @Sendable ([any RecordBatch], Int, TableCall) throws -> Void
  ) throws {
    let needsNone = node.recordType.map { isNative(for: $0, runner) } ?? false
    let placement = needsNone ? TaskPlacement.anyThread : operation.language.placement
    try runner.taking(
      node, partitions: partitions, placement: placement, functions: operation.functions
    ) {
      [table] flow, evaluation in
      let call = TableCall(
        operation: operation, evaluation: evaluation, programs: table.programs,
        deliveredTime: table.deliveredTime.load(ordering: .relaxed),
        others: table.figures(without: evaluation.task.partition))
      try body(flow.drained(), evaluation.task.partition, call)
    }
  }

  /// True where no step needs a language, for pairs of a type.
  private func isNative(for type: ColumnType, _ runner: JobRunner) -> Bool {
    guard runner.isLowering || operation.language.isNativeOnly, case .tuple(let items) = type,
      items.count == 2, items[0].isHashable
    else { return false }
    switch operation.kind {
    case .window(let reduce, _):
      return table.programs.isNative(reduce, items[1], operation.language)
    case .running(let reduce, let inverse, let keep):
      return keep == nil && table.programs.isNative(reduce, items[1], operation.language)
        && table.programs.isNative(inverse, items[1], operation.language)
    case .state(let update):
      guard case .list(let item) = items[1] else { return false }
      return table.programs.isNative(updating: update, with: item, operation.language)
    case .mapped: return false
    }
  }

  // MARK: - Reading

  func cursor(partition: Int) -> any BatchCursor {
    var reader: (any TableReader)?
    var number = 0
    return ClosureCursor { [self] in
      defer { number += 1 }
      let batch = try table.parts[partition].next(of: self, partition, &reader, number: number)
      if batch is ColumnBatch { return batch }
      // Objects that a reader changes are the reader's own.
      let records = try batch?.spillingIfShort()
      return try (records as? any StoredBatch)?.loaded() ?? records
    }
  }

  func isAside(_ partition: Int) -> Bool { asides.withLock { $0[partition] != nil } }

  func aside(_ partition: Int) -> [any RecordBatch]? { asides.withLock { $0[partition]?.pairs } }

  func asideTimes(_ partition: Int) -> [any RecordBatch]? {
    asides.withLock { $0[partition]?.times }
  }

  func putAside(
    _ batches: [any RecordBatch], times: [any RecordBatch] = [], _ partition: Int
  ) {
    asides.withLock { $0[partition] = (batches, times) }
    let done = unfinished.withLock { $0.removeValue(forKey: partition) }
    // Freed here, outside the lock.
    withExtendedLifetime(done) {}
  }

  func unfinished(_ partition: Int) -> UnfinishedPairs? { unfinished.withLock { $0[partition] } }

  var isUnfinished: Bool { unfinished.withLock { !$0.isEmpty } }

  func putAside(_ pairs: UnfinishedPairs, _ partition: Int) {
    unfinished.withLock { $0[partition] = pairs }
  }

  var failure: (any Error)? { lastError.withLock { $0 } }

  func note(_ error: any Error) { lastError.withLock { $0 = error } }
}

extension TablePrograms {
  /// True where two values of a type combine natively.
  func isNative(_ function: TableFunction, _ value: ColumnType, _ language: any Language) -> Bool {
    guard let reading = try? language.reading(of: function.function, arguments: 2) else {
      return false
    }
    return program(reading, for: [value, value])?.outputType == value
  }
}

extension TablePrograms {
  /// True where new values of a type make states natively.
  func isNative(
    updating function: TableFunction, with values: ColumnType, _ language: any Language
  ) -> Bool {
    guard let reading = try? language.reading(of: function.function, arguments: 2),
      let type = stateType(reading, values)
    else { return false }
    return program(reading, for: [.list(values), .optional(type)]) != nil
  }
}

extension RDDNode {
  /// A table as it is at a time.
  ///
  /// - Parameters:
  ///   - start: batches up to this time are not in the window any more.
  ///   - inputs: the batches that the table may lack.
  /// - Throws: an interrupt while functions are read.
  public static func view(
    of table: KeyedTable, time: Int64, start: Int64, inputs: [TableStep.Input],
    context: SparkContext
  ) throws -> RDDNode {
    let operation = try table.operation.captured()
    let step = TableStep(table, operation, time: time, start: start, inputs, context)
    table.waitingViews.append(step)
    return RDDNode(
      .table(operation), name: operation.place.name, context: context,
      table: step, partitionCount: operation.partitioner.count)
  }

  /// What a function has made of the records that a view of a table has taken in; nil where it is not of
  /// this table.
  public func mappedRecords(of table: KeyedTable) -> RDDNode? {
    guard let view = step, view.table === table else { return nil }
    let step = TableStep(
      table, view.operation, time: view.time, start: view.start, [], context, source: view)
    return RDDNode(
      .tableRecords(view.operation), name: name, context: context, table: step,
      partitionCount: partitionCount)
  }

  /// The table that its records are read from, as far as they are not stored.
  public var table: KeyedTable? { step?.table }

  /// Has the table that the records are read from take in what it lacks.
  ///
  /// - Throws: what the tasks throw; what was taken in by then stays so.
  public func prepareTable(with runner: JobRunner) throws { try step?.prepare(with: runner) }

  /// True where the table could not take in what it lacks.
  public var tableHasFailed: Bool { step?.hasFailed ?? false }
}
