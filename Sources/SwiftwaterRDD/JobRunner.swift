import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

/// Runs jobs: the stages that a result stands on, then the result's own tasks.
public struct JobRunner: Sendable {
  private let pool: TaskPool
  private let events: JobEvents
  /// The job that runs; nil outside of jobs.
  private var job: Int?
  private let cancellation: Cancellation
  private let mover: (any TaskMover)?
  let isLowering: Bool

  init(
    pool: TaskPool, events: JobEvents, cancellation: Cancellation, mover: (any TaskMover)?,
    isLowering: Bool
  ) {
    self.pool = pool
    self.events = events
    self.cancellation = cancellation
    self.mover = mover
    self.isLowering = isLowering
  }

  /// Computes `partitions` of `node` and gives each task's records to `consume`.
  ///
  /// - Parameter placement: where `consume` may run.
  /// - Returns: what `consume` gave, in the order of `partitions`.
  /// - Throws: the first failing task's error (the one with the lowest place in `partitions`).
  public func run<Result: Sendable>(
    _ node: RDDNode, partitions: [Int], placement: TaskPlacement = .anyThread,
    consume: @escaping @Sendable (PartitionFlow, TaskContext) throws -> Result
  ) throws -> [Result] {
    try run(node, partitions: partitions, placement: placement, .batches) { flow, evaluation in
      // Before `consume` has taken what others may need meanwhile.
      try flow.fetch()
      return try consume(flow, evaluation.task)
    }
  }

  /// Computes `partitions` of `node` and has each task go on with its records.
  ///
  /// - Parameters:
  ///   - placement: where `finish` may run.
  ///   - functions: what it calls.
  func taking(
    _ node: RDDNode, partitions: [Int], placement: TaskPlacement, functions: [any UserFunction],
    finish: @escaping @Sendable (PartitionFlow, Evaluation) throws -> Void
  ) throws {
    _ = try run(
      node, partitions: partitions, placement: placement, .batches, functions, finish: finish)
  }

  /// The number of records of each partition.
  ///
  /// - Throws: as ``run(_:partitions:placement:consume:)``.
  public func counts(of node: RDDNode) throws -> [Int] {
    try outputs(of: node, .count, placement: .anyThread).map { output in
      guard case .count(let count) = output else { preconditionFailure("a number was asked for") }
      return count
    }
  }

  /// All partitions of `node`, each by buckets.
  func buckets(
    of node: RDDNode, _ end: StageEnd, placement: TaskPlacement
  ) throws -> [[[any RecordBatch]]] {
    try outputs(of: node, end, placement: placement).map { output in
      guard case .buckets(let buckets) = output else {
        preconditionFailure("records were asked for")
      }
      return buckets
    }
  }

  private func outputs(
    of node: RDDNode, _ end: StageEnd, placement: TaskPlacement
  ) throws -> [StageOutput] {
    let partitions = Array(0..<node.partitionCount)
    return try run(node, partitions: partitions, placement: placement, end) { flow, evaluation in
      try evaluation.output(of: flow, node, end)
    }
  }

  private func run<Result: Sendable>(
    _ node: RDDNode, partitions: [Int], placement: TaskPlacement, _ end: StageEnd,
    _ functions: [any UserFunction] = [],
    finish: @escaping @Sendable (PartitionFlow, Evaluation) throws -> Result
  ) throws -> [Result] {
    do {
      func compute(job: Int) throws -> [Result] {
        try self.compute(
          node, partitions: partitions, placement: placement, end, functions, job: job,
          finish: finish)
      }
      // The map side of a shuffle is a stage of the job that needs it first.
      return try job.map(compute) ?? events.job(compute)
    } catch let error as any HoldingError {
      try error.letGo()
      throw error
    }
  }

  private func compute<Result: Sendable>(
    _ node: RDDNode, partitions: [Int], placement: TaskPlacement, _ end: StageEnd,
    _ functions: [any UserFunction], job: Int,
    finish: @escaping @Sendable (PartitionFlow, Evaluation) throws -> Result
  ) throws -> [Result] {
    try cancellation.check()
    if partitions.isEmpty { return [] }
    let (shuffles, tables) = node.stageSources()
    if !shuffles.isEmpty || !tables.isEmpty {
      var runner = self
      runner.job = job
      for shuffle in shuffles { try shuffle.materialise(with: runner) }
      // A table goes forward only.
      for table in tables.sorted(by: { $0.time < $1.time }) { try table.prepare(with: runner) }
    }

    let watch = newWatch()
    let stage = pool.nextStage()
    let placement = max(placement, node.stagePlacement)
    let told = events.beginStage(
      stage, of: job, at: node, tasks: partitions.count, on: placement)
    defer { events.end(told) }
    let task: @Sendable (Int, Int, Bool) throws -> Result = {
      [mover, isLowering] index, attempt, isMoved in
      try counting(index, attempt: attempt, in: told) {
        try watch.check()
        let context = TaskContext(
          partition: partitions[index], stage: stage, attempt: attempt, isLowering: isLowering,
          watch: watch)
        return try TaskContext.$current.withValue(context) {
          let evaluation = Evaluation(context, mover: isMoved ? mover : nil)
          return try finish(node.flow(partition: partitions[index], evaluation), evaluation)
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
      guard let mover else {
        return try runHere(partitions.count) { index, attempt in try task(index, attempt, false) }
      }
      let began = monotonicNanoseconds()
      let outline = StageOutline(
        number: stage, tasks: partitions.count, records: node.stageRecords,
        functions: node.stageFunctions(end) + functions)
      let plan = mover.plan(outline)
      var duration: Int64?
      defer { mover.stageEnded(outline, nanoseconds: duration) }
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
  /// True where every task that can be moved is.
  var movesAll: Bool { get }

  /// Where the tasks of a stage run.
  func plan(_ stage: StageOutline) -> MovePlan

  /// A stage that was planned is over, and took so long; nil where it has failed.
  func stageEnded(_ stage: StageOutline, nanoseconds: Int64?)

  /// Runs a program for a task in another process.
  ///
  /// - Parameters:
  ///   - partitions: of the first step's node, and of those behind each `renumber`.
  ///   - inputs: called once for each attempt.
  /// - Throws: ``TaskStays`` where only this process can; otherwise what the task throws.
  func run(
    _ program: StageProgram, partitions: [Int], task: TaskContext,
    inputs: () throws -> [any BatchCursor]
  ) throws -> StageOutput

  /// No tasks come any more.
  func shutDown()
}

/// What a ``TaskMover`` knows of a stage.
public struct StageOutline: Sendable {
  public let number: Int
  public let tasks: Int
  /// About how many records it reads.
  public let records: Int
  /// The functions that it calls, as far as they show; the last one stands for the stage.
  public let functions: [any UserFunction]
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
  /// The shuffles and the tables that the stage ending in this node reads, each once.
  func stageSources() -> (shuffles: [Shuffle], tables: [TableStep]) {
    var shuffles: [Shuffle] = []
    var tables: [TableStep] = []
    var seen: Set<ObjectIdentifier> = []
    func visit(_ node: RDDNode) {
      guard seen.insert(ObjectIdentifier(node)).inserted, !node.isFullyCached else { return }
      for dependency in node.dependencies {
        switch dependency {
        case .narrow(let parent): visit(parent)
        case .shuffle(let shuffle):
          if !shuffles.contains(where: { $0 === shuffle }) { shuffles.append(shuffle) }
        case .table(let step): tables.append(step)
        }
      }
    }
    visit(self)
    return (shuffles, tables)
  }
}

/// What a layer above wants to look at now and then on a thread that runs jobs, however long its
/// native tasks take: Python's signal handlers. What it throws ends the stage.
public enum CallerPoll {
  public static let action = Mutex<(@Sendable () throws -> Void)?>(nil)
}

/// Ends the tasks of one stage early: on a request, or for what the ``CallerPoll`` throws.
final class JobWatch: TaskWatch {
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
