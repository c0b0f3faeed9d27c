import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// A window without an inverse function: see ``SlidingTable``. Batches without records are not in it.
final class WindowContent: TableContent {
  /// Nil while there is nothing in the window.
  private var table: SlidingTable?
  /// The times of the batches in the table.
  private var times = TimeQueue()

  var count: Int { table?.count ?? 0 }
  var byteCount: Int { table?.byteCount ?? 0 }

  func take(_ batch: TableInput, from start: Int64, _ call: TableCall) throws {
    if batch.recordCount == 0 { return }
    forgetAll(until: start)
    let reduce = call.operation.kind.functions[0]
    let table = try table ?? SlidingTable(form: call.form(for: batch, combining: [reduce]))
    let (keys, values) = try batch.split(table.form)
    let isTaken = try table.add(table.form.pairs(keys, values)) {
      try call.combined(reduce, $0, $1, form: table.form)
    }
    guard isTaken else { throw UnfitForColumns() }
    self.table = table
    times.append(batch.time)
  }

  /// Forgets everything where all of it has left the window. Nothing is combined for that: with what the
  /// function cannot take, the trouble leaves.
  private func forgetAll(until start: Int64) {
    guard let last = times.last, last <= start else { return }
    table = nil
    times = TimeQueue()
  }

  func giveUp() {}

  func slide(to time: Int64, from start: Int64, _ call: TableCall) throws {
    forgetAll(until: start)
    guard let table else { return }
    let reduce = call.operation.kind.functions[0]
    func combine(_ left: any RecordBatch, _ right: any RecordBatch) throws -> any RecordBatch {
      try call.combined(reduce, left, right, form: table.form)
    }
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

  func makeReader() throws -> any TableReader {
    Reader(table: table, numbers: table?.order() ?? [])
  }

  func convert(to form: any ObjectForm) throws {
    table = try table?.converted(
      to: form, directory: form.directory(of:_:), vector: form.asObjects(_:))
  }

  private struct Reader: TableReader {
    let table: SlidingTable?
    let numbers: [UInt32]
    var place = 0

    mutating func next(_ count: Int) throws -> (any RecordBatch)? {
      guard let table, place < numbers.count else { return nil }
      let end = min(place + count, numbers.count)
      defer { place = end }
      let (keys, values) = try table.results(Array(numbers[place..<end]))
      return try table.form.pairs(keys, values)
    }
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
