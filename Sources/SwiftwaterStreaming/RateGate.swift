import SwiftwaterCore

/// Which of the lines that a receiver has brought may go into a block: all of them, or as many as a
/// rate lets through. The rest waits where it is, and meanwhile the source is not read.
///
/// A state machine without a clock.
struct RateGate: Sendable {
  private let settings: RateSettings
  private var limiter: RateLimiter?
  private var estimator: PIDRateEstimator?
  /// Lines of the open block that were let through.
  private(set) var admitted = 0
  /// Lines wait for the rate, or records went through on credit.
  private(set) var isHolding = false
  /// Until then records are paid for that went through on credit.
  private var creditUntil: Timestamp?

  init(_ settings: RateSettings) {
    self.settings = settings
    estimator = settings.estimator
  }

  /// The source begins.
  mutating func start(at now: Timestamp) {
    limiter = settings.initialRate.map { RateLimiter(rate: Double($0), at: now) }
  }

  /// Lets lines through, of `pending` ones in the open block.
  mutating func admit(of pending: Int, at now: Timestamp) {
    admitted =
      limiter == nil
      ? pending : admitted + limiter!.take(atMost: pending - admitted, at: now)
    if let until = creditUntil, until <= now { creditUntil = nil }
    isHolding = pending > admitted || creditUntil != nil
  }

  /// Lets so many records through that came together, on credit where they are more than the rate
  /// allows: what comes next waits until they are paid for.
  mutating func admitTogether(_ records: Int, at now: Timestamp) {
    guard limiter != nil else { return }
    creditUntil = limiter!.takeTogether(records, at: now)
    isHolding = creditUntil! > now
  }

  /// The lines that were let through are in a closed block.
  mutating func blockClosed() { admitted = 0 }

  /// When all of the lines may have been let through; nil without a rate.
  func time(ofAll pending: Int) -> Timestamp? { limiter?.time(of: pending - admitted) }

  /// From now on everything goes through: the source has ended, and what was taken in is worked on.
  mutating func open() {
    creditUntil = nil
    limiter = nil
    estimator = nil
  }

  /// A batch is done: its speed decides the rate from now on, where that is wanted. See
  /// ``PIDRateEstimator/rate(at:records:processing:scheduling:)``.
  mutating func batchCompleted(_ report: SourceReport) {
    let estimate = estimator?.rate(
      at: report.ended.milliseconds, records: report.recordCount,
      processing: report.ended.milliseconds - report.began.milliseconds,
      scheduling: report.began.milliseconds - report.submitted.milliseconds)
    // Spark: a rate is a whole number of records, and none below one counts.
    guard let estimate, estimate >= 1 else { return }
    let rate = min(estimate.rounded(.down), settings.maxRate.map(Double.init) ?? .infinity)
    if limiter == nil {
      limiter = RateLimiter(rate: rate, at: report.ended)
    } else {
      limiter!.setRate(rate, at: report.ended)
    }
  }
}
