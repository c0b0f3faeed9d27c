import SwiftwaterCore

/// The types of functions of all items of a list.
extension Typing {
  /// `list + list`; nil for other types.
  mutating func joinedLists(_ a: Node, _ b: Node) -> Node? {
    guard case .list(let left) = a.type, case .list(let right) = b.type else { return nil }
    if a.isListOfUnknownType { return make(.joinLists, [b, make(.emptyList, [], b.type)], b.type) }
    if b.isListOfUnknownType { return make(.joinLists, [a, make(.emptyList, [], a.type)], a.type) }
    if left == right { return make(.joinLists, [a, b], a.type) }
    // `new + [old]`: rows without an old one are Python's.
    if let b = present(b, left) { return make(.joinLists, [a, b], a.type) }
    if let a = present(a, right) { return make(.joinLists, [a, b], b.type) }
    return nil
  }

  /// A list that the function makes of values that can be None, as one of those that are not.
  private mutating func present(_ list: Node, _ item: ColumnType) -> Node? {
    guard case .list = list.operation,
      list.inputs.allSatisfy({ $0.type == item || $0.type == .optional(item) })
    else { return nil }
    // It was widened only because another one can be None.
    let items = list.inputs.map { input in
      if case .widen = input.operation, input.inputs[0].type == item { return input.inputs[0] }
      return required(input)
    }
    return make(.list, items, .list(item))
  }

  /// What a builtin function gives of a list; nil where it has no native form.
  mutating func ofList(_ name: String, _ arguments: [Node]) throws -> Node? {
    guard case .list(let item)? = arguments.first?.type else { return nil }
    switch (name, arguments.count) {
    case (Expression.withoutFirst, 2) where arguments[1].type == .integer:
      return make(.withoutFirst, arguments, arguments[0].type)
    case ("min", 1), ("max", 1):
      guard [.integer, .double, .text].contains(item) else { return nil }
      return make(.extremeOfList(name == "min" ? .less : .greater), arguments, item)
    case ("sum", 1...2), (Expression.compensatedSum, 1...2):
      let start =
        arguments.count == 2 ? integral(arguments[1]) : make(.constant(.integer(0)), [], .integer)
      if [.integer, .bool].contains(item), start.type == .integer {
        return make(.sumOfList(isFromInteger: false), [arguments[0], start], .integer)
      }
      // How the later versions of Python add floats up is not done here.
      guard [.integer, .bool, .double].contains(item), name == "sum" else { return nil }
      let isFromInteger = start.type == .integer
      let first = double(start)
      guard first.type == .double else { return nil }
      return make(.sumOfList(isFromInteger: isFromInteger), [arguments[0], first], .double)
    default: return nil
    }
  }
}

extension Typing {
  /// What a builtin function gives; of a sum also where its first number is an int or a float,
  /// depending on the record.
  mutating func callOrSum(
    _ name: String, _ arguments: [Expression], at place: SourcePlace?
  ) throws -> Node {
    do {
      return try call(name, try arguments.map { try node($0) }, at: place)
    } catch let refusal as Refusal {
      guard name == "sum", arguments.count == 2, let items = try? required(node(arguments[0])),
        items.type == .list(.double), let first = mixedNumber(arguments[1])
      else { throw refusal }
      return make(.sumOfList(isFromInteger: true), [items, first], .double)
    }
  }
}

extension Expression {
  /// The name of `sum` where it adds up floats with a compensation, as Python 3.12 and later do.
  public static let compensatedSum = "compensated sum"

  /// The name of what takes away as many of a list's first items as a number says.
  static let withoutFirst = "without first"
}

extension Frame {
  func ofWholeLists(_ node: Node) -> Column {
    switch node.operation {
    case .emptyList: return .repeated(.blank(node.type), count: count)
    case .joinLists: return .list(joined(lists(node.inputs[0]), lists(node.inputs[1])))
    case .withoutFirst:
      return .list(withoutFirst(lists(node.inputs[0]), integers(column(node.inputs[1]))))
    case .sumOfList(let isFromInteger):
      return sum(
        lists(node.inputs[0]), column(node.inputs[1]), isFromInteger: isFromInteger)
    case .extremeOfList(let comparison):
      return extremes(of: lists(node.inputs[0]), comparison)
    default: preconditionFailure("not an operation on whole lists")
    }
  }

  private func lists(_ node: Node) -> ListColumn { lists(column(node)) }

  private func joined(_ a: ListColumn, _ b: ListColumn) -> ListColumn {
    if b.items.count == 0 { return a }
    if a.items.count == 0 { return b }
    let behind = UInt32(truncatingIfNeeded: a.items.count)
    var (offsets, places): ([UInt32], [UInt32]) = ([0], [])
    offsets.reserveCapacity(count + 1)
    places.reserveCapacity(a.items.count + b.items.count)
    for row in 0..<count {
      places.append(contentsOf: a.offsets[row]..<a.offsets[row + 1])
      places.append(
        contentsOf: (b.offsets[row]..<b.offsets[row + 1]).lazy.map { $0 &+ behind })
      offsets.append(UInt32(truncatingIfNeeded: places.count))
    }
    return ListColumn(
      offsets: offsets, items: Column.concatenated([a.items, b.items]).gathered(places))
  }

  private func withoutFirst(_ lists: ListColumn, _ counts: Operand<Int64>) -> ListColumn {
    var (offsets, places): ([UInt32], [UInt32]) = ([0], [])
    offsets.reserveCapacity(count + 1)
    for row in 0..<count {
      let (start, end) = (lists.offsets[row], lists.offsets[row + 1])
      let gone = min(max(counts.values[row * counts.step], 0), Int64(end - start))
      places.append(contentsOf: (start + UInt32(truncatingIfNeeded: gone))..<end)
      offsets.append(UInt32(truncatingIfNeeded: places.count))
    }
    return ListColumn(offsets: offsets, items: lists.items.gathered(places))
  }

  // MARK: - Sums

  private func sum(
    _ lists: ListColumn, _ start: Column, isFromInteger: Bool
  ) -> Column {
    if start.type == .integer { return .integer(sum(numbers(lists.items), lists, integers(start))) }
    if isFromInteger {
      // The sum of no floats is that int.
      for row in 0..<count where lists.offsets[row] == lists.offsets[row + 1] { flag(row) }
    }
    return .double(sum(doubles(of: lists.items), lists, doubles(start)))
  }

  private func numbers(_ items: Column) -> Operand<Int64> {
    guard items.type == .bool else { return integers(items) }
    let bits = bits(items)
    return Operand(values: Buffer((0..<bits.count).map { bits[$0] ? 1 : 0 }), step: 1)
  }

  private func doubles(of items: Column) -> Operand<Double> {
    if items.type == .double { return doubles(items) }
    let values = transform(numbers(items), count: items.count) { PythonNumber.double(of: $1) }
    return Operand(values: values, step: 1)
  }

  private func sum(
    _ items: Operand<Int64>, _ lists: ListColumn, _ start: Operand<Int64>
  ) -> Buffer<Int64> {
    folded(items, lists, start) { total, value in
      let (sum, overflow) = total.addingReportingOverflow(value)
      return overflow ? nil : sum
    }
  }

  private func sum(
    _ items: Operand<Double>, _ lists: ListColumn, _ start: Operand<Double>
  ) -> Buffer<Double> {
    // From the left to the right, as Python adds them up.
    folded(items, lists, start) { total, value in
      let sum = total + value
      return sum.isNaN ? nil : sum
    }
  }

  /// What comes of each list's items, one after the other; a row is flagged where `next` gives nil.
  @inline(__always)
  private func folded<Number: BitwiseCopyable & Sendable>(
    _ items: Operand<Number>, _ lists: ListColumn, _ start: Operand<Number>,
    _ next: (Number, Number) -> Number?
  ) -> Buffer<Number> {
    items.values.withUnsafeBufferPointer { values in
      lists.offsets.withUnsafeBufferPointer { offsets in
        transform(start, count: count) { row, first in
          var total = first
          for place in Int(offsets[row])..<Int(offsets[row + 1]) {
            guard let sum = next(total, values[place &* items.step]) else {
              flag(row)
              return first
            }
            total = sum
          }
          return total
        }
      }
    }
  }

  // MARK: - The smallest and the largest

  private func extremes(of lists: ListColumn, _ comparison: Comparison) -> Column {
    let items = lists.items
    if items.count == 0 {
      flagAll()
      return .repeated(.blank(items.type), count: count)
    }
    switch items.type {
    case .integer:
      let values = integers(items)
      return items.gathered(
        extremes(of: lists) { a, b in
          let (left, right) = (values.values[a * values.step], values.values[b * values.step])
          return comparison == .less ? left < right : left > right
        })
    case .double:
      let values = doubles(items)
      return items.gathered(
        extremes(of: lists) { a, b in
          let (left, right) = (values.values[a * values.step], values.values[b * values.step])
          return comparison == .less ? left < right : left > right
        })
    default:
      return texts(items).withRows { rows in
        items.gathered(extremes(of: lists) { comparison.holds(order(rows[$0], rows[$1])) })
      }
    }
  }

  /// The place of the first item of each list that no later one is better than; a row without items
  /// is flagged.
  @inline(__always)
  private func extremes(
    of lists: ListColumn, _ isBetter: (_ item: Int, _ best: Int) -> Bool
  ) -> [UInt32] {
    (0..<count).map { row in
      let places = Int(lists.offsets[row])..<Int(lists.offsets[row + 1])
      guard var best = places.first else {
        flag(row)
        return 0
      }
      for place in places.dropFirst() where isBetter(place, best) { best = place }
      return UInt32(truncatingIfNeeded: best)
    }
  }
}
