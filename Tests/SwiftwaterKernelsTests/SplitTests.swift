import CKernels
import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

/// One after the other: whether wide instructions are used holds for the whole process.
@Suite(.serialized) struct WideInstructionTests {}

extension WideInstructionTests {
  @Suite struct SplitTests {
    private static let alphabets = [
      ["a"], ["a", " "], ["a", "b", "c", "d", "e", " "], ["ü", "a", " "],
    ]

    /// Lines of parts of many lengths, around those that matter to views (4, 12) and to words of bits (64).
    private func lines(_ random: inout SeededRandom) -> [String] {
      (0..<Int.random(in: 1...60, using: &random)).map { _ in
        let alphabet = Self.alphabets.randomElement(using: &random)!
        let most = [0, 3, 14, 70, 300].randomElement(using: &random)!
        return (0..<Int.random(in: 0...most, using: &random))
          .map { _ in alphabet.randomElement(using: &random)! }.joined()
      }
    }

    private func block(_ lines: [String]) throws -> TextBlock {
      var assembler = LineAssembler(blockSize: 1 << 16, maxLineLength: 1 << 20)
      var bytes = Array(lines.joined(separator: "\n").utf8)
      bytes.append(0x0A)
      bytes.withUnsafeBytes { assembler.append($0) }
      let block = assembler.takeBlock()
      return try #require(block)
    }

    private func parts(_ list: ListColumn) -> [[String]] {
      guard case .text(let texts) = list.items else { return [] }
      let all = texts.withRows { rows in
        (0..<rows.count).map { String(decoding: rows[$0], as: UTF8.self) }
      }
      return (0..<list.count).map { row in
        Array(all[Int(list.offsets[row])..<Int(list.offsets[row + 1])])
      }
    }

    private func split(_ line: String) -> [String] {
      line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    }

    @Test("Random lines: parts are those of a plain split, with wide instructions and without")
    func randomLines() throws {
      defer { sw_stay_plain(0) }
      var random = SeededRandom()
      for _ in 0..<400 {
        let lines = lines(&random)
        let block = try block(lines)
        let start = Int.random(in: 0..<lines.count, using: &random)
        let range = start..<Int.random(in: (start + 1)...lines.count, using: &random)
        let expected = lines[range].map(split)
        for plain: Int32 in [0, 1] {
          sw_stay_plain(plain)
          let column = block.column(range)
          let found = parts(Split.at(UInt8(ascii: " "), column))
          #expect(found == expected, "seed \(random.seed), plain \(plain)")
          let words = parts(Split.atSpace(most: .max, column))
          #expect(words == expected.map { $0.filter { !$0.isEmpty } }, "seed \(random.seed)")
        }
      }
    }

    @Test("Random bytes: bits, their number and their ranks, with wide instructions and without")
    func randomBytes() {
      defer { sw_stay_plain(0) }
      var random = SeededRandom()
      for _ in 0..<100 {
        let words = Int.random(in: 1...80, using: &random)
        let wanted = UInt8.random(in: 0...3, using: &random)
        let bytes = (0..<words * 64).map { _ in UInt8.random(in: 0...5, using: &random) }
        let places = bytes.indices.filter { bytes[$0] == wanted }
        // Each line ends where there is a bit; pairs of places, of which the first is not looked at.
        let ends = places.filter { _ in Bool.random(using: &random) }
        let first: UInt32 = 1000
        let lines: [UInt32] = ends.flatMap { end -> [UInt32] in [0, UInt32(end) + first] }
        for plain: Int32 in [0, 1] {
          sw_stay_plain(plain)
          var bits = Array(repeating: UInt64(0), count: words)
          sw_match(bytes, bytes.count, wanted, &bits)
          #expect((0..<bytes.count).filter { bits[$0 / 64] >> ($0 % 64) & 1 == 1 } == places)
          #expect(sw_count_bits(bits, words) == places.count, "seed \(random.seed)")
          var ranks = Array(repeating: UInt32(0), count: ends.count)
          sw_ranks(bits, lines, ends.count, first, &ranks)
          let expected = ends.map { end in UInt32(places.count { $0 <= end }) }
          #expect(ranks == expected, "seed \(random.seed)")
        }
      }
    }
  }
}
