import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// The RDDs that streams had at earlier batch times, for as long as somebody may look back at them,
/// and the blocks from which those can still be made that nobody has asked for yet.
///
/// Written by the thread that runs batches; read by others too (`slice`).
final class StreamHistory: Sendable {
  private struct State {
    /// By node and time: nil inside means that the stream had no RDD.
    var rdds: [Int: [BatchTime: RDDNode?]] = [:]
    var allocations: [BatchTime: [Int: Allocation]] = [:]
    var latest: BatchTime
  }

  private let zeroTime: BatchTime
  private let plan: StreamPlan
  private let state: Mutex<State>

  init(plan: StreamPlan, zeroTime: BatchTime, last: BatchTime) {
    self.plan = plan
    self.zeroTime = zeroTime
    var state = State(latest: last)
    for (node, time, rdd) in plan.past.rdds {
      state.rdds[node, default: [:]][time] = .some(rdd)
    }
    self.state = Mutex(state)
  }

  /// True where `node` may have an RDD at `time`.
  func isDue(_ node: StreamNode, at time: BatchTime) -> Bool {
    let elapsed = time.milliseconds - zeroTime.milliseconds
    return elapsed > 0 && elapsed % node.slide.milliseconds == 0
  }

  /// What is known of a stream at a time: nil means that it has not been computed. What is too old
  /// to be remembered has no RDD.
  func known(_ node: StreamNode, at time: BatchTime) -> RDDNode?? {
    state.withLock { state in
      if let known = state.rdds[node.id]?[time] { return .some(known) }
      let isForgotten =
        time < state.latest
        && time.milliseconds < state.latest.milliseconds - plan.retention[node.id]
      return isForgotten ? .some(nil) : nil
    }
  }

  func remember(_ rdd: RDDNode?, of node: StreamNode, at time: BatchTime) {
    state.withLock { $0.rdds[node.id, default: [:]][time] = .some(rdd) }
  }

  func begin(_ batch: Batch) {
    state.withLock { state in
      state.latest = batch.time
      if !batch.allocations.isEmpty { state.allocations[batch.time] = batch.allocations }
    }
  }

  func allocation(of node: Int, at time: BatchTime) -> Allocation {
    state.withLock { $0.allocations[time]?[node] } ?? Allocation(blocks: [], reportedCount: 0)
  }

  /// Forgets what nobody looks back at once the batch at `time` is over.
  func end(at time: BatchTime) {
    let old = state.withLock { state -> ([RDDNode?], [[Int: Allocation]]) in
      var forgotten: [RDDNode?] = []
      for (node, rdds) in state.rdds {
        let limit = time.milliseconds - plan.retention[node]
        let keepsLatest = plan.nodes[node].hasState
        let latest = keepsLatest ? rdds.keys.max() : nil
        for (rddTime, rdd) in rdds where rddTime.milliseconds <= limit && rddTime != latest {
          forgotten.append(rdd)
          state.rdds[node]?[rddTime] = nil
        }
      }
      var blocks: [[Int: Allocation]] = []
      let longest = plan.sources.map { plan.retention[$0.id] }.max() ?? 0
      for (blockTime, allocations) in state.allocations
      where blockTime.milliseconds <= time.milliseconds - longest {
        blocks.append(allocations)
        state.allocations[blockTime] = nil
      }
      return (forgotten, blocks)
    }
    // Freed here, outside the lock.
    withExtendedLifetime(old) {}
  }

  /// The RDDs of streams with state at `time`.
  func states(at time: BatchTime) -> [(node: StreamNode, rdd: RDDNode)] {
    plan.states.compactMap { node in
      guard case .some(.some(let rdd)) = known(node, at: time) else { return nil }
      return (node, rdd)
    }
  }

  /// What streams with a key look back on after the batch at `time`: their own RDDs (parent -1) and
  /// those of their parents. What nobody has asked for yet is computed.
  func retained(
    after time: BatchTime, context: SparkContext
  ) throws -> [(key: String, parent: Int, time: BatchTime, rdd: RDDNode)] {
    let generation = Generation(time: time, context: context, history: self)
    var found: [(key: String, parent: Int, time: BatchTime, rdd: RDDNode)] = []
    for node in plan.nodes {
      guard let key = node.key else { continue }
      let looks =
        [(-1, node, node.reach.own)]
        + node.parents.enumerated().map { ($0, $1, node.reach.parent($0)) }
      for (parent, target, reach) in looks where reach > 0 {
        for past in times(of: target, reaching: reach, before: time) {
          if parent == -1, known(target, at: past) == nil { continue }
          if let rdd = try generation.rdd(of: target, at: past) {
            found.append((key, parent, past, rdd))
          }
        }
      }
    }
    return found
  }

  /// The times of a stream in `(time - reach, time]`; of one with state also its latest before.
  private func times(
    of node: StreamNode, reaching reach: Int64, before time: BatchTime
  ) -> [BatchTime] {
    var times: Set<BatchTime> = []
    let slide = node.slide.milliseconds
    var milliseconds = time.milliseconds - (time.milliseconds - zeroTime.milliseconds) % slide
    while milliseconds > time.milliseconds - reach && milliseconds > zeroTime.milliseconds {
      times.insert(BatchTime(milliseconds: milliseconds))
      milliseconds -= slide
    }
    if node.hasState {
      let latest = state.withLock { state in
        state.rdds[node.id]?.filter { $0.value != nil }.keys.max()
      }
      if let latest { times.insert(latest) }
    }
    return times.sorted()
  }
}
