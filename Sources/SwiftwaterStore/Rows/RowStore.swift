import SwiftwaterCore

/// Rows of bytes, one behind the other.
public struct Rows: Sendable {
  public var bytes: [UInt8]
  /// Where each row ends.
  public var ends: [Int]

  public init(bytes: [UInt8] = [], ends: [Int] = []) {
    self.bytes = bytes
    self.ends = ends
  }

  public var count: Int { ends.count }

  /// Where a row's bytes are.
  public func range(_ row: Int) -> Range<Int> { (row == 0 ? 0 : ends[row - 1])..<ends[row] }
}

/// Rows by number on disk: a table of an SQLite database that is the process's own.
///
/// What is read and written together makes one transaction. Used by one task at a time.
///
/// SAFETY: statements are used, and finalised, under the database's lock only, and the database lives as
/// long as they do.
public final class RowStore {
  private let database: RowDatabase
  private let table: String
  private let reading: SQLite.Handle
  private let readingRange: SQLite.Handle
  private let writing: SQLite.Handle
  private let removing: SQLite.Handle

  /// The longest row: what a database takes, beside the row's head.
  public static let longestRow = 999_999_900

  /// True where the library is there.
  public static var isAvailable: Bool { SQLite.shared != nil }

  /// A store without rows; nil where the library is not there.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where there is no room for it.
  public convenience init?() throws {
    guard let database = try RowDatabase.any() else { return nil }
    try self.init(in: database)
  }

  init(in database: RowDatabase) throws {
    self.database = database
    (table, reading, readingRange, writing, removing) = try database.use { connection in
      connection.lastTable += 1
      let table = "t\(connection.lastTable)"
      try connection.run("CREATE TABLE \(table) (number INTEGER PRIMARY KEY, row BLOB)")
      let statements = try connection.prepared(
        [
          "SELECT row FROM \(table) WHERE number = ?1",
          "SELECT row FROM \(table) WHERE number BETWEEN ?1 AND ?2 ORDER BY number",
          "INSERT OR REPLACE INTO \(table) VALUES (?1, ?2)",
          "DELETE FROM \(table) WHERE number = ?1",
        ])
      return (table, statements[0], statements[1], statements[2], statements[3])
    }
  }

  deinit {
    database.use { connection in
      for statement in [reading, readingRange, writing, removing] {
        _ = connection.library.finalize(statement)
      }
      // Where there is no room for that, the pages stay until the database goes.
      try? connection.run("DROP TABLE \(table)")
    }
  }

  /// Lets the database have no more than so many pages from here on: as a disk that is full.
  func limitPages(to count: Int) throws {
    try database.use { try $0.run("PRAGMA max_page_count = \(count)") }
  }

  /// The rows with these numbers, in this order.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where they cannot be read, or where one was never written.
  public func read(_ numbers: [UInt32]) throws -> Rows {
    try SpillStore.shared.faults.check()
    return try database.use { connection in
      let library = connection.library
      defer {
        _ = library.reset(reading)
        _ = library.reset(readingRange)
      }
      var rows = Rows()
      rows.ends.reserveCapacity(numbers.count)
      var next = 0
      while next < numbers.count {
        let start = next
        repeat { next += 1 } while next < numbers.count && numbers[next] == numbers[next - 1] &+ 1
        if next - start >= Self.shortestRange {
          try append(numbers[start]...numbers[next - 1], to: &rows, connection)
        } else {
          for number in numbers[start..<next] { try append(number, to: &rows, connection) }
        }
      }
      return rows
    }
  }

  /// Numbers one behind the other are read together, which takes a tenth of the time.
  private static let shortestRange = 8

  private func append(
    _ number: UInt32, to rows: inout Rows, _ connection: RowDatabase.Connection
  ) throws {
    let library = connection.library
    _ = library.reset(reading)
    _ = library.bindInteger(reading, 1, Int64(number))
    guard library.step(reading) == SQLite.row else { throw connection.failure }
    rows.append(library, reading)
  }

  private func append(
    _ range: ClosedRange<UInt32>, to rows: inout Rows, _ connection: RowDatabase.Connection
  ) throws {
    let library = connection.library
    _ = library.reset(readingRange)
    _ = library.bindInteger(readingRange, 1, Int64(range.lowerBound))
    _ = library.bindInteger(readingRange, 2, Int64(range.upperBound))
    for _ in range {
      guard library.step(readingRange) == SQLite.row else { throw connection.failure }
      rows.append(library, readingRange)
    }
  }

  /// Gives each number its row; of a number that comes twice, the last stays.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where they cannot be written; nothing has changed then.
  public func write(_ numbers: [UInt32], _ rows: Rows) throws {
    precondition(numbers.count == rows.count)
    try SpillStore.shared.faults.check()
    try database.use { connection in
      let library = connection.library
      try connection.changing {
        try rows.bytes.withUnsafeBytes { bytes in
          defer { _ = library.reset(writing) }
          for (row, number) in numbers.enumerated() {
            _ = library.reset(writing)
            _ = library.bindInteger(writing, 1, Int64(number))
            let range = rows.range(row)
            // SAFETY: the range lies in the bytes, which outlive the call of `step`.
            _ = library.bindBytes(
              writing, 2, range.isEmpty ? nil : bytes.baseAddress! + range.lowerBound,
              Int32(range.count), nil)
            if library.step(writing) != SQLite.done { throw connection.failure }
          }
        }
      }
    }
  }

  /// Removes rows. What cannot be removed stays where it is, and nobody asks for it any more.
  public func remove(_ numbers: [UInt32]) {
    database.use { connection in
      let library = connection.library
      try? connection.changing {
        defer { _ = library.reset(removing) }
        for number in numbers {
          _ = library.reset(removing)
          _ = library.bindInteger(removing, 1, Int64(number))
          if library.step(removing) != SQLite.done { throw connection.failure }
        }
      }
    }
  }
}

extension RowDatabase.Connection {
  /// All of the statements, or none: an open one would keep the database from being closed.
  fileprivate func prepared(_ texts: [String]) throws -> [SQLite.Handle] {
    var statements: [SQLite.Handle] = []
    do {
      for text in texts { statements.append(try prepare(text)) }
    } catch {
      for statement in statements { _ = library.finalize(statement) }
      throw error
    }
    return statements
  }

  /// Does all of something, or nothing.
  fileprivate func changing(_ body: () throws -> Void) throws {
    try run("BEGIN")
    do {
      try body()
      try run("COMMIT")
    } catch {
      // It may have been undone already.
      try? run("ROLLBACK")
      throw error
    }
  }
}

extension Rows {
  /// Adds the row at which a statement is.
  fileprivate mutating func append(_ library: SQLite, _ statement: SQLite.Handle) {
    let count = Int(library.columnByteCount(statement, 0))
    if count > 0, let start = library.columnBytes(statement, 0) {
      // SAFETY: the bytes are the database's until the statement is reset.
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
    }
    ends.append(bytes.count)
  }

  /// True where a row is longer than a store takes.
  public var hasTooLong: Bool { (0..<count).contains { range($0).count > RowStore.longestRow } }
}
