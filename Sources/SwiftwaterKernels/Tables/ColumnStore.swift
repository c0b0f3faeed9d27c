import SwiftwaterCore

/// Rows of one type by place: a column whose rows change.
///
/// Used by one task at a time.
protocol ColumnStore: AnyObject {
  /// About how many bytes are held.
  var byteCount: Int { get }

  /// False where there would be more items than a list column can have.
  func hasRoom(for column: Column) -> Bool

  /// Puts row `i` in place `i` of those given; the last stays where a place comes twice.
  ///
  /// - Parameter column: of the store's type.
  func set(_ places: Places, to column: Column)

  /// The rows in places, in memory of their own.
  func gathered(_ places: Places) -> Column

  /// Lets go of what lies in places.
  func clear(_ places: Places)

  /// Clears `isSame` where a search's row is not the key in the place with its number.
  ///
  /// - Parameter column: as ``Column/expandedThroughout()`` gives it, without NaN.
  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column)
}

extension ColumnStore {
  func hasRoom(for column: Column) -> Bool { true }
  func clear(_ places: Places) {}
}

func makeColumnStore(_ type: ColumnType) -> any ColumnStore {
  switch type {
  case .none: NoneStore()
  case .bool: BoolStore()
  case .integer: IntegerStore()
  case .double: DoubleStore()
  case .text: TextStore()
  case .tuple(let items): TupleStore(items)
  case .list(let item): ListStore(item)
  case .optional(let type): OptionalStore(type)
  }
}

private final class NoneStore: ColumnStore {
  var byteCount: Int { 0 }
  func set(_ places: Places, to column: Column) {}
  func gathered(_ places: Places) -> Column { .none(count: places.numbers.count) }
  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {}
}

private final class BoolStore: ColumnStore {
  private var flags = GrowingMemory<Bool>()

  var byteCount: Int { flags.byteCount }

  func set(_ places: Places, to column: Column) {
    guard case .bool(let bits) = column.expanded() else { column.isUnexpected("booleans") }
    flags.set(places, to: bits)
  }

  func gathered(_ places: Places) -> Column { .bool(flags.bits(places)) }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {
    guard case .bool(let bits) = column else { column.isUnexpected("booleans") }
    flags.compare(searches, with: bits)
  }
}

extension GrowingMemory<Bool> {
  fileprivate mutating func set(_ places: Places, to bits: Bitmap) {
    extend(to: places.end)
    let base = base
    for (row, place) in places.numbers.enumerated() { base[Int(place)] = bits[row] }
  }

  fileprivate func bits(_ places: Places) -> Bitmap {
    precondition(places.end <= count, "nothing was put there")
    let base = base
    return Bitmap(count: places.numbers.count) { base[Int(places.numbers[$0])] }
  }

  fileprivate func compare(
    _ searches: UnsafeMutableBufferPointer<KeySearch>, with bits: Bitmap
  ) {
    let base = base
    searches.compare { base[$1] == bits[$0] }
  }
}

private final class IntegerStore: ColumnStore {
  private var values = GrowingMemory<Int64>()

  var byteCount: Int { values.byteCount }

  func set(_ places: Places, to column: Column) {
    if case .repeated(.integer(let new), _) = column {
      new.withUnsafeBufferPointer { values.scatter($0, step: 0, to: places) }
    } else if case .integer(let new) = column.expanded() {
      new.withUnsafeBufferPointer { values.scatter($0, to: places) }
    } else {
      column.isUnexpected("integers")
    }
  }

  func gathered(_ places: Places) -> Column { .integer(values.gathered(places)) }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {
    guard case .integer(let rows) = column else { column.isUnexpected("integers") }
    let base = values.base
    rows.withUnsafeBufferPointer { rows in searches.compare { base[$1] == rows[$0] } }
  }
}

private final class DoubleStore: ColumnStore {
  private var values = GrowingMemory<Double>()

  var byteCount: Int { values.byteCount }

  func set(_ places: Places, to column: Column) {
    if case .repeated(.double(let new), _) = column {
      new.withUnsafeBufferPointer { values.scatter($0, step: 0, to: places) }
    } else if case .double(let new) = column.expanded() {
      new.withUnsafeBufferPointer { values.scatter($0, to: places) }
    } else {
      column.isUnexpected("floats")
    }
  }

  func gathered(_ places: Places) -> Column { .double(values.gathered(places)) }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {
    guard case .double(let rows) = column else { column.isUnexpected("floats") }
    let base = values.base
    // 0.0 and -0.0 are one key.
    rows.withUnsafeBufferPointer { rows in searches.compare { base[$1] == rows[$0] } }
  }
}

private final class TupleStore: ColumnStore {
  private let items: [any ColumnStore]

  init(_ types: [ColumnType]) { items = types.map(makeColumnStore) }

  var byteCount: Int { items.reduce(0) { $0 + $1.byteCount } }

  func hasRoom(for column: Column) -> Bool {
    zip(items, column.tupleItems).allSatisfy { $0.hasRoom(for: $1) }
  }

  func set(_ places: Places, to column: Column) {
    for (store, item) in zip(items, column.tupleItems) { store.set(places, to: item) }
  }

  func gathered(_ places: Places) -> Column {
    .tuple(items.map { $0.gathered(places) }, count: places.numbers.count)
  }

  func clear(_ places: Places) { for store in items { store.clear(places) } }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {
    for (store, item) in zip(items, column.tupleItems) { store.compare(searches, with: item) }
  }
}

private final class OptionalStore: ColumnStore {
  private var validity = GrowingMemory<Bool>()
  private let values: any ColumnStore

  init(_ type: ColumnType) { values = makeColumnStore(type) }

  var byteCount: Int { validity.byteCount + values.byteCount }

  func hasRoom(for column: Column) -> Bool { values.hasRoom(for: parts(column.expanded()).values) }

  func set(_ places: Places, to column: Column) {
    let column = parts(column.expanded())
    validity.set(places, to: column.validity)
    values.set(places, to: column.values)
  }

  func gathered(_ places: Places) -> Column {
    .optional(validity: validity.bits(places), values.gathered(places))
  }

  func clear(_ places: Places) { values.clear(places) }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {
    let column = parts(column)
    // Of a None it does not matter what lies in its place.
    let before = searches.map(\.isSame)
    values.compare(searches, with: column.values)
    let base = validity.base
    for (index, search) in searches.enumerated() {
      let isValid = base[Int(search.number)]
      searches[index].isSame =
        before[index] && isValid == column.validity[Int(search.row)]
        && (search.isSame || !isValid)
    }
  }

  private func parts(_ column: Column) -> (validity: Bitmap, values: Column) {
    guard case .optional(let validity, let values) = column else {
      column.isUnexpected("optional values")
    }
    return (validity, values)
  }
}

extension UnsafeMutableBufferPointer<KeySearch> {
  /// Clears `isSame` where `isSame(row, place)` is false.
  @inline(__always)
  func compare(_ isSame: (_ row: Int, _ place: Int) -> Bool) {
    for index in indices {
      let search = self[index]
      self[index].isSame = search.isSame && isSame(Int(search.row), Int(search.number))
    }
  }
}

extension Column {
  /// Where a table meets a column of another type than its own.
  func isUnexpected(_ expected: String) -> Never {
    preconditionFailure("\(expected) are expected, not \(type)")
  }

  /// The same rows, none of them stored for several at any depth.
  func expandedThroughout() -> Column {
    if !hasRepeated { return self }
    return switch expanded() {
    case .tuple(let items, let count): .tuple(items.map { $0.expandedThroughout() }, count: count)
    case .list(let lists):
      .list(ListColumn(offsets: lists.offsets, items: lists.items.expandedThroughout()))
    case .optional(let validity, let values):
      .optional(validity: validity, values.expandedThroughout())
    case let column: column
    }
  }

  private var hasRepeated: Bool {
    switch self {
    case .repeated: true
    case .tuple(let items, _): items.contains(where: \.hasRepeated)
    case .list(let lists): lists.items.hasRepeated
    case .optional(_, let values): values.hasRepeated
    default: false
    }
  }
}
