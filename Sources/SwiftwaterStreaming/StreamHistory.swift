import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// The RDDs that streams had at earlier batch times, for as long as somebody may look back at them,
/// and the blocks from which those can still be made that nobody has asked for yet.
///
/// Written by the thread that runs batches; read by others too (`slice`).
final class StreamHistory: Sendable {
  private struct State {
    /// By node.
    var rdds: [Int: PastRDDs] = [:]
    var allocations: [BatchTime: [Int: Allocation]] = [:]
    /// When the keys of tables had new values last, as an earlier run has left it, by node and time.
    var keyTimes: [Int: [BatchTime: RDDNode]] = [:]
    /// What an earlier run had taken in, by time and node; it is there beside the allocations.
    var restored: [BatchTime: [Int: RDDNode]] = [:]
    /// The times at which some stream has an RDD or blocks that may be let go early.
    var openTimes: [BatchTime] = []
    /// What is older than a stream's retention before this time is forgotten: the batch that runs,
    /// or the first one that a state has not in it yet.
    var reference: BatchTime
  }

  /// For so many batches a state may lag behind without a loss: their planning failed.
  private static let longestLag: Int64 = 1000

  let zeroTime: BatchTime
  let plan: StreamPlan
  private let letsGoEarly: Bool
  private let state: Mutex<State>
  private let text = SpillableInput()

  /// - Parameter past: what an earlier run has left.
  init(plan: StreamPlan, past: StreamGraph.Past, zeroTime: BatchTime, last: BatchTime) {
    self.plan = plan
    self.zeroTime = zeroTime
    letsGoEarly = plan.nodes.contains { plan.isLetGoEarly($0) }
    var state = State(reference: last)
    for (node, time, rdd) in past.rdds {
      state.rdds[node, default: PastRDDs()][time] = .some(rdd)
    }
    for (node, time, rdd) in past.keyTimes { state.keyTimes[node, default: [:]][time] = rdd }
    for (node, time, rdd) in past.inputs { state.restored[time, default: [:]][node] = rdd }
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
      if state.restored[time]?[node.id] != nil { return nil }
      let oldest = state.reference.milliseconds - plan.retention[node.id]
      return time < state.reference && time.milliseconds < oldest ? .some(nil) : nil
    }
  }

  func remember(_ rdd: RDDNode?, of node: StreamNode, at time: BatchTime) {
    state.withLock { $0.rdds[node.id, default: PastRDDs()][time] = .some(rdd) }
    if let rdd, plan.lookBack[node.id] > 0 { text.note(rdd) }
  }

  func begin(_ batch: Batch) {
    // A table goes on: nobody is to keep its view of an earlier time without need.
    let views = state.withLock { state -> [RDDNode?] in
      plan.tables.flatMap { node, stream -> [RDDNode?] in
        guard plan.retention[node.id] <= node.reach.own,
          !stream.isPrimary || isDue(node, at: batch.time)
        else { return [] }
        return state.rdds[node.id]?.removeAll(before: batch.time) { $0.table === stream.table }
          ?? []
      }
    }
    // Freed here, outside the lock.
    withExtendedLifetime(views) {}
    state.withLock { state in
      state.reference = reference(at: batch.time, state)
      if !batch.allocations.isEmpty { state.allocations[batch.time] = batch.allocations }
      if letsGoEarly { state.openTimes.append(batch.time) }
    }
    for (node, allocation) in batch.allocations where plan.retention[node] > 0 {
      text.note(allocation.blocks.lazy.compactMap { $0 as? SpillableText })
    }
  }

  func allocation(of node: Int, at time: BatchTime) -> Allocation {
    state.withLock { $0.allocations[time]?[node] } ?? Allocation(blocks: [], reportedCount: 0)
  }

  func restoredInput(of node: Int, at time: BatchTime) -> RDDNode? {
    state.withLock { $0.restored[time]?[node] }
  }

  /// The time of a state's latest RDD; the one before the first batch where there is none.
  private func latestTime(of node: StreamNode, _ state: State) -> BatchTime {
    guard let stream = node.table else { return state.rdds[node.id]?.latestTime ?? zeroTime }
    return stream.table.time.map { BatchTime(milliseconds: $0) } ?? zeroTime
  }

  /// The latest RDD of a stream, of those of an earlier run.
  ///
  /// - Parameter behind: it is later.
  func latest(
    of stableName: String, before time: BatchTime, behind: Int64?,
    where isOfEarlierRun: (RDDNode) -> Bool
  ) -> (node: Int, time: BatchTime, rdd: RDDNode)? {
    guard let node = plan.nodes.first(where: { $0.stableName == stableName }) else { return nil }
    return state.withLock { state in
      guard let past = state.rdds[node.id] else { return nil }
      for candidate in past.allTimes.reversed()
      where candidate < time && candidate.milliseconds > behind ?? .min {
        if case .some(.some(let rdd)) = past[candidate], isOfEarlierRun(rdd) {
          return (node.id, candidate, rdd)
        }
      }
      return nil
    }
  }

  func latestTime(of node: StreamNode) -> BatchTime { state.withLock { latestTime(of: node, $0) } }

  /// The latest RDDs of states.
  func latestStates() -> [(node: StreamNode, rdd: RDDNode)] {
    state.withLock { state in
      plan.states.compactMap { node in
        guard let past = state.rdds[node.id], let latest = past.latestTime else { return nil }
        return (past[latest] ?? nil).map { (node, $0) }
      }
    }
  }

  /// True where the view of a table was asked for, and could not be made.
  func tableHasFailed(_ node: StreamNode, at time: BatchTime) -> Bool {
    guard case .some(.some(let rdd)) = known(node, at: time) else { return false }
    return rdd.tableHasFailed
  }

  /// The time of a stream's latest RDD that is older than `time`.
  func latestTime(of node: StreamNode, before time: BatchTime) -> BatchTime? {
    state.withLock { state in
      if let taken = node.table?.table.time {
        // The table still is what it was then.
        let latest = BatchTime(milliseconds: taken)
        if isDue(node, at: latest), latest < time { return latest }
      }
      guard let past = state.rdds[node.id] else { return nil }
      return past.allTimes.last { $0 < time && past.hasRDD(at: $0) }
    }
  }

  private func reference(at time: BatchTime, _ state: State) -> BatchTime {
    let tables = plan.tables.lazy.filter(\.table.isPrimary).map(\.node)
    let behind = (plan.states + tables).map { latestTime(of: $0, state) + $0.slide }.min() ?? time
    let limit = time.milliseconds - Self.longestLag * plan.interval.milliseconds
    return min(time, max(behind, BatchTime(milliseconds: limit)))
  }

  /// The RDDs of states that are not made yet, the one of the batch at `time` included, the oldest
  /// first.
  func missingStates(until time: BatchTime) -> [(node: StreamNode, time: BatchTime)] {
    state.withLock { state in
      plan.states.flatMap { node in
        let slide = node.slide
        var missing: [(node: StreamNode, time: BatchTime)] = []
        var next = latestTime(of: node, state) + slide
        let oldest = time.milliseconds - Self.longestLag * plan.interval.milliseconds
        while next <= time {
          if next.milliseconds >= oldest { missing.append((node, next)) }
          next = next + slide
        }
        return missing
      }
    }
  }

  /// Forgets what nobody looks back at once the batch at `time` is over, and puts kept input on disk
  /// where memory is short.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) when the disk takes no more; the input is kept in memory
  ///   then.
  func end(at time: BatchTime) throws {
    // An RDD that has all its records needs no input any more.
    text.storeComplete()
    forget(at: time)
    forgetKeyTimes()
    try text.spillIfNeeded()
  }

  private func forget(at time: BatchTime) {
    let (old, worked) = state.withLock { state -> (Forgotten, [Int: Allocation]) in
      let worked = state.allocations[time] ?? [:]
      let reference = reference(at: time, state).milliseconds
      var forgotten = Forgotten()
      // What tables have taken in is not looked back at any more.
      let taken = plan.takers.map { takers -> Int64? in
        takers.map { $0.time ?? .min }.min().map { min($0, time.milliseconds) }
      }
      // A copy of the keys alone: with the dictionary, all that is in it would be copied.
      for node in Array(state.rdds.keys) {
        let limit = max(reference - plan.retention[node], taken[node] ?? .min)
        forgotten.rdds +=
          state.rdds[node]?.removeAll(until: limit, butLatest: plan.nodes[node].hasState) ?? []
      }
      for (blockTime, allocations) in state.allocations {
        for (node, allocation) in allocations
        where blockTime.milliseconds <= reference - plan.retention[node] {
          forgotten.allocations.append(allocation)
          state.allocations[blockTime]?[node] = nil
        }
        if state.allocations[blockTime]?.isEmpty == true { state.allocations[blockTime] = nil }
      }
      for (time, inputs) in state.restored {
        for node in inputs.keys where time.milliseconds <= reference - plan.retention[node] {
          forgotten.rdds.append(state.restored[time]?.removeValue(forKey: node))
        }
        if state.restored[time]?.isEmpty == true { state.restored[time] = nil }
      }
      letGoEarly(&state, reference, taken, &forgotten)
      return (forgotten, worked)
    }
    // Worked on, though still looked back at, or in the hands of a user: the receivers may read on.
    for allocation in worked.values {
      for block in allocation.blocks {
        (block as? SpillableText)?.giveUpLease()
        (block as? TextBlock)?.giveUpLease()
      }
      for lease in allocation.leases { lease.giveUp() }
    }
    // Freed here, outside the lock.
    withExtendedLifetime(old) {}
  }

  /// Lets go of RDDs and blocks of which everything was made that somebody can still ask for. Their
  /// streams have no RDD at those times any more.
  ///
  /// Spark keeps the input for as long as any RDD that was made of it.
  ///
  /// - Parameter taken: by node: until when its RDDs are in the tables that look back at it.
  private func letGoEarly(
    _ state: inout State, _ reference: Int64, _ taken: [Int64?], _ forgotten: inout Forgotten
  ) {
    state.openTimes.removeAll { time in
      let isLookedBackAt = plan.nodes.map {
        time.milliseconds > max(reference - plan.lookBack[$0.id], taken[$0.id] ?? .min)
      }
      // What those RDDs would be computed from that are looked back at, as far as it is not forgotten.
      var lineage: Set<Int> = []
      for node in plan.nodes where isLookedBackAt[node.id] {
        if case .some(.some(let rdd)) = state.rdds[node.id]?[time] { rdd.addLineage(to: &lineage) }
      }
      var isNeeded = isLookedBackAt
      var isOpen = false
      // Parents come before their children.
      for node in plan.nodes.reversed() where plan.isLetGoEarly(node) {
        let id = node.id
        let made = state.rdds[id]?[time]
        isNeeded[id] =
          isLookedBackAt[id] || made.flatMap { $0 }.map { lineage.contains($0.id) } ?? false
          || plan.users[id].contains { user in
            isNeeded[user] && isDue(plan.nodes[user], at: time) && state.rdds[user]?[time] == nil
          }
        if isNeeded[id] {
          isOpen = true
          continue
        }
        if let made { forgotten.rdds.append(made) }
        state.rdds[id, default: PastRDDs()][time] = .some(nil)
        if let allocation = state.allocations[time]?.removeValue(forKey: id) {
          forgotten.allocations.append(allocation)
          if state.allocations[time]?.isEmpty == true { state.allocations[time] = nil }
        }
        forgotten.rdds.append(state.restored[time]?.removeValue(forKey: id))
      }
      return !isOpen
    }
  }

  private struct Forgotten {
    var rdds: [RDDNode?] = []
    var allocations: [Allocation] = []
  }

  /// The RDDs of states that still stand on earlier ones, the oldest first.
  func unstoredStates() -> [(node: StreamNode, rdd: RDDNode)] {
    state.withLock { state in
      plan.states.flatMap { node in
        let past = state.rdds[node.id] ?? PastRDDs()
        return past.allTimes.compactMap { time in
          (past[time] ?? nil).flatMap { $0.isStored ? nil : (node, $0) }
        }
      }
    }
  }

  /// What streams with a key look back on after the batch at `time`: their own RDDs (parent -1) and
  /// those of their parents. What nobody has asked for yet is computed.
  func retained(
    after time: BatchTime, context: SparkContext
  ) throws -> [(stableName: String, parent: Int, time: BatchTime, rdd: RDDNode)] {
    let generation = Generation(time: time, context: context, history: self)
    var found: [(stableName: String, parent: Int, time: BatchTime, rdd: RDDNode)] = []
    // A stream that no output stands on has no past: making one would call functions that nobody asked
    // for, and take from sources what later batches are to have.
    for node in plan.nodes where plan.isUsed[node.id] {
      guard let name = node.stableName else { continue }
      let looks =
        [(-1, node, node.reach.own)]
        + node.parents.enumerated().map { ($0, $1, node.reach.parent($0)) }
      for (parent, target, reach) in looks where reach > 0 {
        for past in times(of: target, reaching: reach, before: time) {
          if parent == -1, known(target, at: past) == nil { continue }
          if let rdd = try generation.rdd(of: target, at: past) {
            found.append((name, parent, past, rdd))
            if parent == -1, node.table != nil,
              let times = try keyTimes(of: node, past, rdd, context)
            {
              found.append((name, StreamGraph.keyTimes, past, times))
            }
          }
        }
      }
    }
    return found
  }

  /// When the keys of a table had new values last, as of one of its RDDs.
  private func keyTimes(
    of node: StreamNode, _ time: BatchTime, _ rdd: RDDNode, _ context: SparkContext
  ) throws -> RDDNode? {
    try rdd.keyTimes(with: context.runner())
      ?? state.withLock { $0.keyTimes[node.id]?[time] }
  }

  /// When the keys of what an earlier run has left of a table had new values last, where it is known.
  func restoredKeyTimes(of node: Int, at time: BatchTime) -> RDDNode? {
    state.withLock { $0.keyTimes[node]?[time] }
  }

  /// Lets go of what tables have taken over: they have gone on behind it.
  private func forgetKeyTimes() {
    let known = state.withLock { $0.keyTimes.mapValues { $0.keys.max() } }
    for (node, latest) in known {
      let time = plan.nodes[node].table?.table.time ?? .min
      guard latest.map({ $0.milliseconds < time }) ?? true else { continue }
      let old = state.withLock { $0.keyTimes.removeValue(forKey: node) }
      // Freed here, outside the lock.
      withExtendedLifetime(old) {}
    }
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
        let past = state.rdds[node.id] ?? PastRDDs()
        return past.allTimes.last { $0 <= time && past.hasRDD(at: $0) }
      }
      if let latest { times.insert(latest) }
    }
    return times.sorted()
  }
}
