import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD

/// Serves a driver until that closes the connection. Runs on the main thread, which holds the
/// interpreter.
package final class WorkerServer {
  private let channel: WorkerChannel
  private let conversation: Conversation
  private let isLowering: Bool
  private let pickling: Pickling
  private let module: String = "swiftwater._workers.serving"
  /// What a worker needs beside what it has when it begins.
  private static let leastMemory = 8 << 20
  private var programs: [Int: LoadedStage] = [:]
  private var order: [Int] = []

  /// - Parameter descriptors: socket, what is read, what is written.
  package init(descriptors: [Int], settings: [String: String], _ py: borrowing Python) throws {
    let descriptors = descriptors.map { Int32($0) }
    keepPrivate(descriptors)
    channel = WorkerChannel(
      socket: descriptors[0], outgoing: try SharedArea(descriptor: descriptors[2]),
      incoming: try SharedArea(descriptor: descriptors[1]))
    conversation = Conversation(channel)
    let settings = Settings(settings)
    if let limit = try settings.bytes("swiftwater.worker.memory") {
      limitMemory(to: limit)
      // Less would end the process somewhere, with more lines than anybody wants to read.
      guard hasMemory(for: Self.leastMemory) else {
        throw EngineError.unavailable("a worker takes more memory than that to begin with")
      }
    }
    isLowering = try settings.flag("swiftwater.lowering")
    try SpillStore.shared.configure(settings)
    pickling = try Pickling(py)
    WorkerProgress.begin(
      channel.outgoing.page.assumingMemoryBound(to: Int.self),
      interrupted: UnsafePointer(channel.incoming.page.assumingMemoryBound(to: Int.self)),
      hasDriversHashes: settings["swiftwater.worker.hashes"] == py.hashMark)
    keepFromForks(channel.outgoing)
    // Their pages are written to and read until the process ends.
    _ = Unmanaged.passRetained(channel.outgoing)
    _ = Unmanaged.passRetained(channel.incoming)
    endWithDriver(channel.socket)
  }

  package func run(_ py: borrowing Python) throws {
    try channel.send(WorkerMessage(.ready))
    while true {
      let message: WorkerMessage
      do {
        message = try Interpreter.detach(py) { try nextRequest() }
      } catch is WorkerGone {
        return
      }
      // An interrupt that came too late for its task means nothing to the next one.
      try? py.runSignalHandlers()
      do {
        do {
          try answer(message, py)
        } catch let error where !(error is WorkerGone) {
          try fail(error, py)
        }
      } catch is WorkerGone {
        return
      }
    }
  }

  /// What is next asked of this worker.
  private func nextRequest() throws -> WorkerMessage {
    while true {
      let message = try channel.receive()
      // The answer to a question whose asker was interrupted.
      if message.question != 0 { continue }
      channel.request = message.request
      WorkerProgress.request = message.request
      return message
    }
  }

  private func answer(_ message: WorkerMessage, _ py: borrowing Python) throws {
    switch message.kind {
    case .session, .broadcast:
      _ = try call(message.kind == .session ? "begin_session" : "take_broadcast", message, py)
      try channel.send(WorkerMessage(.ok))
    case .program:
      let description = try call("load_program", message, py)
      programs[message.a] = try withExtendedLifetime(description) {
        try Interpreter.called { py in
          LoadedStage(
            try StageProgram(description.pointer, py), isLowering: isLowering)
        }
      }
      order.append(message.a)
      if order.count > ProgramCache.keptByWorker { programs[order.removeFirst()] = nil }
      try channel.send(WorkerMessage(.ok))
    case .task:
      guard let program = programs[message.a] else {
        throw EngineError.illegalState("a task of an unknown program")
      }
      try runTask(program, message, py)
    default: throw WorkerGone()
    }
  }

  private func call(
    _ function: String, _ message: WorkerMessage, _ py: borrowing Python
  ) throws -> PythonObject {
    let function = try py.importing(function, from: module)
    guard let data = py.newBytes(try channel.payload(of: message)) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(data) }
    guard let result = function.call(data) else { throw PythonError.fetch(py) }
    return PythonObject(owning: result)
  }

  private func runTask(
    _ stage: LoadedStage, _ message: WorkerMessage, _ py: borrowing Python
  ) throws {
    let task = TaskContext(
      partition: message.b, stage: message.c, attempt: message.d, isLowering: isLowering,
      watch: NothingWatches())
    conversation.isGivenUp = false
    WorkerProgress.staying = nil
    let request = try TaskRequest.read(channel.payload(of: message))
    let inputs = (0..<stage.program.inputCount).map { WorkerInput($0, conversation, pickling) }
    // Now: the driver's next answer lies where this batch lies.
    inputs.first?.take(request)
    var outputs = WorkerOutputs(conversation)
    let count = try TaskContext.$current.withValue(task) {
      try stage.run(inputs, partitions: request.partitions, task: task) { bucket, batch in
        for part in try BatchCodec.encode(batch, with: pickling) {
          try outputs.send(part, to: bucket)
        }
      }
    }
    // A function may have caught it.
    if let reason = WorkerProgress.staying { throw reason }
    let finish = try py.importing("end_task", from: module)
    guard let attempt = py.newInteger(message.d) else { throw PythonError.fetch(py) }
    defer { Py.release(attempt) }
    guard let gained = finish.call(attempt) else {
      throw CannotMove("what it adds to accumulators cannot be pickled", PythonError.fetch(py))
    }
    defer { Py.release(gained) }
    let gainedBytes = try bytes(of: gained)
    // All that was sent has been answered, and what waits is written where nothing is given back.
    channel.outgoing.trim()
    if gainedBytes.isEmpty, count == 0, try outputs.sendLast(over: channel) { return }
    try outputs.sendWaiting()
    channel.outgoing.trim()
    try channel.send(WorkerMessage(.done, a: count), gainedBytes)
  }

  /// Tells the driver what was raised.
  private func fail(_ error: any Error, _ py: borrowing Python) throws {
    var kind = 0
    if conversation.isGivenUp { kind = 1 }
    if let error = error as? CannotMove ?? WorkerProgress.staying {
      kind = error.lacksMemory ? 3 : 2
      Py.raise(.runtimeError, error.reason)
    } else {
      raise(error, py)
    }
    let exception = PythonError.fetch(py)
    var payload: [UInt8] = []
    if let describe = try? py.importing("describe", from: module),
      let data = describe.call(exception.exception.pointer)
    {
      payload = (try? bytes(of: data)) ?? []
      Py.release(data)
    }
    py.dropException()
    channel.outgoing.trim()
    try channel.send(WorkerMessage(.failed, a: kind), payload)
  }
}

/// The driver ends a task by its answers.
private struct NothingWatches: TaskWatch {
  func check() {}
}

/// What a task asks its driver.
private final class Conversation {
  private let channel: WorkerChannel
  private var lastQuestion = 0
  /// The driver has given the task up, and knows why.
  var isGivenUp = false

  init(_ channel: WorkerChannel) { self.channel = channel }

  /// - Throws: a `TaskGivenUp` of Python's, which no `except Exception` catches; what a signal's
  ///   handler raises meanwhile.
  func ask(
    _ message: WorkerMessage, byteCount: Int = 0,
    write: (UnsafeMutableRawPointer) -> Void = { _ in }
  ) throws -> WorkerMessage {
    lastQuestion += 1
    let question = lastQuestion
    channel.question = question
    try channel.send(message, byteCount: byteCount, write: write)
    while true {
      let answer = try channel.receive {
        try Interpreter.attach { py in try py.runSignalHandlers() }
      }
      if answer.question == 0 { throw WorkerGone() }
      if answer.question != question { continue }
      guard answer.kind == .giveUp else { return answer }
      isGivenUp = true
      throw try Interpreter.attach { py in
        py.raise(
          try py.importing("TaskGivenUp", from: "swiftwater._workers.serving"),
          "the driver has given it up")
        return PythonError.fetch(py)
      }
    }
  }

  func payload(of message: WorkerMessage) throws -> UnsafeRawBufferPointer {
    try channel.payload(of: message)
  }
}

/// What a task gives, on its way to the driver. One part waits until there is another one or the task is
/// done: so the end of a short task comes with its records, and takes no message of its own.
private struct WorkerOutputs {
  /// Larger ones are answered, and their memory is given back then.
  private static let mostBytesAtEnd = 1 << 20

  private let conversation: Conversation
  private var waiting: (bucket: Int, part: BatchCodec.Part)?

  init(_ conversation: Conversation) { self.conversation = conversation }

  mutating func send(_ part: BatchCodec.Part, to bucket: Int) throws {
    try sendWaiting()
    waiting = (bucket, part)
  }

  mutating func sendWaiting() throws {
    guard let (bucket, part) = waiting else { return }
    waiting = nil
    _ = try conversation.ask(
      Self.message(.output, bucket, part), byteCount: part.byteCount, write: part.write)
  }

  /// Sends what waits, and that nothing follows.
  ///
  /// - Returns: false where that cannot be said in one message.
  mutating func sendLast(over channel: WorkerChannel) throws -> Bool {
    guard let (bucket, part) = waiting, part.byteCount <= Self.mostBytesAtEnd else { return false }
    waiting = nil
    try channel.send(
      Self.message(.lastOutput, bucket, part), byteCount: part.byteCount, write: part.write)
    return true
  }

  private static func message(
    _ kind: WorkerMessage.Kind, _ bucket: Int, _ part: BatchCodec.Part
  ) -> WorkerMessage {
    WorkerMessage(kind, a: bucket, b: part.form.rawValue, c: part.count)
  }
}

/// An input of a task: asks the driver for its batches.
private final class WorkerInput: BatchCursor {
  /// What work on a batch takes in any case.
  private static let leastMemory = 1 << 20

  private let number: Int
  private let conversation: Conversation
  private let pickling: Pickling
  private var isAtEnd = false
  /// What came with the task.
  private var first: (count: Int, batch: Result<any RecordBatch, any Error>)?

  init(_ number: Int, _ conversation: Conversation, _ pickling: Pickling) {
    self.number = number
    self.conversation = conversation
    self.pickling = pickling
  }

  /// Reads the batch that has come with a task. What that throws is thrown when the batch is asked for.
  func take(_ request: TaskRequest.Received) {
    guard let (form, count, bytes) = request.first else { return }
    isAtEnd = request.isLast
    first = (count, Result { try batch(bytes, form: form, count: count) })
  }

  func next() throws -> (any RecordBatch)? {
    if let first {
      self.first = nil
      return try noting(first.count) { try first.batch.get() }
    }
    if isAtEnd { return nil }
    let message = try conversation.ask(WorkerMessage(.need, a: number))
    guard message.kind == .batch else {
      isAtEnd = true
      return nil
    }
    isAtEnd = message.c == 1
    return try noting(message.b) {
      try batch(conversation.payload(of: message), form: message.a, count: message.b)
    }
  }

  /// Notes where the next batch lies among the input's records, and gives it.
  private func noting(
    _ count: Int, _ batch: () throws -> any RecordBatch
  ) throws -> any RecordBatch {
    if number == 0 { WorkerProgress.beginBatch(count) }
    do {
      return try batch()
    } catch let error as CannotMove {
      // A function that reads its input itself has an exception in its place, and may catch it.
      WorkerProgress.staying = error
      throw error
    }
  }

  private func batch(
    _ bytes: UnsafeRawBufferPointer, form: Int, count: Int
  ) throws -> any RecordBatch {
    // The bytes, and what is made of them at once.
    guard hasMemory(for: 2 * bytes.count + Self.leastMemory) else {
      throw CannotMove(
        "\(count) records of \(max(bytes.count >> 20, 1)) MB do not fit into it",
        lacksMemory: true)
    }
    return try BatchCodec.decode(bytes, form: form, count: count, with: pickling)
  }
}
