/// How much may be held in front of a job, by what it has shown to work off: a state machine.
///
/// Before the first batch nobody knows, and the safe amount counts: 64 MB for a batch. Later it is what
/// the job works off in two intervals, where that is more. A job that keeps up is never held back by
/// that: a batch of one interval is half of it. In front of a slow one so little waits that neither the
/// memory nor the delay grows with the time, and two batches lie ready behind the one that runs.
public struct BufferPace: Sendable {
  /// Bytes that a batch may have.
  public private(set) var share: Int
  /// Bytes that may be held in all: a batch that runs, one that waits, and one that is being filled.
  public var inAll: Int {
    let (product, overflow) = share.multipliedReportingOverflow(by: 3)
    return overflow ? .max : product
  }

  /// What a batch may have whatever the job has shown.
  public static let safeShare = 64 << 20

  private let safeShare: Int
  private let interval: Double

  /// - Parameter safeShare: bytes that a batch may have whatever the job has shown.
  public init(interval: BatchInterval, safeShare: Int = Self.safeShare) {
    self.safeShare = safeShare
    share = safeShare
    self.interval = Double(interval.milliseconds)
  }

  /// - Parameters:
  ///   - bytes: what the batch had of all receivers.
  ///   - processing: what its outputs took.
  public mutating func batchCompleted(bytes: Int, processing: Duration) {
    if bytes <= 0 { return }
    let milliseconds = max(Double(processing.wholeNanoseconds) / 1e6, 1)
    let workedOff = Double(bytes) / milliseconds * interval
    let wanted = max(safeShare, Int(min(2 * workedOff, 1e18)))
    // What a batch costs whatever is in it makes a small one look slow. It says little where it was quick.
    if wanted < share && bytes < share / 8 && milliseconds < interval { return }
    share = wanted
  }
}
