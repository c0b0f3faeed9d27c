import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct ColumnLinesTests {
  private func text(_ texts: [String]) -> Column {
    var builder = TextBuilder(rows: texts.count)
    for text in texts {
      Array(text.utf8).withUnsafeBytes { builder.append($0, isASCII: false) }
    }
    return .text(builder.finish())
  }

  private func string(_ buffer: LineBuffer) -> String {
    buffer.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// The rows as lines, and how many there are in front of the first one that is Python's.
  private func lines(_ column: Column) -> (String, Int) {
    let buffer = LineBuffer()
    let next = ColumnLines(column).append(from: 0, to: buffer)
    return (string(buffer), next)
  }

  @Test("Rows are printed as Python's str prints them")
  func values() {
    let texts = text([
      "", "a", "it's", "'\"", "\\ \n\r\t\0\u{1B}\u{7F}", "longer than twelve", "é漢",
    ])
    let integers = Column.integer([0, -1, .max, .min, 10, 123_456_789, 7])
    let doubles = Column.double([0, -0.0, 1e16, 1e-5, .infinity, .nan, 0.1])
    let bits = Bitmap(count: 7) { $0 % 2 == 0 }
    let pairs = Column.tuple([texts, integers], count: 7)
    let lists = Column.list(
      ListColumn(offsets: [0, 0, 1, 1, 3, 3, 3, 7], items: texts))
    let table: [(Column, [String])] = [
      (.none(count: 2), ["None", "None"]),
      (
        texts,
        ["", "a", "it's", "'\"", "\\ \n\r\t\0\u{1B}\u{7F}", "longer than twelve", "é漢"]
      ),
      (
        integers,
        ["0", "-1", "9223372036854775807", "-9223372036854775808", "10", "123456789", "7"]
      ),
      (doubles, ["0.0", "-0.0", "1e+16", "1e-05", "inf", "nan", "0.1"]),
      (.bool(bits), ["True", "False", "True", "False", "True", "False", "True"]),
      (
        pairs,
        [
          "('', 0)", "('a', -1)", #"("it's", 9223372036854775807)"#,
          #"('\'"', -9223372036854775808)"#, #"('\\ \n\r\t\x00\x1b\x7f', 10)"#,
          "('longer than twelve', 123456789)", "('é漢', 7)",
        ]
      ),
      (
        lists,
        [
          "[]", "['']", "[]", #"['a', "it's"]"#, "[]", "[]",
          #"['\'"', '\\ \n\r\t\x00\x1b\x7f', 'longer than twelve', 'é漢']"#,
        ]
      ),
      (
        .optional(validity: bits, texts),
        ["", "None", "it's", "None", "\\ \n\r\t\0\u{1B}\u{7F}", "None", "é漢"]
      ),
      (
        .tuple([.optional(validity: bits, texts)], count: 7),
        [
          "('',)", "(None,)", #"("it's",)"#, "(None,)", #"('\\ \n\r\t\x00\x1b\x7f',)"#, "(None,)",
          "('é漢',)",
        ]
      ),
      (.tuple([], count: 2), ["()", "()"]),
      (
        .repeated(.tuple([text(["x"]), .tuple([.integer([1])], count: 1)], count: 1), count: 2),
        ["('x', (1,))", "('x', (1,))"]
      ),
      (.repeated(text(["x'"]), count: 3), ["x'", "x'", "x'"]),
    ]
    for (column, expected) in table {
      #expect(lines(column) == (expected.map { $0 + "\n" }.joined(), column.count))
    }
  }

  @Test(
    "A row with a character that some versions of Python escape is left",
    arguments: ["\u{A0}", "\u{AD}", "\u{2028}", "\u{378}", "\u{FEFF}", "\u{E0001}", "\u{1F9FF}"])
  func leftRows(character: String) {
    let column = Column.tuple([text(["a", "b", "c" + character, "d"])], count: 4)
    let buffer = LineBuffer()
    let writer = ColumnLines(column)
    #expect(writer.append(from: 0, to: buffer) == 2)
    #expect(string(buffer) == "('a',)\n('b',)\n")
    #expect(writer.append(from: 2, to: buffer) == 2)
    #expect(writer.append(from: 3, to: buffer) == 4)
    #expect(string(buffer) == "('a',)\n('b',)\n('d',)\n")
    // Outside of a tuple it has no quotes, and nothing is escaped.
    #expect(lines(text([character])) == (character + "\n", 1))
  }

  @Test("Large columns come in pieces that are large enough, whatever they are made of")
  func pieces() {
    var random = SeededRandom()
    for _ in 0..<30 {
      let count = Int.random(in: 0...40_000, using: &random)
      let column = Column.random(&random, count: count, depth: 2)
      var expected = ""
      for row in 0..<count {
        expected += lines(column.sliced(row..<(row + 1))).0
        if expected.utf8.count > 1 << 20 { break }
      }
      let writer = ColumnLines(column)
      var found = ""
      var row = 0
      while row < count, found.utf8.count < expected.utf8.count {
        let buffer = LineBuffer()
        row = writer.append(from: row, to: buffer)
        #expect(row == count || buffer.isFull)
        found += string(buffer)
      }
      #expect(found.hasPrefix(expected))
    }
  }

  @Test("Lines of a block are copied together where they lie together")
  func blocks() throws {
    var random = SeededRandom()
    for ends in ["\n", "\r\n"] {
      var expected = ""
      var given = ""
      for _ in 0..<5000 {
        let line = String(repeating: "é", count: Int.random(in: 0...60, using: &random))
        expected += line + "\n"
        given += line + ends
      }
      var assembler = LineAssembler(blockSize: 1 << 22, maxLineLength: 1 << 20)
      Array((given + "last").utf8).withUnsafeBytes { assembler.append($0) }
      assembler.finishLine()
      let taken = assembler.takeBlock()
      let block = try #require(taken)
      let buffer = LineBuffer()
      var found = ""
      var line = 0
      while line < block.lines.count {
        line = buffer.append(block, from: line, to: block.lines.count)
        found += string(buffer)
        buffer.removeAll()
      }
      #expect(found == expected + "last\n")
      let part = block.column(1000..<1200)
      let texts = (0..<part.count).map { part[$0] + "\n" }
      #expect(lines(.text(part)) == (texts.joined(), 200))
      let places = (0..<200).filter { $0 % 3 != 0 }
      let gathered = Column.text(part.gathered(places.map { UInt32($0) }))
      #expect(lines(gathered) == (places.map { texts[$0] }.joined(), places.count))
    }
  }
}
