import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

/// One RDD: an operator of a plan with what it is computed from, lazy and partitioned.
///
/// A node knows nothing of the records' type (see ``RDD`` for that). Immutable but for its cache, and for
/// its lineage, which can be given up once the records are stored elsewhere. What a shuffle stored and
/// what was cached is freed with the node.
public final class RDDNode: Partitioned, Sendable {
  /// Unique within the process.
  public let id: Int
  /// The operator, as the user wrote it: `map`, `reduceByKey`.
  public let name: String
  public let context: SparkContext
  public let partitionCount: Int
  /// What the records are divided by; nil where that is not known. It holds, whatever becomes of the
  /// lineage.
  public let partitioner: Partitioner?

  private static let ids = Atomic(0)
  private let lineage: Mutex<Lineage>
  private let cache = Mutex<Cache>(.off)
  /// Another one each time that the records begin to be kept.
  private let cacheNumber = Atomic(0)
  private let failed = Atomic(false)
  /// What joins have made of the records.
  let tables = Mutex(KeptTables())

  /// What the node is computed from. Replaced as a whole, never changed.
  final class Lineage: Sendable {
    let `operator`: Operator
    let inputs: [RDDNode]
    /// In front of an operator that reads one.
    let shuffle: Shuffle?
    /// The table that is read.
    let table: TableStep?
    /// What the operator decides late, where it does.
    let late: Late?
    fileprivate let dependencies: [Dependency]
    fileprivate let placement: TaskPlacement
    fileprivate let recordType: ColumnType?

    init(
      _ operator: Operator, _ inputs: [RDDNode], shuffle: Shuffle? = nil, table: TableStep? = nil,
      late: Late? = nil, placement: TaskPlacement, recordType: ColumnType?
    ) {
      self.operator = `operator`
      self.inputs = inputs
      self.shuffle = shuffle
      self.table = table
      dependencies =
        table.map { [.table($0)] } ?? shuffle.map { [.shuffle($0)] } ?? inputs.map { .narrow($0) }
      self.late = late
      self.placement = placement
      self.recordType = recordType
    }

    /// The batches of one bucket of the shuffle.
    func bucket(_ partition: Int) -> [any RecordBatch] {
      guard let shuffle else { preconditionFailure("an operator without its shuffle") }
      return shuffle.bucket(partition)
    }
  }

  /// What an operator decides late.
  enum Late: Sendable {
    case steps(StepsPlan)
    case merge(MergePlan)

    fileprivate var plan: any LatePlan {
      switch self {
      case .steps(let plan): plan
      case .merge(let plan): plan
      }
    }
  }

  private enum Cache {
    case off
    case on(partitions: [Int: [any RecordBatch]])
    /// All partitions, for good: there is no lineage any more.
    case stored([[any RecordBatch]])
  }

  /// - Parameters:
  ///   - inputs: what the operator is computed from, but for what a shuffle reads.
  ///   - placement: where tasks of this node alone may run; `late` knows better.
  ///   - recordType: see ``recordType``; `late` knows better.
  init(
    _ operator: Operator, name: String, context: SparkContext, inputs: [RDDNode] = [],
    shuffle: Shuffle? = nil, table: TableStep? = nil, partitionCount: Int,
    placement: TaskPlacement = .anyThread, recordType: ColumnType? = nil, late: Late? = nil
  ) {
    id = Self.ids.wrappingAdd(1, ordering: .relaxed).oldValue
    self.name = name
    self.context = context
    self.partitionCount = partitionCount
    partitioner = `operator`.partitioner(over: inputs.first?.partitioner)
    lineage = Mutex(
      Lineage(
        `operator`, inputs, shuffle: shuffle, table: table, late: late, placement: placement,
        recordType: recordType))
    for input in inputs where !input.isFusedMerge { input.settle() }
  }

  /// What it is; ``Operator/stored`` where nothing is known any more of how it came about.
  public var `operator`: Operator { lineage.withLock { $0 }.operator }

  /// The type of the records that come in columns, or as text; nil where that is not known before.
  /// Some records may come in another form.
  public var recordType: ColumnType? {
    let lineage = self.lineage.withLock { $0 }
    if let late = lineage.late { return late.plan.recordType }
    return lineage.recordType
  }

  /// Has the node decide what it has left open so far: see ``LateValue``.
  public func settle() { lineage.withLock { $0 }.late?.plan.settle() }

  /// As ``settle()``, and for what is fused with the node later as well.
  public func seal() { lineage.withLock { $0 }.late?.plan.seal() }

  /// What the node is computed from; nothing where all its records are stored.
  public var dependencies: [Dependency] { lineage.withLock { $0 }.dependencies }

  /// Where tasks of this node alone may run.
  public var placement: TaskPlacement {
    let lineage = self.lineage.withLock { $0 }
    return lineage.late?.plan.placement ?? lineage.placement
  }

  /// What a source reads, as the user knows it: a path.
  public var source: String? {
    if case .read(let source) = self.operator { source.name } else { nil }
  }

  /// What it decides late, with its inputs and its shuffle; nil where it decides nothing, or is cached:
  /// nothing is fused with it then.
  var openPlan: (late: Late, inputs: [RDDNode], shuffle: Shuffle?)? {
    let lineage = self.lineage.withLock { $0 }
    guard let late = lineage.late, !isCached else { return nil }
    return (late, lineage.inputs, lineage.shuffle)
  }

  /// What its records are read from where that is a table.
  var step: TableStep? { lineage.withLock { $0 }.table }

  /// True for no node of a user's, but the part of the steps behind it that merges.
  var isFusedMerge: Bool {
    if case .merge(let plan) = lineage.withLock({ $0 }).late { plan.isFused } else { false }
  }

  /// Computes one partition, or hands out what was cached.
  public func cursor(partition: Int, task: TaskContext) throws -> PartitionFlow {
    try flow(partition: partition, Evaluation(task))
  }

  /// The same, as somebody sees to it who may have other processes.
  func flow(partition: Int, _ evaluation: Evaluation) throws -> PartitionFlow {
    // Before the look into the cache: once the records are stored there is no lineage any more.
    let lineage = self.lineage.withLock { $0 }
    switch cache.withLock({ $0 }) {
    case .off: return try evaluation.flow(lineage, partition: partition)
    case .on(let partitions):
      if let batches = partitions[partition] {
        return PartitionFlow(ArrayCursor(batches), partition: partition)
      }
    case .stored(let partitions):
      return PartitionFlow(ArrayCursor(partitions[partition]), partition: partition)
    }
    var batches: [any RecordBatch] = []
    do {
      let flow = try evaluation.flow(lineage, partition: partition)
      while let batch = try flow.next() {
        if batch.recordCount > 0 { batches.append(try batch.spillingIfShort()) }
      }
    } catch {
      failed.store(true, ordering: .relaxed)
      throw error
    }
    cache.withLock { cache in
      // Two threads may have computed the same partition: the first one's records stay, so that
      // nothing is freed while the lock is held.
      guard case .on(var partitions) = cache, partitions[partition] == nil else { return }
      // Taken out, so that the dictionary is changed where it is.
      cache = .off
      partitions[partition] = batches
      cache = .on(partitions: partitions)
    }
    return PartitionFlow(ArrayCursor(batches), partition: partition)
  }

  /// True while partitions are kept: consecutive operators do not fuse across such a node.
  public var isCached: Bool {
    if case .off = cache.withLock({ $0 }) { false } else { true }
  }

  /// Keeps the partitions from their first computation on, or forgets them. What has no lineage
  /// any more stays.
  public func setCached(_ cached: Bool) {
    if cached { settle() }
    let old = cache.withLock { cache -> Cache in
      let old = cache
      switch (cached, old) {
      case (true, .off):
        cache = .on(partitions: [:])
        cacheNumber.wrappingAdd(1, ordering: .relaxed)
      case (true, _), (_, .stored): break
      case (false, _): cache = .off
      }
      return old
    }
    // The batches of `old` are freed here, outside the lock.
    _ = consume old
    if !cached, !isCached { forgetTables() }
  }

  /// The number of the keeping that is on; nil where the records are not kept.
  var keeping: Int? { isCached ? cacheNumber.load(ordering: .relaxed) : nil }

  /// Calls `body` with what the node is computed from, as it is now.
  func withLineage<Result>(_ body: (Lineage) throws -> Result) rethrows -> Result {
    try body(lineage.withLock { $0 })
  }

  /// Computes and keeps all partitions, and forgets what they were computed from: a lineage that
  /// grows with every batch ends here.
  ///
  /// - Throws: what computing throws; the lineage stays then.
  public func store(with runner: JobRunner) throws {
    setCached(true)
    let known: Set<Int>
    switch cache.withLock({ $0 }) {
    case .stored: return
    case .on(let partitions): known = Set(partitions.keys)
    case .off: known = []
    }
    let missing = (0..<partitionCount).filter { !known.contains($0) }
    _ = try runner.run(self, partitions: missing) { cursor, _ in _ = try cursor.drained() }
    _ = storeIfComplete()
  }

  /// Forgets what the partitions were computed from, where all of them are kept.
  ///
  /// - Returns: true where nothing is known of that any more.
  public func storeIfComplete() -> Bool {
    let isComplete = cache.withLock { cache -> Bool? in
      switch cache {
      case .stored: return nil
      case .on(let partitions) where partitions.count == partitionCount:
        cache = .stored((0..<partitionCount).map { partitions[$0] ?? [] })
        return true
      case .on, .off: return false
      }
    }
    if isComplete == true {
      replaceLineage(by: Lineage(.stored, [], placement: .anyThread, recordType: recordType))
    }
    return isComplete ?? true
  }

  /// From now on the partitions are read from `replacement`, which has as many.
  public func cutLineage(readingFrom replacement: RDDNode) {
    precondition(replacement.partitionCount == partitionCount)
    replaceLineage(
      by: Lineage(
        .layout(.union(of: [partitionCount])), [replacement], placement: .anyThread,
        recordType: recordType))
  }

  private func replaceLineage(by new: Lineage) {
    let old = lineage.withLock { lineage -> Lineage in
      defer { lineage = new }
      return lineage
    }
    // Freed here, outside the lock.
    _ = consume old
  }

  /// True where `ancestor` is this node or one that it is computed from.
  public func dependsOn(_ ancestor: RDDNode) -> Bool {
    var ids: Set<Int> = []
    addLineage(to: &ids)
    return ids.contains(ancestor.id)
  }

  /// Adds the ids of this node and of all that it is computed from.
  public func addLineage(to ids: inout Set<Int>) {
    var open = [self]
    while let node = open.popLast() {
      guard ids.insert(node.id).inserted else { continue }
      for dependency in node.dependencies {
        switch dependency {
        case .narrow(let parent): open.append(parent)
        case .shuffle(let shuffle): if let parent = shuffle.mapSideParent { open.append(parent) }
        case .table(let step): open += step.nodes
        }
      }
    }
  }

  /// True where partitions are to be kept, and computing one has failed before.
  public var hasFailed: Bool { failed.load(ordering: .relaxed) }

  /// True where all partitions are kept for good, and nothing is known of how they came about.
  public var isStored: Bool {
    if case .stored = cache.withLock({ $0 }) { true } else { false }
  }

  /// True where no partition has to be computed.
  var isFullyCached: Bool {
    switch cache.withLock({ $0 }) {
    case .off: false
    case .on(let partitions): partitions.count == partitionCount
    case .stored: true
    }
  }

  /// Where the tasks of the stage that ends in this node may run: where all of its nodes may.
  public var stagePlacement: TaskPlacement {
    var placement = TaskPlacement.anyThread
    forEachInStage { placement = max(placement, $0.placement) }
    return placement
  }

  /// About how many records the stage that ends in this node reads.
  public var stageRecords: Int {
    var sum = 0
    var seen: Set<ObjectIdentifier> = []
    func visit(_ node: RDDNode) {
      guard seen.insert(ObjectIdentifier(node)).inserted else { return }
      switch node.cache.withLock({ $0 }) {
      case .stored(let partitions):
        sum += partitions.joined().reduce(0) { $0 + $1.recordCount }
        return
      case .on(let partitions) where partitions.count == node.partitionCount:
        sum += partitions.values.joined().reduce(0) { $0 + $1.recordCount }
        return
      default: break
      }
      if case .read(let source) = node.operator {
        sum += source.recordCount
        return
      }
      for dependency in node.dependencies {
        switch dependency {
        case .narrow(let parent): visit(parent)
        case .shuffle(let shuffle): sum += shuffle.recordCount
        case .table(let step): sum += step.table.figures.keys
        }
      }
    }
    visit(self)
    return sum
  }

  /// The functions of the stage that ends in this node; the last one stands for the stage.
  func stageFunctions(_ end: StageEnd) -> [any UserFunction] {
    var functions: [any UserFunction] = []
    forEachInStage { node in
      switch node.operator {
      case .combineByKey(let combination), .combineLocally(let combination):
        functions.append(combination.mergeValue)
      default: functions += node.operator.functions
      }
    }
    if case .combine(let combination) = end { return functions + [combination.mergeValue] }
    return functions + end.functions
  }

  /// Calls `body` with each node of the stage that ends in this one, as far as it has to be computed:
  /// once, parents first.
  public func forEachInStage(_ body: (RDDNode) -> Void) {
    var seen: Set<ObjectIdentifier> = []
    func visit(_ node: RDDNode) {
      guard seen.insert(ObjectIdentifier(node)).inserted, !node.isFullyCached else { return }
      for case .narrow(let parent) in node.dependencies { visit(parent) }
      body(node)
    }
    visit(self)
  }
}

/// How a node stands on another.
public enum Dependency: Sendable {
  /// Each partition reads some partitions of the parent: same stage.
  case narrow(RDDNode)
  /// Each partition reads a bucket of every partition of the parent: a stage of its own before.
  case shuffle(Shuffle)
  /// Each partition reads its part of a table, which takes in batches before: a stage for each.
  case table(TableStep)
}

extension BatchCursor {
  /// All remaining batches that are not empty.
  public func drained() throws -> [any RecordBatch] {
    var batches: [any RecordBatch] = []
    while let batch = try next() {
      if batch.recordCount > 0 { batches.append(batch) }
    }
    return batches
  }
}
