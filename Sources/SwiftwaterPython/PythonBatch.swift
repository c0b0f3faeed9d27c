import PythonInterop
import SwiftwaterCore

/// Records that are Python objects: an owned list that nobody changes any more.
final class PythonBatch: RecordBatch {
  let list: PythonObject
  let recordCount: Int

  /// - Parameter list: a list; the caller gives it up.
  init(_ list: PythonObject) {
    self.list = list
    recordCount = Py.listCount(list.pointer)
  }
}

/// Adds the records of any batch to a list, as Python objects, up to a length of `limit`.
///
/// - Throws: ``PythonError`` when an object cannot be made.
func append(
  _ batch: any RecordBatch, to list: PyPointer, limit: Int, _ py: borrowing Python
) throws {
  switch batch {
  case let batch as PythonBatch:
    let source = batch.list.pointer
    let room = min(batch.recordCount, limit - Py.listCount(list))
    for index in 0..<max(0, room) {
      guard Py.append(Py.listItem(source, index), to: list) else { throw PythonError.fetch(py) }
    }
  case let block as TextBlock:
    let room = min(block.lines.count, limit - Py.listCount(list))
    try block.withBytes { bytes in
      for line in block.lines.prefix(max(0, room)) {
        guard
          let text = Py.newText(
            utf8: bytes.baseAddress! + Int(line.start), count: Int(line.end - line.start))
        else { throw PythonError.fetch(py) }
        defer { Py.release(text) }
        guard Py.append(text, to: list) else { throw PythonError.fetch(py) }
      }
    }
  default:
    throw EngineError.illegalState(
      "records of \(type(of: batch)) have no form in Python")
  }
}
