import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// When the keys of a table had new values last, as checkpoints have it: pairs of a key and milliseconds,
/// beside the pairs of the table.
enum KeyTimes {
  private static let rowsTogether = 4096

  /// Those of all keys of which one is known, the earliest first, and in the order in which their time
  /// will be out; nothing where no time runs.
  static func batches(of content: any TableContent) throws -> [any RecordBatch] {
    guard let (table, clock) = content.clocked else { return [] }
    var rest = clock.all(in: table)[...]
    var batches: [any RecordBatch] = []
    while !rest.isEmpty {
      let numbers = Array(rest.prefix(rowsTogether))
      rest = rest.dropFirst(numbers.count)
      let times = Column.integer(Buffer(numbers.map { clock.time(of: $0) ?? .min }))
      let keys = try table.keys(numbers)
      if let keys = keys as? ColumnBatch {
        batches.append(ColumnBatch(.tuple([keys.column, times], count: numbers.count)))
      } else if let form = table.form as? any ObjectForm {
        batches.append(try form.pairs(keys, form.asObjects(ColumnBatch(times))))
      }
    }
    return batches
  }

  /// The numbers of a table's keys with their times, the earliest first.
  static func read(
    _ batch: TableInput, of table: OrderedTable, _ call: TableCall
  ) throws -> [(time: Int64, numbers: [UInt32])] {
    if batch.recordCount == 0 { return [] }
    let form = batch.columnType.flatMap { ColumnForm($0) as (any PairForm)? } ?? table.form
    var (keys, values) = try batch.split(form)
    if let objects = table.form as? any ObjectForm { keys = try objects.asObjects(keys) }
    guard let (numbers, new) = try table.numbers(of: keys),
      case .integer(let times)? = call.column(of: values)?.expanded()
    else { throw UnfitForColumns() }
    table.releaseUnused(new)
    var byTime: [Int64: [UInt32]] = [:]
    for (row, number) in numbers.enumerated() where table.hasValue(number) {
      byTime[times[row], default: []].append(number)
    }
    return byTime.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

extension TableContent {
  /// Takes over times that an earlier run has written.
  func takeTimes(_ batch: TableInput, _ call: TableCall) throws {
    guard let (table, clock) = clocked else { return }
    var known = clock
    for (time, numbers) in try KeyTimes.read(batch, of: table, call) {
      known.note(numbers, at: time, bound: table.bound)
    }
    clocked = (table, known)
  }
}

extension RDDNode {
  /// When the keys of the table that this is a view of had new values last; nil where no time runs, and
  /// where a language has no form for that.
  ///
  /// - Throws: what the tasks throw that take in what the table lacks.
  public func keyTimes(with runner: JobRunner) throws -> RDDNode? {
    guard let step, step.operation.hasKeyTimes else { return nil }
    try step.prepare(with: runner)
    let partitions = try step.table.parts.indices.map {
      try step.table.parts[$0].times(of: step, $0)
    }
    return .batches(partitions, name: name, context: context)
  }
}

extension TableOperation {
  /// True where checkpoints may have the times of keys: those of Swift values have no form as bytes.
  var hasKeyTimes: Bool {
    (hasTimeout || limits.timeToLive != nil) && !(language is SwiftLanguage)
  }
}
