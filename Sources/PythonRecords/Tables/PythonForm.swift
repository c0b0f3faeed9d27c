import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Pairs that are Python's objects: vectors are ``PythonBatch``es. Keys are the same when a `dict` says
/// so.
///
/// All of it takes hold of the interpreter by itself. Records of other forms become objects.
package struct PythonForm: PairForm {
  private let place: OperatorPlace?

  /// - Parameter place: what errors name.
  package init(at place: OperatorPlace? = nil) { self.place = place }

  package var tellsEqualKeysApart: Bool { true }

  package func makeDirectory() -> any KeyDirectory { PythonDirectory(at: place) }

  package func makeValues() -> any ValueArray { PythonValues() }

  /// - Returns: nil for records that have no form in Python.
  /// - Throws: ``PythonError`` where `key, value = record` raises.
  package func split(
    _ pairs: any RecordBatch
  ) throws -> (keys: any RecordBatch, values: any RecordBatch)? {
    switch pairs {
    case let batch as any StoredBatch: try split(batch.loaded())
    case let batch as ColumnBatch: try split(batch)
    case let batch as PythonBatch: try Interpreter.attach { try split(objects(of: batch, $0), $0) }
    case let block as TextBlock:
      try Interpreter.attach { py in
        try split(try OwnedObjects(of: .text(block.column()), py), py)
      }
    default: nil
    }
  }

  private func split(
    _ batch: ColumnBatch
  ) throws -> (keys: any RecordBatch, values: any RecordBatch) {
    try Interpreter.attach { py in
      guard case .tuple(let types) = batch.column.type, types.count == 2 else {
        return try split(try OwnedObjects(of: batch.column, py), py)
      }
      let items = batch.column.tupleItems
      let keys = try newBatch(OwnedObjects(of: items[0], py), py)
      return (keys, try newBatch(OwnedObjects(of: items[1], py), py))
    }
  }

  private func split(
    _ records: consuming OwnedObjects, _ py: borrowing Python
  ) throws -> (keys: any RecordBatch, values: any RecordBatch) {
    var keys = OwnedObjects()
    var values = OwnedObjects()
    keys.reserve(records.pointers.count)
    values.reserve(records.pointers.count)
    for record in records.pointers {
      if Py.isExactTuple(record), Py.tupleCount(record) == 2 {
        try keys.append(Py.retained(Py.tupleItem(record, 0)), py)
        try values.append(Py.retained(Py.tupleItem(record, 1)), py)
        continue
      }
      guard let pair = unpackedPair(record) else { throw error(at: place, record, py) }
      defer { Py.release(pair) }
      try keys.append(Py.retained(Py.tupleItem(pair, 0)), py)
      try values.append(Py.retained(Py.tupleItem(pair, 1)), py)
    }
    return (try newBatch(keys, py), try newBatch(values, py))
  }

  package func pairs(
    _ keys: any RecordBatch, _ values: any RecordBatch
  ) throws -> any RecordBatch {
    precondition(keys.recordCount == values.recordCount)
    return try Interpreter.attach { py in
      let keys = try objects(of: keys, py)
      let values = try objects(of: values, py)
      var pairs = OwnedObjects()
      pairs.reserve(keys.pointers.count)
      for index in keys.pointers.indices {
        try pairs.append(Py.newPair(keys.pointers[index], values.pointers[index]), py)
      }
      return try newBatch(pairs, py)
    }
  }

  package func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch {
    let vector = python(vector)
    return try Interpreter.attach { py in
      var records = OwnedObjects()
      records.reserve(rows.count)
      for row in rows { try records.append(vector.record(at: Int(row)), py) }
      return try newBatch(records, py)
    }
  }

  package func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
    if vectors.count == 1 { return vectors[0] }
    return try Interpreter.attach { py in
      var records = OwnedObjects()
      records.reserve(vectors.reduce(0) { $0 + $1.recordCount })
      for vector in vectors.map(python) {
        for row in 0..<vector.recordCount { try records.append(vector.record(at: row), py) }
      }
      return try newBatch(records, py)
    }
  }

  // MARK: - From columns

  /// The same keys with the same numbers, as objects: for a table that gets records that do not fit
  /// into its columns.
  package func converted(_ directory: ColumnDirectory) throws -> any KeyDirectory {
    let converted = PythonDirectory(at: place)
    try converted.add(from: directory)
    return converted
  }

  /// The same values in the same places, as objects.
  ///
  /// - Parameter places: those that were set.
  package func converted(_ values: ColumnValues, _ places: [UInt32]) throws -> any ValueArray {
    let converted = PythonValues()
    for start in stride(from: 0, to: places.count, by: rowsPerConversion) {
      let some = Array(places[start..<min(start + rowsPerConversion, places.count)])
      let column = ColumnBatch(column: try values.gathered(some))
      try converted.set(
        some,
        to: try Interpreter.attach { try newBatch(OwnedObjects(of: column.column, $0), $0) })
    }
    return converted
  }
}

/// So many rows of a column become objects together.
let rowsPerConversion = 1 << 16

extension ColumnBatch {
  /// A vector of a form of columns.
  init(column vector: any RecordBatch) {
    guard let batch = vector as? ColumnBatch else {
      preconditionFailure("columns are expected, not \(type(of: vector))")
    }
    self = batch
  }
}

/// A vector of this form.
func python(_ vector: any RecordBatch) -> PythonBatch {
  guard let batch = vector as? PythonBatch else {
    preconditionFailure("Python's objects are expected, not \(type(of: vector))")
  }
  return batch
}

/// New references to the records of a vector of this form, or to copies.
func objects(of vector: any RecordBatch, _ py: borrowing Python) throws -> OwnedObjects {
  let vector = python(vector)
  var records = OwnedObjects()
  records.reserve(vector.recordCount)
  for row in 0..<vector.recordCount { try records.append(vector.record(at: row), py) }
  return records
}

/// A vector of objects.
func newBatch(_ objects: consuming OwnedObjects, _ py: borrowing Python) throws -> PythonBatch {
  guard let list = py.newList(objects.take()) else { throw PythonError.fetch(py) }
  return PythonBatch(PythonObject(owning: list))
}

/// The exception that is set, with what there is to say of it.
func error(
  at place: OperatorPlace?, _ record: PyPointer, _ py: borrowing Python
) -> PythonError {
  place.map { .fetch(at: $0, record: record, py) } ?? .fetchFromFunction(py)
}

extension OwnedObjects {
  /// The rows of a column.
  init(of column: Column, _ py: borrowing Python) throws {
    self.init(owning: try newObjects(of: column, 0..<column.count, py))
  }
}
