import SwiftwaterTesting
import Testing

@testable import SwiftwaterCore
@testable import SwiftwaterKernels

@Suite struct ColumnBytesTests {
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

  @Test("Columns of every type come back as they were")
  func columns() throws {
    var random = SeededRandom()
    for _ in 0..<2000 {
      let column = Column.random(
        &random, count: .random(in: 0...130, using: &random), depth: 3)
      let result = try decoded(encoded(column))
      #expect(result.type == column.type, "seed \(random.seed)")
      #expect(result.shownRows == column.shownRows, "seed \(random.seed)")
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
      var bytes = encoded(
        .random(&random, count: .random(in: 0...20, using: &random), depth: 2))
      if Bool.random(using: &random) {
        bytes.removeLast(.random(in: 1...bytes.count, using: &random))
        #expect(throws: EngineError.self, "seed \(random.seed)") { try decoded(bytes) }
        continue
      }
      let place = bytes.indices.randomElement(using: &random)!
      bytes[place] = [0, 1, 2, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
      // A changed number may say thousands of millions of rows, which are not looked at.
      if let result = try? decoded(bytes), largest(result) < 10_000 { _ = result.shownRows }
    }
  }
}
