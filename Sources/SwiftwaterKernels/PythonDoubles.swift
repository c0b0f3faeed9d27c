extension PythonNumber {
  // MARK: From text

  /// `float(text)`, for ASCII digits with or without sign, point and exponent, and ASCII white
  /// space around them. nil for anything else, among it `nan`, `inf` and underscores.
  public static func double(_ text: UnsafeRawBufferPointer) -> Double? {
    let text = trimmed(text)
    guard let decimal = Decimal(text) else { return nil }
    if let value = decimal.value { return decimal.isNegative ? -value : value }
    // The standard library's parser rounds correctly too, and is independent of the locale.
    return Double(String(decoding: text, as: UTF8.self))
  }

  /// A decimal number as text has it: (-1)^isNegative * digits * 10^exponent.
  private struct Decimal {
    var isNegative = false
    var digits: UInt64 = 0
    var exponent = 0
    /// There are more digits than 64 bits hold.
    var isCut = false

    private static let mostDigits = 19
    /// Larger exponents are left to Python: with many zeros they may be anything.
    private static let largestExponent = 99_999
    private static let exactPowers: [Double] = [
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
      1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// nil where the text is not a number of this form.
    @inline(__always)
    init?(_ text: UnsafeRawBufferPointer) {
      var index = 0
      let end = text.count
      guard index < end else { return nil }
      if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
        isNegative = text[0] == UInt8(ascii: "-")
        index = 1
      }
      var significant = 0
      var point: Int?
      let first = index
      while index < end {
        let digit = text[index] &- UInt8(ascii: "0")
        if digit < 10 {
          if significant < Self.mostDigits {
            digits = digits &* 10 &+ UInt64(digit)
            // Zeros in front do not count.
            if digits != 0 { significant += 1 }
          } else {
            isCut = true
          }
        } else if text[index] == UInt8(ascii: "."), point == nil {
          point = index
        } else {
          break
        }
        index += 1
      }
      guard index - first > (point == nil ? 0 : 1) else { return nil }
      if let point { exponent = point + 1 - index }
      if index == end { return }

      guard text[index] | 0x20 == UInt8(ascii: "e") else { return nil }
      index += 1
      var isBelowOne = false
      if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
        isBelowOne = text[index] == UInt8(ascii: "-")
        index += 1
      }
      guard index < end else { return nil }
      var written = 0
      while index < end {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        written = written * 10 + Int(digit)
        guard written <= Self.largestExponent else { return nil }
        index += 1
      }
      exponent += isBelowOne ? -written : written
    }

    /// The `Double` nearest to this number but for its sign, half to even; nil where the way here
    /// cannot tell.
    @inline(__always)
    var value: Double? {
      if isCut { return nil }
      // Both are exact, so that the operation rounds once.
      // Source: William Clinger, "How to read floating point numbers accurately" (1990).
      if digits <= 1 << 53, -22...22 ~= exponent {
        let exact = Double(digits)
        return exponent < 0
          ? exact / Self.exactPowers[-exponent] : exact * Self.exactPowers[exponent]
      }
      return rounded
    }

    /// The digits times a power of ten with 128 bits, as 192 bits; the upper 64 of them decide.
    ///
    /// Source of the idea: Daniel Lemire, "Number parsing at a gigabyte per second" (2021).
    private var rounded: Double? {
      // Below half of the smallest number; over the largest.
      if digits == 0 || exponent < DecimalPowers.exponents.lowerBound { return 0 }
      if exponent > 308 { return .infinity }
      let power = DecimalPowers.table[exponent]
      let shift = digits.leadingZeroBitCount
      let factor = digits << UInt64(shift)
      let upper = factor.multipliedFullWidth(by: power.high)
      let lower = factor.multipliedFullWidth(by: power.low)
      let (middle, carry) = upper.low.addingReportingOverflow(lower.high)
      let top = upper.high &+ (carry ? 1 : 0)
      let isExact = DecimalPowers.exact.contains(exponent)
      // A power that was rounded up makes the product too large, by less than 2^64: where that
      // could reach the upper 64 bits, or leave nothing behind them, they do not decide.
      if !isExact && middle == 0 { return nil }
      // The product has its first bit at 190 or 191: the upper part has ten bits more than it
      // keeps, and says in the last of them that something follows.
      let follows = !isExact || middle != 0 || lower.low != 0
      let significand = Double(top | (follows ? 1 : 0))
      let scale = DecimalPowers.binaryExponent(exponent) - 127 + 128 - shift
      let binaryExponent = Int(significand.exponent) + scale
      if binaryExponent > Int(Double.greatestFiniteMagnitude.exponent) { return .infinity }
      // Subnormal numbers keep fewer bits, so this one was rounded at the wrong place.
      if binaryExponent < Int(Double.leastNormalMagnitude.exponent) { return nil }
      return Double(
        bitPattern: significand.bitPattern &+ UInt64(bitPattern: Int64(scale)) << 52)
    }
  }

  // MARK: To text

  /// Writes `repr(value)` and returns its length: the shortest digits that give `value` back, and
  /// among these the nearest to it.
  ///
  /// - Parameter output: room for 32 bytes; those behind the text may be overwritten.
  public static func write(_ value: Double, to output: UnsafeMutablePointer<UInt8>) -> Int {
    // SAFETY: the longest text has 24 bytes, and `write` and `store` for digits leave at most seven
    // bytes behind theirs.
    if value.isNaN { return write("nan", to: output) }
    var start = 0
    if value.sign == .minus {
      output[0] = UInt8(ascii: "-")
      start = 1
    }
    let output = output + start
    let magnitude = value.magnitude
    if magnitude.isInfinite { return start + write("inf", to: output) }
    if magnitude < 0x1p53, let whole = UInt64(exactly: magnitude) {
      let count = write(whole, to: output)
      return start + count + write(".0", to: output + count)
    }
    let (digits, exponent) = shortest(magnitude)
    return start + write(digits: digits, exponent: exponent, to: output)
  }

  /// Writes digits * 10^exponent as Python's `repr` does.
  private static func write(
    digits: UInt64, exponent: Int, to output: UnsafeMutablePointer<UInt8>
  ) -> Int {
    // SAFETY: see the caller: digits are at most 17 and begin at most at byte 5.
    let zero = UInt8(ascii: "0")
    let point = UInt8(ascii: ".")
    let isFraction = -3...0 ~= exponent + decimalLength(digits)
    if isFraction {
      let zeros = -(exponent + decimalLength(digits))
      output[0] = zero
      output[1] = point
      for index in 0..<zeros { output[2 + index] = zero }
      return 2 + zeros + write(digits, to: output + 2 + zeros)
    }
    // One byte is left in front, for the point to come in between.
    let count = write(digits, to: output + 1)
    let pointPlace = exponent + count
    if 1...16 ~= pointPlace {
      if pointPlace >= count {
        for index in 0..<count { output[index] = output[index + 1] }
        for index in count..<pointPlace { output[index] = zero }
        return pointPlace + write(".0", to: output + pointPlace)
      }
      for index in 0..<pointPlace { output[index] = output[index + 1] }
      output[pointPlace] = point
      return count + 1
    }
    output[0] = output[1]
    var length = 1
    if count > 1 {
      output[1] = point
      length = count + 1
    }
    let shown = pointPlace - 1
    output[length] = UInt8(ascii: "e")
    output[length + 1] = UInt8(ascii: shown < 0 ? "-" : "+")
    length += 2
    if shown.magnitude < 10 {
      output[length] = zero
      length += 1
    }
    return length + write(UInt64(shown.magnitude), to: output + length)
  }

  private static func write(_ text: StaticString, to output: UnsafeMutablePointer<UInt8>) -> Int {
    // SAFETY: the callers have room for the text.
    output.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    return text.utf8CodeUnitCount
  }

  /// The number of decimal digits of `value`, which is not zero.
  private static func decimalLength(_ value: UInt64) -> Int {
    var length = 1
    var power: UInt64 = 10
    while length < 20, value >= power {
      length += 1
      power = power &* 10
    }
    return length
  }

  /// The shortest digits * 10^exponent that is nearer to `value` than to any other number, and
  /// among these the nearest; without zeros at the end.
  ///
  /// Source: Raffaello Giulietti, "The Schubfach way to render doubles" (2021).
  ///
  /// - Parameter value: positive and finite.
  static func shortest(_ value: Double) -> (digits: UInt64, exponent: Int) {
    let isNormal = value.exponentBitPattern != 0
    let stored = value.significandBitPattern
    // value = significand * 2^exponent
    let significand = isNormal ? stored | 1 << 52 : stored
    let exponent = (isNormal ? Int(value.exponentBitPattern) : 1) - 1075
    // At a power of two the next number below is only half as far away as the next above.
    let isNearBelow = stored == 0 && value.exponentBitPattern > 1
    // The number, and the borders of what rounds to it, in quarters of the last bit. The borders
    // themselves belong to it where its significand is even.
    let borderBelow = 4 &* significand &- (isNearBelow ? 1 : 2)
    let borderAbove = 4 &* significand &+ 2
    let excluded: UInt64 = significand & 1

    // The power of ten just below the distance of the borders.
    let decimal = (exponent &* 1_262_611 &- (isNearBelow ? 524_031 : 0)) >> 22
    let power = DecimalPowers.table[-decimal]
    let shift = UInt64(exponent &+ DecimalPowers.binaryExponent(-decimal) &+ 1)
    let lowest = scaled(borderBelow << shift, by: power) &+ excluded
    let middle = scaled((4 &* significand) << shift, by: power)
    let highest = scaled(borderAbove << shift, by: power) &- excluded

    let digits = middle / 4
    if digits >= 10 {
      let shorter = digits / 10
      let isBelowInside = lowest <= 40 &* shorter
      let isAboveInside = 40 &* shorter &+ 40 <= highest
      if isBelowInside != isAboveInside {
        return withoutZeros(shorter &+ (isAboveInside ? 1 : 0), decimal &+ 1)
      }
    }
    let isBelowInside = lowest <= 4 &* digits
    let isAboveInside = 4 &* digits &+ 4 <= highest
    if isBelowInside != isAboveInside {
      return withoutZeros(digits &+ (isAboveInside ? 1 : 0), decimal)
    }
    let half = 4 &* digits &+ 2
    let isRoundedUp = middle > half || (middle == half && digits & 1 != 0)
    return withoutZeros(digits &+ (isRoundedUp ? 1 : 0), decimal)
  }

  /// The upper 64 bits of a product of 192 bits; the last of them also says if something follows.
  @inline(__always)
  private static func scaled(_ value: UInt64, by power: DecimalPowers.Significand) -> UInt64 {
    let upper = value.multipliedFullWidth(by: power.high)
    let lower = value.multipliedFullWidth(by: power.low).high
    let (middle, carry) = upper.low.addingReportingOverflow(lower)
    return upper.high &+ (carry ? 1 : 0) | (middle > 1 ? 1 : 0)
  }

  private static func withoutZeros(
    _ digits: UInt64, _ exponent: Int
  ) -> (digits: UInt64, exponent: Int) {
    var (digits, exponent) = (digits, exponent)
    func cut(_ power: UInt64, _ count: Int) {
      let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: power)
      if remainder == 0 { (digits, exponent) = (quotient, exponent + count) }
    }
    // Where there are zeros, the shorter way above left at most 16 digits.
    cut(100_000_000, 8)
    cut(10_000, 4)
    cut(100, 2)
    cut(10, 1)
    return (digits, exponent)
  }

  /// Writes `format(value, '.Nf')` with N = `decimals` and returns its length: the exact value,
  /// rounded half to even.
  ///
  /// nil for more than 18 decimals, for 2^64 and more (but infinity), and for less room than
  /// `decimals` + 32 bytes; those behind the text may be overwritten.
  public static func write(
    _ value: Double, decimals: Int, to output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard 0...18 ~= decimals, output.count >= decimals + 32, let bytes = output.baseAddress else {
      return nil
    }
    // SAFETY: a sign, up to 20 digits, a point and the decimals, of which `write` for digits leaves
    // at most seven bytes behind its own.
    let output = bytes.assumingMemoryBound(to: UInt8.self)
    if value.isNaN { return write("nan", to: output) }
    var length = 0
    if value.sign == .minus {
      output[0] = UInt8(ascii: "-")
      length = 1
    }
    let magnitude = value.magnitude
    if magnitude.isInfinite { return length + write("inf", to: output + length) }
    guard magnitude < 0x1p64 else { return nil }
    if decimals == 0 {
      return length + write(UInt64(magnitude.rounded(.toNearestOrEven)), to: output + length)
    }

    var power: UInt64 = 1
    for _ in 0..<decimals { power &*= 10 }
    var whole = UInt64(magnitude)
    // Exact: some of the same bits.
    var digits = rounded(magnitude - Double(whole), times: power)
    if digits == power {
      digits = 0
      whole += 1
    }
    length += write(whole, to: output + length)
    // The digit 1 in front of the decimals keeps their zeros, and makes room for the point.
    let count = write(power + digits, to: output + length)
    output[length] = UInt8(ascii: ".")
    return length + count
  }

  /// The exact product, rounded half to even.
  ///
  /// - Parameters:
  ///   - fraction: from 0 to less than 1.
  ///   - power: an even number, at most 10^18.
  private static func rounded(_ fraction: Double, times power: UInt64) -> UInt64 {
    if fraction == 0 { return 0 }
    let isNormal = fraction.exponentBitPattern != 0
    let stored = fraction.significandBitPattern
    // fraction = significand / 2^shift
    let significand = isNormal ? stored | 1 << 52 : stored
    let shift = 1075 - (isNormal ? Int(fraction.exponentBitPattern) : 1)
    // The product has at most 53 + 60 bits.
    if shift > 114 { return 0 }
    let product = UInt128(significand) &* UInt128(power)
    let result = UInt64(truncatingIfNeeded: product &>> UInt128(shift))
    let rest = product & ((1 as UInt128) &<< UInt128(shift) &- 1)
    let half = (1 as UInt128) &<< UInt128(shift - 1)
    return rest > half || (rest == half && result & 1 != 0) ? result + 1 : result
  }

  // MARK: Operators

  /// `a // b`; nil for a divisor of zero.
  ///
  /// Source: the definition by `fmod` in CPython's documentation of `divmod`, with the signs of
  /// zero that CPython gives.
  @inlinable
  public static func floorDivide(_ a: Double, _ b: Double) -> Double? {
    if b == 0 { return nil }
    let remainder = a.truncatingRemainder(dividingBy: b)
    var quotient = (a - remainder) / b
    if remainder != 0, (b < 0) != (remainder < 0) { quotient -= 1 }
    if quotient == 0 { return Double(signOf: a / b, magnitudeOf: 0) }
    // The quotient is a whole number but for the rounding of the division.
    let floor = quotient.rounded(.down)
    return quotient - floor > 0.5 ? floor + 1 : floor
  }

  /// `a % b`, which has the sign of `b`, a zero too; nil for a divisor of zero.
  @inlinable
  public static func modulo(_ a: Double, _ b: Double) -> Double? {
    if b == 0 { return nil }
    let remainder = a.truncatingRemainder(dividingBy: b)
    if remainder == 0 { return Double(signOf: b, magnitudeOf: 0) }
    return (b < 0) != (remainder < 0) ? remainder + b : remainder
  }

  /// -1, 0 or 1 as `a` is below, equal to or above `b`, exactly; nil for NaN.
  @inlinable
  public static func compare(_ a: Int64, _ b: Double) -> Int? {
    if b.isNaN { return nil }
    if b >= 0x1p63 { return -1 }
    if b < -0x1p63 { return 1 }
    let whole = Int64(b)
    if a != whole { return a < whole ? -1 : 1 }
    // Exact: `whole` is `b` without its lowest bits.
    let fraction = b - Double(whole)
    return fraction > 0 ? -1 : fraction < 0 ? 1 : 0
  }

  /// `round(value)`: the nearest `int`, half to even.
  @inlinable @inline(__always)
  public static func round(_ value: Double) -> Int64? {
    truncate(value.rounded(.toNearestOrEven))
  }

  /// `int(value)`.
  @inlinable @inline(__always)
  public static func truncate(_ value: Double) -> Int64? {
    // False for NaN too.
    guard value >= -0x1p63, value < 0x1p63 else { return nil }
    return Int64(value)
  }
}
