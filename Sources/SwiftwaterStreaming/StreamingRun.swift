import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterStore

/// Lets the loop reach the ticker, which holds the loop.
private struct TickerReference {
  weak var ticker: BatchTicker?
}

/// A context between its start and its stop: the sources, the ticker and the loop, tied together.
final class StreamingRun: Sendable {
  /// The waits and bounds of a run.
  struct Limits: Sendable {
    let maxPendingBatches: Int
    let stopTimeout: Duration
    /// How long a graceful stop waits for its last tick.
    let lastTickTimeout: Duration
    /// How long a graceful stop takes, with that, until it gives up what waits.
    let gracefulStopTimeout: Duration

    init(_ settings: Settings, interval: BatchInterval) throws {
      maxPendingBatches = try settings.count("swiftwater.maxPendingBatches") ?? 1000
      stopTimeout = try settings.duration("swiftwater.stop.timeout") ?? .seconds(2)
      let name = "spark.streaming.gracefulStopTimeout"
      if let given = try settings.duration(name) {
        // Spark waits an hour for the batches that are queued, whatever is set. Who sets a bound has a
        // reason, such as a system that kills the process behind it. The last batch has half of it.
        gracefulStopTimeout = given
        lastTickTimeout = given / 2
      } else {
        lastTickTimeout = .milliseconds(10 * interval.milliseconds)
        gracefulStopTimeout = lastTickTimeout + .seconds(3600)
      }
    }
  }

  let plan: StreamPlan
  private let context: SparkContext
  private let clock: any EngineClock
  private let hooks: StreamingContext.Hooks
  private let limits: Limits
  private let events: EventBus
  private let queue: EventQueue
  private let cancellation = Cancellation()
  private let first: BatchTime
  private let failed: [(time: BatchTime, outputs: [Int])]
  /// The time before the first batch of all.
  let zeroTime: BatchTime
  let history: StreamHistory
  let log: JobLog?
  private let loop: BatchLoop
  private let ticker: BatchTicker
  private let stopPhase = Monitor(StopPhase.running)
  /// True when a graceful stop need not wait for its last tick any more.
  private let isLastTickOver = Monitor(false)
  /// What a stop has given up that hurried a graceful one, and that a log may have.
  private let hurried = Monitor<[Batch]>([])

  private enum StopPhase {
    case running
    case stopping(gracefully: Bool)
    case stopped

    var isStopped: Bool { if case .stopped = self { true } else { false } }
  }

  init(
    plan: StreamPlan, past: StreamGraph.Past, log: JobLog?, context: SparkContext,
    clock: any EngineClock, hooks: StreamingContext.Hooks, events: EventBus, queue: EventQueue,
    limits: Limits, failed: @escaping @Sendable (any Error) -> Void
  ) throws {
    self.plan = plan
    self.events = events
    self.queue = queue
    self.context = context
    self.clock = clock
    self.hooks = hooks
    self.limits = limits
    self.failed = past.failed.sorted { $0.time < $1.time }
    let zeroTime: BatchTime
    if let (zero, last) = past.resumed {
      zeroTime = zero
      first = last + plan.interval
    } else {
      first = plan.interval.firstBatch(after: clock.now)
      zeroTime = first - plan.interval
    }
    self.zeroTime = zeroTime
    var past = past
    self.log = log
    if let log {
      let recovered = try log.start(
        after: past.resumed?.last, first: first, interval: plan.interval,
        isManual: clock.isManual, tell: { [events] in events.post(.notice($0)) })
      past.take(recovered, plan: plan, context: context)
      if log.writesBlocks { plan.keepBlocks(in: log) }
    }
    let (committed, repeatedUntil) = (past.committed, past.repeatedUntil ?? zeroTime)
    let history = StreamHistory(
      plan: plan, past: past, zeroTime: zeroTime, last: first - plan.interval)
    self.history = history

    // The loop wakes the ticker when its queue has room; the ticker is made after the loop.
    let waker = Monitor(TickerReference())
    let loop = BatchLoop(
      .init(
        plan: plan, context: context, history: history, clock: clock,
        cancellation: cancellation, outputsFailed: hooks.outputsFailed,
        afterBatch: hooks.afterBatch, planned: hooks.batchPlanned, log: log,
        threadEnds: hooks.threadEnds, failed: failed, events: events,
        hasRoom: { waker.withLock { $0.ticker }?.roomMade() }))
    self.loop = loop
    context.counters.watch(.batchesWaiting, in: loop) { $0.pendingCount }
    let ticker = BatchTicker(
      first: first, interval: plan.interval, clock: clock,
      hasRoom: { loop.pendingCount < limits.maxPendingBatches },
      tick: { time in
        var allocations: [Int: Allocation] = [:]
        var hasPositions = false
        for (id, source) in plan.pushed where time > repeatedUntil {
          let allocation = source.allocate()
          if allocation.position != nil { hasPositions = true }
          allocations[id] = plan.retention[id] > 0 ? allocation.forKeeping : allocation
        }
        KillPoints.pass("input.allocated")
        var batch = Batch(time: time, submitted: clock.now, allocations: allocations)
        batch.hasPositions = hasPositions
        if let done = committed[time], !done.isEmpty {
          batch.outputs = plan.outputs.filter { !done.contains($0.stableName) }.map(\.id)
        }
        if events.isWanted(.batches) && loop.isBusy {
          batch.isAnnounced = true
          events.post(
            .batches, .batchSubmitted(plan.waitingInfo(of: batch, zeroTime: zeroTime)))
        }
        if !loop.add(batch) {
          tellGivenUp(batches: 1, records: batch.reportedCount, plan, context, events)
        }
      },
      wallClockMoved: { events.post(.wallClockMoved(by: $0)) })
    self.ticker = ticker
    waker.withLock { $0.ticker = ticker }
  }

  func start() {
    context.beginRun(cancellation)
    events.post(
      .streamingStarted(
        RunInfo(
          name: context.appName, interval: plan.interval, first: first, began: clock.now)))
    loop.start()
    // Spark: what had failed before comes before what was missed.
    for (time, outputs) in failed {
      _ = loop.add(
        Batch(time: time, submitted: clock.now, allocations: [:], outputs: outputs))
    }
    ticker.start()
    for (_, source) in plan.pushed { source.start(clock: clock) }
  }

  var isOnBatchThread: Bool { loop.isCurrentThread }

  /// - Parameter whenStopped: called once, by the first stop only.
  func stop(gracefully: Bool, _ whenStopped: @escaping @Sendable () -> Void) {
    let before = stopPhase.withLock { phase -> StopPhase in
      defer { if case .running = phase { phase = .stopping(gracefully: gracefully) } }
      return phase
    }
    if case .stopping(gracefully: true) = before, !gracefully { hurry() }
    guard case .running = before else {
      if !loop.isCurrentThread { _ = stopPhase.wait { $0.isStopped ? true : nil } }
      return
    }
    let finished: @Sendable () -> Void = { [stopPhase] in
      whenStopped()
      stopPhase.notify { $0 = .stopped }
    }
    guard loop.isCurrentThread else {
      perform(gracefully: gracefully, finished)
      return
    }
    // A stop from inside an output: the batch that called it must end first.
    if clock.isManual {
      stopSources()
      finishLoop(gracefully: false, until: monotonicNanoseconds(), finished)
    } else {
      _ = EngineThread(name: "sw-stop") { [self] in perform(gracefully: gracefully, finished) }
    }
  }

  private func perform(gracefully: Bool, _ whenStopped: @escaping @Sendable () -> Void) {
    let deadline = monotonicNanoseconds() + limits.gracefulStopTimeout.wholeNanoseconds
    stopSources()
    if gracefully {
      tellWait()
      waitForLastTick()
    }
    finishLoop(gracefully: gracefully, until: deadline, whenStopped)
  }

  private func tellWait() {
    let pending = loop.pendingCount + (plan.pushed.contains { $0.source.holdsUntaken } ? 1 : 0)
    guard pending > 0 || loop.isBusy else { return }
    events.post(
      .stopWaits(pending: pending, isRunning: loop.isBusy, bound: limits.gracefulStopTimeout))
  }

  /// Makes a graceful stop that is under way one that gives up what waits.
  private func hurry() {
    isLastTickOver.notify { $0 = true }
    let dropped = loop.giveUpWaiting()
    if log == nil { tellLeft(dropped, left: 0) } else { hurried.withLock { $0 += dropped } }
  }

  private func stopSources() {
    let sources = plan.pushed
    let running = Monitor(sources.count)
    for (_, source) in sources { source.stop { running.notify { $0 -= 1 } } }
    let deadline = monotonicNanoseconds() + limits.stopTimeout.wholeNanoseconds
    _ = running.wait(untilMonotonicNanoseconds: deadline) { $0 == 0 ? true : nil }
  }

  /// Lets the batch end that holds the last records, at its time; makes it, whatever waits already,
  /// where the ticker is late, and before its time where that is beyond the bound.
  private func waitForLastTick() {
    if !clock.isManual {
      let last = ticker.nextTime.timestamp + .milliseconds(1)
      let isOver = isLastTickOver
      let alarm = clock.schedule(at: last) { isOver.notify { $0 = true } }
      let bound = monotonicNanoseconds() + limits.lastTickTimeout.wholeNanoseconds
      _ = isOver.wait(untilMonotonicNanoseconds: bound) { $0 ? true : nil }
      alarm.cancel()
    }
    ticker.stop()
    if plan.pushed.contains(where: { $0.source.holdsUntaken }) { ticker.tickAfterStop() }
  }

  /// - Parameter deadline: of the monotonic clock: what waits then is given up, with `gracefully` too.
  private func finishLoop(
    gracefully: Bool, until deadline: Int64, _ whenStopped: @escaping @Sendable () -> Void
  ) {
    ticker.stop()
    var dropped = loop.close(dropping: !gracefully)
    let rest = Duration.nanoseconds(max(0, deadline - monotonicNanoseconds()))
    if gracefully && !loop.waitUntilIdle(timeout: rest) {
      dropped = loop.close(dropping: true)
      // Not where another stop has hurried this one.
      if monotonicNanoseconds() >= deadline {
        events.post(.stopBoundReached(bound: limits.gracefulStopTimeout))
      }
    }
    // What sources still hold is given up with the batches that wait, unless a log has it.
    let left = plan.pushed.reduce(0) { $0 + $1.source.allocate().reportedCount }
    if log == nil { tellLeft(dropped, left: left) }
    if !loop.isCurrentThread && !loop.waitUntilIdle(timeout: limits.stopTimeout) {
      cancellation.cancel("the context was stopped")
      hooks.interrupt()
      _ = loop.waitUntilIdle(timeout: .seconds(1))
    }
    // Only now it is known what the log could take.
    if let log {
      tellLeft(dropped + hurried.withLock { $0 }, left: left, lost: log.close())
    }
    context.endRun()
    queue.close(timeout: limits.stopTimeout)
    (clock as? SystemClock)?.shutDown()
    whenStopped()
  }

  /// What waits at a stop: a log has it for a later run; without one it is given up.
  ///
  /// - Parameter lost: records that a log could not take.
  private func tellLeft(_ batches: [Batch], left: Int, lost: Int = 0) {
    if lost > 0 {
      context.counters.counter(.recordsGivenUp).add(lost)
      events.post(
        .notice(
          Notice(
            .error,
            "\(lost) records that were taken in are lost: the log in the checkpoint directory could not "
              + "take them before the stop")))
    }
    let records = max(0, batches.reduce(left) { $0 + $1.reportedCount } - lost)
    guard let log, log.writesBlocks else {
      if !batches.isEmpty || records > 0 {
        tellGivenUp(batches: batches.count, records: records, plan, context, events)
      }
      return
    }
    if records > 0 {
      events.post(
        .notice(
          Notice(
            .info,
            "\(records) records that were taken in are in the log, for the run that goes on from the "
              + "checkpoint")))
    } else if !batches.isEmpty {
      events.post(.batchesDropped(count: batches.count, records: 0, runAgain: true))
    }
  }
}

private func tellGivenUp(
  batches: Int, records: Int, _ plan: StreamPlan, _ context: SparkContext, _ events: EventBus
) {
  context.counters.counter(.batchesGivenUp).add(batches)
  context.counters.counter(.recordsGivenUp).add(records)
  events.post(
    .batchesDropped(count: batches, records: records, runAgain: plan.hasCheckpoints))
}
