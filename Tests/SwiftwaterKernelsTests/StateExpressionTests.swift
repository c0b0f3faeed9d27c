import SwiftwaterCore
import SwiftwaterKernels
import Testing

@Suite struct StateExpressionTests {
  private static let new = Expression(.argument(0))
  private static let old = Expression(.argument(1))

  private static func integer(_ value: Int64) -> Expression {
    Expression(.constant(.integer(value)))
  }

  /// `sum(new) + (old or 0)`
  private static let sum = Expression(
    .binary("+", Expression(.call("sum", [new])), Expression(.conditional(old, old, integer(0)))))
  /// `(old or []) + new`
  private static let gathered = Expression(
    .binary("+", Expression(.conditional(old, old, Expression(.list([])))), new))
  /// `max(old, max(new))`
  private static let largest = Expression(.call("max", [old, Expression(.call("max", [new]))]))
  /// `s, c = old or (0, 0)`, `(s + sum(new), c + len(new))`
  private static let mean: Expression = {
    let start = Expression(.constant(.tuple([.integer(0), .integer(0)])))
    let state = Expression(.conditional(old, old, start))
    let parts = (0...1).map { Expression(.unpack(state, index: $0, count: 2)) }
    return Expression(
      .tuple([
        Expression(.binary("+", parts[0], Expression(.call("sum", [new])))),
        Expression(.binary("+", parts[1], Expression(.call("len", [new])))),
      ]))
  }()

  @Test("A function of two arguments is one of a pair, and computes what occurs twice once")
  func pairs() throws {
    let product = Expression(.binary("*", Self.new, Self.old))
    let function = Expression(.tuple([product, Expression(.unary("-", product)), Self.old]))
    let pairwise = function.pairwise()
    guard case .tuple(let items) = pairwise.kind, case .unary(_, let operand) = items[1].kind
    else {
      Issue.record("it is another expression")
      return
    }
    #expect(operand === items[0])
    let program = try Program(inputType: .tuple([.integer, .double]))
      .appending(.map, pairwise)
    let input = Column.tuple([.integer([2, -3]), .double([1.5, 4])], count: 2)
    let result = program.run(input)
    #expect(result.flagged == nil)
    guard case .double(let products) = result.column.tupleItems[0],
      case .double(let negated) = result.column.tupleItems[1],
      case .double(let second) = result.column.tupleItems[2]
    else {
      Issue.record("it gives \(result.column.type)")
      return
    }
    #expect(Array(products) == [3, -12])
    #expect(Array(negated) == [-3, 12])
    #expect(Array(second) == [1.5, 4])
  }

  @Test(
    "The type of states is found from values alone",
    arguments: [
      (sum, ColumnType.integer, "int"), (sum, .double, "float"), (sum, .bool, "int"),
      (sum, .text, nil), (gathered, .integer, "list[int]"),
      (gathered, .tuple([.text, .integer]), "list[tuple[str, int]]"),
      (largest, .text, "str"), (largest, .double, "float"), (mean, .integer, "tuple[int, int]"),
      (mean, .double, "tuple[float, int]"), (old, .integer, nil),
      (Expression(.tuple([old])), .integer, nil),
      (Expression(.conditional(new, Expression(.item(new, integer(-1))), old)), .text, "str"),
    ] as [(Expression, ColumnType, String?)])
  func types(function: Expression, values: ColumnType, expected: String?) {
    let type = try? Program.stateType(of: function, values: values)
    #expect(type?.description == expected)
  }

  @Test("Sums go on from a state; what leaves 64 bits, and a sum of no floats, is Python's")
  func sums() throws {
    let lists = ListColumn(
      offsets: [0, 2, 2, 3, 4], items: .integer([1, 2, .max, 5]))
    let states = Column.optional(
      validity: Bitmap(count: 4) { $0 != 3 }, .integer([10, 20, 1, 0]))
    let program = try Program.updating(Self.sum, values: .integer, state: .integer)
    #expect(program.outputType == .integer)
    let result = program.run(.tuple([.list(lists), states], count: 4))
    #expect(result.flagged.map { $0.indices() } == [2])

    let fits = program.run(.tuple([.list(lists), states], count: 4).gathered([0, 1, 3]))
    guard case .integer(let sums) = fits.column else {
      Issue.record("it gives \(fits.column.type)")
      return
    }
    #expect(Array(sums) == [13, 20, 5])

    let floats = ListColumn(offsets: [0, 2, 2], items: .double([0.1, 0.2]))
    let ofFloats = try Program.updating(Self.sum, values: .double, state: .double)
    let old = Column.optional(validity: Bitmap(repeating: true, count: 2), .double([1.5, 2.5]))
    let given = ofFloats.run(.tuple([.list(floats), old], count: 2))
    #expect(given.flagged.map { $0.indices() } == [1])
  }

  @Test("Sums of floats that Python adds up with a compensation have no native form")
  func compensated() {
    let sum = Expression(.call(Expression.compensatedSum, [Self.new]))
    #expect((try? Program.stateType(of: sum, values: .double)) == nil)
    #expect((try? Program.stateType(of: sum, values: .integer)) == .integer)
  }

  @Test("A list without its first items, of a number that may be any")
  func withoutFirst() throws {
    let program = try Program(inputType: .tuple([.list(.integer), .integer]))
      .appending(.map) { [$0[0].dropFirst($0[1]), $0[0].dropFirst(1)] }
    let counts: [Int64] = [0, 1, 2, 3, -1, .max, .min]
    let lists = ListColumn(
      offsets: (0...counts.count).map { UInt32($0 * 2) },
      items: .integer(Buffer((0..<Int64(counts.count * 2)).map { $0 })))
    let result = program.run(.tuple([.list(lists), .integer(Buffer(counts))], count: counts.count))
    #expect(result.flagged == nil)
    let found = try result.column.tupleItems.map { column -> [[Int64]] in
      guard case .list(let lists) = column.expanded(),
        case .integer(let items) = lists.items.expanded()
      else { throw Refusal("it gives \(column.type)", at: nil) }
      return (0..<lists.count).map { row in
        (lists.offsets[row]..<lists.offsets[row + 1]).map { items[Int($0)] }
      }
    }
    #expect(found[0] == [[0, 1], [3], [], [], [8, 9], [], [12, 13]])
    #expect(found[1] == [[1], [3], [5], [7], [9], [11], [13]])
    #expect(throws: Refusal.self) {
      try Program(inputType: .list(.text)).appending(.map) { $0.dropFirst("1") }
    }
  }
}
