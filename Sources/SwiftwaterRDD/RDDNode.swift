import SwiftwaterCore
import Synchronization

/// One RDD: a lazy, partitioned collection, as the engine sees it.
///
/// A node knows how to compute a partition from its parents' partitions; it knows nothing of the
/// records' type (see ``RDD`` for that). Immutable but for its cache, and for its lineage, which can
/// be given up once the records are stored elsewhere. What a shuffle stored and what was cached is
/// freed with the node.
public final class RDDNode: Sendable {
  /// Unique within the process.
  public let id: Int
  /// The operator, as the user wrote it: `map`, `reduceByKey`.
  public let name: String
  public let context: SparkContext
  public let partitionCount: Int
  /// What a source reads, as the user knows it: a path.
  public let source: String?

  private let records: (@Sendable () -> Int)?
  private let lineage: Mutex<Lineage>
  private let cache = Mutex<Cache>(.off)
  private let failed = Atomic(false)

  /// Computes one partition.
  public typealias Body =
    @Sendable (_ partition: Int, _ task: TaskContext) throws -> any BatchCursor

  /// What the node is computed from. Replaced as a whole, never changed.
  private final class Lineage: Sendable {
    let dependencies: [Dependency]
    /// Nil where the node's form says it.
    let placement: TaskPlacement?
    let recordType: ColumnType?
    /// It knows what the node is computed from, and goes with that.
    let form: (any LateForm)?
    let recipe: (any Sendable)?
    let body: Body

    init(
      dependencies: [Dependency], placement: TaskPlacement?, recordType: ColumnType?,
      form: (any LateForm)? = nil, recipe: (any Sendable)? = nil, body: @escaping Body
    ) {
      self.dependencies = dependencies
      self.placement = placement
      self.recordType = recordType
      self.form = form
      self.recipe = recipe
      self.body = body
    }
  }

  private enum Cache {
    case off
    case on(partitions: [Int: [any RecordBatch]])
    /// All partitions, for good: there is no lineage any more.
    case stored([[any RecordBatch]])
  }

  /// - Parameters:
  ///   - settlesParents: false where the form does it.
  ///   - recordType: see ``recordType``.
  ///   - form: what is said later of the placement and the type of the records: it stands in for both.
  ///   - source: see ``source``.
  ///   - records: about how many records a source has.
  ///   - body: computes one partition. It reads parents through ``cursor(partition:task:)`` and
  ///     shuffles through ``Shuffle/bucket(_:)``.
  public init(
    name: String, context: SparkContext, dependencies: [Dependency], settlesParents: Bool = true,
    partitionCount: Int, placement: TaskPlacement = .anyThread, recordType: ColumnType? = nil,
    form: (any LateForm)? = nil, recipe: (any Sendable)? = nil, source: String? = nil,
    records: (@Sendable () -> Int)? = nil, body: @escaping Body
  ) {
    self.source = source
    self.records = records
    id = context.nextID()
    self.name = name
    self.context = context
    self.partitionCount = partitionCount
    lineage = Mutex(
      Lineage(
        dependencies: dependencies, placement: form == nil ? placement : nil,
        recordType: recordType, form: form, recipe: recipe, body: body))
    guard settlesParents else { return }
    for case .narrow(let parent) in dependencies { parent.settle() }
  }

  /// The type of the records that come in columns, or as text; nil where that is not known before.
  /// Some records may come in another form.
  public var recordType: ColumnType? {
    let lineage = self.lineage.withLock { $0 }
    if let form = lineage.form { return form.recordType }
    return lineage.recordType
  }

  /// Has the node decide what it has left open so far (see ``LateForm``).
  public func settle() { lineage.withLock { $0 }.form?.settle() }

  /// As ``settle()``, and for what is fused with the node later as well.
  public func seal() { lineage.withLock { $0 }.form?.seal() }

  /// What the node is computed from; nothing where all its records are stored.
  public var dependencies: [Dependency] { lineage.withLock { $0 }.dependencies }

  /// Where tasks of this node alone may run.
  public var placement: TaskPlacement {
    let lineage = self.lineage.withLock { $0 }
    return lineage.placement ?? lineage.form?.placement ?? .anyThread
  }

  /// What the layer that made the node knows of it, so that an operator behind it can be fused
  /// with it instead of reading from it.
  public var recipe: (any Sendable)? { lineage.withLock { $0 }.recipe }

  /// Computes one partition, or hands out what was cached.
  public func cursor(partition: Int, task: TaskContext) throws -> any BatchCursor {
    // Before the look into the cache: once the records are stored there is no lineage any more.
    let lineage = self.lineage.withLock { $0 }
    let isCached: Bool
    switch cache.withLock({ $0 }) {
    case .off:
      isCached = false
    case .on(let partitions):
      if let batches = partitions[partition] { return ArrayCursor(batches) }
      isCached = true
    case .stored(let partitions):
      return ArrayCursor(partitions[partition])
    }
    guard isCached else { return try lineage.body(partition, task) }
    var batches: [any RecordBatch] = []
    do {
      let cursor = try lineage.body(partition, task)
      while let batch = try cursor.next() {
        if batch.recordCount > 0 { batches.append(try batch.kept()) }
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
    return ArrayCursor(batches)
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
      case (true, .off): cache = .on(partitions: [:])
      case (true, _), (_, .stored): break
      case (false, _): cache = .off
      }
      return old
    }
    // The batches of `old` are freed here, outside the lock.
    _ = consume old
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
      replaceLineage(
        by: Lineage(
          dependencies: [], placement: .anyThread, recordType: recordType,
          body: { _, _ in preconditionFailure("a stored RDD is computed") }))
    }
    return isComplete ?? true
  }

  /// From now on the partitions are read from `replacement`, which has as many.
  public func cutLineage(readingFrom replacement: RDDNode) {
    precondition(replacement.partitionCount == partitionCount)
    replaceLineage(
      by: Lineage(
        dependencies: [.narrow(replacement)], placement: .anyThread, recordType: recordType,
        body: { partition, task in try replacement.cursor(partition: partition, task: task) }))
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
    var seen: Set<Int> = []
    func visit(_ node: RDDNode) {
      guard seen.insert(node.id).inserted else { return }
      switch node.cache.withLock({ $0 }) {
      case .stored(let partitions):
        sum += partitions.joined().reduce(0) { $0 + $1.recordCount }
        return
      case .on(let partitions) where partitions.count == node.partitionCount:
        sum += partitions.values.joined().reduce(0) { $0 + $1.recordCount }
        return
      default: break
      }
      if let records = node.records {
        sum += records()
        return
      }
      for dependency in node.dependencies {
        switch dependency {
        case .narrow(let parent): visit(parent)
        case .shuffle(let shuffle): sum += shuffle.recordCount
        }
      }
    }
    visit(self)
    return sum
  }

  /// Calls `body` with each node of the stage that ends in this one, as far as it has to be computed:
  /// once, parents first.
  public func forEachInStage(_ body: (RDDNode) -> Void) {
    var seen: Set<Int> = []
    func visit(_ node: RDDNode) {
      guard seen.insert(node.id).inserted, !node.isFullyCached else { return }
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
}

/// What a node decides late: when it is first computed, cached or read by a node that is not fused
/// with it. Until then it costs nothing, and what its functions refer to may be replaced.
///
/// Spark: an RDD of Python functions pickles them at that time.
public protocol LateForm: Sendable {
  /// Where the node's tasks may run; asking settles it.
  var placement: TaskPlacement { get }
  /// The type of the records, as in ``RDDNode/recordType``; asking settles it.
  var recordType: ColumnType? { get }
  /// Decides, once for all.
  func settle()
  /// Decides also for what is fused with the node from now on.
  func seal()
}

/// Where a task may run, from the freest to what is bound most.
public enum TaskPlacement: Int, Sendable, Comparable {
  /// On any thread, several at the same time.
  case anyThread
  /// On the thread that runs the job, one after the other, since only one can work at a time in this
  /// process; or in others, where there is a ``TaskMover``.
  case oneAtATime
  /// On the thread that runs the job, one after the other.
  case callingThread

  public static func < (a: TaskPlacement, b: TaskPlacement) -> Bool { a.rawValue < b.rawValue }
}

/// What a task knows about itself.
public struct TaskContext: Sendable {
  public let partition: Int
  /// Numbers the stages of a context, from 0.
  public let stage: Int
  /// Numbers the tasks of a context, from 0.
  public let attempt: Int
  /// What is bound to this process is done in another one.
  public let isMoved: Bool
  private let watch: JobWatch

  init(partition: Int, stage: Int, attempt: Int, isMoved: Bool, watch: JobWatch) {
    self.partition = partition
    self.stage = stage
    self.attempt = attempt
    self.isMoved = isMoved
    self.watch = watch
  }

  /// A task of another process, which has these numbers there.
  public init(partition: Int, stage: Int, attempt: Int) {
    self.init(
      partition: partition, stage: stage, attempt: attempt, isMoved: false,
      watch: JobWatch(Cancellation()))
  }

  /// The task that runs on this thread; nil outside of tasks.
  @TaskLocal public static var current: TaskContext?

  /// - Throws: ``EngineError`` (`cancelled`) once the job is to end, or what the ``CallerPoll`` threw.
  ///   Long tasks ask once a batch.
  public func checkCancellation() throws { try watch.check() }
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
