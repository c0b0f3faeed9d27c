import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// A state for each key, which an update function makes of its new values and of the state before.
///
/// The function is called for keys without new values only where it is not proved that it gives their
/// state back (``KeptStates``). The order is Spark's: the keys that have a state, then new ones as they
/// first appear.
final class StateContent: TableContent {
  private var table: OrderedTable?
  /// The states that the function is proved to keep, and the keys whose state is another one; nil where
  /// all keys are worked on.
  private var kept: (states: KeptStates, others: Set<UInt32>)?
  /// No lists, of the type of those that came last: what a batch without records has. Nil where they
  /// were no columns.
  private var noLists: ColumnBatch?
  /// Of use where keys have a time to live.
  private var clock = IdleClock()
  private let rows = RowsByNumber()
  var expired = 0
  /// States that were computed and are not in the table yet: see ``Made``.
  private var made: Made?

  /// What an update function has made of the keys of a batch, in parts, where memory is too short for
  /// the whole: it is kept on disk until all of it is there, and goes into the table part by part then.
  /// Where that fails half-way, the rest is still to come: the next call goes on there, and the
  /// function is not called again.
  private struct Made {
    let time: Int64
    var parts: [Part] = []
    /// Keys that were not in the table before, and all with new values.
    var newNumbers: [UInt32] = []
    var givenNumbers: [UInt32] = []

    struct Part {
      let numbers: [UInt32]
      var states: UpdatedStates

      /// How many keys more will have a state.
      func gain(in table: OrderedTable) -> Int {
        let missing = Set(states.missing)
        return numbers.enumerated().reduce(0) { gain, entry in
          let isMissing = missing.contains(UInt32(truncatingIfNeeded: entry.offset))
          return gain + (isMissing ? 0 : 1) - (table.hasValue(entry.element) ? 1 : 0)
        }
      }
    }
  }

  /// So many keys are worked on together where memory is short.
  private static let keysTogether = 1 << 10

  var count: Int { table?.count ?? 0 }
  var byteCount: Int { (table?.byteCount ?? 0) + clock.byteCount }

  var clocked: (table: OrderedTable, clock: IdleClock)? {
    get { table.map { ($0, clock) } }
    set { clock = newValue?.clock ?? clock }
  }

  func take(_ batch: TableInput, from start: Int64, _ call: TableCall) throws {
    if batch.isInitial { return try begin(with: batch, call) }
    guard case .state(let update) = call.operation.kind else { preconditionFailure("not a state") }
    if let time = made?.time {
      let numbers = made?.givenNumbers ?? []
      try storeMade(call)
      forgetIdle(but: numbers, at: time, call)
      if time == batch.time { return }
    }
    let limit = call.idleLimit(at: batch.time)
    if limit != nil { clock.begin(with: table, at: batch.time) }
    if batch.isMissing { return forgetIdle(at: batch.time, call) }
    let idle = Set(clock.idle(since: limit, in: table))
    try readProof(update, call)
    if batch.recordCount == 0 {
      if table != nil, kept?.others.isSubset(of: idle) != true {
        try step(nil, but: idle, update, at: batch.time, call)
      }
      return forgetIdle(at: batch.time, call)
    }
    var lists = try call.lists(of: batch)
    noLists = (lists.values as? ColumnBatch).map { ColumnBatch(.empty($0.column.type)) }
    if let form = table?.form as? any ObjectForm {
      // Keys that an earlier batch could not have in columns.
      lists.keys = try form.asObjects(lists.keys)
    } else if table != nil, !(lists.keys is ColumnBatch) {
      throw UnfitForColumns()
    }
    let numbers = try step(lists, but: idle, update, at: batch.time, call)
    forgetIdle(but: numbers, at: batch.time, call)
  }

  /// Keys without new values go whose time is out.
  ///
  /// - Parameter numbers: those with new values.
  private func forgetIdle(but numbers: [UInt32] = [], at time: Int64, _ call: TableCall) {
    guard let limit = call.idleLimit(at: time), let table else { return }
    clock.note(numbers.filter(table.hasValue), at: time, bound: table.bound)
    let idle = clock.idle(since: limit, in: table)
    table.clear(idle)
    kept?.others.subtract(idle)
    clock.forget(idleSince: limit)
    expired += idle.count
  }

  /// - Throws: as ``makeReader()``.
  func slide(to time: Int64, from start: Int64, _ call: TableCall) throws { try checkMade() }

  var hasObjects: Bool { table?.form is any ObjectForm }

  func giveUp() {}

  /// - Throws: ``EngineError`` (`illegalState`) while a part of what a batch has made is to be stored.
  func makeReader() throws -> any TableReader {
    try checkMade()
    return OrderedReader(table)
  }

  private func checkMade() throws {
    if made == nil { return }
    throw EngineError.illegalState("a part of the states of a batch could not be kept on disk yet")
  }

  /// Notes what is proved of the function as it is now.
  private func readProof(_ update: TableFunction, _ call: TableCall) throws {
    guard case .kept(let states) = try call.operation.language.keptStates(of: update.function)
    else {
      kept = nil
      return
    }
    if kept?.states == states { return }
    kept = nil
    guard let table else {
      kept = (states, [])
      return
    }
    kept = (states, try notKept(states, update, table, call))
  }

  /// The keys of a table whose states an update function is not proved to keep.
  private func notKept(
    _ states: KeptStates, _ update: TableFunction, _ table: OrderedTable, _ call: TableCall
  ) throws -> Set<UInt32> {
    if states.forms == nil { return [] }
    var found: Set<UInt32> = []
    var place = 0
    while true {
      let numbers = table.numbers(from: &place, count: Self.keysTogether)
      if numbers.isEmpty { return found }
      let rows = try call.rowsNotKept(
        by: update, states, in: table.values(numbers), table.form)
      found.formUnion(rows.map { numbers[Int($0)] })
    }
  }

  func convert(to form: any ObjectForm) throws {
    table = try table?.converted(
      to: form, directory: form.directory(of:_:), vector: form.asObjects(_:))
  }

  /// Goes on from what was before the first batch.
  private func begin(with batch: TableInput, _ call: TableCall) throws {
    if batch.recordCount == 0 { return }
    try call.checkRoom { batch.recordCount }
    let table = try OrderedTable(
      form: batch.columnType.flatMap { call.isLowering ? ColumnForm($0) : nil }
        ?? call.objectForm())
    let (keys, values) = try batch.split(table.form)
    guard let (numbers, _) = try table.numbers(of: keys) else {
      // Nobody else knows the table yet.
      let objects = try OrderedTable(form: call.objectForm())
      let (keys, values) = try batch.split(objects.form)
      guard let (numbers, _) = try objects.numbers(of: keys) else { throw UnfitForColumns() }
      try objects.set(numbers, to: values)
      self.table = objects
      return
    }
    try table.set(numbers, to: values)
    self.table = table
  }

  /// - Parameter idle: the keys that are not asked about unless they have new values.
  /// - Returns: the numbers of the keys with new values.
  @discardableResult
  private func step(
    _ lists: (keys: any RecordBatch, values: any RecordBatch)?, but idle: Set<UInt32>,
    _ update: TableFunction, at time: Int64, _ call: TableCall
  ) throws -> [UInt32] {
    guard let table else {
      guard let lists else { return [] }
      let table = try firstTable(lists, update, call)
      if let states = kept?.states, let table {
        kept = (states, try notKept(states, update, table, call))
      }
      self.table = table
      return table?.allNumbers ?? []
    }
    var numbers: [UInt32] = []
    var new: [UInt32] = []
    if let lists {
      guard let found = try table.numbers(of: lists.keys) else { throw UnfitForColumns() }
      (numbers, new) = found
    }
    do {
      let values = lists?.values ?? (table.form is ColumnForm ? noLists : nil)
      let idle = idle.isEmpty ? idle : idle.subtracting(numbers)
      try self.step(table, numbers, values, but: idle, update, at: time, call)
    } catch {
      if made == nil {
        self.table?.releaseUnused(new)
      } else {
        made?.newNumbers = new
        made?.givenNumbers = numbers
      }
      throw error
    }
    // It may have gone over to objects.
    self.table?.releaseUnused(new)
    return numbers
  }

  /// - Parameters:
  ///   - numbers: of the keys with new values, whose lists are `values`.
  ///   - idle: other keys that are not asked about.
  private func step(
    _ table: OrderedTable, _ numbers: [UInt32], _ values: (any RecordBatch)?,
    but idle: Set<UInt32>, _ update: TableFunction, at time: Int64, _ call: TableCall
  ) throws {
    // The rows of known keys, in the order of the table where all are asked about, and of new ones.
    var known: [UInt32] = []
    var knownRows: [UInt32] = []
    var newRows: [UInt32] = []
    // Behind the last list there is an empty one.
    let empty = UInt32(truncatingIfNeeded: numbers.count)
    if let kept {
      // Nothing here costs with the keys that stay as they are.
      let rows = Dictionary(
        uniqueKeysWithValues: zip(numbers, (0..<empty).lazy.map { $0 }))
      known = numbers.filter(table.hasValue)
      known += kept.others.filter { rows[$0] == nil && !idle.contains($0) }
      known = table.inOrder(known)
      knownRows = known.map { rows[$0] ?? empty }
    } else {
      let rows = RowsByNumber()
      rows.reset(bound: table.bound)
      rows.set(numbers)
      known = table.allNumbers
      if !idle.isEmpty { known.removeAll(where: idle.contains) }
      knownRows = known.map { rows[$0] ?? empty }
    }
    for (row, number) in numbers.enumerated() where !table.hasValue(number) {
      newRows.append(UInt32(truncatingIfNeeded: row))
    }
    let new = newRows.map { numbers[Int($0)] }
    let count = known.count + new.count
    if count == 0 { return }
    func made(_ range: Range<Int>) throws -> Made.Part {
      let old = range.clamped(to: 0..<known.count)
      let others = range.clamped(to: known.count..<count)
      let newPart = (others.lowerBound - known.count)..<(others.upperBound - known.count)
      return try self.made(
        (Array(known[old]), Array(knownRows[old])), (Array(new[newPart]), Array(newRows[newPart])),
        values, empty: empty, update, call)
    }
    let isInParts =
      kept == nil && count > Self.keysTogether && SpillStore.shared.isOverLimit(adding: count)
    guard isInParts else {
      let part = try made(0..<count)
      guard let table = self.table else { preconditionFailure("a table that is worked on") }
      var others: [UInt32] = []
      if let kept {
        others = try call.rowsNotKept(by: update, kept.states, in: part.states.values, table.form)
      }
      try call.checkRoom { table.count - idle.count + part.gain(in: table) }
      try store(part, call)
      // Nothing fails from here on.
      if kept != nil {
        kept?.others.subtract(part.numbers)
        kept?.others.formUnion(others.map { part.numbers[Int($0)] })
        kept?.others.subtract(part.states.missing.map { part.numbers[Int($0)] })
      }
      return
    }
    var all = Made(time: time)
    for start in stride(from: 0, to: count, by: Self.keysTogether) {
      var part = try made(start..<min(start + Self.keysTogether, count))
      part.states.values = try part.states.values.keptOnDiskIfShort()
      all.parts.append(part)
    }
    if let table = self.table {
      try call.checkRoom {
        all.parts.reduce(table.count - idle.count) { $0 + $1.gain(in: table) }
      }
    }
    self.made = all
    try storeMade(call)
  }

  /// What the update function makes of keys with a state, and of new ones.
  ///
  /// - Parameter known: numbers, and rows of `values`; as `new`.
  private func made(
    _ known: (numbers: [UInt32], rows: [UInt32]), _ new: (numbers: [UInt32], rows: [UInt32]),
    _ values: (any RecordBatch)?, empty: UInt32, _ update: TableFunction, _ call: TableCall
  ) throws -> Made.Part {
    guard let table else { preconditionFailure("a table that is worked on") }
    let lists = try call.lists(
      values, known: known.rows, new: new.rows, empty: empty, table.form)
    let before = known.numbers.isEmpty ? nil : try table.values(known.numbers)
    let results = try call.updated(
      update, lists, before, newCount: new.numbers.count, form: table.form)
    let states: UpdatedStates
    do {
      states = try call.states(results, form: table.form)
    } catch is UnfitForColumns {
      // The function has run: it is not called again for another form.
      try convert(to: call.objectForm())
      guard let converted = self.table else { preconditionFailure("a table that is converted") }
      states = try call.states(results, form: converted.form)
    }
    return Made.Part(numbers: known.numbers + new.numbers, states: states)
  }

  /// Puts what is still to come into the table.
  private func storeMade(_ call: TableCall) throws {
    while let part = made?.parts.first {
      try store(part, call)
      made?.parts.removeFirst()
    }
    if let new = made?.newNumbers { table?.releaseUnused(new) }
    made = nil
  }

  /// Where it throws, nothing has changed.
  private func store(_ part: Made.Part, _ call: TableCall) throws {
    guard let table else { preconditionFailure("a table that is worked on") }
    let missing = part.states.missing
    var values = try part.states.values.inMemory()
    // The table may have gone over to objects behind it.
    if table.form is any ObjectForm { values = try call.objectForm().asObjects(values) }
    if missing.isEmpty { return try table.set(part.numbers, to: values) }
    var isMissing = [Bool](repeating: false, count: part.numbers.count)
    for row in missing { isMissing[Int(row)] = true }
    let staying = part.numbers.indices.filter { !isMissing[$0] }
    try table.set(
      staying.map { part.numbers[$0] },
      to: table.form.gathered(values, staying.map { UInt32(truncatingIfNeeded: $0) }))
    table.clear(missing.map { part.numbers[Int($0)] }.filter(table.hasValue))
  }

  /// The table of the first keys, in the form that their states have.
  private func firstTable(
    _ lists: (keys: any RecordBatch, values: any RecordBatch), _ update: TableFunction,
    _ call: TableCall
  ) throws -> OrderedTable? {
    let count = lists.keys.recordCount
    let objects = try call.firstStates(update, lists.values)
    let (states, type) = (objects.states, objects.type)
    guard let type, let keys = lists.keys as? ColumnBatch,
      let form = ColumnForm(.tuple([keys.column.type, type]))
    else { return try table(call.objectForm(), lists.keys, states, count, call) }
    do {
      return try table(form, lists.keys, states, count, call)
    } catch is UnfitForColumns {
      return try table(call.objectForm(), lists.keys, states, count, call)
    }
  }

  private func table(
    _ form: any PairForm, _ keys: any RecordBatch, _ states: any RecordBatch, _ count: Int,
    _ call: TableCall
  ) throws -> OrderedTable {
    let table = OrderedTable(form: form)
    let states = try call.states(states, form: form)
    let keys = form is any ObjectForm ? try call.objectForm().asObjects(keys) : keys
    guard let (numbers, _) = try table.numbers(of: keys) else { throw UnfitForColumns() }
    var isMissing = [Bool](repeating: false, count: count)
    for row in states.missing { isMissing[Int(row)] = true }
    let staying = (0..<count).filter { !isMissing[$0] }
    try call.checkRoom { staying.count }
    try table.set(
      staying.map { numbers[$0] },
      to: form.gathered(states.values, staying.map { UInt32(truncatingIfNeeded: $0) }))
    table.releaseUnused(numbers)
    return table
  }
}

/// States that an update function has given.
struct UpdatedStates {
  /// For each key, in the table's form; of no use where there is none.
  var values: any RecordBatch
  /// The rows of keys that are forgotten.
  let missing: [UInt32]
}

extension TableCall {
  /// The rows of states that an update function is not proved to keep.
  func rowsNotKept(
    by update: TableFunction, _ kept: KeptStates, in states: any RecordBatch, _ form: any PairForm
  ) throws -> [UInt32] {
    if kept.forms == nil { return [] }
    if let columns = states as? ColumnBatch {
      if kept.areAll(of: columns.column.type) { return [] }
      let rows = kept.rows(of: columns.column)
      return (0..<rows.count).filter { !rows[$0] }.map { UInt32(truncatingIfNeeded: $0) }
    }
    return try operation.language.rowsNotKept(by: update.function, in: states)
  }

  /// The keys of a batch with their lists of values: columns where they are, else objects.
  func lists(
    of batch: TableInput
  ) throws -> (keys: any RecordBatch, values: any RecordBatch) {
    if isLowering, let type = batch.columnType, let form = ColumnForm(type) {
      return try batch.split(form)
    }
    let (keys, values) = try batch.split(objectForm())
    guard isLowering else { return (keys, values) }
    return (inColumn(keys), inColumn(values))
  }

  /// Objects as a column where they have a type; otherwise as they are.
  private func inColumn(_ objects: any RecordBatch) -> any RecordBatch {
    operation.language.column(of: objects).map { ColumnBatch($0) } ?? objects
  }

  /// What a language has given as a column; nil where it has no type.
  func column(of results: any RecordBatch) -> Column? {
    (results as? ColumnBatch)?.column ?? operation.language.column(of: results)
  }

  /// Lists for the update function: of known keys, then of new ones.
  func lists(
    _ values: (any RecordBatch)?, known: [UInt32], new: [UInt32], empty: UInt32,
    _ form: any PairForm
  ) throws -> any RecordBatch {
    // Only what is asked for is touched: a batch's keys may come in many parts.
    var given = known.filter { $0 != empty }
    let hasEmpty = given.count < known.count
    given += new
    if let columns = values as? ColumnBatch, case .list(let item) = columns.column.type {
      let lists = columns.column.gathered(given)
      if !hasEmpty { return ColumnBatch(lists) }
      let none = Column.list(ListColumn(offsets: [0, 0], items: .empty(item)))
      return ColumnBatch(
        Column.concatenated([lists, none]).gathered(Self.rows(known, new, empty: empty)))
    }
    let objects = try objectForm()
    let none = try objects.asObjects(
      ColumnBatch(.list(ListColumn(offsets: [0, 0], items: .empty(.integer)))))
    guard let values else {
      return try objects.gathered(none, Array(repeating: 0, count: known.count + new.count))
    }
    let lists = try objects.gathered(objects.asObjects(values), given)
    if !hasEmpty { return lists }
    return try objects.gathered(
      objects.concatenated([lists, none]), Self.rows(known, new, empty: empty))
  }

  /// Where each list is when those that there are lie one behind the other, and an empty one behind them.
  private static func rows(_ known: [UInt32], _ new: [UInt32], empty: UInt32) -> [UInt32] {
    var next: UInt32 = 0
    let last = UInt32(truncatingIfNeeded: known.count { $0 != empty } + new.count)
    return (known + new).map { row in
      if row == empty { return last }
      defer { next += 1 }
      return next
    }
  }

  /// What the update function makes of lists and states before; of new keys there is none.
  func updated(
    _ update: TableFunction, _ lists: any RecordBatch, _ before: (any RecordBatch)?,
    newCount: Int, form: any PairForm
  ) throws -> any RecordBatch {
    if let form = form as? ColumnForm, let lists = lists as? ColumnBatch {
      let known = (before as? ColumnBatch)?.column
      if let states = try nativeStates(
        update, lists.column, known, newCount: newCount, type: form.valueType)
      {
        return states
      }
    }
    let objects = try objectForm()
    let none = ColumnBatch(.none(count: newCount))
    let parts = (before.map { [$0] } ?? []) + (newCount == 0 ? [] : [none])
    let old = try objects.concatenated(parts.map { try objects.asObjects($0) })
    return try called(update, [objects.asObjects(lists), old])
  }

  /// What the update function makes of columns natively; nil where its language must do it.
  private func nativeStates(
    _ update: TableFunction, _ lists: Column, _ before: Column?, newCount: Int, type: ColumnType
  ) throws -> (any RecordBatch)? {
    let optional = ColumnType.optional(type)
    let parts =
      (before.map { [$0.widened(to: optional)] } ?? [])
      + (newCount == 0 ? [] : [Column.none(count: newCount).widened(to: optional)])
    let old = Column.concatenated(parts)
    for result in [type, optional] {
      do {
        if let column = try native(update, [lists, old], to: result) { return ColumnBatch(column) }
      } catch is UnfitForColumns {
        // It raises there, or gives something that is in no column.
        return nil
      }
    }
    return nil
  }

  /// The states of keys that have none so far, and their type where they can be a column.
  func firstStates(
    _ update: TableFunction, _ lists: any RecordBatch
  ) throws -> (states: any RecordBatch, type: ColumnType?) {
    if isLowering, let columns = lists as? ColumnBatch, case .list(let item) = columns.column.type,
      let type = programs.stateType(
        try operation.language.reading(of: update.function, arguments: 2), item),
      let states = try nativeStates(
        update, columns.column, nil, newCount: columns.recordCount, type: type)
    {
      return (states, type)
    }
    let objects = try objectForm()
    let none = try objects.asObjects(ColumnBatch(.none(count: lists.recordCount)))
    let results = try called(update, [objects.asObjects(lists), none])
    guard isLowering, let type = column(of: results)?.type else {
      return (results, nil)
    }
    if case .optional(let inner) = type { return (results, inner) }
    return (results, type == .none ? nil : type)
  }

  /// Results of an update function in a table's form.
  ///
  /// - Throws: ``UnfitForColumns`` where they are of another type than the table's.
  func states(_ results: any RecordBatch, form: any PairForm) throws -> UpdatedStates {
    guard let form = form as? ColumnForm else {
      let objects = try objectForm().asObjects(results)
      return UpdatedStates(values: objects, missing: try objectForm().missing(in: objects))
    }
    let column = column(of: results)
    let type = form.valueType
    switch column?.expanded() {
    case .some(let column) where column.type == type:
      return UpdatedStates(values: ColumnBatch(column), missing: [])
    case .optional(let validity, let inner) where inner.type == type:
      let missing = (0..<validity.count).lazy.filter { !validity[$0] }
      return UpdatedStates(
        values: ColumnBatch(inner), missing: missing.map { UInt32(truncatingIfNeeded: $0) })
    case .some(.none(let count)):
      let all = (0..<count).map { UInt32(truncatingIfNeeded: $0) }
      return UpdatedStates(
        values: ColumnBatch(Column.blank(type).gathered(Array(repeating: 0, count: count))),
        missing: all)
    default: throw UnfitForColumns()
    }
  }
}
