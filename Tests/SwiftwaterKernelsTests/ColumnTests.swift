import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct ColumnTests {
  private static let alphabet: [String] = [
    "a", "b", "ab", " ", "  ", "\t", "é", "日本", "😀", "x", "longer than twelve", "\u{A0}", ",",
  ]

  private func randomText(_ random: inout SeededRandom, parts: Int) -> String {
    (0..<Int.random(in: 0...parts, using: &random)).map { _ in
      Self.alphabet.randomElement(using: &random)!
    }.joined()
  }

  private func texts(_ column: Column) -> [String] {
    guard case .text(let texts) = column.expanded() else { return [] }
    return (0..<texts.count).map { texts[$0] }
  }

  /// The lines of a block that holds them with one byte between each two.
  private func block(_ lines: [String]) -> TextBlock {
    var assembler = LineAssembler(blockSize: 1 << 20, maxLineLength: 1 << 20)
    for line in lines {
      Array((line + "\n").utf8).withUnsafeBytes { assembler.append($0) }
    }
    return assembler.takeBlock()!
  }

  @Test("A view holds what it was made of, of every length and at every place")
  func views() {
    let bytes = (0..<120).map { UInt8(truncatingIfNeeded: 33 + $0 % 90) }
    bytes.withUnsafeBytes { bytes in
      for start in 0..<20 {
        for count in 0..<40 {
          let view = TextView(
            bytes.baseAddress! + start, count: count, buffer: 0, offset: start)
          var builder = TextBuilder()
          builder.append(
            UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)]), isASCII: true)
          let column = builder.finish()
          #expect(view.count == count)
          #expect(view.isInline == (count <= 12))
          if count <= 12 { #expect(column.views[0] == view) }
          column.withRows { rows in
            #expect(Array(rows[0]) == Array(bytes[start..<(start + count)]))
            for from in 0...count {
              let part = rows.part(0, from: from, count: count - from)
              let whole = TextColumn(views: [part], buffers: column.buffers, isASCII: true)
              whole.withRows {
                #expect(Array($0[0]) == Array(bytes[(start + from)..<(start + count)]))
              }
            }
          }
        }
      }
    }
  }

  @Test("Splitting whole blocks, single rows and mixed rows gives the same parts")
  func split() {
    var random = SeededRandom()
    for _ in 0..<200 {
      let lines = (0..<Int.random(in: 1...40, using: &random)).map { _ in
        randomText(&random, parts: 20).filter { !"\r\n".contains($0) }
      }
      let column = block(lines).column()
      var rows = column
      rows.lines = nil
      for separator in [" ", ",", "a", "ab", "é"] {
        let expected = lines.map { line in
          line.unicodeScalars.split(
            separator: Array(separator.unicodeScalars), omittingEmptySubsequences: false
          ).map { String($0) }
        }
        for input in [column, rows] {
          let list = Split.at(Array(separator.utf8), most: .max, input)
          let parts = texts(list.items)
          let found = (0..<list.count).map {
            Array(parts[Int(list.offsets[$0])..<Int(list.offsets[$0 + 1])])
          }
          #expect(found == expected, "seed \(random.seed), at \(separator)")
        }
      }
      let whole = Split.atSpace(most: .max, column)
      let single = Split.atSpace(most: .max, rows)
      #expect(whole.offsets == single.offsets, "seed \(random.seed)")
      #expect(texts(whole.items) == texts(single.items), "seed \(random.seed)")
    }
  }

  @Test("Keys get numbers in the order in which they come, whatever their length")
  func keys() {
    var random = SeededRandom()
    for _ in 0..<40 {
      let index = KeyIndex()
      var expected: [String: UInt32] = [:]
      for _ in 0..<6 {
        let keys = (0..<500).map { _ in randomText(&random, parts: 4) }
        var builder = TextBuilder()
        for key in keys {
          Array(key.utf8).withUnsafeBytes { builder.append($0, isASCII: false) }
        }
        var newRows: [UInt32] = []
        let numbers = index.numbers(of: builder.finish(), newRows: &newRows)
        var firsts: [UInt32] = []
        for (row, key) in keys.enumerated() where expected[key] == nil {
          // Python's texts are equal where their bytes are; Swift's where they look alike.
          expected[key] = UInt32(expected.count)
          firsts.append(UInt32(row))
        }
        #expect(numbers == keys.map { expected[$0]! }, "seed \(random.seed)")
        #expect(newRows == firsts, "seed \(random.seed)")
      }
      #expect(index.count == expected.count)
    }
  }

  @Test("Rows that are gathered, sliced, concatenated and merged are the same rows")
  func rows() {
    var random = SeededRandom()
    for _ in 0..<100 {
      let values = (0..<Int.random(in: 1...100, using: &random)).map { _ in
        (randomText(&random, parts: 5), Int64.random(in: -9...9, using: &random))
      }
      func column(_ values: [(String, Int64)]) -> Column {
        var builder = TextBuilder()
        for (text, _) in values {
          Array(text.utf8).withUnsafeBytes { builder.append($0, isASCII: false) }
        }
        let validity = Bitmap(count: values.count) { values[$0].1 > 0 }
        return .tuple(
          [
            .text(builder.finish()), .integer(Buffer(values.map(\.1))),
            .optional(validity: validity, .double(Buffer(values.map { Double($0.1) }))),
          ], count: values.count)
      }
      func rows(_ column: Column) -> [String] {
        guard case .tuple(let items, _) = column, case .integer(let numbers) = items[1],
          case .optional(let validity, .double(let doubles)) = items[2]
        else { return [] }
        return zip(texts(items[0]), numbers.indices).map {
          "\($0) \(numbers[$1]) \(validity[$1] ? "\(doubles[$1])" : "None")"
        }
      }
      let whole = column(values)
      let plain = rows(whole)
      #expect(plain.count == values.count)
      let places = (0..<50).map { _ in UInt32.random(in: 0..<UInt32(values.count), using: &random) }
      #expect(rows(whole.gathered(places)) == places.map { plain[Int($0)] })
      let cut = Int.random(in: 0...values.count, using: &random)
      let parts = [whole.sliced(0..<cut), whole.sliced(cut..<values.count)]
      #expect(rows(.concatenated(parts)) == plain)
      #expect(rows(whole.compacted()) == plain)
      let choice = Bitmap(count: values.count) { values[$0].1 % 2 == 0 }
      let merged = Column.merged(
        choice, whole.gathered(choice.indices()), whole.gathered((~choice).indices()))
      #expect(rows(merged) == plain)
    }
  }

  @Test("Spilled columns come back as they were")
  func spilled() throws {
    let texts = TextColumn("a text that is longer than a view holds")
    let column = Column.tuple(
      [
        .text(texts), .repeated(.none(count: 1), count: 1),
        .bool(Bitmap(repeating: true, count: 1)),
        .list(ListColumn(offsets: [0, 2], items: .integer([1, 2]))),
      ], count: 1)
    SpillStore.shared.configure(limit: 1, folder: "/tmp")
    defer { SpillStore.shared.configure(limit: .max, folder: "/tmp") }
    let kept = try ColumnBatch(column).spillingIfShort()
    let stored = try #require(kept as? any StoredBatch)
    let loaded = try #require(try stored.loaded() as? ColumnBatch)
    #expect(loaded.column.type == column.type)
    guard case .tuple(let items, _) = loaded.column, case .list(let lists) = items[3],
      case .integer(let numbers) = lists.items
    else { return #expect(Bool(false), "other columns") }
    #expect(self.texts(items[0]) == ["a text that is longer than a view holds"])
    #expect(numbers == [1, 2])
  }
}
