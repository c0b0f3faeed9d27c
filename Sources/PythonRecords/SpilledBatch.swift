import PythonInterop
import SwiftwaterCore

/// Records on disk, in the format of ``RecordCodec``.
final class SpilledBatch: StoredBatch {
  let recordCount: Int
  private let bytes: SpilledBytes

  private init(recordCount: Int, bytes: SpilledBytes) {
    self.recordCount = recordCount
    self.bytes = bytes
  }

  /// The records of a list on disk, where memory is short; nil where it is not, or where there is a
  /// record of which no bytes can be made.
  static func spillingIfNeeded(
    _ list: PythonObject, _ py: borrowing Python
  ) throws -> SpilledBatch? {
    let count = Py.listCount(list.pointer)
    guard count > 0, SpillStore.shared.isOverLimit(adding: count) else { return nil }
    var encoder = RecordEncoder()
    for index in 0..<count {
      guard encoder.append(Py.listItem(list.pointer, index)) else {
        // Not an interrupt: the records stay in memory.
        guard py.dropOrdinaryException() else { throw PythonError.fetch(py) }
        return nil
      }
    }
    let written = try encoder.bytes.withUnsafeBytes { try SpillStore.shared.write($0) }
    return SpilledBatch(recordCount: count, bytes: written)
  }

  func loaded() throws -> any RecordBatch {
    let data = try bytes.read()
    return try Interpreter.attach { py in
      PythonBatch(try RecordDecoder.list(in: data, count: recordCount, py))
    }
  }
}
