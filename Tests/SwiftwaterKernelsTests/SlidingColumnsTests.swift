import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct SlidingColumnsTests {
  private func column(_ texts: [String]) -> Column {
    var builder = TextBuilder()
    for text in texts {
      Array(text.utf8).withUnsafeBytes { bytes in
        builder.append(bytes, isASCII: SwiftwaterKernels.isASCII(bytes))
      }
    }
    return .text(builder.finish())
  }

  private func texts(_ batch: any RecordBatch) throws -> [String] {
    guard case .text(let texts) = try #require(batch as? ColumnBatch).column.expanded() else {
      Issue.record("a column of text is expected")
      return []
    }
    return (0..<texts.count).map { texts[$0] }
  }

  private func elements(_ batch: any RecordBatch) throws -> [String] {
    try #require(batch as? ValueBatch<String>).elements
  }

  @Test(
    "A window over columns has what one over Swift values has, also when memory is short at times",
    arguments: [false, true])
  func columns(isShortAtTimes: Bool) throws {
    defer { SpillStore.shared.configure(limit: .max, folder: "/tmp") }
    for _ in 0..<40 {
      var random = SeededRandom()
      let form = try #require(ColumnForm(.tuple([.text, .text])))
      let (table, reference) = (
        SlidingTable(form: form), SlidingTable(form: ValueForm<String, String>())
      )
      let joinColumns: SlidingTable.Combine = { left, right in
        ColumnBatch(column(zip(try texts(left), try texts(right)).map { $0 + $1 }))
      }
      let joinValues: SlidingTable.Combine = { left, right in
        ValueBatch(zip(try elements(left), try elements(right)).map { $0 + $1 })
      }
      let window = Int.random(in: 1...15, using: &random)
      let rarity = Int.random(in: 1...4, using: &random)
      for batch in 0..<60 {
        if isShortAtTimes, Int.random(in: 0..<8, using: &random) == 0 {
          let isShort = Bool.random(using: &random)
          SpillStore.shared.configure(limit: isShort ? 1 : .max, folder: "/tmp")
        }
        let keys = (0..<9).filter { _ in Int.random(in: 0..<rarity, using: &random) == 0 }
          .map { "the key of number \($0)".suffix(4 + $0 * 2) }
        let pairs = keys.map { (String($0), "\($0) in batch \(batch). ") }
        let columns = Column.tuple(
          [column(pairs.map(\.0)), column(pairs.map(\.1))], count: pairs.count)
        #expect(try table.add(ColumnBatch(columns), combine: joinColumns))
        #expect(try reference.add(ValueBatch(pairs), combine: joinValues))
        if table.batchCount > window {
          try table.evict(combine: joinColumns)
          try reference.evict(combine: joinValues)
        }
        if Int.random(in: 0..<3, using: &random) == 0 { continue }
        try table.refresh(combine: joinColumns)
        try reference.refresh(combine: joinValues)
        let found = try table.results(table.order())
        let expected = try reference.results(reference.order())
        #expect(try texts(found.keys) == elements(expected.keys), "seed \(random.seed)")
        #expect(try texts(found.values) == elements(expected.values), "seed \(random.seed)")
      }
    }
  }
}
