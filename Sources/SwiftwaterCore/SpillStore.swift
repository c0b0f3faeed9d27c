import Synchronization

/// Puts what a job keeps on disk while the process is larger than a limit.
///
/// Files are unlinked as soon as they are open: whatever happens to the process, nothing stays. A
/// file is as old as the oldest part in it, and no longer than ``fileLength``; parts give their room on
/// the disk back before (``SpillFile``).
public final class SpillStore: Sendable {
  /// The process's store: memory is what a process has one of.
  public static let shared = SpillStore()

  private static let fileLength = 64 << 20
  /// The process's size is looked at after so many records that are kept, or so many nanoseconds:
  /// few records can be large.
  private static let lookEvery = 1024
  private static let lookAfter: Int64 = 5_000_000

  private struct State {
    var limit = Int.max
    var folder = "/tmp"
    var unseen = 0
    var lookedAt: Int64 = 0
    var resident = 0
    var isOver: Bool { resident > limit }
    var file: SpillFile?
    var written = 0
    var notice: Notice?
    var isTold = false
  }
  private let state = Mutex(State())
  /// What goes wrong with the disk, where a test asks for it.
  package let faults = DiskFaults()

  /// - Parameters:
  ///   - limit: bytes of resident memory above which is spilled.
  ///   - folder: where the files are.
  public func configure(limit: Int, folder: String) {
    state.withLock { state in
      state.limit = limit
      state.folder = folder
      state.unseen = Self.lookEvery
      state.file = nil
    }
  }

  /// The resident memory above which is spilled, as settings say: by default half of the machine's. Unlike
  /// other sizes it may have a fraction.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) for a size that cannot be read.
  public static func limit(_ settings: Settings) throws -> Int {
    try settings.bytes("swiftwater.spill.memory", allowsFractions: true)
      ?? physicalMemoryBytes() / 2
  }

  /// As the settings of a context say.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) for a size that cannot be read.
  public func configure(_ settings: Settings) throws {
    configure(
      limit: try Self.limit(settings),
      folder: settings["spark.local.dir"]?.split(separator: ",").first.map(String.init)
        ?? temporaryFolder())
  }

  /// True while the process is larger than the limit; looks again after some records.
  public func isOverLimit(adding records: Int) -> Bool {
    state.withLock { state in
      if state.limit == .max { return false }
      state.unseen += records
      let now = monotonicNanoseconds()
      if state.unseen >= Self.lookEvery || now - state.lookedAt >= Self.lookAfter {
        state.unseen = 0
        state.lookedAt = now
        state.resident = ProcessMemory.now.resident
      }
      return state.isOver
    }
  }

  /// Much was put on disk or freed: the C library keeps such memory, where a piece of the next
  /// size often does not fit, unless it is told to give it back.
  public func giveBackMemory() {
    MemoryStock.emptyAll()
    KeptMemory.trim()
    KeptMemory.trimEnd()
  }

  /// What only the calling thread can give back.
  package static func giveBackOwnMemory() { KeptMemory.trimEnd() }

  /// Where the files are.
  public var folder: String { state.withLock { $0.folder } }

  /// Counts bytes that others have written for the same reason.
  public func addWritten(_ count: Int) { state.withLock { $0.written += count } }

  /// Notes once what would have gone to disk and cannot, for the log.
  public func note(_ notice: Notice) {
    state.withLock { state in
      if state.isTold { return }
      state.isTold = true
      state.notice = notice
    }
  }

  /// What was noted, for whoever tells of it.
  public func takeNotice() -> Notice? {
    state.withLock { state in
      defer { state.notice = nil }
      return state.notice
    }
  }

  /// The process's size when it was last looked at, and what it may be.
  public var sizes: (resident: Int, limit: Int) { state.withLock { ($0.resident, $0.limit) } }

  /// Bytes that were written since the process began.
  public var writtenBytes: Int { state.withLock { $0.written } }

  /// - Throws: ``EngineError`` (`unavailable`) when the folder cannot be written to.
  public func write(_ bytes: UnsafeRawBufferPointer) throws -> SpilledBytes {
    try faults.check()
    return try state.withLock { state in
      let file: SpillFile
      if let current = state.file, current.length < Self.fileLength {
        file = current
      } else {
        file = try SpillFile(in: state.folder)
        state.file = file
      }
      let part = try file.append(bytes)
      state.written += bytes.count
      return SpilledBytes(part: part)
    }
  }
}

/// Faults of a disk under a test's control.
package final class DiskFaults: Sendable {
  private let period = Atomic(0)
  private let calls = Atomic(0)
  private let struck = Atomic(0)

  /// How many calls have failed.
  package var count: Int { struck.load(ordering: .relaxed) }

  /// Every so manieth call fails from here on; 0 for none.
  package func fail(every period: Int) { self.period.store(period, ordering: .relaxed) }

  /// Called before something is written or read.
  ///
  /// - Throws: ``EngineError`` (`unavailable`).
  @inline(__always)
  package func check() throws {
    let period = period.load(ordering: .relaxed)
    if period == 0 { return }
    if calls.add(1, ordering: .relaxed).newValue % period == 0 {
      struck.add(1, ordering: .relaxed)
      throw EngineError.unavailable("the disk fails, as a test asks for")
    }
  }
}

/// Bytes in a spill file; the file lives as long as one of its parts.
public struct SpilledBytes: Sendable {
  fileprivate let part: SpilledPart
  public var count: Int { part.count }

  /// - Precondition: the buffer holds ``count`` bytes.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws {
    precondition(buffer.count >= count)
    try part.file.descriptor.read(
      into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: part.offset)
  }

  /// Some of the bytes, from `start` on.
  ///
  /// - Precondition: there are so many.
  /// - Throws: ``EngineError`` (`unavailable`) when they cannot be read.
  public func read(into buffer: UnsafeMutableRawBufferPointer, from start: Int) throws {
    precondition(start >= 0 && start + buffer.count <= count)
    try part.file.descriptor.read(into: buffer, at: part.offset + start)
  }

  /// - Throws: ``EngineError`` (`unavailable`) when they cannot be read.
  public func read() throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try part.file.descriptor.read(into: UnsafeMutableRawBufferPointer(buffer), at: part.offset)
      initialized = count
    }
  }
}
