import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD

/// In which of some partitions a key is.
struct KeyPartitioning: Sendable {
  let count: Int
  /// Gives a key's hash; nil: Spark's `portable_hash`.
  let function: TaskFunction?
  let place: OperatorPlace

  /// As one task may use it.
  func forTask(_ py: borrowing Python) throws -> Bound {
    Bound(count: count, function: try function?.forTask(py), place: place)
  }

  /// A partitioning whose function belongs to one task.
  struct Bound {
    let count: Int
    let function: PythonObject?
    let place: OperatorPlace

    func partition(of key: PyPointer, _ py: borrowing Python) throws -> Int {
      guard let function else {
        // With one partition too: a key that has no hash is an error then as well.
        guard let hash = portableHash(of: key, py) else {
          throw PythonError.fetch(at: place, record: key, py)
        }
        return PortableHash.partition(of: hash, among: count)
      }
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
}

/// Records divided among partitions: a list for each, made when it is first needed.
final class Buckets {
  private let partitioning: KeyPartitioning.Bound
  private var lists: [PythonObject?]

  init(_ partitioning: KeyPartitioning.Bound) {
    self.partitioning = partitioning
    lists = Array(repeating: nil, count: partitioning.count)
  }

  /// Adds another reference to `record`.
  func add(_ record: PyPointer, key: PyPointer, _ py: borrowing Python) throws {
    let bucket = partitioning.count == 1 ? 0 : try partitioning.partition(of: key, py)
    if lists[bucket] == nil {
      guard let new = Py.newList() else { throw PythonError.fetch(py) }
      lists[bucket] = PythonObject(owning: new)
    }
    guard Py.append(record, to: lists[bucket]!.pointer) else { throw PythonError.fetch(py) }
  }

  /// What was added, for keeping; nothing for an empty bucket.
  func batches() throws -> [[any RecordBatch]] {
    try lists.map { list in try list.map { [try PythonBatch($0).kept()] } ?? [] }
  }
}

/// Sends each (key, value) record whole to the partition of its key.
struct PartitionByKey: Sendable {
  let partitioning: KeyPartitioning

  func node(over parent: RDDNode) -> RDDNode {
    let shuffle = Shuffle(
      parent: parent, bucketCount: partitioning.count, placement: .callingThread
    ) { cursor, task in
      try Interpreter.attach { py in
        let sink = PartitionSink(try partitioning.forTask(py))
        try drain(cursor, into: sink, task: task, py)
        return try sink.batches()
      }
    }
    return RDDNode(
      name: partitioning.place.name, context: parent.context, dependencies: [.shuffle(shuffle)],
      partitionCount: partitioning.count
    ) { partition, _ in ArrayCursor(shuffle.bucket(partition)) }
  }
}

/// Divides (key, value) records.
private final class PartitionSink: RecordSink {
  private let partitioning: KeyPartitioning.Bound
  private var buckets: Buckets
  /// What was put away before, by partition.
  private var divided: [[any RecordBatch]]
  private var memory = MemoryWatch()
  private let place: OperatorPlace
  private var failedRecord: PyPointer?

  init(_ partitioning: KeyPartitioning.Bound) {
    self.partitioning = partitioning
    buckets = Buckets(partitioning)
    divided = Array(repeating: [], count: partitioning.count)
    place = partitioning.place
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

  func batches() throws -> [[any RecordBatch]] {
    try putAway()
    return divided
  }

  private func putAway() throws {
    for (index, part) in try buckets.batches().enumerated() { divided[index] += part }
    buckets = Buckets(partitioning)
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
