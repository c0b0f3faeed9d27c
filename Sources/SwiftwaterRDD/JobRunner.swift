import SwiftwaterCore
import Synchronization

/// Runs jobs: the stages that a result stands on, then the result's own tasks.
public struct JobRunner: Sendable {
  private let pool: TaskPool
  private let events: JobEvents
  /// The job that runs; nil outside of jobs.
  private var job: Int?
  private let cancellation: Cancellation
  private let mover: (any TaskMover)?

  init(
    pool: TaskPool, events: JobEvents, cancellation: Cancellation, mover: (any TaskMover)?
  ) {
    self.pool = pool
    self.events = events
    self.cancellation = cancellation
    self.mover = mover
  }

  /// Computes `partitions` of `node` and gives each task's cursor to `consume`.
  ///
  /// - Parameters:
  ///   - placement: where `consume` may run.
  ///   - end: what `consume` does, for layers above that know it.
  /// - Returns: what `consume` gave, in the order of `partitions`.
  /// - Throws: the first failing task's error (the one with the lowest place in `partitions`).
  public func run<Result: Sendable>(
    _ node: RDDNode, partitions: [Int], placement: TaskPlacement = .anyThread,
    end: (any Sendable)? = nil,
    consume: @escaping @Sendable (any BatchCursor, TaskContext) throws -> Result
  ) throws -> [Result] {
    do {
      func compute(job: Int) throws -> [Result] {
        try self.compute(
          node, partitions: partitions, placement: placement, end: end, job: job,
          consume: consume)
      }
      // The map side of a shuffle is a stage of the job that needs it first.
      return try job.map(compute) ?? events.job(compute)
    } catch let error as any HoldingError {
      try error.letGo()
      throw error
    }
  }

  private func compute<Result: Sendable>(
    _ node: RDDNode, partitions: [Int], placement: TaskPlacement, end: (any Sendable)?, job: Int,
    consume: @escaping @Sendable (any BatchCursor, TaskContext) throws -> Result
  ) throws -> [Result] {
    try cancellation.check()
    if partitions.isEmpty { return [] }
    let shuffles = node.stageShuffles()
    if !shuffles.isEmpty {
      var runner = self
      runner.job = job
      for shuffle in shuffles { try shuffle.materialise(with: runner) }
    }

    let watch = newWatch()
    let stage = pool.nextStage()
    let placement = max(placement, node.stagePlacement)
    let told = events.beginStage(
      stage, of: job, at: node, tasks: partitions.count, on: placement)
    defer { events.end(told) }
    let task: @Sendable (Int, Int, Bool) throws -> Result = { index, attempt, isMoved in
      try counting(index, attempt: attempt, in: told) {
        try watch.check()
        let context = TaskContext(
          partition: partitions[index], stage: stage, attempt: attempt, isMoved: isMoved,
          watch: watch)
        return try TaskContext.$current.withValue(context) {
          try consume(node.cursor(partition: partitions[index], task: context), context)
        }
      }
    }
    switch placement {
    case .anyThread:
      return try pool.map(count: partitions.count, watch: watch) { [pool] index, _ in
        try task(index, pool.nextAttempt(), false)
      }
    case .callingThread:
      return try runHere(partitions.count) { index, attempt in try task(index, attempt, false) }
    case .oneAtATime:
      let began = monotonicNanoseconds()
      let plan = mover?.plan(node, end, tasks: partitions.count, stage: stage) ?? .stay
      var duration: Int64?
      defer { mover?.stageEnded(node, end, stage: stage, nanoseconds: duration) }
      let results =
        plan == .stay
        ? try runHere(partitions.count) { index, attempt in try task(index, attempt, false) }
        : try runMoved(partitions.count, plan, watch, task)
      duration = monotonicNanoseconds() - began
      return results
    }
  }

  /// For work, or a wait, of the calling thread.
  func newWatch() -> JobWatch { JobWatch(cancellation) }

  /// Runs tasks one after the other on this thread.
  private func runHere<Result>(
    _ count: Int, _ task: (_ index: Int, _ attempt: Int) throws -> Result
  ) throws -> [Result] {
    try (0..<count).map { try task($0, pool.nextAttempt()) }
  }

  /// Runs tasks in other processes, or some of them.
  private func runMoved<Result: Sendable>(
    _ count: Int, _ plan: MovePlan, _ watch: JobWatch,
    _ task: @escaping @Sendable (_ index: Int, _ attempt: Int, _ isMoved: Bool) throws -> Result
  ) throws -> [Result] {
    var helpersBegin: Int64?
    if case .share(let delay) = plan, delay > 0 { helpersBegin = monotonicNanoseconds() + delay }
    return try pool.map(count: count, watch: watch, helpersBegin: helpersBegin) {
      [pool] index, isCaller in
      if isCaller, plan != .move { return try task(index, pool.nextAttempt(), false) }
      do {
        return try task(index, pool.nextAttempt(), true)
      } catch is TaskStays where isCaller {
        return try task(index, pool.nextAttempt(), false)
      }
    }
  }
}

/// Takes tasks that only one thread at a time can work on in this process to other processes.
public protocol TaskMover: Sendable {
  /// Where the tasks of a stage run that computes a node.
  ///
  /// - Parameter end: what is done with its records at the end of the stage, where that is known.
  func plan(_ node: RDDNode, _ end: (any Sendable)?, tasks: Int, stage: Int) -> MovePlan

  /// A stage that was planned is over, and took so long; nil where it has failed.
  func stageEnded(_ node: RDDNode, _ end: (any Sendable)?, stage: Int, nanoseconds: Int64?)

  /// No tasks come any more.
  func shutDown()
}

/// Where the tasks of a stage run.
public enum MovePlan: Sendable, Equatable {
  /// Here, on the thread that runs the job.
  case stay
  /// On that thread and, when some time has passed, in other processes at the same time.
  case share(afterNanoseconds: Int64)
  /// In other processes.
  case move
}

/// Thrown by a moved task that cannot be moved after all: it runs on the thread that runs the job.
public struct TaskStays: Error {
  public init() {}
}

extension RDDNode {
  /// The shuffles that the stage ending in this node reads, each once.
  func stageShuffles() -> [Shuffle] {
    var found: [Shuffle] = []
    var seen: Set<Int> = []
    func visit(_ node: RDDNode) {
      guard seen.insert(node.id).inserted, !node.isFullyCached else { return }
      for dependency in node.dependencies {
        switch dependency {
        case .narrow(let parent): visit(parent)
        case .shuffle(let shuffle):
          if !found.contains(where: { $0 === shuffle }) { found.append(shuffle) }
        }
      }
    }
    visit(self)
    return found
  }
}

/// What a layer above wants to look at now and then on a thread that runs jobs, however long its
/// native tasks take: Python's signal handlers. What it throws ends the stage.
public enum CallerPoll {
  public static let action = Mutex<(@Sendable () throws -> Void)?>(nil)
}

/// Ends the tasks of one stage early: on a request, or for what the ``CallerPoll`` throws.
final class JobWatch: Sendable {
  /// Between two looks at the outside world.
  static let pollNanoseconds: Int64 = 50_000_000

  private let cancellation: Cancellation
  private let caller = ThreadIdentity.current
  private let nextPoll = Atomic(monotonicNanoseconds() + JobWatch.pollNanoseconds)
  private let interruption = Mutex<(any Error)?>(nil)
  private let isInterrupted = Atomic(false)

  /// Belongs to the thread that makes it.
  init(_ cancellation: Cancellation) { self.cancellation = cancellation }

  /// What the poll has thrown.
  var interruptingError: (any Error)? { interruption.withLock { $0 } }

  /// - Throws: ``EngineError`` (`cancelled`), or what the poll has thrown.
  func check() throws {
    try cancellation.check()
    if isInterrupted.load(ordering: .relaxed), let error = interruptingError { throw error }
    if caller.isCurrent { try poll() }
  }

  /// The poll, when its time has come; only for the thread that runs the job.
  func poll() throws {
    let now = monotonicNanoseconds()
    guard now >= nextPoll.load(ordering: .relaxed) else { return }
    nextPoll.store(now + Self.pollNanoseconds, ordering: .relaxed)
    guard let action = CallerPoll.action.withLock({ $0 }) else { return }
    do {
      try action()
    } catch {
      interruption.withLock { $0 = $0 ?? error }
      isInterrupted.store(true, ordering: .relaxed)
      throw error
    }
  }
}

/// A request to end work early; asked at every task and every batch of records.
public final class Cancellation: Sendable {
  private let reason = Mutex<String?>(nil)

  public init() {}

  public func cancel(_ reason: String) { self.reason.withLock { $0 = $0 ?? reason } }

  public var isCancelled: Bool { reason.withLock { $0 != nil } }

  /// - Throws: ``EngineError`` (`cancelled`).
  public func check() throws {
    if let reason = reason.withLock({ $0 }) { throw EngineError.cancelled(reason) }
  }
}
