/// What happened in the engine. The log, the status line and listeners all hear of these, and of a fact
/// there is one event. Small values only: an event holds no records, and of an error its text.
public enum EngineEvent: Sendable {
  /// A streaming context runs from now on.
  case streamingStarted(RunInfo)
  /// It has stopped.
  case streamingStopped
  /// A graceful stop works off what waits: so many batches, and the one that runs; for so long at most.
  case stopWaits(pending: Int, isRunning: Bool, bound: Duration)
  /// It has taken so long, and gives up what waits.
  case stopBoundReached(bound: Duration)
  /// A stop gave up batches that had not run; where the job has checkpoints, a recovery runs them again.
  case batchesDropped(count: Int, records: Int, runAgain: Bool)
  /// Batches take longer than their interval.
  case fallingBehind(pending: Int, delay: Duration, interval: BatchInterval)
  /// Somebody set the machine's clock.
  case wallClockMoved(by: Duration)
  /// Listeners are too slow: events were not delivered to them.
  case eventsDropped(total: Int)

  /// A receiver begins to connect, at the start and again after each loss.
  case receiverStarted(ReceiverInfo)
  /// It has its connection.
  case receiverConnected(ReceiverInfo)
  /// Something went wrong in it, and it goes on.
  case receiverError(ReceiverInfo)
  /// It lost or never got its connection and tries again after `retry`. Spark: the receiver has
  /// stopped, and will be started again.
  case receiverLost(ReceiverInfo, retry: Duration)
  /// It has stopped for good.
  case receiverStopped(ReceiverInfo)

  /// A line was longer than allowed and was dropped whole, the `total`-th of its source; where several
  /// came together, the last of them.
  case lineDropped(source: String, byteCount: Int, prefix: String, total: Int)
  /// The buffer is full: the source is not read until there is room. In bytes: what is held, for how much
  /// there is room at this speed of the job, and for how much at any.
  case bufferFull(source: String, held: Int, room: Int, limit: Int)
  /// The source is read again.
  case bufferDrained(source: String)

  /// There is no folder that a source could take files from; told when that begins.
  case folderMissing(folder: String)
  /// A folder could not be listed: the batch goes on without files.
  case folderUnreadable(folder: String, failure: String)
  /// An entry of a folder could not be looked at: the others are taken.
  case entryPassedOver(path: String, reason: String)

  /// Files were changed too long ago to be read: before the stream was made (`isFirst`), or they came into
  /// the folder later than that allows.
  case filesTooOld(folder: String, count: Int, example: String, isFirst: Bool)

  /// A batch waits for its turn.
  case batchSubmitted(BatchInfo)
  /// Its first output begins.
  case batchStarted(BatchInfo)
  /// Its last output is done.
  case batchCompleted(BatchInfo)
  /// Everything that a batch leaves behind is done too, with or without failures: states, what is
  /// kept, the checkpoint. It comes later than ``batchCompleted(_:)`` and counts other times.
  case batchEnded(BatchReport)

  /// An output operation begins at a batch time.
  case outputStarted(OutputInfo)
  /// It is done, or has failed; the batch goes on with the next one.
  case outputCompleted(OutputInfo)
  /// What it has written has taken effect, now or when the batch ran before.
  case outputCommitted(CommitInfo)
  /// The batch could not be planned: none of its outputs ran.
  case generationFailed(time: BatchTime, failure: String)
  /// Something that a batch leaves behind failed: a state, what is kept, the checkpoint.
  case upkeepFailed(time: BatchTime, work: String, failure: String)
  /// The state of a stream could not be computed for many batches, and goes on without them.
  case stateGivenUp(time: BatchTime, operation: String, batches: Int)

  /// Something that a layer above the engine has noticed, in its words.
  case notice(Notice)

  /// An action begins.
  case jobStarted(JobInfo)
  case jobEnded(JobInfo, succeeded: Bool)
  /// A stage of a job begins; its tasks are counted in it from now on.
  case stageStarted(StageInfo)
  /// Its tasks are over: told on the thread that runs the job, before the action returns.
  case stageEnded(StageInfo)

  /// What the event is about: who listens to one of these topics hears of it.
  public var topics: EventTopics {
    switch self {
    case .streamingStarted, .streamingStopped, .stopWaits, .stopBoundReached, .batchesDropped,
      .fallingBehind, .wallClockMoved, .eventsDropped:
      .runs
    case .receiverStarted, .receiverConnected, .receiverError, .receiverLost, .receiverStopped:
      .receivers
    case .lineDropped, .bufferFull, .bufferDrained, .folderMissing, .folderUnreadable,
      .entryPassedOver, .filesTooOld:
      .input
    case .batchSubmitted, .batchStarted, .batchCompleted: .batches
    case .batchEnded: .reports
    case .outputStarted: .outputs
    case .outputCommitted: .commits
    case .outputCompleted(let info): info.failure == nil ? .outputs : [.outputs, .failures]
    case .generationFailed, .upkeepFailed, .stateGivenUp: .failures
    case .notice: .notices
    case .jobStarted, .jobEnded: .jobs
    case .stageStarted: .stages
    case .stageEnded(let info): info.callsFunctions ? [.stages, .calls] : .stages
    }
  }
}

/// Kinds of events. Nobody makes an event that no listener wants to hear of.
public struct EventTopics: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Begin and end of streaming, and what is told of it as a whole. Rare.
  public static let runs = EventTopics(rawValue: 1 << 0)
  /// What becomes of receivers. Rare.
  public static let receivers = EventTopics(rawValue: 1 << 1)
  /// Lines that are dropped, buffers that are full, folders that cannot be read.
  public static let input = EventTopics(rawValue: 1 << 2)
  /// Spark's three moments of a batch.
  public static let batches = EventTopics(rawValue: 1 << 3)
  /// One line of numbers about each batch.
  public static let reports = EventTopics(rawValue: 1 << 4)
  /// Begin and end of each output at each batch time.
  public static let outputs = EventTopics(rawValue: 1 << 5)
  /// What failed in a batch, its outputs among it.
  public static let failures = EventTopics(rawValue: 1 << 6)

  /// Begin and end of each job.
  public static let jobs = EventTopics(rawValue: 1 << 7)
  /// Begin and end of each stage.
  public static let stages = EventTopics(rawValue: 1 << 8)
  /// The end of each stage whose tasks may have called functions of a user.
  public static let calls = EventTopics(rawValue: 1 << 9)
  /// The moment at which each output takes effect at each batch time.
  public static let commits = EventTopics(rawValue: 1 << 10)
  /// What layers above the engine say of themselves. Rare.
  public static let notices = EventTopics(rawValue: 1 << 11)

  public static let all = EventTopics(rawValue: .max)
}
