import SwiftwaterRDD
import Synchronization

/// How many batches the states of streams stand on that could not be computed: each refers to the one
/// before and to its own batch's records, and all are tried again in every batch.
final class StateLineages: Sendable {
  /// So many in a row. What comes from outside, say a database that is away, is back by then; a record
  /// that a function cannot take stays one.
  static let longest = 100

  private struct Lineage: Sendable {
    /// The latest that was stored.
    var stored: RDDNode?
    var length = 0
  }
  private let lineages = Mutex<[Int: Lineage]>([:])

  /// Notes the latest RDD of each state when a batch is over. Those that stand on too many batches go on
  /// without them.
  ///
  /// - Returns: these states.
  func bound(in history: StreamHistory) -> [StreamNode] {
    history.latestStates().compactMap { node, rdd in
      guard let stored = takeLast(of: node, rdd) else { return nil }
      if let stored, stored.partitionCount == rdd.partitionCount, !node.looksBackAtParents {
        rdd.cutLineage(readingFrom: stored)
      } else {
        // It is made anew, of what it looks back at.
        history.remember(nil, of: node, at: history.latestTime(of: node))
      }
      return node
    }
  }

  /// What a state goes on from that stands on too many batches; nil for others.
  private func takeLast(of node: StreamNode, _ rdd: RDDNode) -> RDDNode?? {
    let (found, old) = lineages.withLock { lineages -> (RDDNode??, RDDNode?) in
      let lineage = lineages[node.id] ?? Lineage()
      if rdd.isStored {
        lineages[node.id] = Lineage(stored: rdd)
        return (nil, lineage.stored)
      }
      let isTooLong = lineage.length >= Self.longest
      lineages[node.id] = Lineage(
        stored: lineage.stored, length: isTooLong ? 0 : lineage.length + 1)
      return (isTooLong ? .some(lineage.stored) : nil, nil)
    }
    // Freed here, outside the lock.
    withExtendedLifetime(old) {}
    return found
  }
}

extension StreamNode {
  /// True for one that has what it is made of at hand, beside its own RDD before.
  fileprivate var looksBackAtParents: Bool { reach.parents.contains { $0 > 0 } }
}
