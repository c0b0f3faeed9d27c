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
    let input = SpreadInput(flow)
    while let batch = try input.next() {
      try task.checkCancellation()
      if let column = batch.asColumn {
        let places = turns.next(column.count)
        try divided.add(column.divided(by: places, among: count), rows: column.count)
      } else {
        // All that follow, since what is moved together stays together.
        let rest = Rest(input.objects(from: batch), [], partition: flow.partition)
        try divided.add(language.spread(rest, among: count, &turns, task))
      }
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

/// The records of a flow, of which columns and a language's objects are read by turns.
private final class SpreadInput {
  private let flow: PartitionFlow
  /// Read, and not yet asked for.
  private var pending: (any RecordBatch)?
  private var isAtEnd = false

  init(_ flow: PartitionFlow) { self.flow = flow }

  /// The next batch that is not empty.
  func next() throws -> (any RecordBatch)? {
    if let batch = pending {
      pending = nil
      return batch
    }
    while !isAtEnd {
      guard let batch = try flow.next() else { break }
      if batch.recordCount > 0 { return batch }
    }
    isAtEnd = true
    return nil
  }

  /// A batch of objects, and those behind it as far as they are objects too.
  func objects(from first: any RecordBatch) -> any BatchCursor {
    pending = first
    return ClosureCursor { [self] in
      guard let batch = try next() else { return nil }
      guard batch.asColumn != nil else { return batch }
      pending = batch
      return nil
    }
  }
}

extension RecordBatch {
  /// Text and columns as a column; nil for other records.
  fileprivate var asColumn: Column? {
    switch self {
    case let block as TextBlock: .text(block.column())
    case let batch as ColumnBatch: batch.column
    default: nil
    }
  }
}
