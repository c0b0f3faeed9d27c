import SwiftwaterCore
import SwiftwaterPlan
import Testing

@Suite struct KeptStatesTests {
  private static let numbers = KeptStates([.init(.integer), .init(.double)])
  private static let pair = KeptStates([
    .init(
      .tuple, fewest: 2, most: 2,
      items: [.init(.index(0), numbers), .init(.index(1), KeptStates([.init(.integer)]))])
  ])
  private static let recent = KeptStates([.init(.list, most: 2)])
  private static let filled = KeptStates([.init(.list, fewest: 1), .init(.text, fewest: 1)])
  private static let second = KeptStates([
    .init(.list, fewest: 2, items: [.init(.index(1), numbers)])
  ])

  private static let doubles = Column.double([1.5, 0.0, -0.0, -2, .infinity])
  private static let lists = Column.list(
    ListColumn(offsets: [0, 0, 1, 3, 6], items: .double([1, 2, 0, 4, 5, 6])))

  @Test(
    "A column has rows that are kept",
    arguments: [
      (KeptStates.all, doubles, [0, 1, 2, 3, 4]), (numbers, doubles, [0, 3, 4]),
      (numbers, .integer([0, 1]), [0, 1]), (numbers, .bool(Bitmap(repeating: true, count: 2)), []),
      (numbers, .none(count: 2), []), (numbers, .repeated(.integer([3]), count: 3), [0, 1, 2]),
      (numbers, .optional(validity: Bitmap(count: 5) { $0 > 0 }, doubles), [3, 4]),
      (pair, .tuple([doubles, .integer([1, 2, 3, 4, 5])], count: 5), [0, 3, 4]),
      (pair, .tuple([doubles, doubles], count: 5), []),
      (pair, .tuple([.integer([1])], count: 1), []), (recent, lists, [0, 1, 2]),
      (filled, lists, [1, 2, 3]), (second, lists, [3]),
      (KeptStates([.init(.set)]), .integer([1]), []),
    ] as [(KeptStates, Column, [UInt32])])
  func rows(states: KeptStates, column: Column, expected: [UInt32]) {
    #expect(states.rows(of: column).indices() == expected)
    if states.areAll(of: column.type) { #expect(expected.count == column.count) }
  }

  @Test(
    "The type of a column says whether all its rows are kept",
    arguments: [
      (KeptStates.all, ColumnType.double, true), (numbers, .integer, true),
      (numbers, .double, false),
      (numbers, .bool, false), (pair, .tuple([.integer, .integer]), true),
      (pair, .tuple([.double, .integer]), false), (pair, .tuple([.integer]), false),
      (recent, .list(.integer), false), (KeptStates([.init(.list)]), .list(.text), true),
      (KeptStates([.init(.text)]), .text, true), (filled, .text, false),
      (numbers, .optional(.integer), false),
    ] as [(KeptStates, ColumnType, Bool)])
  func types(states: KeptStates, type: ColumnType, expected: Bool) {
    #expect(states.areAll(of: type) == expected)
  }

  @Test("Words for a plan")
  func words() {
    #expect(KeptStates.all.description == "any")
    #expect(Self.numbers.description == "int | float")
    #expect(Self.pair.description == "tuple[int | float, int]")
    #expect(Self.recent.description == "list of at most 2")
    #expect(Self.filled.description == "list that is not empty | str that is not empty")
  }
}
