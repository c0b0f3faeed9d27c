import PythonInterop
import SwiftwaterCore
import SwiftwaterStore

/// Python's objects as rows for a disk, in the format of ``RecordEncoder``.
enum PythonRows {
  /// The rows of those objects of which bytes can be made, and which these are.
  ///
  /// Pickle may run Python code.
  ///
  /// - Throws: what is no ordinary exception: an interrupt.
  static func rows(
    of objects: [PyPointer], _ py: borrowing Python
  ) throws -> (rows: Rows, indices: [Int]) {
    var encoder = RecordEncoder()
    var ends: [Int] = []
    var indices: [Int] = []
    for (index, object) in objects.enumerated() {
      let start = encoder.bytes.count
      guard encoder.append(object) else {
        guard py.dropOrdinaryException() else { throw PythonError.fetch(py) }
        continue
      }
      // A longer one stays where it is; its bytes are nobody's.
      if encoder.bytes.count - start > RowStore.longestRow {
        encoder.removeLast(from: start)
      } else {
        ends.append(encoder.bytes.count)
        indices.append(index)
      }
    }
    return (Rows(bytes: encoder.bytes, ends: ends), indices)
  }

  /// New objects.
  static func objects(of rows: Rows, _ py: borrowing Python) throws -> OwnedObjects {
    let list = try RecordDecoder.list(in: rows.bytes, count: rows.count, py)
    var objects = OwnedObjects()
    objects.reserve(rows.count)
    for row in 0..<rows.count {
      try objects.append(Py.retained(Py.listItem(list.pointer, row)), py)
    }
    return objects
  }
}
