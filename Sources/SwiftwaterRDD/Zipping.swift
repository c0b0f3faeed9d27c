import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

extension ZipPartitions {
  /// What the partitions give natively; nil where the language has to do it, with `inputs` as they
  /// are then.
  func native(
    over inputs: inout [any BatchCursor], types: [ColumnType?], _ task: TaskContext
  ) throws -> (any BatchCursor)? {
    guard let form, task.isLowering || language.isNativeOnly else { return nil }
    let sides = try zip(inputs, types).map { input, type in
      try ZippedSide(input, type: type, isBounded: !language.isNativeOnly, task: task)
    }
    if let result = form.cursor(over: sides, task: task) { return result }
    inputs = sides.map { $0.cursor() }
    return nil
  }
}

extension ZipForm {
  /// Nil where a language has to do it.
  fileprivate func cursor(over sides: [ZippedSide], task: TaskContext) -> (any BatchCursor)? {
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

/// The records of one part, as far as they can be one column.
private struct ZippedSide {
  private var batches: [any RecordBatch] = []
  private let rest: any BatchCursor
  private(set) var type: ColumnType?
  /// True where nothing else is left in the cursor.
  private(set) var isWhole = false

  /// - Parameters:
  ///   - type: of the records, where there may be none to show it.
  ///   - isBounded: where memory is short somebody else goes on.
  init(
    _ cursor: any BatchCursor, type: ColumnType?, isBounded: Bool, task: TaskContext
  ) throws {
    rest = cursor
    var found: ColumnType?
    while let batch = try cursor.next() {
      try task.checkCancellation()
      if batch.recordCount == 0 { continue }
      batches.append(batch)
      guard let batch = batch as? ColumnBatch, found == nil || found == batch.column.type,
        !isBounded || !SpillStore.shared.isOverLimit(adding: batch.recordCount)
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
