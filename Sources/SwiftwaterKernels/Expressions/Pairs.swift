import SwiftwaterCore

extension Expression {
  /// A function of two arguments as a function of a pair of them: of a record that is a tuple of both.
  ///
  /// What occurs twice in it still does.
  public func pairwise() -> Expression {
    var known: [ObjectIdentifier: Expression] = [:]
    return pairwise(Expression(.argument(0)), &known)
  }

  private func pairwise(
    _ pair: Expression, _ known: inout [ObjectIdentifier: Expression]
  ) -> Expression {
    let identity = ObjectIdentifier(self)
    if let expression = known[identity] { return expression }
    func of(_ part: Expression) -> Expression { part.pairwise(pair, &known) }
    let kind: Kind =
      switch self.kind {
      case .argument(let index): .item(pair, Expression(.constant(.integer(Int64(index)))))
      case .constant: self.kind
      case .tuple(let items): .tuple(items.map(of))
      case .list(let items): .list(items.map(of))
      case .item(let object, let index): .item(of(object), of(index))
      case .slice(let object, let from, let to): .slice(of(object), from: of(from), to: of(to))
      case .method(let name, let object, let arguments):
        .method(name, of(object), arguments.map(of))
      case .call(let name, let arguments): .call(name, arguments.map(of))
      case .binary(let symbol, let a, let b): .binary(symbol, of(a), of(b))
      case .unary(let symbol, let operand): .unary(symbol, of(operand))
      case .compare(let symbol, let a, let b): .compare(symbol, of(a), of(b))
      case .conditional(let condition, let a, let b): .conditional(of(condition), of(a), of(b))
      case .format(let operand, let conversion, let spec):
        .format(of(operand), conversion: conversion, spec: spec)
      case .join(let parts): .join(parts.map(of))
      case .unpack(let object, let index, let count):
        .unpack(of(object), index: index, count: count)
      }
    let expression = Expression(kind, at: place)
    known[identity] = expression
    return expression
  }
}

extension Program {
  /// The program of a function on states, `f(new, old)`, over pairs of a list of values and a state
  /// that can be None; what it gives is the new state, None where the key goes.
  ///
  /// - Parameter state: from ``stateType(of:values:)``.
  /// - Throws: ``Refusal`` where it has no native form.
  public static func updating(
    _ function: Expression, values: ColumnType, state: ColumnType
  ) throws -> Program {
    let old = state == .none ? state : ColumnType.optional(state)
    return try Program(inputType: .tuple([.list(values), old]))
      .appending(.map, function.pairwise())
  }

  /// The type that the states of a function on states have, `f(new, old)`, for values of a type:
  /// that of what it makes of values and of no state, and then of values and of such a state.
  ///
  /// - Throws: ``Refusal`` where they have no common type, or the function no native form.
  public static func stateType(
    of function: Expression, values: ColumnType
  ) throws -> ColumnType {
    let first: ColumnType
    do {
      first = try result(of: function, values, state: .none)
    } catch let refusal as Refusal {
      // It computes with the state before it knows that there is one. Any type will do that it keeps.
      let others: [ColumnType] = [values, .integer, .double, .text, .bool, .list(values)]
      for state in others
      where (try? result(of: function, values, state: state)) == state { return state }
      throw refusal
    }
    var state = first
    for _ in 0..<mostRounds {
      let next = try result(of: function, values, state: state)
      guard let both = ColumnType.union(state, next)?.present else {
        throw Refusal("its states are \(state) and \(next)", at: function.place)
      }
      if both == state {
        if state == .none { throw Refusal("it gives nothing but None", at: function.place) }
        return state
      }
      state = both
    }
    throw Refusal("the type of its states grows without end", at: function.place)
  }

  private static let mostRounds = 3

  private static func result(
    of function: Expression, _ values: ColumnType, state: ColumnType
  ) throws -> ColumnType {
    try updating(function, values: values, state: state).outputType.present
  }
}

extension ColumnType {
  /// The type of the rows that are not None.
  fileprivate var present: ColumnType {
    if case .optional(let type) = self { type } else { self }
  }
}
