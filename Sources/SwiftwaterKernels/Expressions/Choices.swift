import SwiftwaterCore

/// The types of values that depend on a condition.
extension Typing {
  static func emptyList(at place: SourcePlace?) -> Refusal {
    Refusal("it makes an empty list, whose type nobody knows", at: place)
  }

  /// `first if condition else second`.
  mutating func conditional(
    _ condition: Node, _ first: Expression, _ second: Expression, at place: SourcePlace?
  ) throws -> Node {
    // What is never asked for needs no type: `max(old, new)` where `old` is always None.
    if let holds = condition.fixedTruth { return try nodeOrEmptyList(holds ? first : second) }
    let sides = (try nodeOrEmptyList(first), try nodeOrEmptyList(second))
    let (first, second) = (typed(sides.0, as: sides.1), typed(sides.1, as: sides.0))
    guard let type = ColumnType.union(first.type, second.type) else {
      throw Refusal(
        "it gives \(first.type) or \(second.type), depending on the record", at: place)
    }
    // `a and b`, `a or b`, `not a` of conditions that never fail need no choice of rows.
    var computed = condition.computedNodes
    if type == .bool, second.isTotal(behind: &computed), first.isTotal(behind: &computed) {
      if second === condition { return make(.and, [condition, first], .bool) }
      if first === condition { return make(.or, [condition, second], .bool) }
      if case .constant(.bool(false)) = second.operation {
        return make(.and, [condition, first], .bool)
      }
      if case .constant(.bool(true)) = first.operation {
        return make(.or, [condition, second], .bool)
      }
    }
    return make(
      .conditional, [condition, widened(first, to: type), widened(second, to: type)], type)
  }

  /// A list without items, as one of another's type.
  private mutating func typed(_ node: Node, as other: Node) -> Node {
    guard node.isListOfUnknownType else { return node }
    switch other.type {
    case .list: return make(.emptyList, [], other.type)
    case .optional(.list(let item)): return make(.emptyList, [], .list(item))
    default: return node
    }
  }

  // MARK: - Parts of what is chosen

  /// What `body` gives; where that has no type, the choice between parts of what is chosen, which is
  /// the same: `(old or (0, 0))[1]` is `old[1]` or `0`, whatever the type of `old[0]`.
  mutating func ofParts(
    _ expression: Expression, _ body: (inout Typing) throws -> Node
  ) throws -> Node {
    do {
      return try body(&self)
    } catch let refusal as Refusal {
      guard let choice = choice(expression), let node = try? node(choice) else { throw refusal }
      return node
    }
  }

  /// A part of a choice as a choice of parts; nil for what is none.
  private mutating func choice(_ expression: Expression) -> Expression? {
    let place = expression.place
    func chosen(
      from object: Expression, _ part: (Expression) -> Expression.Kind
    ) -> Expression? {
      guard case .conditional(let condition, let first, let second)? = choice(object)?.kind else {
        return nil
      }
      let parts = [first, second].map { Expression(part($0), at: place) }
      return Expression(.conditional(condition, parts[0], parts[1]), at: place)
    }
    let found: Expression?
    switch expression.kind {
    case .conditional: return expression
    case .item(let object, let index):
      guard case .constant(.integer) = index.kind else { return nil }
      found = chosen(from: object) { .item($0, index) }
    case .unpack(let object, let index, let count):
      found = chosen(from: object) { .unpack($0, index: index, count: count) }
    default: return nil
    }
    guard let found, rewritten.count < Self.mostRewritten else { return nil }
    rewritten.append(found)
    return found
  }

  private static var mostRewritten: Int { 200 }

  // MARK: - Numbers

  /// The operands of an operator. A number that is an int or a float, depending on the record, is
  /// computed with as a float where the other one is a float: Python makes one of it too.
  mutating func operands(
    _ symbol: String, _ a: Expression, _ b: Expression
  ) throws -> (Node, Node) {
    do {
      let (left, right) = (try nodeOrEmptyList(a), try nodeOrEmptyList(b))
      return (required(left), required(right))
    } catch let refusal as Refusal {
      guard ["+", "-", "*", "/", "//", "%"].contains(symbol) else { throw refusal }
      if let left = try? required(node(a)), left.type == .double, let right = mixedNumber(b) {
        return (left, right)
      }
      if let right = try? required(node(b)), right.type == .double, let left = mixedNumber(a) {
        return (left, right)
      }
      throw refusal
    }
  }

  /// A choice between ints and floats, as floats; nil for anything else.
  mutating func mixedNumber(_ expression: Expression) -> Node? {
    guard let choice = choice(expression),
      case .conditional(let condition, let first, let second) = choice.kind,
      let condition = try? truth(of: node(condition)), let first = number(first),
      let second = number(second)
    else { return nil }
    return make(.conditional, [condition, first, second], .double)
  }

  private mutating func number(_ expression: Expression) -> Node? {
    guard let found = try? node(expression) else { return mixedNumber(expression) }
    let value = double(integral(required(found)))
    return value.type == .double ? value : nil
  }
}

extension Node {
  /// An empty list that is not known to be one of ints, or of texts.
  var isListOfUnknownType: Bool {
    if case .emptyList = operation { type == .list(.none) } else { false }
  }

  /// Whether it is true on every row, or false on every row, by its types alone; nil where nobody
  /// knows, or where it has to be computed all the same.
  var fixedTruth: Bool? {
    guard neverFlags else { return nil }
    switch operation {
    case .constant(.bool(let value)), .afterInputs(.bool(let value)): return value
    case .isNone:
      switch inputs[0].type {
      case .none: return true
      case .optional: return nil
      default: return false
      }
    case .truth:
      switch inputs[0].type {
      case .none: return false
      case .tuple(let items): return !items.isEmpty
      default: return nil
      }
    case .not: return inputs[0].fixedTruth.map { !$0 }
    case .and:
      let sides = inputs.map(\.fixedTruth)
      if sides.contains(false) { return false }
      return sides.contains(nil) ? nil : true
    case .or:
      let sides = inputs.map(\.fixedTruth)
      if sides.contains(true) { return true }
      return sides.contains(nil) ? nil : false
    default: return nil
    }
  }
}
