import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// An RDD whose records stay in columns: its operators are functions that the engine knows, so no
/// closure is called for a record.
///
/// ```swift
/// let counts = try context.textFile(path).columns
///   .flatMap { $0.split(" ") }
///   .map { [$0, 1] }
///   .reduceByKey { $0 + $1 }
///   .pairs(of: String.self, Int.self)
/// ```
///
/// Operators throw ``Refusal`` where a function makes no sense for the records' type. On a record on
/// which Python would raise, or whose integers leave 64 bits, an action throws ``EngineError``.
public struct ColumnRDD: Sendable {
  public let node: RDDNode
  public let type: ColumnType

  /// The records of a node whose batches are columns of a type, or lines of text.
  public init(_ node: RDDNode, type: ColumnType) {
    self.node = node
    self.type = type
  }

  public func map(_ function: (Term) -> Term) throws -> ColumnRDD { try adding(.map, function) }

  /// All items of the lists that `function` gives.
  public func flatMap(_ function: (Term) -> Term) throws -> ColumnRDD {
    try adding(.flatMap, function)
  }

  public func filter(_ isIncluded: (Term) -> Term) throws -> ColumnRDD {
    try adding(.filter, isIncluded)
  }

  public func mapValues(_ function: (Term) -> Term) throws -> ColumnRDD {
    try adding(.mapValues, function)
  }

  private func adding(
    _ kind: RecordStep.Kind, _ function: (Term) -> Term
  ) throws -> ColumnRDD {
    let expression = Expression.of(function)
    guard let native = Program.Kind(rawValue: kind.rawValue) else {
      preconditionFailure("a function on records")
    }
    let type = try Program(inputType: type).appending(native, expression).outputType
    let step = RecordStep(
      kind, ExpressionFunction(expression), at: OperatorPlace(name: kind.rawValue))
    return ColumnRDD(node.applying([step]), type: type)
  }

  /// The values of each key combined: first inside every partition, then across them. Keys keep the
  /// order in which they were first seen.
  ///
  /// - Parameters:
  ///   - merge: a sum, a minimum, a maximum, a choice of one of both, or a tuple of such.
  public func reduceByKey(
    partitions: Int? = nil, _ merge: (Term, Term) -> Term
  ) throws -> ColumnRDD {
    let expression = Expression.of(merge)
    _ = try Merge(expression, of: pairTypes().value)
    return try combined(ExpressionFunction(expression), partitions, "reduceByKey")
  }

  /// The values of each key as a list, in their order. Keys keep the order in which they were first
  /// seen.
  public func groupByKey(partitions: Int? = nil) throws -> ColumnRDD {
    let function = ExpressionFunction(Expression(.list([])))
    return try combined(function, partitions, "groupByKey", gathersLists: true)
  }

  private func combined(
    _ function: ExpressionFunction, _ partitions: Int?, _ name: String, gathersLists: Bool = false
  ) throws -> ColumnRDD {
    let types = try pairTypes()
    let combination = CombineByKey(
      mergeValue: function, mergeCombiners: function, partitioner: partitioner(partitions),
      gathersLists: gathersLists, at: OperatorPlace(name: name))
    let value = gathersLists ? ColumnType.list(types.value) : types.value
    return ColumnRDD(try node.combined(combination), type: .tuple([types.key, value]))
  }

  private func partitioner(_ partitions: Int?) -> Partitioner {
    Partitioner(count: checkedPartitions(partitions ?? node.context.defaultParallelism))
  }

  /// - Throws: ``Refusal`` where the records are no pairs with keys that have a hash.
  private func pairTypes() throws -> (key: ColumnType, value: ColumnType) {
    guard case .tuple(let items) = type, items.count == 2 else {
      throw Refusal("the records are \(type), not pairs", at: nil)
    }
    guard items[0].isHashable else { throw Refusal("\(items[0]) is no key", at: nil) }
    return (items[0], items[1])
  }

  /// The pairs ``(key, (value here, value there))`` of equal keys, in Spark's order.
  ///
  /// - Parameters:
  ///   - kind: whether keys that one side lacks come too, with None for its value.
  /// - Throws: ``Refusal`` where the records are no pairs, or the keys are of unlike types.
  public func join(
    _ other: ColumnRDD, _ kind: HashJoin.Kind = .inner, partitions: Int? = nil
  ) throws -> ColumnRDD {
    guard let result = kind.resultType(of: type, other.type) else {
      throw Refusal("\(type) and \(other.type) are no pairs with keys of one type", at: nil)
    }
    let join = Join(
      nil, form: .join(kind), in: EngineLanguage(), at: OperatorPlace(name: "join"))
    let joined = try RDDNode.joined(
      [node, other.node], by: join, into: partitioner(partitions).count, context: node.context)
    return ColumnRDD(joined.node, type: result)
  }

  /// The pairs by their keys, equal ones in their order, in one partition.
  ///
  /// - Throws: ``Refusal`` where the records are no pairs, or their keys have no order.
  public func sortByKey(ascending: Bool = true) throws -> ColumnRDD {
    let types = try pairTypes()
    guard types.key.isOrdered else { throw Refusal("\(types.key) has no order", at: nil) }
    let parent = node.coalesced(to: 1)
    let sort = ZipPartitions(
      .sideBySide(of: 1, in: parent.partitionCount), nil, form: .sort(ascending: ascending),
      partitioner: parent.partitioner, at: OperatorPlace(name: "sortByKey"))
    return ColumnRDD(
      try RDDNode.zipped(sort, of: [parent], context: node.context), type: type)
  }

  /// The records as Swift values.
  ///
  /// - Throws: ``Refusal`` where the records are of another type.
  public func values<Element: ColumnElement>(of element: Element.Type) throws -> RDD<Element> {
    try element.check(type)
    return converted { Array(try Element.elements(in: $0)) }
  }

  /// The pairs as Swift values.
  ///
  /// - Throws: ``Refusal`` where the records are of another type.
  public func pairs<Key: ColumnElement, Value: ColumnElement>(
    of key: Key.Type, _ value: Value.Type
  ) throws -> RDD<(Key, Value)> {
    guard case .tuple(let items) = type, items.count == 2 else {
      throw Refusal("the records are \(type), not pairs", at: nil)
    }
    try key.check(items[0])
    try value.check(items[1])
    return converted { column in
      let items = column.tupleItems
      return Array(zip(try Key.elements(in: items[0]), try Value.elements(in: items[1])))
    }
  }

  private func converted<Element: Sendable>(
    _ convert: @escaping @Sendable (Column) throws -> [Element]
  ) -> RDD<Element> {
    let function = BatchFunction { batch in
      guard let batch = batch as? ColumnBatch else {
        preconditionFailure("a batch of \(Swift.type(of: batch)) in an RDD of columns")
      }
      return ValueBatch(try convert(batch.column))
    }
    let step = RecordStep(.map, function, at: OperatorPlace(name: node.name))
    return RDD(node.applying([step]))
  }
}

extension RDD where Element == TextLine {
  /// The lines as a column of text.
  public var columns: ColumnRDD { ColumnRDD(node, type: .text) }
}

/// A Swift type whose values can lie in a column.
public protocol ColumnElement: Sendable {
  /// - Throws: ``Refusal`` where columns of that type do not hold such values.
  static func check(_ type: ColumnType) throws

  /// The values of a column: an array, or memory that the column shares.
  associatedtype Elements: RandomAccessCollection<Self>
  static func elements(in column: Column) throws -> Elements
}

extension ColumnElement {
  fileprivate static func require(_ expected: ColumnType, _ type: ColumnType) throws {
    guard type == expected else {
      throw Refusal("the records are \(type), not \(expected)", at: nil)
    }
  }
}

extension Int: ColumnElement {
  public static func check(_ type: ColumnType) throws { try require(.integer, type) }

  public static func elements(in column: Column) throws -> [Int] {
    guard case .integer(let values) = column.expanded() else { return [] }
    return values.map { Int($0) }
  }
}

extension Double: ColumnElement {
  public static func check(_ type: ColumnType) throws { try require(.double, type) }

  public static func elements(in column: Column) throws -> Buffer<Double> {
    guard case .double(let values) = column.expanded() else { return [] }
    return values
  }
}

extension Bool: ColumnElement {
  public static func check(_ type: ColumnType) throws { try require(.bool, type) }

  public static func elements(in column: Column) throws -> [Bool] {
    guard case .bool(let bits) = column.expanded() else { return [] }
    return (0..<bits.count).map { bits[$0] }
  }
}

extension String: ColumnElement {
  public static func check(_ type: ColumnType) throws { try require(.text, type) }

  public static func elements(in column: Column) throws -> [String] {
    guard case .text(let texts) = column.expanded() else { return [] }
    return texts.withRows { rows in
      (0..<rows.count).map { String(decoding: rows[$0], as: UTF8.self) }
    }
  }
}

extension Array: ColumnElement where Element: ColumnElement {
  public static func check(_ type: ColumnType) throws {
    guard case .list(let item) = type else {
      throw Refusal("the records are \(type), not lists", at: nil)
    }
    try Element.check(item)
  }

  public static func elements(in column: Column) throws -> [[Element]] {
    guard case .list(let lists) = column.expanded() else { return [] }
    let items = Array(try Element.elements(in: lists.items))
    return (0..<lists.count).map {
      Array(items[Int(lists.offsets[$0])..<Int(lists.offsets[$0 + 1])])
    }
  }
}

/// None is nil.
extension Optional: ColumnElement where Wrapped: ColumnElement {
  public static func check(_ type: ColumnType) throws {
    if case .optional(let type) = type { return try Wrapped.check(type) }
    try Wrapped.check(type)
  }

  public static func elements(in column: Column) throws -> [Wrapped?] {
    guard case .optional(let validity, let values) = column.expanded() else {
      return try Wrapped.elements(in: column).map { $0 }
    }
    return try Wrapped.elements(in: values).enumerated().map { validity[$0] ? $1 : nil }
  }
}
