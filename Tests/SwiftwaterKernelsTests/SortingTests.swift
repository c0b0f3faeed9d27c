import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct SortingTests {
  private static let alphabet = ["a", "b", "\0", "\u{7F}", "é", "\u{FFFD}", "😀", "aaaaaaaa", "z"]

  private func column(_ texts: [String]) -> Column {
    var builder = TextBuilder(rows: texts.count)
    for text in texts {
      Array(text.utf8).withUnsafeBytes { builder.append($0, isASCII: false) }
    }
    return .text(builder.finish())
  }

  private func isBefore(_ a: String, _ b: String) -> Bool {
    a.unicodeScalars.map(\.value).lexicographicallyPrecedes(b.unicodeScalars.map(\.value))
  }

  /// A stable sort with a comparison of values.
  private func sorted<Value>(
    _ values: [Value], ascending: Bool, _ isBefore: (Value, Value) -> Bool
  ) -> [UInt32] {
    values.indices.sorted { a, b in
      let (first, second) = ascending ? (a, b) : (b, a)
      if isBefore(values[first], values[second]) { return true }
      return !isBefore(values[second], values[first]) && a < b
    }.map { UInt32($0) }
  }

  @Test("Rows are in the order of their values, equal ones in their own", arguments: [true, false])
  func order(ascending: Bool) {
    var random = SeededRandom()
    for _ in 0..<100 {
      let count = Int.random(in: 0...60, using: &random)
      let texts = (0..<count).map { _ in
        (0..<Int.random(in: 0...4, using: &random)).map { _ in
          Self.alphabet.randomElement(using: &random)!
        }.joined()
      }
      let integers = (0..<count).map { _ in
        [.min, -1, 0, 1, 7, .max].randomElement(using: &random)! as Int64
      }
      let doubles = (0..<count).map { _ in
        [-.infinity, -1.5, -0.0, 0.0, .leastNonzeroMagnitude, 2, .infinity].randomElement(
          using: &random)! as Double
      }
      let seed = Comment(rawValue: "seed \(random.seed)")
      #expect(
        column(texts).sortedRows(ascending: ascending)
          == sorted(texts, ascending: ascending, isBefore), seed)
      #expect(
        Column.integer(Buffer(integers)).sortedRows(ascending: ascending)
          == sorted(integers, ascending: ascending, <), seed)
      #expect(
        Column.double(Buffer(doubles)).sortedRows(ascending: ascending)
          == sorted(doubles, ascending: ascending, <), seed)
      let pairs = Column.tuple([.integer(Buffer(integers)), column(texts)], count: count)
      #expect(
        pairs.sortedRows(ascending: ascending)
          == sorted(Array(zip(integers, texts)), ascending: ascending) { a, b in
            a.0 == b.0 ? isBefore(a.1, b.1) : a.0 < b.0
          }, seed)
    }
  }

  @Test("A row's place is behind all bounds that are less")
  func places() {
    var random = SeededRandom()
    for _ in 0..<100 {
      let values = (0..<30).map { _ in Int64.random(in: -9...9, using: &random) }
      let bounds = (0..<Int.random(in: 0...5, using: &random)).map { _ in
        Int64.random(in: -9...9, using: &random)
      }.sorted()
      #expect(
        Column.integer(Buffer(values)).places(among: .integer(Buffer(bounds)))
          == values.map { value in bounds.count { $0 < value } }, "seed \(random.seed)")
    }
  }

  @Test("What Python must compare is refused")
  func refused() {
    #expect(Column.double([1, .nan]).sortedRows(ascending: true) == nil)
    #expect(Column.none(count: 2).sortedRows(ascending: true) == nil)
    #expect(Column.integer([1]).places(among: .double([1])) == nil)
  }
}
