import SwiftwaterCore
import SwiftwaterStore

/// Rows of one type by place, in memory while there is room and on disk where there is none.
///
/// What is in memory stays there; where memory is short, what is new goes to disk, and so does what
/// would take more room than it has. A row that is changed when there is room again comes back. So a
/// table is never moved as a whole, and no call waits for more than its own rows.
///
/// As a ``ColumnStore`` otherwise, but that reading and writing may fail: nothing has changed then.
final class SpillingStore {
  private let type: ColumnType
  private let memory: any ColumnStore
  private var disk = StoredPlaces()
  /// Rows of a type with one size take no more room when they are changed.
  private let hasOneSize: Bool
  /// Places below have room in memory.
  private var memoryEnd = 0

  init(_ type: ColumnType) {
    self.type = type
    memory = makeColumnStore(type)
    hasOneSize = type.hasOneSize
  }

  var byteCount: Int { memory.byteCount + disk.byteCount }

  func hasRoom(for column: Column) -> Bool { memory.hasRoom(for: column) }

  func set(_ places: Places, to column: Column) throws {
    let isShort = StoredPlaces.isAsked(adding: places.numbers.count)
    if !isShort, disk.isEmpty { return setInMemory(places, column) }
    var inMemory: [UInt32] = []
    var onDisk: [UInt32] = []
    for (row, place) in places.numbers.enumerated() {
      if isShort, !(hasOneSize && place < memoryEnd) {
        onDisk.append(UInt32(truncatingIfNeeded: row))
      } else {
        inMemory.append(UInt32(truncatingIfNeeded: row))
      }
    }
    if !onDisk.isEmpty {
      let written = onDisk.map { places.numbers[Int($0)] }
      let rows = ColumnRows.rows(of: column.gathered(onDisk).expandedThroughout())
      if rows.hasTooLong {
        // Nobody has such rows but by mistake: they stay where they can be looked at.
        disk.remove(places.numbers)
        return setInMemory(places, column)
      }
      try disk.write(written, rows)
      Places.with(written.filter { $0 < memoryEnd }) { memory.clear($0) }
    }
    if inMemory.isEmpty { return }
    Places.with(inMemory.map { places.numbers[Int($0)] }) { some in
      setInMemory(some, onDisk.isEmpty ? column : column.gathered(inMemory))
      disk.remove(some.numbers)
    }
  }

  private func setInMemory(_ places: Places, _ column: Column) {
    memory.set(places, to: column)
    memoryEnd = max(memoryEnd, places.end)
  }

  func gathered(_ places: Places) throws -> Column {
    if disk.isEmpty { return memory.gathered(places) }
    let rows = disk.divided(places.numbers)
    if rows.disk.isEmpty { return memory.gathered(places) }
    let stored = try onDisk(rows.disk.map { places.numbers[Int($0)] })
    if rows.memory.isEmpty { return stored }
    let here = Places.with(rows.memory.map { places.numbers[Int($0)] }) { memory.gathered($0) }
    var order = [UInt32](repeating: 0, count: places.numbers.count)
    for (index, row) in (rows.memory + rows.disk).enumerated() {
      order[Int(row)] = UInt32(truncatingIfNeeded: index)
    }
    return Column.concatenated([here, stored]).gathered(order)
  }

  private func onDisk(_ places: [UInt32]) throws -> Column {
    try ColumnRows.column(type, of: disk.read(places))
  }

  func clear(_ places: Places) {
    if disk.isEmpty { return memory.clear(places) }
    Places.with(places.numbers.filter { $0 < memoryEnd }) { memory.clear($0) }
    disk.remove(places.numbers)
  }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) throws {
    if disk.isEmpty { return memory.compare(searches, with: column) }
    let parts = disk.divided(searches.map(\.number))
    if parts.disk.isEmpty { return memory.compare(searches, with: column) }
    let stored = try onDisk(parts.disk.map { searches[Int($0)].number })
    let loaded = makeColumnStore(type)
    Places.with(parts.disk.indices.map { UInt32(truncatingIfNeeded: $0) }) {
      loaded.set($0, to: stored)
    }
    compare(searches, parts.memory, memory, column) { searches[$0].number }
    var next: UInt32 = 0
    compare(searches, parts.disk, loaded, column) { _ in
      defer { next += 1 }
      return next
    }
  }

  /// Compares some of the searches with what is in a store.
  ///
  /// - Parameter place: where the store has the key that a search has come to.
  private func compare(
    _ searches: UnsafeMutableBufferPointer<KeySearch>, _ rows: [UInt32], _ store: any ColumnStore,
    _ column: Column, place: (Int) -> UInt32
  ) {
    if rows.isEmpty { return }
    var some = rows.map { row in
      var search = searches[Int(row)]
      search.number = place(Int(row))
      return search
    }
    some.withUnsafeMutableBufferPointer { store.compare($0, with: column) }
    for (index, row) in rows.enumerated() { searches[Int(row)].isSame = some[index].isSame }
  }
}

extension ColumnType {
  /// True where all rows take the same room.
  fileprivate var hasOneSize: Bool {
    switch self {
    case .none, .bool, .integer, .double: true
    case .text, .list: false
    case .tuple(let items): items.allSatisfy(\.hasOneSize)
    case .optional(let type): type.hasOneSize
    }
  }
}
