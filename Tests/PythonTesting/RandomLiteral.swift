import SwiftwaterTesting

/// Values of Python's as they are written in a program.
public struct RandomLiteral {
  public var random: SeededRandom

  public init(seed: UInt64? = nil) {
    random = seed.map { SeededRandom(seed: $0) } ?? SeededRandom()
  }

  public mutating func number(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  public mutating func choice<T>(_ items: [T]) -> T { items.randomElement(using: &random)! }

  public mutating func text() -> String {
    let pieces = [
      "a", "Zz", " ", "é", "日本", "\\0", "\\'", "\\ud800", "🐍", "\\n", "longer than most",
    ]
    return "'" + (0..<number(0...4)).map { _ in choice(pieces) }.joined() + "'"
  }

  public mutating func integer() -> String {
    choice([
      "0", "-1", "\(number(-1000...1000))", "2**63 - 1", "-2**63", "2**63", "-2**200 - 1",
      "\(number(.min + 1 ... .max))",
    ])
  }

  public mutating func double() -> String {
    choice(["0.0", "-0.0", "1e300", "float('inf')", "-2.5", "5e-324", "\(number(-99...99)).25"])
  }

  /// One that has a hash.
  public mutating func key() -> String {
    switch number(0...6) {
    case 0: integer()
    case 1: double()
    case 2: "None"
    case 3: "True"
    case 4: "b'\\x00\\xff'"
    case 5: "(\(text()), \(integer()))"
    default: text()
    }
  }

  /// Any value of a builtin type, with so many levels of containers at most.
  public mutating func value(depth: Int = 3) -> String {
    guard depth > 0, number(0...2) > 0 else { return key() }
    let items = (0..<number(0...3)).map { _ in value(depth: depth - 1) }
    switch number(0...5) {
    case 0: return "[\(items.joined(separator: ", "))]"
    case 1: return "(\(items.map { $0 + ", " }.joined()))"
    case 2: return "{\(items.map { "\(key()): \($0)" }.joined(separator: ", "))}"
    case 3: return "set([\((0..<number(0...3)).map { _ in key() }.joined(separator: ", "))])"
    case 4: return "frozenset([\(key()), \(key())])"
    default: return "complex(\(double()), 1)"
    }
  }
}
