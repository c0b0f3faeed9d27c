import PythonInterop
import SwiftwaterCore

/// Records on disk, in the format of ``RecordCodec``.
final class SpilledBatch: StoredBatch {
  let recordCount: Int
  private let bytes: SpilledBytes
  /// Where each record ends, 8 bytes each.
  private let ends: SpilledBytes

  /// Records that lie alone are read one by one.
  private static let worthwhile = 64

  private init(recordCount: Int, bytes: SpilledBytes, ends: SpilledBytes) {
    self.recordCount = recordCount
    self.bytes = bytes
    self.ends = ends
  }

  /// The records of a list on disk, where memory is short; nil where it is not, or where there is a
  /// record of which no bytes can be made.
  static func spillingIfNeeded(
    _ list: PythonObject, _ py: borrowing Python
  ) throws -> SpilledBatch? {
    let count = Py.listCount(list.pointer)
    guard count > 0, SpillStore.shared.isOverLimit(adding: count) else { return nil }
    var encoder = RecordEncoder()
    var ends: [Int] = []
    ends.reserveCapacity(count)
    for index in 0..<count {
      guard encoder.append(Py.listItem(list.pointer, index)) else {
        // Not an interrupt: the records stay in memory.
        guard py.dropOrdinaryException() else { throw PythonError.fetch(py) }
        return nil
      }
      ends.append(encoder.bytes.count)
    }
    return SpilledBatch(
      recordCount: count,
      bytes: try encoder.bytes.withUnsafeBytes { try SpillStore.shared.write($0) },
      ends: try ends.withUnsafeBytes { try SpillStore.shared.write($0) })
  }

  func loaded(_ rows: [UInt32]) throws -> (any RecordBatch)? {
    guard rows.count * Self.worthwhile < recordCount else { return nil }
    var data: [UInt8] = []
    for row in rows {
      let range = try range(of: Int(row))
      let start = data.count
      data.append(contentsOf: repeatElement(0, count: range.count))
      try data.withUnsafeMutableBytes {
        try bytes.read(into: .init(rebasing: $0[start...]), from: range.lowerBound)
      }
    }
    return try Interpreter.attach { py in
      PythonBatch(try RecordDecoder.list(in: data, count: rows.count, py))
    }
  }

  /// Where a record lies.
  private func range(of row: Int) throws -> Range<Int> {
    let size = MemoryLayout<Int>.size
    var bounds = (0, 0)
    try withUnsafeMutableBytes(of: &bounds) { bounds in
      if row > 0 { return try ends.read(into: bounds, from: (row - 1) * size) }
      try ends.read(into: .init(rebasing: bounds[size...]), from: 0)
    }
    return bounds.0..<bounds.1
  }

  func loaded() throws -> any RecordBatch {
    let data = try bytes.read()
    return try Interpreter.attach { py in
      PythonBatch(try RecordDecoder.list(in: data, count: recordCount, py))
    }
  }
}
