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
/// those whose upper bits are the same at the same one; in a part at least a quarter is free.
package final class KeySlots {
  /// A hash's upper half (upper half), and a number plus one; 0 where it is free.
  private typealias Slot = UInt64

  private struct Part {
    var slots: UnsafeMutablePointer<Slot>
    /// One less than slots.
    var mask: Int
    var count = 0
    /// How many bits of the tag say that it is this part.
    var depth: UInt32
    /// How many bits of the tag remain behind those that say which slot it is.
    var shift: UInt32

    init(bits: UInt32, depth: UInt32) {
      mask = 1 << Int(bits) - 1
      shift = 32 - bits
      self.depth = depth
      slots = KeySlots.emptySlots(mask + 1)
    }

    @inline(__always)
    func home(_ tag: UInt32) -> Int { Int((tag &<< depth) &>> shift) }

    var mostKeys: Int { (mask + 1) / 4 * 3 }

    /// Puts a slot's content in the first free one.
    @inline(__always)
    mutating func place(_ slot: Slot) {
      var index = home(UInt32(truncatingIfNeeded: slot >> 32))
      while slots[index] != 0 { index = (index &+ 1) & mask }
      slots[index] = slot
      count &+= 1
    }
  }

  private var directory: UnsafeMutablePointer<UnsafeMutablePointer<Part>>
  private var depth: UInt32 = 0
  package private(set) var byteCount = 0
  /// How often slots have moved because there were too few.
  package private(set) var growths: UInt32 = 0

  private static let fewestBits: UInt32 = 4
  /// Of a part's slots, 512 KiB: small parts do not all become two in the same batch, and large ones need
  /// fewer of the processor's pages. On the way to 10 million keys, a thousand at a time, no call took
  /// more than 3 ms so; it is 18 ms with four times as many slots.
  private static let mostBits: UInt32 = 16

  package init() {
    directory = .allocate(capacity: 1)
    directory.initialize(to: .allocate(capacity: 1))
    directory[0].initialize(to: Part(bits: Self.fewestBits, depth: 0))
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
    let (slots, mask) = (part.pointee.slots, part.pointee.mask)
    var index = (part.pointee.home(search.tag) &+ Int(search.steps)) & mask
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
      index = (index &+ 1) & mask
    }
  }

  /// Puts a number where a search has ended.
  @inline(__always)
  package func insert(_ number: UInt32, for search: KeySearch) {
    let part = part(of: search.tag)
    let slot = Slot(search.tag) << 32 | Slot(number &+ 1)
    if part.pointee.count == part.pointee.mostKeys {
      grow(part, search.tag)
      self.part(of: search.tag).pointee.place(slot)
      return
    }
    let index = (part.pointee.home(search.tag) &+ Int(search.steps)) & part.pointee.mask
    part.pointee.slots[index] = slot
    part.pointee.count &+= 1
  }

  /// Removes a number that is there; those behind it move up.
  package func remove(_ number: UInt32, hash: UInt64) {
    let tag = Self.tag(of: hash)
    let part = part(of: tag)
    let (slots, mask) = (part.pointee.slots, part.pointee.mask)
    let wanted = Slot(tag) << 32 | Slot(number &+ 1)
    var hole = part.pointee.home(tag)
    while slots[hole] != wanted {
      precondition(slots[hole] != 0, "no key has the number \(number)")
      hole = (hole &+ 1) & mask
    }
    var index = (hole &+ 1) & mask
    while slots[index] != 0 {
      let home = part.pointee.home(UInt32(truncatingIfNeeded: slots[index] >> 32))
      // It may lie in the hole unless a search for it begins behind.
      if (index &- home) & mask >= (index &- hole) & mask {
        slots[hole] = slots[index]
        hole = index
      }
      index = (index &+ 1) & mask
    }
    slots[hole] = 0
    part.pointee.count -= 1
  }

  /// Makes room where the tag belongs.
  @inline(never)
  private func grow(_ part: UnsafeMutablePointer<Part>, _ tag: UInt32) {
    growths &+= 1
    let old = part.pointee
    let slots = UnsafeMutableBufferPointer(start: old.slots, count: old.mask + 1)
    let bits = 32 - old.shift
    if bits < Self.mostBits {
      part.pointee = Part(bits: bits + 1, depth: old.depth)
      for slot in slots where slot != 0 { part.pointee.place(slot) }
      byteCount += Self.byteCount(of: old)
      Self.free(old)
      return
    }
    if old.depth == depth { deepen() }
    // The next bit of the tag says which of two it is.
    let second = UnsafeMutablePointer<Part>.allocate(capacity: 1)
    second.initialize(to: Part(bits: bits, depth: old.depth + 1))
    part.pointee = Part(bits: bits, depth: old.depth + 1)
    for slot in slots where slot != 0 {
      if (slot << UInt64(old.depth)) >> 63 == 0 {
        part.pointee.place(slot)
      } else {
        second.pointee.place(slot)
      }
    }
    byteCount += Self.byteCount(of: old)
    Self.free(old)
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
    (part.mask + 1) * MemoryLayout<Slot>.stride
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
