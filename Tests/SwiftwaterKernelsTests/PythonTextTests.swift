import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

/// The bytes of `text`, for as long as `body` runs.
private func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows
  -> R
{
  try Array(text.utf8).withUnsafeBytes(body)
}

private func text(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
  String(decoding: bytes[range], as: UTF8.self)
}

/// The expected values are what Python 3.11 gives; nil where the decision is left to it.
@Suite struct PythonTextTests {
  /// Python's `[c for c in map(chr, range(0x110000)) if c.isspace()]`.
  private static let spaces: Set<UInt32> = [
    0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001,
    0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F,
    0x205F, 0x3000,
  ]

  @Test("White space is Python's, of all characters")
  func whiteSpace() {
    for point in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(point) else { continue }
      let expected = Self.spaces.contains(point) ? UTF8.width(scalar) : 0
      // Without a `#expect` a character, which would take minutes.
      let found = withBytes(String(scalar)) { PythonText.spaceLength(at: 0, in: $0) }
      if found != expected { Issue.record("U+\(String(point, radix: 16)): \(found)") }
    }
  }

  @Test(
    "strip, lstrip and rstrip",
    arguments: [
      ("", "", "", ""), ("  ", "", "", ""), ("a", "a", "a", "a"),
      (" a b\t", "a b", "a b\t", " a b"),
      ("\u{3000}é\u{85}\u{1F}", "é", "é\u{85}\u{1F}", "\u{3000}é"), ("\u{2028}", "", "", ""),
      ("\u{200B}a\u{180E}", "\u{200B}a\u{180E}", "\u{200B}a\u{180E}", "\u{200B}a\u{180E}"),
      ("\0 \0", "\0 \0", "\0 \0", "\0 \0"), ("😀 ", "😀", "😀 ", "😀"),
    ])
  func stripping(input: String, both: String, left: String, right: String) {
    withBytes(input) { bytes in
      #expect(text(bytes, PythonText.stripped(bytes)) == both)
      #expect(text(bytes, PythonText.firstNonSpace(in: bytes)..<bytes.count) == left)
      #expect(text(bytes, 0..<PythonText.endOfLastNonSpace(in: bytes)) == right)
    }
  }

  @Test(
    "split()",
    arguments: [
      ("", -1, []), (" \t ", -1, []), ("a", -1, ["a"]), (" a  b\u{1E}c ", -1, ["a", "b", "c"]),
      ("é\u{A0}\u{2003}€ 😀", -1, ["é", "€", "😀"]), (" a b  c ", 0, ["a b  c "]),
      (" a b  c ", 1, ["a", "b  c "]), (" a b  c ", 2, ["a", "b", "c "]),
      (" a b  c ", 3, ["a", "b", "c"]), ("a ", 1, ["a"]),
    ] as [(String, Int, [String])])
  func splitting(input: String, limit: Int, expected: [String]) {
    withBytes(input) { bytes in
      var words: [String] = []
      PythonText.forEachWord(in: bytes, splits: limit) { words.append(text(bytes, $0)) }
      #expect(words == expected)
    }
  }

  @Test("Code points are counted and found, in texts of every length")
  func codePoints() {
    for piece in ["a", "é", "€", "😀", "aé€😀"] {
      for length in 0...100 {
        checkCodePoints(String(repeating: piece, count: length))
      }
    }
    // Many blocks, so that counters would overflow if they were not emptied.
    checkCodePoints(String(repeating: "é", count: 40_000), places: [0, 1, 39_999, 40_000])
  }

  private func checkCodePoints(_ text: String, places: [Int]? = nil) {
    let scalars = Array(text.unicodeScalars)
    withBytes(text) { bytes in
      #expect(PythonText.codePointCount(bytes) == scalars.count)
      #expect(PythonText.byteOffset(ofCodePoint: -1, in: bytes) == nil)
      #expect(PythonText.byteOffset(ofCodePoint: scalars.count + 1, in: bytes) == nil)
      var (offset, next) = (0, 0)
      for place in places ?? Array(0...scalars.count) {
        while next < place {
          offset += UTF8.width(scalars[next])
          next += 1
        }
        let found = PythonText.byteOffset(ofCodePoint: place, in: bytes)
        if found != offset { Issue.record("\(place) in \(text.prefix(20)): \(found as Any)") }
      }
    }
  }

  @Test(
    "isdigit, isalpha, isalnum, isspace, isupper, islower",
    arguments: [
      ("", [false, false, false, false, false, false]),
      ("0129", [true, false, true, false, false, false]),
      ("azAZ", [false, true, true, false, false, false]),
      ("az", [false, true, true, false, false, true]),
      ("AZ", [false, true, true, false, true, false]),
      ("A1-", [false, false, false, false, true, false]),
      ("a 1", [false, false, false, false, false, true]),
      (" \t\u{1C}\u{1F}", [false, false, false, true, false, false]),
      ("/:@[`{\u{1B}\u{0E}", [false, false, false, false, false, false]),
      ("é", [nil, nil, nil, nil, nil, nil]),
      ("1é", [nil, false, nil, false, nil, nil]),
      ("aBé", [false, nil, nil, false, false, false]),
    ] as [(String, [Bool?])])
  func classes(input: String, expected: [Bool?]) {
    withBytes(input) { bytes in
      #expect(PythonText.isDigits(bytes) == expected[0])
      #expect(PythonText.isAlpha(bytes) == expected[1])
      #expect(PythonText.isAlphanumeric(bytes) == expected[2])
      #expect(PythonText.isSpace(bytes) == expected[3])
      #expect(PythonText.isUpper(bytes) == expected[4])
      #expect(PythonText.isLower(bytes) == expected[5])
    }
  }

  @Test(
    "find and count",
    arguments: [
      ("", "a", nil, 0), ("abc", "c", 2, 1), ("abcabc", "bc", 1, 2), ("aaaa", "aa", 0, 2),
      ("éa€a", "a", 1, 2), ("é€😀", "😀", 2, 1), ("abc", "abcd", nil, 0), ("abc", "abc", 0, 1),
      ("abc", "", 0, nil), ("", "", 0, nil), ("0123456789abcdef0123", "f0", 15, 1),
      ("xxxxxxxxxxxxxxxxab", "ab", 16, 1),
    ] as [(String, String, Int?, Int?)])
  func searching(input: String, needle: String, place: Int?, count: Int?) {
    withBytes(input) { input in
      withBytes(needle) { needle in
        #expect(PythonText.findCodePoint(needle, in: input) == place)
        #expect(PythonText.count(needle, in: input) == count)
      }
    }
  }

  @Test("Random texts: what is found, counted and replaced is what the plain search finds")
  func randomSearch() {
    var random = SeededRandom()
    for _ in 0..<5000 {
      func some(_ length: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: length, using: &random)).map { _ in
          [UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "`")].randomElement(using: &random)!
        }
      }
      let (text, needle, replacement) = (some(0...60), some(1...12), some(0...3))
      var places: [Int] = []
      var replaced: [UInt8] = []
      var offset = 0
      while offset < text.count {
        if text[offset...].starts(with: needle) {
          places.append(offset)
          replaced += replacement
          offset += needle.count
        } else {
          replaced.append(text[offset])
          offset += 1
        }
      }
      text.withUnsafeBytes { text in
        needle.withUnsafeBytes { needle in
          #expect(PythonText.find(needle, in: text) == places.first, "seed \(random.seed)")
          #expect(PythonText.count(needle, in: text) == places.count, "seed \(random.seed)")
          replacement.withUnsafeBytes { replacement in
            var pieces: [UInt8] = []
            let count = PythonText.replace(needle, with: replacement, in: text) {
              pieces.append(contentsOf: $0)
            }
            #expect(count == places.count, "seed \(random.seed)")
            #expect(pieces == replaced, "seed \(random.seed)")
          }
        }
      }
    }
  }

  @Test("find from a place")
  func findFrom() {
    withBytes("abcabc") { text in
      withBytes("abc") { needle in
        #expect(PythonText.find(needle, in: text, from: 1) == 3)
        #expect(PythonText.find(needle, in: text, from: 4) == nil)
        #expect(PythonText.find(needle, in: text, from: 7) == nil)
      }
      withBytes("") { needle in
        #expect(PythonText.find(needle, in: text, from: 6) == 6)
        #expect(PythonText.find(needle, in: text, from: 7) == nil)
      }
    }
  }

  @Test(
    "replace",
    arguments: [
      ("aXbX", "X", "--", -1, "a--b--", 2), ("aXbX", "X", "", -1, "ab", 2),
      ("aXbX", "X", "yy", 1, "ayybX", 1), ("aXbX", "X", "y", 0, "aXbX", 0),
      ("", "X", "y", -1, "", 0), ("é€é", "é", "e", -1, "e€e", 2), ("XXX", "XX", "y", -1, "yX", 1),
      ("abc", "", "-", -1, "", nil),
    ] as [(String, String, String, Int, String, Int?)])
  func replacing(
    input: String, needle: String, replacement: String, limit: Int, expected: String, count: Int?
  ) {
    withBytes(input) { input in
      withBytes(needle) { needle in
        withBytes(replacement) { replacement in
          var result: [UInt8] = []
          let replaced = PythonText.replace(
            needle, with: replacement, in: input, limit: limit
          ) { result.append(contentsOf: $0) }
          #expect(replaced == count)
          #expect(String(decoding: result, as: UTF8.self) == expected)
        }
      }
    }
  }
}
