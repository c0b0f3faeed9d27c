import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

/// What all RDDs and streams of a job share: its settings, its threads, who listens.
public final class SparkContext: Sendable {
  public let settings: Settings
  public let appName: String
  /// How many tasks run at the same time.
  public let parallelism: Int
  /// Partitions after a shuffle, where nothing else is said.
  public let defaultParallelism: Int
  /// Whether functions of another language are run natively where they are understood.
  public let isLowering: Bool
  /// Where everything is told that happens under this context.
  public let events = EventBus()
  /// What it counts, and what its streams do.
  public let counters = Counters()

  private let pool: TaskPool
  private let jobEvents: JobEvents
  private let state = Mutex(State())

  private struct State {
    var isStopped = false
    /// Ends the jobs of the streaming run that is active.
    var cancellation = Cancellation()
    var mover: (any TaskMover)?
    var unpacker: (any FileUnpacker)?
    var status: StatusStore?
  }

  /// - Throws: ``EngineError`` (`invalidArgument`) for an unknown master or a setting that cannot
  ///   be read.
  public init(settings: Settings = Settings()) throws {
    self.settings = settings
    parallelism = try Master(settings["spark.master"] ?? "local[*]").parallelism
    appName = settings["spark.app.name"] ?? "swiftwater"
    defaultParallelism =
      try settings.count("spark.default.parallelism", maximum: mostPartitions) ?? parallelism
    isLowering = try settings.flag("swiftwater.lowering")
    pool = TaskPool(width: parallelism)
    jobEvents = JobEvents(events)
    try SpillStore.shared.configure(settings)
    counters.watch(.bytesSpilled, in: SpillStore.shared) { $0.writtenBytes }
    counters.watch(.memoryResident, in: SpillStore.shared) { $0.sizes.resident }
  }

  /// - Parameters:
  ///   - master: `local`, `local[N]` or `local[*]`.
  ///   - appName: the job's name in the log.
  public convenience init(master: String, appName: String) throws {
    try self.init(settings: Settings(["spark.master": master, "spark.app.name": appName]))
  }

  /// Runs jobs until `cancellation` says otherwise; by default, until the streaming run that is
  /// active ends its jobs.
  public func runner(cancellation: Cancellation? = nil) -> JobRunner {
    state.withLock { state in
      JobRunner(
        pool: pool, events: jobEvents, cancellation: cancellation ?? state.cancellation,
        mover: state.mover, isLowering: isLowering)
    }
  }

  /// Much was freed: it goes back to the system.
  public func giveBackMemory() {
    SpillStore.shared.giveBackMemory()
    pool.giveBackMemory()
  }

  /// From now on tasks may go to other processes.
  public func setMover(_ mover: any TaskMover) { state.withLock { $0.mover = mover } }

  /// The number of partitions behind a shuffle of some inputs, where nothing is said of it.
  ///
  /// Spark: `spark.default.parallelism` where it is set, and else that of their union. Streams take
  /// ``defaultParallelism``.
  /// - Throws: what comparing the functions of partitioners throws.
  public func shufflePartitions(of inputs: [RDDNode]) throws -> Int {
    settings["spark.default.parallelism"] == nil
      ? try UnionPlan.partitionCount(of: inputs) : defaultParallelism
  }

  /// True where all that a language has to do is done in other processes.
  public var isMovingAll: Bool { state.withLock { $0.mover?.movesAll ?? false } }

  /// From now on compressed files can be read.
  public func setUnpacker(_ unpacker: any FileUnpacker) {
    state.withLock { $0.unpacker = unpacker }
  }

  /// What opens compressed files; nil where nothing does.
  var unpacker: (any FileUnpacker)? { state.withLock { $0.unpacker } }

  /// Jobs from now on belong to a streaming run, which may cancel them.
  public func beginRun(_ cancellation: Cancellation) {
    state.withLock { $0.cancellation = cancellation }
  }

  /// Jobs from now on belong to no streaming run.
  public func endRun() { beginRun(Cancellation()) }

  /// - Throws: ``EngineError`` (`illegalState`) after ``stop()``.
  public func checkRunning() throws {
    if state.withLock({ $0.isStopped }) {
      throw EngineError.illegalState("this SparkContext has been stopped; make a new one")
    }
  }

  /// Ends the task threads. Stop the streaming contexts on it first.
  public func stop() {
    let mover = state.withLock { state in
      state.isStopped = true
      return state.mover
    }
    pool.shutDown()
    mover?.shutDown()
  }

  /// Has a listener told directly of everything from now on, streams included (see ``EventListener``).
  @discardableResult
  public func addListener(_ listener: any EventListener) -> ListenerTicket {
    events.add(listener)
  }

  /// What is known of jobs and stages; they are taken note of from the first time on that it is asked
  /// for.
  public var status: StatusStore {
    state.withLock { state in
      if let status = state.status { return status }
      let status = StatusStore()
      state.status = status
      events.add(status)
      return status
    }
  }

  /// Gives the jobs of the calling thread a name from now on, or none.
  public func setJobGroup(_ group: String?) { jobEvents.group = group }
}

/// A number of partitions that a Swift job has written down.
///
/// - Precondition: no more than ``mostPartitions``.
package func checkedPartitions(_ count: Int) -> Int {
  precondition(
    count <= mostPartitions, "an RDD has at most \(mostPartitions) partitions, not \(count)")
  return count
}
