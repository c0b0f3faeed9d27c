import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

extension Spread {
  /// The records of one partition, by the partitions that they go to.
  func divided(_ flow: PartitionFlow, _ task: TaskContext) throws -> [[any RecordBatch]] {
    // Not the flow's own number: a union hands on the one of its input.
    var turns = Turns(from: task.partition, among: count)
    guard try flow.isNative() else {
      return try language.spread(flow.rest(), among: count, &turns, task)
    }
    // Text and columns natively, and what comes otherwise as objects, each in its turn.
    var divided = DividedColumns(count)
    while let batch = try flow.next() {
      try task.checkCancellation()
      if batch.recordCount == 0 { continue }
      let column: Column
      switch batch {
      case let block as TextBlock: column = .text(block.column())
      case let batch as ColumnBatch: column = batch.column
      default:
        let rest = Rest(ArrayCursor([batch]), [], partition: flow.partition)
        try divided.add(language.spread(rest, among: count, &turns, task))
        continue
      }
      let places = turns.next(column.count)
      try divided.add(column.divided(by: places, among: count), rows: column.count)
    }
    return try divided.finish()
  }
}

extension RDDNode {
  /// The records in `spread.count` partitions, evenly.
  public func spread(_ spread: Spread) -> RDDNode {
    let type = recordType
    let shuffle = Shuffle(
      parent: self, .spread(spread),
      // Where the records are known to come in columns, no step needs a language.
      placement: type == nil ? spread.language.placement : .anyThread)
    return RDDNode(
      .spread(spread), name: spread.place.name, context: context, shuffle: shuffle,
      partitionCount: spread.count, recordType: type)
  }
}
