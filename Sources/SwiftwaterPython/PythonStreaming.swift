import CSignals
import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStreaming
import SwiftwaterTesting
import Synchronization

/// A StreamingContext that Python made.
final class PythonStreaming: Sendable {
  let owner: PythonContext
  let streaming: StreamingContext
  /// Set where the job runs in virtual time.
  let manualClock: ManualClock?

  /// Becomes readable when a wait is over.
  private let event: ReadableEvent
  private let calls: UserCalls
  /// Called about each batch, where there are checkpoints.
  let batchHooks = Monitor<BatchHooks?>(nil)
  private let listener = Mutex<ListenerTicket?>(nil)

  init(_ owner: PythonContext, intervalMilliseconds: Int, manualStart: Int?) throws {
    self.owner = owner
    manualClock = manualStart.map { ManualClock(start: Timestamp(milliseconds: Int64($0))) }
    let calls = UserCalls(console: owner.console)
    self.calls = calls
    streaming = try StreamingContext(
      owner.context, interval: try BatchInterval(milliseconds: Int64(intervalMilliseconds)),
      clock: manualClock,
      hooks: .init(
        outputsFailed: { [batchHooks] in
          try callOutputsFailed(batchHooks.withLock { $0?.failed }, at: $0, outputs: $1)
        },
        afterBatch: { [batchHooks] in
          try callAfterBatch(batchHooks.withLock { $0?.isOver }, at: $0, hasFailed: $1)
        },
        interrupt: { calls.interrupt() }, threadEnds: { Interpreter.endThread() }))
    let event = try ReadableEvent()
    self.event = event
    // A function that outlives the stop may still tell of its end when this object is gone: the
    // observer keeps the descriptor open.
    streaming.observeTermination { event.signal() }
  }

  // MARK: - Operators

  /// - Returns: what its batches are known by, within the job.
  func addOutput(
    _ functions: PythonSink.Functions, place: OperatorPlace, named given: String?,
    of node: StreamNode
  ) throws -> OutputName {
    try streaming.addOutput(
      name: place.name, named: given, site: place.site, of: node,
      to: PythonSink(functions, calls: calls, place: place))
  }

  /// A stream of what `function(milliseconds, rdds)` returns: an RDD, or None.
  func addTransform(
    _ function: PythonObject, place: OperatorPlace, of parents: [StreamNode]
  ) throws -> StreamNode {
    try streaming.addNode(
      name: place.name, parents: parents, operator: .driver(place)
    ) { [calls] generation in
      let rdds = try parents.map { try generation.rdd(of: $0) }
      // Spark: the function of a single stream is not called where that stream has no RDD.
      if rdds.count == 1, rdds[0] == nil { return nil }
      return try calls.transform(rdds, with: function, place: place, time: generation.time)
    }
  }

  /// A stream of what is in the files that appear in a folder: of their lines, or of what `function(path)`
  /// makes an RDD of.
  func addFiles(
    of directory: FilePath, since: Int64, function: PythonObject?, place: OperatorPlace
  ) throws -> StreamNode {
    try streaming.addFileStream(
      of: directory, name: place.name, site: place.site, since: since,
      recordType: function == nil ? .text : nil,
      described: { [calls] in calls.described($0, place: place, time: $1) }
    ) { [calls] file, generation in
      guard let function else {
        return try generation.context.textFileNode(file, minimumPartitions: 1)
      }
      let rdd = try calls.file(file.path, with: function, place: place, time: generation.time)
      return rdd ?? RDDNode.batches([], name: place.name, context: generation.context)
    }
  }

  /// Has `function(event)` called with every event; nil ends that.
  func setListener(_ function: PythonObject?) {
    let new = function.map { streaming.addListener(PythonListener(function: $0)) }
    let old = listener.withLock { listener -> ListenerTicket? in
      defer { listener = new }
      return listener
    }
    old?.cancel()
  }

  /// Lets go of what a stopped context remembers, and of the functions that it called.
  func forget() {
    streaming.forget()
    let hooks = batchHooks.withLock { hooks in
      defer { hooks = nil }
      return hooks
    }
    withExtendedLifetime(hooks) {}
  }

  /// Bytes of received text that batches have worked on, and that are still there.
  var keptInput: Int { streaming.keptInput }

  // MARK: - Waiting

  /// Waits for the end of the context, and runs Python's signal handlers meanwhile.
  ///
  /// - Returns: true when the context has stopped, false when time ran out.
  /// - Throws: the latest error of a batch; what a signal handler raised.
  func wait(seconds: Double?, _ py: borrowing Python) throws -> Bool {
    let deadline = seconds.map { monotonicNanoseconds() + nanoseconds(in: $0) }
    return try event.wait(untilMonotonicNanoseconds: deadline, py) {
      try streaming.awaitTermination(timeout: .zero)
    }
  }

  /// Stops the context, and runs Python's signal handlers meanwhile: what one raises ends the wait,
  /// not the stop.
  func stop(gracefully: Bool, _ py: borrowing Python) throws {
    guard manualClock == nil, streaming.phase == .active, !streaming.isOnBatchThread else {
      return Interpreter.detach(py) { streaming.stop(gracefully: gracefully) }
    }
    let stopped = try ReadableEvent()
    let isStopped = Mutex(false)
    let thread = try? EngineThread(trying: "sw-stop") { [streaming] in
      streaming.stop(gracefully: gracefully)
      isStopped.withLock { $0 = true }
      stopped.signal()
    }
    // Then no signal can cut it short.
    guard thread != nil else {
      return Interpreter.detach(py) { streaming.stop(gracefully: gracefully) }
    }
    _ = try stopped.wait(untilMonotonicNanoseconds: nil, py) { isStopped.withLock { $0 } }
  }

  /// Time limits beyond some decades are the same as none.
  private func nanoseconds(in seconds: Double) -> Int64 {
    Int64(max(0, min(seconds, 1e9)) * 1e9)
  }
}

/// What is called about each batch.
struct BatchHooks: Sendable {
  /// Takes the time of a batch that is over, and whether an output has failed.
  let isOver: PythonObject
  /// Takes the time of a batch and the numbers of its outputs that have failed.
  let failed: PythonObject
}

private func callOutputsFailed(_ hook: PythonObject?, at time: BatchTime, outputs: [Int]) throws {
  guard let hook else { return }
  try Interpreter.attach { py in
    guard let milliseconds = py.newInteger(Int(time.milliseconds)) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(milliseconds) }
    guard let numbers = py.newList(outputs.map { py.newInteger($0) }) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(numbers) }
    guard let result = hook.call(milliseconds, numbers) else { throw PythonError.fetch(py) }
    Py.release(result)
  }
}

/// Writes what Python has buffered, and calls the hook.
private func callAfterBatch(
  _ hook: PythonObject?, at time: BatchTime?, hasFailed: Bool
) throws {
  try Interpreter.attach { py in
    flushStandardOutput(py)
    guard let hook, let time else { return }
    guard let milliseconds = py.newInteger(Int(time.milliseconds)) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(milliseconds) }
    let failed = py.newBool(hasFailed)
    defer { Py.release(failed) }
    guard let result = hook.call(milliseconds, failed) else { throw PythonError.fetch(py) }
    Py.release(result)
  }
}

/// A descriptor that becomes readable once, for a wait that signals end too.
final class ReadableEvent: Sendable {
  let descriptor: Int32

  init() throws {
    descriptor = sw_make_event()
    guard descriptor >= 0 else {
      throw EngineError.unavailable(
        "the process has no file descriptors left" + limitText([.descriptors]))
    }
  }

  deinit { sw_close_event(descriptor) }

  func signal() { sw_signal_event(descriptor) }

  /// Waits until `isOver` says so, asking it after every signal to this event, and runs Python's
  /// signal handlers meanwhile.
  ///
  /// SIGINT and SIGTERM cannot slip in between the look at the handlers and the sleep: signals are
  /// let through only while the thread sleeps. Others are seen within a second.
  ///
  /// - Returns: false when the deadline (on the monotonic clock) passed first.
  /// - Throws: what a signal handler raised; what `isOver` throws.
  func wait(
    untilMonotonicNanoseconds deadline: Int64?, _ py: borrowing Python, isOver: () throws -> Bool
  ) throws -> Bool {
    while true {
      if try isOver() { return true }
      let left = deadline.map { max(0, $0 - monotonicNanoseconds()) }
      if left == 0 { return false }

      let seen = sw_interrupts_seen()
      try py.runSignalHandlers()
      Interpreter.detach(py) {
        var mask = sigset_t()
        sw_block_signals(&mask)
        if sw_interrupts_seen() == seen {
          _ = sw_wait(descriptor, min(left ?? .max, 1_000_000_000), &mask)
        }
        sw_restore_signals(&mask)
      }
    }
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
