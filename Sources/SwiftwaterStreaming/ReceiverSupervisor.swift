import SwiftwaterCore
import SwiftwaterKernels

/// Runs a receiver: turns its bytes into blocks, holds it back when the buffer is full, and
/// connects it again after a loss.
public final class ReceiverSupervisor: PushedSource, ReceiverSink {
  /// The limits of one receiver.
  public struct Limits: Sendable {
    /// Bytes after which a block is closed.
    public var blockSize: Int
    /// Time after which a block is closed.
    public var blockInterval: Duration
    public var maxLineLength: Int
    public var restartDelay: Duration
    let rate: RateSettings

    /// - Throws: ``EngineError`` (`invalidArgument`) for a setting that cannot be read.
    public init(_ settings: Settings, interval: BatchInterval) throws {
      blockSize =
        try settings.bytes("swiftwater.block.size", maximum: mostBlockBytes) ?? (1 << 20)
      blockInterval = try settings.duration("spark.streaming.blockInterval") ?? .milliseconds(200)
      maxLineLength =
        try settings.bytes("swiftwater.receiver.maxLineLength", maximum: mostBlockBytes)
        ?? (16 << 20)
      restartDelay = try settings.duration("spark.streaming.receiverRestartDelay") ?? .seconds(2)
      rate = try RateSettings(settings, interval: interval)
    }
  }

  private struct State: ~Copyable {
    var assembler: LineAssembler
    var gate: RateGate
    /// Lets lines through that wait for a rate.
    var gateTimer: TimerTicket?
    /// Closed blocks that no batch has taken.
    var blocks: [any RecordBatch] = []
    /// Of those blocks, the shares of the budget that are not held by the blocks themselves.
    var leases: [BufferLease] = []
    /// What those blocks hold of the budget, in bytes.
    var untakenBytes = 0
    var positions = PositionMarks()
    /// The receiver has been told that all is stored up to there.
    var stored: SourcePosition?
    /// Blocks that batches have taken, and when the first of them may have come.
    var takenBlocks = 0
    var began: Timestamp?
    /// When the first line of the open block came.
    var openedAt: Timestamp?
    var droppedLines = 0
    var clock: (any EngineClock)?
    var isStopped = false
    /// A connection is being begun: a stop waits its turn, so that its end is told last.
    var isBeginning = false
    var stopBehindBegin: (@Sendable () -> Void)?
    /// The receiver was told to pause, and the budget will wake it.
    var isPaused = false
    var restart: TimerTicket?
    /// Text has come while the receiver was to pause.
    var isOverrun = false
    /// A connection is begun when the receiver may read on.
    var beginsWithRoom = false
    /// Where every block goes too.
    var source: SourceName?
    var keep: (@Sendable (BlockID, any RecordBatch) -> Void)?

    /// Called under the lock: the order of the calls is that of the blocks.
    mutating func add(_ block: any RecordBatch) {
      if let source, let keep {
        let number = takenBlocks + blocks.count
        keep(BlockID(source: source, run: began?.milliseconds ?? 0, number: number), block)
      }
      blocks.append(block)
    }

    var isHeldBack: Bool { isPaused || gate.isHolding }
  }

  private let receiver: any Receiver
  private let streamID: Int
  private let limits: Limits
  private let budget: BufferBudget
  private let events: EventBus
  private let linesDropped: Counter
  private let state: Monitor<State>

  /// - Parameters:
  ///   - streamID: numbers the inputs of a context.
  ///   - budget: shared by all receivers of a context.
  ///   - events: where it tells what becomes of the receiver.
  ///   - counters: where it counts the lines that it drops.
  public init(
    _ receiver: any Receiver, streamID: Int = 0, limits: Limits, budget: BufferBudget,
    events: EventBus, counters: Counters
  ) {
    self.receiver = receiver
    self.streamID = streamID
    self.limits = limits
    self.budget = budget
    self.events = events
    linesDropped = counters.counter(.linesDropped, of: receiver.source)
    state = Monitor(
      State(
        assembler: LineAssembler(
          blockSize: limits.blockSize, maxLineLength: limits.maxLineLength),
        gate: RateGate(limits.rate)))
  }

  // MARK: - PushedSource

  public func keepBlocks(
    of source: SourceName, _ keep: @escaping @Sendable (BlockID, any RecordBatch) -> Void
  ) {
    state.withLock { state in
      state.source = source
      state.keep = keep
    }
  }

  public func start(clock: any EngineClock) {
    state.withLock { state in
      state.clock = clock
      state.began = clock.now
      state.gate.start(at: clock.now)
    }
    begin()
  }

  private func begin() {
    let isWanted = state.withLock { state -> Bool in
      state.isBeginning = !state.isStopped
      return state.isBeginning
    }
    guard isWanted else { return }
    events.post(.receivers, .receiverStarted(info()))
    receiver.start(self)
    let stop = state.withLock { state -> (@Sendable () -> Void)? in
      state.isBeginning = false
      defer { state.stopBehindBegin = nil }
      return state.stopBehindBegin
    }
    if let stop { end(stop) }
  }

  private func info(
    isActive: Bool = true, message: String = "", error: String = ""
  ) -> ReceiverInfo {
    let now = error.isEmpty ? nil : state.withLock { $0.clock?.now }
    return ReceiverInfo(
      streamID: streamID, name: "\(receiver.kind)-\(streamID)", source: receiver.source,
      isActive: isActive, lastErrorMessage: message, lastError: error, lastErrorTime: now)
  }

  /// The delay behind a lost connection is over. What the other side has sent when it closes a
  /// connection is taken in whether there is room or not. Where that has happened, the next connection
  /// waits for room: its text would come on top.
  private func beginAgain() {
    let waits = state.withLock { state -> Bool in
      state.beginsWithRoom = !state.isStopped && state.isOverrun && state.isHeldBack
      return state.beginsWithRoom
    }
    if !waits { begin() }
  }

  private func readOn() {
    let begins = state.withLock { state -> Bool in
      defer { (state.isOverrun, state.beginsWithRoom) = (false, false) }
      return state.beginsWithRoom
    }
    if begins { begin() } else { receiver.resume() }
  }

  public func allocate() -> Allocation {
    let allocation = state.withLock { state -> Allocation in
      let now = state.clock?.now
      if let now { admit(&state, at: now) }
      closeBlock(&state, at: now)
      defer {
        state.takenBlocks += state.blocks.count
        state.blocks = []
        state.leases = []
        state.untakenBytes = 0
      }
      return Allocation(
        blocks: state.blocks, reportedCount: state.blocks.reduce(0) { $0 + $1.recordCount },
        run: state.began?.milliseconds ?? 0, firstNumber: state.takenBlocks,
        position: state.positions.reached, leases: state.leases,
        heldBytes: state.untakenBytes)
    }
    // Not under the lock: it may wake this receiver.
    if allocation.heldBytes > 0 { budget.giveToBatch(allocation.heldBytes) }
    return allocation
  }

  public func stop(_ whenStopped: @escaping @Sendable () -> Void) {
    let (timers, isBeginning) = state.withLock { state -> ([TimerTicket?], Bool) in
      state.isStopped = true
      state.gate.open()
      if state.isBeginning { state.stopBehindBegin = whenStopped }
      return ([state.restart, state.gateTimer], state.isBeginning)
    }
    for timer in timers { timer?.cancel() }
    if !isBeginning { end(whenStopped) }
  }

  private func end(_ whenStopped: @escaping @Sendable () -> Void) {
    receiver.stop { [self] in
      // A line that was being received when the source was closed is delivered as it is.
      let dropped = state.withLock { state -> EngineEvent? in
        state.assembler.finishLine()
        return droppedLines(&state)
      }
      if let dropped { events.post(dropped) }
      events.post(
        .receivers, .receiverStopped(info(isActive: false, message: "Stopped by driver")))
      whenStopped()
    }
  }

  public var holdsUntaken: Bool {
    state.withLock { !$0.blocks.isEmpty || $0.assembler.pendingLines > 0 }
  }

  public var hasMore: Bool { holdsUntaken || receiver.hasMore }

  // MARK: - ReceiverSink

  public func connected() {
    if !isStopped { events.post(.receivers, .receiverConnected(info())) }
  }

  public var demand: Demand {
    state.withLock { $0.isHeldBack ? .pause : .more }
  }

  public func received(_ bytes: UnsafeRawBufferPointer) -> Demand { received(bytes, upTo: nil) }

  public func received(
    _ bytes: UnsafeRawBufferPointer, upTo position: SourcePosition?
  ) -> Demand {
    let (demand, dropped, full) = state.withLock {
      state -> (Demand, EngineEvent?, EngineEvent?) in
      if state.isHeldBack { state.isOverrun = true }
      state.assembler.append(bytes)
      let dropped = droppedLines(&state)
      if let position {
        state.positions.note(
          position, pendingLines: state.assembler.pendingLines,
          hasOpenLine: state.assembler.hasOpenLine)
      }
      if let clock = state.clock { noticeLines(&state, at: clock.now) }
      let (demand, full) = self.demand(&state)
      return (demand, dropped, full)
    }
    if let dropped { events.post(dropped) }
    if let full { events.post(full) }
    return demand
  }

  public func received(
    _ records: any RecordBatch, byteCount: Int, upTo position: SourcePosition?
  ) -> Demand {
    let (demand, full) = state.withLock { state -> (Demand, EngineEvent?) in
      if state.isHeldBack { state.isOverrun = true }
      if records.recordCount > 0 {
        state.add(records)
        state.leases.append(budget.take(byteCount))
        state.untakenBytes += byteCount
      }
      if let position {
        state.positions.note(
          position, pendingLines: state.assembler.pendingLines,
          hasOpenLine: state.assembler.hasOpenLine)
      }
      if let clock = state.clock {
        state.gate.admitTogether(records.recordCount, at: clock.now)
        noticeLines(&state, at: clock.now)
      }
      return self.demand(&state)
    }
    if let full { events.post(full) }
    return demand
  }

  /// Called with the positions of allocations, in their order.
  public func stored(upTo position: SourcePosition) {
    let isNew = state.withLock { state -> Bool in
      defer { state.stored = position }
      return !state.isStopped && state.stored != position
    }
    if isNew { receiver.stored(upTo: position) }
  }

  public func connectionLost(_ reason: String) {
    let (isRestarting, dropped) = state.withLock { state -> (Bool, EngineEvent?) in
      state.assembler.finishLine()
      let dropped = droppedLines(&state)
      if let clock = state.clock { noticeLines(&state, at: clock.now) }
      guard !state.isStopped, let clock = state.clock else { return (false, dropped) }
      state.restart = clock.schedule(at: clock.now + limits.restartDelay) { [self] in
        beginAgain()
      }
      return (true, dropped)
    }
    if let dropped { events.post(dropped) }
    guard isRestarting else { return }
    let delay = limits.restartDelay.wholeNanoseconds / 1_000_000
    let message = "Restarting receiver with delay \(delay)ms: \(reason)"
    events.post(
      .receivers,
      .receiverLost(
        info(isActive: false, message: message, error: reason), retry: limits.restartDelay))
  }

  public func reportedError(_ error: String) {
    if !isStopped { events.post(.receivers, .receiverError(info(message: error, error: error))) }
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  // MARK: - Lines and blocks

  /// Lets complete lines through, and closes the open block when it is large or old enough. A timer
  /// goes on with it while lines wait for a rate.
  private func noticeLines(_ state: inout State, at now: Timestamp) {
    admit(&state, at: now)
    if state.gate.admitted > 0 {
      let openedAt = state.openedAt ?? now
      state.openedAt = openedAt
      let size = state.assembler.byteCount(ofLines: state.gate.admitted)
      if size >= limits.blockSize || now - openedAt >= limits.blockInterval {
        closeBlock(&state, at: now)
      }
    }
    guard state.gate.isHolding, state.gateTimer == nil, let clock = state.clock,
      let all = state.gate.time(ofAll: state.assembler.pendingLines)
    else { return }
    // Blocks become no older than they may be, and what a rate lets through is not saved up.
    let next = min(all, now + limits.blockInterval)
    state.gateTimer = clock.schedule(at: next) { [self] in goOn() }
  }

  private func admit(_ state: inout State, at now: Timestamp) {
    state.gate.admit(of: state.assembler.pendingLines, at: now)
  }

  /// Time has passed: lines that waited for a rate may go through, and with the last of them the
  /// receiver reads on.
  private func goOn() {
    let (isWanted, event) = state.withLock { state -> (Bool, EngineEvent?) in
      state.gateTimer = nil
      guard !state.isStopped, let clock = state.clock else { return (false, nil) }
      noticeLines(&state, at: clock.now)
      if state.isHeldBack { return (false, nil) }
      let (demand, full) = self.demand(&state)
      return (demand == .more, full)
    }
    if let event { events.post(event) }
    if isWanted { readOn() }
  }

  public func batchCompleted(_ report: SourceReport) {
    // Every source of the budget says the same of a batch.
    budget.batchCompleted(bytes: report.heldBytes, processing: report.ended - report.began)
    state.withLock { state in
      if !state.isStopped { state.gate.batchCompleted(report) }
    }
  }

  /// Asks for a pause while lines wait for a rate, or the buffer is full; with the event that tells of
  /// that, the first time.
  ///
  /// Asked under the lock: what is pending then, the next ticks take, and with its end the budget wakes
  /// this receiver.
  private func demand(_ state: inout State) -> (Demand, EngineEvent?) {
    if state.isHeldBack { return (.pause, nil) }
    let source = receiver.source
    let pending = state.assembler.pendingMemory + state.positions.byteCount
    let hasRoom = budget.admit(pending: pending) { [self] in
      let (isStopped, isHolding) = self.state.withLock { state in
        state.isPaused = false
        return (state.isStopped, state.gate.isHolding)
      }
      if isStopped { return }
      events.post(.bufferDrained(source: source))
      // Where lines wait for a rate, the last of them has the receiver read on.
      if !isHolding { readOn() }
    }
    if hasRoom { return (.more, nil) }
    state.isPaused = true
    return (
      .pause,
      .bufferFull(
        source: source, held: budget.held + pending, room: budget.room,
        limit: budget.limit)
    )
  }

  private func closeBlock(_ state: inout State, at now: Timestamp?) {
    // Lines that wait for a rate are the next block's, whose time begins.
    state.openedAt = state.gate.isHolding ? now : nil
    let lines = state.gate.admitted
    var bytes = 0
    let block = state.assembler.takeBlock(ofLines: lines) { footprint in
      bytes = footprint
      return budget.take(footprint)
    }
    if let block {
      state.add(block)
      state.untakenBytes += bytes
      state.positions.blockClosed(lines: block.recordCount)
    }
    state.gate.blockClosed()
  }

  /// One event for all lines that were dropped together: a sender can make any number of them.
  private func droppedLines(_ state: inout State) -> EngineEvent? {
    let dropped = state.assembler.takeDroppedLines()
    guard let line = dropped.last else { return nil }
    state.positions.linesDropped(
      pendingLines: state.assembler.pendingLines, hasOpenLine: state.assembler.hasOpenLine)
    state.droppedLines += dropped.count
    linesDropped.add(dropped.count)
    return .lineDropped(
      source: receiver.source, byteCount: line.byteCount, prefix: line.prefix,
      total: state.droppedLines)
  }
}
