import Testing

@testable import SwiftwaterKernels

/// The expected values are what `PYTHONHASHSEED=0 python3.11 -c 'print(hash(...))'` prints.
@Suite struct PortableHashTests {
  @Test(
    arguments: [
      ("", 0),
      ("a", 4644417185603328019),
      ("word", -6037899559935311192),
      ("hello world", -5642461784034726774),
      ("0123456", -9148306751049235591),
      ("01234567", -2720791140458926906),
      ("012345678", -5215866000161560749),
      ("\u{00fc}", 8857159422313665004),
      ("na\u{00ef}ve caf\u{00e9}", -3140414782110216922),
      ("\u{20ac}uro", 7542247858446192590),
      ("\u{65e5}\u{672c}\u{8a9e}\u{30c6}\u{30ad}\u{30b9}\u{30c8}", 5570022306295089571),
      ("\u{1f600}", -3536540696076613844),
      ("mixed \u{00e9} \u{20ac} \u{1f600}", 729780556393334331),
      (String(repeating: "x", count: 100), 1359644457043326220),
    ] as [(String, Int)])
  func text(text: String, hash: Int) {
    #expect(text.portableHash == hash)
  }

  @Test(
    arguments: [
      (0, 0),
      (1, 1),
      (-1, -2),
      (-2, -2),
      (42, 42),
      (2147483648, 2147483648),
      (2305843009213693951, 0),
      (2305843009213693950, 2305843009213693950),
      (2305843009213693952, 1),
      (-2305843009213693951, 0),
      (9223372036854775807, 3),
      (-9223372036854775808, -4),
      (123456789012345678, 123456789012345678),
    ] as [(Int64, Int)])
  func integers(value: Int64, hash: Int) {
    #expect(PortableHash.integer(value) == hash)
  }

  @Test(
    arguments: [
      (0.0, 0),
      (-0.0, 0),
      (1.0, 1),
      (-1.0, -2),
      (0.5, 1152921504606846976),
      (0.1, 230584300921369408),
      (-0.1, -230584300921369408),
      (1e+300, 1224995262755759164),
      (-1e-300, -482449582752280463),
      (3.141592653589793, 326490430436040707),
      (.leastNonzeroMagnitude, 16777216),
      (1e+16, 10000000000000000),
      (2.305843009213694e+18, 1),
      (123456.789, 1819310134279660096),
      (.leastNormalMagnitude, 32768),
      (.greatestFiniteMagnitude, 2234066890152476671),
    ] as [(Double, Int)])
  func doubles(value: Double, hash: Int) {
    #expect(PortableHash.double(value) == hash)
  }

  @Test func specialDoubles() {
    #expect(PortableHash.double(.infinity) == 314_159)
    #expect(PortableHash.double(-.infinity) == -314_159)
    #expect(PortableHash.double(.nan) == nil)
  }

  /// From Spark's `portable_hash`.
  @Test func tuples() {
    #expect(PortableHash.tuple([]) == 3_430_008)
    #expect(PortableHash.tuple(["a".portableHash]) == 2_129_697_987_106_839_552)
    #expect(PortableHash.tuple(["a".portableHash, 1]) == 102_774_922_574_124_034)
    #expect(
      PortableHash.tuple([PortableHash.none, PortableHash.double(2.5)!])
        == 6_888_793_093_901_411_004)
  }

  @Test(arguments: [(7, 3, 1), (-7, 3, 2), (-2, 2, 0), (0, 5, 0), (Int.min, 3, 1)])
  func partitions(hash: Int, count: Int, partition: Int) {
    #expect(PortableHash.partition(of: hash, among: count) == partition)
  }
}
