import SwiftwaterCore

/// A clock that stands still until a test moves it.
///
/// ``advance(by:)`` runs, on the calling thread, everything that becomes due on the way, in order,
/// and the batches that follow from it; when it returns, all of it is done.
public final class ManualClock: EngineClock {
  private struct State {
    var now: Timestamp
    var wallOffset: Duration = .zero
    var timers = TimerQueue()
  }
  private let state: Monitor<State>

  /// - Parameter start: by default the epoch, so that batch times are small numbers.
  public init(start: Timestamp = Timestamp(nanoseconds: 0)) {
    state = Monitor(State(now: start))
  }

  public var now: Timestamp { state.withLock { $0.now } }

  public var wallTime: Timestamp { state.withLock { $0.now + $0.wallOffset } }

  public var isManual: Bool { true }

  public func schedule(
    at time: Timestamp, _ action: @escaping @Sendable () -> Void
  ) -> TimerTicket {
    let key = state.withLock { $0.timers.add(at: time, action) }
    return TimerTicket { [state] in state.withLock { $0.timers.remove(key) } }
  }

  public func advance(by duration: Duration) {
    let target = now + duration
    while let action = nextAction(until: target) { action() }
    state.withLock { $0.now = max($0.now, target) }
  }

  /// Sets the machine's clock forward or, with a negative duration, back: time goes on as before.
  public func moveWallClock(by duration: Duration) {
    state.withLock { $0.wallOffset += duration }
  }

  private func nextAction(until target: Timestamp) -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard let due = state.timers.earliest, due <= target else { return nil }
      state.now = max(state.now, due)
      return state.timers.popDue(at: state.now)
    }
  }
}
