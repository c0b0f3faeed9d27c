// What events tell of runs, receivers, batches and outputs. Times are those of the run's clock.

/// A streaming context that has started.
public struct RunInfo: Sendable {
  /// The job's name.
  public let name: String
  public let interval: BatchInterval
  /// The time of the first batch.
  public let first: BatchTime
  public let began: Timestamp

  public init(name: String, interval: BatchInterval, first: BatchTime, began: Timestamp) {
    self.name = name
    self.interval = interval
    self.first = first
    self.began = began
  }
}

/// A receiver as listeners see it.
public struct ReceiverInfo: Sendable {
  /// Numbers the inputs of a context, from 0.
  public let streamID: Int
  public let name: String
  /// Where the data comes from: `localhost:9999`.
  public let source: String
  public let isActive: Bool
  /// Where it runs.
  public let location: String
  /// What it said at its last error, and the error itself; empty where there was none.
  public let lastErrorMessage: String
  public let lastError: String
  public let lastErrorTime: Timestamp?

  public init(
    streamID: Int, name: String, source: String, isActive: Bool, location: String = "localhost",
    lastErrorMessage: String = "", lastError: String = "", lastErrorTime: Timestamp? = nil
  ) {
    self.streamID = streamID
    self.name = name
    self.source = source
    self.isActive = isActive
    self.location = location
    self.lastErrorMessage = lastErrorMessage
    self.lastError = lastError
    self.lastErrorTime = lastErrorTime
  }
}

/// A batch as listeners see it. Spark: its delays count from `submitted`, and to the end of its
/// outputs.
public struct BatchInfo: Sendable {
  public let time: BatchTime
  /// When its interval was over.
  public let submitted: Timestamp
  /// When its first output began, and when the last one was done; nil until then.
  public let began: Timestamp?
  public let ended: Timestamp?
  public let inputs: [InputInfo]
  public let outputs: [OutputInfo]

  public init(
    time: BatchTime, submitted: Timestamp, began: Timestamp? = nil, ended: Timestamp? = nil,
    inputs: [InputInfo], outputs: [OutputInfo]
  ) {
    self.time = time
    self.submitted = submitted
    self.began = began
    self.ended = ended
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// What an input gave to a batch.
public struct InputInfo: Sendable {
  /// Numbers the inputs of a context, from 0.
  public let streamID: Int
  public let recordCount: Int
  public let description: String

  public init(streamID: Int, recordCount: Int, description: String) {
    self.streamID = streamID
    self.recordCount = recordCount
    self.description = description
  }
}

/// An output operation at one batch time.
public struct OutputInfo: Sendable {
  public let time: BatchTime
  /// Numbers the outputs of a context, from 0.
  public let id: Int
  /// The operator, as the user wrote it.
  public let operation: String
  /// The operator and the place of its call.
  public let name: String
  /// The place of its call.
  public let description: String
  /// Nil until then.
  public let began: Timestamp?
  public let ended: Timestamp?
  /// The text of its error; nil where there was none.
  public let failure: String?

  public init(
    time: BatchTime, id: Int, operation: String, name: String, description: String,
    began: Timestamp? = nil, ended: Timestamp? = nil, failure: String? = nil
  ) {
    self.time = time
    self.id = id
    self.operation = operation
    self.name = name
    self.description = description
    self.began = began
    self.ended = ended
    self.failure = failure
  }
}

/// An output that has taken effect at one batch time.
public struct CommitInfo: Sendable, Equatable {
  public let batch: BatchIdentity
  /// Numbers the outputs of a context, from 0.
  public let id: Int
  /// True where it had taken effect before: nothing was written this time.
  public let wasCommitted: Bool

  public init(batch: BatchIdentity, id: Int, wasCommitted: Bool) {
    self.batch = batch
    self.id = id
    self.wasCommitted = wasCommitted
  }
}

/// One batch in numbers, for the log and the status line: from its time to the end of all that it
/// leaves behind.
public struct BatchReport: Sendable {
  public let time: BatchTime
  /// Records that receivers and other reporting sources took in.
  public let recordCount: Int
  /// From the batch time to the start of its first output.
  public let schedulingDelay: Duration
  /// From the start of the first output to the end of the batch.
  public let processingDelay: Duration
  /// Batches that wait behind this one.
  public let pendingCount: Int
  /// What failed: outputs, states, the checkpoint.
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

  /// From the batch time to the end of the batch.
  public var totalDelay: Duration { schedulingDelay + processingDelay }
}

/// What a layer above the engine says of itself, as the log shows it.
public struct Notice: Sendable, Equatable {
  public enum Level: String, Sendable {
    case debug
    case info
    case warning
    case error
  }

  public let level: Level
  /// What it is one of many of, where it may come again and again.
  public let kind: String?
  public let text: String

  public init(_ level: Level, kind: String? = nil, _ text: String) {
    self.level = level
    self.kind = kind
    self.text = text
  }
}
