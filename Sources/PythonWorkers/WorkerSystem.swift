// The one file of this target that calls the C library: shared memory, sockets, processes.
import CSignals
import Glibc
import SwiftwaterCore
import Synchronization

/// Memory that two processes share: one writes it, the other reads it. It grows; its first page is for
/// small values, the rest for one message's bytes.
final class SharedArea: @unchecked Sendable {
  // SAFETY (@unchecked Sendable): used by the thread that has the worker; a process writes only what
  // the other one has finished with, since messages are answered one by one.

  /// The first page.
  static let head = 4096
  private static let smallest = 1 << 20
  /// What stays when a task is over.
  private static let largestKept = 1 << 24

  let descriptor: Int32
  /// For small values; at one address as long as this object lives.
  let page: UnsafeMutableRawPointer
  /// The pages behind the first one.
  private var data: UnsafeMutableRawPointer
  private var capacity: Int
  /// As many bytes as surely have memory, for the process that writes.
  private var reserved = 0

  /// - Parameter descriptor: of a memory file; owned by this object from now on.
  /// - Throws: ``EngineError`` (`unavailable`) without memory.
  init(descriptor: Int32) throws {
    self.descriptor = descriptor
    do {
      capacity = try Self.fileSize(descriptor) - Self.head
      if capacity < 0 {
        capacity = Self.smallest
        try Self.reserve(descriptor, 0, Self.head + capacity)
        reserved = capacity
      }
      page = try Self.map(descriptor, 0, Self.head)
    } catch {
      close(descriptor)
      throw error
    }
    do {
      data = try Self.map(descriptor, Self.head, capacity)
    } catch {
      munmap(page, Self.head)
      close(descriptor)
      throw error
    }
  }

  static func make() throws -> SharedArea {
    let descriptor = sw_memory_file("swiftwater")
    guard descriptor >= 0 else { throw systemError("shared memory cannot be made") }
    return try SharedArea(descriptor: descriptor)
  }

  deinit {
    munmap(page, Self.head)
    munmap(data, capacity)
    close(descriptor)
  }

  /// Room for the bytes of a message, for the process that writes.
  func room(for count: Int) throws -> UnsafeMutableRawPointer {
    if count > reserved {
      // Somewhat more, in whole pages: the next message is rarely much larger.
      let more = (count + count / 4 + Self.head - 1) / Self.head * Self.head
      try Self.reserve(descriptor, Self.head, more)
      reserved = more
      if more > capacity { try mapAgain(more) }
    }
    return data
  }

  /// The bytes of a message, for the process that reads.
  ///
  /// - Throws: ``EngineError`` where the file has not so many.
  func bytes(_ count: Int) throws -> UnsafeRawBufferPointer {
    if count > capacity {
      let current = try Self.fileSize(descriptor) - Self.head
      guard count <= current else { throw ByteReader.wrongLength }
      try mapAgain(current)
    }
    guard count >= 0 else { throw ByteReader.wrongLength }
    return UnsafeRawBufferPointer(start: data, count: count)
  }

  /// Gives the memory of large messages back, for the process that writes, when the other one has read
  /// what it was sent.
  func trim() {
    guard reserved > Self.largestKept else { return }
    let offset = Self.head + Self.largestKept
    if sw_unreserve(descriptor, Int64(offset), Int64(reserved - Self.largestKept)) == 0 {
      reserved = Self.largestKept
    }
  }

  private func mapAgain(_ newCapacity: Int) throws {
    let new = try Self.map(descriptor, Self.head, newCapacity)
    munmap(data, capacity)
    data = new
    capacity = newCapacity
  }

  private static func map(
    _ descriptor: Int32, _ offset: Int, _ count: Int
  ) throws -> UnsafeMutableRawPointer {
    let memory = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, offset)
    guard let memory, memory != MAP_FAILED else { throw noMemory(count) }
    return memory
  }

  /// The pages are there afterwards: without memory this fails, and no access later.
  private static func reserve(_ descriptor: Int32, _ offset: Int, _ count: Int) throws {
    if sw_reserve(descriptor, Int64(offset), Int64(count)) != 0 { throw noMemory(count) }
  }

  private static func fileSize(_ descriptor: Int32) throws -> Int {
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
      throw systemError("shared memory cannot be read")
    }
    return Int(information.st_size)
  }

  private static func noMemory(_ size: Int) -> EngineError {
    .unavailable(
      "there are no \(size >> 20) MB of shared memory for a worker process"
        + limitText([.addressSpace]))
  }
}

extension ByteReader {
  fileprivate static let wrongLength = EngineError.invalidArgument(
    "a message of a worker process is damaged")
}

/// What driver and worker tell each other. `size` bytes lie in the sender's area.
struct WorkerMessage: BitwiseCopyable {
  enum Kind: Int, BitwiseCopyable {
    // From the driver.
    case session
    case broadcast
    case program
    /// a: program, b: partition, c: stage, d: attempt. The bytes: a ``TaskRequest``.
    case task
    /// Answers `need`. a: how the batch is written, b: its records, c: 1 where it is known to be the last.
    case batch
    case noMoreInput
    /// Answers `need` and `output`: the task is given up.
    case giveUp
    /// Answers everything else.
    case ok
    // From the worker.
    case ready
    /// a: of which input.
    case need
    /// a: bucket, b: how the batch is written, c: its records.
    case output
    /// The same, and the task is done: nothing was counted, and accumulators have gained nothing. Nobody
    /// answers.
    case lastOutput
    /// a: records that were counted. The bytes: what accumulators have gained.
    case done
    /// The bytes: the exception. a: 1 where the task was given up, 2 where records cannot be pickled,
    /// 3 where the memory of a worker is too little for what it is sent.
    case failed
  }

  var kind: Kind
  var size = 0
  var a = 0
  var b = 0
  var c = 0
  var d = 0
  /// What the driver asked for: all that is said about it has its number.
  var request = 0
  /// What the worker asked for meanwhile: the number is in the answer. 0 in what nobody asked for.
  var question = 0

  init(_ kind: Kind, a: Int = 0, b: Int = 0, c: Int = 0, d: Int = 0) {
    self.kind = kind
    (self.a, self.b, self.c, self.d) = (a, b, c, d)
  }
}

/// The other process has closed its end, which it does when it ends.
struct WorkerGone: Error {}

/// One end of the way between a driver and a worker.
final class WorkerChannel {
  let socket: Int32
  /// What this process writes, and what it reads.
  let outgoing: SharedArea
  let incoming: SharedArea
  /// Of the messages that are sent.
  var request = 0
  var question = 0

  private static let wordCount = 8

  init(socket: Int32, outgoing: SharedArea, incoming: SharedArea) {
    self.socket = socket
    self.outgoing = outgoing
    self.incoming = incoming
  }

  deinit { close(socket) }

  /// Tells the other process that nothing comes any more.
  func hangUp() {
    // A process that was forked from this one has the same connection, and no say.
    if !sw_is_forked() { shutdown(socket, Int32(SHUT_RDWR)) }
  }

  func send(_ message: WorkerMessage, _ payload: [UInt8] = []) throws {
    try send(message, byteCount: payload.count) { memory in
      payload.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }
  }

  /// Sends a message with `byteCount` bytes, which `write` writes.
  func send(
    _ message: WorkerMessage, byteCount: Int, write: (UnsafeMutableRawPointer) -> Void
  ) throws {
    // A process that a function has forked has no say.
    guard !sw_is_forked() else { throw WorkerGone() }
    if byteCount > 0 { write(try outgoing.room(for: byteCount)) }
    let words = [
      message.kind.rawValue, byteCount, message.a, message.b, message.c, message.d, request,
      question,
    ]
    try words.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = Glibc.send(
          socket, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        if count < 0 {
          if errno == EINTR { continue }
          throw WorkerGone()
        }
        sent += count
      }
    }
  }

  /// Waits for the next message.
  ///
  /// - Parameter interrupted: called when a signal comes meanwhile.
  func receive(interrupted: () throws -> Void = {}) throws -> WorkerMessage {
    var words = [Int](repeating: 0, count: Self.wordCount)
    try words.withUnsafeMutableBytes { bytes in
      var filled = 0
      while filled < bytes.count {
        let count = read(socket, bytes.baseAddress! + filled, bytes.count - filled)
        if count < 0, errno == EINTR {
          try interrupted()
          continue
        }
        guard count > 0 else { throw WorkerGone() }
        filled += count
      }
    }
    guard let kind = WorkerMessage.Kind(rawValue: words[0]) else { throw ByteReader.wrongLength }
    var message = WorkerMessage(kind, a: words[2], b: words[3], c: words[4], d: words[5])
    (message.size, message.request, message.question) = (words[1], words[6], words[7])
    return message
  }

  /// The bytes that came with a message. They are there until the next one is sent.
  func payload(of message: WorkerMessage) throws -> UnsafeRawBufferPointer {
    try incoming.bytes(message.size)
  }
}

/// A process that was started, and what it prints.
final class ChildProcess: Sendable {
  let identifier: pid_t
  private let outputs: [Int32]
  /// Becomes readable when it ends; a child of its own may hold the socket open. -1 on old systems.
  private let ending: Int32
  private let status = Mutex<Int32?>(nil)
  private let isEnded = Atomic(false)

  private static let chunk = 1 << 14

  /// - Parameters:
  ///   - variable: "NAME=VALUE", for its environment.
  ///   - descriptors: become 3, 4, ... there.
  init(_ command: [String], variable: String?, descriptors: [Int32]) throws {
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard null >= 0 else { throw systemError("/dev/null cannot be opened") }
    defer { close(null) }
    var pipes: [[Int32]] = []
    for _ in 0..<2 {
      var ends: [Int32] = [0, 0]
      guard sw_pipe(&ends) == 0 else {
        let error = systemError("a pipe cannot be made")
        for end in pipes.joined() { close(end) }
        throw error
      }
      pipes.append(ends)
    }
    defer { for pipe in pipes { close(pipe[1]) } }
    for pipe in pipes { _ = fcntl(pipe[0], F_SETFL, O_NONBLOCK) }

    var arguments = command.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    let all = [null, pipes[0][1], pipes[1][1]] + descriptors
    var child: pid_t = 0
    let error = sw_spawn(command[0], arguments, variable, all, Int32(all.count), &child)
    // All properties are set behind this: from then on their owner, and nobody else, closes them.
    guard error == 0 else {
      for pipe in pipes { close(pipe[0]) }
      throw EngineError.unavailable(
        "a worker process cannot be started (\(command[0])): \(String(cString: strerror(error)))")
    }
    identifier = child
    outputs = pipes.map { $0[0] }
    ending = sw_process_descriptor(child)
  }

  deinit {
    for output in outputs { close(output) }
    if ending >= 0 { close(ending) }
  }

  /// To the process, unless its end is known: its number may be another one's then.
  private func signal(_ number: Int32) {
    status.withLock { if $0 == nil { kill(identifier, number) } }
  }

  /// This is a process that was forked from the one that has started it.
  var belongsToParent: Bool { sw_is_forked() }

  func interrupt() { signal(SIGINT) }
  /// Has its stack written to its standard error.
  func askForStack() { signal(SIGUSR1) }

  /// Ends it, and what it has started.
  ///
  /// - Parameter milliseconds: until then it can end by itself.
  func end(after milliseconds: Int32 = 0) {
    let hasEnded = ends(within: milliseconds)
    status.withLock { status in
      guard status == nil else { return }
      if !hasEnded { isEnded.store(true, ordering: .relaxed) }
      kill(-identifier, SIGKILL)
      kill(identifier, SIGKILL)
    }
  }

  /// True when it has ended by itself, or will have before a time is over.
  func ends(within milliseconds: Int32) -> Bool {
    guard ending >= 0 else { return false }
    var descriptor = pollfd(fd: ending, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, milliseconds) > 0
  }

  /// Waits until `socket` can be read, or one of its outputs, or for a time.
  ///
  /// - Returns: whether the socket can be read.
  /// - Throws: ``WorkerGone`` where the process has ended and nothing is left to read.
  func waitForMessage(on socket: Int32, milliseconds: Int32) throws -> Bool {
    var descriptors = ([socket, ending] + outputs).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    if poll(&descriptors, nfds_t(descriptors.count), milliseconds) <= 0 { return false }
    if descriptors[0].revents != 0 { return true }
    if descriptors[1].revents != 0 { throw WorkerGone() }
    if descriptors[2...].allSatisfy({ $0.revents & Int16(POLLIN) == 0 }) {
      // Closed by a function of the user's, and ready for ever: not asked again in this call.
      descriptors.removeLast(2)
      return poll(&descriptors, 2, milliseconds) > 0 && descriptors[0].revents != 0
    }
    return false
  }

  /// Waits until it prints something: false, or for a time: true.
  func isSilent(for milliseconds: Int32) -> Bool {
    var descriptors = outputs.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    return poll(&descriptors, nfds_t(descriptors.count), milliseconds) <= 0
      || descriptors.allSatisfy { $0.revents & Int16(POLLIN) == 0 }
  }

  /// Gives what it has printed, to standard output (0) or standard error (1), to `body`.
  func readOutputs(_ body: (_ number: Int, _ bytes: [UInt8]) -> Void) {
    for (number, output) in outputs.enumerated() {
      while true {
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunk) { buffer, count in
          count = max(0, read(output, buffer.baseAddress!, Self.chunk))
        }
        if bytes.isEmpty { break }
        body(number, bytes)
      }
    }
  }

  /// Its end is known, and was a SIGKILL of somebody else.
  var wasKilled: Bool {
    !isEnded.load(ordering: .relaxed)
      && status.withLock { $0.map { $0 & 0x7F == SIGKILL } ?? false }
  }

  /// Waits for its end, and says how it ended.
  func outcome() -> String {
    let known = status.withLock { status -> Int32 in
      if let status { return status }
      var value: Int32 = 0
      var result: pid_t
      repeat { result = waitpid(identifier, &value, 0) } while result < 0 && errno == EINTR
      if result < 0 { value = -1 }
      status = value
      return value
    }
    if known == -1 { return "ended" }
    let signal = known & 0x7F
    if signal == 0 { return "exited with status \((known >> 8) & 0xFF)" }
    // Alive, but not there for the driver any more.
    if signal == SIGKILL, isEnded.load(ordering: .relaxed) { return "closed its connection" }
    let name = sw_signal_name(signal).map { "SIG" + String(cString: $0) } ?? "?"
    let hint = signal == SIGKILL ? ", as where memory runs out" : ""
    return "was killed by signal \(signal) (\(name)\(hint))"
  }
}

private func systemError(_ what: String) -> EngineError {
  .unavailable("\(what): \(String(cString: strerror(errno)))")
}

/// The ends of a connection: one for this process, one for a child.
func connectedSockets() throws -> (ours: Int32, theirs: Int32) {
  var sockets: (Int32, Int32) = (0, 0)
  guard sw_socket_pair(&sockets.0, &sockets.1) == 0 else {
    throw systemError("a socket pair cannot be made")
  }
  return sockets
}

func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

/// Programs that this process starts do not get the descriptors.
func keepPrivate(_ descriptors: [Int32]) {
  for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
}

/// In a process that fork makes of this one nobody is told where it is.
func keepFromForks(_ area: SharedArea) {
  sw_watch_forks()
  sw_keep_from_forks(area.page, SharedArea.head)
}

/// Whether so many bytes can be had at this moment, where this process's memory is bounded.
///
/// Asked before code runs that ends the process where it gets no memory.
func hasMemory(for bytes: Int) -> Bool {
  guard isMemoryLimited else { return true }
  // Not malloc, which the compiler leaves out where the memory is not used.
  let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  guard let memory, memory != MAP_FAILED else { return false }
  munmap(memory, bytes)
  return true
}

// SAFETY (nonisolated(unsafe)): set once, before there is a second thread.
nonisolated(unsafe) private var isMemoryLimited = false

/// Bounds the memory of this process, beyond which allocations fail.
func limitMemory(to bytes: Int) {
  isMemoryLimited = true
  // Of what it writes to and has for itself: neither reserved addresses nor shared memory count.
  var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
  setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
}

/// Ends this process when the other end of the socket is closed, or the driver gone (a process forked from
/// it may hold the socket): at once, but for a moment in which it may end by itself. Where the driver is
/// gone, nothing that functions have started stays.
func endWithDriver(_ socket: Int32) {
  WorkerEnd.note()
  _ = EngineThread(name: "sw-driver") {
    while sw_wait_for_hangup(socket, 500) == 0, !WorkerEnd.isDriverGone {}
    usleep(600_000)
    endWhatWasStarted()
    WorkerEnd.endAll()
    _exit(0)
  }
}

/// Ends the processes that functions have started, as far as they are in this process's group.
package func endWhatWasStarted() {
  guard getpgrp() == getpid() else { return }
  Glibc.signal(SIGTERM, SIG_IGN)
  kill(0, SIGTERM)
}

private enum WorkerEnd {
  // SAFETY (nonisolated(unsafe)): set once, before there is a second thread.
  nonisolated(unsafe) private static var driver: pid_t = 0
  nonisolated(unsafe) private static var worker: pid_t = 0

  static func note() {
    (driver, worker) = (getppid(), getpid())
    atexit { WorkerEnd.endAll() }
  }

  static var isDriverGone: Bool { getppid() != driver }

  /// Ends this process too, where the driver is gone, who would see to the rest otherwise.
  static func endAll() {
    if getpid() == worker, getpgrp() == worker, isDriverGone { kill(0, SIGKILL) }
  }
}
