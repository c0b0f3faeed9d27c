import CSignals
import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterStreaming
import SwiftwaterTesting

/// A StreamingContext that Python made.
final class PythonStreaming: Sendable {
  let owner: PythonContext
  let streaming: StreamingContext
  /// Set where the job runs in virtual time.
  let manualClock: ManualClock?

  /// Becomes readable when a wait is over.
  private let event: Int32
  private let calls: UserCalls
  private let pendingInputs = Monitor<[@Sendable () -> Bool]>([])

  init(_ owner: PythonContext, intervalMilliseconds: Int, manualStart: Int?) throws {
    self.owner = owner
    manualClock = manualStart.map { ManualClock(start: Timestamp(milliseconds: Int64($0))) }
    let calls = UserCalls(console: owner.console)
    self.calls = calls
    streaming = try StreamingContext(
      owner.context, interval: try BatchInterval(milliseconds: Int64(intervalMilliseconds)),
      clock: manualClock,
      hooks: .init(
        afterBatch: { Interpreter.attach { flushStandardOutput($0) } },
        interrupt: { calls.interrupt() }))
    let event = sw_make_event()
    guard event >= 0 else {
      throw EngineError.unavailable("the process has no file descriptors left")
    }
    self.event = event
    streaming.observeTermination { sw_signal_event(event) }
  }

  deinit {
    // The observer above is called by nobody any more: the context that holds it is owned here.
    sw_close_event(event)
  }

  // MARK: - Operators

  /// An output: calls `function(milliseconds, rdd)`.
  func addOutput(_ function: PythonObject, place: OperatorPlace, of node: StreamNode) throws {
    try streaming.addOutput(name: place.name, of: node) { [calls] rdd, time in
      try calls.output(function, place: place, time: time, rdd: rdd)
    }
  }

  /// A stream of what `function(milliseconds, rdds)` returns: an RDD, or None.
  func addTransform(
    _ function: PythonObject, place: OperatorPlace, of parents: [StreamNode]
  ) throws -> StreamNode {
    try streaming.addNode(name: place.name, parents: parents) { [calls] generation in
      let rdds = try parents.map { try generation.rdd(of: $0) }
      // Spark: the function of a single stream is not called where that stream has no RDD.
      if rdds.count == 1, rdds[0] == nil { return nil }
      return try calls.transform(rdds, with: function, place: place, time: generation.time)
    }
  }

  // MARK: - Input that tests ask about

  func addPendingInput(_ hasPending: @escaping @Sendable () -> Bool) {
    pendingInputs.withLock { $0.append(hasPending) }
  }

  var hasPendingInput: Bool { pendingInputs.withLock { $0 }.contains { $0() } }

  // MARK: - Waiting

  /// Waits for the end of the context, and runs Python's signal handlers meanwhile.
  ///
  /// Signals are let through only while the thread sleeps: one that comes between the look at the
  /// handlers and the sleep ends the sleep at once.
  ///
  /// - Returns: true when the context has stopped, false when time ran out.
  /// - Throws: the latest error of a batch; what a signal handler raised.
  func wait(seconds: Double?, _ py: borrowing Python) throws -> Bool {
    let deadline = seconds.map { monotonicNanoseconds() + nanoseconds(in: $0) }
    while true {
      if try streaming.awaitTermination(timeout: .zero) { return true }
      let left = deadline.map { max(0, $0 - monotonicNanoseconds()) }
      if left == 0 { return false }

      var mask = sigset_t()
      sw_block_signals(&mask)
      defer { sw_restore_signals(&mask) }
      try py.runSignalHandlers()
      _ = Interpreter.detach(py) { sw_wait(event, left ?? -1, &mask) }
      try py.runSignalHandlers()
    }
  }

  /// Time limits beyond some centuries are the same as none.
  private func nanoseconds(in seconds: Double) -> Int64 {
    Int64(max(0, min(seconds, 1e9)) * 1e9)
  }
}

/// A DStream that Python made.
final class PythonStream: Sendable {
  let node: StreamNode
  let owner: PythonStreaming
  /// Set for a stream that a test feeds.
  let script: ScriptedReceiver?

  init(_ node: StreamNode, of owner: PythonStreaming, script: ScriptedReceiver? = nil) {
    self.node = node
    self.owner = owner
    self.script = script
  }
}
