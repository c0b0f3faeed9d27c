import Synchronization

/// The numbers that a SparkContext and its streams keep of themselves, all in one place.
///
/// ```swift
/// for reading in context.counters.snapshot() { print(reading.name.rawValue, reading.value) }
/// ```
public final class Counters: Sendable {
  /// What is counted.
  public enum Name: String, Sendable, CaseIterable {
    /// Lines longer than allowed, of a receiver's source or of all files.
    case linesDropped = "lines.dropped"
    /// Files of folders that are watched that were changed too long ago to be read.
    case filesTooOld = "files.tooOld"
    /// Events that listeners were too slow for.
    case eventsDropped = "events.dropped"
    /// Batches that stops gave up, and records that were in them or in none yet.
    case batchesGivenUp = "batches.givenUp"
    case recordsGivenUp = "records.givenUp"
    /// Outputs that have taken effect, each at each of its batch times, and those that have failed.
    case outputsCommitted = "outputs.committed"
    case outputsFailed = "outputs.failed"
    /// States that could not be computed for many batches, and went on without them.
    case statesGivenUp = "states.givenUp"
    /// Log lines that were not written because many like them were.
    case logLinesHeldBack = "log.heldBack"
    /// Bytes that were written because they did not fit in memory.
    case bytesSpilled = "spill.bytes"

    /// Batches that wait at this moment.
    case batchesWaiting = "batches.waiting"
    /// Bytes of received text that no batch has worked on yet, and that are there afterwards.
    case inputHeld = "input.held"
    case inputKept = "input.kept"
    /// Of the tables of windows and states: keys, bytes, and keys whose time to live was over.
    case tableKeys = "tables.keys"
    case tableBytes = "tables.bytes"
    case tableExpired = "tables.expired"
    /// Bytes of memory that the process had when it was last looked at.
    case memoryResident = "memory.resident"

    /// Whether it only grows, for as long as the context lives.
    public var isTotal: Bool {
      switch self {
      case .linesDropped, .filesTooOld, .eventsDropped, .batchesGivenUp, .recordsGivenUp,
        .outputsCommitted, .outputsFailed, .statesGivenUp, .logLinesHeldBack, .bytesSpilled:
        true
      case .batchesWaiting, .inputHeld, .inputKept, .tableKeys, .tableBytes, .tableExpired,
        .memoryResident:
        false
      }
    }
  }

  /// A number at one moment.
  public struct Reading: Sendable, Equatable {
    public let name: Name
    /// What it is a number of, where there are several: a receiver's source. Empty otherwise.
    public let subject: String
    public let value: Int

    public init(_ name: Name, of subject: String = "", _ value: Int) {
      self.name = name
      self.subject = subject
      self.value = value
    }
  }

  private struct Key: Hashable {
    let name: Name
    let subject: String
  }

  private struct State {
    var counters: [Key: Counter] = [:]
    var watched: [Name: [Watched]] = [:]
  }

  /// A number that somebody else keeps.
  private struct Watched {
    let isThere: @Sendable () -> Bool
    /// Nil when what it reads is gone.
    let read: @Sendable () -> Int?
  }
  private let state = Mutex(State())

  public init() {}

  /// The counter of that name and subject, which lives as long as this.
  ///
  /// - Parameter subject: one of few, whatever the program runs on: each has a counter for good.
  public func counter(_ name: Name, of subject: String = "") -> Counter {
    state.withLock { state in
      let key = Key(name: name, subject: subject)
      if let known = state.counters[key] { return known }
      let counter = Counter()
      state.counters[key] = counter
      return counter
    }
  }

  /// Has a number read from where it is kept, for as long as its owner is there. The numbers of several
  /// owners are added up.
  ///
  /// - Parameter read: called by ``snapshot()``, on any thread.
  public func watch<Owner: AnyObject & Sendable>(
    _ name: Name, in owner: Owner, _ read: @escaping @Sendable (Owner) -> Int
  ) {
    let watched = Watched(
      isThere: { [weak owner] in owner != nil }, read: { [weak owner] in owner.map(read) })
    state.withLock { state in
      // Whose owner is gone makes room.
      state.watched[name, default: []].removeAll { !$0.isThere() }
      state.watched[name, default: []].append(watched)
    }
  }

  /// All numbers, by name and subject.
  public func snapshot() -> [Reading] {
    let (counters, watched) = state.withLock { ($0.counters, $0.watched) }
    var values: [Key: Int] = counters.mapValues(\.value)
    for (name, watched) in watched {
      let found = watched.compactMap { $0.read() }
      if !found.isEmpty { values[Key(name: name, subject: ""), default: 0] += found.reduce(0, +) }
    }
    return values.map { Reading($0.key.name, of: $0.key.subject, $0.value) }
      .sorted { ($0.name.rawValue, $0.subject) < ($1.name.rawValue, $1.subject) }
  }
}

/// A number that only grows; any thread may add to it.
public final class Counter: Sendable {
  private let total = Atomic(0)

  public init() {}

  public var value: Int { total.load(ordering: .relaxed) }

  public func add(_ count: Int = 1) { total.wrappingAdd(count, ordering: .relaxed) }
}
