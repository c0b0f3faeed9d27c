/// Bits in Arrow's order: bit `i` is bit `i % 64` of word `i / 64`. The bits behind the last are 0.
public struct Bitmap: Hashable, Sendable {
  public private(set) var words: Buffer<UInt64>
  public let count: Int

  public init(repeating value: Bool, count: Int) {
    let wordCount = (count + 63) / 64
    let words = Buffer<UInt64>(count: wordCount) {
      $0.initialize(repeating: value ? .max : 0, count: wordCount)
    }
    self.init(words: words, count: count)
  }

  /// - Parameter words: `(count + 63) / 64` of them; bits behind the last are cleared.
  public init(words: Buffer<UInt64>, count: Int) {
    precondition(words.count == (count + 63) / 64)
    let kept: UInt64 = count % 64 == 0 ? .max : (1 << UInt64(count % 64)) - 1
    self.words = words
    self.count = count
    if let last = words.last, last & ~kept != 0 {
      self.words.withUnsafeMutableBufferPointer { $0[$0.count - 1] &= kept }
    }
  }

  /// Bits in bytes, the lowest first, as Arrow has them. They are copied, unless they begin at a
  /// word, their last word is whole, and what it has behind them is 0.
  ///
  /// - Parameter start: the place of the first bit.
  public init(_ bytes: Buffer<UInt8>, from start: Int = 0, count: Int) {
    precondition(start >= 0 && start + count <= bytes.count * 8)
    let wordCount = (count + 63) / 64
    let first = UnsafeRawPointer(bytes.base) + start / 8
    if start % 8 == 0, UInt(bitPattern: first) % 8 == 0, bytes.count - start / 8 >= wordCount * 8 {
      // SAFETY: so many words are there, and aligned.
      let words = Buffer<UInt64>(
        base: first.assumingMemoryBound(to: UInt64.self), count: wordCount, owner: bytes.owner)
      self.init(words: words, count: count)
    } else {
      self.init(count: count) { bit in
        let place = start + bit
        return bytes[place >> 3] >> UInt8(place & 7) & 1 != 0
      }
    }
  }

  /// Bit `i` is what `isSet(i)` says.
  @inlinable @inline(__always)
  public init(count: Int, where isSet: (Int) throws -> Bool) rethrows {
    let words = try Buffer<UInt64>(
      unsafeUninitializedCapacity: (count + 63) / 64
    ) { words, used in
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
    words.withUnsafeMutableBufferPointer { words in
      if value { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
    }
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
    combined(a, a) { word, _ in ~word }
  }

  public static func & (a: Bitmap, b: Bitmap) -> Bitmap { combined(a, b, &) }

  public static func | (a: Bitmap, b: Bitmap) -> Bitmap { combined(a, b, |) }

  public static func ^ (a: Bitmap, b: Bitmap) -> Bitmap { combined(a, b, ^) }

  @inline(__always)
  private static func combined(
    _ a: Bitmap, _ b: Bitmap, _ combine: (UInt64, UInt64) -> UInt64
  ) -> Bitmap {
    precondition(a.count == b.count)
    let words = a.words.withUnsafeBufferPointer { left in
      b.words.withUnsafeBufferPointer { right in
        Buffer<UInt64>(count: left.count) { words in
          for index in left.indices { words[index] = combine(left[index], right[index]) }
        }
      }
    }
    return Bitmap(words: words, count: a.count)
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

  /// Itself; or a copy, where it is a small part of its memory.
  func compacted() -> Bitmap {
    words.isSmallPart ? Bitmap(words: words.copied(), count: count) : self
  }

  public func sliced(_ range: Range<Int>) -> Bitmap {
    Bitmap(count: range.count) { self[range.lowerBound + $0] }
  }
}
