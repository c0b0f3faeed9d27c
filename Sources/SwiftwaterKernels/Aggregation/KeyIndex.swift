import CKernels
import SwiftwaterCore

/// Numbers keys in the order in which they were first seen: a hash table from keys to 0, 1, 2, ...
///
/// A key is 16 bytes: a text's view, or the same made of numbers or of several values. It lies in its
/// slot, so that a lookup waits for memory once, and that wait overlaps with those of other keys:
/// the slots of a batch are asked for 32 rows ahead. Source of looking ahead: Chen, Ailamaki,
/// Gibbons, Mowry, "Improving hash join performance through prefetching" (2004); of keys with their
/// first bytes in place: Neumann, Freitag, "Umbra" (2020), as in Arrow's view layout.
///
/// SAFETY: used by one thread at a time. `slots` has `mask + 1` slots, of which at most half are
/// taken; a slot whose key is longer than 12 bytes says where in `heap` it lies.
final class KeyIndex {
  /// 32 bytes: a slot never lies in two lines of the cache.
  private struct Slot {
    var low: UInt64
    /// Bytes 4 to 11, or the place of the key in the heap.
    var high: UInt64
    /// The key's number plus one; 0 in a free slot.
    var number: UInt32
    /// A part of the hash.
    var tag: UInt32
    /// Of the key's amounts.
    var sum: Int64
  }

  private(set) var count = 0
  private var slots: UnsafeMutablePointer<Slot>
  private var mask: Int
  private var heap: UnsafeMutableRawPointer
  private var heapCapacity = 1 << 12
  private var heapCount = 0
  private let seeds = KeyHash.seeds

  private static let readAhead = 32

  init() {
    mask = 255
    slots = Self.emptySlots(mask + 1)
    heap = .allocate(byteCount: heapCapacity, alignment: 16)
  }

  deinit {
    Self.free(slots, count: mask + 1)
    heap.deallocate()
  }

  /// About how many bytes it holds.
  var byteCount: Int { (mask + 1) * MemoryLayout<Slot>.stride + heapCapacity }

  /// The number of each key.
  ///
  /// - Parameter newRows: gets the rows whose key was not there before, in their order.
  func numbers(of keys: TextColumn, newRows: inout [UInt32]) -> [UInt32] {
    keys.withRows { rows in
      [UInt32](unsafeUninitializedCapacity: rows.count) { numbers, used in
        look(up: rows, &newRows) { slot, row in numbers[row] = slot.pointee.number &- 1 }
        used = rows.count
      }
    }
  }

  /// Adds each row's amount to the sum of its key, which lies beside the key: nothing else is looked
  /// up.
  ///
  /// - Parameter newRows: gets the rows whose key was not there before, in their order.
  func add(_ amounts: Operand<Int64>, to keys: TextColumn, newRows: inout [UInt32]) {
    keys.withRows { rows in
      amounts.values.withUnsafeBufferPointer { values in
        if amounts.step == 0, let amount = values.first {
          look(up: rows, &newRows) { slot, _ in slot.pointee.sum &+= amount }
        } else {
          look(up: rows, &newRows) { slot, row in slot.pointee.sum &+= values[row] }
        }
      }
    }
  }

  /// The sums of all keys, by their numbers.
  func sums() -> Buffer<Int64> {
    Buffer<Int64>(unsafeUninitializedCapacity: count) { sums, used in
      for index in 0...mask where slots[index].number != 0 {
        (sums.baseAddress! + Int(slots[index].number - 1)).initialize(to: slots[index].sum)
      }
      used = count
    }
  }

  /// Calls `body` with the slot of each row's key.
  @inline(__always)
  private func look(
    up rows: TextRows, _ newRows: inout [UInt32],
    _ body: (_ slot: UnsafeMutablePointer<Slot>, _ row: Int) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.readAhead) { hashes in
      let count = rows.count
      let ahead = Self.readAhead
      let seeds = seeds
      // Read once, and again when the table has grown.
      var (slots, mask) = (self.slots, self.mask)
      for row in 0..<min(ahead, count) {
        let hash = KeyHash.hash(rows, row, seeds)
        hashes[row] = hash
        sw_kernel_prefetch(slots + (Int(truncatingIfNeeded: hash) & mask))
      }
      for row in 0..<count {
        let hash = hashes[row & (ahead &- 1)]
        let next = row &+ ahead
        if next < count {
          let nextHash = KeyHash.hash(rows, next, seeds)
          hashes[row & (ahead &- 1)] = nextHash
          sw_kernel_prefetch(slots + (Int(truncatingIfNeeded: nextHash) & mask))
        }
        let view = rows.views[row]
        var slot = slots + (Int(truncatingIfNeeded: hash) & mask)
        // Nearly always.
        let isFound =
          slot.pointee.low == view.low && slot.pointee.high == view.high && view.isInline
          && slot.pointee.number != 0
        if !isFound {
          slot = find(rows, row, hash, &newRows)
          (slots, mask) = (self.slots, self.mask)
        }
        body(slot, row)
      }
    }
  }

  /// The slot of a row's key, which is put there if it is new. The table may have grown then.
  @inline(never)
  private func find(
    _ rows: TextRows, _ row: Int, _ hash: UInt64, _ newRows: inout [UInt32]
  ) -> UnsafeMutablePointer<Slot> {
    let view = rows.views[row]
    var index = Int(truncatingIfNeeded: hash) & mask
    while true {
      let slot = slots + index
      if slot.pointee.number == 0 { break }
      if slot.pointee.low == view.low {
        if view.isInline {
          if slot.pointee.high == view.high { return slot }
        } else if slot.pointee.tag == Self.tag(of: hash), isKey(slot, rows[row]) {
          return slot
        }
      }
      index = (index &+ 1) & mask
    }
    newRows.append(UInt32(truncatingIfNeeded: row))
    if (count &+ 1) &* 2 > mask {
      grow()
      index = freePlace(hash)
    }
    insert(rows, row, hash, into: slots + index)
    return slots + index
  }

  /// The first free slot for a hash.
  private func freePlace(_ hash: UInt64) -> Int {
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index].number != 0 { index = (index &+ 1) & mask }
    return index
  }

  private func isKey(_ slot: UnsafeMutablePointer<Slot>, _ bytes: UnsafeRawBufferPointer) -> Bool {
    equalBytes(
      UnsafeRawBufferPointer(start: heap + Int(slot.pointee.high), count: bytes.count), bytes)
  }

  private func insert(
    _ rows: TextRows, _ row: Int, _ hash: UInt64, into slot: UnsafeMutablePointer<Slot>
  ) {
    let view = rows.views[row]
    let high = view.isInline ? view.high : UInt64(store(rows[row]))
    count += 1
    slot.pointee = Slot(
      low: view.low, high: high, number: UInt32(truncatingIfNeeded: count), tag: Self.tag(of: hash),
      sum: 0)
  }

  /// Copies a key into the heap.
  private func store(_ bytes: UnsafeRawBufferPointer) -> Int {
    if heapCount + bytes.count > heapCapacity {
      heapCapacity = max(heapCapacity * 2, heapCount + bytes.count)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: heapCapacity, alignment: 16)
      larger.copyMemory(from: heap, byteCount: heapCount)
      heap.deallocate()
      heap = larger
    }
    (heap + heapCount).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    defer { heapCount += bytes.count }
    return heapCount
  }

  private func grow() {
    let memory = slots
    let old = UnsafeMutableBufferPointer(start: memory, count: mask + 1)
    mask = mask * 4 + 3
    slots = Self.emptySlots(mask + 1)
    for slot in old where slot.number != 0 { slots[freePlace(hash(of: slot))] = slot }
    Self.free(memory, count: old.count)
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
    guard let memory = TableMemory.allocate(byteCount: count * MemoryLayout<Slot>.stride) else {
      // As Swift does where it cannot allocate: there is nobody who could go on without.
      fatalError("no memory for a table of \(count) keys")
    }
    // Zero bytes are free slots.
    return memory.bindMemory(to: Slot.self, capacity: count)
  }

  private static func free(_ slots: UnsafeMutablePointer<Slot>, count: Int) {
    TableMemory.release(slots, byteCount: count * MemoryLayout<Slot>.stride)
  }

  // MARK: - Hashing

  @inline(__always)
  private static func tag(of hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }

  private func hash(of slot: Slot) -> UInt64 {
    let count = Int(UInt32(truncatingIfNeeded: slot.low))
    if count <= TextView.longestInline { return KeyHash.hash(slot.low, slot.high, seeds) }
    let key = UnsafeRawBufferPointer(start: heap + Int(slot.high), count: count)
    return KeyHash.hash(key, seeds)
  }
}

extension Column {
  /// The rows as keys: equal where Python says that the values are. Nil where a row's equality or
  /// hash is Python's to decide: NaN, lists.
  func keys() -> TextColumn? {
    switch self {
    case .text(let texts): return texts
    case .repeated(.text, _):
      guard case .text(let texts) = expanded() else { return nil }
      return texts
    case .integer(let values): return TextColumn(words: values.map { UInt64(bitPattern: $0) })
    default: break
    }
    var rows = Array(repeating: [UInt8](), count: count)
    guard encode(into: &rows) else { return nil }
    var builder = TextBuilder(rows: count)
    for row in rows { row.withUnsafeBytes { builder.append($0, isASCII: false) } }
    return builder.finish()
  }

  /// Adds each row's value to its bytes, such that equal bytes mean equal values.
  private func encode(into rows: inout [[UInt8]]) -> Bool {
    func add(_ row: Int, _ word: UInt64) {
      withUnsafeBytes(of: word.littleEndian) { rows[row].append(contentsOf: $0) }
    }
    switch self {
    case .none: break
    case .bool(let bits): for row in 0..<bits.count { rows[row].append(bits[row] ? 1 : 0) }
    case .integer(let values):
      for (row, value) in values.enumerated() { add(row, UInt64(bitPattern: value)) }
    case .double(let values):
      for (row, value) in values.enumerated() {
        if value.isNaN { return false }
        // 0.0 and -0.0 are equal.
        add(row, value == 0 ? 0 : value.bitPattern)
      }
    case .text(let texts):
      texts.withRows { texts in
        for row in 0..<texts.count {
          add(row, UInt64(texts[row].count))
          rows[row].append(contentsOf: texts[row])
        }
      }
    case .tuple(let items, _):
      for item in items { if !item.encode(into: &rows) { return false } }
    case .optional(let validity, let values):
      var parts = Array(repeating: [UInt8](), count: count)
      // What stands in for None is not NaN.
      guard values.encode(into: &parts) else { return false }
      for row in 0..<count {
        rows[row].append(validity[row] ? 1 : 0)
        if validity[row] { rows[row].append(contentsOf: parts[row]) }
      }
    case .list: return false
    case .repeated: return expanded().encode(into: &rows)
    }
    return true
  }
}

extension TextColumn {
  /// Keys of 8 bytes.
  fileprivate init(words: [UInt64]) {
    self.init(
      views: words.map { TextView(low: 8 | $0 << 32, high: $0 >> 32) }, buffers: [], isASCII: false)
  }
}
