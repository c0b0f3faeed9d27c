import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// RDDs that wait in a queue, one (or all) a batch.
///
/// Spark: `queueStream`. Without a default, a batch for which the queue has nothing gets an empty
/// RDD of one partition. The queue is a snapshot; it reports no record counts.
final class QueueSource: Sendable {
  private let oneAtATime: Bool
  private let fallback: RDDNode?
  private let queue: Mutex<ArraySlice<RDDNode>>

  init(_ rdds: [RDDNode], oneAtATime: Bool, fallback: RDDNode?) {
    self.oneAtATime = oneAtATime
    self.fallback = fallback
    queue = Mutex(rdds[...])
  }

  func next(context: SparkContext) -> RDDNode {
    let taken = queue.withLock { queue -> [RDDNode] in
      if oneAtATime { return queue.popFirst().map { [$0] } ?? [] }
      defer { queue = [] }
      return Array(queue)
    }
    if taken.isEmpty {
      return fallback ?? RDDNode.batches([[]], name: "queueStream", context: context)
    }
    return RDDNode.union(of: taken, context: context)
  }

  var isEmpty: Bool { queue.withLock { $0.isEmpty } }
}

extension StreamingContext {
  /// A stream of given RDDs. See ``QueueSource`` for what happens when there are none left.
  ///
  /// - Returns: the stream, and a question: are RDDs left?
  public func addQueue(
    _ rdds: [RDDNode], oneAtATime: Bool = true, fallback: RDDNode? = nil
  ) throws -> (node: StreamNode, hasPending: @Sendable () -> Bool) {
    let source = QueueSource(rdds, oneAtATime: oneAtATime, fallback: fallback)
    let node = try addNode(name: "queueStream") { source.next(context: $0.context) }
    return (node, { !source.isEmpty })
  }

  /// A stream of given RDDs, one a batch unless `oneAtATime` is false; then `fallback`, or empty
  /// ones.
  public func queueStream<Element: Sendable>(
    _ rdds: [RDD<Element>], oneAtATime: Bool = true, fallback: RDD<Element>? = nil
  ) throws -> DStream<Element> {
    let (node, _) = try addQueue(
      rdds.map(\.node), oneAtATime: oneAtATime, fallback: fallback?.node)
    return DStream(node, in: self)
  }
}
