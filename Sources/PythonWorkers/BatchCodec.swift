import PythonFunctions
import PythonInterop
import PythonRecords
import SwiftwaterCore

/// Batches on their way to another process: text and columns as they are, Python's objects as columns
/// where they have a common type, and pickled otherwise.
enum BatchCodec {
  enum Form: Int {
    case text
    case column
    case pickle
  }

  /// Records of a list that are pickled together.
  private static let mostRecords = 8192

  /// What is sent for a batch: one part or several.
  ///
  /// - Throws: ``CannotMove`` for records that cannot be pickled.
  static func encode(_ batch: any RecordBatch, with pickling: Pickling) throws -> [Part] {
    switch batch {
    case let block as TextBlock:
      return [
        Part(form: .text, count: block.recordCount, byteCount: block.encodedCount) {
          block.encode(to: $0)
        }
      ]
    case let batch as ColumnBatch: return [part(batch.column)]
    case let batch as PythonBatch:
      return try Interpreter.attach { py in
        let list = batch.list.pointer
        if let column = column(ofList: list) { return [part(column)] }
        return try stride(from: 0, to: batch.recordCount, by: mostRecords).map { start in
          let end = min(start + mostRecords, batch.recordCount)
          do {
            return Part(
              form: .pickle, count: end - start,
              bytes: try pickling.dump(list, from: start, to: end, py))
          } catch let error as PythonError {
            throw CannotMove("its records cannot be pickled", error)
          }
        }
      }
    case let batch as any StoredBatch: return try encode(batch.loaded(), with: pickling)
    default:
      throw EngineError.illegalState("records of \(type(of: batch)) have no form in Python")
    }
  }

  struct Part {
    let form: Form
    let count: Int
    let byteCount: Int
    /// Writes so many bytes.
    let write: (UnsafeMutableRawPointer) -> Void

    init(form: Form, count: Int, byteCount: Int, write: @escaping (UnsafeMutableRawPointer) -> Void)
    {
      self.form = form
      self.count = count
      self.byteCount = byteCount
      self.write = write
    }

    init(form: Form, count: Int, bytes: [UInt8]) {
      self.init(form: form, count: count, byteCount: bytes.count) { memory in
        bytes.withUnsafeBytes { bytes in
          if let start = bytes.baseAddress {
            memory.copyMemory(from: start, byteCount: bytes.count)
          }
        }
      }
    }
  }

  private static func part(_ column: Column) -> Part {
    var bytes: [UInt8] = []
    column.compacted().encode(into: &bytes)
    return Part(form: .column, count: column.count, bytes: bytes)
  }

  /// - Parameter count: the records that the sender says there are.
  /// - Throws: ``CannotMove`` for records that cannot be unpickled.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, form: Int, count: Int, with pickling: Pickling
  ) throws -> any RecordBatch {
    var reader = ByteReader(bytes)
    let batch: any RecordBatch
    switch Form(rawValue: form) {
    case .text: batch = try TextBlock(from: &reader)
    case .column: batch = ColumnBatch(try Column(from: &reader))
    case .pickle:
      do {
        batch = try Interpreter.attach { py in PythonBatch(try pickling.load(bytes, py)) }
      } catch let error as PythonError {
        throw CannotMove("its records cannot be unpickled", error)
      }
    case nil: throw EngineError.illegalState("a batch of form \(form) from another process")
    }
    guard batch.recordCount == count else {
      throw EngineError.illegalState(
        "a batch from another process has \(batch.recordCount) records instead of \(count)")
    }
    return batch
  }
}

/// Python's half of what goes between processes (`swiftwater/_workers/pickling.py`).
final class Pickling: Sendable {
  private let dumps: PythonObject
  private let loads: PythonObject

  /// - Throws: ``PythonError`` where cloudpickle is not installed.
  init(_ py: borrowing Python) throws {
    dumps = try py.importing("dump_records", from: "swiftwater._workers.pickling")
    loads = try py.importing("load_records", from: "swiftwater._workers.pickling")
  }

  func dump(_ object: PyPointer, _ py: borrowing Python) throws -> [UInt8] {
    guard let data = dumps.call(object) else { throw PythonError.fetch(py) }
    defer { Py.release(data) }
    return try bytes(of: data)
  }

  /// A part of a list.
  fileprivate func dump(
    _ list: PyPointer, from start: Int, to end: Int, _ py: borrowing Python
  ) throws -> [UInt8] {
    if start == 0, end == Py.listCount(list) { return try dump(list, py) }
    guard let part = Py.slice(of: list, from: start, to: end) else { throw PythonError.fetch(py) }
    defer { Py.release(part) }
    return try dump(part, py)
  }

  func load(_ bytes: UnsafeRawBufferPointer, _ py: borrowing Python) throws -> PythonObject {
    guard let data = py.newBytes(bytes) else { throw PythonError.fetch(py) }
    defer { Py.release(data) }
    guard let object = loads.call(data) else { throw PythonError.fetch(py) }
    return PythonObject(owning: object)
  }
}
