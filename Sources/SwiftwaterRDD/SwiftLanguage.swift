import SwiftwaterCore
import SwiftwaterPlan

/// Closures on Swift values: they work on whole batches, so that no call goes through an existential
/// for each record.
struct SwiftLanguage: Language {
  var name: String { "Swift" }
  var placement: TaskPlacement { .anyThread }

  func cursor(over rest: Rest, _ task: TaskContext) throws -> any BatchCursor {
    let steps = rest.steps.map { Self.batchFunction($0.function) }
    return ClosureCursor {
      guard var batch = try rest.input.next() else { return nil }
      try task.checkCancellation()
      for step in steps { batch = try step.transform(batch) }
      return batch
    }
  }

  func combined(
    _ rest: Rest, _ combination: CombineByKey, divided: [[any RecordBatch]], _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    let records = try cursor(over: rest, task)
    let table = Self.keyedFunction(combination.mergeValue).makeTable()
    while let batch = try records.next() { try table.merge(batch) }
    return table.divided(into: combination.partitioner.count)
  }

  func merged(
    _ parts: [any RecordBatch], _ combination: CombineByKey, _ task: TaskContext
  ) throws -> any BatchCursor {
    let table = Self.keyedFunction(combination.mergeCombiners).makeTable()
    for part in parts { try table.merge(part) }
    return ArrayCursor(table.divided(into: 1)[0])
  }

  func divided(
    _ rest: Rest, _ division: PartitionByKey, _ task: TaskContext
  ) throws -> [[any RecordBatch]] {
    guard let function = division.receiver as? any VectorFunction else {
      preconditionFailure("Swift values are divided where they are combined, or for a table")
    }
    let records = try cursor(over: rest, task)
    var divided = [[any RecordBatch]](repeating: [], count: division.partitioner.count)
    while let batch = try records.next() {
      try task.checkCancellation()
      let parts = try function.form.divided(batch, by: division.partitioner)
      for (index, part) in parts.enumerated() where part.recordCount > 0 {
        divided[index].append(part)
      }
    }
    return divided
  }

  func mappedRecords(
    _ results: any RecordBatch, of keyCount: Int, _ form: any ObjectForm
  ) throws -> MappedRecords {
    if let results = results as? any MappedVectors { return results.mapped }
    precondition(results.recordCount == 0, "records that a Swift function has mapped")
    return MappedRecords(outcomes: [], states: results, records: results)
  }

  func zipped(
    _ inputs: [any BatchCursor], _ zip: ZipPartitions, partition: Int, _ task: TaskContext
  ) throws -> any BatchCursor {
    guard let function = zip.function as? any VectorFunction else {
      preconditionFailure("Swift values are not joined")
    }
    try task.checkCancellation()
    let vectors = try inputs.map { try function.form.concatenated($0.drained()) }
    return ArrayCursor([try function.applied(to: vectors)])
  }

  func tableForm(for operation: TableOperation) -> (any ObjectForm)? {
    (operation.functions[0] as? any VectorFunction)?.form
  }

  func column(of batch: any RecordBatch) -> Column? { (batch as? ColumnBatch)?.column }

  private static func batchFunction(_ function: any UserFunction) -> BatchFunction {
    guard let function = function as? BatchFunction else {
      preconditionFailure("a function of another language")
    }
    return function
  }

  private static func keyedFunction(_ function: any UserFunction) -> any KeyedFunction {
    guard let function = function as? any KeyedFunction else {
      preconditionFailure("a function of another language")
    }
    return function
  }
}

/// A closure of a Swift job.
protocol SwiftFunction: UserFunction {}

extension SwiftFunction {
  var language: any Language { SwiftLanguage() }
  var identity: ObjectIdentifier { ObjectIdentifier(self) }
  var isOpen: Bool { false }
  var isBoundToDriver: Bool { true }
  func bindToDriver() {}
  func isSame(as other: any UserFunction) -> Bool { self === other }
}

/// What is done with a batch.
final class BatchFunction: SwiftFunction {
  typealias Transform = @Sendable (any RecordBatch) throws -> any RecordBatch
  let transform: Transform

  init(_ transform: @escaping Transform) { self.transform = transform }
}

/// What is done with two values of a key.
protocol KeyedFunction: SwiftFunction {
  func makeTable() -> any MergingTable
}

/// Values by key that are merged.
protocol MergingTable: AnyObject {
  func merge(_ batch: any RecordBatch) throws

  /// The entries by their key's partition, one batch each, none where a bucket is empty.
  func divided(into buckets: Int) -> [[any RecordBatch]]
}
