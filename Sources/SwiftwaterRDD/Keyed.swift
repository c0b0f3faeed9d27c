import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

extension CombineByKey {
  /// The records of one partition combined, by the partitions of their keys.
  func combined(_ flow: PartitionFlow, _ task: TaskContext) throws -> [[any RecordBatch]] {
    // As it is now: what a module holds may have been bound anew.
    guard let native = try NativeMerge(self, isLowering: task.isLowering), try flow.isNative()
    else {
      let rest = try flow.rest(goesIntoFunction: true)
      return try language.combined(rest, self, divided: [], task)
    }
    let pairs = NativePairs(native, areCombined: false, partitions: partitioner.count)
    if try pairs.add(flow, task: task) { return try pairs.takeDivided() }
    // Lists are parts of their own: what comes next is no list. Otherwise a combined value is a value.
    if gathersLists { try pairs.putAway() }
    let combined = ArrayCursor(pairs.takeRest())
    let left = try flow.rest(goesIntoFunction: true)
    let all = ClosureCursor { try combined.next() ?? left.input.next() }
    return try language.combined(
      Rest(all, left.steps, partition: flow.partition), self, divided: pairs.divided, task)
  }

  /// The pairs of several parts of one partition, with the values of each key combined.
  func merged(_ parts: [any RecordBatch], _ task: TaskContext) throws -> any BatchCursor {
    // The keys of one part are different already.
    if parts.count <= 1 { return ArrayCursor(parts) }
    if let native = try NativeMerge(self, isLowering: task.isLowering),
      language.isNativeOnly || !SpillStore.shared.isOverLimit(adding: parts.count)
    {
      let pairs = NativePairs(native, areCombined: true, partitions: 1)
      if try pairs.add(ArrayCursor(parts), task: task) {
        return ArrayCursor(try pairs.takeDivided()[0])
      }
    }
    return try language.merged(parts, self, task)
  }
}

extension PartitionByKey {
  /// True where keys that columns hold are divided without the language.
  func takesColumns(isLowering: Bool) -> Bool {
    (isLowering || language.isNativeOnly) && partitioner.isNative
  }

  /// The pairs of one partition, by the partitions of their keys.
  func divided(_ flow: PartitionFlow, _ task: TaskContext) throws -> [[any RecordBatch]] {
    guard takesColumns(isLowering: task.isLowering), try flow.isNative() else {
      return try language.divided(flow.rest(goesIntoFunction: true), self, task)
    }
    // Pairs in columns natively, and what comes otherwise as objects, each in its turn.
    var divided = DividedColumns(partitioner.count)
    while let batch = try flow.next() {
      try task.checkCancellation()
      if let batch = batch as? ColumnBatch, let parts = partitioner.divided(batch.column) {
        try divided.add(parts, rows: batch.recordCount)
      } else if batch.recordCount > 0 {
        let rest = Rest(ArrayCursor([batch]), [], partition: flow.partition)
        try divided.add(language.divided(rest, self, task))
      }
    }
    return try divided.finish()
  }
}
