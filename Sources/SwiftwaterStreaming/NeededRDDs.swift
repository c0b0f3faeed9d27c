import SwiftwaterCore
import SwiftwaterRDD

/// An RDD that an output stands on and that cannot be made again later.
public struct NeededRDD: Sendable {
  /// Whose it is.
  public enum Place: Sendable {
    /// What a source took in; numbered among those that are pushed to.
    case input(Int)
    /// Of the stream with a key (parent -1), of one of its parents, or of what its table makes of records
    /// (parent -2).
    case stream(name: String, parent: Int)
  }

  public let place: Place
  public let time: BatchTime
  public let rdd: RDDNode
}

extension StreamHistory {
  /// Offers what some outputs of the batch at `time` stand on: what states are then, what windows
  /// look back on, and what sources took in. The rest can be computed from that. Inside the batch.
  ///
  /// - Parameters:
  ///   - inputLimit: so many bytes of text from sources are offered at most.
  ///   - take: false where an RDD cannot be kept, most likely because what computes it fails. Then
  ///     what that one stands on is offered.
  /// - Throws: ``EngineError`` (`unavailable`) beyond the limit; what `take` throws.
  func offerNeeded(
    by outputs: [Int], at time: BatchTime, context: SparkContext, inputLimit: Int,
    take: (NeededRDD) throws -> Bool
  ) throws {
    let generation = Generation(time: time, context: context, history: self)
    var inputs: [Int: Int] = [:]
    for (id, _) in plan.pushed { inputs[id] = inputs.count }
    var inputBytes = 0
    var seen: Set<StreamAtTime> = []
    // A stack, and not recursion: a state that fails may lag far behind.
    var open = plan.outputs.filter { outputs.contains($0.id) }
      .map { StreamAtTime(node: $0.node.id, time: time) }

    func isTaken(_ node: StreamNode, _ past: BatchTime, _ place: NeededRDD.Place) throws -> Bool {
      // What cannot even be made has no RDD to offer.
      guard let rdd = try? generation.rdd(of: node, at: past) else { return false }
      return try take(NeededRDD(place: place, time: past, rdd: rdd))
    }

    while let next = open.popLast() {
      guard seen.insert(next).inserted else { continue }
      let node = plan.nodes[next.node]
      if let number = inputs[node.id] {
        inputBytes += allocation(of: node.id, at: next.time).byteCount
        if inputBytes > inputLimit {
          throw EngineError.unavailable(
            "its outputs that failed will not run again after a recovery: they need more than "
              + "\(inputLimit >> 20) MB of input")
        }
        _ = try isTaken(node, next.time, .input(number))
        continue
      }
      if let name = node.tableStream?.stableName,
        try isTaken(node, next.time, .stream(name: name, parent: StreamGraph.tableRecords))
      {
        continue
      }
      if let name = node.stableName, node.reach.own > 0 {
        if try isTaken(node, next.time, .stream(name: name, parent: -1)) { continue }
        if let before = latestTime(of: node, before: next.time) {
          open.append(StreamAtTime(node: node.id, time: before))
        }
      }
      for (index, parent) in node.parents.enumerated() {
        let reach = node.reach.parent(index)
        for past in times(of: parent, from: next.time, back: reach) {
          if let name = node.stableName, reach > 0,
            try isTaken(parent, past, .stream(name: name, parent: index))
          {
            continue
          }
          open.append(StreamAtTime(node: parent.id, time: past))
        }
      }
    }
  }

  /// The times of a stream at `time` and up to `reach` milliseconds earlier.
  private func times(of node: StreamNode, from time: BatchTime, back reach: Int64) -> [BatchTime] {
    let slide = node.slide.milliseconds
    let elapsed = time.milliseconds - zeroTime.milliseconds
    var times: [BatchTime] = []
    var milliseconds = time.milliseconds - elapsed % slide
    while milliseconds >= time.milliseconds - reach && milliseconds > zeroTime.milliseconds {
      times.append(BatchTime(milliseconds: milliseconds))
      milliseconds -= slide
    }
    return times
  }
}

extension Allocation {
  /// The bytes of what is in it.
  fileprivate var byteCount: Int {
    blocks.reduce(leases.reduce(0) { $0 + $1.bytes }) { bytes, block in
      bytes + ((block as? SpillableText)?.byteCount ?? (block as? TextBlock)?.byteCount ?? 0)
    }
  }
}

private struct StreamAtTime: Hashable {
  let node: Int
  let time: BatchTime
}
