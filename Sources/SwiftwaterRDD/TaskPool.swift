import DequeModule
import SwiftwaterCore
import Synchronization

/// The threads that run native tasks, at most as many as the master allows. They are made when a
/// stage has more than one task for them; the calling thread is one of them.
final class TaskPool: Sendable {
  private let width: Int

  private struct State {
    var queue: Deque<@Sendable () -> Void> = []
    var threads: [EngineThread] = []
    /// How often the threads were asked to give memory back.
    var timesGivenBack = 0
    var isShutDown = false
  }
  private let state = Monitor(State())
  private let stages = Atomic(0)
  private let attempts = Atomic(0)

  init(width: Int) {
    self.width = width
  }

  /// The numbers of stages and of tasks, from 0.
  func nextStage() -> Int { stages.wrappingAdd(1, ordering: .relaxed).oldValue }
  func nextAttempt() -> Int { attempts.wrappingAdd(1, ordering: .relaxed).oldValue }

  /// Calls `task` with `0..<count`, several at the same time, and waits for all. It is told whether it
  /// runs on the calling thread.
  ///
  /// - Parameter helpersBegin: when other threads begin to take tasks (on the monotonic clock).
  /// - Throws: what interrupted the job, or the error of the lowest index that failed. Tasks that
  ///   have not begun by then are not run.
  func map<Result: Sendable>(
    count: Int, watch: JobWatch, helpersBegin: Int64? = nil,
    _ task: @escaping @Sendable (_ index: Int, _ isCaller: Bool) throws -> Result
  ) throws -> [Result] {
    let helpers = min(width, count) - 1
    guard helpers > 0 else { return try (0..<count).map { try task($0, true) } }

    let work = SharedWork(count: count, task: task)
    enqueue(helpers) {
      if let helpersBegin { work.waitForTasks(until: helpersBegin) }
      work.takeTurns(isCaller: false)
    }
    work.takeTurns(isCaller: true)
    return try work.results(watch)
  }

  /// Has each thread give back what its tasks have freed, when it has nothing else to do.
  func giveBackMemory() {
    state.notify { $0.timesGivenBack += 1 }
  }

  func shutDown() {
    state.notify { $0.isShutDown = true }
  }

  private func enqueue(_ copies: Int, _ item: @escaping @Sendable () -> Void) {
    state.notify { state in
      state.queue.append(contentsOf: repeatElement(item, count: copies))
      while state.threads.count < width - 1 && !state.isShutDown {
        // With fewer of them, or none, the calling thread does what they would have done.
        guard let thread = try? EngineThread(trying: "sw-task", { [self] in serve() }) else {
          break
        }
        state.threads.append(thread)
      }
    }
  }

  private func serve() {
    var timesGivenBack = 0
    while true {
      let item: (@Sendable () -> Void)?? = state.wait { state in
        if !state.queue.isEmpty { return .some(state.queue.removeFirst()) }
        if state.timesGivenBack != timesGivenBack {
          timesGivenBack = state.timesGivenBack
          return .some(SpillStore.giveBackOwnMemory)
        }
        return state.isShutDown ? .some(nil) : nil
      }
      guard case .some(.some(let item)) = item else { return }
      item()
    }
  }
}

/// Tasks that several threads take one at a time. A helper that comes late finds none left, so
/// nobody waits for a thread that is busy with another job.
///
/// What the tasks hold on to, and the error, is given up before ``results()`` returns, not when the last
/// late helper has looked in: memory that a batch used is free when the batch is over.
private final class SharedWork<Result: Sendable>: Sendable {
  private struct State {
    /// Nil when the work is over.
    var task: (@Sendable (_ index: Int, _ isCaller: Bool) throws -> Result)?
    var next = 0
    /// For the thread that runs the job.
    var returned: [Int] = []
    var running = 0
    var results: [Result?]
    var failure: (index: Int, error: any Error)?
  }
  private let count: Int
  private let state: Monitor<State>

  init(count: Int, task: @escaping @Sendable (_ index: Int, _ isCaller: Bool) throws -> Result) {
    self.count = count
    state = Monitor(State(task: task, results: Array(repeating: nil, count: count)))
  }

  /// Waits for a time, unless all tasks are taken before.
  func waitForTasks(until deadline: Int64) {
    _ = state.wait(untilMonotonicNanoseconds: deadline) { state -> Bool? in
      state.next >= count || state.failure != nil ? true : nil
    }
  }

  func takeTurns(isCaller: Bool) {
    while let index = takeIndex() { run(index, isCaller) }
  }

  private func run(_ index: Int, _ isCaller: Bool) {
    let outcome = perform(index, isCaller)
    state.notify { state in
      state.running -= 1
      switch outcome {
      case .success(let result): state.results[index] = result
      case .failure(is TaskStays): state.returned.append(index)
      case .failure(let error):
        if state.failure.map({ index < $0.index }) ?? true { state.failure = (index, error) }
      }
    }
  }

  /// A task that has come back, unless one has failed.
  private func takeReturned() -> Int? {
    state.withLock { state in
      guard state.failure == nil, let index = state.returned.popLast() else { return nil }
      state.running += 1
      return index
    }
  }

  /// Holds the task no longer than it runs.
  private func perform(_ index: Int, _ isCaller: Bool) -> Swift.Result<Result, any Error> {
    let task = state.withLock { $0.task }
    guard let task else { preconditionFailure("an index was taken after the work was over") }
    return Swift.Result { try task(index, isCaller) }
  }

  private func takeIndex() -> Int? {
    state.withLock { state in
      guard state.next < count, state.failure == nil, state.task != nil else { return nil }
      defer { state.next += 1 }
      state.running += 1
      return state.next
    }
  }

  /// Waits until nobody works on a task any more, and polls meanwhile.
  func results(_ watch: JobWatch) throws -> [Result] {
    while true {
      let deadline = monotonicNanoseconds() + JobWatch.pollNanoseconds
      let ended = state.wait(untilMonotonicNanoseconds: deadline) { state -> Outcome?? in
        if !state.returned.isEmpty, state.failure == nil { return .some(nil) }
        guard state.running == 0 else { return nil }
        state.task = nil
        defer { (state.results, state.returned, state.failure) = ([], [], nil) }
        return .some((state.results, state.failure))
      }
      while let index = takeReturned() { run(index, true) }
      if case .some(.some(let (results, failure))) = ended {
        if let error = watch.interruptingError ?? failure?.error { throw error }
        return results.compactMap { $0 }
      }
      // What it throws is thrown when the others, which see it too, have ended.
      try? watch.poll()
    }
  }

  private typealias Outcome = (results: [Result?], failure: (index: Int, error: any Error)?)
}
