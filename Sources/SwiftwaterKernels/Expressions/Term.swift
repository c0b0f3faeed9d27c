import SwiftwaterCore

/// A value in a function on columns, as Swift jobs write it: the closures of ``ColumnRDD`` are called
/// once, with a term for the record, and what they return is the function.
///
/// ```swift
/// lines.flatMap { $0.split(" ") }.map { [$0, 1] }.reduceByKey { $0 + $1 }
/// ```
///
/// An array literal is a tuple. The meaning of everything is Python's.
public struct Term: Sendable {
  let expression: Expression

  init(_ kind: Expression.Kind) { expression = Expression(kind) }

  /// Argument number `index` of the function.
  static func argument(_ index: Int) -> Term { Term(.argument(index)) }

  // MARK: Parts

  public subscript(index: Term) -> Term { Term(.item(expression, index.expression)) }

  public func slice(from start: Int? = nil, to end: Int? = nil) -> Term {
    func bound(_ value: Int?) -> Expression {
      Expression(.constant(value.map { .integer(Int64($0)) } ?? .none))
    }
    return Term(.slice(expression, from: bound(start), to: bound(end)))
  }

  public var count: Term { Term(.call("len", [expression])) }

  // MARK: Text

  /// The parts between separators; between white space without one.
  public func split(_ separator: Term? = nil) -> Term {
    method("split", [separator].compactMap(\.self))
  }

  public func trimmed() -> Term { method("strip", []) }
  public func lowercased() -> Term { method("lower", []) }
  public func uppercased() -> Term { method("upper", []) }
  public func hasPrefix(_ prefix: Term) -> Term { method("startswith", [prefix]) }
  public func hasSuffix(_ suffix: Term) -> Term { method("endswith", [suffix]) }
  public func contains(_ item: Term) -> Term {
    Term(.compare("in", item.expression, expression))
  }

  private func method(_ name: String, _ arguments: [Term]) -> Term {
    Term(.method(name, expression, arguments.map(\.expression)))
  }

  // MARK: Conversion

  public var integer: Term { Term(.call("int", [expression])) }
  public var double: Term { Term(.call("float", [expression])) }
  public var text: Term { Term(.call("str", [expression])) }

  // MARK: Operators

  private static func binary(_ symbol: String, _ a: Term, _ b: Term) -> Term {
    Term(.binary(symbol, a.expression, b.expression))
  }

  private static func compare(_ symbol: String, _ a: Term, _ b: Term) -> Term {
    Term(.compare(symbol, a.expression, b.expression))
  }

  public static func + (a: Term, b: Term) -> Term { binary("+", a, b) }
  public static func - (a: Term, b: Term) -> Term { binary("-", a, b) }
  public static func * (a: Term, b: Term) -> Term { binary("*", a, b) }
  /// Python's `/`: a float, of integers too.
  public static func / (a: Term, b: Term) -> Term { binary("/", a, b) }
  public static func % (a: Term, b: Term) -> Term { binary("%", a, b) }
  public static func < (a: Term, b: Term) -> Term { compare("<", a, b) }
  public static func <= (a: Term, b: Term) -> Term { compare("<=", a, b) }
  public static func > (a: Term, b: Term) -> Term { compare(">", a, b) }
  public static func >= (a: Term, b: Term) -> Term { compare(">=", a, b) }
  public static func == (a: Term, b: Term) -> Term { compare("==", a, b) }
  public static func != (a: Term, b: Term) -> Term { compare("!=", a, b) }

  public static func && (a: Term, b: Term) -> Term {
    Term(.conditional(a.expression, b.expression, a.expression))
  }

  public static func || (a: Term, b: Term) -> Term {
    Term(.conditional(a.expression, a.expression, b.expression))
  }

  public static prefix func ! (a: Term) -> Term { Term(.unary("not", a.expression)) }

  /// `yes` where the condition holds, else `no`.
  public static func choose(_ condition: Term, _ yes: Term, _ no: Term) -> Term {
    Term(.conditional(condition.expression, yes.expression, no.expression))
  }

  public static func min(_ a: Term, _ b: Term) -> Term {
    Term(.call("min", [a.expression, b.expression]))
  }

  public static func max(_ a: Term, _ b: Term) -> Term {
    Term(.call("max", [a.expression, b.expression]))
  }
}

extension Term: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
  public init(integerLiteral value: Int64) { self.init(.constant(.integer(value))) }
  public init(floatLiteral value: Double) { self.init(.constant(.double(value))) }
  public init(stringLiteral value: String) { self.init(.constant(.text(value))) }
  public init(booleanLiteral value: Bool) { self.init(.constant(.bool(value))) }
  public init(arrayLiteral items: Term...) { self.init(.tuple(items.map(\.expression))) }
}

extension Program {
  /// This program with one more operator, whose function a closure gives.
  ///
  /// - Throws: ``Refusal`` where it makes no sense for records of this type.
  public func appending(_ kind: Kind, _ function: (Term) -> Term) throws -> Program {
    try appending(kind, function(.argument(0)).expression)
  }
}

extension Expression {
  /// What a closure of one argument comes to.
  public static func of(_ function: (Term) -> Term) -> Expression {
    function(.argument(0)).expression
  }

  /// What a closure of two arguments comes to.
  public static func of(_ function: (Term, Term) -> Term) -> Expression {
    function(.argument(0), .argument(1)).expression
  }
}

extension Merge {
  /// How a closure combines two values of a type.
  ///
  /// - Throws: ``Refusal`` where it does so in another way than a ``Merge`` can.
  public init(of type: ColumnType, _ function: (Term, Term) -> Term) throws {
    try self.init(function(.argument(0), .argument(1)).expression, of: type)
  }
}

extension TextBlock {
  /// Ranges of lines with about `byteCount` bytes each: what goes through a program together.
  public func runs(of byteCount: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    while start < lines.count {
      let limit = Int(lines[start].start) + byteCount
      // The first line that begins behind the limit.
      var (low, high) = (start + 1, lines.count)
      while low < high {
        let middle = (low + high) / 2
        if Int(lines[middle].start) < limit { low = middle + 1 } else { high = middle }
      }
      runs.append(start..<low)
      start = low
    }
    return runs
  }
}

/// Bytes of text, and rows of other columns, that go through a program together: few enough that
/// what it makes of them stays in the processor's cache.
public enum RunSize {
  public static let textBytes = 128 << 10
  public static let rows = 8 << 10
}
