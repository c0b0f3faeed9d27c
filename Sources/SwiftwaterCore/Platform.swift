// The one file of this target that calls the C library: threads, a lock with a condition, time.
import Glibc
import Synchronization

/// A value behind a lock, with a condition to wait on. For a lock alone, `Mutex` is smaller.
@usableFromInline
package final class Monitor<State: ~Copyable>: @unchecked Sendable {
  // SAFETY (@unchecked Sendable): `state` is touched only while `mutex` is held; the two C
  // objects live at fixed addresses from `init` to `deinit`.
  @usableFromInline package let mutex: UnsafeMutablePointer<pthread_mutex_t>
  @usableFromInline package let condition: UnsafeMutablePointer<pthread_cond_t>
  @usableFromInline package var state: State

  package init(_ state: consuming sending State) {
    self.state = state
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    condition = .allocate(capacity: 1)
    condition.initialize(to: pthread_cond_t())
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` with the lock held.
  @inlinable
  package func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&state)
  }

  /// Runs `body` with the lock held, then wakes every waiter.
  @inlinable
  package func notify<R>(_ body: (inout State) throws -> R) rethrows -> R {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(condition)
      pthread_mutex_unlock(mutex)
    }
    return try body(&state)
  }

  /// Asks `body` again after every wake-up until it gives a value. Nil when `deadline`
  /// (nanoseconds on the monotonic clock) passes first.
  package func wait<R>(
    untilMonotonicNanoseconds deadline: Int64? = nil, for body: (inout State) throws -> R?
  ) rethrows -> R? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let value = try body(&state) { return value }
      if let deadline {
        var limit = timespec()
        limit.tv_sec = Int(deadline / 1_000_000_000)
        limit.tv_nsec = Int(deadline % 1_000_000_000)
        if pthread_cond_timedwait(condition, mutex, &limit) == ETIMEDOUT {
          return try body(&state)
        }
      } else {
        pthread_cond_wait(condition, mutex)
      }
    }
  }
}

/// A thread of the engine. Signals stay with the thread that the program began on, but for threads
/// that call a user's functions: a program that such a function starts inherits what is blocked.
package final class EngineThread: Sendable {
  private struct Start {
    let name: String
    let body: @Sendable () -> Void
  }

  /// Called last on each thread that ends, by which it gives back what a layer above keeps for it.
  package static let ending = Mutex<(@Sendable () -> Void)?>(nil)

  private let finished = Monitor(false)
  private let identity = Monitor<ThreadIdentity?>(nil)

  /// Starts a thread called `name` (at most 15 bytes are shown by the system). Where there is none to
  /// be had, the process ends with a sentence: what needs this thread could not go on.
  ///
  /// - Parameter callsUsers: the thread keeps the signal mask of the one that makes it.
  package convenience init(
    name: String, callsUsers: Bool = false, _ body: @escaping @Sendable () -> Void
  ) {
    do {
      try self.init(trying: name, callsUsers: callsUsers, body)
    } catch {
      endProcess("\(error)")
    }
  }

  /// As ``init(name:callsUsers:_:)``, for what can do without.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where the system has no thread left.
  package init(
    trying name: String, callsUsers: Bool = false, _ body: @escaping @Sendable () -> Void
  ) throws {
    let (finished, identity) = (self.finished, self.identity)
    let start = Start(name: name) {
      identity.withLock { $0 = .current }
      body()
      finished.notify { $0 = true }
      // Whoever waits for the thread may hold what this waits for.
      Self.ending.withLock { $0 }?()
    }
    let box = Unmanaged.passRetained(Box(start))
    var thread = pthread_t()
    let create = {
      pthread_create(
        &thread, nil,
        { argument in
          // SAFETY: the argument is the box retained just before the thread was made.
          let start = Unmanaged<Box<Start>>.fromOpaque(argument!).takeRetainedValue().value
          nameThisThread(start.name)
          start.body()
          return nil
        }, box.toOpaque())
    }
    let status = callsUsers ? create() : withSignalsBlocked(create)
    guard status == 0 else {
      box.release()
      throw EngineError.unavailable(
        "there is no thread for \(name): \(String(cString: strerror(status)))"
          + limitText([.addressSpace, .processes]))
    }
    pthread_detach(thread)
  }

  /// True when called from this thread.
  package var isCurrent: Bool {
    identity.withLock { $0 } == .current
  }

  /// Waits for the end of the thread, at most for `timeout`; false when time ran out.
  package func join(timeout: Duration? = nil) -> Bool {
    let deadline = timeout.map { monotonicNanoseconds() + $0.wholeNanoseconds }
    return finished.wait(untilMonotonicNanoseconds: deadline) { $0 ? true : nil } ?? false
  }
}

/// Names a thread, of all that the process ever has: the system gives the numbers of threads that have
/// ended out again.
package struct ThreadIdentity: Sendable, Equatable {
  private let number: Int

  private static let latest = Atomic(0)
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key, nil)
    if status != 0 { endProcess("it has no keys for values of threads left") }
    return key
  }()

  package static var current: ThreadIdentity {
    if let known = pthread_getspecific(key) {
      return ThreadIdentity(number: Int(bitPattern: known))
    }
    let number = latest.wrappingAdd(1, ordering: .relaxed).newValue
    pthread_setspecific(key, UnsafeRawPointer(bitPattern: number))
    return ThreadIdentity(number: number)
  }

  package var isCurrent: Bool { self == .current }
}

/// A value of each thread's own, given up with the thread.
package final class ThreadValue<Value: Sendable>: Sendable {
  private let key: pthread_key_t

  /// For a constant of the program: a key is never given back.
  package init() {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { pointer in
      // SAFETY: what `current` has set is a retained box, and the thread's last reference to it.
      if let pointer { Unmanaged<AnyObject>.fromOpaque(pointer).release() }
    }
    if status != 0 { endProcess("it has no keys for values of threads left") }
    self.key = key
  }

  /// That of the calling thread; nil where none is set.
  package var current: Value? {
    get {
      // SAFETY: only the setter sets values of this key.
      pthread_getspecific(key).map {
        Unmanaged<Box<Value>>.fromOpaque($0).takeUnretainedValue().value
      }
    }
    set {
      let old = pthread_getspecific(key)
      pthread_setspecific(key, newValue.map { Unmanaged.passRetained(Box($0)).toOpaque() })
      // SAFETY: as above; nobody can find it any more.
      if let old { Unmanaged<Box<Value>>.fromOpaque(old).release() }
    }
  }
}

private final class Box<Value> {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// What the shell's `ulimit` bounds.
package enum ResourceLimit: Sendable {
  case descriptors
  case addressSpace
  case processes

  /// Nil without a bound.
  package var value: Int? {
    var limit = rlimit()
    let kind =
      switch self {
      case .descriptors: RLIMIT_NOFILE
      case .addressSpace: RLIMIT_AS
      case .processes: __RLIMIT_NPROC
      }
    guard getrlimit(__rlimit_resource_t(kind.rawValue), &limit) == 0,
      limit.rlim_cur != rlim_t.max, limit.rlim_cur <= rlim_t(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  fileprivate var text: String? {
    guard let value else { return nil }
    return switch self {
    case .descriptors: "it may have \(value) descriptors (ulimit -n)"
    case .addressSpace: "its memory is limited to \(value >> 20) MB (ulimit -v)"
    case .processes: "its user may have \(value) processes and threads (ulimit -u)"
    }
  }
}

/// What bounds this process, and what to do; empty where nothing does.
package func limitText(_ limits: [ResourceLimit]) -> String {
  let texts = limits.compactMap(\.text)
  if texts.isEmpty { return "" }
  let all = texts.joined(separator: ", ")
  return ". This process is limited: \(all). Raise the limit and start again"
}

/// Ends the process, with status 1, where it cannot go on and nobody could be told in another way.
package func endProcess(_ reason: String) -> Never {
  let line = "swiftwater: the process ends: \(reason)\n"
  // Standard error may be closed; then there is nobody to tell.
  _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
  _exit(1)
}

/// Runs `body` with signals blocked in this thread: threads that are made inside inherit it. Not blocked
/// are those of faults, which end a process in any case: it may say why.
package func withSignalsBlocked<R>(_ body: () throws -> R) rethrows -> R {
  var all = sigset_t()
  var before = sigset_t()
  sigfillset(&all)
  for fault in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT, SIGBUS, SIGFPE] { sigdelset(&all, fault) }
  pthread_sigmask(SIG_SETMASK, &all, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  return try body()
}

/// Nanoseconds on a clock that nobody sets; its zero has no meaning.
package func monotonicNanoseconds() -> Int64 { nanoseconds(of: CLOCK_MONOTONIC) }

/// Nanoseconds since the Unix epoch on the machine's wall clock.
package func wallNanoseconds() -> Int64 { nanoseconds(of: CLOCK_REALTIME) }

private func nanoseconds(of clock: clockid_t) -> Int64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// The machine's physical memory in bytes.
package func physicalMemoryBytes() -> Int {
  sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
}

/// Opens `/dev/null` in place of standard input, output and error where they are closed.
///
/// Otherwise the next file or socket that is opened has such a number, and what is meant for standard
/// error is written into it. Programs that are started from here inherit what is opened.
public func occupyStandardDescriptors() {
  for descriptor in STDIN_FILENO...STDERR_FILENO
  where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
    // The lowest number that is free: those below are open by now.
    _ = open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
  }
}

/// A variable of the environment; nil where it is not set, or empty.
package func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

/// Ends the process at once, as the loss of power would.
func killThisProcess() {
  kill(getpid(), SIGKILL)
}

/// Where temporary files belong.
package func temporaryFolder() -> String { environmentVariable("TMPDIR") ?? "/tmp" }

/// The number of processors that are switched on.
package func availableProcessors() -> Int {
  max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}

/// What `top -H` and a debugger show; the system keeps 15 bytes.
private func nameThisThread(_ name: String) {
  let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
  guard file >= 0 else { return }
  // The name is for people who look at the process: without it everything works.
  _ = name.withCString { write(file, $0, min(15, strlen($0))) }
  close(file)
}

/// Bytes of memory that the process has at this moment; 0 where the system does not tell.
public struct ProcessMemory: Sendable {
  /// Addresses that stand for something: what `ulimit -v` bounds.
  public var addresses = 0
  /// What it occupies.
  public var resident = 0
  /// What `ulimit -d` bounds.
  public var data = 0

  public static var now: ProcessMemory {
    var memory = ProcessMemory()
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return memory }
    defer { close(file) }
    var text = [UInt8](repeating: 0, count: 128)
    let count = read(file, &text, text.count)
    let fields = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split {
      $0 == " " || $0 == "\n"
    }
    guard fields.count > 5 else { return memory }
    let page = sysconf(Int32(_SC_PAGESIZE))
    memory.addresses = (Int(fields[0]) ?? 0) * page
    memory.resident = (Int(fields[1]) ?? 0) * page
    memory.data = (Int(fields[5]) ?? 0) * page
    return memory
  }
}

/// Calls of the C library (glibc) about the memory that it keeps, which Swift does not import; they do nothing
/// where it has none.
enum KeptMemory {
  private typealias Trim = @convention(c) (Int) -> Int32
  private typealias SetOption = @convention(c) (Int32, Int32) -> Int32

  /// Gives memory that was freed back to the system, also what lies between pieces that are in use, but
  /// for the ends of those threads' heaps that have one of their own.
  static func trim() {
    // SAFETY: the C library's function of this name has this type.
    _ = dlsym(nil, "malloc_trim").map { unsafeBitCast($0, to: Trim.self)(0) }
  }

  /// Gives the free end of the calling thread's heap back.
  static func trimEnd() {
    guard let name = dlsym(nil, "mallopt") else { return }
    // SAFETY: the C library's function of this name has this type.
    let set = unsafeBitCast(name, to: SetOption.self)
    let trimThreshold: Int32 = -1
    _ = set(trimThreshold, 128 << 10)
    // It is looked at when a piece of at least 64 KiB is freed. Of `malloc` and `free` a compiler would see
    // that nobody uses the piece.
    var piece: UnsafeMutableRawPointer?
    if posix_memalign(&piece, 64, 100 << 10) == 0 { free(piece) }
    // What is soon used again stays.
    _ = set(trimThreshold, 32 << 20)
  }
}

/// A file without a name: it is gone with the process, however that ends.
final class AnonymousFile: Sendable {
  private let descriptor: Int32

  /// - Throws: ``EngineError`` (`unavailable`).
  init(in folder: String) throws {
    var template = Array("\(folder)/swiftwater-spill-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw EngineError.unavailable(
        "no temporary file can be made in \(folder) (\(Self.reason)): set spark.local.dir to a "
          + "folder with room")
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < bytes.count {
      // SAFETY: the range lies inside the buffer, which outlives the call.
      let count = pwrite(
        descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      guard count > 0 else {
        if count < 0 && errno == EINTR { continue }
        throw EngineError.unavailable(
          "records that do not fit in memory cannot be written to disk: \(Self.reason); make room on "
            + "the disk, or set spark.local.dir to a folder with room")
      }
      done += count
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < buffer.count {
      // SAFETY: as in `write`.
      let count = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      guard count > 0 else {
        if count < 0 && errno == EINTR { continue }
        throw EngineError.unavailable(
          "records cannot be read back from disk: \(count == 0 ? "they are cut" : Self.reason)")
      }
      done += count
    }
  }

  /// Gives the room of all bytes from `end` on back. Nobody has written there with success.
  func cut(to end: Int) { ftruncate(descriptor, off_t(end)) }

  /// Gives the room of some bytes on the disk back, as far as they are whole pages and the file system
  /// can do that. Nobody may read them afterwards.
  func giveBack(_ count: Int, at offset: Int) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    let start = (offset + page - 1) / page * page
    let length = (offset + count) / page * page - start
    guard length > 0 else { return }
    // Swift does not import `fallocate`; removing pages of a mapping does the same to the file.
    let mapping = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(start))
    guard let mapping, mapping != MAP_FAILED else { return }
    // SAFETY: the mapping is this function's own, and as long as that.
    madvise(mapping, length, MADV_REMOVE)
    munmap(mapping, length)
  }

  /// The bytes that the file takes on the disk.
  var occupiedBytes: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_blocks) * 512 : 0
  }

  private static var reason: String { String(cString: strerror(errno)) }
}
