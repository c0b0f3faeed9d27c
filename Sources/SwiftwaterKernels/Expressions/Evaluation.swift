import SwiftwaterCore

extension Frame {
  /// Computes a node from the columns of its inputs.
  func evaluate(_ node: Node) -> Column {
    switch node.operation {
    case .argument: return records
    case .constant(let value): return .repeated(value.column, count: count)
    case .afterInputs(let value):
      for input in node.inputs { _ = column(input) }
      return .repeated(value.column, count: count)
    case .tuple: return .tuple(node.inputs.map { column($0) }, count: count)
    case .joinTuples:
      return .tuple(node.inputs.flatMap { column($0).tupleItems }, count: count)
    case .tupleItem(let index): return column(node.inputs[0]).tupleItems[index]
    case .widen: return column(node.inputs[0]).widened(to: node.type)
    case .isNone: return isNone(column(node.inputs[0]))
    case .required: return required(column(node.inputs[0]))
    case .conditional: return conditional(node)
    case .list, .listItem, .unpack, .listContains: return ofLists(node)
    case .emptyList, .joinLists, .withoutFirst, .sumOfList, .extremeOfList:
      return ofWholeLists(node)
    case .length, .splitSpace, .split, .strip, .changeCase, .startsWith, .endsWith, .find,
      .contains, .occurrences, .replace, .hasOnly, .concatenate, .joinList, .textItem, .slice:
      return ofText(node)
    case .arithmetic, .negate, .absolute, .invert, .integerOfBool, .integerOfDouble,
      .integerOfText, .roundDouble, .doubleOfInteger, .doubleOfText, .textOf, .textWithDecimals:
      return ofNumbers(node)
    case .compare, .compareOptional, .member, .truth, .not, .and, .or, .choose:
      return ofConditions(node)
    }
  }

  private func isNone(_ column: Column) -> Column {
    switch column {
    case .none, .repeated(.none, _): .bool(Bitmap(repeating: true, count: count))
    case .optional(let validity, _): .bool(~validity)
    case .repeated(.optional, _): isNone(column.expanded())
    default: .bool(Bitmap(repeating: false, count: count))
    }
  }

  private func required(_ column: Column) -> Column {
    guard case .optional(let validity, let values) = column.expanded() else { return column }
    for row in (~validity).indices() { flag(Int(row)) }
    return values
  }

  private func conditional(_ node: Node) -> Column {
    let choice = bits(column(node.inputs[0]))
    if choice.allSet { return column(node.inputs[1]) }
    if choice.noneSet { return column(node.inputs[2]) }
    let first = branch(choice.indices()).column(node.inputs[1])
    let second = branch((~choice).indices()).column(node.inputs[2])
    return .merged(choice, first, second)
  }

  // MARK: - Columns of a known type

  func bits(_ column: Column) -> Bitmap {
    guard case .bool(let bits) = column.expanded() else {
      preconditionFailure("bools are expected, not \(column.type)")
    }
    return bits
  }

  func integers(_ column: Column) -> Operand<Int64> {
    switch column {
    case .integer(let values): Operand(values: values, step: 1)
    case .repeated(.integer(let values), _): Operand(values: values, step: 0)
    default: preconditionFailure("integers are expected, not \(column.type)")
    }
  }

  func doubles(_ column: Column) -> Operand<Double> {
    switch column {
    case .double(let values): Operand(values: values, step: 1)
    case .repeated(.double(let values), _): Operand(values: values, step: 0)
    default: preconditionFailure("doubles are expected, not \(column.type)")
    }
  }

  func texts(_ column: Column) -> TextColumn {
    guard case .text(let texts) = column.expanded() else {
      preconditionFailure("texts are expected, not \(column.type)")
    }
    return texts
  }

  func lists(_ column: Column) -> ListColumn {
    guard case .list(let lists) = column.expanded() else {
      preconditionFailure("lists are expected, not \(column.type)")
    }
    return lists
  }

  /// The text that all rows have; nil where they can differ.
  func constantText(_ column: Column) -> [UInt8]? {
    guard case .repeated(.text(let text), _) = column else { return nil }
    return text.withRows { Array($0[0]) }
  }
}

/// Numbers of a column: one for each row, or one for all of them.
struct Operand<Value: BitwiseCopyable & Sendable> {
  let values: Buffer<Value>
  /// 0 where one value stands for all rows.
  let step: Int
}

/// A value for each row from those of two operands.
@inline(__always)
func combine<A, B, Result>(
  _ a: Operand<A>, _ b: Operand<B>, count: Int, _ body: (Int, A, B) -> Result
) -> Buffer<Result> {
  a.values.withUnsafeBufferPointer { left in
    b.values.withUnsafeBufferPointer { right in
      Buffer(count: count) { output in
        // SAFETY: an operand has a value for each row, or a step of 0.
        for row in 0..<count {
          (output + row).initialize(to: body(row, left[row &* a.step], right[row &* b.step]))
        }
      }
    }
  }
}

/// A value for each row from that of an operand.
@inline(__always)
func transform<A, Result>(
  _ a: Operand<A>, count: Int, _ body: (Int, A) -> Result
) -> Buffer<Result> {
  a.values.withUnsafeBufferPointer { values in
    Buffer(count: count) { output in
      for row in 0..<count {
        (output + row).initialize(to: body(row, values[row &* a.step]))
      }
    }
  }
}

/// A bit for each row from those of two operands.
@inline(__always)
func test<A, B>(
  _ a: Operand<A>, _ b: Operand<B>, count: Int, _ body: (A, B) -> Bool
) -> Bitmap {
  a.values.withUnsafeBufferPointer { left in
    b.values.withUnsafeBufferPointer { right in
      Bitmap(count: count) { body(left[$0 &* a.step], right[$0 &* b.step]) }
    }
  }
}
