import SwiftwaterCore
import SwiftwaterKernels

/// Runs a receiver: turns its bytes into blocks, holds it back when the buffer is full, and
/// connects it again after a loss.
public final class ReceiverSupervisor: InputSource, ReceiverSink {
  /// The limits of one receiver.
  public struct Limits: Sendable {
    /// Bytes after which a block is closed.
    public var blockSize: Int
    /// Time after which a block is closed.
    public var blockInterval: Duration
    public var maxLineLength: Int
    public var restartDelay: Duration

    /// - Throws: ``EngineError`` (`invalidArgument`) for a setting that cannot be read.
    public init(_ settings: Settings) throws {
      blockSize = try settings.bytes("swiftwater.block.size") ?? (1 << 20)
      blockInterval = try settings.duration("spark.streaming.blockInterval") ?? .milliseconds(200)
      maxLineLength = try settings.bytes("swiftwater.receiver.maxLineLength") ?? (16 << 20)
      restartDelay = try settings.duration("spark.streaming.receiverRestartDelay") ?? .seconds(2)
    }
  }

  private struct State: ~Copyable {
    var assembler: LineAssembler
    /// Closed blocks that no batch has taken.
    var blocks: [TextBlock] = []
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
  }

  private let receiver: any Receiver
  private let streamID: Int
  private let tell: @Sendable (StreamingEvent) -> Void
  private let limits: Limits
  private let budget: BufferBudget
  private let post: @Sendable (EngineEvent) -> Void
  private let state: Monitor<State>

  /// - Parameters:
  ///   - streamID: numbers the inputs of a context.
  ///   - budget: shared by all receivers of a context.
  ///   - post: takes events.
  ///   - tell: tells listeners.
  public init(
    _ receiver: any Receiver, streamID: Int = 0, limits: Limits, budget: BufferBudget,
    post: @escaping @Sendable (EngineEvent) -> Void,
    tell: @escaping @Sendable (StreamingEvent) -> Void = { _ in }
  ) {
    self.receiver = receiver
    self.streamID = streamID
    self.tell = tell
    self.limits = limits
    self.budget = budget
    self.post = post
    state = Monitor(
      State(
        assembler: LineAssembler(
          blockSize: limits.blockSize, maxLineLength: limits.maxLineLength)))
  }

  // MARK: - InputSource

  public func start(clock: any EngineClock) {
    state.withLock { $0.clock = clock }
    begin()
  }

  private func begin() {
    let isWanted = state.withLock { state -> Bool in
      state.isBeginning = !state.isStopped
      return state.isBeginning
    }
    guard isWanted else { return }
    tell(.receiverStarted(info(isActive: true, message: "")))
    receiver.start(self)
    let stop = state.withLock { state -> (@Sendable () -> Void)? in
      state.isBeginning = false
      defer { state.stopBehindBegin = nil }
      return state.stopBehindBegin
    }
    if let stop { end(stop) }
  }

  private func info(isActive: Bool, message: String, error: String = "") -> ReceiverInfo {
    let now = error.isEmpty ? nil : state.withLock { $0.clock?.now }
    return ReceiverInfo(
      streamID: streamID, name: "\(receiver.kind)-\(streamID)", isActive: isActive,
      location: "localhost", lastErrorMessage: message, lastError: error, lastErrorTime: now)
  }

  public func allocate() -> Allocation {
    let blocks = state.withLock { state -> [TextBlock] in
      closeBlock(&state)
      defer { state.blocks = [] }
      return state.blocks
    }
    return Allocation(blocks: blocks, reportedCount: blocks.reduce(0) { $0 + $1.recordCount })
  }

  public func stop(_ whenStopped: @escaping @Sendable () -> Void) {
    let (restart, isBeginning) = state.withLock { state -> (TimerTicket?, Bool) in
      state.isStopped = true
      if state.isBeginning { state.stopBehindBegin = whenStopped }
      return (state.restart, state.isBeginning)
    }
    restart?.cancel()
    if !isBeginning { end(whenStopped) }
  }

  private func end(_ whenStopped: @escaping @Sendable () -> Void) {
    receiver.stop { [self] in
      // A line that was being received when the source was closed is delivered as it is.
      let dropped = state.withLock { state -> EngineEvent? in
        state.assembler.finishLine()
        return droppedLines(&state)
      }
      if let dropped { post(dropped) }
      tell(.receiverStopped(info(isActive: false, message: "Stopped by driver")))
      whenStopped()
    }
  }

  public var hasPending: Bool {
    state.withLock { !$0.blocks.isEmpty || $0.assembler.pendingLines > 0 }
  }

  // MARK: - ReceiverSink

  public func connected() {
    if !isStopped { post(.receiverConnected(source: receiver.source)) }
  }

  public var demand: Demand { state.withLock { $0.isPaused ? .pause : .more } }

  public func received(_ bytes: UnsafeRawBufferPointer) -> Demand {
    let (demand, events) = state.withLock { state -> (Demand, [EngineEvent]) in
      state.assembler.append(bytes)
      if let clock = state.clock, state.assembler.pendingLines > 0 {
        let now = clock.now
        let openedAt = state.openedAt ?? now
        state.openedAt = openedAt
        if state.assembler.isBlockFull || now - openedAt >= limits.blockInterval {
          closeBlock(&state)
        }
      }
      let dropped = droppedLines(&state)
      let (demand, full) = self.demand(&state)
      return (demand, [dropped, full].compactMap(\.self))
    }
    for event in events { post(event) }
    return demand
  }

  public func connectionLost(_ reason: String) {
    let (isRestarting, events) = state.withLock { state -> (Bool, [EngineEvent]) in
      state.assembler.finishLine()
      var events = [droppedLines(&state)].compactMap(\.self)
      guard !state.isStopped, let clock = state.clock else { return (false, events) }
      events.append(
        .receiverLost(source: receiver.source, reason: reason, retry: limits.restartDelay))
      state.restart = clock.schedule(at: clock.now + limits.restartDelay) { [self] in begin() }
      return (true, events)
    }
    if isRestarting {
      let delay = limits.restartDelay.wholeNanoseconds / 1_000_000
      let message = "Restarting receiver with delay \(delay)ms: \(reason)"
      tell(.receiverStopped(info(isActive: false, message: message, error: reason)))
    }
    for event in events { post(event) }
  }

  private var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Asks for a pause where the buffer is full; with the event that tells of it, the first time.
  ///
  /// Asked under the lock: what is pending then, the next tick takes, and with its end the budget wakes
  /// this receiver.
  private func demand(_ state: inout State) -> (Demand, EngineEvent?) {
    if state.isPaused { return (.pause, nil) }
    let source = receiver.source
    let pending = state.assembler.pendingMemory
    let hasRoom = budget.admit(pending: pending) { [self] in
      let isWanted = self.state.withLock { state -> Bool in
        state.isPaused = false
        return !state.isStopped
      }
      guard isWanted else { return }
      post(.bufferDrained(source: source))
      receiver.resume()
    }
    if hasRoom { return (.more, nil) }
    state.isPaused = true
    return (
      .pause, .bufferFull(source: source, held: budget.held + pending, limit: budget.limit)
    )
  }

  private func closeBlock(_ state: inout State) {
    state.openedAt = nil
    if let block = state.assembler.takeBlock(lease: { budget.take($0) }) {
      state.blocks.append(block)
    }
  }

  /// One event for all lines that were dropped together: a sender can make any number of them.
  private func droppedLines(_ state: inout State) -> EngineEvent? {
    let dropped = state.assembler.takeDroppedLines()
    guard let line = dropped.last else { return nil }
    state.droppedLines += dropped.count
    return .lineDropped(
      source: receiver.source, byteCount: line.byteCount, prefix: line.prefix,
      total: state.droppedLines)
  }
}
