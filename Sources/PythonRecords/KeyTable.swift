import PythonInterop

/// Python values by Python key, in the order in which the keys were first seen: a `dict` that looks
/// ahead.
///
/// Keys are the same when a `dict` says so: equal hash, and identical or `==`. A `dict` of many
/// keys spends its time waiting for memory; here the lookups of some records are begun together
/// (``prefetch(hash:)``, ``prefetchEntry(hash:)``), so that the waits overlap.
///
/// Layout: open addressing with linear probing over slots of 8 bytes (a part of the hash, and the
/// number of the entry plus one), entries in a dense array. Source of the layout: Raymond Hettinger,
/// "More compact dictionaries with faster iteration" (python-dev, 2012); of looking ahead: Chen,
/// Ailamaki, Gibbons, Mowry, "Improving hash join performance through prefetching" (2004).
///
/// SAFETY: used by threads that hold the interpreter. The table owns a reference to each key and
/// value. A key's `__eq__` may run Python code, which cannot reach the table.
final class KeyTable {
  struct Entry {
    let hash: Int
    let key: PyPointer
    var value: PyPointer
  }

  private struct Slot {
    /// The entry's place plus one; 0 in a free slot.
    var number: UInt32
    /// The upper half of the hash.
    var tag: UInt32
  }

  private var slots: UnsafeMutablePointer<Slot>
  private var mask: Int
  private var entries: UnsafeMutablePointer<Entry>
  private var capacity: Int
  private(set) var count = 0

  private static let smallest = 32

  init() {
    capacity = Self.smallest
    mask = capacity * 2 - 1
    slots = Self.emptySlots(capacity * 2)
    entries = .allocate(capacity: capacity)
  }

  deinit { Self.giveUp(slots, entries, count) }

  /// Gives up all keys and values.
  func removeAll() {
    let old = (slots, entries, count)
    capacity = Self.smallest
    mask = capacity * 2 - 1
    slots = Self.emptySlots(capacity * 2)
    entries = .allocate(capacity: capacity)
    count = 0
    // The end of an object may run Python's code: not before the table is whole again.
    Self.giveUp(old.0, old.1, old.2)
  }

  private static func giveUp(
    _ slots: UnsafeMutablePointer<Slot>, _ entries: UnsafeMutablePointer<Entry>, _ count: Int
  ) {
    for index in 0..<count {
      Py.release(entries[index].key)
      Py.release(entries[index].value)
    }
    slots.deallocate()
    entries.deallocate()
  }

  /// Begins to fetch the slot of a hash.
  @inline(__always)
  func prefetch(hash: Int) { Py.prefetch(slots + (hash & mask)) }

  /// Begins to fetch the entry of a hash, whose slot should be at hand.
  @inline(__always)
  func prefetchEntry(hash: Int) {
    let slot = slots[hash & mask]
    if slot.number != 0 { Py.prefetch(entries + Int(slot.number - 1)) }
  }

  /// Begins to fetch the key and the value of a hash, whose entry should be at hand.
  @inline(__always)
  func prefetchObjects(hash: Int) {
    let slot = slots[hash & mask]
    if slot.number != 0 {
      let entry = entries[Int(slot.number - 1)]
      Py.prefetch(entry.key)
      Py.prefetch(entry.value)
    }
  }

  /// The place of a key's entry; nil where there is none. `failed` is set when a comparison raised.
  @inline(__always)
  func find(_ key: PyPointer, hash: Int, failed: inout Bool) -> Int? {
    let tag = Self.tag(of: hash)
    var index = hash & mask
    while true {
      let slot = slots[index]
      if slot.number == 0 { return nil }
      if slot.tag == tag {
        let place = Int(slot.number - 1)
        let entry = entries[place]
        if entry.hash == hash {
          let same = Py.equal(entry.key, key)
          if same > 0 { return place }
          if same < 0 {
            failed = true
            return nil
          }
        }
      }
      index = (index + 1) & mask
    }
  }

  /// The value of an entry, borrowed.
  @inline(__always)
  func value(at place: Int) -> PyPointer { entries[place].value }

  /// Replaces a value; takes over the new reference.
  @inline(__always)
  func replaceValue(at place: Int, by value: PyPointer) {
    let old = entries[place].value
    entries[place].value = value
    Py.release(old)
  }

  /// Adds a key that is not in the table; takes over both references.
  func insert(_ key: PyPointer, hash: Int, value: PyPointer) {
    if count == capacity { grow() }
    entries[count] = Entry(hash: hash, key: key, value: value)
    count += 1
    Self.place(hash, number: UInt32(count), in: slots, mask)
  }

  /// Calls `body` with each entry, in first-seen order.
  func forEach(_ body: (Entry) throws -> Void) rethrows {
    for index in 0..<count { try body(entries[index]) }
  }

  private func grow() {
    capacity *= 2
    let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
    larger.moveInitialize(from: entries, count: count)
    entries.deallocate()
    entries = larger
    slots.deallocate()
    // At most half of the slots are taken.
    mask = capacity * 2 - 1
    slots = Self.emptySlots(capacity * 2)
    for index in 0..<count {
      Self.place(entries[index].hash, number: UInt32(index + 1), in: slots, mask)
    }
  }

  private static func place(
    _ hash: Int, number: UInt32, in slots: UnsafeMutablePointer<Slot>, _ mask: Int
  ) {
    var index = hash & mask
    while slots[index].number != 0 { index = (index + 1) & mask }
    slots[index] = Slot(number: number, tag: tag(of: hash))
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
    slots.initialize(repeating: Slot(number: 0, tag: 0), count: count)
    return slots
  }

  @inline(__always)
  private static func tag(of hash: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: UInt(bitPattern: hash) >> 32)
  }
}
