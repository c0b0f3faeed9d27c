import SwiftwaterCore

/// Values combined by key, in columns: keys stay in first-seen order, values are combined in the
/// order in which they come.
public final class KeyedColumns {
  private let index = KeyIndex()
  private var keys: [Column] = []
  /// Nil where values are integers to be added up: the index does so itself.
  private let values: (any Accumulator)?
  private var bound = SumBound()
  public let keyType: ColumnType
  public let valueType: ColumnType

  /// - Parameters:
  ///   - type: of the records, pairs.
  ///   - merge: made for values of this type.
  public init?(_ type: ColumnType, _ merge: Merge) {
    guard case .tuple(let items) = type, items.count == 2 else { return nil }
    keyType = items[0]
    valueType = items[1]
    values =
      merge == .sum && items[1] == .integer ? nil : makeAccumulator(merge, items[1])
  }

  /// The number of keys.
  public var count: Int { index.count }

  /// About how many bytes are held.
  public var byteCount: Int { index.byteCount + index.count * 32 }

  /// Combines pairs; false where Python must do it, and nothing was changed.
  public func add(_ pairs: Column) -> Bool {
    let items = pairs.tupleItems
    guard let keys = items[0].keys() else { return false }
    var newRows: [UInt32] = []
    if let values {
      guard values.canAdd(items[1]) else { return false }
      let numbers = index.numbers(of: keys, newRows: &newRows)
      values.add(items[1], at: numbers, count: index.count)
    } else {
      guard bound.canAdd(items[1], to: { index.sums() }) else { return false }
      index.add(Operand(integers: items[1]), to: keys, newRows: &newRows)
    }
    if !newRows.isEmpty { self.keys.append(items[0].gathered(newRows).compacted()) }
    return true
  }

  /// The keys with their values, as pairs.
  public func pairs() -> Column {
    let keys = self.keys.isEmpty ? Column.empty(keyType) : .concatenated(self.keys)
    let values = values?.column() ?? .integer(index.sums())
    return .tuple([keys, values], count: index.count)
  }
}

/// The combined values of all keys.
private protocol Accumulator: AnyObject {
  /// True where `add` will give what Python gives.
  func canAdd(_ values: Column) -> Bool
  /// Combines row `i` with the value of key `numbers[i]`; the first value of a key becomes its
  /// value. New keys have the next numbers, in the order of their first rows.
  func add(_ values: Column, at numbers: [UInt32], count: Int)
  func column() -> Column
}

private func makeAccumulator(_ merge: Merge, _ type: ColumnType) -> any Accumulator {
  switch (merge, type) {
  case (.sum, .integer): return IntegerSums()
  case (.sum, .double): return DoubleSums()
  case (.choose(let symbol, let first), _):
    guard let comparison = Comparison(rawValue: symbol) else {
      preconditionFailure("no comparison: \(symbol)")
    }
    switch type {
    case .integer:
      return Choices<Int64>(comparison, first, wrap: { .integer(Buffer($0)) }) {
        if case .integer(let values) = $0 { values } else { nil }
      }
    case .double:
      return Choices<Double>(comparison, first, wrap: { .double(Buffer($0)) }) {
        if case .double(let values) = $0 { values } else { nil }
      }
    case .text: return TextChoices(comparison, first)
    default: preconditionFailure("no order of \(type)")
    }
  case (.items(let parts), .tuple(let types)):
    return ItemAccumulators(zip(parts, types).map { makeAccumulator($0, $1) })
  case (.gather, _): return GatheredLists(type)
  case (.join, .list(let item)): return JoinedLists(item)
  case (.last, _): return Chosen(type, last: true)
  case (.first, _): return Chosen(type, last: false)
  default: preconditionFailure("\(merge) does not combine \(type)")
  }
}

/// Knows how far from 0 sums can be, so that they are added up without a look at each.
private struct SumBound {
  private var bound: UInt64 = 0

  /// True where no sum leaves 64 bits when `values` are added, in whatever way they are spread.
  mutating func canAdd(_ values: Column, to sums: () -> Buffer<Int64>) -> Bool {
    let operand = Operand(integers: values)
    let (growth, overflow) = operand.values.largestMagnitude.multipliedReportingOverflow(
      by: UInt64(values.count))
    if overflow { return false }
    guard
      let sum = Self.sum(bound, growth) ?? Self.sum(sums().largestMagnitude, growth)
    else { return false }
    bound = sum
    return true
  }

  private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64? {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow || sum > UInt64(Int64.max) ? nil : sum
  }
}

extension Operand<Double> {
  fileprivate init(doubles column: Column) {
    switch column {
    case .double(let values): self.init(values: values, step: 1)
    case .repeated(.double(let values), _): self.init(values: values, step: 0)
    default: preconditionFailure("floats are expected, not \(column.type)")
    }
  }
}

extension Operand<Int64> {
  fileprivate init(integers column: Column) {
    switch column {
    case .integer(let values): self.init(values: values, step: 1)
    case .repeated(.integer(let values), _): self.init(values: values, step: 0)
    default: preconditionFailure("integers are expected, not \(column.type)")
    }
  }
}

extension Buffer<Int64> {
  fileprivate var largestMagnitude: UInt64 { reduce(0) { Swift.max($0, $1.magnitude) } }
}

private final class IntegerSums: Accumulator {
  private var sums: [Int64] = []
  private var bound = SumBound()

  func canAdd(_ values: Column) -> Bool { bound.canAdd(values, to: { Buffer(sums) }) }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    if count > sums.count { sums.append(contentsOf: repeatElement(0, count: count - sums.count)) }
    let operand = Operand(integers: values)
    sums.withUnsafeMutableBufferPointer { sums in
      operand.values.withUnsafeBufferPointer { values in
        for (row, number) in numbers.enumerated() {
          sums[Int(number)] &+= values[row &* operand.step]
        }
      }
    }
  }

  func column() -> Column { .integer(Buffer(sums)) }
}

private final class DoubleSums: Accumulator {
  private var sums: [Double] = []

  func canAdd(_ values: Column) -> Bool { true }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    // Every number plus -0.0 is that number, -0.0 too.
    if count > sums.count {
      sums.append(contentsOf: repeatElement(-0.0, count: count - sums.count))
    }
    let operand = Operand(doubles: values)
    sums.withUnsafeMutableBufferPointer { sums in
      operand.values.withUnsafeBufferPointer { values in
        for (row, number) in numbers.enumerated() {
          sums[Int(number)] += values[row &* operand.step]
        }
      }
    }
  }

  func column() -> Column { .double(Buffer(sums)) }
}

/// The smallest, the largest, or the like.
private final class Choices<Value: Comparable & BitwiseCopyable & Sendable>: Accumulator {
  private var chosen: [Value] = []
  private let comparison: Comparison
  private let first: Bool
  private let wrap: ([Value]) -> Column
  private let unwrap: (Column) -> Buffer<Value>?

  init(
    _ comparison: Comparison, _ first: Bool, wrap: @escaping ([Value]) -> Column,
    unwrap: @escaping (Column) -> Buffer<Value>?
  ) {
    self.comparison = comparison
    self.first = first
    self.wrap = wrap
    self.unwrap = unwrap
  }

  func canAdd(_ values: Column) -> Bool { true }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    guard let values = unwrap(values.expanded()) else {
      preconditionFailure("a column of another type")
    }
    for (row, number) in numbers.enumerated() {
      if number == chosen.count {
        chosen.append(values[row])
      } else if holds(values[row], chosen[Int(number)]) != first {
        chosen[Int(number)] = values[row]
      }
    }
  }

  private func holds(_ second: Value, _ first: Value) -> Bool {
    switch comparison {
    case .less: second < first
    case .lessOrEqual: second <= first
    case .greater: second > first
    case .greaterOrEqual: second >= first
    case .equal: second == first
    case .notEqual: second != first
    }
  }

  func column() -> Column { wrap(chosen) }
}

private final class TextChoices: Accumulator {
  private var chosen: [[UInt8]] = []
  private var isASCII = true
  private let comparison: Comparison
  private let first: Bool

  init(_ comparison: Comparison, _ first: Bool) {
    self.comparison = comparison
    self.first = first
  }

  func canAdd(_ values: Column) -> Bool { true }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    guard case .text(let texts) = values.expanded() else {
      preconditionFailure("texts are expected, not \(values.type)")
    }
    isASCII = isASCII && texts.isASCII
    texts.withRows { rows in
      for (row, number) in numbers.enumerated() {
        if number == chosen.count {
          chosen.append(Array(rows[row]))
          continue
        }
        let place = Int(number)
        let holds = comparison.holds(chosen[place].withUnsafeBytes { order(rows[row], $0) })
        if holds != first { chosen[place] = Array(rows[row]) }
      }
    }
  }

  func column() -> Column {
    var builder = TextBuilder(rows: chosen.count)
    for text in chosen { text.withUnsafeBytes { builder.append($0, isASCII: isASCII) } }
    return .text(builder.finish())
  }
}

private final class ItemAccumulators: Accumulator {
  private let parts: [any Accumulator]
  private var count = 0

  init(_ parts: [any Accumulator]) { self.parts = parts }

  func canAdd(_ values: Column) -> Bool {
    zip(parts, values.tupleItems).allSatisfy { $0.canAdd($1) }
  }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    self.count = count
    for (part, item) in zip(parts, values.tupleItems) { part.add(item, at: numbers, count: count) }
  }

  func column() -> Column { .tuple(parts.map { $0.column() }, count: count) }
}

/// The first value of each key, or the last.
private final class Chosen: Accumulator {
  private let type: ColumnType
  private let last: Bool
  private var columns: [Column] = []
  private var count = 0
  /// For each key the place of its value in all columns together.
  private var places: [UInt32] = []
  private var rows = 0

  init(_ type: ColumnType, last: Bool) {
    self.type = type
    self.last = last
  }

  func canAdd(_ values: Column) -> Bool { rows + values.count < Int(UInt32.max) }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    // Only the rows that stay: nothing else of the batch is held on to.
    var kept: [UInt32] = []
    var latest: [UInt32: Int] = [:]
    for (row, number) in numbers.enumerated() {
      let isNew = number == places.count
      guard isNew || last else { continue }
      if let earlier = latest[number] {
        kept[earlier] = UInt32(truncatingIfNeeded: row)
        continue
      }
      let place = UInt32(truncatingIfNeeded: rows + kept.count)
      if isNew { places.append(place) } else { places[Int(number)] = place }
      latest[number] = kept.count
      kept.append(UInt32(truncatingIfNeeded: row))
    }
    if kept.isEmpty { return }
    columns.append(values.gathered(kept).compacted())
    rows += kept.count
    if rows > 1 << 20, rows > places.count * 2 {
      columns = [column()]
      rows = places.count
      places = (0..<UInt32(truncatingIfNeeded: rows)).map { $0 }
    }
  }

  func column() -> Column {
    columns.isEmpty ? .empty(type) : Column.concatenated(columns).gathered(places)
  }
}

/// The values of each key as a list.
private final class GatheredLists: Accumulator {
  private var items: KeyedItems

  init(_ type: ColumnType) { items = KeyedItems(type) }

  func canAdd(_ values: Column) -> Bool { items.canAdd(values) }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    items.count = count
    items.add(values, numbers)
  }

  func column() -> Column { items.lists() }
}

/// All items of the lists of each key.
private final class JoinedLists: Accumulator {
  private var items: KeyedItems

  init(_ item: ColumnType) { items = KeyedItems(item) }

  func canAdd(_ values: Column) -> Bool { items.canAdd(lists(values).items) }

  func add(_ values: Column, at numbers: [UInt32], count: Int) {
    items.count = count
    let lists = lists(values)
    var keys: [UInt32] = []
    keys.reserveCapacity(lists.items.count)
    for (row, number) in numbers.enumerated() {
      keys.append(
        contentsOf: repeatElement(
          number, count: Int(lists.offsets[row + 1] - lists.offsets[row])))
    }
    items.add(lists.items, keys)
  }

  private func lists(_ values: Column) -> ListColumn {
    guard case .list(let lists) = values.expanded() else {
      preconditionFailure("lists are expected, not \(values.type)")
    }
    return lists
  }

  func column() -> Column { items.lists() }
}

/// Items with the numbers of their keys, in the order in which they came.
private struct KeyedItems {
  private let type: ColumnType
  private var columns: [Column] = []
  /// The key of each item.
  private var numbers: [UInt32] = []
  /// Of the keys.
  var count = 0

  init(_ type: ColumnType) { self.type = type }

  func canAdd(_ items: Column) -> Bool { numbers.count + items.count < Int(UInt32.max) }

  mutating func add(_ items: Column, _ keys: [UInt32]) {
    columns.append(items.compacted())
    numbers += keys
  }

  /// The items of each key.
  func lists() -> Column {
    let rows = RowsByKey(numbers, keyCount: count)
    let items = columns.isEmpty ? Column.empty(type) : Column.concatenated(columns)
    return .list(ListColumn(offsets: rows.starts, items: items.gathered(rows.rows)))
  }
}

/// Rows by the number of their key, those of each in their order: a stable counting sort.
struct RowsByKey {
  /// The rows of key `i` are `rows[starts[i]..<starts[i + 1]]`.
  let starts: [UInt32]
  let rows: [UInt32]

  init(_ numbers: [UInt32], keyCount: Int) {
    var starts = [UInt32](repeating: 0, count: keyCount + 1)
    for number in numbers { starts[Int(number) + 1] += 1 }
    for key in 0..<keyCount { starts[key + 1] += starts[key] }
    var next = starts
    var rows = [UInt32](repeating: 0, count: numbers.count)
    for (row, number) in numbers.enumerated() {
      rows[Int(next[Int(number)])] = UInt32(truncatingIfNeeded: row)
      next[Int(number)] += 1
    }
    self.starts = starts
    self.rows = rows
  }

  subscript(key: Int) -> ArraySlice<UInt32> { rows[Int(starts[key])..<Int(starts[key + 1])] }
}

extension Column {
  /// Spark's hash of a row as a key.
  public func portableHash(_ row: Int) -> Int {
    switch self {
    case .none: PortableHash.none
    case .bool(let bits): bits[row] ? 1 : 0
    case .integer(let values): PortableHash.integer(values[row])
    case .double(let values): PortableHash.double(values[row]) ?? 0
    case .text(let texts): texts.withRows { PortableHash.text(utf8: $0[row]) }
    case .tuple(let items, _): PortableHash.tuple(items.map { $0.portableHash(row) })
    case .list: preconditionFailure("a list is no key")
    case .optional(let validity, let column):
      validity[row] ? column.portableHash(row) : PortableHash.none
    case .repeated(let column, _): column.portableHash(0)
    }
  }

  /// The rows by the partition of their key, which is the first item of each; nil for none.
  public func divided(among partitions: Int) -> [Column?] {
    if partitions == 1 { return [count == 0 ? nil : self] }
    let keys = tupleItems[0]
    let places = (0..<count).map {
      PortableHash.partition(of: keys.portableHash($0), among: partitions)
    }
    return divided(by: places, among: partitions)
  }
}
