import SwiftwaterCore

/// How many records a second a receiver may take in, and what decides that.
///
/// Spark: `spark.streaming.receiver.maxRate` and `spark.streaming.backpressure.*`.
struct RateSettings: Sendable {
  /// The bound whatever is estimated; nil without one.
  let maxRate: Int?
  /// What counts until something is estimated; nil without a bound.
  let initialRate: Int?
  /// Nil where nothing is estimated.
  let estimator: PIDRateEstimator?

  /// - Throws: ``EngineError`` (`invalidArgument`) for a setting that cannot be read.
  init(_ settings: Settings, interval: BatchInterval) throws {
    // Spark: 0 and negative numbers are no bound.
    func rate(_ name: String) throws -> Int? {
      try settings.count(name, minimum: .min).flatMap { $0 > 0 ? $0 : nil }
    }
    maxRate = try rate("spark.streaming.receiver.maxRate")
    let initial = try rate("spark.streaming.backpressure.initialRate")
    initialRate = [initial, maxRate].compactMap(\.self).min()
    let name = "spark.streaming.backpressure.rateEstimator"
    guard settings[name]?.lowercased() == "pid" else {
      throw EngineError.invalidArgument(
        "\(name): Unknown rate estimator: \(settings[name] ?? ""); there is pid")
    }
    let pid = "spark.streaming.backpressure.pid."
    let estimator = PIDRateEstimator(
      interval: interval,
      proportional: try settings.decimal(pid + "proportional", minimum: 0) ?? 1,
      integral: try settings.decimal(pid + "integral", minimum: 0) ?? 0.2,
      derivative: try settings.decimal(pid + "derived", minimum: 0) ?? 0,
      minRate: try settings.decimal(pid + "minRate", minimum: .leastNonzeroMagnitude) ?? 100)
    self.estimator = try Backpressure(settings) == .rates ? estimator : nil
  }
}

/// What holds receivers back in front of a slow job, beside the bound on memory.
enum Backpressure: Equatable {
  /// Nothing.
  case off
  /// As much may wait as the job has shown to work off.
  case amounts
  /// And so many records a second come in.
  case rates

  /// - Throws: ``EngineError`` (`invalidArgument`) where the setting is none of those.
  init(_ settings: Settings) throws {
    let name = "spark.streaming.backpressure.enabled"
    if settings[name]?.lowercased() == "auto" {
      self = .amounts
    } else {
      self = try settings.flag(name, orElse: "auto") ? .rates : .off
    }
  }
}

/// Estimates from each batch how many records a second can be worked on: a state machine.
///
/// Spark: `PIDRateEstimator`, term by term. The rate follows the speed of the last batch
/// (proportional), less what has piled up and waits (integral), less what the error grows by
/// (derivative).
struct PIDRateEstimator: Sendable {
  private let intervalMilliseconds: Double
  private let proportional: Double
  private let integral: Double
  private let derivative: Double
  private let minRate: Double

  private var isFirst = true
  private var latestTime: Int64 = -1
  private var latestRate = -1.0
  private var latestError = -1.0

  /// - Parameters:
  ///   - proportional: weights without a unit, 0 and above, as are the next two.
  ///   - minRate: records a second below which no estimate goes, above 0.
  init(
    interval: BatchInterval, proportional: Double, integral: Double, derivative: Double,
    minRate: Double
  ) {
    intervalMilliseconds = Double(interval.milliseconds)
    self.proportional = proportional
    self.integral = integral
    self.derivative = derivative
    self.minRate = minRate
  }

  /// The rate from now on, in records a second.
  ///
  /// - Parameters:
  ///   - time: when the batch was done, in milliseconds.
  ///   - records: what it had of the receiver's.
  ///   - processing: what its outputs took, in milliseconds.
  ///   - scheduling: how long it had waited, in milliseconds.
  /// - Returns: nil behind the first batch, and behind one that shows nothing.
  mutating func rate(
    at time: Int64, records: Int, processing: Int64, scheduling: Int64
  ) -> Double? {
    guard time > latestTime, records > 0, processing > 0 else { return nil }
    let secondsSinceUpdate = Double(time - latestTime) / 1000
    let processingRate = Double(records) / Double(processing) * 1000
    let error = latestRate - processingRate
    // What waited was worked on at this speed: so many records a second were too many.
    let pastError = Double(scheduling) * processingRate / intervalMilliseconds
    let growth = (error - latestError) / secondsSinceUpdate
    let rate = max(
      minRate,
      latestRate - proportional * error - integral * pastError - derivative * growth)
    latestTime = time
    if isFirst {
      isFirst = false
      latestRate = processingRate
      latestError = 0
      return nil
    }
    latestRate = rate
    latestError = error
    return rate
  }
}
