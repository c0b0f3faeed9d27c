import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan

/// Finds pairs by their keys as a `dict` does.
package final class PythonPairFinder: PairFinder {
  /// `swiftwater._tasks.pair_index.PairIndex`.
  private let index: PythonObject

  /// Nil where records are no pairs, or a key cannot be one of a `dict`.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  package init?(_ pairs: [any RecordBatch], _ py: borrowing Python) throws {
    guard let list = try originals(of: pairs, py) else { return nil }
    let make = try py.importing("pair_index", from: "swiftwater._tasks.pair_index")
    guard let result = make.call(list.pointer) else { throw PythonError.fetch(py) }
    index = PythonObject(owning: result)
    if Py.isNone(result) { return nil }
  }

  package func pairs(withKeysOf others: [any RecordBatch]) throws -> [any RecordBatch]? {
    try Interpreter.attach { py in
      guard let list = try originals(of: others, py) else { return nil }
      guard let result = index.call(list.pointer) else { throw PythonError.fetch(py) }
      let found = PythonObject(owning: result)
      if Py.isNone(result) { return nil }
      // It looks again whether some can be changed: there are few.
      return Py.listCount(result) == 0 ? [] : [PythonBatch(found).shareable()]
    }
  }
}

/// The keys of exact pairs as a column; nil where there are others, or the keys have no common type.
///
/// - Throws: ``PythonError`` where an object cannot be made.
package func keys(of pairs: [any RecordBatch], _ py: borrowing Python) throws -> Column? {
  guard let keys = Py.newList() else { throw PythonError.fetch(py) }
  let owned = PythonObject(owning: keys)
  for batch in pairs {
    guard let batch = batch as? PythonBatch else { return nil }
    for index in 0..<batch.recordCount {
      let record = Py.listItem(batch.list.pointer, index)
      guard Py.isExactTuple(record), Py.tupleCount(record) == 2 else { return nil }
      guard Py.append(Py.tupleItem(record, 0), to: keys) else { throw PythonError.fetch(py) }
    }
  }
  return column(ofList: owned.pointer)
}

/// The records at some places, for somebody who shares them; nil where there are others than objects.
///
/// - Parameter places: ascending, counted through all batches.
/// - Throws: ``PythonError`` where a list cannot be made.
package func records(
  at places: [UInt32], of batches: [any RecordBatch], _ py: borrowing Python
) throws -> (any RecordBatch)? {
  let lists = batches.compactMap { $0 as? PythonBatch }
  guard lists.count == batches.count else { return nil }
  guard let found = Py.newList() else { throw PythonError.fetch(py) }
  let owned = PythonObject(owning: found)
  var (number, first) = (0, 0)
  for place in places.map(Int.init) {
    while place >= first + lists[number].recordCount {
      first += lists[number].recordCount
      number += 1
    }
    guard Py.append(Py.listItem(lists[number].list.pointer, place - first), to: found) else {
      throw PythonError.fetch(py)
    }
  }
  return PythonBatch(owned).shareable()
}

/// The records themselves, whoever else has them; nil for those that are not Python's to read.
private func originals(
  of batches: [any RecordBatch], _ py: borrowing Python
) throws -> PythonObject? {
  if batches.count == 1, let batch = batches[0] as? PythonBatch { return batch.list }
  guard let list = Py.newList() else { throw PythonError.fetch(py) }
  let owned = PythonObject(owning: list)
  for batch in batches {
    switch batch {
    case let batch as PythonBatch:
      for index in 0..<batch.recordCount {
        guard Py.append(Py.listItem(batch.list.pointer, index), to: list) else {
          throw PythonError.fetch(py)
        }
      }
    case is ColumnBatch: try append(batch, to: list, limit: .max, py)
    default: return nil
    }
  }
  return owned
}
