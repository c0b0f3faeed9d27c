import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan

extension PythonLanguage {
  func combined(
    _ rest: Rest, _ combination: CombineByKey, divided: [[any RecordBatch]], _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    try Interpreter.attach { py in
      let partitioner = combination.partitioner
      let divided = DividedPairs(divided, partitioner.count)
      let mergeValue = PythonFunction.of(combination.mergeValue)
      let create = combination.createCombiner.map(PythonFunction.of)
      var functions = try PythonFunction.forTask(
        [mergeValue] + [create].compactMap(\.self), py)
      let merge = functions.removeFirst()
      let bound = try BoundPartitioner(partitioner, at: combination.place, py)
      let direct = task.isLowering ? try mergeValue.direct(2, py) : nil
      let sink = CombineSink(
        create: functions.first, merge: merge, direct: direct, place: combination.place
      ) { sink, py in
        try divided.add(sink, by: bound, py)
      }
      try drain(rest, into: sink, task, py)
      try finish(sink, py)
      try divided.add(sink, by: bound, py)
      return divided.batches
    }
  }

  func merged(
    _ parts: [any RecordBatch], _ combination: CombineByKey, _ task: TaskContext
  ) throws -> any BatchCursor {
    try Interpreter.attach { py in
      let mergeCombiners = PythonFunction.of(combination.mergeCombiners)
      let merge = try mergeCombiners.forTask(py)
      let direct = task.isLowering ? try mergeCombiners.direct(2, py) : nil
      let place = combination.place
      let sink = CombineSink(create: nil, merge: merge, direct: direct, place: place)
      let reader = RecordReader(.batches(ArrayCursor(parts)))
      let chain = RecordChain([], into: sink)
      while try reader.pump(into: chain, py) {
        try task.checkCancellation()
        // Full: what is combined so far and what is left go to disk, by the hashes of their keys.
        try finish(sink, py)
        return try mergedOnDisk(sink.takePairs(py), and: reader, with: merge, place, task, py)
      }
      try finish(sink, py)
      return ArrayCursor([PythonBatch(try sink.takePairs(py))])
    }
  }

  /// `swiftwater._spill.merged_pairs`: the same pairs in the same order.
  private func mergedOnDisk(
    _ pairs: PythonObject, and rest: RecordReader, with merge: PythonObject,
    _ place: OperatorPlace, _ task: TaskContext, _ py: borrowing Python
  ) throws -> any BatchCursor {
    let upstream = UpstreamRecords(rest, through: [], after: pairs)
    do {
      guard let iterator = RecordIteratorType.make(upstream) else { throw PythonError.fetch(py) }
      defer { Py.release(iterator) }
      let mergePairs = try py.importing("merged_pairs", from: "swiftwater._spill")
      guard let result = mergePairs.call(iterator, merge.pointer) else {
        throw PythonError.fetch(at: place, record: nil, py)
      }
      defer { Py.release(result) }
      guard let output = Py.iterator(over: result) else { throw PythonError.fetch(py) }
      return ReaderCursor(
        RecordReader(.iterator(PythonObject(owning: output), place, upstream)), of: [upstream],
        task: task)
    } catch {
      upstream.close()
      throw error
    }
  }

  private func finish(_ sink: CombineSink, _ py: borrowing Python) throws {
    guard sink.finish() else {
      guard let (place, record) = sink.takeFailure() else { throw PythonError.fetch(py) }
      defer { Py.release(record) }
      throw PythonError.fetch(at: place, record: record, py)
    }
  }
}

/// Combined pairs by the partitions of their keys, in the parts in which they came.
private final class DividedPairs {
  private(set) var batches: [[any RecordBatch]]

  /// - Parameter earlier: what is divided already; nothing, or a list for each partition.
  init(_ earlier: [[any RecordBatch]], _ count: Int) {
    batches = earlier.isEmpty ? Array(repeating: [], count: count) : earlier
  }

  /// Takes the pairs out of the sink.
  func add(
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

  private let table = KeyTable()
  private let waiting: UnsafeMutablePointer<Waiting>
  private var waitingCount = 0
  private let create: PythonObject?
  private let merge: PyPointer
  private let mergeOwner: PythonObject
  private let direct: DirectFunction?
  private let place: OperatorPlace
  private var failedRecord: PyPointer?
  private var memory = MemoryWatch()
  private let relief: ((CombineSink, borrowing Python) throws -> Void)?
  /// Memory is short, and nobody takes the pairs away meanwhile.
  private(set) var isFull = false

  /// - Parameters:
  ///   - direct: what computes `merge` without a call.
  ///   - relief: takes the pairs away when memory is short.
  init(
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

  /// Combines what waits. False: an exception is set.
  func finish() -> Bool { combineWaiting() }

  func takeFailure() -> (place: OperatorPlace, record: PyPointer)? {
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
  func takePairs(_ py: borrowing Python) throws -> PythonObject {
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
    WorkerProgress.enter(place)
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
