import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// States that a function changes record by record, and what it makes of each record.
///
/// The function is called for the records of a batch, in their order, and for keys whose time is out. A
/// batch costs with the keys that it has, and with those that time out.
final class MappedContent: TableContent {
  private struct Result {
    let time: Int64
    let records: any RecordBatch
  }

  private var table: OrderedTable?
  /// What became of the records of batches, until somebody has had them.
  private var results: [Result] = []
  private var clock = IdleClock()
  private let rows = RowsByNumber()
  var expired = 0

  var count: Int { table?.count ?? 0 }
  var byteCount: Int { (table?.byteCount ?? 0) + clock.byteCount }

  var clocked: (table: OrderedTable, clock: IdleClock)? {
    get { table.map { ($0, clock) } }
    set { clock = newValue?.clock ?? clock }
  }

  func take(_ batch: TableInput, from start: Int64, _ call: TableCall) throws {
    if batch.isInitial { return try begin(with: batch, call) }
    guard case .mapped(let function, let timeout) = call.operation.kind else {
      preconditionFailure("not a state that records are mapped with")
    }
    forget(through: call.deliveredTime)
    let limit = call.idleLimit(at: batch.time, timeout)
    if limit != nil { clock.begin(with: table, at: batch.time) }
    let due = clock.idle(since: limit, in: table)
    if batch.recordCount == 0, due.isEmpty || timeout == nil {
      return forget(due, since: limit)
    }
    let table = try self.table ?? OrderedTable(form: call.objectForm())
    let (keys, values) = try call.split(batch)
    guard let (numbers, new) = try batch.recordCount == 0 ? ([], []) : table.numbers(of: keys)
    else { throw UnfitForColumns() }
    do {
      let places = distinct(numbers, table)
      let input = MappedInput(time: batch.time, keys: keys, values: values, rows: places.rows)
      // But for those with records in this batch.
      let idle = rows.without(due)
      try step(table, input, places.known, idle: idle, function, call)
      if let limit {
        clock.note(places.known.filter(table.hasValue), at: batch.time, bound: table.bound)
        clock.forget(idleSince: limit)
        expired += idle.count
      }
    } catch {
      table.releaseUnused(new)
      throw error
    }
    table.releaseUnused(new)
    self.table = table
  }

  private func step(
    _ table: OrderedTable, _ input: MappedInput, _ known: [UInt32], idle: [UInt32],
    _ function: TableFunction, _ call: TableCall
  ) throws {
    // Its function is told of its own time-out, and not of the settings' time to live.
    let told = call.operation.hasTimeout ? idle : []
    let mapped = try call.mapped(function, input, of: known, idle: told, in: table)
    let records = try mapped.records.spillingIfShort()
    let changed = mapped.changed.map { known[$0] }
    try call.checkRoom {
      let gone = mapped.removed.count { table.hasValue(known[$0]) } + idle.count
      return table.count + changed.count { !table.hasValue($0) } - gone
    }
    if !changed.isEmpty { try table.set(changed, to: mapped.states) }
    // Nothing fails from here on.
    let removed = mapped.removed.map { known[$0] }.filter(table.hasValue)
    table.clear(removed + idle)
    if records.recordCount > 0 {
      results.append(Result(time: input.time, records: records))
    }
  }

  /// Keys whose time is out go without a call.
  private func forget(_ idle: [UInt32], since limit: Int64?) {
    guard let limit else { return }
    table?.clear(idle)
    clock.forget(idleSince: limit)
    expired += idle.count
  }

  private func forget(through time: Int64) {
    results.removeAll { $0.time <= time }
  }

  /// Each key once, in the order in which they come, and for each number which of them it is.
  private func distinct(
    _ numbers: [UInt32], _ table: OrderedTable
  ) -> (known: [UInt32], rows: [UInt32]) {
    var known: [UInt32] = []
    var places: [UInt32] = []
    rows.reset(bound: table.bound)
    for number in numbers {
      if let row = rows[number] {
        places.append(row)
        continue
      }
      places.append(UInt32(truncatingIfNeeded: known.count))
      rows.set([number], from: known.count)
      known.append(number)
    }
    return (known, places)
  }

  /// Goes on from what was before the first batch.
  private func begin(with batch: TableInput, _ call: TableCall) throws {
    if batch.recordCount == 0 { return }
    try call.checkRoom { batch.recordCount }
    let objects = try call.objectForm()
    let table = OrderedTable(form: objects)
    let (keys, values) = try batch.split(objects)
    guard let (numbers, _) = try table.numbers(of: keys) else { throw UnfitForColumns() }
    try table.set(numbers, to: values)
    self.table = table
  }

  func slide(to time: Int64, from start: Int64, _ call: TableCall) throws {}

  var hasObjects: Bool { true }

  func giveUp() {}

  func makeReader() throws -> any TableReader { OrderedReader(table) }

  func convert(to form: any ObjectForm) throws {}

  /// What became of the records of batches behind a time, in their order.
  func records(behind time: Int64) -> [any RecordBatch] {
    results.filter { $0.time > time }.map(\.records)
  }
}

/// The records of a batch.
private struct MappedInput {
  let time: Int64
  let keys: any RecordBatch
  let values: any RecordBatch
  /// For each record its key's place among the keys.
  let rows: [UInt32]
}

extension TableCall {
  fileprivate func split(
    _ batch: TableInput
  ) throws -> (keys: any RecordBatch, values: any RecordBatch) {
    let objects = try objectForm()
    if batch.recordCount > 0 { return try batch.split(objects) }
    let none = try objects.concatenated([])
    return (none, none)
  }

  /// - Parameters:
  ///   - known: the keys of the records, each once.
  ///   - idle: the keys whose time is out.
  fileprivate func mapped(
    _ function: TableFunction, _ input: MappedInput, of known: [UInt32], idle: [UInt32],
    in table: OrderedTable
  ) throws -> MappedRecords {
    let objects = try objectForm()
    let valued = known.filter(table.hasValue)
    func numbers(_ values: [Int64]) -> any RecordBatch { ColumnBatch(.integer(Buffer(values))) }
    func states(_ numbers: [UInt32]) throws -> any RecordBatch {
      numbers.isEmpty ? try objects.concatenated([]) : try table.values(numbers)
    }
    let made = try called(
      function,
      [
        numbers([input.time]), input.keys, input.values, numbers(input.rows.map(Int64.init)),
        numbers(known.map { table.hasValue($0) ? 1 : 0 }), states(valued),
        idle.isEmpty ? objects.concatenated([]) : table.keys(idle), states(idle),
      ])
    // Another process may send them as columns.
    return try operation.language.mappedRecords(
      objects.asObjects(made), of: known.count, objects)
  }
}
