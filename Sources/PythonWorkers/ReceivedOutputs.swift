import PythonInterop
import PythonRecords
import SwiftwaterCore

/// The batches of each bucket. Those that are pickled wait, since another thread may hold the
/// interpreter for long, until there are some.
struct ReceivedOutputs {
  /// Bytes that wait at most.
  private static let mostWaiting = 1 << 26

  private var buckets: [[any RecordBatch]]
  private var waiting: [(bucket: Int, index: Int, count: Int, bytes: [UInt8])] = []
  private var waitingBytes = 0
  private let pickling: Pickling

  init(_ count: Int, pickling: Pickling) {
    buckets = Array(repeating: [], count: count)
    self.pickling = pickling
  }

  mutating func add(_ message: WorkerMessage, _ bytes: UnsafeRawBufferPointer) throws {
    let bucket = message.a
    guard message.b == BatchCodec.Form.pickle.rawValue else {
      let batch = try BatchCodec.decode(
        bytes, form: message.b, count: message.c, with: pickling)
      buckets[bucket].append(try batch.spillingIfShort())
      return
    }
    waiting.append((bucket, buckets[bucket].count, message.c, Array(bytes)))
    waitingBytes += bytes.count
    buckets[bucket].append(ColumnBatch(.none(count: 0)))
    if waitingBytes > Self.mostWaiting { try unpickle() }
  }

  mutating func finished() throws -> [[any RecordBatch]] {
    try unpickle()
    return buckets
  }

  private mutating func unpickle() throws {
    if waiting.isEmpty { return }
    let parts = waiting
    (waiting, waitingBytes) = ([], 0)
    try Interpreter.attach { _ in
      for part in parts {
        buckets[part.bucket][part.index] = try part.bytes.withUnsafeBytes {
          try BatchCodec.decode(
            $0, form: BatchCodec.Form.pickle.rawValue, count: part.count, with: pickling
          ).spillingIfShort()
        }
      }
    }
  }
}
