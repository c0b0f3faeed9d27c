/// What happened in the engine, for the log, the status line and listeners. Small values only.
public enum EngineEvent: Sendable {
  /// A receiver has its connection.
  case receiverConnected(source: String)
  /// A receiver lost or never got its connection and tries again after `retry`.
  case receiverLost(source: String, reason: String, retry: Duration)
  /// A line was longer than allowed and was dropped whole, the `total`-th of its source; where several
  /// came together, the last of them.
  case lineDropped(source: String, byteCount: Int, prefix: String, total: Int)
  /// The buffer is full: the source is not read until half of it is free.
  case bufferFull(source: String, held: Int, limit: Int)
  /// The source is read again.
  case bufferDrained(source: String)
  /// A batch has run, with or without failures.
  case batchCompleted(BatchReport)
  /// An output operation failed; the batch goes on with the next one.
  case outputFailed(time: BatchTime, operation: String, error: any Error)
  /// The batch could not be planned: none of its outputs ran.
  case generationFailed(time: BatchTime, error: any Error)
  /// The state of a stream could not be computed for many batches, and goes on without them.
  case stateGivenUp(time: BatchTime, operation: String, batches: Int)
  /// Batches take longer than their interval.
  case fallingBehind(pending: Int, delay: Duration, interval: BatchInterval)
  /// A stop gave up batches that had not run.
  case batchesDropped(count: Int, records: Int)
  /// Listeners are too slow: events were not delivered to them.
  case listenerEventsDropped(total: Int)
  /// Somebody set the machine's clock.
  case wallClockMoved(by: Duration)
  case started(name: String, interval: BatchInterval, first: BatchTime)
  case stopped
}

/// One batch in numbers.
public struct BatchReport: Sendable {
  public let time: BatchTime
  /// Records that receivers and other reporting sources took in.
  public let recordCount: Int
  /// From the batch time to the start of its first output.
  public let schedulingDelay: Duration
  /// From the start of the first output to the end of the last.
  public let processingDelay: Duration
  /// Batches that wait behind this one.
  public let pendingCount: Int
  /// Outputs that failed.
  public let failureCount: Int

  public init(
    time: BatchTime, recordCount: Int, schedulingDelay: Duration, processingDelay: Duration,
    pendingCount: Int, failureCount: Int
  ) {
    self.time = time
    self.recordCount = recordCount
    self.schedulingDelay = schedulingDelay
    self.processingDelay = processingDelay
    self.pendingCount = pendingCount
    self.failureCount = failureCount
  }

  /// From the batch time to the end of the last output.
  public var totalDelay: Duration { schedulingDelay + processingDelay }
}

/// Takes events; called from any thread of the engine, so it is quick and never blocks.
public protocol EventListener: Sendable {
  func receive(_ event: EngineEvent)
}

/// A listener made of a closure.
public struct ClosureListener: EventListener {
  private let body: @Sendable (EngineEvent) -> Void

  public init(_ body: @escaping @Sendable (EngineEvent) -> Void) {
    self.body = body
  }

  public func receive(_ event: EngineEvent) { body(event) }
}
