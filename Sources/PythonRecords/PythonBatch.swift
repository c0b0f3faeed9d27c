import PythonInterop
import SwiftwaterCore

/// Records that are Python objects: an owned list that nobody changes any more.
package final class PythonBatch: RecordBatch {
  package let list: PythonObject
  package let recordCount: Int
  /// The engine keeps the records, and some can be changed: who reads one gets a copy.
  private let givesCopies: Bool

  /// - Parameter list: a list; the caller gives it up.
  package convenience init(_ list: PythonObject) {
    self.init(list, givesCopies: false)
  }

  private init(_ list: PythonObject, givesCopies: Bool) {
    self.list = list
    recordCount = Py.listCount(list.pointer)
    self.givesCopies = givesCopies
  }

  package func spillingIfShort() throws -> any RecordBatch {
    if givesCopies { return self }
    return try Interpreter.attach { py in
      if let spilled = try SpilledBatch.spillingIfNeeded(list, py) { return spilled }
      return shareable()
    }
  }

  /// The same records, for somebody who shares them with others: copies of those that can be changed.
  func shareable() -> PythonBatch {
    let isShareable = (0..<recordCount).allSatisfy {
      Isolation.isImmutable(Py.listItem(list.pointer, $0))
    }
    return isShareable ? self : PythonBatch(list, givesCopies: true)
  }

  /// A new reference to a record, or to a copy; nil with an exception set.
  @inline(__always)
  func record(at index: Int) -> PyPointer? {
    let record = Py.listItem(list.pointer, index)
    return givesCopies ? Isolation.copy(of: record) : Py.retained(record)
  }
}

/// Adds the records of any batch to a list, as Python objects, up to a length of `limit`.
///
/// - Throws: ``PythonError`` when an object cannot be made.
package func append(
  _ batch: any RecordBatch, to list: PyPointer, limit: Int, _ py: borrowing Python
) throws {
  switch batch {
  case let batch as PythonBatch:
    let room = min(batch.recordCount, limit - Py.listCount(list))
    for index in 0..<max(0, room) {
      guard let record = batch.record(at: index) else { throw PythonError.fetch(py) }
      defer { Py.release(record) }
      guard Py.append(record, to: list) else { throw PythonError.fetch(py) }
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
  case let batch as ColumnBatch:
    let room = min(batch.recordCount, limit - Py.listCount(list))
    let objects = try newObjects(of: batch.column, 0..<max(0, room), py)
    for (index, object) in objects.enumerated() {
      defer { Py.release(object) }
      guard Py.append(object, to: list) else {
        for rest in objects[(index + 1)...] { Py.release(rest) }
        throw PythonError.fetch(py)
      }
    }
  default:
    throw EngineError.illegalState(
      "records of \(type(of: batch)) have no form in Python")
  }
}
