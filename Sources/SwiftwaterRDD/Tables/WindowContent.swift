import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// A window without an inverse function: see ``SlidingTable``. Batches without records are not in it.
///
/// A function that raises for some record would leave it behind for good: what is in the window of that
/// record's key cannot be combined any more, while batches come and go. So from the first time on the
/// values that it raises for stay side by side (``DeferringFunctions``), until these have left. A window
/// with such a key fails, as one that is made anew would; the next ones are what they should be.
final class WindowContent: TableContent {
  /// Nil while there is nothing in the window.
  private var table: SlidingTable?
  /// The times of the batches in the table.
  private var times = TimeQueue()
  /// The time of the latest batch with which values had to stay side by side; nil where none have.
  private var deferredTime: Int64?
  /// What the values of the keys come to, where some stand side by side.
  private var results: (any RecordBatch)?

  var count: Int { table?.count ?? 0 }
  var byteCount: Int { table?.byteCount ?? 0 }
  var expired = 0

  func take(_ batch: TableInput, from start: Int64, _ call: TableCall) throws {
    if batch.recordCount == 0 { return }
    forgetAll(until: start)
    if table == nil { deferredTime = nil }
    try deferring(batch.time, call) { combine in
      let reduce = call.operation.kind.functions[0]
      let table = try table ?? SlidingTable(form: call.form(for: batch, combining: [reduce]))
      let (keys, values) = try batch.split(table.form)
      let isTaken = try table.add(table.form.pairs(keys, values)) {
        try combine($0, $1, table.form)
      }
      guard isTaken else { throw UnfitForColumns() }
      self.table = table
    }
    times.append(batch.time)
  }

  /// Forgets everything where all of it has left the window. Nothing is combined for that: with what the
  /// function cannot take, the trouble leaves.
  private func forgetAll(until start: Int64) {
    guard let last = times.last, last <= start else { return }
    table = nil
    times = TimeQueue()
    deferredTime = nil
  }

  var hasObjects: Bool { table?.form is any ObjectForm }

  func giveUp() {}

  func slide(to time: Int64, from start: Int64, _ call: TableCall) throws {
    results = nil
    forgetAll(until: start)
    guard let table else { return }
    try deferring(times.last ?? time, call) { combine in
      // It may be in objects by now.
      let table = self.table ?? table
      try slide(table, from: start) { try combine($0, $1, table.form) }
    }
    guard let known = deferredTime else { return }
    if known <= start {
      deferredTime = nil
    } else if let table = self.table, let functions = call.deferringFunctions {
      let (_, values) = try table.results(table.order())
      results = try call.objectForm().asObjects(call.called(functions.result, [values]))
    }
  }

  private func slide(
    _ table: SlidingTable, from start: Int64, combine: SlidingTable.Combine
  ) throws {
    while let first = times.first, first <= start {
      try table.evict(combine: combine)
      times.removeFirst()
    }
    if times.first == nil {
      self.table = nil
    } else {
      try table.refresh(combine: combine)
    }
  }

  private typealias Combine = (
    _ left: any RecordBatch, _ right: any RecordBatch, _ form: any PairForm
  ) throws -> any RecordBatch

  /// Does something with the user's function, and again with what leaves values side by side where that
  /// raises for some.
  ///
  /// - Parameter latest: the time of the latest batch whose values are combined.
  private func deferring(
    _ latest: Int64, _ call: TableCall, _ body: (Combine) throws -> Void
  ) throws {
    if deferredTime == nil {
      do {
        let reduce = call.operation.kind.functions[0]
        return try body { try call.combined(reduce, $0, $1, form: $2) }
      } catch {
        guard call.deferringFunctions != nil, call.operation.language.isOfRecords(error) else {
          throw error
        }
        if table?.form is ColumnForm { try convert(to: call.objectForm()) }
      }
    }
    guard let functions = call.deferringFunctions else { return }
    try body { left, right, form in
      let values = try call.combined(functions.combine, left, right, form: form)
      if try call.truths(functions.isDeferred, values, form: form).contains(true) {
        self.deferredTime = max(self.deferredTime ?? .min, latest)
      }
      return values
    }
  }

  /// The pairs of a window for which the function has raised.
  ///
  /// - Parameter start: batches up to this time are not in that window.
  /// - Returns: nil where the table is no such window.
  func unfinishedPairs(from start: Int64) throws -> UnfinishedPairs? {
    guard let table, results == nil, let deferredTime, deferredTime > start,
      let first = times.first, first > start, table.isUpToDate
    else { return nil }
    let (keys, values) = try table.results(table.order())
    return UnfinishedPairs(keys: keys, values: values)
  }

  func makeReader() throws -> any TableReader {
    Reader(table: table, numbers: table?.order() ?? [], values: results)
  }

  func convert(to form: any ObjectForm) throws {
    table = try table?.converted(
      to: form, directory: form.directory(of:_:), vector: form.asObjects(_:))
  }

  private struct Reader: TableReader {
    let table: SlidingTable?
    let numbers: [UInt32]
    /// Of all numbers, where they are not the table's.
    let values: (any RecordBatch)?
    var place = 0

    mutating func next(_ count: Int) throws -> (any RecordBatch)? {
      guard let table, place < numbers.count else { return nil }
      let rows = place..<min(place + count, numbers.count)
      defer { place = rows.upperBound }
      let (keys, own) = try table.results(Array(numbers[rows]))
      let results = try values.map {
        try table.form.gathered($0, rows.map { UInt32(truncatingIfNeeded: $0) })
      }
      return try table.form.pairs(keys, results ?? own)
    }
  }
}

extension TableCall {
  /// What leaves values side by side that a window's function raises for.
  var deferringFunctions: DeferringFunctions? {
    if case .window(_, let deferring) = operation.kind { deferring } else { nil }
  }
}

/// Times in their order, taken away at the front.
struct TimeQueue {
  private var times: [Int64] = []
  private var head = 0

  var first: Int64? { head < times.count ? times[head] : nil }

  var last: Int64? { head < times.count ? times[times.count - 1] : nil }

  mutating func append(_ time: Int64) { times.append(time) }

  mutating func removeFirst() {
    head += 1
    if head > 64, head > times.count / 2 {
      times.removeFirst(head)
      head = 0
    }
  }
}
