import PythonFunctions
import PythonInterop
import SwiftwaterConsole
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD

/// Where a worker was when it died.
struct WorkerDeath: Error {
  /// How it ended, for people.
  let outcome: String
  /// By a SIGKILL of somebody else.
  let wasKilled: Bool
  let position: WorkerPosition
}

/// Which function a worker is in, and at which records of its first input.
struct WorkerPosition: Equatable {
  /// The number of the function; -1 before the first.
  var step = -1
  /// The first record of the batch that is being read, and their number.
  var start = 0
  var count = 0
  /// The record of that batch; -1 where it is not known.
  var index = -1

  /// In the first page of what the worker writes.
  static let wordCount = 4

  init(words: UnsafePointer<Int>) {
    (step, start, count, index) = (words[0], words[1], words[2], words[3])
  }
}

/// A worker, from the driver's side; one thread at a time has it.
final class WorkerProcess {
  /// Python's half of the driver.
  struct Helpers: Sendable {
    let pickling: Pickling
    /// `forward(number, bytes)`: what a worker has printed.
    let forward: PythonObject
    /// `rebuilt(bytes)`: an exception.
    let rebuild: PythonObject
    /// `credit(attempt, bytes)`: what accumulators have gained.
    let credit: PythonObject
    /// `broadcast(object)`: (number, function): the function gives, for a list of the numbers that a
    /// worker knows, the bytes that it must be sent, a list of the broadcasts in the value, and the
    /// numbers that it forgets.
    let broadcast: PythonObject
  }

  /// How long an interrupted function has until it is ended, in milliseconds.
  private static let patience: Int32 = 600
  /// How long it has for telling its stack, and how long a pause means that it has.
  private static let stackPatience: Int32 = 200
  private static let stackPause: Int32 = 40
  private static let startPatience: Int32 = 30_000
  /// How long it takes until the end of a process shows, and how long a process has for its end.
  private static let endPatience: Int32 = 200
  private static let goodbyePatience: Int32 = 1000
  /// What stands in front of a reason that a worker tells.
  private static let wrapped = "RuntimeError: "
  /// Between two looks at whether the job is still wanted.
  private static let tick: Int32 = 50

  private let process: ChildProcess
  private let channel: WorkerChannel
  /// Loaded while the process starts.
  private let loadHelpers: () throws -> Helpers
  private var loadedHelpers: Helpers?
  private var session: [UInt8] = []
  /// Those that it has, in the order in which it got them.
  private var programs: [Int] = []
  private var broadcasts: Set<Int> = []
  /// What was printed behind the last line end.
  private var openLines: [[UInt8]] = [[], []]
  private(set) var isUsable = true
  private var hasBegun = false
  /// It works on a task, or on something else that it was asked.
  private var isBusy = false

  /// Starts one, and does not wait until it is ready.
  ///
  /// - Throws: ``EngineError`` where it cannot be started.
  init(
    command: [String], variable: String?, helpers: @escaping () throws -> Helpers
  ) throws {
    loadHelpers = helpers
    let (ours, theirs) = try connectedSockets()
    defer { closeDescriptor(theirs) }
    let areas: [SharedArea]
    do {
      areas = [try SharedArea.make(), try SharedArea.make()]
    } catch {
      closeDescriptor(ours)
      throw error
    }
    channel = WorkerChannel(socket: ours, outgoing: areas[0], incoming: areas[1])
    process = try ChildProcess(
      command, variable: variable,
      descriptors: [theirs, areas[0].descriptor, areas[1].descriptor])
  }

  /// Waits until it is ready.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where it ends before; what ends the task meanwhile.
  func begin(_ task: TaskContext) throws {
    if hasBegun { return }
    do {
      let deadline = monotonicNanoseconds() + Int64(Self.startPatience) * 1_000_000
      var message: WorkerMessage?
      while message == nil, monotonicNanoseconds() < deadline {
        message = try receive(milliseconds: Self.tick)
        if message == nil, (try? task.checkCancellation()) == nil { break }
      }
      guard message?.kind == .ready else { throw WorkerGone() }
      hasBegun = true
    } catch {
      isUsable = false
      process.end(after: Self.endPatience)
      forwardOutputs(all: true)
      try task.checkCancellation()
      throw EngineError.unavailable("a worker process \(process.outcome()) when it began")
    }
  }

  /// Asks it to end; what it then does at its end goes on while others are asked.
  func sayGoodbye() {
    if isUsable { channel.hangUp() }
  }

  deinit {
    // A process that was forked from this one drops its copy of what is the parent's.
    if process.belongsToParent { return }
    if isUsable {
      channel.hangUp()
      _ = process.ends(within: hasBegun ? Self.goodbyePatience : 0)
      process.end()
      forwardOutputs(all: true)
    }
    _ = process.outcome()
  }

  /// It has ended by a SIGKILL of somebody else.
  var wasKilled: Bool { process.wasKilled }

  /// False for one that has ended while nobody used it.
  var isAlive: Bool { isUsable && !process.ends(within: 0) }

  /// What a task has given.
  struct Result {
    /// The batches of each bucket.
    let buckets: [[any RecordBatch]]
    /// How many records were counted.
    let count: Int
    /// What accumulators have gained, pickled.
    let gained: [UInt8]
  }

  /// Runs a task.
  ///
  /// - Parameters:
  ///   - partitions: of the first step's node, and of those behind each `renumber`.
  ///   - session: what all tasks need, pickled.
  ///   - inputs: one for each input of the program.
  /// - Throws: ``WorkerDeath``; ``CannotMove``; ``PythonError`` of a function; what the inputs throw.
  func run(
    _ pickled: ProgramCache.Pickled, of program: StageProgram, partitions: [Int],
    session: [UInt8], inputs: [any BatchCursor], task: TaskContext
  ) throws -> Result {
    try begin(task)
    defer { channel.outgoing.trim() }
    do {
      resetPosition()
      try prepare(pickled, session, task)
      let feeds = inputs.enumerated().map { index, cursor in
        // Who reads text that is there, or in a file, needs nothing that a function may hold.
        WorkerFeed(cursor, readsAhead: index == 0 && program.readsText)
      }
      let first = try feeds[0].partAtHand(with: helpers().pickling)
      let wanted = TaskRequest(partitions, first: first?.part, isLast: first?.isLast ?? false)
      try request(
        WorkerMessage(
          .task, a: pickled.number, b: task.partition, c: task.stage, d: task.attempt),
        byteCount: wanted.byteCount, write: wanted.write)
      let result = try serve(feeds, program, task)
      forwardOutputs(all: true)
      return result
    } catch is WorkerGone {
      isUsable = false
      process.end(after: Self.endPatience)
      forwardOutputs(all: true)
      let outcome = process.outcome()
      throw WorkerDeath(outcome: outcome, wasKilled: process.wasKilled, position: position)
    } catch {
      // It may still work on what it was asked.
      if isBusy {
        isUsable = false
        process.end()
      }
      forwardOutputs(all: true)
      throw error
    }
  }

  private func prepare(
    _ pickled: ProgramCache.Pickled, _ session: [UInt8], _ task: TaskContext
  ) throws {
    if session != self.session {
      try ask(WorkerMessage(.session), session, task)
      self.session = session
    }
    try sendBroadcasts(pickled.broadcasts, task)
    if !programs.contains(pickled.number) {
      try ask(WorkerMessage(.program, a: pickled.number), pickled.bytes, task)
      programs.append(pickled.number)
      if programs.count > ProgramCache.keptByWorker { programs.removeFirst() }
    }
  }

  /// Each value once, and once more that it is gone; those that are parts of a value before it.
  private func sendBroadcasts(_ list: PythonObject, _ task: TaskContext) throws {
    let count = Interpreter.attach { _ in Py.listCount(list.pointer) }
    for index in 0..<count {
      let found = try Interpreter.attach { py in
        try broadcastMessage(PythonObject(borrowing: Py.listItem(list.pointer, index)), py)
      }
      guard let found else { continue }
      try sendBroadcasts(found.parts, task)
      try ask(WorkerMessage(.broadcast), found.data, task)
      broadcasts.insert(found.number)
    }
  }

  /// Nil for what the worker has.
  private func broadcastMessage(
    _ object: PythonObject, _ py: borrowing Python
  ) throws -> (number: Int, data: [UInt8], parts: PythonObject)? {
    let helper = try helpers().broadcast
    let given = withExtendedLifetime(object) { helper.call(object.pointer) }
    guard let answer = given else { throw PythonError.fetch(py) }
    defer { Py.release(answer) }
    guard let number = py.integer(of: Py.tupleItem(answer, 0)), !broadcasts.contains(number) else {
      return nil
    }
    guard let known = py.newList(broadcasts.map { py.newInteger($0) }) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(known) }
    guard let message = Py.call(Py.tupleItem(answer, 1), known) else {
      throw CannotMove("a broadcast value cannot be pickled", PythonError.fetch(py))
    }
    defer { Py.release(message) }
    for gone in pointers(in: Py.tupleItem(message, 2)) ?? [] {
      if let number = py.integer(of: gone) { broadcasts.remove(number) }
    }
    return (
      number, try bytes(of: Py.tupleItem(message, 0)),
      PythonObject(borrowing: Py.tupleItem(message, 1))
    )
  }

  private func request(_ message: WorkerMessage, _ payload: [UInt8] = []) throws {
    try request(message, byteCount: payload.count) { memory in
      payload.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }
  }

  private func request(
    _ message: WorkerMessage, byteCount: Int, write: (UnsafeMutableRawPointer) -> Void
  ) throws {
    channel.request += 1
    channel.question = 0
    isBusy = true
    try channel.send(message, byteCount: byteCount, write: write)
  }

  /// Sends something that is answered when it has been taken in.
  private func ask(
    _ message: WorkerMessage, _ payload: [UInt8], _ task: TaskContext
  ) throws {
    try request(message, payload)
    let answer = try next(task)
    channel.outgoing.trim()
    guard answer.kind == .ok || answer.kind == .failed else { throw WorkerGone() }
    isBusy = false
    if answer.kind == .failed {
      throw CannotMove("what it needs cannot be unpickled in a worker process", try rebuilt(answer))
    }
  }

  // MARK: - Serving a task

  private func serve(
    _ inputs: [WorkerFeed], _ program: StageProgram, _ task: TaskContext
  ) throws -> Result {
    var outputs = ReceivedOutputs(program.end.bucketCount, pickling: try helpers().pickling)
    var waiting: [ArraySlice<BatchCodec.Part>] = inputs.map { _ in [] }
    while true {
      let message = try next(task)
      switch message.kind {
      case .need:
        guard inputs.indices.contains(message.a) else { throw WorkerGone() }
        try givingUpOnError {
          while waiting[message.a].isEmpty, let batch = try inputs[message.a].next() {
            waiting[message.a] = try BatchCodec.encode(batch, with: helpers().pickling)[...]
          }
        }
        if let part = waiting[message.a].popFirst() {
          let isLast = waiting[message.a].isEmpty && inputs[message.a].isKnownToEnd
          try channel.send(
            WorkerMessage(.batch, a: part.form.rawValue, b: part.count, c: isLast ? 1 : 0),
            byteCount: part.byteCount, write: part.write)
          if waiting[message.a].isEmpty { inputs[message.a].readAhead() }
        } else {
          try channel.send(WorkerMessage(.noMoreInput))
        }
      case .output:
        guard (0..<program.end.bucketCount).contains(message.a) else { throw WorkerGone() }
        try givingUpOnError { try outputs.add(message, channel.payload(of: message)) }
        try channel.send(WorkerMessage(.ok))
      case .lastOutput:
        isBusy = false
        guard (0..<program.end.bucketCount).contains(message.a) else { throw WorkerGone() }
        try outputs.add(message, channel.payload(of: message))
        return Result(buckets: try outputs.finished(), count: 0, gained: [])
      case .done:
        isBusy = false
        let gained = Array(try channel.payload(of: message))
        return Result(buckets: try outputs.finished(), count: message.a, gained: gained)
      case .failed:
        isBusy = false
        let error = try rebuilt(message)
        if message.a >= 2 {
          let text = "\(error)"
          throw CannotMove(
            text.hasPrefix(Self.wrapped) ? String(text.dropFirst(Self.wrapped.count)) : text,
            lacksMemory: message.a == 3)
        }
        throw error
      default: throw WorkerGone()
      }
    }
  }

  /// The worker's next message. Where the job is not wanted any more, the worker is interrupted.
  private func next(_ task: TaskContext) throws -> WorkerMessage {
    while true {
      do {
        try task.checkCancellation()
      } catch {
        let raised = interrupt()
        // Where a job is only told to end, what the function raises comes out, as in the driver.
        if let raised, case .cancelled? = error as? EngineError { throw raised }
        throw error
      }
      if let message = try receive(milliseconds: Self.tick) { return message }
    }
  }

  /// Ends the task where `body` throws: the worker asks for what there is not.
  private func givingUpOnError(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      try? channel.send(WorkerMessage(.giveUp))
      if awaitEnd() == nil { endNow() }
      throw error
    }
  }

  /// Ends what the worker does: with a KeyboardInterrupt, or the process.
  ///
  /// - Returns: what the function raised.
  private func interrupt() -> (any Error)? {
    // A signal that somebody else sends means nothing to it.
    channel.outgoing.page.assumingMemoryBound(to: Int.self)[0] = channel.request
    process.interrupt()
    if let message = awaitEnd() {
      guard message.kind == .failed, message.a == 0 else { return nil }
      tellStack(of: message)
      return try? rebuilt(message)
    }
    guard isUsable else { return nil }
    // It holds the interpreter, or catches whatever is raised.
    process.askForStack()
    let deadline = monotonicNanoseconds() + Int64(Self.stackPatience) * 1_000_000
    var hasBegun = false
    while monotonicNanoseconds() < deadline {
      if process.isSilent(for: Self.stackPause) {
        if hasBegun { break }
      } else {
        hasBegun = true
        forwardOutputs(all: false)
      }
    }
    endNow()
    try? ProcessConsole.notice(
      .warning, kind: "worker end", "a worker process did not react to an interrupt; it was ended")
    return nil
  }

  /// What the worker says at the end of its task, for a time; what it asks until then is declined.
  private func awaitEnd() -> WorkerMessage? {
    let deadline = monotonicNanoseconds() + Int64(Self.patience) * 1_000_000
    while isUsable, monotonicNanoseconds() < deadline {
      guard let message = try? receive(milliseconds: Self.tick) else { continue }
      if message.kind == .need || message.kind == .output {
        try? channel.send(WorkerMessage(.giveUp))
      } else {
        isBusy = false
        return message
      }
    }
    return nil
  }

  private func endNow() {
    isUsable = false
    process.end()
    forwardOutputs(all: true)
  }

  private func tellStack(of message: WorkerMessage) {
    guard let payload = try? channel.payload(of: message) else { return }
    Interpreter.attach { py in
      guard
        let tell = py.attempt({
          try py.importing("tell_stack", from: "swiftwater._workers.pickling")
        }),
        let data = py.newBytes(payload)
      else { return py.dropException() }
      defer { Py.release(data) }
      if let text = tell.call(data) {
        defer { Py.release(text) }
        // In one line, as all of the log.
        let lines = (py.text(of: text) ?? "a worker was interrupted").split(separator: "\n")
        try? ProcessConsole.notice(
          .warning, kind: "worker stack", lines.joined(separator: " |"))
      } else {
        py.dropException()
      }
    }
  }

  /// Nil when nothing comes in time. What the worker prints meanwhile is passed on. Other threads may
  /// hold the interpreter while this one waits.
  private func receive(milliseconds: Int32) throws -> WorkerMessage? {
    let deadline = monotonicNanoseconds() + Int64(milliseconds) * 1_000_000
    while true {
      let left = max(0, deadline - monotonicNanoseconds()) / 1_000_000
      do {
        let isThere = try Interpreter.detachIfHeld {
          try process.waitForMessage(on: channel.socket, milliseconds: Int32(left))
        }
        if isThere {
          let message = try channel.receive()
          // Nothing is said of a request that is over, but by a process that should not speak.
          if message.request != channel.request { continue }
          channel.question = message.question
          return message
        }
      } catch {
        isUsable = false
        throw error
      }
      forwardOutputs(all: false)
      if left == 0 { return nil }
    }
  }

  private func rebuilt(_ message: WorkerMessage) throws -> any Error {
    let payload = try channel.payload(of: message)
    return try Interpreter.attach { py in
      guard let data = py.newBytes(payload) else { throw PythonError.fetch(py) }
      defer { Py.release(data) }
      guard let exception = try helpers().rebuild.call(data) else { throw PythonError.fetch(py) }
      return PythonError.of(PythonObject(owning: exception), py)
    }
  }

  private func helpers() throws -> Helpers {
    if let loadedHelpers { return loadedHelpers }
    let helpers = try loadHelpers()
    loadedHelpers = helpers
    return helpers
  }

  // MARK: - What it prints

  /// Passes on the lines that are complete.
  ///
  /// - Parameter all: what stands behind the last line end, too.
  private func forwardOutputs(all: Bool) {
    var texts: [[UInt8]] = [[], []]
    process.readOutputs { number, bytes in openLines[number] += bytes }
    for number in 0..<2 {
      let end = all ? openLines[number].count : (openLines[number].lastIndex(of: 0x0A) ?? -1) + 1
      texts[number] = Array(openLines[number][..<end])
      openLines[number].removeFirst(end)
    }
    if texts.allSatisfy(\.isEmpty) { return }
    guard let helpers = Interpreter.attach({ py in py.attempt { try helpers() } }) else { return }
    Interpreter.attach { py in
      for (number, text) in texts.enumerated() where !text.isEmpty {
        guard let index = py.newInteger(number) else { return py.dropException() }
        defer { Py.release(index) }
        guard let data = text.withUnsafeBytes({ py.newBytes($0) }) else {
          return py.dropException()
        }
        defer { Py.release(data) }
        if let result = helpers.forward.call(index, data) {
          Py.release(result)
        } else {
          // Where the driver cannot write either there is nobody to tell.
          py.dropException()
        }
      }
    }
  }

  // MARK: - Where it is

  private var words: UnsafeMutablePointer<Int> {
    channel.incoming.page.assumingMemoryBound(to: Int.self)
  }

  private var position: WorkerPosition { WorkerPosition(words: words) }

  /// Nothing of an earlier task.
  private func resetPosition() {
    (words[0], words[1], words[2], words[3]) = (-1, 0, 0, -1)
  }
}
