import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

/// The bytes of `text`, for as long as `body` runs.
private func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows
  -> R
{
  try Array(text.utf8).withUnsafeBytes(body)
}

/// What `write` puts into memory of `room` bytes; the memory behind stays as it was.
private func written(
  room: Int, sourceLocation: SourceLocation = #_sourceLocation,
  _ write: (UnsafeMutablePointer<UInt8>) -> Int?
) -> String? {
  let mark: UInt8 = 0xAB
  var bytes = [UInt8](repeating: mark, count: room + 16)
  let count = bytes.withUnsafeMutableBufferPointer { write($0.baseAddress!) }
  #expect(bytes[room...].allSatisfy { $0 == mark }, sourceLocation: sourceLocation)
  return count.map { String(decoding: bytes[..<$0], as: UTF8.self) }
}

private func repr(_ value: Double) -> String? {
  written(room: 32) { PythonNumber.write(value, to: $0) }
}

private func format(_ value: Double, _ decimals: Int) -> String? {
  written(room: 32 + max(decimals, 0)) {
    PythonNumber.write(
      value, decimals: decimals,
      to: UnsafeMutableRawBufferPointer(start: $0, count: 32 + max(decimals, 0)))
  }
}

/// The same bits, so that 0.0 and -0.0 differ.
private func expectSame(
  _ value: Double?, _ expected: Double?, _ comment: @autoclosure () -> Comment? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(value?.bitPattern == expected?.bitPattern, comment(), sourceLocation: sourceLocation)
}

/// The expected values are what Python 3.11 gives; nil where it raises an error, and where the
/// decision is left to it.
@Suite struct PythonNumbersTests {
  // MARK: Text and int

  @Test(
    "int(text)",
    arguments: [
      ("0", 0), ("7", 7), ("-7", -7), ("+7", 7), ("0012", 12), ("-0", 0),
      ("1234567890", 1234567890),
      (" \t\n\u{B}\u{C}\r42\r ", 42), ("9223372036854775807", .max),
      ("-9223372036854775808", .min), ("+9223372036854775807", .max),
      ("9223372036854775808", nil), ("-9223372036854775809", nil), ("9999999999999999999", nil),
      ("12345678901234567890", nil), ("18446744073709551617", nil),
      ("00000000000000000001", nil),
      ("", nil), (" ", nil), ("-", nil), ("+ 1", nil), ("--1", nil), ("1-", nil), ("1 2", nil),
      ("1_000", nil), ("1.0", nil), ("0x1", nil), ("\u{1C}5", nil), ("5\u{1F}", nil),
      ("5\0", nil), ("\u{3000}5", nil), ("٣", nil), ("5\u{85}", nil), ("/", nil), (":", nil),
    ] as [(String, Int64?)])
  func integers(text: String, expected: Int64?) {
    #expect(withBytes(text, PythonNumber.integer) == expected)
  }

  @Test("str(int), with every number of digits")
  func writingIntegers() {
    var values: [Int64] = [0, .max, .min, .min + 1]
    var power: Int64 = 1
    for _ in 0..<19 {
      values += [power - 1, power, power + 1, power &* 7, 1 - power, -power]
      power = power &* 10
    }
    for value in values {
      #expect(written(room: 20) { PythonNumber.write(value, to: $0) } == value.description)
    }
  }

  @Test("Random numbers, to text and back")
  func randomIntegers() {
    var random = SeededRandom()
    for _ in 0..<20_000 {
      let value = Int64(bitPattern: random.next()) >> Int64.random(in: 0...63, using: &random)
      let text = written(room: 20) { PythonNumber.write(value, to: $0) }
      #expect(text == value.description, "seed \(random.seed)")
      #expect(withBytes(value.description, PythonNumber.integer) == value, "seed \(random.seed)")
    }
  }

  // MARK: Text and float

  @Test(
    "float(text)",
    arguments: [
      ("0", 0), ("-0", -0.0), ("1", 1), ("1.", 1), (".5", 0.5), ("-.5e1", -5), ("+1.5E+3", 1500),
      ("  2.5\n", 2.5), ("1e-3", 0.001), ("123456.789", 123456.789), ("0.1", 0.1),
      ("1e22", 1e22), ("1e23", 1e23), ("8.5e-23", 8.5e-23), ("9007199254740993", 0x1p53),
      ("9007199254740993.0000000000000000000001", 0x1p53 + 2), ("9007199254740995", 0x1p53 + 4),
      ("90071992547409930e-1", 0x1p53), ("90071992547409931e-1", 0x1p53 + 2),
      // Just above the middle of two neighbours.
      ("2420594328422361533e5", 2.4205943284223617e+23),
      ("3068204905074254275e20", 3.0682049050742545e+38),
      ("3350528490846866797e20", 3.350528490846867e+38),
      ("2318782836325470651e10", 2.318782836325471e+28),
      ("9223372036854775807", 0x1p63), ("1.7976931348623157e308", .greatestFiniteMagnitude),
      ("1.7976931348623158e308", .greatestFiniteMagnitude),
      ("1.7976931348623159e308", .infinity), ("1e400", .infinity), ("-1e400", -.infinity),
      ("1e309", .infinity), ("5e-324", .leastNonzeroMagnitude), ("1e-400", 0), ("-1e-400", -0.0),
      ("2.4703282292062327e-324", 0), ("2.4703282292062328e-324", .leastNonzeroMagnitude),
      ("2.2250738585072011e-308", Double.leastNormalMagnitude.nextDown),
      ("2.2250738585072014e-308", .leastNormalMagnitude), ("0e99999", 0), ("0.000000e5", 0),
      ("1e00005", 1e5),
      ("0." + String(repeating: "0", count: 330) + "12e12", 24288 * .leastNonzeroMagnitude),
      (String(repeating: "0", count: 40) + "1.5", 1.5),
      ("3." + String(repeating: "3", count: 800), 10 / 3),
      ("", nil), (".", nil), ("-", nil), ("e5", nil), (".e5", nil), ("1e", nil), ("1e+", nil),
      ("1e5.0", nil), ("1..2", nil), ("1.2.3", nil), ("--1", nil), ("1 2", nil), ("nan", nil),
      ("inf", nil), ("-Infinity", nil), ("1_0", nil), ("0x10", nil), ("0x1p3", nil),
      ("1e100000", nil), ("٣", nil), ("1\u{A0}", nil), ("\u{1C}1", nil), ("1\0", nil),
    ] as [(String, Double?)])
  func doubles(text: String, expected: Double?) {
    expectSame(withBytes(text, PythonNumber.double), expected)
  }

  @Test(
    "repr(float)",
    arguments: [
      (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-123, "-123.0"), (0.1, "0.1"), (1.5, "1.5"),
      (100.25, "100.25"), (0.0001, "0.0001"), (0.00012345, "0.00012345"), (0.00001, "1e-05"),
      (0.00001234, "1.234e-05"), (1e15, "1000000000000000.0"), (1e16, "1e+16"),
      (9007199254740991, "9007199254740991.0"), (9007199254740992, "9007199254740992.0"),
      (9999999999999998, "9999999999999998.0"), (12345678901234568, "1.2345678901234568e+16"),
      (1e22, "1e+22"), (1e23, "1e+23"), (1e100, "1e+100"), (-1.5e-7, "-1.5e-07"),
      (0x1p63, "9.223372036854776e+18"), (.leastNonzeroMagnitude, "5e-324"),
      (2 * .leastNonzeroMagnitude, "1e-323"),
      (.leastNormalMagnitude, "2.2250738585072014e-308"),
      (-.greatestFiniteMagnitude, "-1.7976931348623157e+308"),
      (-0.00012345678901234567, "-0.00012345678901234567"), (1.0 / 3, "0.3333333333333333"),
      (2.0 / 3, "0.6666666666666666"), (0.1 + 0.2, "0.30000000000000004"),
      (1234567890.1234567, "1234567890.1234567"), (2251799813685249.5, "2251799813685249.5"),
      (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"), (-.nan, "nan"),
    ] as [(Double, String)])
  func writingDoubles(value: Double, expected: String) {
    #expect(repr(value) == expected)
  }

  @Test("Random numbers: as few digits as the standard library's, which read back")
  func randomDoubles() {
    var random = SeededRandom()
    for round in 0..<50_000 {
      var bits = random.next()
      // Powers of two have a neighbour that is nearer on one side.
      if round % 8 == 0 { bits &= 0x7FF0_0000_0000_0000 }
      // Whole numbers that are not exact any more.
      var value = Double(bitPattern: bits)
      if round % 8 == 1 { value = Double(bits) * 64 }
      guard value.isFinite, value != 0 else { continue }
      let text = repr(value) ?? ""
      expectSame(Double(text), value, "seed \(random.seed)")
      expectSame(withBytes(text, PythonNumber.double), value, "seed \(random.seed)")
      #expect(digits(text) == digits(value.description), "seed \(random.seed)")
      let many = value.magnitude.description + "0000000000000000000001"
      if !many.contains("e") {
        expectSame(withBytes(many, PythonNumber.double), Double(many), "seed \(random.seed)")
      }
    }
  }

  /// The digits without sign, point, exponent and zeros at the ends.
  private func digits(_ text: String) -> String {
    var digits = text.prefix { $0 != "e" }.filter { $0.isNumber }[...]
    while digits.first == "0" { digits.removeFirst() }
    while digits.last == "0" { digits.removeLast() }
    return String(digits)
  }

  @Test("The table of powers is exact, and rounded up, as its users rely on")
  func powers() {
    let table = DecimalPowers.table
    var power: UInt128 = 1
    for exponent in 0...38 {
      let shifted = power << UInt128(power.leadingZeroBitCount)
      #expect(table[exponent].high == UInt64(shifted >> 64))
      #expect(table[exponent].low == UInt64(truncatingIfNeeded: shifted))
      #expect(DecimalPowers.binaryExponent(exponent) == 127 - power.leadingZeroBitCount)
      if exponent < 38 { power *= 10 }
    }
    // All of them together: the expected value comes from Python's integers.
    var sum: UInt64 = 0
    for exponent in DecimalPowers.exponents {
      let power = table[exponent]
      #expect(power.high >> 63 == 1)
      sum = (sum &* 31 &+ power.high) &* 31 &+ power.low
    }
    #expect(sum == 0xBEF6168C317A22F7)
  }

  @Test(
    "format(value, '.Nf')",
    arguments: [
      (0, 2, "0.00"), (-0.0, 1, "-0.0"), (1.5, 0, "2"), (2.5, 0, "2"), (0.5, 0, "0"),
      (-0.5, 0, "-0"), (3.14159, 2, "3.14"), (0.125, 2, "0.12"), (0.375, 2, "0.38"),
      (2.675, 2, "2.67"), (1.005, 2, "1.00"), (0.995, 2, "0.99"), (9.995, 2, "9.99"),
      (99.9951, 2, "100.00"), (-0.001, 2, "-0.00"), (0.1, 18, "0.100000000000000006"),
      (1e-300, 3, "0.000"), (.leastNonzeroMagnitude, 18, "0.000000000000000000"),
      (0x1p53, 1, "9007199254740992.0"),
      (0x1.fffffffffffffp63, 3, "18446744073709549568.000"), (1234567.891, 1, "1234567.9"),
      (0.999999999999999999, 18, "1.000000000000000000"), (.infinity, 2, "inf"),
      (-.infinity, 0, "-inf"), (.nan, 3, "nan"), (0x1p64, 2, nil), (1.5, 19, nil), (1.5, -1, nil),
    ] as [(Double, Int, String?)])
  func formats(value: Double, decimals: Int, expected: String?) {
    #expect(format(value, decimals) == expected)
  }

  @Test("A format that might not fit is left to Python")
  func formatWithoutRoom() {
    var bytes = [UInt8](repeating: 0, count: 33)
    bytes.withUnsafeMutableBytes {
      #expect(PythonNumber.write(1.5, decimals: 2, to: $0) == nil)
      #expect(PythonNumber.write(1.5, decimals: 1, to: $0) == 3)
    }
  }

  // MARK: Operators

  @Test(
    "a // b and a % b",
    arguments: [
      (7, 2, 3, 1), (-7, 2, -4, 1), (7, -2, -4, -1), (-7, -2, 3, -1), (6, -3, -2, 0),
      (0, -5, 0, 0), (.min, 1, .min, 0), (.min, -1, nil, 0), (.max, -1, -.max, 0),
      (.min, .max, -2, .max - 1), (5, 0, nil, nil), (1, .min, -1, .min + 1),
    ] as [(Int64, Int64, Int64?, Int64?)])
  func division(a: Int64, b: Int64, quotient: Int64?, remainder: Int64?) {
    #expect(PythonNumber.floorDivide(a, b) == quotient)
    #expect(PythonNumber.modulo(a, b) == remainder)
  }

  @Test(
    "a // b and a % b of floats",
    arguments: [
      (7, 2, 3, 1), (-7, 2, -4, 1), (7, -2, -4, -1), (0.0, -2, -0.0, -0.0), (-0.0, 2, -0.0, 0),
      (6, -3, -2, -0.0), (1, 0.1, 9, 0.09999999999999995), (-1, .infinity, -1, .infinity),
      // Where the division rounds below the whole number.
      (67446.54121991171, 1.1, 61315, 0.0412199117072416),
      (2939426984652949, 3.3, 890735449894833, 0.25822640085169457),
      (1, .infinity, 0, 1), (1, -.infinity, -1, -.infinity),
      (-.leastNonzeroMagnitude, 1, -1, 1), (5, 0, nil, nil), (5, -0.0, nil, nil),
    ] as [(Double, Double, Double?, Double?)])
  func floatDivision(a: Double, b: Double, quotient: Double?, remainder: Double?) {
    expectSame(PythonNumber.floorDivide(a, b), quotient)
    expectSame(PythonNumber.modulo(a, b), remainder)
  }

  @Test func divisionOfNaN() {
    for (a, b) in [(Double.nan, 2), (2, .nan), (.infinity, 2), (-.infinity, .infinity)] {
      #expect(PythonNumber.floorDivide(a, b)?.isNaN == true)
      #expect(PythonNumber.modulo(a, b)?.isNaN == true)
    }
  }

  @Test(
    "a / b",
    arguments: [
      (1, 2, 0.5), (-1, 3, -1.0 / 3), (0, -5, -0.0), (0, .min, -0.0), (0, .max, 0),
      (.max, .max, 1), (.min, .min, 1), (.min, -1, 0x1p63), (.max, 2, 0x1p62),
      (9007199254740993, 1, 0x1p53), (9007199254740995, 1, 0x1p53 + 4),
      (9007199254740993, 3, 3002399751580331), (1, .min, -0x1p-63),
      (9223372036854775807, 9223372036854775806, 1), (4611686018427387905, 3, 0x1.5555555555555p60),
      // Just above the middle of two neighbours.
      (7472638929213698113, 9, 8.302932143570776e+17),
      (160008240007537261, 3, 5.3336080002512424e+16),
      (40912135748638948, 3, 1.363737858287965e+16),
      (1, 0, nil), (0, 0, nil),
    ] as [(Int64, Int64, Double?)])
  func trueDivision(a: Int64, b: Int64, expected: Double?) {
    expectSame(PythonNumber.trueDivide(a, b), expected)
  }

  @Test("Both ways of dividing give the same where both are right")
  func exactDivision() {
    var random = SeededRandom()
    for _ in 0..<20_000 {
      let a = Int64(bitPattern: random.next()) >> Int64.random(in: 11...60, using: &random)
      let b = Int64(bitPattern: random.next()) >> Int64.random(in: 11...60, using: &random)
      if b == 0 { continue }
      expectSame(PythonNumber.divideExactly(a, b), Double(a) / Double(b), "seed \(random.seed)")
    }
  }

  @Test(
    "a ** b",
    arguments: [
      (2, 10, 1024), (0, 0, 1), (0, 5, 0), (-1, .max, -1), (1, .max, 1), (-2, 63, .min),
      (2, 63, nil), (2, 62, 1 << 62), (3, 39, 4_052_555_153_018_976_267), (3, 40, nil),
      (10, 18, 1_000_000_000_000_000_000), (10, 19, nil), (.min, 1, .min), (.min, 2, nil),
      (7, 0, 1), (2, -1, nil), (-3, 3, -27),
      (3_037_000_499, 2, 9_223_372_030_926_249_001), (3_037_000_500, 2, nil), (2, .max, nil),
    ] as [(Int64, Int64, Int64?)])
  func powers(a: Int64, b: Int64, expected: Int64?) {
    #expect(PythonNumber.power(a, b) == expected)
  }

  @Test(
    "int compared with float",
    arguments: [
      (1, 1, 0), (1, 1.5, -1), (2, 1.5, 1), (-1, -1.5, 1), (-2, -1.5, -1), (0, -0.0, 0),
      (9007199254740993, 0x1p53, 1), (9007199254740992, 0x1p53, 0), (.max, 0x1p63, -1),
      (.min, -0x1p63, 0), (.min, -0x1.0000000000001p63, 1), (.max, .infinity, -1),
      (.min, -.infinity, 1), (0, .leastNonzeroMagnitude, -1), (0, -.leastNonzeroMagnitude, 1),
      (0, .nan, nil),
    ] as [(Int64, Double, Int?)])
  func comparison(a: Int64, b: Double, expected: Int?) {
    #expect(PythonNumber.compare(a, b) == expected)
  }

  @Test(
    "round(value) and int(value)",
    arguments: [
      (0.5, 0, 0), (1.5, 2, 1), (2.5, 2, 2), (-0.5, 0, 0), (-1.5, -2, -1), (-2.7, -3, -2),
      (0.49999999999999994, 0, 0), (4503599627370495.5, 4503599627370496, 4503599627370495),
      (-0x1p63, .min, .min), (0x1p63, nil, nil), (-0x1.0000000000001p63, nil, nil),
      (0x1.fffffffffffffp62, 9223372036854774784, 9223372036854774784),
      (.infinity, nil, nil), (-.infinity, nil, nil), (.nan, nil, nil),
    ] as [(Double, Int64?, Int64?)])
  func rounding(value: Double, rounded: Int64?, truncated: Int64?) {
    #expect(PythonNumber.round(value) == rounded)
    #expect(PythonNumber.truncate(value) == truncated)
  }

  @Test(
    "float(value)",
    arguments: [
      (0, 0), (-3, -3), (9007199254740993, 0x1p53), (9007199254740995, 0x1p53 + 4),
      (.max, 0x1p63), (.min, -0x1p63),
    ] as [(Int64, Double)])
  func float(value: Int64, expected: Double) {
    expectSame(PythonNumber.double(of: value), expected)
  }
}
