/// Python's numbers: what `int`, `float`, `str` and the operators give, for values that fit 64 bits.
///
/// nil always means that *Python decides*: it raises an error, or its result does not fit, or the
/// case is too rare to be worth a native form.
public enum PythonNumber {
  // MARK: Text

  /// White space that `int` and `float` accept around a number in ASCII text: fewer characters
  /// than `str.strip` takes.
  @inlinable @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }

  /// `text` without white space at both ends.
  @usableFromInline
  static func trimmed(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var (start, end) = (0, text.count)
    while start < end, isBlank(text[start]) { start += 1 }
    while end > start, isBlank(text[end - 1]) { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: text[start..<end])
  }

  /// `int(text)`, for a sign, up to 19 ASCII digits, and ASCII white space around them.
  @inlinable
  public static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
    if let value = plainInteger(text) { return value }
    guard let first = text.first, let last = text.last, isBlank(first) || isBlank(last) else {
      return nil
    }
    return plainInteger(trimmed(text))
  }

  /// As ``integer(_:)``, without white space.
  @inlinable @inline(__always)
  static func plainInteger(_ text: UnsafeRawBufferPointer) -> Int64? {
    var index = 0
    var isNegative = false
    if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      isNegative = first == UInt8(ascii: "-")
      index = 1
    }
    // Nineteen digits fit an unsigned number of 64 bits.
    let count = text.count - index
    guard count > 0, count <= 19 else { return nil }
    var value: UInt64 = 0
    while index < text.count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value &* 10 &+ UInt64(digit)
      index += 1
    }
    if count == 19, value > UInt64(Int64.max) + (isNegative ? 1 : 0) { return nil }
    let signed = Int64(bitPattern: value)
    return isNegative ? 0 &- signed : signed
  }

  /// Writes `str(value)` and returns its length.
  ///
  /// - Parameter output: room for 20 bytes; those behind the text may be overwritten.
  @inlinable
  public static func write(_ value: Int64, to output: UnsafeMutablePointer<UInt8>) -> Int {
    if value >= 0 { return write(UInt64(value), to: output) }
    // SAFETY: a sign and at most 19 digits, as `output` has room for.
    output.pointee = UInt8(ascii: "-")
    return write(value.magnitude, to: output + 1) + 1
  }

  /// Writes the decimal digits of `value` and returns their number.
  ///
  /// - Parameter output: room for 8 bytes, or as many as there are digits, if that is more.
  @inlinable
  static func write(_ value: UInt64, to output: UnsafeMutablePointer<UInt8>) -> Int {
    // SAFETY: each part is written in steps of eight bytes. The first may leave bytes behind its
    // digits; parts behind it begin right after the digits and end with the last digit.
    if value < 100_000_000 { return writeFirst(value, to: output) }
    let (upper, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
    if upper < 100_000_000 {
      let count = writeFirst(upper, to: output)
      writeEight(low, to: output + count)
      return count + 8
    }
    let (high, middle) = upper.quotientAndRemainder(dividingBy: 100_000_000)
    let count = writeFirst(high, to: output)
    writeEight(middle, to: output + count)
    writeEight(low, to: output + count + 8)
    return count + 16
  }

  /// Writes a number below 10^8 without zeros in front, always eight bytes of memory.
  @inlinable @inline(__always)
  static func writeFirst(_ value: UInt64, to output: UnsafeMutablePointer<UInt8>) -> Int {
    let digits = eightDigits(value)
    // The number 0 has one digit.
    let zeros = (digits | 1 << 56).trailingZeroBitCount >> 3
    store((digits | 0x3030_3030_3030_3030) &>> UInt64(zeros << 3), to: output)
    return 8 - zeros
  }

  /// Writes a number below 10^8 with zeros in front.
  @inlinable @inline(__always)
  static func writeEight(_ value: UInt64, to output: UnsafeMutablePointer<UInt8>) {
    store(eightDigits(value) | 0x3030_3030_3030_3030, to: output)
  }

  @inlinable @inline(__always)
  static func store(_ bytes: UInt64, to output: UnsafeMutablePointer<UInt8>) {
    // SAFETY: the callers have room for eight bytes.
    UnsafeMutableRawPointer(output).storeBytes(of: bytes.littleEndian, as: UInt64.self)
  }

  /// The digits of a number below 10^8 as eight bytes, the first digit lowest: halves of four
  /// digits, then pairs, then digits, each step for all parts at once.
  ///
  /// Source: Paul Khuong, "How to print integers really fast" (2017).
  @inlinable @inline(__always)
  static func eightDigits(_ value: UInt64) -> UInt64 {
    let (high, low) = value.quotientAndRemainder(dividingBy: 10_000)
    let halves = high | low << 32
    // x * 10486 >> 20 is x / 100 for x < 10000, and x * 103 >> 10 is x / 10 for x < 100.
    let hundreds = ((halves &* 10_486) >> 20) & 0x0000_007F_0000_007F
    let pairs = (halves &- 100 &* hundreds) << 16 | hundreds
    let tens = ((pairs &* 103) >> 10) & 0x000F_000F_000F_000F
    return (pairs &- 10 &* tens) << 8 | tens
  }

  // MARK: Operators

  /// `a // b`.
  @inlinable @inline(__always)
  public static func floorDivide(_ a: Int64, _ b: Int64) -> Int64? {
    if b == 0 { return nil }
    let (quotient, overflow) = a.dividedReportingOverflow(by: b)
    if overflow { return nil }
    let isRoundedUp = (a ^ b) < 0 && quotient &* b != a
    return isRoundedUp ? quotient &- 1 : quotient
  }

  /// `a % b`, which has the sign of `b`.
  @inlinable @inline(__always)
  public static func modulo(_ a: Int64, _ b: Int64) -> Int64? {
    if b == 0 { return nil }
    // The remainder of the smallest number by -1 is 0 too, but would trap.
    if b == -1 { return 0 }
    let remainder = a % b
    return remainder != 0 && (remainder ^ b) < 0 ? remainder &+ b : remainder
  }

  /// `a / b`: the `float` nearest to the exact quotient.
  @inlinable
  public static func trueDivide(_ a: Int64, _ b: Int64) -> Double? {
    if b == 0 { return nil }
    // Both are exact as `Double`, so that the division rounds once. Zero gets its sign here too.
    if a.magnitude <= 1 << 53, b.magnitude <= 1 << 53 { return Double(a) / Double(b) }
    return divideExactly(a, b)
  }

  /// - Parameters: neither is zero.
  @usableFromInline
  static func divideExactly(_ a: Int64, _ b: Int64) -> Double? {
    if a == 0 { return b < 0 ? -0.0 : 0 }
    let (shiftA, shiftB) = (
      a.magnitude.leadingZeroBitCount, b.magnitude.leadingZeroBitCount
    )
    // With both top bits set the quotient has 63 or 64 bits: more than the 55 that rounding to 53
    // needs. Whether something is left over is its last bit.
    let upper = a.magnitude << UInt64(shiftA)
    let divisor = b.magnitude << UInt64(shiftB)
    let (quotient, remainder) = divisor.dividingFullWidth((upper >> 1, upper << 63))
    let rounded = Double(quotient | (remainder == 0 ? 0 : 1))
    let sign: FloatingPointSign = (a ^ b) < 0 ? .minus : .plus
    // A power of two below 2^130 either way: exact.
    return Double(sign: sign, exponent: shiftB - shiftA - 63, significand: rounded)
  }

  /// `a ** b` for `b` not negative; nil for other exponents, whose result is a `float`.
  @inlinable
  public static func power(_ a: Int64, _ b: Int64) -> Int64? {
    if b < 0 { return nil }
    var (result, base, exponent): (Int64, Int64, Int64) = (1, a, b)
    while true {
      if exponent & 1 != 0 {
        let (product, overflow) = result.multipliedReportingOverflow(by: base)
        if overflow { return nil }
        result = product
      }
      exponent >>= 1
      if exponent == 0 { return result }
      // The last square is a factor of the result, which therefore overflows too.
      let (square, overflow) = base.multipliedReportingOverflow(by: base)
      if overflow { return nil }
      base = square
    }
  }

  /// `float(value)`.
  @inlinable @inline(__always)
  public static func double(of value: Int64) -> Double { Double(value) }
}
