import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD

/// The native form of what combines the values of a key.
struct NativeMerge: Sendable {
  /// Merges two values; nil where values are gathered in lists.
  private let function: Expression?

  /// Nil where there is none, or where keys are placed by a function of the user's.
  ///
  /// - Throws: ``PythonError`` for an interrupt while the functions are read.
  init?(_ combination: CombineByKey, over parent: RDDNode) throws {
    guard parent.context.isLowering, parent.partitionCount > 0,
      combination.partitioning.function == nil
    else { return nil }
    if combination.gathersLists {
      function = nil
      return
    }
    guard combination.createCombiner == nil,
      combination.mergeValue.pointer == combination.mergeCombiners.pointer
    else { return nil }
    let reading = try Interpreter.attach { py in try combination.mergeValue.lowered(2, py) }
    guard case .expression(let expression) = reading.lowered else { return nil }
    function = expression
  }

  /// How values of pairs of a type merge; nil where that is Python's.
  ///
  /// - Parameter areCombined: the values are what a partition's own values have become.
  func merge(of type: ColumnType, areCombined: Bool = false) -> Merge? {
    guard case .tuple(let items) = type, items.count == 2, items[0].isHashable else { return nil }
    if let function { return try? Merge(function, of: items[1]) }
    if !areCombined { return .gather }
    if case .list = items[1] { return .join }
    return nil
  }

  /// The type of the combined pairs; nil where that is Python's.
  func resultType(of type: ColumnType) -> ColumnType? {
    guard case .tuple(let items) = type, let merge = merge(of: type) else { return nil }
    return .tuple([items[0], merge.resultType(for: items[1])])
  }

  /// Records that are Python's objects are not made columns only to be put into lists.
  var takesObjects: Bool { function != nil }
}

extension NativeMerge {
  /// `parent` in few partitions, where one table for several gives what a table for each gives: keys
  /// that are in all of them are then looked up once for each record, and not again for each
  /// partition.
  func shared(_ parent: RDDNode, of type: ColumnType) -> RDDNode? {
    guard case .tuple(let items) = type, let merge = merge(of: type),
      merge.isAssociative(for: items[1])
    else { return nil }
    return parent.coalesced(to: parent.context.parallelism)
  }
}

/// Pairs combined by key natively, for as long as that gives what Python gives.
final class NativePairs {
  /// Batches between two looks at the process's size.
  private static let lookEvery = 64

  private let native: NativeMerge
  private let areCombined: Bool
  private let partitions: Int
  private var columns: KeyedColumns?
  private var type: ColumnType?
  private var rest: [any RecordBatch] = []
  /// What was put away when memory was short, by partition.
  private(set) var divided: [[any RecordBatch]]

  /// - Parameter areCombined: the values are what those of single partitions have become.
  init(_ native: NativeMerge, areCombined: Bool, partitions: Int) {
    self.native = native
    self.areCombined = areCombined
    self.partitions = partitions
    divided = Array(repeating: [], count: partitions)
  }

  /// Combines all records; false where Python has to go on, with ``takeRest()`` and what is left
  /// in the cursor.
  func add(_ cursor: any BatchCursor, task: TaskContext) throws -> Bool {
    var count = 0
    while let batch = try cursor.next() {
      if batch.recordCount == 0 { continue }
      guard let column = column(of: batch), add(column) else {
        rest = [batch]
        return false
      }
      count += 1
      if count % Self.lookEvery == 0 {
        try task.checkCancellation()
        if SpillStore.shared.isOverLimit(adding: batch.recordCount) { try putAway() }
      }
    }
    return true
  }

  private func column(of batch: any RecordBatch) -> Column? {
    switch batch {
    case let batch as ColumnBatch: batch.column
    case let batch as PythonBatch where native.takesObjects:
      Interpreter.attach { _ in SwiftwaterPython.column(ofList: batch.list.pointer) }
    default: nil
    }
  }

  private func add(_ column: Column) -> Bool {
    if columns == nil {
      guard let merge = native.merge(of: column.type, areCombined: areCombined) else {
        return false
      }
      type = column.type
      columns = KeyedColumns(column.type, merge)
    }
    guard let columns, column.type == type else { return false }
    return columns.add(column)
  }

  /// What is combined becomes parts, by the partitions of their keys.
  func putAway() throws {
    guard let columns, columns.count > 0 else { return }
    self.columns = nil
    for (index, part) in columns.pairs().divided(among: partitions).enumerated() {
      if let part { divided[index].append(try ColumnBatch(part).kept()) }
    }
  }

  /// All pairs by the partition of their key.
  func takeDivided() throws -> [[any RecordBatch]] {
    try putAway()
    return divided
  }

  /// What is combined and not put away, and the batch that could not be added.
  func takeRest() -> [any RecordBatch] {
    defer {
      columns = nil
      rest = []
    }
    return (columns.map { [ColumnBatch($0.pairs())] } ?? []) + rest
  }
}
