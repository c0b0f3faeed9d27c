import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// A partitioner whose function belongs to one task.
package struct BoundPartitioner {
  let count: Int
  private let function: PythonObject?
  let place: OperatorPlace

  /// - Throws: ``PythonError`` where its function has captured what belongs to the driver.
  package init(_ partitioner: Partitioner, at place: OperatorPlace, _ py: borrowing Python) throws {
    count = partitioner.count
    function = try partitioner.function.map { try PythonFunction.of($0).forTask(py) }
    self.place = place
  }

  func partition(of key: PyPointer, _ py: borrowing Python) throws -> Int {
    guard let function else {
      // With one partition too: a key that has no hash is an error then as well.
      guard let hash = portableHash(of: key, py) else {
        throw PythonError.fetch(at: place, record: key, py)
      }
      return PortableHash.partition(of: hash, among: count)
    }
    WorkerProgress.notes.enter(place)
    guard let result = function.call(key) else {
      throw PythonError.fetch(at: place, record: key, py)
    }
    defer { Py.release(result) }
    guard let partition = py.remainder(of: result, by: count) else {
      throw PythonError.fetch(at: place, record: key, py)
    }
    return partition
  }
}

/// Records divided among partitions: a list for each, made when it is first needed.
final class Buckets {
  private let partitioner: BoundPartitioner
  private var lists: [PythonObject?]

  init(_ partitioner: BoundPartitioner) {
    self.partitioner = partitioner
    lists = Array(repeating: nil, count: partitioner.count)
  }

  /// Adds another reference to `record`.
  func add(_ record: PyPointer, key: PyPointer, _ py: borrowing Python) throws {
    // In a worker also with one partition: a key that two processes tell apart must stay.
    let isKnown = partitioner.count == 1 && !WorkerProgress.isWorker
    let bucket = isKnown ? 0 : try partitioner.partition(of: key, py)
    if lists[bucket] == nil {
      guard let new = Py.newList() else { throw PythonError.fetch(py) }
      lists[bucket] = PythonObject(owning: new)
    }
    guard Py.append(record, to: lists[bucket]!.pointer) else { throw PythonError.fetch(py) }
  }

  /// What was added, for keeping; nothing for an empty bucket.
  func batches() throws -> [[any RecordBatch]] {
    try lists.map { list in try list.map { [try PythonBatch($0).spillingIfShort()] } ?? [] }
  }
}

/// Divides (key, value) records.
package final class PartitionSink: RecordSink {
  private let partitioner: BoundPartitioner
  private var buckets: Buckets
  /// What was put away before, by partition.
  private var divided: [[any RecordBatch]]
  private var memory = MemoryWatch()
  private let place: OperatorPlace
  private var failedRecord: PyPointer?

  package init(_ partitioner: BoundPartitioner) {
    self.partitioner = partitioner
    buckets = Buckets(partitioner)
    divided = Array(repeating: [], count: partitioner.count)
    place = partitioner.place
  }

  func take(_ record: PyPointer) -> Bool {
    var record = record
    if !(Py.isExactTuple(record) && Py.tupleCount(record) == 2) {
      guard let pair = unpackedPair(record) else {
        failedRecord = record
        return false
      }
      Py.release(record)
      record = pair
    }
    defer { Py.release(record) }
    return Interpreter.called { py in
      do {
        try buckets.add(record, key: Py.tupleItem(record, 0), py)
        if memory.isShort(afterAdding: 1) { try putAway() }
        return true
      } catch {
        raise(error, py)
        return false
      }
    }
  }

  package func batches() throws -> [[any RecordBatch]] {
    try putAway()
    return divided
  }

  private func putAway() throws {
    for (index, part) in try buckets.batches().enumerated() { divided[index] += part }
    buckets = Buckets(partitioner)
    memory.startAnew()
  }

  var isFull: Bool { false }

  func takeFailure() -> (place: OperatorPlace, record: PyPointer)? {
    defer { failedRecord = nil }
    return failedRecord.map { (place, $0) }
  }
}

/// What `key, value = record` makes of a record that is not a plain pair, as one; nil with an
/// exception set.
func unpackedPair(_ record: PyPointer) -> PyPointer? {
  guard let tuple = Py.newTuple(from: record) else {
    Py.restateUnpacking(of: record)
    return nil
  }
  let count = Py.tupleCount(tuple)
  if count == 2 && Py.isExactTuple(tuple) { return tuple }
  defer { Py.release(tuple) }
  if count == 2 { return Py.newPair(Py.tupleItem(tuple, 0), Py.tupleItem(tuple, 1)) }
  Py.raise(
    .valueError,
    count < 2
      ? "not enough values to unpack (expected 2, got \(count))"
      : "too many values to unpack (expected 2)")
  return nil
}
