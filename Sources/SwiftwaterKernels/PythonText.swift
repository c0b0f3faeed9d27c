/// What methods of Python's `str` give, over valid UTF-8.
///
/// Offsets count bytes unless they are said to count code points. nil from a question means that
/// *Python decides*, since there are characters beyond ASCII.
public enum PythonText {
  // MARK: White space

  /// The bytes of the white space character at `offset`; 0 where another character is.
  ///
  /// Python's white space is that of `str.isspace`: in ASCII also the four separators 1C to 1F.
  @inlinable @inline(__always)
  public static func spaceLength(at offset: Int, in text: UnsafeRawBufferPointer) -> Int {
    let byte = text[offset]
    if byte < 0x80 { return isSpace(byte) ? 1 : 0 }
    return wideSpaceLength(at: offset, in: text)
  }

  /// Of an ASCII character.
  @inlinable @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte &- 0x09 < 5 || byte &- 0x1C < 4
  }

  /// As ``spaceLength(at:in:)``, beyond ASCII.
  @usableFromInline
  static func wideSpaceLength(at offset: Int, in text: UnsafeRawBufferPointer) -> Int {
    // SAFETY: in valid UTF-8 one byte follows C2, and two follow E1 to E3.
    switch text[offset] {
    case 0xC2:
      return text[offset + 1] == 0x85 || text[offset + 1] == 0xA0 ? 2 : 0
    case 0xE1:
      return text[offset + 1] == 0x9A && text[offset + 2] == 0x80 ? 3 : 0
    case 0xE2:
      switch (text[offset + 1], text[offset + 2]) {
      case (0x80, 0x80...0x8A), (0x80, 0xA8), (0x80, 0xA9), (0x80, 0xAF), (0x81, 0x9F): return 3
      default: return 0
      }
    case 0xE3:
      return text[offset + 1] == 0x80 && text[offset + 2] == 0x80 ? 3 : 0
    default:
      return 0
    }
  }

  /// Where `text.lstrip()` begins; the length of the text where all of it is white space.
  @inlinable @inline(__always)
  public static func firstNonSpace(in text: UnsafeRawBufferPointer) -> Int {
    firstNonSpace(in: text, from: 0)
  }

  @inlinable @inline(__always)
  static func firstNonSpace(in text: UnsafeRawBufferPointer, from offset: Int) -> Int {
    var offset = offset
    while offset < text.count {
      let length = spaceLength(at: offset, in: text)
      if length == 0 { break }
      offset += length
    }
    return offset
  }

  /// Where `text.rstrip()` ends: behind the last character that is not white space; 0 if none.
  @inlinable @inline(__always)
  public static func endOfLastNonSpace(in text: UnsafeRawBufferPointer) -> Int {
    var end = text.count
    while end > 0 {
      var start = end - 1
      // SAFETY: valid UTF-8 does not begin with a byte that continues a character.
      while text[start] & 0xC0 == 0x80 { start -= 1 }
      if spaceLength(at: start, in: text) == 0 { break }
      end = start
    }
    return end
  }

  /// Where `text.strip()` lies.
  @inlinable @inline(__always)
  public static func stripped(_ text: UnsafeRawBufferPointer) -> Range<Int> {
    let end = endOfLastNonSpace(in: text)
    let inner = UnsafeRawBufferPointer(rebasing: text[..<end])
    return firstNonSpace(in: inner)..<end
  }

  /// Calls `body` with the place of each word: `text.split()`, or `text.split(None, limit)`.
  ///
  /// - Parameter limit: the most splits; without limit below zero.
  @inlinable @inline(__always)
  public static func forEachWord(
    in text: UnsafeRawBufferPointer, splits limit: Int = -1, _ body: (Range<Int>) throws -> Void
  ) rethrows {
    var splits = 0
    var start = firstNonSpace(in: text, from: 0)
    while start < text.count {
      // White space at the end of the rest stays.
      if splits >= limit, limit >= 0 { return try body(start..<text.count) }
      var end = start
      var spaceLength = 0
      while end < text.count {
        spaceLength = self.spaceLength(at: end, in: text)
        if spaceLength > 0 { break }
        end += 1
      }
      try body(start..<end)
      splits += 1
      start = firstNonSpace(in: text, from: end + spaceLength)
    }
  }

  // MARK: Code points

  /// `len(text)`.
  public static func codePointCount(_ text: UnsafeRawBufferPointer) -> Int {
    // Every byte but 80 to BF begins a code point.
    var continuations = 0
    var index = 0
    while index + 64 <= text.count {
      // Each of 64 counters takes at most 255 blocks.
      let blocks = min((text.count - index) / 64, 255)
      var counters = SIMD8<UInt64>.zero
      for _ in 0..<blocks {
        counters &+= continuationBits(
          text.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self))
        index += 64
      }
      let pairs = (counters & 0x00FF_00FF_00FF_00FF) &+ ((counters &>> 8) & 0x00FF_00FF_00FF_00FF)
      // The sum of four lanes of 16 bits, in the uppermost.
      let sums = (pairs &* 0x0001_0001_0001_0001) &>> 48
      continuations += Int(sums.wrappedSum())
    }
    while index < text.count {
      if text[index] & 0xC0 == 0x80 { continuations += 1 }
      index += 1
    }
    return text.count - continuations
  }

  /// The byte 1 for each byte that continues a code point, 0 for others.
  private static func continuationBits(_ bytes: SIMD8<UInt64>) -> SIMD8<UInt64> {
    (bytes &>> 7) & ~(bytes &>> 6) & 0x0101_0101_0101_0101
  }

  /// Where code point number `index` begins, from 0 on; the length of the text for the number of
  /// its code points; nil for other numbers.
  public static func byteOffset(
    ofCodePoint index: Int, in text: UnsafeRawBufferPointer
  ) -> Int? {
    guard 0...text.count ~= index else { return nil }
    var left = index
    var offset = 0
    // Eight bytes a step, while all of the code points that begin in them are passed.
    while left >= 8, offset + 8 <= text.count {
      let bytes = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let continuations = (bytes >> 7) & ~(bytes >> 6) & 0x0101_0101_0101_0101
      // The sum of the bytes, in the uppermost.
      left -= 8 - Int((continuations &* 0x0101_0101_0101_0101) >> 56)
      offset += 8
    }
    while offset < text.count {
      if text[offset] & 0xC0 != 0x80 {
        if left == 0 { return offset }
        left -= 1
      }
      offset += 1
    }
    return left == 0 ? offset : nil
  }

  // MARK: Classes of characters

  /// `text.isdigit()`.
  @inlinable
  public static func isDigits(_ text: UnsafeRawBufferPointer) -> Bool? {
    areAll(text) { $0 &- UInt8(ascii: "0") < 10 }
  }

  /// `text.isalpha()`.
  @inlinable
  public static func isAlpha(_ text: UnsafeRawBufferPointer) -> Bool? {
    areAll(text) { isLetter($0) }
  }

  /// `text.isalnum()`.
  @inlinable
  public static func isAlphanumeric(_ text: UnsafeRawBufferPointer) -> Bool? {
    areAll(text) { isLetter($0) || $0 &- UInt8(ascii: "0") < 10 }
  }

  /// `text.isspace()`.
  @inlinable
  public static func isSpace(_ text: UnsafeRawBufferPointer) -> Bool? {
    areAll(text) { isSpace($0) }
  }

  /// `text.isupper()`: a letter, and none that is lower case.
  @inlinable
  public static func isUpper(_ text: UnsafeRawBufferPointer) -> Bool? {
    hasCase(text, wanted: UInt8(ascii: "A"), other: UInt8(ascii: "a"))
  }

  /// `text.islower()`: a letter, and none that is upper case.
  @inlinable
  public static func isLower(_ text: UnsafeRawBufferPointer) -> Bool? {
    hasCase(text, wanted: UInt8(ascii: "a"), other: UInt8(ascii: "A"))
  }

  @inlinable @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

  /// A character that is not in the class decides whatever follows.
  @inlinable @inline(__always)
  static func areAll(_ text: UnsafeRawBufferPointer, _ isInside: (UInt8) -> Bool) -> Bool? {
    for byte in text where !isInside(byte) { return byte < 0x80 ? false : nil }
    return !text.isEmpty
  }

  /// - Parameters: the first letters of the two alphabets.
  @inlinable @inline(__always)
  static func hasCase(_ text: UnsafeRawBufferPointer, wanted: UInt8, other: UInt8) -> Bool? {
    var isFound = false
    for byte in text {
      if byte >= 0x80 { return nil }
      if byte &- other < 26 { return false }
      if byte &- wanted < 26 { isFound = true }
    }
    return isFound
  }

  // MARK: Search

  /// The offset of the first `needle` in `text` at `start` or later, nil if there is none. An empty
  /// needle is found at `start`.
  ///
  /// In UTF-8 the bytes of a text are found only where its code points are.
  public static func find(
    _ needle: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer, from start: Int = 0
  ) -> Int? {
    guard let first = needle.first, let last = needle.last else {
      return start <= text.count ? start : nil
    }
    let distance = needle.count - 1
    // One past the last place where the needle has room.
    let end = text.count - distance
    // SAFETY: places below `end` have all of the needle's bytes behind them in the text.
    var offset = start
    // Eight places a step: where both the first and the last byte of the needle are in place, a
    // byte of `difference` is 0. The first byte marked is one of those; others may not be.
    let firstBytes = UInt64(first) &* 0x0101_0101_0101_0101
    let lastBytes = UInt64(last) &* 0x0101_0101_0101_0101
    while offset + 8 <= end {
      let firsts = UInt64(
        littleEndian: text.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let lasts = UInt64(
        littleEndian: text.loadUnaligned(fromByteOffset: offset + distance, as: UInt64.self))
      let difference = (firsts ^ firstBytes) | (lasts ^ lastBytes)
      var marks = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
      while marks != 0 {
        let place = offset + marks.trailingZeroBitCount >> 3
        if isMatch(needle, in: text, at: place) { return place }
        marks &= marks &- 1
      }
      offset += 8
      // The last places with some that were looked at before: one step instead of up to seven.
      if offset < end, offset + 8 > end { offset = end - 8 }
    }
    while offset < end {
      if text[offset] == first, isMatch(needle, in: text, at: offset) { return offset }
      offset += 1
    }
    return nil
  }

  @inline(__always)
  private static func isMatch(
    _ needle: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer, at place: Int
  ) -> Bool {
    var index = 0
    while index + 8 <= needle.count {
      let wanted = needle.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if text.loadUnaligned(fromByteOffset: place + index, as: UInt64.self) != wanted {
        return false
      }
      index += 8
    }
    while index < needle.count {
      if text[place + index] != needle[index] { return false }
      index += 1
    }
    return true
  }

  /// As ``find(_:in:from:)``, as a number of code points: `text.find(needle)`, with nil for -1.
  public static func findCodePoint(
    _ needle: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer
  ) -> Int? {
    find(needle, in: text).map {
      codePointCount(UnsafeRawBufferPointer(rebasing: text[..<$0]))
    }
  }

  /// `text.count(needle)`; nil for an empty needle.
  public static func count(
    _ needle: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer
  ) -> Int? {
    if needle.isEmpty { return nil }
    var count = 0
    var offset = 0
    while let found = find(needle, in: text, from: offset) {
      count += 1
      offset = found + needle.count
    }
    return count
  }

  /// Calls `emit` with the pieces of `text.replace(needle, replacement, limit)`, in order, and
  /// returns how often the needle was replaced; nil, and no piece, for an empty needle.
  ///
  /// - Parameter limit: the most replacements; without limit below zero.
  @inlinable
  public static func replace(
    _ needle: UnsafeRawBufferPointer, with replacement: UnsafeRawBufferPointer,
    in text: UnsafeRawBufferPointer, limit: Int = -1, emit: (UnsafeRawBufferPointer) -> Void
  ) -> Int? {
    if needle.isEmpty { return nil }
    var count = 0
    var offset = 0
    while limit < 0 || count < limit, let found = find(needle, in: text, from: offset) {
      if found > offset { emit(UnsafeRawBufferPointer(rebasing: text[offset..<found])) }
      if !replacement.isEmpty { emit(replacement) }
      count += 1
      offset = found + needle.count
    }
    if offset < text.count { emit(UnsafeRawBufferPointer(rebasing: text[offset...])) }
    return count
  }
}
