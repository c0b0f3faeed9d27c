import SwiftwaterCore
import SwiftwaterPlan
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

  /// How far back this stream looks at each parent, and at itself.
  let reach: Reach
  /// Names a stream whose past is part of a checkpoint.
  let stableName: String?

  /// Set for a stream without parents.
  let source: StreamSource?
  public let `operator`: StreamOperator
  /// Set where its RDDs are views of a table.
  let table: StreamTable?
  /// What the records of every RDD are divided by that has any partitions; nil where only an RDD knows.
  public let partitioner: Partitioner?
  private let body: @Sendable (Generation) throws -> RDDNode?
  private let cached = Mutex(false)

  init(
    id: Int, name: String, slide: BatchInterval, parents: [StreamNode], reach: Reach = .none,
    stableName: String? = nil, source: StreamSource? = nil, operator: StreamOperator,
    table: StreamTable? = nil, partitioner: Partitioner? = nil,
    body: @escaping @Sendable (Generation) throws -> RDDNode?
  ) {
    self.id = id
    self.name = name
    self.slide = slide
    self.parents = parents
    self.reach = reach
    self.stableName = stableName
    self.source = source
    self.operator = `operator`
    self.table = table
    self.partitioner = partitioner ?? `operator`.partitioner(over: parents.first?.partitioner)
    self.body = body
  }

  /// Of a source: the place of the user's call, and the type of the records, where they are known.
  public var sourceSite: String { source?.site ?? "" }
  public var sourceType: ColumnType? { source?.recordType }

  /// What batches read of it, where they choose that themselves.
  public var ranges: RangeSupervisor? { source?.ranged }

  /// Every RDD of this stream is cached. Nothing changes where records are pushed: their blocks are
  /// there anyway.
  public func setCached() { cached.withLock { $0 = true } }

  /// The stream whose table takes in the records that this one's are made of.
  var tableStream: StreamNode? {
    if case .tableRecords = `operator` { parents[0] } else { nil }
  }

  /// True where each RDD is computed from the one before: its lineage is cut in every batch.
  var hasState: Bool { stableName != nil && reach.own > 0 && table == nil }

  func rdd(for generation: Generation) throws -> RDDNode? {
    let rdd = try body(generation)
    // What was pushed is kept as it is: a second copy would be of no use. What is read may be gone when
    // somebody looks back.
    if let rdd, source?.pushed == nil, cached.withLock({ $0 }) { rdd.setCached(true) }
    return rdd
  }
}

/// How far back a stream looks, in milliseconds; 0 for the present only.
public struct Reach: Sendable {
  /// For each parent; those that are missing are not looked back at.
  public let parents: [Int64]
  /// At its own earlier RDDs.
  public let own: Int64

  public init(parents: [Int64], own: Int64 = 0) {
    self.parents = parents
    self.own = own
  }

  public static let none = Reach(parents: [])

  func parent(_ index: Int) -> Int64 { index < parents.count ? parents[index] : 0 }
}

/// An output operation: where a stream's RDDs go, batch by batch.
final class StreamOutput: Sendable {
  /// Numbers the outputs of a context, from 0.
  let id: Int
  let name: String
  let site: String
  /// The name and the place of the call.
  let title: String
  /// What sinks know it by.
  let stableName: OutputName
  let node: StreamNode
  let sink: any Sink

  init(
    id: Int, name: String, site: String, stableName: OutputName, node: StreamNode, sink: any Sink
  ) {
    self.id = id
    self.name = name
    self.site = site
    title = site.isEmpty ? name : "\(name) at \(site)"
    self.stableName = stableName
    self.node = node
    self.sink = sink
  }
}

/// The batch time for which RDDs are being made, with what is remembered of earlier ones.
///
/// Used by one thread, the one that runs the batch.
public final class Generation {
  public let time: BatchTime
  public let context: SparkContext
  private let history: StreamHistory

  init(time: BatchTime, context: SparkContext, history: StreamHistory) {
    self.time = time
    self.context = context
    self.history = history
  }

  /// The RDD of `node` at this batch time; computed once. Nil where the stream has none.
  public func rdd(of node: StreamNode) throws -> RDDNode? { try rdd(of: node, at: time) }

  /// The RDD of `node` at this batch time or an earlier one. One that was not computed in its time
  /// is computed now, as in Spark; nil where the stream had none, and where it is forgotten.
  public func rdd(of node: StreamNode, at time: BatchTime) throws -> RDDNode? {
    guard time <= self.time, history.isDue(node, at: time) else { return nil }
    if let known = history.known(node, at: time) { return known }
    let generation =
      time == self.time ? self : Generation(time: time, context: context, history: history)
    let rdd = try node.rdd(for: generation)
    history.remember(rdd, of: node, at: time)
    return rdd
  }

  /// The RDDs that `node` has at the batch times behind `start` and up to `end`, in their order.
  public func rdds(
    of node: StreamNode, after start: BatchTime, through end: BatchTime
  ) throws -> [RDDNode] {
    try times(of: node, after: start.milliseconds, through: end).compactMap {
      try rdd(of: node, at: $0)
    }
  }

  /// The batch times of `node` behind `start` and up to `end`, in their order.
  func times(
    of node: StreamNode, after start: Int64, through end: BatchTime
  ) -> some Sequence<BatchTime> {
    // Before the first batch there is nothing, however far back that is.
    let zero = history.zeroTime.milliseconds
    let slide = node.slide.milliseconds
    let first = (max(start, zero) - zero) / slide + 1
    return (first..<max((end.milliseconds - zero) / slide + 1, first)).lazy.map {
      BatchTime(milliseconds: zero + $0 * slide)
    }
  }

  /// True where a stream has an RDD at this time.
  func isDue(_ node: StreamNode) -> Bool { history.isDue(node, at: time) }

  /// The streams of what the function of a stream's table makes of records.
  func tableRecords(of node: StreamNode) -> [StreamNode] { history.plan.tableRecords(of: node) }

  /// The time before the first batch.
  var zeroTime: BatchTime { history.zeroTime }

  /// What an earlier run has left of a stream's own RDDs, the latest before this time.
  ///
  /// - Parameters:
  ///   - table: views of this one are none of an earlier run.
  ///   - time: it is of use only where it is later.
  func restored(
    _ stableName: String, of table: KeyedTable, behind time: Int64?
  ) -> (node: Int, time: BatchTime, rdd: RDDNode)? {
    history.latest(of: stableName, before: self.time, behind: time) { $0.table !== table }
  }

  /// When the keys of what an earlier run has left had new values last, where it is known.
  func restoredKeyTimes(of node: Int, at time: BatchTime) -> RDDNode? {
    history.restoredKeyTimes(of: node, at: time)
  }

  func allocation(of node: Int) -> Allocation { history.allocation(of: node, at: time) }

  /// What an earlier run had taken in for this batch.
  func restoredInput(of node: Int) -> RDDNode? { history.restoredInput(of: node, at: time) }

  /// What the batch reads, as far as it is planned, by name.
  public var inputs: [BatchInput] { history.inputs(at: time) }
}
