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
  /// The functions put values into lists, and lists together: nothing else.
  var gathersLists = false

  var place: OperatorPlace { partitioning.place }

  /// - Throws: ``PythonError`` for an interrupt while the functions are read.
  func node(over parent: RDDNode) throws -> RDDNode {
    try captured().capturedNode(over: parent, mergingBy: mergeCombiners)
  }

  /// The combination whose parts are merged by another function, a copy of its own.
  func merging(by function: TaskFunction) -> CombineByKey {
    let isOneFunction = mergeValue.pointer == mergeCombiners.pointer
    return CombineByKey(
      createCombiner: createCombiner, mergeValue: isOneFunction ? function : mergeValue,
      mergeCombiners: function, partitioning: partitioning, gathersLists: gathersLists)
  }

  /// The combination with what its functions have captured by now.
  private func captured() throws -> CombineByKey {
    let functions = [createCombiner, mergeValue, mergeCombiners, partitioning.function]
    guard functions.contains(where: { $0?.isOpen == true }) else { return self }
    return try Interpreter.attach { py in
      var captured = try TaskFunction.captured(functions.compactMap(\.self), py)[...]
      let all = functions.map { $0 == nil ? nil : captured.popFirst() }
      return CombineByKey(
        createCombiner: all[0], mergeValue: all[1] ?? mergeValue,
        mergeCombiners: all[2] ?? mergeCombiners, partitioning: partitioning.with(all[3]),
        gathersLists: gathersLists)
    }
  }

  /// - Parameter mergeCombiners: as the user gave it.
  private func capturedNode(
    over parent: RDDNode, mergingBy mergeCombiners: TaskFunction
  ) throws -> RDDNode {
    let native = try NativeMerge(self, over: parent)
    // Where the records are known to be pairs of types that merge natively, no step needs Python.
    let type = parent.recordType.flatMap { native?.resultType(of: $0) }
    let placement: TaskPlacement = type == nil ? .oneAtATime : .anyThread
    let mapSide = parent.recordType.flatMap { native?.shared(parent, of: $0) } ?? parent
    let shuffle = Shuffle(
      parent: mapSide, bucketCount: partitioning.count, placement: placement, recipe: self
    ) { cursor, task in
      if task.isMoved, let buckets = try moved(cursor, over: mapSide, native, task) {
        return buckets
      }
      return try combined(cursor, of: parent, task: task)
    }
    return LateMerge(
      self, by: mergeCombiners, behind: shuffle, of: parent, shuffledType: type
    ).node()
  }

  /// The pairs of several parts of one partition, with the values of each key combined.
  func mergedParts(
    _ parts: [any RecordBatch], of parent: RDDNode, task: TaskContext
  ) throws -> any BatchCursor {
    // The keys of one part are different already.
    if parts.count <= 1 { return ArrayCursor(parts) }
    if let native = try NativeMerge(self, over: parent),
      !SpillStore.shared.isOverLimit(adding: parts.count)
    {
      let pairs = NativePairs(native, areCombined: true, partitions: 1)
      if try pairs.add(ArrayCursor(parts), task: task) {
        return ArrayCursor(try pairs.takeDivided()[0])
      }
    }
    return try Interpreter.attach { py in try merged(parts, of: parent, task: task, py) }
  }

  /// The records of a partition combined in a worker process, by the partitions of their keys; nil
  /// where the driver does it natively.
  ///
  /// - Parameter node: whose partition the cursor reads.
  private func moved(
    _ cursor: any BatchCursor, over node: RDDNode, _ native: NativeMerge?, _ task: TaskContext
  ) throws -> [[any RecordBatch]]? {
    if let earlier = cursor as? RemoteCursor {
      return try earlier.then(.combine(self)).run().buckets
    }
    if native != nil { return nil }
    return try RemoteCursor(
      [cursor], again: { [try node.cursor(partition: task.partition, task: task)] },
      readsText: node.recordType == .text, .combine(self),
      partition: task.partition, in: node.context, task: task
    )?.run().buckets
  }

  private func isNative(_ cursor: any BatchCursor) throws -> Bool {
    guard let cursor = cursor as? PipelineCursor else { return true }
    return try cursor.isNative()
  }

  /// The records combined with Python functions, by the partitions of their keys.
  ///
  /// - Parameter pairs: what is combined already, and the batch in front of the cursor.
  private func divided(
    _ cursor: any BatchCursor, _ pairs: NativePairs?, of parent: RDDNode, task: TaskContext
  ) throws -> [[any RecordBatch]] {
    // Lists are parts of their own: what comes next is no list.
    if gathersLists { try pairs?.putAway() }
    return try Interpreter.attach { py in
      let divided = DividedPairs(pairs?.divided ?? [], partitioning.count)
      var functions = try TaskFunction.forTask(
        [mergeValue] + [createCombiner].compactMap(\.self), py)
      let merge = functions.removeFirst()
      let bound = try partitioning.forTask(py)
      let direct = parent.context.isLowering ? try mergeValue.direct(2, py) : nil
      let sink = CombineSink(
        create: functions.first, merge: merge, direct: direct, place: place
      ) { sink, py in
        try divided.add(sink, by: bound, py)
      }
      if let pairs {
        // A combined value is a value here, or there is none.
        try drain(ArrayCursor(pairs.takeRest()), into: sink, task: task, py)
      }
      try drain(cursor, into: sink, task: task, py)
      try finish(sink, py)
      try divided.add(sink, by: bound, py)
      return divided.batches
    }
  }

  /// The pairs of several parts, with the values of each key combined.
  private func merged(
    _ parts: [any RecordBatch], of parent: RDDNode, task: TaskContext, _ py: borrowing Python
  ) throws -> any BatchCursor {
    let merge = try mergeCombiners.forTask(py)
    let direct = parent.context.isLowering ? try mergeCombiners.direct(2, py) : nil
    let sink = CombineSink(create: nil, merge: merge, direct: direct, place: place)
    let reader = RecordReader(.batches(ArrayCursor(parts)))
    let chain = RecordChain([], into: sink)
    while try reader.pump(into: chain, py) {
      try task.checkCancellation()
      // Full: what is combined so far and what is left go to disk, by the hashes of their keys.
      try finish(sink, py)
      return try mergedOnDisk(sink.takePairs(py), and: reader, with: merge, task: task, py)
    }
    try finish(sink, py)
    return ArrayCursor([PythonBatch(try sink.takePairs(py))])
  }

  /// `swiftwater._spill.merged_pairs`: the same pairs in the same order.
  private func mergedOnDisk(
    _ pairs: PythonObject, and rest: RecordReader, with merge: PythonObject, task: TaskContext,
    _ py: borrowing Python
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

extension CombineByKey {
  /// An RDD whose partitions are those of `parent`, with the values of each key combined in each of
  /// them: what comes before the shuffle.
  func localNode(over parent: RDDNode) throws -> RDDNode {
    try captured().capturedLocalNode(over: parent)
  }

  private func capturedLocalNode(over parent: RDDNode) throws -> RDDNode {
    let native = try NativeMerge(self, over: parent)
    let type = parent.recordType.flatMap { native?.resultType(of: $0) }
    return RDDNode(
      name: place.name, context: parent.context, dependencies: [.narrow(parent)],
      partitionCount: parent.partitionCount,
      placement: type == nil ? .oneAtATime : .anyThread, recordType: type,
      recipe: CombineRecipe(parent: parent, combination: self)
    ) { partition, task in
      let cursor = try parent.cursor(partition: partition, task: task)
      if task.isMoved, let buckets = try moved(cursor, over: parent, native, task) {
        return ArrayCursor(buckets[0])
      }
      return ArrayCursor(try combined(cursor, of: parent, task: task)[0])
    }
  }

  /// The records of one partition combined, by the partitions of their keys.
  func combined(
    _ cursor: any BatchCursor, of parent: RDDNode, task: TaskContext
  ) throws -> [[any RecordBatch]] {
    // As it is now: what a module holds may have been bound anew.
    guard let native = try NativeMerge(self, over: parent), try isNative(cursor) else {
      return try divided(cursor, nil, of: parent, task: task)
    }
    let pairs = NativePairs(native, areCombined: false, partitions: partitioning.count)
    if try pairs.add(cursor, task: task) { return try pairs.takeDivided() }
    return try divided(cursor, pairs, of: parent, task: task)
  }
}

/// What a node knows of the combination that it is, for explaining it.
struct CombineRecipe: Sendable {
  let parent: RDDNode
  let combination: CombineByKey
  /// What is behind the shuffle; nil where there is none.
  var merge: LateMerge?
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
    _ sink: CombineSink, by partitioning: KeyPartitioning.Bound, _ py: borrowing Python
  ) throws {
    let buckets = Buckets(partitioning)
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
