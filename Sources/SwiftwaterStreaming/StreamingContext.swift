import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStore

/// A streaming job: built, started once, stopped once.
///
/// ```swift
/// let context = try SparkContext(master: "local[2]", appName: "NetworkWordCount")
/// let streaming = try StreamingContext(context, batchInterval: .seconds(1))
/// ```
public final class StreamingContext: Sendable {
  public let context: SparkContext
  public let interval: BatchInterval

  /// What a context goes through.
  public enum Phase: String, Sendable {
    case initialized
    case active
    case stopped
  }

  fileprivate enum State: Sendable {
    case building(StreamGraph)
    case active(StreamingRun)
    /// With the end of a run, where there was one.
    case stopped(RunEnd?)
  }

  /// What is left of a run.
  struct RunEnd: Sendable {
    let zeroTime: BatchTime
    let history: StreamHistory?
  }

  fileprivate struct Outcome {
    var isStopped = false
    var latestError: (any Error)?
    var observers: [@Sendable () -> Void] = []
  }

  private let state: Monitor<State>
  private let outcome = Monitor(Outcome())
  private let makeClock: @Sendable () -> any EngineClock
  private let hooks: Hooks
  /// Shared by all receivers of this context.
  let budget: BufferBudget
  /// What happens in this context; what happens under its SparkContext besides is not told here.
  let events: EventBus
  private let queue: EventQueue

  /// What a layer above may add to a run.
  public struct Hooks: Sendable {
    /// Called with the numbers of the outputs that have failed, on the thread that ran them; then
    /// ``StreamingContext/offerNeeded(by:at:inputLimit:take:)`` may be asked what they stand on.
    public var outputsFailed: @Sendable (BatchTime, [Int]) throws -> Void
    /// Called after the outputs of every batch, on the thread that ran them, with whether one has
    /// failed. Without a time: a stop interrupted the batch.
    public var afterBatch: @Sendable (BatchTime?, Bool) throws -> Void
    /// Asked to interrupt a function that does not end, when a stop has waited long enough.
    public var interrupt: @Sendable () -> Void
    /// Called last on each thread of the engine that called functions of the layer above.
    public var threadEnds: @Sendable () -> Void
    /// Called with what a batch will read and which outputs it has, when that is known and before the
    /// first of them begins, on the thread that runs batches. Where it throws, none of them runs.
    public var batchPlanned: (@Sendable (PlannedBatch) throws -> Void)?

    public init(
      outputsFailed: @escaping @Sendable (BatchTime, [Int]) throws -> Void = { _, _ in },
      afterBatch: @escaping @Sendable (BatchTime?, Bool) throws -> Void = { _, _ in },
      interrupt: @escaping @Sendable () -> Void = {},
      threadEnds: @escaping @Sendable () -> Void = {},
      batchPlanned: (@Sendable (PlannedBatch) throws -> Void)? = nil
    ) {
      self.outputsFailed = outputsFailed
      self.afterBatch = afterBatch
      self.interrupt = interrupt
      self.threadEnds = threadEnds
      self.batchPlanned = batchPlanned
    }
  }

  /// - Parameters:
  ///   - clock: the source of time; by default the system's, from the start on.
  /// - Throws: ``EngineError`` (`invalidArgument`) for a setting that cannot be read,
  ///   (`illegalState`) when the SparkContext has been stopped.
  public init(
    _ context: SparkContext, interval: BatchInterval, clock: (any EngineClock)? = nil,
    hooks: Hooks = Hooks()
  ) throws {
    try context.checkRunning()
    self.context = context
    self.interval = interval
    self.hooks = hooks
    makeClock = { clock ?? SystemClock() }
    state = Monitor(.building(StreamGraph(interval: interval)))
    events = EventBus(parent: context.events)
    queue = EventQueue(
      isManual: clock?.isManual ?? false, threadEnds: hooks.threadEnds,
      dropped: context.counters.counter(.eventsDropped),
      tellDropped: { [events = context.events] in events.post(.eventsDropped(total: $0)) })
    let settings = context.settings
    _ = try ReceiverSupervisor.Limits(settings, interval: interval)
    _ = try StreamingRun.Limits(settings, interval: interval)
    _ = try TableLimits(settings)
    _ = try JobLog.Options(settings)
    budget = BufferBudget(
      limit: try settings.bytes("swiftwater.receiver.maxBuffered") ?? physicalMemoryBytes() / 4,
      pace: try Backpressure(settings) == .off ? nil : BufferPace(interval: interval))
    context.counters.watch(.inputHeld, in: budget) { $0.held }
    context.counters.watch(.inputKept, in: budget) { $0.kept }
  }

  /// - Throws: ``EngineError`` (`invalidArgument`) when the interval is shorter than 1 ms.
  public convenience init(
    _ context: SparkContext, batchInterval: Duration, clock: (any EngineClock)? = nil
  ) throws {
    try self.init(context, interval: BatchInterval(batchInterval), clock: clock)
  }

  public var phase: Phase {
    state.withLock { state in
      switch state {
      case .building: .initialized
      case .active: .active
      case .stopped: .stopped
      }
    }
  }

  /// True on the thread that runs a batch at this moment: inside an output, or a function given to
  /// `transform`.
  public var isOnBatchThread: Bool {
    state.withLock { state in
      if case .active(let run) = state { run.isOnBatchThread } else { false }
    }
  }

  // MARK: - Building

  /// Adds a stream.
  ///
  /// - Parameters:
  ///   - slide: a multiple of the interval; by default the first parent's, or the interval.
  ///   - reach: how far back the stream looks.
  ///   - stableName: names a stream whose past is part of a checkpoint. With a reach to itself it has
  ///     state: its RDDs are computed in every batch, and kept without their lineage.
  ///   - operator: what the stream makes; `body` makes it.
  ///   - partitioner: what every RDD is divided by that has any partitions; by default what the operator
  ///     makes of the first parent's.
  /// - Throws: ``EngineError`` (`illegalState`) once the context has started.
  public func addNode(
    name: String, slide: BatchInterval? = nil, parents: [StreamNode] = [],
    reach: Reach = .none, stableName: String? = nil, operator: StreamOperator = .derived,
    partitioner: Partitioner? = nil,
    body: @escaping @Sendable (Generation) throws -> RDDNode?
  ) throws -> StreamNode {
    try building {
      $0.addNode(
        name: name, slide: slide, parents: parents, reach: reach, stableName: stableName,
        source: nil, operator: `operator`, partitioner: partitioner, body: body)
    }
  }

  /// The outputs so far, in the order in which they were added: the operator, the place of its
  /// call, and the stream.
  public var outputs: [(name: String, site: String, node: StreamNode)] {
    allOutputs.map { ($0.name, $0.site, $0.node) }
  }

  var allOutputs: [StreamOutput] {
    state.withLock { state in
      switch state {
      case .building(let graph): graph.outputs
      case .active(let run): run.plan.outputs
      case .stopped: []
      }
    }
  }

  /// Adds a stream of what a source gives.
  func addSource(
    name: String, site: String = "", _ supervision: StreamSource.Supervision,
    recordType: ColumnType?, body: @escaping @Sendable (Generation, _ id: Int) throws -> RDDNode
  ) throws -> StreamNode {
    try building { graph in
      let source = StreamSource(
        name: graph.sourceName(of: name), supervision: supervision, site: site,
        recordType: recordType)
      return graph.addSource(source, body: body)
    }
  }

  /// Numbers the streams without parents, for listeners.
  func nextStreamID() throws -> Int { try building { $0.inputCount } }

  // MARK: - Listeners

  /// Has a listener told from now on of what happens in this context, in order, on a thread that may
  /// wait; at any time.
  @discardableResult
  public func addListener(_ listener: any EventListener) -> ListenerTicket {
    events.add(listener, through: queue)
  }

  /// As ``addListener(_:)``, with a closure.
  @discardableResult
  public func addListener(
    topics: EventTopics = .all, _ listener: @escaping @Sendable (EngineEvent) -> Void
  ) -> ListenerTicket {
    addListener(ClosureListener(topics: topics, listener))
  }

  /// True inside a listener.
  public var isOnListenerThread: Bool { queue.isCurrentThread }

  /// Remembers the RDDs of every stream for at least so long.
  public func remember(milliseconds: Int64) throws {
    try building { $0.minimumRetention = max($0.minimumRetention, milliseconds) }
  }

  /// What windows look back on stays, though their tables have taken it in: a checkpoint is to have it.
  public func keepPast() throws {
    try building { $0.keepsPast = true }
  }

  /// A stream's RDD at a batch time that is still remembered.
  public func rememberedRDD(of node: StreamNode, at time: BatchTime) -> RDDNode? {
    guard let history = history, case .some(.some(let rdd)) = history.known(node, at: time) else {
      return nil
    }
    return rdd
  }

  /// The time before the first batch; nil before the start.
  public var zeroTime: BatchTime? {
    state.withLock { state in
      switch state {
      case .building: nil
      case .active(let run): run.zeroTime
      case .stopped(let end): end?.zeroTime
      }
    }
  }

  /// Lets go of what a stopped context remembers; it cannot be asked for ``retained(after:)`` then.
  public func forget() {
    let old = state.withLock { state -> State? in
      guard case .stopped(let end?) = state else { return nil }
      let old = state
      state = .stopped(RunEnd(zeroTime: end.zeroTime, history: nil))
      return old
    }
    events.removeAll()
    withExtendedLifetime(old) {}
  }

  private var history: StreamHistory? {
    state.withLock { state in
      switch state {
      case .building: nil
      case .active(let run): run.history
      case .stopped(let end): end?.history
      }
    }
  }

  // MARK: - Going on from an earlier run

  /// What streams with a key look back on after the batch at `time`: their own RDDs (parent -1), those of
  /// their parents, and of tables with a time to live when their keys had new values last (parent -3).
  /// Inside a batch, or after the stop.
  public func retained(
    after time: BatchTime
  ) throws -> [(stableName: String, parent: Int, time: BatchTime, rdd: RDDNode)] {
    try history?.retained(after: time, context: context) ?? []
  }

  /// Gives the stream with a key, or one of its parents, an RDD of the past.
  ///
  /// - Parameter parent: the parent's number; -1 for the stream itself, -3 for the times of its keys.
  /// - Throws: ``EngineError`` (`invalidArgument`) where no stream has that name.
  public func restore(stableName: String, parent: Int, time: BatchTime, rdd: RDDNode) throws {
    try building { graph in
      let target = try graph.stream(stableName: stableName, parent: parent)
      if parent == StreamGraph.keyTimes {
        graph.past.keyTimes.append((target.id, time, rdd))
        return
      }
      graph.past.rdds.append((target.id, time, rdd.divided(asKnown: target.partitioner)))
    }
  }

  /// The stream with a key, or one of its parents. Before the start.
  ///
  /// - Parameter parent: the parent's number; -1 for the stream itself.
  /// - Throws: ``EngineError`` (`invalidArgument`) where no stream has that name.
  public func stream(stableName: String, parent: Int) throws -> StreamNode {
    try building { try $0.stream(stableName: stableName, parent: parent) }
  }

  /// Gives a source, numbered among those that are pushed to, what it had taken in for an earlier batch.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) where there are fewer sources.
  public func restoreInput(number: Int, time: BatchTime, rdd: RDDNode) throws {
    try building { graph in
      let inputs = graph.nodes.filter { $0.source?.pushed != nil }
      guard inputs.indices.contains(number) else {
        throw EngineError.invalidArgument(
          "the checkpoint has input of the source \(number), which this program does not have")
      }
      graph.past.inputs.append((inputs[number].id, time, rdd))
    }
  }

  /// Runs some outputs of a batch of an earlier run again, before all others.
  public func runAgain(outputs: [Int], at time: BatchTime) throws {
    try building { $0.past.failed.append((time, outputs)) }
  }

  /// Has it written into a log what receivers take in and what becomes of batches. With
  /// ``resume(zero:last:)`` the job goes on with what the log has.
  public func keepLog(_ log: JobLog) throws { try building { $0.log = log } }

  /// Nothing goes back behind a time any more: the log lets go of it.
  public func forgetLogged(until time: BatchTime) { activeLog?.forget(until: time) }

  /// The latest batch in the log: one that ends before that has been damaged. Nil where none is kept.
  public var logReached: BatchTime? { activeLog?.reached }

  private var activeLog: JobLog? {
    state.withLock { state in if case .active(let run) = state { run.log } else { nil } }
  }

  /// Offers what outputs of the batch at `time` stand on and what cannot be made again later. Inside
  /// ``Hooks/outputsFailed``.
  ///
  /// - Parameters:
  ///   - inputLimit: so many bytes of text from sources are offered at most.
  ///   - take: false where an RDD cannot be kept: what that one stands on is offered then.
  /// - Throws: ``EngineError`` (`unavailable`) beyond the limit; what `take` throws.
  public func offerNeeded(
    by outputs: [Int], at time: BatchTime, inputLimit: Int, take: (NeededRDD) throws -> Bool
  ) throws {
    try history?.offerNeeded(
      by: outputs, at: time, context: context, inputLimit: inputLimit, take: take)
  }

  /// Goes on behind the batch at `last` of a run whose first batch followed `zero`: every batch
  /// time since then is run.
  public func resume(zero: BatchTime, last: BatchTime) throws {
    try building { $0.past.resumed = (zero, last) }
  }

  func building<R>(_ body: (inout StreamGraph) throws -> R) throws -> R {
    try state.withLock { state in
      guard case .building(var graph) = state else {
        throw EngineError.illegalState(
          "Adding new inputs, transformations, and output operations after "
            + (state.isActive ? "starting" : "stopping") + " a context is not supported")
      }
      let result = try body(&graph)
      state = .building(graph)
      return result
    }
  }

  // MARK: - Running

  /// Validates and freezes the graph, starts the sources and the clock. Does not block.
  ///
  /// - Returns: false when it had been started already: nothing happens then.
  /// - Throws: ``EngineError`` (`illegalState`) without outputs (the context is stopped then), or
  ///   after a stop.
  @discardableResult
  public func start() throws -> Bool {
    try context.checkRunning()
    let run: StreamingRun?
    do {
      run = try state.withLock { try makeRun(&$0) }
    } catch {
      if phase == .stopped { finish() }
      throw error
    }
    run?.start()
    return run != nil
  }

  /// Freezes the graph into a run; nil when there is one already.
  private func makeRun(_ state: inout State) throws -> StreamingRun? {
    switch state {
    case .active: return nil
    case .stopped: throw EngineError.illegalState("StreamingContext has already been stopped")
    case .building(let graph):
      // Spark: a context whose start failed is stopped.
      state = .stopped(nil)
      let run = try StreamingRun(
        plan: try graph.frozen(), past: graph.past, log: graph.log, context: context,
        clock: makeClock(), hooks: hooks, events: events, queue: queue,
        limits: try .init(context.settings, interval: interval),
        failed: { [outcome] in outcome.record($0) })
      state = .active(run)
      return run
    }
  }

  /// Stops; does nothing when that was done before. A stop that comes while another one is under
  /// way waits for it, and makes it give up waiting batches unless both are graceful. From inside an
  /// output it only asks: the stop follows when the batch is over.
  ///
  /// - Parameters:
  ///   - gracefully: first runs all batches of what was received. Otherwise waiting batches are
  ///     given up, counted and reported, and the running one gets `swiftwater.stop.timeout`.
  public func stop(gracefully: Bool = false) {
    let run = state.withLock { state -> StreamingRun? in
      switch state {
      case .active(let run): return run
      case .building:
        state = .stopped(nil)
        return nil
      case .stopped: return nil
      }
    }
    guard let run else {
      finish()
      return
    }
    run.stop(gracefully: gracefully) { [self] in
      state.withLock {
        $0 = .stopped(RunEnd(zeroTime: run.zeroTime, history: run.history))
      }
      events.post(.streamingStopped)
      finish()
    }
  }

  private func finish() {
    let observers = outcome.notify { outcome in
      outcome.isStopped = true
      return outcome.observers
    }
    for observer in observers { observer() }
  }

  /// True where a source has more than the batches so far, though nothing more comes in.
  public var hasMoreInput: Bool { allNodes.contains { $0.source?.hasMore ?? false } }

  /// All streams; none where a stop has let go of them.
  var allNodes: [StreamNode] {
    state.withLock { state in
      switch state {
      case .building(let graph): graph.nodes
      case .active(let run): run.plan.nodes
      case .stopped(let end): end?.history?.plan.nodes ?? []
      }
    }
  }

  /// Waits for the end of the context.
  ///
  /// - Returns: true when it has stopped, false when `timeout` passed first.
  /// - Throws: the latest error of a batch, at once, and at every later call too.
  public func awaitTermination(timeout: Duration? = nil) throws -> Bool {
    let deadline = timeout.map { monotonicNanoseconds() + $0.wholeNanoseconds }
    return try outcome.wait(untilMonotonicNanoseconds: deadline) { outcome in
      if let error = outcome.latestError { throw error }
      return outcome.isStopped ? true : nil
    } ?? false
  }

  /// Bytes of received text that batches have worked on, and that are still there.
  public var keptInput: Int { budget.kept }

  /// Calls `observer` when ``awaitTermination(timeout:)`` would return or throw, perhaps several
  /// times, on any thread. For callers that wait for other things too.
  public func observeTermination(_ observer: @escaping @Sendable () -> Void) {
    let isDue = outcome.withLock { outcome in
      outcome.observers.append(observer)
      return outcome.isStopped || outcome.latestError != nil
    }
    if isDue { observer() }
  }
}

extension StreamingContext.State {
  fileprivate var isActive: Bool {
    if case .active = self { true } else { false }
  }
}

extension Monitor<StreamingContext.Outcome> {
  /// Keeps the error, which replaces an older one, and wakes those who wait. The batch's records must
  /// not stay with it.
  fileprivate func record(_ error: any Error) {
    var error = error
    do {
      try (error as? any HoldingError)?.letGo()
    } catch let other {
      error = other
    }
    let observers = notify { [error] outcome in
      outcome.latestError = error
      return outcome.observers
    }
    for observer in observers { observer() }
  }
}
