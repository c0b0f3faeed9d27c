import SwiftwaterCore
import SwiftwaterRDD

/// What listeners are told. Spark: `StreamingListenerEvent`.
public enum StreamingEvent: Sendable {
  case streamingStarted(Timestamp)
  case receiverStarted(ReceiverInfo)
  case receiverError(ReceiverInfo)
  case receiverStopped(ReceiverInfo)
  case batchSubmitted(BatchInfo)
  case batchStarted(BatchInfo)
  case batchCompleted(BatchInfo)
  case outputStarted(OutputInfo)
  case outputCompleted(OutputInfo)
}

/// A receiver as listeners see it.
public struct ReceiverInfo: Sendable {
  /// Numbers the inputs of a context, from 0.
  public let streamID: Int
  public let name: String
  public let isActive: Bool
  /// Where it runs.
  public let location: String
  public let lastErrorMessage: String
  public let lastError: String
  public let lastErrorTime: Timestamp?
}

/// A batch as listeners see it.
public struct BatchInfo: Sendable {
  public let time: BatchTime
  public let submitted: Timestamp
  /// Nil until then.
  public let began: Timestamp?
  public let ended: Timestamp?
  public let inputs: [InputInfo]
  public let outputs: [OutputInfo]
}

/// What an input gave to a batch.
public struct InputInfo: Sendable {
  public let streamID: Int
  public let recordCount: Int
  public let description: String
}

/// An output operation of one batch.
public struct OutputInfo: Sendable {
  public let time: BatchTime
  /// Numbers the outputs of a context, from 0.
  public let id: Int
  public let name: String
  public let description: String
  /// Nil until then.
  public let began: Timestamp?
  public let ended: Timestamp?
  public let failure: String?
}

/// Hands events to listeners, in order: on a thread of its own, so that a slow listener does not
/// hold up a batch; on a manual clock at once.
///
/// Beyond ``capacity`` waiting events new ones are dropped, counted and told, as in Spark.
final class ListenerBus: Sendable {
  /// Spark: `spark.scheduler.listenerbus.eventqueue.capacity`.
  private static let capacity = 10_000

  private struct State {
    var listeners: [@Sendable (StreamingEvent) -> Void] = []
    var queue: [StreamingEvent] = []
    var thread: EngineThread?
    var isDelivering = false
    var isClosed = false
    var dropped = 0
  }

  private let isManual: Bool
  private let threadEnds: @Sendable () -> Void
  private let tellDropped: @Sendable (Int) -> Void
  private let state = Monitor(State())

  /// - Parameters:
  ///   - isManual: deliver on the thread that posts.
  ///   - threadEnds: called last on the bus's thread.
  ///   - tellDropped: told with how many events have been dropped so far, once each time that the
  ///     queue is full.
  init(
    isManual: Bool, threadEnds: @escaping @Sendable () -> Void,
    tellDropped: @escaping @Sendable (Int) -> Void
  ) {
    self.isManual = isManual
    self.threadEnds = threadEnds
    self.tellDropped = tellDropped
  }

  func add(_ listener: @escaping @Sendable (StreamingEvent) -> Void) {
    state.withLock { $0.listeners.append(listener) }
  }

  func removeListeners() {
    let old = state.withLock { state in
      defer { state.listeners = [] }
      return state.listeners
    }
    withExtendedLifetime(old) {}
  }

  var isEmpty: Bool { state.withLock { $0.listeners.isEmpty } }

  /// True inside a listener.
  var isCurrentThread: Bool {
    state.withLock { state in
      isManual ? state.isDelivering : state.thread?.isCurrent ?? false
    }
  }

  /// - Parameter event: made only where somebody listens.
  func post(_ event: @autoclosure () -> StreamingEvent) {
    if isEmpty { return }
    let event = event()
    let dropped = state.notify { state -> Int? in
      if state.isClosed { return nil }
      guard state.queue.count < Self.capacity else {
        state.dropped += 1
        return state.dropped == 1 || state.dropped % Self.capacity == 0 ? state.dropped : nil
      }
      state.queue.append(event)
      if !isManual && state.thread == nil {
        state.thread = EngineThread(name: "sw-listeners", callsUsers: true) { [self] in
          while deliverNext(waiting: true) {}
          threadEnds()
        }
      }
      return nil
    }
    if let dropped { tellDropped(dropped) }
    // What a listener causes on a manual clock waits until it has returned.
    if isManual, !isCurrentThread { while deliverNext(waiting: false) {} }
  }

  /// Delivers what waits, at most for `timeout`, and then nothing any more.
  func close(timeout: Duration) {
    // On a manual clock nothing waits, and the batch that asked for a stop still ends.
    if isManual { return }
    state.notify { $0.isClosed = true }
    if isCurrentThread { return }
    let deadline = monotonicNanoseconds() + timeout.wholeNanoseconds
    _ = state.wait(untilMonotonicNanoseconds: deadline) { state in
      (state.queue.isEmpty && !state.isDelivering) || state.thread == nil ? true : nil
    }
    let left = state.withLock { state in
      defer { state.queue = [] }
      return state.queue.count
    }
    if left > 0 { tellDropped(left) }
  }

  private func deliverNext(waiting: Bool) -> Bool {
    typealias Delivery = (event: StreamingEvent, to: [@Sendable (StreamingEvent) -> Void])
    let next: Delivery?? = state.wait { state in
      if !state.queue.isEmpty {
        state.isDelivering = true
        return .some((state.queue.removeFirst(), state.listeners))
      }
      return state.isClosed || !waiting ? .some(nil) : nil
    }
    guard case .some(.some(let (event, listeners))) = next else { return false }
    for listener in listeners { listener(event) }
    state.notify { $0.isDelivering = false }
    return true
  }
}
