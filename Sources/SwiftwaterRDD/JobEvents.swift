import SwiftwaterCore
import Synchronization

/// Tells of jobs and of their stages. Where nobody listens nothing is made.
final class JobEvents: Sendable {
  private let bus: EventBus
  private let jobs = Atomic(0)
  /// Tells the groups of this context's jobs from those of another's.
  private let number = JobEvents.contexts.wrappingAdd(1, ordering: .relaxed).oldValue

  private static let contexts = Atomic(0)
  private static let groups = ThreadValue<(context: Int, name: String)>()

  init(_ bus: EventBus) {
    self.bus = bus
  }

  /// The group of the jobs that the calling thread runs.
  var group: String? {
    get { Self.groups.current.flatMap { $0.context == number ? $0.name : nil } }
    set { Self.groups.current = newValue.map { (number, $0) } }
  }

  /// Runs `body`, which is given the job's number, as a job.
  func job<Result>(_ body: (_ job: Int) throws -> Result) rethrows -> Result {
    let id = jobs.wrappingAdd(1, ordering: .relaxed).oldValue
    guard bus.isWanted(.jobs) else { return try body(id) }
    let info = JobInfo(id: id, group: group, origin: .current)
    bus.post(.jobStarted(info))
    var succeeded = false
    defer { bus.post(.jobEnded(info, succeeded: succeeded)) }
    let result = try body(id)
    succeeded = true
    return result
  }

  /// Begins a stage, for the thread that runs the job to end; nil where nobody listens.
  func beginStage(
    _ id: Int, of job: Int, at node: RDDNode, tasks: Int, on placement: TaskPlacement
  ) -> StageInfo? {
    let callsFunctions = placement != .anyThread
    guard bus.isWanted(callsFunctions ? [.stages, .calls] : .stages) else { return nil }
    let stage = StageInfo(
      id: id, job: job, name: node.name, callsFunctions: callsFunctions, taskCount: tasks)
    bus.post(.stages, .stageStarted(stage))
    return stage
  }

  func end(_ stage: StageInfo?) {
    if let stage { bus.post(.stageEnded(stage)) }
  }
}

/// Runs an attempt at a task of a stage, and counts it where there is somebody to count for.
func counting<Result>(
  _ index: Int, attempt: Int, in stage: StageInfo?, _ body: () throws -> Result
) rethrows -> Result {
  guard let stage else { return try body() }
  stage.taskBegins()
  var outcome = StageInfo.TaskOutcome.failed
  defer { stage.taskEnds(.init(index: index, attempt: attempt, outcome: outcome)) }
  do {
    let result = try body()
    outcome = .succeeded
    return result
  } catch let error as TaskStays {
    outcome = .returned
    throw error
  }
}
