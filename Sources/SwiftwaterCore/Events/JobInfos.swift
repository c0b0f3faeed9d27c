import Synchronization

// What events tell of jobs and stages.

/// A job: one action, such as `collect` or `count`. What looks for records in a few partitions first,
/// as `take` does, is a job each time. Spark: the same.
public struct JobInfo: Sendable {
  /// Numbers the jobs of a SparkContext, from 0.
  public let id: Int
  /// What the thread that runs it calls its jobs; nil where it has not said.
  public let group: String?
  /// The output operation that set it going; nil for a job of the program itself.
  public let origin: JobOrigin?

  public init(id: Int, group: String? = nil, origin: JobOrigin? = nil) {
    self.id = id
    self.group = group
    self.origin = origin
  }
}

/// The output operation, at one batch time, on whose thread jobs are set going.
public struct JobOrigin: Sendable, Equatable {
  public let time: BatchTime
  /// Numbers the outputs of a context, from 0.
  public let output: Int

  public init(time: BatchTime, output: Int) {
    self.time = time
    self.output = output
  }

  /// That of this thread.
  @TaskLocal public static var current: JobOrigin?
}

/// A stage of a job: what is computed between two shuffles, with its tasks as they come and go. What
/// another job has computed before is no stage of this one.
///
/// There is no event for a task: while somebody listens to stages, tasks are counted here.
public final class StageInfo: Sendable {
  /// Numbers the stages of a SparkContext, from 0.
  public let id: Int
  public let job: Int
  /// The last operator in it.
  public let name: String
  /// Whether its tasks may call functions of a user that only one thread at a time can work on.
  public let callsFunctions: Bool
  public let taskCount: Int

  /// An attempt at a task that is over.
  public struct TaskEnd: Sendable, Equatable {
    /// Numbers the tasks of the stage, from 0: the place of the partition among those computed.
    public let index: Int
    /// Numbers the attempts of a SparkContext.
    public let attempt: Int
    public let outcome: TaskOutcome

    public init(index: Int, attempt: Int, outcome: TaskOutcome) {
      self.index = index
      self.attempt = attempt
      self.outcome = outcome
    }
  }

  public enum TaskOutcome: Sendable {
    case succeeded
    case failed
    /// It could not run where it was: another attempt follows.
    case returned
  }

  private struct Tasks {
    var active = 0
    var completed = 0
    var failed = 0
    var ends: [TaskEnd] = []
  }
  private let tasks = Mutex(Tasks())

  public init(id: Int, job: Int, name: String, callsFunctions: Bool, taskCount: Int) {
    self.id = id
    self.job = job
    self.name = name
    self.callsFunctions = callsFunctions
    self.taskCount = taskCount
  }

  /// How many attempts run, how many have succeeded, and how many have failed.
  public var counts: (active: Int, completed: Int, failed: Int) {
    tasks.withLock { ($0.active, $0.completed, $0.failed) }
  }

  /// The attempts that are over, in the order of the tasks.
  public var taskEnds: [TaskEnd] {
    let ends = tasks.withLock { $0.ends }
    return ends.sorted { ($0.index, $0.attempt) < ($1.index, $1.attempt) }
  }

  /// An attempt begins.
  public func taskBegins() { tasks.withLock { $0.active += 1 } }

  /// An attempt is over.
  public func taskEnds(_ end: TaskEnd) {
    tasks.withLock { tasks in
      tasks.active -= 1
      switch end.outcome {
      case .succeeded: tasks.completed += 1
      case .failed: tasks.failed += 1
      case .returned: break
      }
      tasks.ends.append(end)
    }
  }
}
