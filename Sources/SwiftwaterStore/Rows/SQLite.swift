import SwiftwaterCore

/// The functions of SQLite's C library that are used here.
///
/// The library is the system's, and is loaded when it is first needed: a job whose tables fit into
/// memory never has it in its process.
///
/// SAFETY: each function has the type that SQLite documents for it, which has not changed since version
/// 3.5 (2007). The library is never unloaded.
struct SQLite: Sendable {
  typealias Handle = OpaquePointer

  typealias Open =
    @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<Handle?>, Int32, OpaquePointer?)
    -> Int32
  typealias Message = @convention(c) (Handle?) -> UnsafePointer<CChar>?
  typealias Run =
    @convention(c) (Handle, UnsafePointer<CChar>, OpaquePointer?, OpaquePointer?, OpaquePointer?)
    -> Int32
  typealias Prepare =
    @convention(c) (
      Handle, UnsafePointer<CChar>, Int32, UnsafeMutablePointer<Handle?>, OpaquePointer?
    ) -> Int32
  typealias BindInteger = @convention(c) (Handle, Int32, Int64) -> Int32
  typealias BindBytes =
    @convention(c) (Handle, Int32, UnsafeRawPointer?, Int32, OpaquePointer?) -> Int32
  typealias Act = @convention(c) (Handle?) -> Int32
  typealias Ask = @convention(c) () -> Int32
  typealias ColumnBytes = @convention(c) (Handle, Int32) -> UnsafeRawPointer?
  typealias ColumnByteCount = @convention(c) (Handle, Int32) -> Int32

  let open: Open
  let close: Act
  let message: Message
  let run: Run
  let prepare: Prepare
  let bindInteger: BindInteger
  /// The bytes must stay where they are until the statement is reset.
  let bindBytes: BindBytes
  let step: Act
  let reset: Act
  let finalize: Act
  let columnBytes: ColumnBytes
  let columnByteCount: ColumnByteCount

  static let ok: Int32 = 0
  static let row: Int32 = 100
  static let done: Int32 = 101
  /// Read and write, and used by one thread at a time, which who uses it sees to.
  static let openFlags: Int32 = 0x2 | 0x8000

  /// The system's library; nil where there is none that several threads can use.
  static let shared = SQLite()

  private init?() {
    guard let library = loadedLibrary("libsqlite3.so.0") else { return nil }
    func function<F>(_ name: String, as type: F.Type) -> F? {
      // SAFETY: see above.
      symbol("sqlite3_" + name, in: library).map { unsafeBitCast($0, to: type) }
    }
    // One that was built for a single thread shares what databases on several threads would change.
    guard let isForThreads = function("threadsafe", as: Ask.self), isForThreads() != 0 else {
      return nil
    }
    guard let open = function("open_v2", as: Open.self),
      let close = function("close", as: Act.self),
      let message = function("errmsg", as: Message.self),
      let run = function("exec", as: Run.self),
      let prepare = function("prepare_v2", as: Prepare.self),
      let bindInteger = function("bind_int64", as: BindInteger.self),
      let bindBytes = function("bind_blob", as: BindBytes.self),
      let step = function("step", as: Act.self),
      let reset = function("reset", as: Act.self),
      let finalize = function("finalize", as: Act.self),
      let columnBytes = function("column_blob", as: ColumnBytes.self),
      let columnByteCount = function("column_bytes", as: ColumnByteCount.self)
    else { return nil }
    (self.open, self.close, self.message, self.run) = (open, close, message, run)
    (self.prepare, self.bindInteger, self.bindBytes) = (prepare, bindInteger, bindBytes)
    (self.step, self.reset, self.finalize) = (step, reset, finalize)
    (self.columnBytes, self.columnByteCount) = (columnBytes, columnByteCount)
  }
}
