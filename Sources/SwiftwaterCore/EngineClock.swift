/// The engine's only source of time.
///
/// `now` starts at the wall clock's time and then follows a monotonic clock: it never jumps,
/// whatever is done to the wall clock, so batch times are evenly spaced and strictly increasing.
/// Everything that waits for a time goes through ``schedule(at:_:)``; a manual clock can therefore
/// run a whole context without waiting.
public protocol EngineClock: AnyObject, Sendable {
  var now: Timestamp { get }

  /// What the wall clock says: differs from `now` after somebody has set it.
  var wallTime: Timestamp { get }

  /// Calls `action` once, at `time` or as soon as possible after it, on a thread of the clock.
  /// The action must be short.
  func schedule(at time: Timestamp, _ action: @escaping @Sendable () -> Void) -> TimerTicket

  /// Work that the clock's owner runs itself: a manual clock returns true, and the engine starts
  /// no thread of its own but runs its queue when the clock is advanced.
  var isManual: Bool { get }
}

/// A scheduled action; cancelling it twice or too late does nothing.
public struct TimerTicket: Sendable {
  private let body: @Sendable () -> Void

  public init(onCancel body: @escaping @Sendable () -> Void) {
    self.body = body
  }

  public func cancel() { body() }
}

/// Actions by due time; ties run in the order in which they were added. A value: the clocks
/// put their own lock around it.
public struct TimerQueue: Sendable {
  /// A place in the queue: due time, then order of arrival.
  public struct Key: Hashable, Comparable, Sendable {
    public let due: Timestamp
    public let number: UInt64

    public static func < (a: Key, b: Key) -> Bool {
      a.due == b.due ? a.number < b.number : a.due < b.due
    }
  }

  private var entries: [(key: Key, action: @Sendable () -> Void)] = []
  private var counter: UInt64 = 0

  public init() {}

  /// The time of the earliest action.
  public var earliest: Timestamp? { entries.last?.key.due }

  public mutating func add(at due: Timestamp, _ action: @escaping @Sendable () -> Void) -> Key {
    counter += 1
    let key = Key(due: due, number: counter)
    // A context has a handful of timers: a sorted array, the earliest last, is the simplest queue.
    let index = entries.firstIndex { $0.key < key } ?? entries.endIndex
    entries.insert((key, action), at: index)
    return key
  }

  public mutating func remove(_ key: Key) {
    entries.removeAll { $0.key == key }
  }

  /// Removes and returns the earliest action that is due at `now`.
  public mutating func popDue(at now: Timestamp) -> (@Sendable () -> Void)? {
    guard let last = entries.last, last.key.due <= now else { return nil }
    entries.removeLast()
    return last.action
  }
}
