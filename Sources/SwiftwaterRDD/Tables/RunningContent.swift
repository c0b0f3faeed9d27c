import DequeModule
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// A window that is made from the one before it: an inverse function takes away what has left, and what
/// is new is added. A slide costs with the keys of the batches that come and go.
///
/// Keys stay, whatever their value, unless a filter takes them away or their time to live is over. The
/// order is Spark's: the keys of the window before, then new ones as they first appear.
final class RunningContent: TableContent {
  /// The values of one batch, each key once.
  private struct Partial {
    let time: Int64
    let numbers: [UInt32]
    /// On disk where memory is short.
    var values: any RecordBatch
  }

  private var table: OrderedTable?
  /// The batches of the window, the oldest first.
  private var partials: Deque<Partial> = []
  /// The time of the window that the table has; nil before the first.
  private var last: Int64?
  /// The stream has had an RDD since then.
  private var hasNew = false
  /// Of use where keys have a time to live.
  private var clock = IdleClock()
  private let rows = RowsByNumber()
  var expired = 0
  /// How many values the batches of the window have.
  private var partialCount = 0

  var count: Int { table?.count ?? 0 }

  var byteCount: Int { (table?.byteCount ?? 0) + clock.byteCount + 12 * partialCount }

  var clocked: (table: OrderedTable, clock: IdleClock)? {
    get { table.map { ($0, clock) } }
    set { clock = newValue?.clock ?? clock }
  }

  func take(_ batch: TableInput, from start: Int64, _ call: TableCall) throws {
    if batch.isInitial { return try begin(with: batch, call) }
    if batch.recordCount > 0 {
      let table = try self.table ?? makeTable(for: batch, call)
      let (keys, records) = try batch.split(table.form)
      let values = try records.keptOnDiskIfShort()
      guard let (numbers, _) = try table.numbers(of: keys) else { throw UnfitForColumns() }
      table.retain(numbers)
      self.table = table
      // One array serves them all while batches have the same keys in the same order.
      let shared = partials.last.map(\.numbers).flatMap { $0 == numbers ? $0 : nil }
      partials.append(Partial(time: batch.time, numbers: shared ?? numbers, values: values))
      partialCount += numbers.count
      if call.operation.limits.timeToLive != nil {
        clock.note(numbers, at: batch.time, bound: table.bound)
      }
    }
    if !batch.isMissing, batch.time > last ?? .min { hasNew = true }
  }

  private func makeTable(for batch: TableInput, _ call: TableCall) throws -> OrderedTable {
    guard case .running(let reduce, let inverse, _) = call.operation.kind else {
      preconditionFailure("not a running window")
    }
    return OrderedTable(form: try call.form(for: batch, combining: [reduce, inverse]))
  }

  /// Goes on from what an earlier run had.
  private func begin(with batch: TableInput, _ call: TableCall) throws {
    if batch.recordCount > 0 {
      let table = try self.table ?? makeTable(for: batch, call)
      let (keys, values) = try batch.split(table.form)
      guard let (numbers, _) = try table.numbers(of: keys) else { throw UnfitForColumns() }
      try table.set(numbers, to: values)
      self.table = table
    }
    last = batch.time
    hasNew = false
  }

  var hasObjects: Bool { table?.form is any ObjectForm }

  /// The next window is made anew of its batches.
  func giveUp() {
    table.map { $0.clear($0.allNumbers) }
    last = nil
  }

  func slide(to time: Int64, from start: Int64, _ call: TableCall) throws {
    guard case .running(let reduce, let inverse, let keep) = call.operation.kind else {
      preconditionFailure("not a running window")
    }
    let leaving = partials.prefix { $0.time <= start }.count
    // Where windows have failed, batches may have come and gone since the last one: taken away is only
    // what was added.
    let known = last ?? .min
    if known < start, leaving > 0, partials[leaving - 1].time > known {
      do {
        try slide(to: time, from: known, call)
      } catch {
        guard call.operation.language.isOfRecords(error) else { throw error }
        // Nothing of the last window is left: this one is made of its batches.
        forget(leaving)
        giveUp()
      }
      return try slide(to: time, from: start, call)
    }
    if let table {
      let before = last
      let gone = before == nil ? [] : Array(partials.prefix(leaving))
      // The latest are looked at first: no other batch of the window is touched.
      let stayed = partials.lastIndex { $0.time <= before ?? .min }.map { $0 + 1 } ?? 0
      let come = Array(partials[max(leaving, stayed)...])
      let (less, more) = (try folded(gone, reduce, call), try folded(come, reduce, call))
      let limit = idleLimit(at: time, from: start, call)
      let idle = clock.idle(since: limit, in: table)
      var change = Change(table, call, rows, leaving: idle)
      try change.take(less, by: inverse)
      try change.add(more, by: reduce)
      let isEmpty = gone.isEmpty && come.isEmpty
      let isAsked = hasNew || !isEmpty
      try change.commit(
        isAsked ? keep.map { try change.filtered(by: $0, all: hasNew) } : nil)
      clock.forget(idleSince: limit)
      expired += idle.count
    }
    last = time
    hasNew = false
    forget(leaving)
  }

  /// Keys that have had no values since then go: none of their batches is in the window, and their time
  /// to live is over.
  private func idleLimit(at time: Int64, from start: Int64, _ call: TableCall) -> Int64? {
    guard let timeToLive = call.operation.limits.timeToLive else { return nil }
    clock.begin(with: table, at: time)
    return min(time - timeToLive, start + 1)
  }

  /// Forgets the oldest batches.
  private func forget(_ count: Int) {
    for _ in 0..<count {
      let partial = partials.removeFirst()
      table?.release(partial.numbers)
      partialCount -= partial.numbers.count
    }
  }

  /// The values of several batches, combined in their order.
  private func folded(
    _ partials: [Partial], _ reduce: TableFunction, _ call: TableCall
  ) throws -> (numbers: [UInt32], values: any RecordBatch)? {
    guard let table, let first = partials.first else { return nil }
    if partials.count == 1 { return (first.numbers, try first.values.inMemory()) }
    let form = table.form
    var numbers = first.numbers
    var values = try first.values.inMemory()
    rows.reset(bound: table.bound)
    rows.set(numbers)
    for partial in partials.dropFirst() {
      let (known, new) = rows.divide(partial.numbers)
      let own = try partial.values.inMemory()
      let added = try form.gathered(own, known.rows)
      let sums = try call.combined(
        reduce, form.gathered(values, known.others), added, form: form)
      // What was combined takes the place of what was there.
      var all = numbers.indices.map { UInt32(truncatingIfNeeded: $0) }
      for (index, row) in known.others.enumerated() {
        all[Int(row)] = UInt32(truncatingIfNeeded: numbers.count + index)
      }
      let pool = try form.concatenated([values, sums, form.gathered(own, new)])
      all += new.indices.map {
        UInt32(truncatingIfNeeded: numbers.count + known.rows.count + $0)
      }
      values = try form.gathered(pool, all)
      let newNumbers = new.map { partial.numbers[Int($0)] }
      rows.set(newNumbers, from: numbers.count)
      numbers += newNumbers
    }
    return (numbers, values)
  }

  func makeReader() throws -> any TableReader { OrderedReader(table) }

  func convert(to form: any ObjectForm) throws {
    let values = try partials.map {
      try form.asObjects($0.values.inMemory()).keptOnDiskIfShort()
    }
    table = try table?.converted(
      to: form, directory: form.directory(of:_:), vector: form.asObjects(_:))
    for (index, vector) in values.enumerated() { partials[index].values = vector }
  }
}

/// What a slide changes of a running window: computed first, stored afterwards.
private struct Change {
  private let table: OrderedTable
  private let call: TableCall
  private let form: any PairForm
  /// The keys that get a value, each once.
  private var numbers: [UInt32] = []
  private var values: (any RecordBatch)?
  private let rows: RowsByNumber
  private static let keysTogether = 1 << 13
  /// Keys that go in any case: no function is called for them.
  private let leaving: [UInt32]
  private let isLeaving: Set<UInt32>

  init(_ table: OrderedTable, _ call: TableCall, _ rows: RowsByNumber, leaving: [UInt32]) {
    self.table = table
    self.call = call
    self.rows = rows
    self.leaving = leaving
    isLeaving = Set(leaving)
    form = table.form
    rows.reset(bound: table.bound)
  }

  /// Takes values away from those of keys that have one.
  mutating func take(
    _ gone: (numbers: [UInt32], values: any RecordBatch)?, by inverse: TableFunction
  ) throws {
    guard let gone else { return }
    let goneRows = gone.numbers.indices.filter {
      table.hasValue(gone.numbers[$0]) && !isLeaving.contains(gone.numbers[$0])
    }
    .map { UInt32(truncatingIfNeeded: $0) }
    if goneRows.isEmpty { return }
    numbers = goneRows.map { gone.numbers[Int($0)] }
    values = try call.combined(
      inverse, table.values(numbers), form.gathered(gone.values, goneRows), form: form)
    rows.set(numbers)
  }

  /// Adds values to those of keys that have one, and puts others behind them.
  mutating func add(
    _ come: (numbers: [UInt32], values: any RecordBatch)?, by reduce: TableFunction
  ) throws {
    guard let come else { return }
    var known: [UInt32] = []
    var new: [UInt32] = []
    // Of the keys with a value: where it is, in what is changed already or behind that.
    var places: [UInt32] = []
    var untouched: [UInt32] = []
    for (row, number) in come.numbers.enumerated() {
      let row = UInt32(truncatingIfNeeded: row)
      if let place = rows[number] {
        known.append(row)
        places.append(place)
      } else if table.hasValue(number) {
        known.append(row)
        places.append(UInt32(truncatingIfNeeded: numbers.count + untouched.count))
        untouched.append(number)
      } else {
        new.append(row)
      }
    }
    var pool: [any RecordBatch] = values.map { [$0] } ?? []
    if !untouched.isEmpty { pool.append(try table.values(untouched)) }
    var result: [any RecordBatch] = []
    var resultNumbers: [UInt32] = []
    if !known.isEmpty {
      let before = try form.gathered(form.concatenated(pool), places)
      result.append(
        try call.combined(reduce, before, form.gathered(come.values, known), form: form))
      resultNumbers += known.map { come.numbers[Int($0)] }
    }
    // Only taken from.
    var isAdded = [Bool](repeating: false, count: numbers.count)
    for place in places where place < isAdded.count { isAdded[Int(place)] = true }
    let rest = numbers.indices.filter { !isAdded[$0] }.map { UInt32(truncatingIfNeeded: $0) }
    if let values, !rest.isEmpty {
      result.append(try form.gathered(values, rest))
      resultNumbers += rest.map { numbers[Int($0)] }
    }
    if !new.isEmpty {
      result.append(try form.gathered(come.values, new))
      resultNumbers += new.map { come.numbers[Int($0)] }
    }
    numbers = resultNumbers
    values = try form.concatenated(result)
  }

  /// Which pairs a filter keeps.
  ///
  /// - Parameter all: it is asked about keys that have not changed, too, as far as it could have changed
  ///   its mind.
  func filtered(by keep: TableFunction, all: Bool) throws -> Kept {
    var kept = Kept()
    if let values {
      let flags = try call.truths(keep, form.pairs(table.keys(numbers), values), form: form)
      kept.changed = flags
    }
    if all, try !call.isNative(keep, table) {
      rows.reset(bound: table.bound)
      rows.set(numbers)
      // What is on disk need not fit into memory at once.
      let others = table.allNumbers.filter { rows[$0] == nil && !isLeaving.contains($0) }
      for start in stride(from: 0, to: others.count, by: Self.keysTogether) {
        let some = Array(others[start..<min(start + Self.keysTogether, others.count)])
        let flags = try call.truths(keep, table.pairs(some), form: form)
        kept.leaving += zip(some, flags).filter { !$1 }.map(\.0)
      }
    }
    return kept
  }

  struct Kept {
    /// For each key that gets a value.
    var changed: [Bool] = []
    /// Others that go.
    var leaving: [UInt32] = []
  }

  func commit(_ kept: Kept?) throws {
    try call.checkRoom {
      let going = Set(leaving + (kept?.leaving ?? []))
      var count = table.count - going.count(where: table.hasValue)
      for (row, number) in numbers.enumerated() {
        let isKept = kept.map { values == nil || $0.changed[row] } ?? true
        count += (isKept ? 1 : 0) - (table.hasValue(number) ? 1 : 0)
      }
      return count
    }
    try store(kept)
    table.clear(leaving.filter(table.hasValue))
  }

  private func store(_ kept: Kept?) throws {
    guard let kept, let values else {
      if let values { try table.set(numbers, to: values) }
      if let kept { table.clear(kept.leaving) }
      return
    }
    let rows = numbers.indices.filter { kept.changed[$0] }.map { UInt32(truncatingIfNeeded: $0) }
    let leaving = numbers.indices.filter { !kept.changed[$0] }.map { numbers[$0] }
    let staying = rows.map { numbers[Int($0)] }
    try table.set(staying, to: rows.count == numbers.count ? values : form.gathered(values, rows))
    table.clear(leaving.filter(table.hasValue) + kept.leaving)
  }
}

extension TableCall {
  /// Whether a function of one pair has a native form for the pairs of a table.
  fileprivate func isNative(_ function: TableFunction, _ table: OrderedTable) throws -> Bool {
    guard let form = table.form as? ColumnForm else { return false }
    let pair = ColumnType.tuple([form.keyType, form.valueType])
    return try program(of: function, for: [pair])?.outputType == .bool
  }

  /// Whether a function of one record gives something that is true, for each.
  func truths(
    _ function: TableFunction, _ records: any RecordBatch, form: any PairForm
  ) throws -> [Bool] {
    if let records = records as? ColumnBatch,
      case .bool(let bits)? = try native(function, [records.column], to: .bool)
    {
      return (0..<bits.count).map { bits[$0] }
    }
    let results = try called(function, [objectForm().asObjects(records)])
    guard case .bool(let bits)? = column(of: results)?.expanded() else {
      preconditionFailure("truths are asked for")
    }
    return (0..<bits.count).map { bits[$0] }
  }
}

/// For some keys' numbers a row. Emptying it costs with those that have one.
final class RowsByNumber {
  private var rows: [UInt32] = []
  private var used: [UInt32] = []

  /// Forgets all rows.
  ///
  /// - Parameter bound: all numbers are below.
  func reset(bound: Int) {
    for number in used { rows[Int(number)] = OrderedTable.absent }
    used.removeAll(keepingCapacity: true)
    if bound > rows.count {
      rows.append(contentsOf: repeatElement(OrderedTable.absent, count: bound - rows.count))
    }
  }

  subscript(number: UInt32) -> UInt32? {
    let row = rows[Int(number)]
    return row == OrderedTable.absent ? nil : row
  }

  /// Those that have no row.
  func without(_ numbers: [UInt32]) -> [UInt32] { numbers.filter { self[$0] == nil } }

  func set(_ numbers: [UInt32], from first: Int = 0) {
    used += numbers
    for (index, number) in numbers.enumerated() {
      rows[Int(number)] = UInt32(truncatingIfNeeded: first + index)
    }
  }

  /// The indices of numbers that have a row, with the rows; and of those that have none.
  func divide(
    _ numbers: [UInt32]
  ) -> (known: (rows: [UInt32], others: [UInt32]), new: [UInt32]) {
    var known: (rows: [UInt32], others: [UInt32]) = ([], [])
    var new: [UInt32] = []
    for (index, number) in numbers.enumerated() {
      let index = UInt32(truncatingIfNeeded: index)
      if let row = self[number] {
        known.rows.append(index)
        known.others.append(row)
      } else {
        new.append(index)
      }
    }
    return (known, new)
  }
}

/// Reads the pairs of an ordered table.
struct OrderedReader: TableReader {
  private let table: OrderedTable?
  private var place = 0

  init(_ table: OrderedTable?) { self.table = table }

  mutating func next(_ count: Int) throws -> (any RecordBatch)? {
    guard let table else { return nil }
    let numbers = table.numbers(from: &place, count: count)
    return numbers.isEmpty ? nil : try table.pairs(numbers)
  }
}
