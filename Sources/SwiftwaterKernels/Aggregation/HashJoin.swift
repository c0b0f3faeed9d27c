import SwiftwaterCore

/// The pairs of two columns of pairs whose keys are equal, some at a time.
///
/// Keys come in the order in which they are first seen, in the left column and then in the right one;
/// for each key every value of the left with every value of the right, in their order: Spark's order.
public struct HashJoin {
  /// Which keys that one side lacks come too, with None in the place of its value.
  public enum Kind: String, Sendable {
    case inner, leftOuter, rightOuter, fullOuter

    var keepsLeft: Bool { self == .leftOuter || self == .fullOuter }
    var keepsRight: Bool { self == .rightOuter || self == .fullOuter }

    /// The type of the joined pairs, ``(key, (left value, right value))``; nil for records that are
    /// no pairs, or whose keys are of unlike types: Python compares those.
    public func resultType(of left: ColumnType, _ right: ColumnType) -> ColumnType? {
      guard case .tuple(let left) = left, case .tuple(let right) = right, left.count == 2,
        right.count == 2, left[0] == right[0], left[0].isHashable,
        let leftValue = keepsRight ? ColumnType.union(left[1], .none) : left[1],
        let rightValue = keepsLeft ? ColumnType.union(right[1], .none) : right[1]
      else { return nil }
      return .tuple([left[0], .tuple([leftValue, rightValue])])
    }
  }

  /// The values of one side.
  private struct Side {
    /// Behind the values None, where a key may come without one.
    let values: Column
    private let rows: RowsByKey
    private let missing: [UInt32]

    init(_ values: Column, _ numbers: [UInt32], keyCount: Int, type: ColumnType, mayMiss: Bool) {
      self.values =
        mayMiss
        ? .concatenated([values.widened(to: type), Column.none(count: 1).widened(to: type)])
        : values
      missing = mayMiss ? [UInt32(truncatingIfNeeded: values.count)] : []
      rows = RowsByKey(numbers, keyCount: keyCount)
    }

    func rows(of key: Int) -> ArraySlice<UInt32> {
      let found = rows[key]
      return found.isEmpty ? missing[...] : found
    }
  }

  private let keys: Column
  private let left: Side
  private let right: Side
  /// The next pair: of which key, and how many of its values on each side are done.
  private var key = 0
  private var done = (left: 0, right: 0)

  /// Nil where Python must join: see ``Kind/resultType(of:_:)``.
  public init?(_ kind: Kind, _ left: Column, _ right: Column) {
    guard case .tuple(let items) = kind.resultType(of: left.type, right.type),
      case .tuple(let types) = items[1], left.count + right.count < Int(UInt32.max)
    else { return nil }
    let (left, right) = (left.tupleItems, right.tupleItems)
    guard let leftKeys = left[0].keys(), let rightKeys = right[0].keys() else { return nil }
    let index = KeyIndex()
    var (newLeft, newRight): ([UInt32], [UInt32]) = ([], [])
    let leftNumbers = index.numbers(of: leftKeys, newRows: &newLeft)
    let rightNumbers = index.numbers(of: rightKeys, newRows: &newRight)
    // A key is what it was where it was first seen: 0.0 and -0.0 are one key.
    keys = .concatenated([left[0].gathered(newLeft), right[0].gathered(newRight)])
    self.left = Side(
      left[1], leftNumbers, keyCount: index.count, type: types[0], mayMiss: kind.keepsRight)
    self.right = Side(
      right[1], rightNumbers, keyCount: index.count, type: types[1], mayMiss: kind.keepsLeft)
  }

  /// The next `count` pairs, or as many as there are; nil behind the last.
  public mutating func next(_ count: Int) -> Column? {
    var (keyRows, leftRows, rightRows): ([UInt32], [UInt32], [UInt32]) = ([], [], [])
    while key < keys.count, keyRows.count < count {
      let (ours, theirs) = (left.rows(of: key), right.rows(of: key))
      guard done.left < ours.count, !theirs.isEmpty else {
        key += 1
        done = (0, 0)
        continue
      }
      let first = theirs.startIndex + done.right
      let run = theirs[first..<min(theirs.endIndex, first + count - keyRows.count)]
      keyRows.append(contentsOf: repeatElement(UInt32(truncatingIfNeeded: key), count: run.count))
      leftRows.append(
        contentsOf: repeatElement(ours[ours.startIndex + done.left], count: run.count))
      rightRows += run
      done.right += run.count
      if done.right == theirs.count { done = (done.left + 1, 0) }
    }
    if keyRows.isEmpty { return nil }
    let values = Column.tuple(
      [left.values.gathered(leftRows), right.values.gathered(rightRows)], count: leftRows.count)
    return .tuple([keys.gathered(keyRows), values], count: keyRows.count)
  }
}
