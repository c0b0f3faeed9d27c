import SwiftwaterCore

/// Numbers for the rows of columns of one type, which has a hash: equal where Python says that the
/// rows are. A key stays what it was where it was first seen.
///
/// Some hundred rows are looked up together: all of them first find a number that may be theirs, then
/// the keys with these numbers are compared, column by column, and who has found another key goes on. So
/// the waits for memory overlap, and nothing is called for each key.
public final class ColumnDirectory: KeyDirectory {
  public let type: ColumnType
  public private(set) var count = 0
  public private(set) var bound = 0
  private let keys: SpillingStore
  private let slots = KeySlots()
  /// Numbers of keys that are gone.
  private var unused: [UInt32] = []

  private static let rowsPerStep = 1024

  init(_ type: ColumnType) {
    precondition(type.isHashable)
    self.type = type
    keys = SpillingStore(type)
  }

  public var byteCount: Int {
    slots.byteCount + keys.byteCount + unused.capacity * MemoryLayout<UInt32>.stride
  }

  /// The numbers of all keys, ascending.
  public var numbers: [UInt32] {
    var isUsed = [Bool](repeating: true, count: bound)
    for number in unused { isUsed[Int(number)] = false }
    return (0..<UInt32(bound)).filter { isUsed[Int($0)] }
  }

  /// - Returns: nil for keys of another type, and where one has a NaN, which a `dict` finds by its
  ///   identity.
  /// - Throws: where keys on disk cannot be read or written; nothing has changed then.
  public func numbers(
    of keys: any RecordBatch, newRows: inout [UInt32]
  ) throws -> [UInt32]? {
    guard let batch = keys as? ColumnBatch, batch.column.type == type else { return nil }
    let column = batch.column.expandedThroughout()
    guard let hashes = column.keyHashes() else { return nil }
    return try [UInt32](unsafeUninitializedCapacity: hashes.count) { numbers, used in
      let known = newRows.count
      do {
        try withUnsafeTemporaryAllocation(of: KeySearch.self, capacity: Self.rowsPerStep) {
          searches in
          for start in stride(from: 0, to: hashes.count, by: Self.rowsPerStep) {
            let rows = start..<min(start + Self.rowsPerStep, hashes.count)
            try find(column, rows, hashes, searches, numbers, &newRows)
          }
        }
      } catch {
        for row in newRows[known...] {
          slots.remove(numbers[Int(row)], hash: hashes[Int(row)])
          unused.append(numbers[Int(row)])
        }
        count -= newRows.count - known
        newRows.removeLast(newRows.count - known)
        throw error
      }
      used = hashes.count
    }
  }

  /// Looks some rows up, and puts keys there that are new.
  private func find(
    _ column: Column, _ rows: Range<Int>, _ hashes: [UInt64],
    _ searches: UnsafeMutableBufferPointer<KeySearch>,
    _ numbers: UnsafeMutableBufferPointer<UInt32>, _ newRows: inout [UInt32]
  ) throws {
    hashes.withUnsafeBufferPointer { hashes in
      for (index, row) in rows.enumerated() {
        let search = KeySearch(row: row, hash: hashes[row], growths: slots.growths)
        slots.prefetch(search.tag)
        (searches.baseAddress! + index).initialize(to: search)
      }
    }
    let firstNew = newRows.count
    // Those that have not found their number, in their order.
    var left = rows.count
    var rounds = 0
    while left > 0 {
      let (alreadyNew, growths) = (newRows.count, slots.growths)
      let candidates = step(searches, left, numbers, &newRows)
      if newRows.count > alreadyNew { try keep(column, Array(newRows[alreadyNew...]), numbers) }
      let found = UnsafeMutableBufferPointer(rebasing: searches[..<candidates])
      try keys.compare(found, with: column)
      left = 0
      for search in found {
        if search.isSame {
          numbers[Int(search.row)] = search.number
        } else {
          searches[left] = search
          searches[left].isSame = true
          // All of them begin anew where the slots have moved: of two rows with one key the first must
          // not fall behind the second.
          if slots.growths != growths { searches[left].steps = 0 }
          left += 1
        }
      }
      rounds += 1
    }
    // A row that met another key first was put there later than rows behind it.
    if rounds > 1, newRows.count > firstNew + 1 {
      newRows[firstNew...].sort()
      try renumber(Array(newRows[firstNew...]), rows, column, hashes, numbers)
    }
  }

  /// Deals the numbers of new keys out anew, so that they ascend as their rows do: of numbers in their
  /// natural order a table need not keep the order.
  private func renumber(
    _ new: [UInt32], _ rows: Range<Int>, _ column: Column, _ hashes: [UInt64],
    _ numbers: UnsafeMutableBufferPointer<UInt32>
  ) throws {
    let before = new.map { numbers[Int($0)] }
    let after = before.sorted()
    if before == after { return }
    var others: [UInt32: UInt32] = [:]
    for (index, row) in new.enumerated() where before[index] != after[index] {
      others[before[index]] = after[index]
      slots.replace(before[index], by: after[index], hash: hashes[Int(row)])
    }
    // Rows behind the first of a key have its number too.
    for row in rows { numbers[row] = others[numbers[row]] ?? numbers[row] }
    try keep(column, new.indices.filter { before[$0] != after[$0] }.map { new[$0] }, numbers)
  }

  /// Lets searches go on, each to the next number that may be its own. Who finds none is new, and gets
  /// one.
  ///
  /// - Returns: how many have found one: they are the first, in their order.
  private func step(
    _ searches: UnsafeMutableBufferPointer<KeySearch>, _ count: Int,
    _ numbers: UnsafeMutableBufferPointer<UInt32>, _ newRows: inout [UInt32]
  ) -> Int {
    var candidates = 0
    for index in 0..<count {
      var search = searches[index]
      if slots.advance(&search) {
        searches[candidates] = search
        candidates += 1
      } else {
        let number = takeNumber()
        slots.insert(number, for: search)
        numbers[Int(search.row)] = number
        newRows.append(search.row)
      }
    }
    return candidates
  }

  private func takeNumber() -> UInt32 {
    count += 1
    if let number = unused.popLast() { return number }
    defer { bound += 1 }
    return UInt32(bound)
  }

  /// Stores the keys of rows that have got a number.
  private func keep(
    _ column: Column, _ rows: [UInt32], _ numbers: UnsafeMutableBufferPointer<UInt32>
  ) throws {
    let new = column.gathered(rows)
    try Places.with(rows.map { numbers[Int($0)] }) { try keys.set($0, to: new) }
  }

  /// Keys that cannot be read from disk stay, with their numbers: they are found, and are no new ones.
  public func remove(_ numbers: [UInt32]) {
    Places.with(numbers) { places in
      guard let column = try? keys.gathered(places) else { return }
      guard let hashes = column.keyHashes() else {
        preconditionFailure("a key has no hash any more")
      }
      for (number, hash) in zip(numbers, hashes) { slots.remove(number, hash: hash) }
      keys.clear(places)
      unused += numbers
      count -= numbers.count
    }
  }

  public func keys(_ numbers: [UInt32]) throws -> any RecordBatch {
    ColumnBatch(try Places.with(numbers) { try keys.gathered($0) })
  }
}
