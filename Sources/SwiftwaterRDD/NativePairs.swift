import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Pairs combined by key natively, for as long as that gives what the language gives.
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

  /// Combines all records; false where the language has to go on, with ``takeRest()`` and what is left
  /// in the cursor.
  func add(_ cursor: any BatchCursor, task: TaskContext) throws -> Bool {
    var count = 0
    while let batch = try cursor.next() {
      if batch.recordCount == 0 { continue }
      guard let column = native.column(of: batch), add(column) else {
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
      if let part { divided[index].append(try ColumnBatch(part).spillingIfShort()) }
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
