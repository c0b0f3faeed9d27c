/// What functions on states need beside: lists of new values, and states that may not be there.
///
/// ```swift
/// try counts.updateStateByKey { new, total in (total || 0) + new.sum() }
/// ```
extension Term {
  /// Python's None: for a state, none any more.
  public static let none = Term(.constant(.none))

  /// True where it is None: the state of a new key.
  public var isNone: Term { Term(.compare("is", expression, Term.none.expression)) }

  /// A list of such items.
  public static func list(_ items: Term...) -> Term { Term(.list(items.map(\.expression))) }

  /// A list without its first items: none is left where it has no more than so many.
  public func dropFirst(_ count: Term) -> Term {
    Term(.call(Expression.withoutFirst, [expression, count.expression]))
  }

  /// The sum of the numbers of a list, 0 for none.
  public func sum() -> Term { Term(.call("sum", [expression])) }

  /// The smallest item of a list, which must have one.
  public func min() -> Term { Term(.call("min", [expression])) }

  /// The largest item of a list, which must have one.
  public func max() -> Term { Term(.call("max", [expression])) }
}
