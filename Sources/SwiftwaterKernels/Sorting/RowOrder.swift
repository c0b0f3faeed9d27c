import SwiftwaterCore

/// How Python orders the rows of a column: numbers by size, text by code points (whose order UTF-8
/// keeps), tuples by their first items that differ.
///
/// Each row has 8 bytes that mostly tell it from others, so that a sort compares what lies in its own
/// array. Source of such keys: Nyberg, Barclay, Cvetanovic, Gray, Lomet, "AlphaSort" (1995).
struct RowOrder {
  /// In the order of the rows, where they differ.
  private let prefixes: [UInt64]
  /// The order of rows whose prefixes do not differ; nil where those are equal.
  private let rest: ((Int, Int) -> Int)?

  /// Nil for types that Python must compare.
  init?(_ column: Column) {
    switch column {
    case .bool(let bits):
      prefixes = (0..<bits.count).map { bits[$0] ? 1 : 0 }
      rest = nil
    case .integer(let values):
      prefixes = values.map { UInt64(bitPattern: $0) ^ 1 << 63 }
      rest = nil
    case .double(let values):
      if !values.allSatisfy({ !$0.isNaN }) { return nil }
      prefixes = values.map { value in
        // 0.0 and -0.0 are equal. Of negative numbers the bits fall where the number grows.
        let bits = value == 0 ? 0 : value.bitPattern
        return bits >> 63 == 1 ? ~bits : bits | 1 << 63
      }
      rest = nil
    case .text(let texts):
      prefixes = texts.withRows { rows in (0..<rows.count).map { Self.prefix(rows[$0]) } }
      let ends = TextEnds(texts, from: 8)
      rest = { a, b in ends.compare(a, b) }
    case .tuple(let items, let count):
      var orders: [RowOrder] = []
      for item in items {
        guard let order = RowOrder(item) else { return nil }
        orders.append(order)
      }
      prefixes = orders.first?.prefixes ?? Array(repeating: 0, count: count)
      rest = { [orders] a, b in
        for order in orders {
          let result = order.compare(a, b)
          if result != 0 { return result }
        }
        return 0
      }
    case .repeated:
      guard let order = RowOrder(column.expanded()) else { return nil }
      self = order
    case .none, .list, .optional: return nil
    }
  }

  private static func prefix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var prefix: UInt64 = 0
    for byte in bytes.prefix(8) { prefix = prefix << 8 | UInt64(byte) }
    return prefix << UInt64(8 * (8 - min(8, bytes.count)))
  }

  /// Below 0 where row `a` comes before row `b`, 0 where they are equal.
  func compare(_ a: Int, _ b: Int) -> Int {
    let (first, second) = (prefixes[a], prefixes[b])
    if first != second { return first < second ? -1 : 1 }
    return rest?(a, b) ?? 0
  }

  /// The rows in order; equal ones, also in the falling one, in the order in which they are.
  func sortedRows(ascending: Bool) -> [UInt32] {
    struct Entry {
      let prefix: UInt64
      let row: UInt32
    }
    let flip: UInt64 = ascending ? 0 : .max
    var entries = prefixes.enumerated().map {
      Entry(prefix: $1 ^ flip, row: UInt32(truncatingIfNeeded: $0))
    }
    entries.sort { a, b in
      if a.prefix != b.prefix { return a.prefix < b.prefix }
      if let order = rest?(Int(a.row), Int(b.row)), order != 0 { return (order < 0) == ascending }
      return a.row < b.row
    }
    return entries.map(\.row)
  }
}

/// What texts have from some byte on, one behind the other.
private struct TextEnds {
  private var bytes: [UInt8] = []
  private var starts: [Int] = [0]
  /// Of the whole texts.
  private var counts: [Int] = []

  init(_ texts: TextColumn, from first: Int) {
    starts.reserveCapacity(texts.count + 1)
    counts.reserveCapacity(texts.count)
    texts.withRows { rows in
      for row in 0..<rows.count {
        bytes += rows[row].dropFirst(first)
        starts.append(bytes.count)
        counts.append(rows[row].count)
      }
    }
  }

  /// The order of texts that begin alike, or with zeros where one of them ends.
  func compare(_ a: Int, _ b: Int) -> Int {
    let order = bytes.withUnsafeBytes { bytes in
      SwiftwaterKernels.order(
        UnsafeRawBufferPointer(rebasing: bytes[starts[a]..<starts[a + 1]]),
        UnsafeRawBufferPointer(rebasing: bytes[starts[b]..<starts[b + 1]]))
    }
    return order == 0 ? counts[a] - counts[b] : order
  }
}

extension ColumnType {
  /// True where columns know how Python orders rows.
  public var isOrdered: Bool {
    switch self {
    case .bool, .integer, .double, .text: true
    case .tuple(let items): items.allSatisfy(\.isOrdered)
    case .none, .list, .optional: false
    }
  }
}

extension Column {
  /// The rows in the order of Python's `sorted`, with `reverse` where it is not ascending; nil where
  /// Python must compare.
  public func sortedRows(ascending: Bool) -> [UInt32]? {
    count < Int(UInt32.max) ? RowOrder(self)?.sortedRows(ascending: ascending) : nil
  }

  /// For each row how many of `bounds`, which are in ascending order, are less: Python's
  /// `bisect_left`. Nil where Python must compare.
  ///
  /// - Parameter bounds: of the same type.
  public func places(among bounds: Column) -> [Int]? {
    guard type == bounds.type, let order = RowOrder(.concatenated([bounds, self])) else {
      return nil
    }
    return (0..<count).map { row in
      var (low, high) = (0, bounds.count)
      while low < high {
        let middle = (low + high) / 2
        if order.compare(middle, bounds.count + row) < 0 { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  /// The rows by the number that each has in `places`; nil for a number that none has.
  public func divided(by places: [Int], among count: Int) -> [Column?] {
    var rows = Array(repeating: [UInt32](), count: count)
    for (row, place) in places.enumerated() {
      rows[place].append(UInt32(truncatingIfNeeded: row))
    }
    return rows.map { $0.isEmpty ? nil : gathered($0) }
  }
}
