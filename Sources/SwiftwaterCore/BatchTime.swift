/// The end of a batch's interval: milliseconds since the Unix epoch, a multiple of the batch
/// interval.
///
/// Batch `t` holds what was received in `(t - interval, t]`.
public struct BatchTime: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Milliseconds since the Unix epoch.
  public let milliseconds: Int64

  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  public static func < (a: BatchTime, b: BatchTime) -> Bool { a.milliseconds < b.milliseconds }

  public static func + (time: BatchTime, interval: BatchInterval) -> BatchTime {
    BatchTime(milliseconds: time.milliseconds + interval.milliseconds)
  }

  public static func - (time: BatchTime, interval: BatchInterval) -> BatchTime {
    BatchTime(milliseconds: time.milliseconds - interval.milliseconds)
  }

  /// As Spark writes it, for example `1764000000000 ms`.
  public var description: String { "\(milliseconds) ms" }

  /// The instant of this batch time on the engine's clock.
  public var timestamp: Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }
}

/// The distance between two batches: a whole, positive number of milliseconds.
public struct BatchInterval: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let milliseconds: Int64

  private static let longestMilliseconds: Int64 = 366 * 86_400_000

  /// - Throws: ``EngineError`` (`invalidArgument`) unless `milliseconds` is at least 1, and no more
  ///   than 366 days.
  public init(milliseconds: Int64) throws {
    guard (1...Self.longestMilliseconds).contains(milliseconds) else {
      throw EngineError.invalidArgument(
        "the batch interval must be 1 millisecond to 366 days, not \(milliseconds) ms")
    }
    self.milliseconds = milliseconds
  }

  /// - Throws: ``EngineError`` (`invalidArgument`) unless `duration` is at least 1 ms.
  public init(_ duration: Duration) throws {
    let (seconds, attoseconds) = duration.components
    try self.init(milliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
  }

  public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }

  public var description: String { "\(milliseconds) ms" }

  /// The first batch time after `now`: the next multiple of the interval since the epoch.
  ///
  /// Spark: `RecurringTimer.getStartTime`.
  public func firstBatch(after now: Timestamp) -> BatchTime {
    let nowMilliseconds = now.nanoseconds.flooredQuotient(by: 1_000_000)
    let periods = nowMilliseconds.flooredQuotient(by: milliseconds)
    return BatchTime(milliseconds: (periods + 1) * milliseconds)
  }
}

/// A point on the engine's clock: nanoseconds since the Unix epoch.
public struct Timestamp: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64

  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  public init(milliseconds: Int64) {
    self.nanoseconds = milliseconds * 1_000_000
  }

  /// Milliseconds since the epoch, rounded down.
  public var milliseconds: Int64 { nanoseconds.flooredQuotient(by: 1_000_000) }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

  public static func + (time: Timestamp, duration: Duration) -> Timestamp {
    Timestamp(nanoseconds: time.nanoseconds + duration.wholeNanoseconds)
  }

  public static func - (a: Timestamp, b: Timestamp) -> Duration {
    .nanoseconds(a.nanoseconds - b.nanoseconds)
  }
}

extension Duration {
  /// The duration in nanoseconds, rounded toward zero.
  public var wholeNanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }

  /// The duration in milliseconds, for people to read.
  public var inMilliseconds: Double { Double(wholeNanoseconds) / 1_000_000 }
}

extension Int64 {
  /// The quotient rounded toward negative infinity (`divisor` is positive).
  func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
