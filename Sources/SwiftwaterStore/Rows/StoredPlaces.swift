import SwiftwaterCore

/// Which places of an array lie on disk, and their rows: what does not fit into memory.
///
/// Nothing is on disk, and nothing costs, until memory is short for the first time. Used by one task at a
/// time.
public struct StoredPlaces: ~Copyable {
  private var store: RowStore?
  /// By place, up to the last that was on disk.
  private var isStored: [Bool] = []
  public private(set) var count = 0

  public init() {}

  public var isEmpty: Bool { count == 0 }

  /// Bytes of memory that are held.
  public var byteCount: Int { isStored.capacity }

  /// True where what is kept now should be on disk.
  public static func isAsked(adding rows: Int) -> Bool {
    guard SpillStore.shared.isOverLimit(adding: rows) else { return false }
    if RowStore.isAvailable { return true }
    SpillStore.shared.note(
      Notice(
        .warning,
        "memory is short, and tables of windows and states stay in it: SQLite's library "
          + "(libsqlite3.so.0) cannot be loaded. Install it (Debian: libsqlite3-0)"))
    return false
  }

  public func holds(_ place: UInt32) -> Bool {
    Int(place) < isStored.count && isStored[Int(place)]
  }

  /// The rows of places that are in memory, and of those on disk, each in their order.
  public func divided(_ places: some RandomAccessCollection<UInt32>) -> (
    memory: [UInt32], disk: [UInt32]
  ) {
    var parts: (memory: [UInt32], disk: [UInt32]) = ([], [])
    for (row, place) in places.enumerated() {
      if holds(place) {
        parts.disk.append(UInt32(truncatingIfNeeded: row))
      } else {
        parts.memory.append(UInt32(truncatingIfNeeded: row))
      }
    }
    return parts
  }

  /// Puts rows into places.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where they cannot be written; nothing has changed then.
  public mutating func write(_ places: [UInt32], _ rows: Rows) throws {
    if places.isEmpty { return }
    if store == nil { store = try RowStore() }
    guard let store else {
      throw EngineError.unavailable("there is no SQLite library to keep rows on disk with")
    }
    try store.write(places, rows)
    SpillStore.shared.addWritten(rows.bytes.count)
    if let end = places.max().map({ Int($0) + 1 }), end > isStored.count {
      isStored.append(contentsOf: repeatElement(false, count: end - isStored.count))
    }
    for place in places where !isStored[Int(place)] {
      isStored[Int(place)] = true
      count += 1
    }
  }

  /// The rows in places that are on disk.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where they cannot be read.
  public func read(_ places: [UInt32]) throws -> Rows {
    guard let store, !places.isEmpty else { return Rows() }
    return try store.read(places)
  }

  /// Lets go of places that are on disk; others may be among them.
  public mutating func remove(_ places: some RandomAccessCollection<UInt32>) {
    if isEmpty { return }
    let held = places.filter { holds($0) }
    if held.isEmpty { return }
    for place in held {
      isStored[Int(place)] = false
    }
    count -= Set(held).count
    store?.remove(held)
    if count == 0 {
      // The room on disk is given back.
      store = nil
      isStored = []
    }
  }
}
