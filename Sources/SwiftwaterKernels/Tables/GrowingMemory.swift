import SwiftwaterCore

/// Values by place, in memory that grows.
///
/// SAFETY: used by one thread at a time. There is room for `capacity` values; the first `count` are
/// initialised, with zero bytes where nobody has written.
package struct GrowingMemory<Element: BitwiseCopyable>: ~Copyable {
  package private(set) var base: UnsafeMutablePointer<Element>
  package private(set) var count = 0
  private var capacity: Int

  private static var smallest: Int { 16 }

  package init() {
    capacity = Self.smallest
    base = Self.resized(nil, from: 0, to: capacity)
  }

  deinit { GrowingBytes.release(base, byteCount: Self.byteCount(capacity)) }

  private static func byteCount(_ capacity: Int) -> Int { capacity * MemoryLayout<Element>.stride }

  package var byteCount: Int { Self.byteCount(capacity) }

  /// Makes room, so that all places below `end` are there.
  package mutating func extend(to end: Int) {
    if end <= count { return }
    reserve(end)
    UnsafeMutableRawPointer(base + count).initializeMemory(
      as: UInt8.self, repeating: 0, count: (end - count) * MemoryLayout<Element>.stride)
    count = end
  }

  /// Writes values behind the last.
  mutating func append(_ values: UnsafeBufferPointer<Element>) {
    guard let start = values.baseAddress else { return }
    reserve(count + values.count)
    (base + count).initialize(from: start, count: values.count)
    count += values.count
  }

  private mutating func reserve(_ end: Int) {
    if end <= capacity { return }
    // The more there is, the less of it is room for what may never come.
    let larger = max(end, capacity + (capacity < 1 << 16 ? capacity : capacity / 2))
    base = Self.resized(base, from: capacity, to: larger)
    capacity = larger
  }

  private static func resized(
    _ base: UnsafeMutablePointer<Element>?, from known: Int, to capacity: Int
  ) -> UnsafeMutablePointer<Element> {
    GrowingBytes.resize(base, from: byteCount(known), to: byteCount(capacity))
      .bindMemory(to: Element.self, capacity: capacity)
  }
}

extension GrowingMemory where Element: Sendable {
  /// Writes value `i * step` to place `i` of those given.
  @inline(__always)
  mutating func scatter(
    _ values: UnsafeBufferPointer<Element>, step: Int = 1, to places: Places
  ) {
    extend(to: places.end)
    let base = base
    // SAFETY: all places lie below `places.end`.
    for (row, place) in places.numbers.enumerated() { base[Int(place)] = values[row &* step] }
  }

  /// The values in places.
  @inline(__always)
  func gathered(_ places: Places) -> Buffer<Element> {
    precondition(places.end <= count, "nothing was put there")
    let base = base
    return Buffer<Element>(count: places.numbers.count) { output in
      // SAFETY: all places lie below `places.end`, and so in what is initialised.
      for (row, place) in places.numbers.enumerated() {
        (output + row).initialize(to: base[Int(place)])
      }
    }
  }
}

/// Places of a table, of which the end is known: they are checked once.
struct Places {
  let numbers: UnsafeBufferPointer<UInt32>
  /// All are below.
  let end: Int

  private init(_ numbers: UnsafeBufferPointer<UInt32>) {
    var largest: UInt32 = 0
    for number in numbers { largest = max(largest, number) }
    self.numbers = numbers
    end = numbers.isEmpty ? 0 : Int(largest) + 1
  }

  /// Calls `body` with places, which may be used until it returns.
  @inline(__always)
  static func with<R>(_ numbers: [UInt32], _ body: (Places) throws -> R) rethrows -> R {
    try numbers.withUnsafeBufferPointer { try body(Places($0)) }
  }
}
