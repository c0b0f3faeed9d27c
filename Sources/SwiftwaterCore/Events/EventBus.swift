import Synchronization

/// Takes events.
///
/// Told directly, a listener is called on the thread on which something has happened, whichever that
/// is: it is quick, never blocks and calls no user's function. Others listen through an ``EventQueue``.
public protocol EventListener: Sendable {
  /// What it wants to hear of; asked once, when it is added.
  var topics: EventTopics { get }

  func receive(_ event: EngineEvent)
}

/// A listener made of a closure.
public struct ClosureListener: EventListener {
  public let topics: EventTopics
  private let body: @Sendable (EngineEvent) -> Void

  public init(topics: EventTopics = .all, _ body: @escaping @Sendable (EngineEvent) -> Void) {
    self.topics = topics
    self.body = body
  }

  public func receive(_ event: EngineEvent) { body(event) }
}

/// A listener's place on a bus. Cancelling it twice does nothing; who lets it go without that listens
/// on.
public struct ListenerTicket: Sendable {
  private let body: @Sendable () -> Void

  init(onCancel body: @escaping @Sendable () -> Void) {
    self.body = body
  }

  /// Tells the listener nothing any more, not even what waits for it already.
  public func cancel() { body() }
}

/// Tells listeners of events, in the order in which they were added.
///
/// A bus may have a parent: who listens there hears what happens here as well, and hears it first. So
/// the listeners of a streaming context hear of that context alone, and those of its SparkContext of
/// all.
///
/// Where nobody wants to hear of a topic, posting costs a look at a number, and the event is not made.
public final class EventBus: Sendable {
  private struct Entry {
    let number: Int
    let topics: EventTopics
    let listener: any EventListener
  }

  private struct State {
    var listeners: [Entry] = []
    var latest = 0

    var topics: EventTopics { listeners.reduce(into: []) { $0.formUnion($1.topics) } }
  }

  private let parent: EventBus?
  private let wanted = Atomic<UInt32>(0)
  private let state = Mutex(State())

  public init(parent: EventBus? = nil) {
    self.parent = parent
  }

  /// Tells `listener` from now on, on the thread that posts.
  @discardableResult
  public func add(_ listener: any EventListener) -> ListenerTicket {
    let topics = listener.topics
    let number = change { state in
      state.latest += 1
      state.listeners.append(
        Entry(number: state.latest, topics: topics, listener: listener))
      return state.latest
    }
    return ListenerTicket { [weak self] in
      let removed = self?.change { state in
        state.listeners.firstIndex { $0.number == number }.map { state.listeners.remove(at: $0) }
      }
      // What goes with the listener goes here, outside the lock.
      withExtendedLifetime(removed) {}
    }
  }

  /// Tells `listener` from now on, in order, on the queue's thread.
  @discardableResult
  public func add(_ listener: any EventListener, through queue: EventQueue) -> ListenerTicket {
    let queued = QueuedListener(listener, queue)
    let ticket = add(queued)
    return ListenerTicket {
      queued.cancel()
      ticket.cancel()
    }
  }

  /// Tells the listeners of this bus nothing any more.
  public func removeAll() {
    let removed = change { state in
      defer { state.listeners = [] }
      return state.listeners
    }
    withExtendedLifetime(removed) {}
  }

  /// Whether anybody wants to hear of one of these topics.
  public func isWanted(_ topics: EventTopics) -> Bool {
    wanted.load(ordering: .relaxed) & topics.rawValue != 0 || parent?.isWanted(topics) == true
  }

  /// Tells of something rare.
  public func post(_ event: EngineEvent) { deliver(event, event.topics) }

  /// Tells of something that happens in every batch or job.
  ///
  /// - Parameters:
  ///   - topics: those of the event. Of an event with several these may be some: where nobody wants
  ///     them, nobody is told.
  ///   - event: made only where somebody listens.
  public func post(_ topics: EventTopics, _ event: @autoclosure () -> EngineEvent) {
    guard isWanted(topics) else { return }
    let event = event()
    assert(event.topics.isSuperset(of: topics), "\(event) is posted under other topics")
    deliver(event, event.topics)
  }

  private func deliver(_ event: EngineEvent, _ topics: EventTopics) {
    parent?.deliver(event, topics)
    guard wanted.load(ordering: .relaxed) & topics.rawValue != 0 else { return }
    let listeners = state.withLock { $0.listeners }
    for index in listeners.indices where !listeners[index].topics.isDisjoint(with: topics) {
      listeners[index].listener.receive(event)
    }
  }

  private func change<R: Sendable>(_ body: (inout State) -> R) -> R {
    state.withLock { state in
      defer { wanted.store(state.topics.rawValue, ordering: .relaxed) }
      return body(&state)
    }
  }
}
