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
  /// The ranges of keys that `function` tells apart.
  var ranges: KeyRanges?

  /// The same with another function.
  func with(_ function: TaskFunction?) -> KeyPartitioning {
    KeyPartitioning(count: count, function: function, place: place, ranges: ranges)
  }

  /// The partitioning with what its function has captured by now.
  ///
  /// - Throws: ``PythonError`` for an interrupt.
  func captured() throws -> KeyPartitioning {
    guard let function, function.isOpen else { return self }
    return with(try Interpreter.attach { py in try TaskFunction.captured([function], py)[0] })
  }

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
      WorkerProgress.enter(place)
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
    // In a worker also with one partition: a key that two processes tell apart must stay.
    let isKnown = partitioning.count == 1 && !WorkerProgress.isWorker
    let bucket = isKnown ? 0 : try partitioning.partition(of: key, py)
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

  /// - Throws: ``PythonError`` for an interrupt while functions are read.
  func node(over parent: RDDNode) throws -> RDDNode {
    PartitionByKey(partitioning: try partitioning.captured()).capturedNode(over: parent)
  }

  private func capturedNode(over parent: RDDNode) -> RDDNode {
    let takesColumns =
      parent.context.isLowering && (partitioning.function == nil || partitioning.ranges != nil)
    // Where the records are known to be pairs with keys that columns hold, no step needs Python.
    let type =
      takesColumns ? parent.recordType.flatMap { partitioning.divides($0) ? $0 : nil } : nil
    let shuffle = Shuffle(
      parent: parent, bucketCount: partitioning.count,
      placement: type == nil ? .oneAtATime : .anyThread
    ) { cursor, task in
      if task.isMoved, let moved = cursor as? RemoteCursor {
        return try moved.then(.partition(partitioning)).run().buckets
      }
      return try divided(cursor, takesColumns: takesColumns, task: task)
    }
    return RDDNode(
      name: partitioning.place.name, context: parent.context, dependencies: [.shuffle(shuffle)],
      partitionCount: partitioning.count, recordType: type
    ) { partition, _ in ArrayCursor(shuffle.bucket(partition)) }
  }

  /// The records of one partition, by the partitions of their keys.
  func divided(
    _ cursor: any BatchCursor, takesColumns: Bool, task: TaskContext
  ) throws -> [[any RecordBatch]] {
    if takesColumns, try (cursor as? PipelineCursor)?.isNative() ?? true {
      return try dividedColumns(cursor, task: task)
    }
    return try dividedObjects(cursor, task: task)
  }

  private func dividedObjects(
    _ cursor: any BatchCursor, task: TaskContext
  ) throws -> [[any RecordBatch]] {
    try Interpreter.attach { py in
      let sink = PartitionSink(try partitioning.forTask(py))
      try drain(cursor, into: sink, task: task, py)
      return try sink.batches()
    }
  }

  /// Pairs in columns natively, and what comes otherwise as Python's objects, each in its turn.
  private func dividedColumns(
    _ cursor: any BatchCursor, task: TaskContext
  ) throws -> [[any RecordBatch]] {
    var divided = DividedColumns(partitioning.count)
    while let batch = try cursor.next() {
      try task.checkCancellation()
      if let batch = batch as? ColumnBatch, let parts = partitioning.divided(batch.column) {
        try divided.add(parts, rows: batch.recordCount)
      } else if batch.recordCount > 0 {
        try divided.add(dividedObjects(ArrayCursor([batch]), task: task))
      }
    }
    return try divided.finish()
  }
}

/// Records by partition: those of many small columns become few large ones.
private struct DividedColumns {
  /// Rows between two looks at the process's size.
  private static let lookEvery = 1 << 16

  private var open: [[Column]]
  private var openRows = 0
  private var divided: [[any RecordBatch]]

  init(_ count: Int) {
    open = Array(repeating: [], count: count)
    divided = Array(repeating: [], count: count)
  }

  mutating func add(_ parts: [Column?], rows: Int) throws {
    for (index, part) in parts.enumerated() {
      guard let part else { continue }
      if let last = open[index].last, last.type != part.type { try close(index) }
      // A few rows of each block: nothing else of it is held on to.
      open[index].append(part.compacted())
    }
    openRows += rows
    if openRows >= Self.lookEvery, SpillStore.shared.isOverLimit(adding: openRows) {
      for index in open.indices { try close(index) }
      openRows = 0
    }
  }

  mutating func add(_ batches: [[any RecordBatch]]) throws {
    for (index, part) in batches.enumerated() where !part.isEmpty {
      try close(index)
      divided[index] += part
    }
  }

  mutating func finish() throws -> [[any RecordBatch]] {
    for index in open.indices { try close(index) }
    return divided
  }

  private mutating func close(_ index: Int) throws {
    if open[index].isEmpty { return }
    divided[index].append(try ColumnBatch(.concatenated(open[index])).kept())
    open[index] = []
  }
}

/// Keys in ranges, a partition each.
struct KeyRanges: Sendable {
  /// Where the next range begins, behind the key: ascending.
  let bounds: Column
  let isAscending: Bool

  /// Nil where Python must compare.
  init?(_ bounds: PyPointer, isAscending: Bool) {
    guard let column = column(ofList: bounds), column.type.isOrdered else { return nil }
    self.bounds = column
    self.isAscending = isAscending
  }
}

extension KeyPartitioning {
  /// True where pairs of a type are divided natively.
  fileprivate func divides(_ type: ColumnType) -> Bool {
    guard case .tuple(let items) = type, items.count == 2 else { return false }
    if let ranges { return items[0] == ranges.bounds.type }
    return function == nil && items[0].isHashable
  }

  /// The rows by their partitions; nil where that is Python's.
  fileprivate func divided(_ pairs: Column) -> [Column?]? {
    guard divides(pairs.type) else { return nil }
    guard let ranges else { return pairs.divided(among: count) }
    return pairs.tupleItems[0].places(among: ranges.bounds).map { places in
      pairs.divided(
        by: ranges.isAscending ? places : places.map { count - 1 - $0 }, among: count)
    }
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
