import SwiftwaterCore
import Synchronization

/// Runs jobs: the stages that a result stands on, then the result's own tasks.
public struct JobRunner: Sendable {
  private let pool: TaskPool
  private let cancellation: Cancellation

  init(pool: TaskPool, cancellation: Cancellation) {
    self.pool = pool
    self.cancellation = cancellation
  }

  /// Computes `partitions` of `node` and gives each task's cursor to `consume`.
  ///
  /// - Parameters:
  ///   - placement: where `consume` may run.
  /// - Returns: what `consume` gave, in the order of `partitions`.
  /// - Throws: the first failing task's error (the one with the lowest place in `partitions`).
  public func run<Result: Sendable>(
    _ node: RDDNode, partitions: [Int], placement: TaskPlacement = .anyThread,
    consume: @escaping @Sendable (any BatchCursor, TaskContext) throws -> Result
  ) throws -> [Result] {
    try cancellation.check()
    if partitions.isEmpty { return [] }
    for shuffle in node.stageShuffles() { try shuffle.materialise(with: self) }

    let watch = JobWatch(cancellation)
    let stage = pool.nextStage()
    let task: @Sendable (Int, Int) throws -> Result = { index, attempt in
      try watch.check()
      let context = TaskContext(
        partition: partitions[index], stage: stage, attempt: attempt, watch: watch)
      return try TaskContext.$current.withValue(context) {
        try consume(node.cursor(partition: partitions[index], task: context), context)
      }
    }
    if placement == .callingThread || node.stagePlacement == .callingThread {
      return try partitions.indices.map { try observed($0, task) }
    }
    return try pool.map(count: partitions.count, watch: watch) { [pool] in
      try task($0, pool.nextAttempt())
    }
  }

  /// Runs a task that may call functions of a layer above, and tells that layer of its end.
  private func observed<Result>(
    _ index: Int, _ task: @Sendable (_ index: Int, _ attempt: Int) throws -> Result
  ) throws -> Result {
    let attempt = pool.nextAttempt()
    guard let ended = TaskObserver.ended.withLock({ $0 }) else { return try task(index, attempt) }
    do {
      let result = try task(index, attempt)
      ended(attempt, true)
      return result
    } catch {
      ended(attempt, false)
      throw error
    }
  }
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
