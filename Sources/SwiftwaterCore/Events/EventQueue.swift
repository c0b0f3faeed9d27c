import DequeModule
import Synchronization

/// Delivers events to listeners that may take their time, in order: on a thread of its own, which
/// begins with the first event, so that a slow listener holds nobody up; on a manual clock at once, on
/// the thread that posts.
///
/// Beyond ``capacity`` waiting events new ones are dropped, counted and told, as in Spark.
public final class EventQueue: Sendable {
  /// Spark: `spark.scheduler.listenerbus.eventqueue.capacity`.
  public static let capacity = 10_000

  private struct State {
    var waiting: Deque<(event: EngineEvent, listener: QueuedListener)> = []
    var thread: EngineThread?
    var isDelivering = false
    var isClosed = false
    var dropped = 0
  }

  private let isManual: Bool
  private let threadEnds: @Sendable () -> Void
  private let dropped: Counter
  private let tellDropped: @Sendable (Int) -> Void
  private let state = Monitor(State())

  /// - Parameters:
  ///   - isManual: deliver on the thread that posts.
  ///   - threadEnds: called last on the queue's thread.
  ///   - dropped: counts events that were dropped, here and perhaps elsewhere.
  ///   - tellDropped: told with how many events have been dropped so far, once each time that the
  ///     queue is full.
  public init(
    isManual: Bool, threadEnds: @escaping @Sendable () -> Void = {}, dropped: Counter = Counter(),
    tellDropped: @escaping @Sendable (Int) -> Void
  ) {
    self.isManual = isManual
    self.threadEnds = threadEnds
    self.dropped = dropped
    self.tellDropped = tellDropped
  }

  /// True inside a listener.
  public var isCurrentThread: Bool {
    state.withLock { state in
      isManual ? state.isDelivering : state.thread?.isCurrent ?? false
    }
  }

  func add(_ event: EngineEvent, for listener: QueuedListener) {
    let total = state.notify { state -> Int? in
      if state.isClosed { return nil }
      guard state.waiting.count < Self.capacity else {
        state.dropped += 1
        dropped.add()
        return state.dropped == 1 || state.dropped % Self.capacity == 0 ? state.dropped : nil
      }
      state.waiting.append((event, listener))
      if !isManual && state.thread == nil {
        state.thread = EngineThread(name: "sw-listeners", callsUsers: true) { [self] in
          while deliverNext(waiting: true) {}
          threadEnds()
        }
      }
      return nil
    }
    if let total { tellDropped(total) }
    // What a listener causes on a manual clock waits until it has returned.
    if isManual, !isCurrentThread { while deliverNext(waiting: false) {} }
  }

  /// Delivers what waits, at most for `timeout`, and then nothing any more.
  public func close(timeout: Duration) {
    // On a manual clock nothing waits, and the batch that asked for a stop still ends.
    if isManual { return }
    state.notify { $0.isClosed = true }
    if isCurrentThread { return }
    let deadline = monotonicNanoseconds() + timeout.wholeNanoseconds
    _ = state.wait(untilMonotonicNanoseconds: deadline) { state in
      (state.waiting.isEmpty && !state.isDelivering) || state.thread == nil ? true : nil
    }
    let left = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting.count
    }
    if left > 0 {
      dropped.add(left)
      tellDropped(left)
    }
  }

  private func deliverNext(waiting: Bool) -> Bool {
    typealias Delivery = (event: EngineEvent, listener: QueuedListener)
    let next: Delivery?? = state.wait { state in
      if !state.waiting.isEmpty {
        state.isDelivering = true
        return .some(state.waiting.removeFirst())
      }
      return state.isClosed || !waiting ? .some(nil) : nil
    }
    guard case .some(.some(let delivery)) = next else { return false }
    delivery.listener.deliver(delivery.event)
    state.notify { $0.isDelivering = false }
    return true
  }
}

/// Stands on a bus for a listener behind a queue.
final class QueuedListener: EventListener {
  let topics: EventTopics
  private let listener: any EventListener
  private let queue: EventQueue
  private let isCancelled = Atomic(false)

  init(_ listener: any EventListener, _ queue: EventQueue) {
    topics = listener.topics
    self.listener = listener
    self.queue = queue
  }

  func receive(_ event: EngineEvent) { queue.add(event, for: self) }

  func deliver(_ event: EngineEvent) {
    if !isCancelled.load(ordering: .relaxed) { listener.receive(event) }
  }

  func cancel() { isCancelled.store(true, ordering: .relaxed) }
}
