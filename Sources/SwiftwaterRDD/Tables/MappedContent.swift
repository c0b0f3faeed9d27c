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

  var count: Int { table?.count ?? 0 }
  var byteCount: Int { (table?.byteCount ?? 0) + clock.byteCount }

  func take(_ batch: TableInput, from start: Int64, _ call: TableCall) throws {
    if batch.isInitial { return try begin(with: batch, call) }
    guard case .mapped(let function, let timeout) = call.operation.kind else {
      preconditionFailure("not a state that records are mapped with")
    }
    forget(through: call.deliveredTime)
    if let timeout { clock.begin(with: table, at: batch.time, timeout) }
    let due = clock.due(at: batch.time)
    if batch.recordCount == 0, !hasIdle(due) {
      clock.pass(due)
      return
    }
    let table = try self.table ?? OrderedTable(form: call.objectForm())
    let (keys, values) = try call.split(batch)
    guard let (numbers, new) = try batch.recordCount == 0 ? ([], []) : table.numbers(of: keys)
    else { throw UnfitForColumns() }
    do {
      let places = distinct(numbers, table)
      let input = MappedInput(time: batch.time, keys: keys, values: values, rows: places.rows)
      try step(table, input, places.known, idle: idleNumbers(due, table), function, call)
      clock.pass(due)
      if timeout != nil {
        clock.note(places.known.filter(table.hasValue), at: batch.time, bound: table.bound)
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
    let mapped = try call.mapped(function, input, of: known, idle: idle, in: table)
    let records = try mapped.records.spillingIfShort()
    let changed = mapped.changed.map { known[$0] }
    if !changed.isEmpty { try table.set(changed, to: mapped.states) }
    // Nothing fails from here on.
    let removed = mapped.removed.map { known[$0] }.filter(table.hasValue)
    table.clear(removed + idle)
    if records.recordCount > 0 {
      results.append(Result(time: input.time, records: records))
    }
  }

  private func forget(through time: Int64) {
    results.removeAll { $0.time <= time }
  }

  private func hasIdle(_ due: ArraySlice<IdleClock.Entry>) -> Bool {
    for entry in due where clock.isIdle(entry, in: table) { return true }
    return false
  }

  /// The keys whose time is out, but for those with records in this batch.
  private func idleNumbers(
    _ due: ArraySlice<IdleClock.Entry>, _ table: OrderedTable
  ) -> [UInt32] {
    due.flatMap { entry in
      entry.numbers.filter { clock.isIdle($0, since: entry.time, in: table) && rows[$0] == nil }
    }
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

/// Which keys have had no record for how long. Asking costs with the keys whose time may be out.
private struct IdleClock {
  struct Entry {
    let time: Int64
    let numbers: [UInt32]
  }

  /// Nil before the first batch, and where no time runs.
  private var timeout: Int64?
  /// The keys of each batch, the oldest first.
  private var entries: [Entry] = []
  private var head = 0
  /// By number: the latest batch that had the key.
  private var latest: [Int64] = []

  var byteCount: Int {
    8 * latest.capacity + entries[head...].reduce(0) { $0 + 4 * $1.numbers.count }
  }

  /// With the first batch the time begins for all states that are there before.
  mutating func begin(with table: OrderedTable?, at time: Int64, _ timeout: Int64) {
    if self.timeout != nil { return }
    self.timeout = timeout
    if let table { note(table.allNumbers, at: time, bound: table.bound) }
  }

  /// Keys have had records, and have a state.
  mutating func note(_ numbers: [UInt32], at time: Int64, bound: Int) {
    if bound > latest.count {
      latest.append(contentsOf: repeatElement(.min, count: bound - latest.count))
    }
    // Each key once for each time.
    let numbers = numbers.filter { latest[Int($0)] != time }
    for number in numbers { latest[Int(number)] = time }
    if !numbers.isEmpty { entries.append(Entry(time: time, numbers: numbers)) }
  }

  /// The keys of batches that are longer ago than the time-out.
  func due(at time: Int64) -> ArraySlice<Entry> {
    guard let timeout else { return [] }
    return entries[head...].prefix { time - $0.time > timeout }
  }

  /// True where a key has had no record since then.
  func isIdle(_ number: UInt32, since time: Int64, in table: OrderedTable?) -> Bool {
    latest[Int(number)] == time && table?.hasValue(number) == true
  }

  /// True where some key has had no record since then.
  func isIdle(_ entry: Entry, in table: OrderedTable?) -> Bool {
    entry.numbers.contains { isIdle($0, since: entry.time, in: table) }
  }

  /// Nobody asks for them again.
  mutating func pass(_ due: ArraySlice<Entry>) {
    head += due.count
    if head > 64, head > entries.count / 2 {
      entries.removeFirst(head)
      head = 0
    }
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
