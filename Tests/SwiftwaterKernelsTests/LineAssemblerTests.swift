import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct LineAssemblerTests {
  /// The lines of all blocks that come out when `chunks` go in.
  private func lines(
    of chunks: [[UInt8]], blockSize: Int = 64, maxLineLength: Int = 1 << 20, finish: Bool = true
  ) -> (lines: [String], dropped: [LineAssembler.DroppedLine]) {
    var assembler = LineAssembler(blockSize: blockSize, maxLineLength: maxLineLength)
    var lines: [String] = []
    func take(_ assembler: inout LineAssembler) {
      guard let block = assembler.takeBlock() else { return }
      #expect(block.recordCount > 0)
      block.forEachElement { lines.append($0.description) }
    }
    for chunk in chunks {
      chunk.withUnsafeBytes { assembler.append($0) }
      if assembler.isBlockFull { take(&assembler) }
    }
    if finish { assembler.finishLine() }
    take(&assembler)
    return (lines, assembler.takeDroppedLines())
  }

  @Test(
    "Line ends of every kind",
    arguments: [
      ("", []), ("a", ["a"]), ("a\n", ["a"]), ("\n", [""]), ("\n\n", ["", ""]),
      ("a\r\nb\r\n", ["a", "b"]), ("a\rb\r", ["a", "b"]), ("a\n\rb", ["a", "", "b"]),
      ("a\r\r\nb", ["a", "", "b"]), ("a\nlast", ["a", "last"]), ("ü\nœ\r\n😀", ["ü", "œ", "😀"]),
      ("a\u{B}b\u{85}c\u{2028}d\n", ["a\u{B}b\u{85}c\u{2028}d"]),
    ] as [(String, [String])])
  func lineEnds(text: String, expected: [String]) {
    let bytes = Array(text.utf8)
    #expect(lines(of: [bytes]).lines == expected)
    // However the bytes are cut.
    #expect(lines(of: bytes.map { [$0] }).lines == expected)
  }

  @Test("Without the end of the connection, the last line waits")
  func unfinished() {
    #expect(lines(of: [Array("a\nb".utf8)], finish: false).lines == ["a"])
  }

  @Test(
    "What is not UTF-8 becomes U+FFFD, one for each part that Java sees",
    arguments: [
      ([0xFF], "\u{FFFD}"), ([0x61, 0x80, 0x62], "a\u{FFFD}b"), ([0xC3], "\u{FFFD}"),
      ([0xE2, 0x82, 0x41], "\u{FFFD}A"), ([0xF0, 0x9F, 0x98], "\u{FFFD}"),
      ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"), ([0xE2, 0x82, 0xAC, 0xFE], "€\u{FFFD}"),
      // Surrogates: one, two, without their last byte, with another one behind, and behind others.
      ([0xED, 0xA0, 0x80], "\u{FFFD}"), ([0xED, 0xBF, 0xBF, 0x61], "\u{FFFD}a"),
      ([0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], "\u{FFFD}\u{FFFD}"),
      ([0xED, 0xA0], "\u{FFFD}"), ([0xED, 0xA0, 0x41], "\u{FFFD}A"), ([0xED], "\u{FFFD}"),
      ([0xED, 0xA0, 0xC3, 0xA9], "\u{FFFD}é"), ([0xED, 0xA0, 0x80, 0x80], "\u{FFFD}\u{FFFD}"),
      ([0xED, 0xC3, 0xA9], "\u{FFFD}é"), ([0xE2, 0x82, 0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}"),
      ([0xED, 0xED, 0xA0, 0x80, 0xED, 0x9F, 0xBF], "\u{FFFD}\u{FFFD}\u{D7FF}"),
    ] as [([UInt8], String)])
  func invalid(bytes: [UInt8], expected: String) {
    let input = [UInt8(ascii: "x"), 0x0A] + bytes + [0x0A, UInt8(ascii: "y"), 0x0A]
    let result = lines(of: [input]).lines
    #expect(result == ["x", expected, "y"])
  }

  @Test("A block of the first lines leaves the others, however they are cut")
  func someLines() {
    let bytes = Array("a\r\nbé\n\nc \u{FF}x\rlast\nunfinished".utf8)
    for size in 0...7 {
      var assembler = LineAssembler(blockSize: 100, maxLineLength: 100)
      bytes.withUnsafeBytes { assembler.append($0) }
      #expect(assembler.byteCount(ofLines: 1) == 3)
      var lines: [String] = []
      var counts: [Int] = []
      while let block = assembler.takeBlock(ofLines: max(1, size)) {
        counts.append(block.lines.count)
        block.forEachElement { lines.append($0.description) }
      }
      #expect(assembler.takeBlock(ofLines: 0) == nil)
      assembler.finishLine()
      assembler.takeBlock()?.forEachElement { lines.append($0.description) }
      #expect(lines == ["a", "bé", "", "c ÿx", "last", "unfinished"])
      #expect(counts.allSatisfy { $0 <= max(1, size) } && counts.reduce(0, +) == 5)
    }
  }

  @Test("What is pending counts with the places of its lines")
  func pendingMemory() {
    var assembler = LineAssembler(blockSize: 10_000, maxLineLength: 100)
    #expect(assembler.pendingMemory == 0)
    Array("unfinished".utf8).withUnsafeBytes { assembler.append($0) }
    #expect(assembler.pendingMemory == 0)
    [UInt8](repeating: 0x0A, count: 1000).withUnsafeBytes { assembler.append($0) }
    #expect(assembler.pendingMemory >= 9 * 1000)
    var leased = 0
    let block = assembler.takeBlock(lease: {
      leased = $0
      return nil
    })
    #expect(leased >= 9 * 1000 && leased < 40_000)
    #expect(assembler.pendingMemory == 0)
    withExtendedLifetime(block) {}
  }

  @Test("A line over the limit is dropped whole, and counted with its beginning")
  func overlong() {
    let long = String(repeating: "x", count: 200)
    let text = "a\n\(long)\nb\n"
    for chunks in [[Array(text.utf8)], text.utf8.map { [$0] }] {
      let (kept, dropped) = lines(of: chunks, maxLineLength: 100)
      #expect(kept == ["a", "b"])
      #expect(dropped == [.init(byteCount: 200, prefix: String(repeating: "x", count: 80))])
    }
    #expect(lines(of: [Array(text.utf8)], maxLineLength: 200).lines == ["a", long, "b"])
  }

  @Test("A line that is too long at the end of the connection is dropped too")
  func overlongAtTheEnd() {
    let (kept, dropped) = lines(of: [Array("abcdef".utf8)], maxLineLength: 5)
    #expect(kept == [])
    #expect(dropped == [.init(byteCount: 6, prefix: "abcdef")])
  }

  @Test("Dropped lines leave nothing behind: no memory, no pending bytes, no full block")
  func droppedLinesAreForgotten() {
    var assembler = LineAssembler(blockSize: 1000, maxLineLength: 10)
    let long = Array((String(repeating: "x", count: 300) + "\n").utf8)
    for _ in 0..<100 {
      long.withUnsafeBytes { assembler.append($0) }
      let (pending, isFull) = (assembler.pendingBytes, assembler.isBlockFull)
      #expect(pending == 0)
      #expect(!isFull)
      let block = assembler.takeBlock()
      #expect(block == nil)
    }
    let dropped = assembler.takeDroppedLines().count
    #expect(dropped == 100)
    Array("good\nunfinished".utf8).withUnsafeBytes { assembler.append($0) }
    long.withUnsafeBytes { assembler.append($0) }
    Array("tail\n".utf8).withUnsafeBytes { assembler.append($0) }
    var lines: [String] = []
    assembler.takeBlock()?.forEachElement { lines.append($0.description) }
    #expect(lines == ["good", "tail"])
    let droppedLater = assembler.takeDroppedLines().count
    #expect(droppedLater == 1)
  }

  @Test("Random bytes, cut at random: the same lines as Python's rules give")
  func random() {
    var random = SeededRandom()
    let seed = random.seed
    for _ in 0..<2000 {
      let alphabet: [UInt8] = [0x0A, 0x0D, 0x61, 0x62, 0x20, 0xC3, 0xBC, 0xE2, 0x82, 0xAC, 0xFF]
      let bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in
        alphabet.randomElement(using: &random)!
      }
      var chunks: [[UInt8]] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Int.random(in: 1...rest.count, using: &random)
        chunks.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      let result = lines(of: chunks, blockSize: 8).lines
      #expect(result == referenceLines(bytes), "seed \(seed), bytes \(bytes)")
    }
  }

  /// The plain definition: split, then decode each line.
  private func referenceLines(_ bytes: [UInt8]) -> [String] {
    var lines: [[UInt8]] = [[]]
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case 0x0A: lines.append([])
      case 0x0D:
        lines.append([])
        if index + 1 < bytes.count, bytes[index + 1] == 0x0A { index += 1 }
      default: lines[lines.count - 1].append(bytes[index])
      }
      index += 1
    }
    if lines.last == [] { lines.removeLast() }
    return lines.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func blocksKnowWhetherTheyAreASCII() {
    var assembler = LineAssembler(blockSize: 64, maxLineLength: 64)
    Array("plain\n".utf8).withUnsafeBytes { assembler.append($0) }
    #expect(assembler.takeBlock()?.isASCII == true)
    Array("ü\n".utf8).withUnsafeBytes { assembler.append($0) }
    #expect(assembler.takeBlock()?.isASCII == false)
    #expect(assembler.takeBlock() == nil)
  }

  @Test func splitting() {
    var assembler = LineAssembler(blockSize: 64, maxLineLength: 64)
    Array("a  b c \n\n".utf8).withUnsafeBytes { assembler.append($0) }
    var parts: [[String]] = []
    assembler.takeBlock()?.forEachElement { line in
      parts.append(line.split(separator: " ").map(\.description))
    }
    #expect(parts == [["a", "", "b", "c", ""], [""]])
  }

  @Test(
    "A long line that comes in small pieces is not copied for each of them",
    .timeLimit(.minutes(1)))
  func longLineInPieces() {
    let size = 24 << 20
    var assembler = LineAssembler(blockSize: 1 << 20, maxLineLength: size)
    let piece = Array(repeating: UInt8(ascii: "x"), count: 64)
    for _ in 0..<size / piece.count { piece.withUnsafeBytes { assembler.append($0) } }
    Array("\n".utf8).withUnsafeBytes { assembler.append($0) }
    #expect(assembler.takeBlock()?.byteCount == size + 1)
  }
}
