import PythonInterop
import PythonTesting
import SwiftwaterKernels
import Testing

@testable import PythonRecords

@Suite struct ColumnConversionTests {
  @Test(
    "Lists of one type are a column, and others are none",
    arguments: [
      ("['a', 'é', '']", "str"), ("[1, -2**63]", "int"), ("[1.5, -0.0]", "float"),
      ("[True, False]", "bool"), ("[None, None]", "None"), ("[1, None]", "int | None"),
      ("[('a', 1), ('b', 2)]", "tuple[str, int]"),
      ("[((1, 2), 'x')]", "tuple[tuple[int, int], str]"),
      ("[]", nil), ("[1, 'a']", nil), ("[1, 1.0]", nil), ("[1, True]", nil), ("[2**63]", nil),
      ("[float('nan')]", nil), ("['\\ud800']", nil), ("[[1]]", nil), ("[{}]", nil),
      ("[(1, 2), (1, 2, 3)]", nil), ("[(((((((((1,),),),),),),),),)]", nil), ("[b'a']", nil),
    ] as [(String, String?)])
  func types(expression: String, expected: String?) throws {
    try TestInterpreter.run { py in
      let list = try PythonCode(py).value(expression, py)
      #expect(column(ofList: list.pointer)?.type.description == expected)
      #expect(takeException(py) == nil)
    }
  }

  /// A type of records as a generator of literals.
  private indirect enum Shape {
    case text, integer, double, bool, none
    case tuple([Shape])
    case optional(Shape)
  }

  private func shape(_ literals: inout RandomLiteral, depth: Int) -> Shape {
    switch literals.number(0...(depth > 0 ? 7 : 4)) {
    case 0: .text
    case 1: .integer
    case 2: .double
    case 3: .bool
    case 4: .none
    case 5: .optional(literals.choice([.text, .integer, .tuple([.integer, .text])]))
    default:
      .tuple((0..<literals.number(1...3)).map { _ in shape(&literals, depth: depth - 1) })
    }
  }

  private func literal(_ shape: Shape, _ literals: inout RandomLiteral) -> String {
    switch shape {
    case .text: literals.choice(["''", "'a'", "'é日本'", "'longer than what fits in a view'"])
    case .integer: literals.choice(["0", "-2**63", "2**63 - 1", "\(literals.number(-99...99))"])
    case .double: literals.double()
    case .bool: literals.choice(["True", "False"])
    case .none: "None"
    case .tuple(let items):
      "(" + items.map { literal($0, &literals) + ", " }.joined() + ")"
    case .optional(let inner): literals.number(0...2) == 0 ? "None" : literal(inner, &literals)
    }
  }

  @Test("Random lists come back from their columns, rows in any range too")
  func roundTrip() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(py)
      var literals = RandomLiteral()
      var columns = 0
      for _ in 0..<150 {
        let shape = shape(&literals, depth: 3)
        let items = (0..<literals.number(1...20)).map { _ in literal(shape, &literals) }
        let list = try code.value("[\(items.joined(separator: ", "))]", py)
        // A column of nothing but None among optional parts has another type, and is one too.
        guard let made = column(ofList: list.pointer) else {
          Issue.record("seed \(literals.random.seed): no column of \(items)")
          continue
        }
        columns += 1
        let begin = literals.number(0...items.count)
        let range = begin..<literals.number(begin...items.count)
        let objects = try newObjects(of: made, range, py)
        let back = PythonObject(owning: try needed(py.newList(objects)))
        #expect(
          try code.holds(
            "same(a[\(range.lowerBound):\(range.upperBound)], b)",
            where: ["a": list.pointer, "b": back.pointer], py),
          "seed \(literals.random.seed): \(items) \(range)")
      }
      #expect(columns > 100)
    }
  }

  @Test("Objects of a column are nobody else's")
  func ownership() throws {
    try TestInterpreter.run { py in
      let list = try PythonCode(py).value("[('ab' * 20, 10**12)]", py)
      let made = try needed(column(ofList: list.pointer))
      let objects = try newObjects(of: made, 0..<1, py)
      let own = try needed(Py.newPair(objects[0], objects[0]))
      Py.release(objects[0])
      // Two of the pair's are left of three, as of any object that two places have.
      Py.retain(own)
      #expect(try references(to: objects[0], py) == references(to: own, py))
      for _ in 0..<2 { Py.release(own) }
    }
  }
}
