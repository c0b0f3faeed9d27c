import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD

/// Values combined by key with Python functions: first inside each partition, then across them.
struct CombineByKey: Sendable {
  /// Makes a key's first combined value; nil: the value itself.
  let createCombiner: TaskFunction?
  let mergeValue: TaskFunction
  let mergeCombiners: TaskFunction
  let partitioning: KeyPartitioning

  var place: OperatorPlace { partitioning.place }

  func node(over parent: RDDNode) -> RDDNode {
    let partitionCount = partitioning.count
    let shuffle = Shuffle(
      parent: parent, bucketCount: partitionCount, placement: .callingThread
    ) { cursor, task in
      try Interpreter.attach { py in
        var functions = try TaskFunction.forTask([mergeValue] + [createCombiner].compactMap(\.self), py)
        let merge = functions.removeFirst()
        let sink = CombineSink(create: functions.first, merge: merge, place: place)
        try fill(sink, from: cursor, task: task, py)
        return try divide(sink, py)
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
        let sink = CombineSink(create: nil, merge: try mergeCombiners.forTask(py), place: place)
        try fill(sink, from: ArrayCursor(parts), task: task, py)
        guard let list = Py.newList() else { throw PythonError.fetch(py) }
        let pairs = PythonObject(owning: list)
        try sink.forEach { key, value in try append(key, value, to: list, py) }
        return ArrayCursor([PythonBatch(pairs)])
      }
    }
  }

  private func fill(
    _ sink: CombineSink, from cursor: any BatchCursor, task: TaskContext, _ py: borrowing Python
  ) throws {
    try drain(cursor, into: sink, task: task, py)
    guard sink.finish() else {
      guard let (place, record) = sink.takeFailure() else { throw PythonError.fetch(py) }
      defer { Py.release(record) }
      throw PythonError.fetch(at: place, record: record, py)
    }
  }

  private func append(
    _ key: PyPointer, _ value: PyPointer, to list: PyPointer, _ py: borrowing Python
  ) throws {
    guard let pair = Py.newPair(key, value) else { throw PythonError.fetch(py) }
    defer { Py.release(pair) }
    guard Py.append(pair, to: list) else { throw PythonError.fetch(py) }
  }

  /// The pairs by their key's partition; nothing for an empty bucket.
  private func divide(
    _ sink: CombineSink, _ py: borrowing Python
  ) throws -> [[any RecordBatch]] {
    let buckets = Buckets(try partitioning.forTask(py))
    try sink.forEach { key, value in
      guard let pair = Py.newPair(key, value) else { throw PythonError.fetch(py) }
      defer { Py.release(pair) }
      try buckets.add(pair, key: key, py)
    }
    return try buckets.batches()
  }
}

/// Combines (key, value) records in a ``KeyTable``: keys stay in first-seen order.
///
/// Records wait until some of them can be looked up together; they are combined in the order in
/// which they came. Call ``finish()`` behind the last.
final class CombineSink: RecordSink {
  private struct Waiting {
    let record: PyPointer
    let key: PyPointer
    let value: PyPointer
    let hash: Int
  }

  /// Enough to hide the way to memory, few enough to stay in the nearest cache.
  private static let window = 32

  private var table = KeyTable()
  private let waiting: UnsafeMutablePointer<Waiting>
  private var waitingCount = 0
  private let create: PythonObject?
  private let merge: PyPointer
  private let mergeOwner: PythonObject
  private let place: OperatorPlace
  private var failedRecord: PyPointer?

  init(create: PythonObject?, merge: PythonObject, place: OperatorPlace) {
    waiting = .allocate(capacity: Self.window)
    self.create = create
    mergeOwner = merge
    self.merge = merge.pointer
    self.place = place
  }

  deinit {
    for index in 0..<waitingCount { Py.release(waiting[index].record) }
    waiting.deallocate()
  }

  func take(_ record: PyPointer) -> Bool {
    var record = record
    if !(Py.isExactTuple(record) && Py.tupleCount(record) == 2) {
      guard let pair = unpackedPair(record) else { return fail(record) }
      Py.release(record)
      record = pair
    }
    let key = Py.tupleItem(record, 0)
    let hash = Py.hash(key)
    if hash == -1 { return fail(record) }
    table.prefetch(hash: hash)
    waiting[waitingCount] = Waiting(
      record: record, key: key, value: Py.tupleItem(record, 1), hash: hash)
    waitingCount += 1
    return waitingCount < Self.window || combineWaiting()
  }

  /// Combines what waits. False: an exception is set.
  func finish() -> Bool { combineWaiting() }

  var isFull: Bool { false }

  func takeFailure() -> (place: OperatorPlace, record: PyPointer)? {
    defer { failedRecord = nil }
    return failedRecord.map { (place, $0) }
  }

  /// The number of keys.
  var count: Int { table.count }

  /// Calls `body` with each key and its combined value, borrowed, in first-seen order.
  func forEach(_ body: (_ key: PyPointer, _ value: PyPointer) throws -> Void) rethrows {
    try table.forEach { try body($0.key, $0.value) }
  }

  private func combineWaiting() -> Bool {
    let count = waitingCount
    waitingCount = 0
    for index in 0..<count { table.prefetchEntry(hash: waiting[index].hash) }
    for index in 0..<count { table.prefetchObjects(hash: waiting[index].hash) }
    for index in 0..<count {
      let item = waiting[index]
      guard combine(item) else {
        for rest in (index + 1)..<max(count, index + 1) { Py.release(waiting[rest].record) }
        return fail(item.record)
      }
      Py.release(item.record)
    }
    return true
  }

  @inline(__always)
  private func combine(_ item: Waiting) -> Bool {
    var failed = false
    if let place = table.find(item.key, hash: item.hash, failed: &failed) {
      guard let merged = Py.call(merge, table.value(at: place), item.value) else { return false }
      table.replaceValue(at: place, by: merged)
      return true
    }
    if failed { return false }
    let first: PyPointer
    if let create {
      guard let combiner = Py.call(create.pointer, item.value) else { return false }
      first = combiner
    } else {
      Py.retain(item.value)
      first = item.value
    }
    Py.retain(item.key)
    table.insert(item.key, hash: item.hash, value: first)
    return true
  }

  private func fail(_ record: PyPointer) -> Bool {
    failedRecord = record
    return false
  }
}
