/// Powers of ten with 128 bits, for numbers between text and binary.
///
/// They are computed at first use, which takes some tenths of a millisecond; a table in the source
/// would be 667 lines.
struct DecimalPowers: Sendable {
  /// 10^exponent = significand * 2^(floor(log2(10^exponent)) - 127).
  struct Significand: Sendable {
    /// The upper half; its top bit is set.
    var high: UInt64
    /// The lower half, rounded up.
    var low: UInt64
  }

  /// The exponents that a number with up to 19 digits may have without being zero or infinite.
  static let exponents = -342...324

  /// Powers within these are whole numbers of up to 128 bits: not rounded.
  static let exact = 0...55

  static let table = DecimalPowers()

  private let significands: [Significand]

  subscript(exponent: Int) -> Significand { significands[exponent - Self.exponents.lowerBound] }

  /// floor(log2(10^exponent)), right for exponents between -1233 and 1233.
  ///
  /// Source: Raffaello Giulietti, "The Schubfach way to render doubles" (2021).
  static func binaryExponent(_ exponent: Int) -> Int { (exponent &* 1_741_647) >> 19 }

  private init() {
    var significands = Array(
      repeating: Significand(high: 0, low: 0), count: Self.exponents.count)
    // A whole number of 1344 bits, the lowest part first. For exponents below zero it is
    // floor(2^1343 / 10^-exponent): the floor of a tenth of a floor is the floor of the whole.
    var number = [UInt64](repeating: 0, count: 21)
    number[20] = 1 << 63
    for exponent in (Self.exponents.lowerBound...(-1)).reversed() {
      var remainder: UInt64 = 0
      for index in number.indices.reversed() {
        (number[index], remainder) = (10 as UInt64).dividingFullWidth((remainder, number[index]))
      }
      // No power below one is a binary fraction: something is always left over.
      significands[exponent - Self.exponents.lowerBound] = Self.top(of: number, isExact: false)
    }
    number = [UInt64](repeating: 0, count: 21)
    number[0] = 1
    for exponent in 0...Self.exponents.upperBound {
      significands[exponent - Self.exponents.lowerBound] = Self.top(
        of: number, isExact: Self.exact.contains(exponent))
      var carry: UInt64 = 0
      for index in number.indices {
        let (high, low) = number[index].multipliedFullWidth(by: 10)
        let (sum, overflow) = low.addingReportingOverflow(carry)
        number[index] = sum
        carry = high &+ (overflow ? 1 : 0)
      }
    }
    self.significands = significands
  }

  /// The upper 128 bits of `number` from its first bit that is set, plus one if not exact.
  private static func top(of number: [UInt64], isExact: Bool) -> Significand {
    let last = number.lastIndex { $0 != 0 } ?? 0
    func part(_ index: Int) -> UInt64 { index < 0 ? 0 : number[index] }
    let shift = UInt64(part(last).leadingZeroBitCount)
    // Shifts by 64 give 0.
    let high = part(last) << shift | part(last - 1) >> (64 - shift)
    let low = part(last - 1) << shift | part(last - 2) >> (64 - shift)
    // No significand here ends in 64 bits that are set, so nothing is carried.
    return Significand(high: high, low: low &+ (isExact ? 0 : 1))
  }
}
