import CKernels
import SwiftwaterCore

/// The look for one row's key in a table.
package struct KeySearch {
  package let row: UInt32
  /// A part of the key's hash: which part of the slots, which slot there, and what tells keys apart.
  package let tag: UInt32
  /// The number that was found with this tag.
  package internal(set) var number: UInt32 = 0
  /// How many slots were looked at, since the table last grew.
  package internal(set) var steps: UInt32 = 0
  var growths: UInt32
  /// Whether the number is that of the key itself.
  var isSame = true

  package init(row: Int, hash: UInt64, growths: UInt32) {
    self.row = UInt32(truncatingIfNeeded: row)
    tag = KeySlots.tag(of: hash)
    self.growths = growths
  }
}

/// Numbers by the hashes of their keys, which lie elsewhere: open addressing with linear probing over
/// slots of 8 bytes.
///
/// Half of a hash is kept, and its upper bits say where a slot is: nothing but the slots is read where
/// the table grows, or where a key goes and others move up to its place. The slots are in parts, each
/// of which grows on its own, and becomes two where it is large: no call waits for more than that.
/// Source of parts that become two: Fagin, Nievergelt, Pippenger, Strong, "Extendible hashing" (1979).
///
/// SAFETY: used by one thread at a time. Each of the `1 << depth` places of `directory` points at a part,
/// those whose upper bits are the same at the same one; in a part at least a fifth is free.
package final class KeySlots {
  /// A hash's upper half (upper half), and a number plus one; 0 where it is free.
  private typealias Slot = UInt64

  private struct Part {
    var slots: UnsafeMutablePointer<Slot>
    var size: Int
    var count = 0
    /// How many bits of the tag say that it is this part.
    var depth: UInt32

    init(size: Int, depth: UInt32) {
      self.size = size
      self.depth = depth
      slots = KeySlots.emptySlots(size)
    }

    /// The slot with which a search begins.
    @inline(__always)
    func home(_ tag: UInt32) -> Int {
      Int(truncatingIfNeeded: (UInt64(tag &<< depth) &* UInt64(truncatingIfNeeded: size)) &>> 32)
    }

    /// The slot behind another; behind the last one it is the first.
    @inline(__always)
    func next(_ index: Int) -> Int { index &+ 1 == size ? 0 : index &+ 1 }

    /// How far a slot is from the home that a search for it begins with.
    func distance(_ index: Int, from home: Int) -> Int {
      index >= home ? index - home : index - home + size
    }

    var mostKeys: Int { KeySlots.mostKeys(size) }

    /// Puts a slot's content in the first free one.
    @inline(__always)
    mutating func place(_ slot: Slot) {
      var index = home(UInt32(truncatingIfNeeded: slot >> 32))
      while slots[index] != 0 { index = next(index) }
      slots[index] = slot
      count &+= 1
    }
  }

  private var directory: UnsafeMutablePointer<UnsafeMutablePointer<Part>>
  private var depth: UInt32 = 0
  package private(set) var byteCount = 0
  /// How often slots have moved because there were too few.
  package private(set) var growths: UInt32 = 0

  private let most: Int
  private static let fewest = 16
  /// Smaller parts become twice as large.
  private static let fewestInQuarters = 1 << 12
  /// Of a part's slots, 512 KiB: small parts do not all become two in the same batch, and large ones need
  /// fewer of the processor's pages. On the way to 10 million keys, a thousand at a time, no call took
  /// more than 3 ms so; it is 18 ms with four times as many slots.
  package static let mostInPart = 1 << 16

  /// - Parameter mostInPart: slots in a part that becomes two where there should be more.
  package init(mostInPart: Int = KeySlots.mostInPart) {
    most = mostInPart
    directory = .allocate(capacity: 1)
    directory.initialize(to: .allocate(capacity: 1))
    directory[0].initialize(to: Part(size: Self.fewest, depth: 0))
    byteCount = Self.byteCount(of: directory[0].pointee)
  }

  deinit {
    var index = 0
    while index < 1 << Int(depth) {
      let part = directory[index]
      index += 1 << Int(depth - part.pointee.depth)
      Self.free(part.pointee)
      part.deallocate()
    }
    directory.deallocate()
  }

  /// How many keys so many slots have.
  private static func mostKeys(_ size: Int) -> Int { size * 4 / 5 }

  /// How many slots are tried next: those of small parts twice, else a quarter of a power of two more.
  private static func size(after size: Int) -> Int {
    if size < fewestInQuarters { return 2 * size }
    return size + 1 << (Int.bitWidth - 1 - size.leadingZeroBitCount) / 4
  }

  /// How many slots there are for so many keys, and for one more.
  private static func size(for count: Int) -> Int {
    var size = fewest
    while mostKeys(size) <= count { size = self.size(after: size) }
    return size
  }

  @inline(__always)
  static func tag(of hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }

  @inline(__always)
  private func part(of tag: UInt32) -> UnsafeMutablePointer<Part> {
    directory[Int(truncatingIfNeeded: UInt64(tag) &>> UInt64(32 &- depth))]
  }

  /// Asks for the memory that a search for the tag begins with.
  @inline(__always)
  package func prefetch(_ tag: UInt32) {
    let part = part(of: tag)
    sw_kernel_prefetch(part.pointee.slots + part.pointee.home(tag))
  }

  /// Goes on to the next number with the search's tag; false where there is none left: ``insert(_:_:)``
  /// would put it there.
  @inline(__always)
  package func advance(_ search: inout KeySearch) -> Bool {
    if search.growths != growths {
      search.growths = growths
      search.steps = 0
    }
    let part = part(of: search.tag)
    let (slots, size) = (part.pointee.slots, part.pointee.size)
    var index = part.pointee.home(search.tag) &+ Int(search.steps)
    if index >= size { index &-= size }
    var steps = search.steps
    while true {
      let slot = slots[index]
      if slot == 0 {
        search.steps = steps
        return false
      }
      steps &+= 1
      if UInt32(truncatingIfNeeded: slot >> 32) == search.tag {
        search.number = UInt32(truncatingIfNeeded: slot) &- 1
        search.steps = steps
        return true
      }
      index = index &+ 1 == size ? 0 : index &+ 1
    }
  }

  /// Puts a number where a search has ended.
  @inline(__always)
  package func insert(_ number: UInt32, for search: KeySearch) {
    let part = part(of: search.tag)
    let slot = Self.slot(search.tag, number)
    if part.pointee.count >= part.pointee.mostKeys {
      grow(part, search.tag)
      self.part(of: search.tag).pointee.place(slot)
      return
    }
    var index = part.pointee.home(search.tag) &+ Int(search.steps)
    if index >= part.pointee.size { index &-= part.pointee.size }
    part.pointee.slots[index] = slot
    part.pointee.count &+= 1
  }

  /// Puts another number in the place of one that is there, for the same key.
  package func replace(_ number: UInt32, by other: UInt32, hash: UInt64) {
    let (part, index) = find(number, hash)
    // Of keys with one tag it does not matter whose slot is whose.
    part.pointee.slots[index] = Self.slot(Self.tag(of: hash), other)
  }

  /// Removes a number that is there; those behind it move up.
  package func remove(_ number: UInt32, hash: UInt64) {
    var (part, hole) = find(number, hash)
    let slots = part.pointee.slots
    var index = part.pointee.next(hole)
    while slots[index] != 0 {
      let home = part.pointee.home(UInt32(truncatingIfNeeded: slots[index] >> 32))
      // It may lie in the hole unless a search for it begins behind.
      if part.pointee.distance(index, from: home) >= part.pointee.distance(index, from: hole) {
        slots[hole] = slots[index]
        hole = index
      }
      index = part.pointee.next(index)
    }
    slots[hole] = 0
    part.pointee.count -= 1
  }

  /// Where a number is.
  @inline(__always)
  private func find(
    _ number: UInt32, _ hash: UInt64
  ) -> (part: UnsafeMutablePointer<Part>, index: Int) {
    let tag = Self.tag(of: hash)
    let part = part(of: tag)
    let wanted = Self.slot(tag, number)
    var index = part.pointee.home(tag)
    while part.pointee.slots[index] != wanted {
      precondition(part.pointee.slots[index] != 0, "no key has the number \(number)")
      index = part.pointee.next(index)
    }
    return (part, index)
  }

  @inline(__always)
  private static func slot(_ tag: UInt32, _ number: UInt32) -> Slot {
    Slot(tag) << 32 | Slot(number &+ 1)
  }

  /// Makes room where the tag belongs.
  @inline(never)
  private func grow(_ part: UnsafeMutablePointer<Part>, _ tag: UInt32) {
    growths &+= 1
    let old = part.pointee
    let slots = UnsafeMutableBufferPointer(start: old.slots, count: old.size)
    defer {
      byteCount -= Self.byteCount(of: old)
      Self.free(old)
    }
    /// Whether the next bit of the tag says that it is the second of two parts.
    @inline(__always)
    func isSecond(_ slot: Slot) -> Bool { (slot << UInt64(old.depth)) >> 63 != 0 }

    let seconds =
      old.size < most ? 0 : slots.reduce(0) { $0 + ($1 != 0 && isSecond($1) ? 1 : 0) }
    // Keys with the same hash would not be told apart by another bit of it either.
    if seconds == 0 || seconds == old.count {
      part.pointee = Part(size: Self.size(after: old.size), depth: old.depth)
      byteCount += Self.byteCount(of: part.pointee)
      for slot in slots where slot != 0 { part.pointee.place(slot) }
      return
    }
    if old.depth == depth { deepen() }
    let second = UnsafeMutablePointer<Part>.allocate(capacity: 1)
    second.initialize(to: Part(size: Self.size(for: seconds), depth: old.depth + 1))
    part.pointee = Part(size: Self.size(for: old.count - seconds), depth: old.depth + 1)
    byteCount += Self.byteCount(of: part.pointee) + Self.byteCount(of: second.pointee)
    for slot in slots where slot != 0 {
      if isSecond(slot) { second.pointee.place(slot) } else { part.pointee.place(slot) }
    }
    let count = 1 << Int(depth - old.depth)
    let first = Int(UInt64(tag) >> UInt64(32 - depth)) & ~(count - 1)
    for index in (first + count / 2)..<(first + count) { directory[index] = second }
  }

  /// Twice as many places in the directory: each part has twice as many.
  private func deepen() {
    let count = 1 << Int(depth)
    let larger = UnsafeMutablePointer<UnsafeMutablePointer<Part>>.allocate(capacity: count * 2)
    for index in 0..<(count * 2) { (larger + index).initialize(to: directory[index / 2]) }
    directory.deallocate()
    directory = larger
    depth += 1
  }

  private static func byteCount(of part: Part) -> Int {
    part.size * MemoryLayout<Slot>.stride
  }

  private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
    guard let memory = TableMemory.allocate(byteCount: count * MemoryLayout<Slot>.stride) else {
      // As Swift does where it cannot allocate: there is nobody who could go on without.
      fatalError("no memory for a table of \(count) keys")
    }
    // Zero bytes are free slots.
    return memory.bindMemory(to: Slot.self, capacity: count)
  }

  private static func free(_ part: Part) {
    TableMemory.release(part.slots, byteCount: byteCount(of: part))
  }
}
