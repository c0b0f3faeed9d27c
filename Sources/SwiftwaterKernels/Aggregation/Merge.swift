import SwiftwaterCore

/// How two values of a key become one, for values of one type: what a function such as
/// `lambda a, b: a + b` comes to.
public indirect enum Merge: Sendable, Hashable {
  /// `a + b` of numbers.
  case sum
  /// The second where it compares so with the first (or where it does not), else the first.
  case choose(second: String, first: Bool)
  case first
  case last
  /// Each item of a tuple on its own.
  case items([Merge])
  /// The values become the items of a list.
  case gather
  /// The lists one behind the other.
  case join

  /// True where it gives the same, to the last bit, however neighbours are put together first.
  public func isAssociative(for type: ColumnType) -> Bool {
    switch (self, type) {
    case (.sum, _): type == .integer
    case (.first, _), (.last, _), (.gather, _), (.join, _): true
    case (.choose, .integer), (.choose, .text): true
    case (.items(let parts), .tuple(let types)):
      zip(parts, types).allSatisfy { $0.isAssociative(for: $1) }
    default: false
    }
  }

  /// The type of what values of a type become.
  public func resultType(for type: ColumnType) -> ColumnType {
    self == .gather ? .list(type) : type
  }

  /// - Parameters:
  ///   - function: of two arguments of `type`, giving the same type.
  /// - Throws: ``Refusal``.
  public init(_ function: Expression, of type: ColumnType) throws {
    self = try Self.part(function, [], type, in: type)
  }

  private static func part(
    _ expression: Expression, _ path: [Int], _ type: ColumnType, in root: ColumnType
  ) throws -> Merge {
    switch side(of: expression, path, in: root) {
    case 0: return .first
    case 1: return .last
    default: break
    }
    let place = expression.place
    switch expression.kind {
    case .tuple(let items):
      guard case .tuple(let types) = type, types.count == items.count else {
        throw Refusal("it combines values of \(type) to a tuple of \(items.count)", at: place)
      }
      return .items(
        try items.indices.map { try part(items[$0], path + [$0], types[$0], in: root) })
    case .binary("+", let a, let b):
      guard type == .integer || type == .double else {
        throw Refusal("it combines \(type) with +, which has no native form", at: place)
      }
      // The order does not matter to the sum of two.
      if sides(a, b, path, in: root) != nil { return .sum }
    case .call(let name, let arguments) where name == "min" || name == "max":
      guard arguments.count == 2, isOrdered(type),
        let (a, _) = sides(arguments[0], arguments[1], path, in: root)
      else { break }
      // Python keeps the first argument unless the second is really larger (or smaller).
      let symbol = name == "max" ? ">" : "<"
      return a == 0
        ? .choose(second: symbol, first: false)
        : .choose(second: symbol == ">" ? "<" : ">", first: true)
    case .conditional(let condition, let yes, let no):
      guard case .compare(let symbol, let x, let y) = condition.kind, isOrdered(type),
        let comparison = Comparison(rawValue: symbol), comparison.isOrdering,
        let (left, _) = sides(x, y, path, in: root),
        let (chosen, _) = sides(yes, no, path, in: root)
      else { break }
      let ofSecond = left == 1 ? comparison : comparison.mirrored
      return .choose(second: ofSecond.rawValue, first: chosen == 0)
    default: break
    }
    throw Refusal(
      "it combines two values otherwise than by a sum, a minimum, a maximum or a choice", at: place)
  }

  private static func isOrdered(_ type: ColumnType) -> Bool {
    type == .integer || type == .double || type == .text
  }

  /// The two sides that the expressions stand for, where they are different ones.
  private static func sides(
    _ a: Expression, _ b: Expression, _ path: [Int], in root: ColumnType
  ) -> (Int, Int)? {
    guard let left = side(of: a, path, in: root), let right = side(of: b, path, in: root),
      left != right
    else { return nil }
    return (left, right)
  }

  /// Which argument's item at `path` the expression is.
  private static func side(
    of expression: Expression, _ path: [Int], in root: ColumnType
  ) -> Int? {
    var expression = expression
    // The sizes of the tuples on the way, from the outside.
    var sizes: [Int] = []
    var whole = root
    for index in path {
      guard case .tuple(let items) = whole else { return nil }
      sizes.append(items.count)
      whole = items[index]
    }
    for (index, size) in zip(path, sizes).reversed() {
      switch expression.kind {
      case .item(let object, let item):
        guard case .constant(.integer(let number)) = item.kind, number == index else { return nil }
        expression = object
      case .unpack(let object, let item, let count):
        guard item == index, count == size else { return nil }
        expression = object
      default: return nil
      }
    }
    guard case .argument(let side) = expression.kind else { return nil }
    return side
  }
}
