import SwiftwaterCore
import Synchronization

/// One RDD: a lazy, partitioned collection, as the engine sees it.
///
/// A node knows how to compute a partition from its parents' partitions; it knows nothing of the
/// records' type (see ``RDD`` for that). Immutable but for its cache. What a shuffle stored and
/// what was cached is freed with the node.
public final class RDDNode: Sendable {
  /// Unique within the process.
  public let id: Int
  /// The operator, as the user wrote it: `map`, `reduceByKey`.
  public let name: String
  public let context: SparkContext
  public let dependencies: [Dependency]
  public let partitionCount: Int
  /// Where tasks of this node alone may run.
  public let placement: TaskPlacement
  /// What the layer that made the node knows of it, so that an operator behind it can be fused
  /// with it instead of reading from it.
  public let recipe: (any Sendable)?

  private let body: @Sendable (_ partition: Int, _ task: TaskContext) throws -> any BatchCursor
  private let cache = Mutex<Cache>(.off)

  private enum Cache {
    case off
    case on(partitions: [Int: [any RecordBatch]])
  }

  /// - Parameters:
  ///   - body: computes one partition. It reads parents through ``cursor(partition:task:)`` and
  ///     shuffles through ``Shuffle/bucket(_:)``.
  public init(
    name: String, context: SparkContext, dependencies: [Dependency], partitionCount: Int,
    placement: TaskPlacement = .anyThread, recipe: (any Sendable)? = nil,
    body: @escaping @Sendable (_ partition: Int, _ task: TaskContext) throws -> any BatchCursor
  ) {
    id = context.nextID()
    self.name = name
    self.context = context
    self.dependencies = dependencies
    self.partitionCount = partitionCount
    self.placement = placement
    self.recipe = recipe
    self.body = body
  }

  /// Computes one partition, or hands out what was cached.
  public func cursor(partition: Int, task: TaskContext) throws -> any BatchCursor {
    let isCached: Bool
    switch cache.withLock({ $0 }) {
    case .off:
      isCached = false
    case .on(let partitions):
      if let batches = partitions[partition] { return ArrayCursor(batches) }
      isCached = true
    }
    let cursor = try body(partition, task)
    guard isCached else { return cursor }
    let batches = try cursor.drained()
    cache.withLock { cache in
      // Two threads may have computed the same partition: the first one's records stay, so that
      // nothing is freed while the lock is held.
      guard case .on(var partitions) = cache, partitions[partition] == nil else { return }
      partitions[partition] = batches
      cache = .on(partitions: partitions)
    }
    return ArrayCursor(batches)
  }

  /// True between `setCached(true)` and `setCached(false)`: consecutive operators do not fuse
  /// across such a node.
  public var isCached: Bool {
    if case .on = cache.withLock({ $0 }) { true } else { false }
  }

  /// Keeps the partitions from their first computation on, or forgets them.
  public func setCached(_ cached: Bool) {
    let old = cache.withLock { cache -> Cache in
      let old = cache
      switch (cached, old) {
      case (true, .off): cache = .on(partitions: [:])
      case (true, .on): break
      case (false, _): cache = .off
      }
      return old
    }
    // The batches of `old` are freed here, outside the lock.
    _ = consume old
  }

  /// Where the tasks of the stage that ends in this node may run: where all of its nodes may.
  var stagePlacement: TaskPlacement {
    if placement == .callingThread { return .callingThread }
    for case .narrow(let parent) in dependencies where parent.stagePlacement == .callingThread {
      return .callingThread
    }
    return .anyThread
  }
}

/// How a node stands on another.
public enum Dependency: Sendable {
  /// Each partition reads some partitions of the parent: same stage.
  case narrow(RDDNode)
  /// Each partition reads a bucket of every partition of the parent: a stage of its own before.
  case shuffle(Shuffle)
}

/// Where a task may run.
public enum TaskPlacement: Sendable {
  /// On any thread, several at the same time.
  case anyThread
  /// On the thread that runs the job, one after the other: for work that is bound to a thread.
  case callingThread
}

/// What a task knows about itself.
public struct TaskContext: Sendable {
  public let partition: Int
  private let cancellation: Cancellation

  init(partition: Int, cancellation: Cancellation) {
    self.partition = partition
    self.cancellation = cancellation
  }

  /// - Throws: ``EngineError`` (`cancelled`) once the job is to end. Long tasks ask once a batch.
  public func checkCancellation() throws { try cancellation.check() }
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
