import SwiftwaterCore

/// Lets so many records a second through: a state machine without a clock.
///
/// Spark: the limiter behind `spark.streaming.receiver.maxRate`, which is Guava's `RateLimiter`. What was
/// not used is stored, for one second at most. One record goes through on credit, and those behind it
/// wait until it is paid for.
struct RateLimiter: Sendable {
  /// Records a second.
  private(set) var rate: Double
  /// Records that may go through at once at ``paidUntil``.
  private var stored = 0.0
  /// Up to here all time is counted: in ``stored``, or in records that went through.
  private var paidUntil: Timestamp

  private static let longestWaitSeconds = 1e6

  /// - Parameter rate: records a second, above 0.
  init(rate: Double, at now: Timestamp) {
    precondition(rate > 0)
    self.rate = rate
    paidUntil = now
  }

  /// Lets records through.
  ///
  /// - Returns: how many of those that are wanted.
  mutating func take(atMost wanted: Int, at now: Timestamp) -> Int {
    count(until: now)
    guard wanted > 0, now >= paidUntil else { return 0 }
    let taken = min(wanted, Int(min(stored, 1e15)) + 1)
    let onCredit = max(0, Double(taken) - stored)
    stored = max(0, stored - Double(taken))
    paidUntil = paidUntil + seconds(onCredit / rate)
    return taken
  }

  /// Lets all of some records through.
  ///
  /// - Returns: when they are paid for.
  mutating func takeTogether(_ records: Int, at now: Timestamp) -> Timestamp {
    count(until: now)
    let onCredit = max(0, Double(records) - stored)
    stored = max(0, stored - Double(records))
    paidUntil = paidUntil + seconds(onCredit / rate)
    return paidUntil
  }

  /// When so many records can have gone through, if nobody takes others.
  func time(of records: Int) -> Timestamp {
    paidUntil + seconds(max(0, Double(records) - 1 - stored) / rate)
  }

  /// From now on another rate counts; what is stored, in seconds, stays.
  mutating func setRate(_ new: Double, at now: Timestamp) {
    precondition(new > 0)
    count(until: now)
    stored *= new / rate
    rate = new
  }

  private mutating func count(until now: Timestamp) {
    guard now > paidUntil else { return }
    let elapsed = Double((now - paidUntil).wholeNanoseconds) / 1e9
    stored = min(rate, stored + elapsed * rate)
    paidUntil = now
  }

  /// Rounded up, so that whoever waits so long has waited long enough.
  private func seconds(_ seconds: Double) -> Duration {
    .nanoseconds(Int64((min(seconds, Self.longestWaitSeconds) * 1e9).rounded(.up)))
  }
}
