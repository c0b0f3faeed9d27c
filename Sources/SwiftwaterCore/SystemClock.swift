/// Wall time at its making, monotonic time from then on. Has one thread, made with the first
/// timer.
public final class SystemClock: EngineClock {
  private struct State {
    var timers = TimerQueue()
    var thread: EngineThread?
    var isStopped = false
  }

  private let state = Monitor(State())
  /// `now` minus the monotonic clock, in nanoseconds.
  private let offset: Int64

  public init() {
    offset = wallNanoseconds() - monotonicNanoseconds()
  }

  public var now: Timestamp { Timestamp(nanoseconds: monotonicNanoseconds() + offset) }

  public var wallTime: Timestamp { Timestamp(nanoseconds: wallNanoseconds()) }

  public var isManual: Bool { false }

  public func schedule(
    at time: Timestamp, _ action: @escaping @Sendable () -> Void
  ) -> TimerTicket {
    let key = state.notify { state in
      if state.thread == nil && !state.isStopped {
        state.thread = EngineThread(name: "sw-clock") { [self] in run() }
      }
      return state.timers.add(at: time, action)
    }
    return TimerTicket { [state] in state.withLock { $0.timers.remove(key) } }
  }

  /// Ends the clock's thread; timers that are still due are forgotten.
  public func shutDown() {
    state.notify { $0.isStopped = true }
  }

  private enum Step {
    case run(@Sendable () -> Void)
    case stop
  }

  private func run() {
    while true {
      let earliest = state.withLock { $0.timers.earliest }
      let step = state.wait(
        untilMonotonicNanoseconds: earliest.map { $0.nanoseconds - offset }
      ) { state -> Step? in
        if state.isStopped { return .stop }
        if let action = state.timers.popDue(at: now) { return .run(action) }
        // An earlier timer was added: leave, and wait for its time instead.
        return state.timers.earliest == earliest ? nil : .run({})
      }
      switch step {
      case .run(let action): action()
      case .stop: return
      case nil: continue
      }
    }
  }
}
