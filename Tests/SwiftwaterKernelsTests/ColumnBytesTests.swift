import SwiftwaterTesting
import Testing

@testable import SwiftwaterCore
@testable import SwiftwaterKernels

@Suite struct ColumnBytesTests {
  private static let texts = ["", "a", "twelve bytes", "longer than twelve", "é", "日本", "\0"]

  private func column(
    _ random: inout SeededRandom, count: Int, depth: Int, optional: Bool = true
  ) -> Column {
    switch Int.random(in: 0..<(depth == 0 ? 5 : 9), using: &random) {
    case 0: return .none(count: count)
    case 1: return .bool(bits(&random, count))
    case 2:
      return .integer((0..<count).map { _ in Int64.random(in: .min ... .max, using: &random) })
    case 3:
      let special = [0.0, -0.0, .infinity, .nan, .leastNonzeroMagnitude, 0.1]
      return .double((0..<count).map { _ in special.randomElement(using: &random)! })
    case 4:
      var builder = TextBuilder()
      for _ in 0..<count {
        let text = Self.texts.randomElement(using: &random)!
        Array(text.utf8).withUnsafeBytes { bytes in
          builder.append(bytes, isASCII: text.utf8.allSatisfy { $0 < 0x80 })
        }
      }
      return .text(builder.finish())
    case 5:
      let items = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        column(&random, count: count, depth: depth - 1)
      }
      return .tuple(items, count: count)
    case 6:
      var offsets: [UInt32] = [0]
      for _ in 0..<count { offsets.append(offsets.last! + .random(in: 0...3, using: &random)) }
      let items = column(&random, count: Int(offsets.last!), depth: depth - 1)
      return .list(ListColumn(offsets: offsets, items: items))
    case 7 where optional:
      return .optional(
        validity: bits(&random, count),
        column(&random, count: count, depth: depth - 1, optional: false))
    default: return .repeated(column(&random, count: 1, depth: depth - 1), count: count)
    }
  }

  private func bits(_ random: inout SeededRandom, _ count: Int) -> Bitmap {
    Bitmap(count: count) { _ in Bool.random(using: &random) }
  }

  private func encoded(_ column: Column) -> [UInt8] {
    var bytes: [UInt8] = []
    column.encode(into: &bytes)
    return bytes
  }

  private func decoded(_ bytes: [UInt8]) throws -> Column {
    try bytes.withUnsafeBytes {
      var reader = ByteReader($0)
      return try Column(from: &reader)
    }
  }

  /// Everything that can be seen of a column.
  private func rows(_ column: Column) -> [String] {
    switch column {
    case .none(let count): return Array(repeating: "None", count: count)
    case .bool(let bits): return (0..<bits.count).map { "\(bits[$0])" }
    case .integer(let values): return values.map { "\($0)" }
    case .double(let values): return values.map { "\($0.bitPattern)" }
    case .text(let texts): return (0..<texts.count).map { texts[$0].debugDescription }
    case .tuple(let items, let count):
      let parts = items.map { rows($0) }
      return (0..<count).map { row in "(\(parts.map { $0[row] }.joined(separator: ", ")))" }
    case .list(let lists):
      let items = rows(lists.items)
      return (0..<lists.count).map {
        "[\(items[Int(lists.offsets[$0])..<Int(lists.offsets[$0 + 1])].joined(separator: ", "))]"
      }
    case .optional(let validity, let values):
      return rows(values).enumerated().map { validity[$0] ? $1 : "None" }
    case .repeated(let value, let count): return Array(repeating: rows(value)[0], count: count)
    }
  }

  @Test("Columns of every type come back as they were")
  func columns() throws {
    var random = SeededRandom()
    for _ in 0..<2000 {
      let column = column(&random, count: .random(in: 0...130, using: &random), depth: 3)
      let result = try decoded(encoded(column))
      #expect(result.type == column.type, "seed \(random.seed)")
      #expect(rows(result) == rows(column), "seed \(random.seed)")
    }
  }

  @Test("Blocks of lines come back as they were, also without lines")
  func blocks() throws {
    for lines in [["", "a b", "longer than twelve", "é日本", ""], [], [""]] {
      var assembler = LineAssembler(blockSize: 1 << 20, maxLineLength: 1 << 20)
      for line in lines { Array((line + "\n").utf8).withUnsafeBytes { assembler.append($0) } }
      guard let block = assembler.takeBlock() else {
        #expect(lines.isEmpty)
        continue
      }
      var bytes = [UInt8](repeating: 0xEE, count: block.encodedCount + 8)
      // SAFETY: there are more bytes than `encodedCount`.
      bytes.withUnsafeMutableBytes { block.encode(to: $0.baseAddress!) }
      #expect(bytes.suffix(8).allSatisfy { $0 == 0xEE })
      let result = try bytes.withUnsafeBytes {
        var reader = ByteReader($0)
        return try TextBlock(from: &reader)
      }
      let texts = result.column()
      #expect((0..<texts.count).map { texts[$0] } == lines)
      #expect(result.isASCII == block.isASCII)
    }
  }

  /// The most rows that the column or one inside of it has.
  private func largest(_ column: Column) -> Int {
    switch column {
    case .tuple(let items, let count): max(count, items.map { largest($0) }.max() ?? 0)
    case .list(let lists): max(lists.count, largest(lists.items))
    case .optional(_, let values): max(column.count, largest(values))
    case .repeated(let value, let count): max(count, largest(value))
    default: column.count
    }
  }

  @Test(
    "Bytes that are cut or changed give an error or other rows, and are not read beyond their end")
  func damaged() {
    var random = SeededRandom()
    for _ in 0..<3000 {
      var bytes = encoded(column(&random, count: .random(in: 0...20, using: &random), depth: 2))
      if Bool.random(using: &random) {
        bytes.removeLast(.random(in: 1...bytes.count, using: &random))
        #expect(throws: EngineError.self, "seed \(random.seed)") { try decoded(bytes) }
        continue
      }
      let place = bytes.indices.randomElement(using: &random)!
      bytes[place] = [0, 1, 2, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
      // A changed number may say thousands of millions of rows, which are not looked at.
      if let result = try? decoded(bytes), largest(result) < 10_000 { _ = rows(result) }
    }
  }
}
