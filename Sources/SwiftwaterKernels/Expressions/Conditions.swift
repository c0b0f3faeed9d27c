import SwiftwaterCore

extension Frame {
  func ofConditions(_ node: Node) -> Column {
    switch node.operation {
    case .and: return .bool(bits(column(node.inputs[0])) & bits(column(node.inputs[1])))
    case .or: return .bool(bits(column(node.inputs[0])) | bits(column(node.inputs[1])))
    case .not: return .bool(~bits(column(node.inputs[0])))
    case .truth: return .bool(truth(column(node.inputs[0])))
    case .compare(let comparison):
      return .bool(compare(comparison, column(node.inputs[0]), column(node.inputs[1])))
    case .compareOptional(let comparison):
      guard case .optional(let validity, let values) = column(node.inputs[0]).expanded() else {
        preconditionFailure("an optional column is expected")
      }
      return .bool(compareValues(comparison, values, column(node.inputs[1])) & validity)
    case .member(let values): return .bool(member(column(node.inputs[0]), of: values))
    case .choose(let comparison):
      // A NaN compares with nothing, so the first stays: as in Python.
      let (first, second) = (column(node.inputs[0]), column(node.inputs[1]))
      let choice = compare(comparison, second, first)
      if choice.noneSet { return first }
      if choice.allSet { return second }
      return .merged(
        choice, second.gathered(choice.indices()), first.gathered((~choice).indices()))
    default: preconditionFailure("not a condition")
    }
  }

  /// As Python's `bool(value)`.
  func truth(_ column: Column) -> Bitmap {
    switch column {
    case .none(let count): Bitmap(repeating: false, count: count)
    case .bool(let bits): bits
    case .integer(let values):
      values.withUnsafeBufferPointer { values in
        Bitmap(count: values.count) { values[$0] != 0 }
      }
    case .double(let values):
      values.withUnsafeBufferPointer { values in
        Bitmap(count: values.count) { values[$0] != 0 }
      }
    case .text(let texts):
      texts.withRows { rows in Bitmap(count: rows.count) { rows.views[$0].count > 0 } }
    case .tuple(let items, let count): Bitmap(repeating: !items.isEmpty, count: count)
    case .list(let lists):
      lists.offsets.withUnsafeBufferPointer { offsets in
        Bitmap(count: lists.count) { offsets[$0] < offsets[$0 + 1] }
      }
    case .optional(let validity, let values): validity & truth(values)
    case .repeated(let value, let count): Bitmap(repeating: truth(value)[0], count: count)
    }
  }

  private func compareValues(_ comparison: Comparison, _ a: Column, _ b: Column) -> Bitmap {
    if case .bool(let left) = a { return ~(left ^ bits(b)) }
    return compare(comparison, a, b)
  }

  private func compare(_ comparison: Comparison, _ a: Column, _ b: Column) -> Bitmap {
    switch (a.type, b.type) {
    case (.integer, .integer):
      let (left, right) = (integers(a), integers(b))
      return switch comparison {
      case .less: test(left, right, count: count) { $0 < $1 }
      case .lessOrEqual: test(left, right, count: count) { $0 <= $1 }
      case .greater: test(left, right, count: count) { $0 > $1 }
      case .greaterOrEqual: test(left, right, count: count) { $0 >= $1 }
      case .equal: test(left, right, count: count) { $0 == $1 }
      case .notEqual: test(left, right, count: count) { $0 != $1 }
      }
    case (.double, .double):
      let (left, right) = (doubles(a), doubles(b))
      return switch comparison {
      case .less: test(left, right, count: count) { $0 < $1 }
      case .lessOrEqual: test(left, right, count: count) { $0 <= $1 }
      case .greater: test(left, right, count: count) { $0 > $1 }
      case .greaterOrEqual: test(left, right, count: count) { $0 >= $1 }
      case .equal: test(left, right, count: count) { $0 == $1 }
      case .notEqual: test(left, right, count: count) { $0 != $1 }
      }
    case (.integer, .double):
      return test(integers(a), doubles(b), count: count) { integer, double in
        guard let order = PythonNumber.compare(integer, double) else {
          return comparison == .notEqual
        }
        return comparison.holds(order)
      }
    case (.double, .integer): return compare(comparison.mirrored, b, a)
    case (.text, .text): return compareTexts(comparison, a, b)
    default: preconditionFailure("\(a.type) is compared with \(b.type)")
    }
  }

  /// Compares by code point, which is the order of UTF-8's bytes.
  private func compareTexts(_ comparison: Comparison, _ a: Column, _ b: Column) -> Bitmap {
    let (left, right) = (texts(a), texts(b))
    return left.withRows { left in
      right.withRows { right in
        switch comparison {
        case .equal: Bitmap(count: count) { left.isEqual($0, right, $0) }
        case .notEqual: Bitmap(count: count) { !left.isEqual($0, right, $0) }
        default: Bitmap(count: count) { comparison.holds(order(left[$0], right[$0])) }
        }
      }
    }
  }

  private func member(_ column: Column, of values: [Value]) -> Bitmap {
    switch column.type {
    case .text:
      let wanted = values.compactMap { value -> [UInt8]? in
        if case .text(let text) = value { Array(text.utf8) } else { nil }
      }
      let set = Set(wanted)
      let texts = texts(column)
      return texts.withRows { rows in
        // Comparing with few is faster than hashing.
        wanted.count <= 8
          ? Bitmap(count: count) { row in
            wanted.contains { item in item.withUnsafeBytes { equalBytes($0, rows[row]) } }
          } : Bitmap(count: count) { set.contains(Array(rows[$0])) }
      }
    case .integer:
      let wanted = Set(values.compactMap(\.asInteger))
      let operand = integers(column)
      return Bitmap(count: count) { wanted.contains(operand.values[$0 * operand.step]) }
    default: preconditionFailure("\(column.type) is looked for")
    }
  }
}

extension Comparison {
  @inline(__always)
  func holds(_ order: Int) -> Bool {
    switch self {
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    case .equal: order == 0
    case .notEqual: order != 0
    }
  }
}

extension Value {
  /// The int that is equal to it, as Python compares.
  fileprivate var asInteger: Int64? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .integer(let value): value
    case .double(let value): Int64(exactly: value)
    default: nil
    }
  }
}
