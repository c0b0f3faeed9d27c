/// Holds back messages that repeat: the first ones of a kind go through and, where more follow, one
/// in a while with the number of the others. Nothing is lost without being counted.
///
/// A state machine without a clock: whoever has messages says what time it is. At most so many go
/// through in a period. Where some were held back in it, the latest of them follows at its end, and
/// it alone counts for the next period: a flood that goes on shows one message a period.
public struct MessageThrottle<Message: Sendable>: Sendable {
  /// A message that goes through, and how many others of its kind were held back before it.
  public typealias Shown = (message: Message, others: Int)

  private struct Kind {
    var began: Timestamp
    /// How many may still go through in this period.
    var left: Int
    var held = 0
    var latest: Message?
  }

  private let burst: Int
  private let period: Duration
  private let mostKinds: Int
  private var kinds: [String: Kind] = [:]
  /// Whether anything is held back: as a rule nothing is, and then nothing is looked through.
  public private(set) var isHolding = false

  /// - Parameters:
  ///   - burst: how many messages of a kind go through in a period; at least 1.
  ///   - mostKinds: kinds that are told apart. Those beyond it count as one.
  public init(burst: Int = 10, period: Duration = .seconds(5), mostKinds: Int = 100) {
    precondition(burst >= 1 && mostKinds >= 1)
    self.burst = burst
    self.period = period
    self.mostKinds = mostKinds
  }

  /// Takes a message: what of its kind goes through now; nil where it is held back.
  public mutating func add(_ message: Message, kind name: String, at now: Timestamp) -> Shown? {
    let name = room(for: name, at: now)
    var kind = kinds[name] ?? Kind(began: now, left: burst)
    defer { kinds[name] = kind }
    if now - kind.began >= period {
      let others = kind.held
      kind = Kind(began: now, left: others > 0 ? 0 : burst - 1)
      return (message, others)
    }
    if kind.left > 0 {
      kind.left -= 1
      return (message, 0)
    }
    kind.held += 1
    kind.latest = message
    isHolding = true
    return nil
  }

  /// What was held back in periods that are over, the latest message of each kind.
  public mutating func due(at now: Timestamp) -> [Shown] {
    let period = self.period
    return take { now - $0.began >= period ? Kind(began: now, left: 0) : nil }
  }

  /// What is held back of every kind, whatever time it is: nothing more comes.
  public mutating func rest() -> [Shown] {
    take { Kind(began: $0.began, left: 0) }
  }

  private mutating func take(_ next: (Kind) -> Kind?) -> [Shown] {
    guard isHolding else { return [] }
    var shown: [Shown] = []
    let holding = kinds.filter { $0.value.held > 0 }
    for (name, kind) in holding.sorted(by: { $0.key < $1.key }) {
      guard let latest = kind.latest, let next = next(kind) else { continue }
      shown.append((latest, kind.held - 1))
      kinds[name] = next
    }
    isHolding = kinds.values.contains { $0.held > 0 }
    return shown
  }

  /// The name itself, or the one for all kinds beyond the bound.
  private mutating func room(for name: String, at now: Timestamp) -> String {
    if kinds[name] != nil || kinds.count < mostKinds { return name }
    kinds = kinds.filter { $0.value.held > 0 || now - $0.value.began < period }
    return kinds.count < mostKinds ? name : ""
  }
}
