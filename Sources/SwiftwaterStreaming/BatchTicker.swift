import SwiftwaterCore

/// Ends a batch at every multiple of the interval: each batch time once, in order, none left out.
///
/// A late tick is made up for at once. While the loop's queue is full the ticker waits, and then
/// makes up for the times that passed.
final class BatchTicker: Sendable {
  private struct State {
    var next: BatchTime
    var ticket: TimerTicket?
    var isWaitingForRoom = false
    var isStopped = false
    var isTicking = false
    var wallOffset: Duration = .zero
  }

  private let interval: BatchInterval
  private let clock: any EngineClock
  private let hasRoom: @Sendable () -> Bool
  private let tick: @Sendable (BatchTime) -> Void
  private let wallClockMoved: @Sendable (Duration) -> Void
  private let state: Monitor<State>

  /// - Parameters:
  ///   - hasRoom: false while no further batch can be queued; ``roomMade()`` must follow.
  ///   - tick: ends the batch of the given time.
  ///   - wallClockMoved: told once for each jump of the wall clock by a second or more.
  init(
    first: BatchTime, interval: BatchInterval, clock: any EngineClock,
    hasRoom: @escaping @Sendable () -> Bool, tick: @escaping @Sendable (BatchTime) -> Void,
    wallClockMoved: @escaping @Sendable (Duration) -> Void
  ) {
    self.interval = interval
    self.clock = clock
    self.hasRoom = hasRoom
    self.tick = tick
    self.wallClockMoved = wallClockMoved
    state = Monitor(State(next: first))
  }

  func start() { arm() }

  /// The loop took a batch from its queue.
  func roomMade() {
    let isWaiting = state.withLock { state -> Bool in
      defer { state.isWaitingForRoom = false }
      return state.isWaitingForRoom
    }
    if isWaiting { arm() }
  }

  /// No tick begins after this call.
  func stop() {
    let ticket = state.withLock { state -> TimerTicket? in
      state.isStopped = true
      return state.ticket
    }
    ticket?.cancel()
  }

  /// After ``stop()``: ends the next batch on the calling thread, when a tick that was under way is
  /// over.
  func tickAfterStop() {
    let time = state.wait { state -> BatchTime? in
      guard !state.isTicking || clock.isManual else { return nil }
      defer { state.next = state.next + interval }
      return state.next
    }
    if let time { tick(time) }
  }

  /// The time of the next tick.
  var nextTime: BatchTime { state.withLock { $0.next } }

  private func arm() {
    state.withLock { state in
      guard !state.isStopped else { return }
      state.ticket = clock.schedule(at: state.next.timestamp) { [self] in fire() }
    }
  }

  private func fire() {
    noticeWallClock()
    let isFull = !hasRoom()
    let time = state.withLock { state -> BatchTime? in
      if state.isStopped { return nil }
      if isFull {
        state.isWaitingForRoom = true
        return nil
      }
      defer { state.next = state.next + interval }
      state.isTicking = true
      return state.next
    }
    guard let time else {
      // Room may have been made between the two questions above.
      if isFull && hasRoom() { roomMade() }
      return
    }
    // The next tick is armed first: on a manual clock this one may run a batch that takes time.
    arm()
    tick(time)
    state.notify { $0.isTicking = false }
  }

  private func noticeWallClock() {
    let offset = clock.wallTime - clock.now
    let moved = state.withLock { state -> Duration? in
      let change = offset - state.wallOffset
      guard change >= .seconds(1) || change <= .seconds(-1) else { return nil }
      state.wallOffset = offset
      return change
    }
    if let moved { wallClockMoved(moved) }
  }
}
