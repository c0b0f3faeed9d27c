import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD

/// Values combined by key with Python functions: first inside each partition, then across them.
struct CombineByKey: Sendable {
  /// Makes a key's first combined value; nil: the value itself.
  let createCombiner: PythonObject?
  let mergeValue: PythonObject
  let mergeCombiners: PythonObject
  let partitionCount: Int
  /// Gives a key's hash; nil: Spark's `portable_hash`.
  let partitionFunction: PythonObject?
  let place: OperatorPlace

  func node(over parent: RDDNode) -> RDDNode {
    let shuffle = Shuffle(
      parent: parent, bucketCount: partitionCount, placement: .callingThread
    ) { cursor, task in
      try Interpreter.attach { py in
        let sink = try CombineSink(create: createCombiner, merge: mergeValue, place: place, py)
        try drain(cursor, into: sink, task: task, py)
        return try divide(try sink.items(py), py)
      }
    }
    return RDDNode(
      name: place.name, context: parent.context, dependencies: [.shuffle(shuffle)],
      partitionCount: partitionCount, placement: .callingThread
    ) { partition, task in
      let parts = shuffle.bucket(partition)
      // The keys of one part are different already.
      if parts.count <= 1 { return ArrayCursor(parts) }
      return try Interpreter.attach { py in
        let sink = try CombineSink(create: nil, merge: mergeCombiners, place: place, py)
        try drain(ArrayCursor(parts), into: sink, task: task, py)
        return ArrayCursor([PythonBatch(try sink.items(py))])
      }
    }
  }

  /// The pairs by their key's partition; nothing for an empty bucket.
  private func divide(
    _ items: PythonObject, _ py: borrowing Python
  ) throws -> [[any RecordBatch]] {
    let count = Py.listCount(items.pointer)
    if partitionCount == 1 { return [count == 0 ? [] : [PythonBatch(items)]] }
    var lists: [PythonObject?] = Array(repeating: nil, count: partitionCount)
    for index in 0..<count {
      let pair = Py.listItem(items.pointer, index)
      let bucket = try bucket(of: Py.tupleItem(pair, 0), pair, py)
      let list: PythonObject
      if let known = lists[bucket] {
        list = known
      } else {
        guard let new = Py.newList() else { throw PythonError.fetch(py) }
        list = PythonObject(owning: new)
        lists[bucket] = list
      }
      guard Py.append(pair, to: list.pointer) else { throw PythonError.fetch(py) }
    }
    return lists.map { $0.map { [PythonBatch($0)] } ?? [] }
  }

  private func bucket(
    of key: PyPointer, _ pair: PyPointer, _ py: borrowing Python
  ) throws -> Int {
    guard let partitionFunction else {
      guard let hash = portableHash(of: key, py) else {
        throw PythonError.fetch(at: place, record: pair, py)
      }
      return PortableHash.partition(of: hash, among: partitionCount)
    }
    guard let result = Py.call(partitionFunction.pointer, key) else {
      throw PythonError.fetch(at: place, record: pair, py)
    }
    defer { Py.release(result) }
    guard let bucket = py.remainder(of: result, by: partitionCount) else {
      throw PythonError.fetch(at: place, record: pair, py)
    }
    return bucket
  }
}

/// Combines (key, value) records in a dictionary: keys stay in first-seen order.
final class CombineSink: RecordSink {
  private let dictionary: PythonObject
  private let table: PyPointer
  private let create: PythonObject?
  private let merge: PyPointer
  private let mergeOwner: PythonObject
  private let place: OperatorPlace
  private var failedRecord: PyPointer?

  init(
    create: PythonObject?, merge: PythonObject, place: OperatorPlace, _ py: borrowing Python
  ) throws {
    guard let new = Py.newDictionary() else { throw PythonError.fetch(py) }
    dictionary = PythonObject(owning: new)
    table = new
    self.create = create
    mergeOwner = merge
    self.merge = merge.pointer
    self.place = place
  }

  /// The (key, combined value) pairs, as a list.
  func items(_ py: borrowing Python) throws -> PythonObject {
    guard let items = Py.items(of: table) else { throw PythonError.fetch(py) }
    return PythonObject(owning: items)
  }

  func take(_ record: PyPointer) -> Bool {
    let isMerged =
      Py.isExactTuple(record) && Py.tupleCount(record) == 2
      ? combine(Py.tupleItem(record, 0), Py.tupleItem(record, 1))
      : combineUnpacked(record)
    if isMerged {
      Py.release(record)
    } else {
      failedRecord = record
    }
    return isMerged
  }

  var isFull: Bool { false }

  func takeFailure() -> (place: OperatorPlace, record: PyPointer)? {
    defer { failedRecord = nil }
    return failedRecord.map { (place, $0) }
  }

  @inline(__always)
  private func combine(_ key: PyPointer, _ value: PyPointer) -> Bool {
    if let known = Py.lookUp(key, in: table) {
      // The table may drop `known` while the function runs only if the function could reach it.
      guard let merged = Py.call(merge, known, value) else { return false }
      defer { Py.release(merged) }
      return Py.set(key, to: merged, in: table)
    }
    if Py.isExceptionSet { return false }
    guard let create else { return Py.set(key, to: value, in: table) }
    guard let combiner = Py.call(create.pointer, value) else { return false }
    defer { Py.release(combiner) }
    return Py.set(key, to: combiner, in: table)
  }

  /// `key, value = record`, for a record that is not a plain pair.
  private func combineUnpacked(_ record: PyPointer) -> Bool {
    guard let tuple = Py.newTuple(from: record) else { return false }
    defer { Py.release(tuple) }
    let count = Py.tupleCount(tuple)
    guard count == 2 else {
      Py.raise(
        .valueError,
        count < 2
          ? "not enough values to unpack (expected 2, got \(count))"
          : "too many values to unpack (expected 2)")
      return false
    }
    return combine(Py.tupleItem(tuple, 0), Py.tupleItem(tuple, 1))
  }
}
