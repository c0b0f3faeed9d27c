import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// One DStream as the engine sees it: a function from a batch time to an RDD.
///
/// Immutable. The nodes of a context form a graph that only grows until `start()` freezes it.
public final class StreamNode: Sendable {
  /// Unique within the context, in the order of construction.
  public let id: Int
  /// The operator, as the user wrote it.
  public let name: String
  /// The distance between two RDDs of this stream: a multiple of the batch interval.
  public let slide: BatchInterval
  public let parents: [StreamNode]

  let source: (any InputSource)?
  private let body: @Sendable (Generation) throws -> RDDNode?
  private let cached = Mutex(false)

  init(
    id: Int, name: String, slide: BatchInterval, parents: [StreamNode],
    source: (any InputSource)? = nil, body: @escaping @Sendable (Generation) throws -> RDDNode?
  ) {
    self.id = id
    self.name = name
    self.slide = slide
    self.parents = parents
    self.source = source
    self.body = body
  }

  /// Every RDD of this stream is cached.
  public func setCached() { cached.withLock { $0 = true } }

  func rdd(for generation: Generation) throws -> RDDNode? {
    let rdd = try body(generation)
    if let rdd, cached.withLock({ $0 }) { rdd.setCached(true) }
    return rdd
  }
}

/// Where a stream's records come from.
public protocol InputSource: Sendable {
  /// Begins to take records in; called once, at the context's start.
  func start(clock: any EngineClock)

  /// Gives everything that was taken in since the last call to the batch that ends now. Called on
  /// the clock's thread: it only hands over what is there.
  func allocate() -> Allocation

  /// Ends taking in. `whenStopped` is called once, when nothing more will come.
  func stop(_ whenStopped: @escaping @Sendable () -> Void)

  /// True while records were taken in that no batch has.
  var hasPending: Bool { get }
}

/// What a source gives to one batch.
public struct Allocation: Sendable {
  /// One partition each.
  public let blocks: [any RecordBatch]
  /// Records, as reported to users: 0 for a source that reports none.
  public let reportedCount: Int

  public init(blocks: [any RecordBatch], reportedCount: Int) {
    self.blocks = blocks
    self.reportedCount = reportedCount
  }
}

/// An output operation: what is done with a stream's RDD at every batch time.
struct StreamOutput: Sendable {
  let name: String
  let node: StreamNode
  let action: @Sendable (RDDNode, BatchTime) throws -> Void
}

/// The batch time for which RDDs are being made, and the RDDs made so far.
///
/// Used by one thread, the one that runs the batch.
public final class Generation {
  public let time: BatchTime
  public let context: SparkContext
  private let zeroTime: BatchTime
  private let allocations: [Int: Allocation]
  /// By node: nil inside means that the stream has no RDD at this time.
  private var made: [Int: RDDNode?] = [:]

  init(
    time: BatchTime, zeroTime: BatchTime, context: SparkContext, allocations: [Int: Allocation]
  ) {
    self.time = time
    self.zeroTime = zeroTime
    self.context = context
    self.allocations = allocations
  }

  /// The RDD of `node` at this batch time; computed once. Nil where the stream has none.
  public func rdd(of node: StreamNode) throws -> RDDNode? {
    if let known = made[node.id] { return known }
    let elapsed = time.milliseconds - zeroTime.milliseconds
    let isDue = elapsed > 0 && elapsed % node.slide.milliseconds == 0
    let rdd = isDue ? try node.rdd(for: self) : nil
    made[node.id] = .some(rdd)
    return rdd
  }

  func allocation(of node: Int) -> Allocation {
    allocations[node] ?? Allocation(blocks: [], reportedCount: 0)
  }
}
