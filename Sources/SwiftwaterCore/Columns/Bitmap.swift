/// Bits in Arrow's order: bit `i` is bit `i % 64` of word `i / 64`. The bits behind the last are 0.
public struct Bitmap: Hashable, Sendable {
  public private(set) var words: [UInt64]
  public let count: Int

  public init(repeating value: Bool, count: Int) {
    self.init(words: Array(repeating: value ? .max : 0, count: (count + 63) / 64), count: count)
  }

  /// - Parameter words: `(count + 63) / 64` of them; bits behind the last are cleared.
  public init(words: [UInt64], count: Int) {
    precondition(words.count == (count + 63) / 64)
    self.words = words
    self.count = count
    if count % 64 != 0 { self.words[words.count - 1] &= (1 << UInt64(count % 64)) - 1 }
  }

  /// Bit `i` is what `isSet(i)` says.
  @inlinable @inline(__always)
  public init(count: Int, where isSet: (Int) throws -> Bool) rethrows {
    let words = try [UInt64](unsafeUninitializedCapacity: (count + 63) / 64) { words, used in
      var index = 0
      while index < count {
        var word: UInt64 = 0
        let end = min(index + 64, count)
        for bit in index..<end {
          word |= (try isSet(bit) ? 1 : 0) << UInt64(truncatingIfNeeded: bit & 63)
        }
        words[used] = word
        used += 1
        index = end
      }
    }
    self.init(words: words, count: count)
  }

  @inlinable
  public subscript(index: Int) -> Bool {
    get { words[index >> 6] >> UInt64(index & 63) & 1 != 0 }
    set { set(index, newValue) }
  }

  @usableFromInline
  mutating func set(_ index: Int, _ value: Bool) {
    precondition(index < count)
    let bit: UInt64 = 1 << UInt64(index & 63)
    if value { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
  }

  /// The number of bits that are 1.
  public var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  public var allSet: Bool { setCount == count }
  public var noneSet: Bool { words.allSatisfy { $0 == 0 } }

  /// The places of the bits that are 1, ascending.
  public func indices() -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: setCount) { places, used in
      for (number, word) in words.enumerated() {
        var bits = word
        while bits != 0 {
          places[used] = UInt32(truncatingIfNeeded: number << 6 | bits.trailingZeroBitCount)
          used += 1
          bits &= bits &- 1
        }
      }
    }
  }

  public static prefix func ~ (a: Bitmap) -> Bitmap {
    Bitmap(words: a.words.map { ~$0 }, count: a.count)
  }

  public static func & (a: Bitmap, b: Bitmap) -> Bitmap { combined(a, b, &) }

  public static func | (a: Bitmap, b: Bitmap) -> Bitmap { combined(a, b, |) }

  public static func ^ (a: Bitmap, b: Bitmap) -> Bitmap { combined(a, b, ^) }

  private static func combined(
    _ a: Bitmap, _ b: Bitmap, _ combine: (UInt64, UInt64) -> UInt64
  ) -> Bitmap {
    precondition(a.count == b.count)
    return Bitmap(words: zip(a.words, b.words).map(combine), count: a.count)
  }

  /// The bits at `places`, in their order.
  public func gathered(_ places: [UInt32]) -> Bitmap {
    words.withUnsafeBufferPointer { words in
      Bitmap(count: places.count) { index in
        let place = Int(places[index])
        return words[place >> 6] >> UInt64(place & 63) & 1 != 0
      }
    }
  }

  public func sliced(_ range: Range<Int>) -> Bitmap {
    Bitmap(count: range.count) { self[range.lowerBound + $0] }
  }
}
