/// What a task knows about itself: one stage on one partition.
public struct TaskContext: Sendable {
  public let partition: Int
  /// Numbers the stages of a context, from 0.
  public let stage: Int
  /// Numbers the tasks of a context, from 0.
  public let attempt: Int
  /// Whether functions of another language are run natively where they are understood.
  public let isLowering: Bool
  private let watch: any TaskWatch

  public init(
    partition: Int, stage: Int, attempt: Int, isLowering: Bool, watch: any TaskWatch
  ) {
    self.partition = partition
    self.stage = stage
    self.attempt = attempt
    self.isLowering = isLowering
    self.watch = watch
  }

  /// The task that runs on this thread; nil outside of tasks.
  @TaskLocal public static var current: TaskContext?

  /// - Throws: ``EngineError`` (`cancelled`) once the job is to end, or what interrupts it.
  ///   Long tasks ask once a batch.
  public func checkCancellation() throws { try watch.check() }
}

/// Ends tasks early.
public protocol TaskWatch: Sendable {
  /// - Throws: why the task is to end.
  func check() throws
}

/// Where a task may run, from the freest to what is bound most.
public enum TaskPlacement: Int, Sendable, Comparable {
  /// On any thread, several at the same time.
  case anyThread
  /// On the thread that runs the job, one after the other, since only one can work at a time in this
  /// process; or in other processes.
  case oneAtATime
  /// On the thread that runs the job, one after the other.
  case callingThread

  public static func < (a: TaskPlacement, b: TaskPlacement) -> Bool { a.rawValue < b.rawValue }
}
