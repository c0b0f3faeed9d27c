import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD

/// Partitions put together from partitions of several RDDs, without a shuffle.
struct Gather: Sendable {
  struct Part: Sendable {
    let rdd: RDDNode
    let partition: Int
  }

  /// For each partition, what it is made of.
  let plan: [[Part]]
  /// Called with the partition's number and an iterator for each part; nil: one part behind the
  /// other.
  let function: TaskFunction?
  /// What `function` comes to where pairs are in columns.
  var form: NativeForm?
  let place: OperatorPlace

  /// - Throws: ``PythonError`` for an interrupt while functions are read.
  func node(over rdds: [RDDNode], context: SparkContext) throws -> RDDNode {
    let captured = try function.map { function in
      function.isOpen
        ? try Interpreter.attach { py in try TaskFunction.captured([function], py)[0] } : function
    }
    let gather = Gather(plan: plan, function: captured, form: form, place: place)
    return gather.capturedNode(over: rdds, context: context)
  }

  private func capturedNode(over rdds: [RDDNode], context: SparkContext) -> RDDNode {
    let form = context.isLowering ? self.form : nil
    let types = rdds.map(\.recordType)
    // One behind the other, records are what they are.
    let type =
      function == nil ? (Set(types).count == 1 ? types[0] : nil) : form?.resultType(of: types)
    return RDDNode(
      name: place.name, context: context, dependencies: rdds.map { .narrow($0) },
      partitionCount: plan.count,
      placement: function == nil || type != nil ? .anyThread : .oneAtATime, recordType: type,
      recipe: self
    ) { partition, task in
      let parts = plan[partition]
      guard let function else { return ConcatenatingCursor(parts, task: task) }
      var cursors = try parts.map { try $0.rdd.cursor(partition: $0.partition, task: task) }
      if let form {
        let sides = try zip(parts, cursors).map { part, cursor in
          try NativeSide(cursor, type: part.rdd.recordType, task: task)
        }
        if let result = form.cursor(over: sides, task: task) { return result }
        cursors = sides.map { $0.cursor() }
      }
      if task.isMoved,
        let moved = RemoteCursor(
          cursors,
          again: { try parts.map { try $0.rdd.cursor(partition: $0.partition, task: task) } },
          .gather(function, place), partition: partition, in: context, task: task)
      {
        return moved
      }
      return try Self.cursor(
        over: cursors, partition: partition, function: function, place: place, task: task)
    }
  }

  /// What a function makes of some cursors.
  static func cursor(
    over cursors: [any BatchCursor], partition: Int, function: TaskFunction,
    place: OperatorPlace, task: TaskContext
  ) throws -> any BatchCursor {
    try Interpreter.attach { py in
      let inputs = cursors.map { UpstreamRecords(RecordReader(.batches($0)), through: []) }
      do {
        let reader = try call(function, partition: partition, inputs, place, py)
        return ReaderCursor(reader, of: inputs, task: task)
      } catch {
        for input in inputs { input.close() }
        throw error
      }
    }
  }

  private static func call(
    _ function: TaskFunction, partition: Int, _ inputs: [UpstreamRecords],
    _ place: OperatorPlace, _ py: borrowing Python
  ) throws -> RecordReader {
    guard let list = py.newList(inputs.map { RecordIteratorType.make($0) }) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(list) }
    guard let index = py.newInteger(partition) else { throw PythonError.fetch(py) }
    defer { Py.release(index) }
    guard let result = try function.forTask(py).call(index, list) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    defer { Py.release(result) }
    guard let output = Py.iterator(over: result) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    return RecordReader(.iterator(PythonObject(owning: output), place, nil))
  }
}

/// A function on parts of RDDs of pairs, as the engine knows it.
enum NativeForm: Sendable {
  case join(HashJoin.Kind)
  /// The pairs of one part by their keys.
  case sort(ascending: Bool)

  /// Nil where the name is that of none.
  init?(_ name: String) {
    switch name {
    case "ascending": self = .sort(ascending: true)
    case "descending": self = .sort(ascending: false)
    default:
      guard let kind = HashJoin.Kind(rawValue: name) else { return nil }
      self = .join(kind)
    }
  }

  /// Nil where it is not known, or where Python is needed.
  func resultType(of types: [ColumnType?]) -> ColumnType? {
    switch self {
    case .join(let kind):
      guard types.count == 2, let left = types[0], let right = types[1] else { return nil }
      return kind.resultType(of: left, right)
    case .sort:
      guard types.count == 1, case .tuple(let items) = types[0], items.count == 2,
        items[0].isOrdered
      else { return nil }
      return types[0]
    }
  }

  /// Nil where Python has to do it.
  fileprivate func cursor(over sides: [NativeSide], task: TaskContext) -> (any BatchCursor)? {
    let columns = sides.compactMap(\.column)
    guard columns.count == sides.count, resultType(of: columns.map(\.type)) != nil else {
      return nil
    }
    switch self {
    case .join(let kind):
      guard var join = HashJoin(kind, columns[0], columns[1]) else { return nil }
      return ClosureCursor {
        try task.checkCancellation()
        return join.next(RunSize.rows).map { ColumnBatch($0) }
      }
    case .sort(let ascending):
      let pairs = columns[0]
      guard let rows = pairs.tupleItems[0].sortedRows(ascending: ascending) else { return nil }
      var done = 0
      return ClosureCursor {
        try task.checkCancellation()
        if done == rows.count { return nil }
        let next = rows[done..<min(done + RunSize.rows, rows.count)]
        done = next.endIndex
        return ColumnBatch(pairs.gathered(Array(next)))
      }
    }
  }
}

/// The records of one part, for as long as they are columns of one type and fit.
private struct NativeSide {
  private var batches: [any RecordBatch] = []
  private let rest: any BatchCursor
  private(set) var type: ColumnType?
  /// True where nothing else is left in the cursor.
  private(set) var isWhole = false

  /// - Parameter type: of the records, where there may be none to show it.
  init(_ cursor: any BatchCursor, type: ColumnType?, task: TaskContext) throws {
    rest = cursor
    var found: ColumnType?
    while let batch = try cursor.next() {
      try task.checkCancellation()
      if batch.recordCount == 0 { continue }
      batches.append(batch)
      guard let batch = batch as? ColumnBatch, found == nil || found == batch.column.type,
        !SpillStore.shared.isOverLimit(adding: batch.recordCount)
      else { return }
      found = batch.column.type
    }
    isWhole = true
    self.type = found ?? type
  }

  /// All records; nil where there are others than these.
  var column: Column? {
    guard isWhole else { return nil }
    let columns = batches.compactMap { ($0 as? ColumnBatch)?.column }
    return columns.isEmpty ? type.map { .empty($0) } : .concatenated(columns)
  }

  /// All its records.
  func cursor() -> any BatchCursor {
    let read = ArrayCursor(batches)
    let rest = isWhole ? nil : self.rest
    return ClosureCursor { try read.next() ?? rest?.next() }
  }
}

/// One cursor after the other; each is opened when it is reached.
private final class ConcatenatingCursor: BatchCursor {
  private var remaining: ArraySlice<Gather.Part>
  private let task: TaskContext
  private var current: (any BatchCursor)?

  init(_ parts: [Gather.Part], task: TaskContext) {
    remaining = parts[...]
    self.task = task
  }

  func next() throws -> (any RecordBatch)? {
    while true {
      if let batch = try current?.next() { return batch }
      guard let part = remaining.popFirst() else { return nil }
      current = try part.rdd.cursor(partition: part.partition, task: task)
    }
  }
}

/// What a reader gives, some records at a time.
final class ReaderCursor: BatchCursor {
  private static let chunk = 4096

  /// Nil when it has failed.
  private var reader: RecordReader?
  private let inputs: [UpstreamRecords]
  private let task: TaskContext
  private var isAtEnd = false
  private var failure: (any Error)?

  /// - Parameter inputs: what the reader's function was given: it is over with this cursor.
  init(_ reader: RecordReader, of inputs: [UpstreamRecords], task: TaskContext) {
    self.reader = reader
    self.inputs = inputs
    self.task = task
  }

  deinit { end() }

  private func end() {
    if reader == nil { return }
    reader = nil
    for input in inputs { input.close() }
  }

  func next() throws -> (any RecordBatch)? {
    guard let reader, !isAtEnd else { return nil }
    if let failure {
      // An error that is kept holds nothing of this, nor this the error.
      self.failure = nil
      end()
      throw failure
    }
    try task.checkCancellation()
    return try Interpreter.attach { py in
      let chain = RecordChain([], into: try ListSink(capacity: Self.chunk, py))
      do {
        isAtEnd = try !reader.pump(into: chain, py)
      } catch {
        // Its turn comes behind the records in front of it.
        failure = error
      }
      return PythonBatch(chain.sink.list)
    }
  }
}
