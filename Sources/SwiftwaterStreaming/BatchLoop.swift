import DequeModule
import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterStore

/// Runs batches one after the other, in the order of their times.
///
/// On a system clock it has a thread of its own; on a manual clock whoever advances the clock runs
/// it.
final class BatchLoop: Sendable {
  /// What the loop needs of its context.
  struct Environment: Sendable {
    let plan: StreamPlan
    let context: SparkContext
    let history: StreamHistory
    let clock: any EngineClock
    let cancellation: Cancellation
    /// Called with the numbers of the outputs of a batch that have failed, before what the batch
    /// had is forgotten, on the loop's thread.
    let outputsFailed: @Sendable (BatchTime, [Int]) throws -> Void
    /// Called after the outputs of every batch, on the loop's thread, with whether one has failed.
    let afterBatch: @Sendable (BatchTime?, Bool) throws -> Void
    /// See ``StreamingContext/Hooks/batchPlanned``.
    let planned: (@Sendable (PlannedBatch) throws -> Void)?
    /// Where it is written what becomes of batches.
    let log: JobLog?
    /// Called last on a thread of the loop's own.
    let threadEnds: @Sendable () -> Void
    /// Called with what went wrong, on the loop's thread.
    let failed: @Sendable (any Error) -> Void
    /// Where it tells what becomes of batches.
    let events: EventBus
    /// Called when a batch was taken from the queue.
    let hasRoom: @Sendable () -> Void
  }

  private struct State {
    var queue: Deque<Batch> = []
    var isRunning = false
    /// No batch is added any more.
    var isClosed = false
    /// Nobody waits for the batch that runs.
    var isGivenUp = false
    var thread: EngineThread?
  }

  fileprivate let environment: Environment
  private let state = Monitor(State())
  private let lag: Monitor<LagWatch>
  private let stateLineages = StateLineages()
  private let committed: Counter
  private let failed: Counter

  init(_ environment: Environment) {
    self.environment = environment
    lag = Monitor(LagWatch(interval: environment.plan.interval))
    committed = environment.context.counters.counter(.outputsCommitted)
    failed = environment.context.counters.counter(.outputsFailed)
    if environment.planned != nil || environment.log != nil {
      environment.history.beginNotingRanges()
    }
  }

  /// Begins to run batches as they are added.
  func start() {
    guard !environment.clock.isManual else { return }
    let thread = EngineThread(name: "sw-batches", callsUsers: true) { [self] in
      while let batch = take() { run(batch) }
      environment.threadEnds()
    }
    state.withLock { $0.thread = thread }
  }

  /// Queues the batch; false when the loop was closed, and the batch is not run.
  func add(_ batch: Batch) -> Bool {
    let isAdded = state.notify { state -> Bool in
      if !state.isClosed { state.queue.append(batch) }
      return !state.isClosed
    }
    if isAdded && environment.clock.isManual { drain() }
    return isAdded
  }

  /// True while a batch runs or waits.
  var isBusy: Bool { state.withLock { $0.isRunning || !$0.queue.isEmpty } }

  /// Batches that wait, without the one that runs.
  var pendingCount: Int { state.withLock { $0.queue.count } }

  /// True on the thread that runs a batch at this moment.
  var isCurrentThread: Bool {
    state.withLock { state in
      state.thread.map(\.isCurrent) ?? (environment.clock.isManual && state.isRunning)
    }
  }

  /// Takes no more batches. With `dropping`, those that wait are given up and returned.
  func close(dropping: Bool) -> [Batch] {
    state.notify { state in
      state.isClosed = true
      guard dropping else { return [] }
      defer { state.queue = [] }
      return Array(state.queue)
    }
  }

  /// As ``close(dropping:)`` with `dropping`; a wait for an idle loop that is under way ends too.
  func giveUpWaiting() -> [Batch] {
    state.withLock { $0.isGivenUp = true }
    return close(dropping: true)
  }

  /// Waits until nothing runs or waits; false when time ran out, or when ``giveUpWaiting()`` was
  /// called meanwhile. Call after ``close(dropping:)``.
  func waitUntilIdle(timeout: Duration) -> Bool {
    if environment.clock.isManual {
      if state.withLock({ !$0.isRunning }) { drain() }
      return true
    }
    let deadline = monotonicNanoseconds() + timeout.wholeNanoseconds
    return state.wait(untilMonotonicNanoseconds: deadline) { state in
      if !state.isRunning && state.queue.isEmpty { return true }
      guard state.isGivenUp else { return nil }
      state.isGivenUp = false
      return false
    } ?? false
  }

  // MARK: -

  private func drain() {
    // A batch that is added while one runs (by an output that advances the clock) waits its turn.
    while let batch = takeIfIdle() { run(batch) }
  }

  private func take() -> Batch? {
    let next: Batch?? = state.wait { state in
      if !state.queue.isEmpty {
        state.isRunning = true
        return .some(state.queue.removeFirst())
      }
      return state.isClosed ? .some(nil) : nil
    }
    return next ?? nil
  }

  private func takeIfIdle() -> Batch? {
    state.withLock { state in
      guard !state.isRunning, !state.queue.isEmpty else { return nil }
      state.isRunning = true
      return state.queue.removeFirst()
    }
  }

  private func run(_ batch: Batch) {
    environment.hasRoom()
    runOutputs(batch)
    state.notify { $0.isRunning = false }
  }

  private func runOutputs(_ batch: Batch) {
    let environment = self.environment
    let began = environment.clock.now
    var failures = 0
    var failedOutputs: [Int] = []
    do {
      KillPoints.pass("batch.begun")
      environment.history.begin(batch)
      let due = try plannedOutputs(of: batch)
      KillPoints.pass("batch.planned")
      failedOutputs = run(due, of: batch, began: began)
      failures = failedOutputs.count
      KillPoints.pass("outputs.over")
      failures += storeStates(at: batch.time, reporting: failures == 0)
      KillPoints.pass("states.stored")
    } catch {
      failures += 1
      failedOutputs = environment.plan.outputs(of: batch, after: environment.history.zeroTime)
        .map(\.id)
      if batch.isAnnounced { tellEmptyEnd(of: batch) }
      environment.failed(error)
      environment.events.post(
        .generationFailed(time: batch.time, failure: String(describing: error)))
    }
    failed.add(failedOutputs.count)
    // A batch that a stop has interrupted is not over: what it needs stays, and nobody is told.
    let isOver = !environment.cancellation.isCancelled
    var isKept = true
    func noting(_ work: String, _ body: () throws -> Void) {
      do {
        try body()
      } catch {
        isKept = false
        failures += 1
        environment.failed(error)
        environment.events.post(
          .upkeepFailed(time: batch.time, work: work, failure: String(describing: error)))
      }
    }
    if isOver {
      if !failedOutputs.isEmpty {
        noting("checkpoint") { try environment.outputsFailed(batch.time, failedOutputs) }
      }
      noting("keeping the input") { try environment.history.end(at: batch.time) }
    }
    noting("checkpoint") {
      try environment.afterBatch(isOver ? batch.time : nil, !failedOutputs.isEmpty)
    }
    KillPoints.pass("batch.kept")
    if isOver, let log = environment.log {
      let names = environment.plan.outputs.filter { failedOutputs.contains($0.id) }
      log.ended(batch.time, failed: names.map(\.stableName))
    }
    // Behind a checkpoint that was not written, the next one tells.
    if isOver && batch.hasPositions && isKept {
      for (id, source) in environment.plan.pushed {
        if let position = batch.allocations[id]?.position { source.stored(upTo: position) }
      }
    }
    // All are asked.
    if environment.plan.tables.filter({ $0.table.hasGrown() }).count > 0 {
      environment.context.giveBackMemory()
    }
    if let notice = SpillStore.shared.takeNotice() { environment.events.post(.notice(notice)) }
    let report = BatchReport(
      time: batch.time, recordCount: batch.reportedCount,
      schedulingDelay: began - batch.time.timestamp,
      processingDelay: environment.clock.now - began,
      pendingCount: pendingCount, failureCount: failures)
    environment.events.post(.reports, .batchEnded(report))
    if let event = lag.withLock({ $0.notice(report) }) { environment.events.post(event) }
    KillPoints.pass("batch.over")
  }

  /// Plans the batch, and hands over what it is going to read.
  private func plannedOutputs(of batch: Batch) throws -> [DueOutput] {
    let history = environment.history
    let due: [DueOutput]
    do {
      due = try environment.plan.dueOutputs(
        for: batch, history: history, context: environment.context)
    } catch {
      // It runs again in a later run, over the same input.
      try? write(history.planned(batch, []))
      throw error
    }
    if environment.planned != nil || environment.log != nil {
      let planned = history.planned(batch, due)
      try write(planned)
      try environment.planned?(planned)
      history.clearNotedRanges()
    }
    return due
  }

  private func write(_ batch: PlannedBatch) throws {
    try environment.log?.planned(batch) { environment.cancellation.isCancelled }
  }

  /// Who counts the batches that wait hears the end of one that had nothing to run.
  private func tellEmptyEnd(of batch: Batch) {
    let environment = self.environment
    environment.events.post(
      .batches,
      .batchCompleted(
        BatchInfo(
          time: batch.time, submitted: batch.submitted, ended: environment.clock.now,
          inputs: environment.plan.inputInfos(of: batch), outputs: [])))
  }

  /// Runs a batch's outputs, one after the other, whatever becomes of the others.
  ///
  /// - Returns: the numbers of those that failed.
  private func run(_ due: [DueOutput], of batch: Batch, began: Timestamp) -> [Int] {
    // Spark: a batch without any output is none that listeners hear of.
    if due.isEmpty {
      if batch.isAnnounced { tellEmptyEnd(of: batch) }
      return []
    }
    let environment = self.environment
    var failures: [Int] = []
    let events = environment.events
    // The events are made of these where somebody listens, which may begin in the middle of a batch.
    var progress = Array(repeating: OutputProgress(), count: due.count)
    func info(ended: Timestamp? = nil, hasBegun: Bool = true) -> BatchInfo {
      BatchInfo(
        time: batch.time, submitted: batch.submitted, began: hasBegun ? began : nil, ended: ended,
        inputs: environment.plan.inputInfos(of: batch),
        outputs: due.indices.map { due[$0].output.info(at: batch.time, progress[$0]) })
    }
    if !batch.isAnnounced { events.post(.batches, .batchSubmitted(info(hasBegun: false))) }
    events.post(.batches, .batchStarted(info()))
    for (index, (output, rdd)) in due.enumerated() {
      progress[index].began = environment.clock.now
      events.post(.outputs, .outputStarted(output.info(at: batch.time, progress[index])))
      do {
        let identity = BatchIdentity(
          application: environment.context.appName, time: batch.time, output: output.stableName)
        let isNew = try JobOrigin.$current.withValue(
          JobOrigin(time: batch.time, output: output.id)
        ) {
          try output.run(rdd, as: identity, environment.cancellation)
        }
        committed.add()
        environment.log?.committed(batch.time, output.stableName)
        events.post(
          .commits,
          .outputCommitted(CommitInfo(batch: identity, id: output.id, wasCommitted: !isNew)))
      } catch {
        failures.append(output.id)
        environment.failed(error)
        progress[index].failure = String(describing: error)
      }
      progress[index].ended = environment.clock.now
      let topics: EventTopics =
        progress[index].failure == nil ? .outputs : [.outputs, .failures]
      events.post(topics, .outputCompleted(output.info(at: batch.time, progress[index])))
    }
    let ended = environment.clock.now
    events.post(.batches, .batchCompleted(info(ended: ended)))
    let heldBytes = batch.allocations.values.reduce(0) { $0 + $1.heldBytes }
    for (id, source) in environment.plan.pushed {
      source.batchCompleted(
        SourceReport(
          recordCount: batch.allocations[id]?.reportedCount ?? 0, heldBytes: heldBytes,
          submitted: batch.submitted, began: began, ended: ended))
    }
    return failures
  }
}

extension StreamOutput {
  /// The output at one batch time, for listeners.
  func info(at time: BatchTime, _ progress: OutputProgress = OutputProgress()) -> OutputInfo {
    OutputInfo(
      time: time, id: id, operation: name, name: title, description: site, began: progress.began,
      ended: progress.ended, failure: progress.failure)
  }
}

/// How far an output has come at one batch time.
struct OutputProgress {
  var began: Timestamp?
  var ended: Timestamp?
  var failure: String?
}

extension BatchLoop {
  /// Computes what is left of the streams with state, and forgets how: without this each batch
  /// would lengthen the lineage of the next. Where it fails, the lineage stays, and the next batch
  /// tries again, up to a length.
  ///
  /// - Parameter reporting: false where an output has failed, most likely for the same reason.
  /// - Returns: how many failures it reported.
  private func storeStates(at time: BatchTime, reporting: Bool) -> Int {
    var failures = 0
    var failed: Set<Int> = []
    for (node, rdd) in environment.history.unstoredStates() where !failed.contains(node.id) {
      // An output has met the error, and has caught it: then nothing has failed, as in Spark.
      let wasMet = rdd.hasFailed
      do {
        try rdd.store(
          with: environment.context.runner(cancellation: environment.cancellation))
      } catch {
        // Later RDDs of this state stand on it.
        failed.insert(node.id)
        guard reporting, !wasMet else { continue }
        failures += 1
        environment.failed(error)
        environment.events.post(
          .upkeepFailed(time: time, work: node.name, failure: String(describing: error)))
      }
    }
    let generation = Generation(
      time: time, context: environment.context, history: environment.history)
    for (node, stream) in environment.plan.tables {
      // An output has met the error.
      let wasMet = environment.history.tableHasFailed(node, at: time)
      var isTaken = !wasMet
      do {
        if !wasMet {
          try generation.keepUp(
            node, stream,
            with: environment.context.runner(cancellation: environment.cancellation))
        }
      } catch {
        isTaken = false
        if reporting, stream.isPrimary {
          failures += 1
          environment.failed(error)
          environment.events.post(
            .upkeepFailed(time: time, work: node.name, failure: String(describing: error)))
        }
      }
      if environment.cancellation.isCancelled { return failures }
      if stream.note(isTaken: isTaken), stream.isPrimary {
        stream.table.giveUp(until: time.milliseconds)
        tellGivenUp(node, at: time, batches: StreamTable.mostFailures)
      }
    }
    // What a stop has interrupted says nothing about the states.
    if environment.cancellation.isCancelled { return failures }
    for node in stateLineages.bound(in: environment.history) {
      tellGivenUp(node, at: time, batches: StateLineages.longest)
    }
    return failures
  }

  private func tellGivenUp(_ node: StreamNode, at time: BatchTime, batches: Int) {
    environment.context.counters.counter(.statesGivenUp).add()
    environment.events.post(
      .stateGivenUp(time: time, operation: node.name, batches: batches))
  }
}

/// Decides when to warn that batches fall behind: at first, when the delay has doubled, and again
/// after the job had caught up.
struct LagWatch {
  private let interval: BatchInterval
  private var warnedDelay: Duration?

  init(interval: BatchInterval) {
    self.interval = interval
  }

  mutating func notice(_ report: BatchReport) -> EngineEvent? {
    let length = Duration.milliseconds(interval.milliseconds)
    guard report.pendingCount > 0, report.totalDelay > length * 2 else {
      if report.pendingCount == 0 { warnedDelay = nil }
      return nil
    }
    if let warnedDelay, report.totalDelay < warnedDelay * 2 { return nil }
    warnedDelay = report.totalDelay
    return .fallingBehind(
      pending: report.pendingCount, delay: report.totalDelay, interval: interval)
  }
}
