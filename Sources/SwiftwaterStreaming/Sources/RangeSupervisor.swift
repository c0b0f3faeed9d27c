import SwiftwaterCore
import Synchronization

/// Remembers what batches read of a ranged source: a batch reads the same whenever it is asked, and none
/// reads what another has read.
public final class RangeSupervisor: Sendable {
  private struct State {
    var known: PlannedRanges
    /// What a batch behind this time would look at is remembered.
    var held: BatchTime?
    /// The times of ranges that were not handed over yet; nil where nobody wants to know.
    var noted: [BatchTime]?
  }

  private let source: any RangedSource
  private let state: Mutex<State>

  init(_ source: any RangedSource, since: Int64) {
    self.source = source
    state = Mutex(State(known: PlannedRanges(since: since)))
  }

  /// What the batch at `time` reads; chosen when it is first asked for. By one thread at a time.
  func plan(for time: BatchTime) -> SourceRange {
    if let range = range(at: time) { return range }
    // Planning may wait for a disk: not under the lock. What it looks at is let go of before it changes.
    guard let range = source.plan(for: time, known: known) else { return SourceRange([]) }
    state.withLock { state in
      let oldest = min(time, state.held ?? time).milliseconds - source.memory
      state.known.forget(before: BatchTime(milliseconds: oldest))
      state.known.add(range, at: time)
      state.noted?.append(time)
      state.noted?.removeAll { $0.milliseconds < oldest }
    }
    return range
  }

  func range(at time: BatchTime) -> SourceRange? { state.withLock { $0.known.range(at: time) } }

  /// From now on it is noted what is chosen.
  func beginNoting() { state.withLock { $0.noted = [] } }

  /// What was chosen and not handed over.
  var noted: [(time: BatchTime, range: SourceRange)] {
    state.withLock { state in
      (state.noted ?? []).sorted().compactMap { time in
        state.known.range(at: time).map { (time, $0) }
      }
    }
  }

  /// All that was noted has been handed over.
  func clearNoted() { state.withLock { $0.noted = [] } }

  var hasMore: Bool { source.hasMore }

  /// What a later run needs to choose the same ranges again.
  public var known: PlannedRanges { state.withLock { $0.known } }

  /// Goes on as a source of which that was known. Before the start.
  public func restore(_ known: PlannedRanges) { state.withLock { $0.known = known } }

  /// The batch at `time` reads a range, as a log has it. Before the start.
  func restore(_ range: SourceRange, at time: BatchTime) {
    state.withLock { state in
      if state.known.range(at: time) == nil { state.known.add(range, at: time) }
    }
  }

  /// Remembers what a job would need that is recovered and goes on behind `time`: its first batches look
  /// back as far as they did when they first ran.
  public func hold(_ time: BatchTime) { state.withLock { $0.held = time } }
}
