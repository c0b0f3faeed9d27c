import SwiftwaterCore
import Synchronization

/// What is known of the jobs and stages of a context: of those that run, and of the latest that have
/// ended. It costs nothing before it is first asked for, and knows nothing from before then.
public final class StatusStore: EventListener {
  /// Spark: `spark.ui.retainedJobs` and `spark.ui.retainedStages`.
  public static let capacity = 1000

  /// A job, and the stages that it has begun so far.
  public struct Job: Sendable, Equatable {
    public let id: Int
    public let group: String?
    public internal(set) var stages: [Int] = []
    public internal(set) var status = Status.running
  }

  /// What has become of a job.
  public enum Status: String, Sendable {
    case running = "RUNNING"
    case succeeded = "SUCCEEDED"
    case failed = "FAILED"
  }

  /// A stage with its tasks, as Spark counts them.
  public struct Stage: Sendable, Equatable {
    public let id: Int
    public let name: String
    public let isActive: Bool
    public let taskCount: Int
    public let activeTasks: Int
    public let completedTasks: Int
    public let failedTasks: Int

    init(_ info: StageInfo, isActive: Bool) {
      let counts = info.counts
      id = info.id
      name = info.name
      self.isActive = isActive
      taskCount = info.taskCount
      activeTasks = counts.active
      completedTasks = counts.completed
      failedTasks = counts.failed
    }
  }

  private enum KnownStage {
    case active(StageInfo)
    case over(Stage)

    var id: Int {
      switch self {
      case .active(let info): info.id
      case .over(let stage): stage.id
      }
    }

    var stage: Stage {
      switch self {
      case .active(let info): Stage(info, isActive: true)
      case .over(let stage): stage
      }
    }

    var isOver: Bool { if case .over = self { true } else { false } }
  }

  private struct State {
    var jobs: [Job] = []
    var stages: [KnownStage] = []
  }
  private let state = Mutex(State())

  public let topics: EventTopics = [.jobs, .stages]

  init() {}

  /// The jobs, in the order in which they began.
  public var jobs: [Job] { state.withLock { $0.jobs } }

  /// The stages, in the order in which they began.
  public var stages: [Stage] { state.withLock { $0.stages }.map(\.stage) }

  public func receive(_ event: EngineEvent) {
    state.withLock { state in
      switch event {
      case .jobStarted(let info):
        state.jobs.append(Job(id: info.id, group: info.group))
        Self.trim(&state.jobs) { $0.status != .running }
      case .jobEnded(let info, let succeeded):
        // It is among the last.
        guard let index = state.jobs.lastIndex(where: { $0.id == info.id }) else { return }
        state.jobs[index].status = succeeded ? .succeeded : .failed
      case .stageStarted(let info):
        state.stages.append(.active(info))
        Self.trim(&state.stages) { $0.isOver }
        guard let index = state.jobs.lastIndex(where: { $0.id == info.job }) else { return }
        state.jobs[index].stages.append(info.id)
      case .stageEnded(let info):
        guard let index = state.stages.lastIndex(where: { $0.id == info.id }) else { return }
        state.stages[index] = .over(Stage(info, isActive: false))
      default: break
      }
    }
  }

  /// Forgets the oldest that is over; where nothing is, the oldest.
  private static func trim<Entry>(_ entries: inout [Entry], isOver: (Entry) -> Bool) {
    guard entries.count > capacity else { return }
    entries.remove(at: entries.firstIndex(where: isOver) ?? 0)
  }
}
