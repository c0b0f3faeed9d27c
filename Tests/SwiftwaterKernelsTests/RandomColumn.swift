import SwiftwaterCore
import SwiftwaterTesting

private let sampleTexts = ["", "a", "twelve bytes", "longer than twelve", "é", "日本", "\0"]

extension Column {
  /// A column of any type with random rows.
  static func random(
    _ random: inout SeededRandom, count: Int, depth: Int, optional: Bool = true
  ) -> Column {
    switch Int.random(in: 0..<(depth == 0 ? 5 : 9), using: &random) {
    case 0: return .none(count: count)
    case 1: return .bool(bits(&random, count))
    case 2:
      return .integer(
        Buffer((0..<count).map { _ in Int64.random(in: .min ... .max, using: &random) }))
    case 3:
      let special = [0.0, -0.0, .infinity, .nan, .leastNonzeroMagnitude, 0.1]
      return .double(Buffer((0..<count).map { _ in special.randomElement(using: &random)! }))
    case 4:
      var builder = TextBuilder()
      for _ in 0..<count {
        let text = sampleTexts.randomElement(using: &random)!
        Array(text.utf8).withUnsafeBytes { bytes in
          builder.append(bytes, isASCII: text.utf8.allSatisfy { $0 < 0x80 })
        }
      }
      return .text(builder.finish())
    case 5:
      let items = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        Column.random(&random, count: count, depth: depth - 1)
      }
      return .tuple(items, count: count)
    case 6:
      var offsets: [UInt32] = [0]
      for _ in 0..<count { offsets.append(offsets.last! + .random(in: 0...3, using: &random)) }
      let items = Column.random(&random, count: Int(offsets.last!), depth: depth - 1)
      return .list(ListColumn(offsets: offsets, items: items))
    case 7 where optional:
      return .optional(
        validity: bits(&random, count),
        Column.random(&random, count: count, depth: depth - 1, optional: false))
    default: return .repeated(Column.random(&random, count: 1, depth: depth - 1), count: count)
    }
  }

  private static func bits(_ random: inout SeededRandom, _ count: Int) -> Bitmap {
    Bitmap(count: count) { _ in Bool.random(using: &random) }
  }

  /// Everything that can be seen of a column.
  var shownRows: [String] {
    switch self {
    case .none(let count): return Array(repeating: "None", count: count)
    case .bool(let bits): return (0..<bits.count).map { "\(bits[$0])" }
    case .integer(let values): return values.map { "\($0)" }
    case .double(let values): return values.map { "\($0.bitPattern)" }
    case .text(let texts): return (0..<texts.count).map { texts[$0].debugDescription }
    case .tuple(let items, let count):
      let parts = items.map(\.shownRows)
      return (0..<count).map { row in "(\(parts.map { $0[row] }.joined(separator: ", ")))" }
    case .list(let lists):
      let items = lists.items.shownRows
      return (0..<lists.count).map {
        "[\(items[Int(lists.offsets[$0])..<Int(lists.offsets[$0 + 1])].joined(separator: ", "))]"
      }
    case .optional(let validity, let values):
      return values.shownRows.enumerated().map { validity[$0] ? $1 : "None" }
    case .repeated(let value, let count): return Array(repeating: value.shownRows[0], count: count)
    }
  }
}
