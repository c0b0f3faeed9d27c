import SwiftwaterCore
import Synchronization

/// A database of rows in a file that nobody else sees: it has no name, and is gone with the process,
/// however that ends.
///
/// There are a few in a process, and the tables of all ``RowStore``s are spread over them: a database has
/// one cache and one user at a time, whatever the number of tables.
///
/// SAFETY: the connection is used by one thread at a time, which holds the lock.
final class RowDatabase: Sendable {
  /// Of one database, in KiB.
  private static let cacheSize = 8192
  private static let largestPool = 8

  private struct Pool {
    var databases: [Weak] = []
    var next = 0
  }
  private struct Weak { weak var database: RowDatabase? }
  private static let pool = Mutex(Pool())

  /// What is done with the file, in turns.
  ///
  /// SAFETY: used under the database's lock only.
  final class Connection: @unchecked Sendable {
    let library: SQLite
    let handle: SQLite.Handle
    /// Numbers the tables that there were.
    var lastTable = 0

    init(library: SQLite, handle: SQLite.Handle) {
      self.library = library
      self.handle = handle
    }

    deinit { _ = library.close(handle) }

    func run(_ text: String) throws {
      if library.run(handle, text, nil, nil, nil) != SQLite.ok { throw failure }
    }

    func prepare(_ text: String) throws -> SQLite.Handle {
      var statement: SQLite.Handle?
      let status = library.prepare(handle, text, -1, &statement, nil)
      guard status == SQLite.ok, let statement else { throw failure }
      return statement
    }

    /// What was wrong with the last call.
    var failure: EngineError {
      let reason = library.message(handle).map { String(cString: $0) } ?? "it does not say why"
      return .unavailable(
        "what does not fit in memory cannot be kept on disk (SQLite: \(reason)): set spark.local.dir "
          + "to a folder with room")
    }
  }

  private let connection: Mutex<Connection>
  /// Where the file was made.
  private let folder: String

  /// - Throws: ``EngineError`` (`unavailable`).
  init(_ library: SQLite, in folder: String) throws {
    let path = try makeFile(in: folder)
    var handle: SQLite.Handle?
    let status = library.open(path, &handle, SQLite.openFlags, nil)
    removeFile(path)
    guard status == SQLite.ok, let handle else {
      _ = library.close(handle)
      throw EngineError.unavailable("a database cannot be opened in \(folder)")
    }
    let connection = Connection(library: library, handle: handle)
    // Nobody reads the file later: a change must be whole while the process lives, and no longer.
    try connection.run(
      """
      PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;
      PRAGMA cache_size = -\(Self.cacheSize);
      """)
    self.connection = Mutex(connection)
    self.folder = folder
  }

  /// One of the process's databases in a folder; nil where there is no library.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where there is no room for it.
  static func any(in folder: String = SpillStore.shared.folder) throws -> RowDatabase? {
    guard let library = SQLite.shared else { return nil }
    return try pool.withLock { pool in
      if pool.databases.isEmpty {
        let count = min(availableProcessors(), largestPool)
        pool.databases = Array(repeating: Weak(), count: count)
      }
      pool.next = (pool.next + 1) % pool.databases.count
      // What an earlier context has left behind may lie in another folder, which may be full.
      if let database = pool.databases[pool.next].database, database.folder == folder {
        return database
      }
      let database = try RowDatabase(library, in: folder)
      pool.databases[pool.next].database = database
      return database
    }
  }

  func use<R>(_ body: (Connection) throws -> R) rethrows -> R {
    try connection.withLock { try body($0) }
  }
}
