import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan

/// Combines (key, value) records in a ``KeyTable``: keys stay in first-seen order.
///
/// Records wait until some of them can be looked up together; they are combined in the order in
/// which they came. Call ``finish()`` behind the last.
package final class CombineSink: RecordSink {
  private struct Waiting {
    let record: PyPointer
    let key: PyPointer
    let value: PyPointer
    let hash: Int
  }

  /// Enough to hide the way to memory, few enough to stay in the nearest cache.
  private static let window = 32

  private let table = KeyTable()
  private let waiting: UnsafeMutablePointer<Waiting>
  private var waitingCount = 0
  private let create: PythonObject?
  private let merge: PyPointer
  private let mergeOwner: PythonObject
  private let direct: DirectFunction?
  private let place: OperatorPlace
  private let notes = WorkerProgress.notes
  private var failedRecord: PyPointer?
  private var memory = MemoryWatch()
  private let relief: ((CombineSink, borrowing Python) throws -> Void)?
  /// Memory is short, and nobody takes the pairs away meanwhile.
  private(set) var isFull = false

  /// - Parameters:
  ///   - direct: what computes `merge` without a call.
  ///   - relief: takes the pairs away when memory is short.
  package init(
    create: PythonObject?, merge: PythonObject, direct: DirectFunction?, place: OperatorPlace,
    relief: ((CombineSink, borrowing Python) throws -> Void)? = nil
  ) {
    self.relief = relief
    self.direct = direct
    waiting = .allocate(capacity: Self.window)
    self.create = create
    mergeOwner = merge
    self.merge = merge.pointer
    self.place = place
  }

  deinit {
    for index in 0..<waitingCount { Py.release(waiting[index].record) }
    if let failedRecord { PythonObject.release(failedRecord) }
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

  /// Takes records until there are none left, or it is full.
  ///
  /// - Returns: false when there are none left.
  package func fill(from reader: RecordReader, _ py: borrowing Python) throws -> Bool {
    try reader.pump(into: RecordChain([], into: self), py)
  }

  /// Combines what waits. False: an exception is set.
  package func finish() -> Bool { combineWaiting() }

  package func takeFailure() -> (place: OperatorPlace, record: PyPointer)? {
    defer { failedRecord = nil }
    return failedRecord.map { (place, $0) }
  }

  /// Forgets the pairs.
  func empty() {
    table.removeAll()
    memory.startAnew()
    isFull = false
  }

  /// The pairs as a list; the sink is empty afterwards.
  package func takePairs(_ py: borrowing Python) throws -> PythonObject {
    guard let list = Py.newList() else { throw PythonError.fetch(py) }
    let pairs = PythonObject(owning: list)
    try forEach { key, value in
      guard let pair = Py.newPair(key, value) else { throw PythonError.fetch(py) }
      defer { Py.release(pair) }
      guard Py.append(pair, to: list) else { throw PythonError.fetch(py) }
    }
    empty()
    return pairs
  }

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
    return !memory.isShort(afterAdding: count) || makeRoom()
  }

  private func makeRoom() -> Bool {
    guard let relief else {
      isFull = true
      return true
    }
    return Interpreter.called { py in
      do {
        try relief(self, py)
        return true
      } catch {
        raise(error, py)
        return false
      }
    }
  }

  @inline(__always)
  private func combine(_ item: Waiting) -> Bool {
    var failed = false
    notes.enter(place)
    if let place = table.find(item.key, hash: item.hash, failed: &failed) {
      let old = table.value(at: place)
      guard let merged = direct?.value(old, item.value) ?? Py.call(merge, old, item.value) else {
        return false
      }
      table.replaceValue(at: place, by: merged)
      return true
    }
    if failed { return false }
    let first: PyPointer
    if let create {
      guard let combiner = create.call(item.value) else { return false }
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

/// Combined pairs by the partitions of their keys, in the parts in which they came.
package final class DividedPairs {
  package private(set) var batches: [[any RecordBatch]]

  /// - Parameter earlier: what is divided already; nothing, or a list for each partition.
  package init(_ earlier: [[any RecordBatch]], _ count: Int) {
    batches = earlier.isEmpty ? Array(repeating: [], count: count) : earlier
  }

  /// Takes the pairs out of the sink.
  package func add(
    _ sink: CombineSink, by partitioner: BoundPartitioner, _ py: borrowing Python
  ) throws {
    let buckets = Buckets(partitioner)
    try sink.forEach { key, value in
      guard let pair = Py.newPair(key, value) else { throw PythonError.fetch(py) }
      defer { Py.release(pair) }
      try buckets.add(pair, key: key, py)
    }
    sink.empty()
    for (index, part) in try buckets.batches().enumerated() { batches[index] += part }
  }
}
