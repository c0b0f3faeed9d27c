import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// RDDs that wait in a queue, one (or all) a batch; a range is the places of those that a batch has.
///
/// Spark: `queueStream`. Without a default, a batch for which the queue has nothing gets an empty
/// RDD of one partition. The queue is a snapshot; it reports no record counts.
final class QueueSource: RangedSource {
  private struct State {
    /// By place; those that a batch has read are gone.
    var rdds: [RDDNode?]
    /// The place of the first one that no batch has.
    var next = 0

    var isEmpty: Bool { next == rdds.count }
  }

  private let oneAtATime: Bool
  private let fallback: RDDNode?
  private let state: Mutex<State>

  init(_ rdds: [RDDNode], oneAtATime: Bool, fallback: RDDNode?) {
    self.oneAtATime = oneAtATime
    self.fallback = fallback
    state = Mutex(State(rdds: rdds))
  }

  var memory: Int64 { 0 }

  func plan(for time: BatchTime, known: PlannedRanges) -> SourceRange? {
    state.withLock { state in
      if state.isEmpty { return SourceRange([]) }
      let end = oneAtATime ? state.next + 1 : state.rdds.count
      defer { state.next = end }
      return SourceRange([SourceSplit(name: [], offsets: state.next..<end)])
    }
  }

  func rdd(of range: SourceRange, context: SparkContext) -> RDDNode {
    let rdds = state.withLock { state in
      range.splits.compactMap(\.offsets).joined().compactMap { place -> RDDNode? in
        defer { state.rdds[place] = nil }
        return state.rdds[place]
      }
    }
    if rdds.isEmpty {
      return fallback ?? RDDNode.batches([[]], name: "queueStream", context: context)
    }
    return RDDNode.union(of: rdds, context: context)
  }

  var hasMore: Bool { state.withLock { !$0.isEmpty } }
}

extension StreamingContext {
  /// A stream of given RDDs. See ``QueueSource`` for what happens when there are none left.
  public func addQueue(
    _ rdds: [RDDNode], oneAtATime: Bool = true, fallback: RDDNode? = nil
  ) throws -> StreamNode {
    let source = QueueSource(rdds, oneAtATime: oneAtATime, fallback: fallback)
    return try addRanged(source, name: "queueStream") { range, generation in
      source.rdd(of: range, context: generation.context)
    }
  }

  /// A stream of given RDDs, one a batch unless `oneAtATime` is false; then `fallback`, or empty
  /// ones.
  public func queueStream<Element: Sendable>(
    _ rdds: [RDD<Element>], oneAtATime: Bool = true, fallback: RDD<Element>? = nil
  ) throws -> DStream<Element> {
    DStream(
      try addQueue(rdds.map(\.node), oneAtATime: oneAtATime, fallback: fallback?.node), in: self)
  }
}
