import SwiftwaterCore
import SwiftwaterKernels

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
  /// The RDD that the program runs on.
  private let source: RDDNode
  private let program: Program

  /// - Precondition: the node's batches are columns of the program's input, or lines of text.
  init(_ source: RDDNode, _ program: Program, name: String) {
    self.source = source
    self.program = program
    type = program.outputType
    guard program.stepCount > 0 else {
      node = source
      return
    }
    node = RDDNode(
      name: name, context: source.context, dependencies: [.narrow(source)],
      partitionCount: source.partitionCount, recordType: program.outputType
    ) { partition, task in
      ProgramCursor(try source.cursor(partition: partition, task: task), program, task: task)
    }
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

  private func adding(_ kind: Program.Kind, _ function: (Term) -> Term) throws -> ColumnRDD {
    // Functions in front of a cache are not run again.
    if node.isCached {
      let program = try Program(inputType: type).appending(kind, function)
      return ColumnRDD(node, program, name: kind.rawValue)
    }
    return ColumnRDD(source, try program.appending(kind, function), name: kind.rawValue)
  }

  /// The values of each key combined: first inside every partition, then across them. Keys keep the
  /// order in which they were first seen.
  ///
  /// - Parameters:
  ///   - merge: a sum, a minimum, a maximum, a choice of one of both, or a tuple of such.
  public func reduceByKey(
    partitions: Int? = nil, _ merge: (Term, Term) -> Term
  ) throws -> ColumnRDD {
    let merge = try Merge(of: pairTypes().value, merge)
    return try combined(merge, thenBy: merge, partitions: partitions, name: "reduceByKey")
  }

  /// The values of each key as a list, in their order. Keys keep the order in which they were first
  /// seen.
  public func groupByKey(partitions: Int? = nil) throws -> ColumnRDD {
    try combined(.gather, thenBy: .join, partitions: partitions, name: "groupByKey")
  }

  /// The values of each key combined inside of every partition, and what they have become across
  /// them.
  private func combined(
    _ first: Merge, thenBy second: Merge, partitions: Int?, name: String
  ) throws -> ColumnRDD {
    let types = try pairTypes()
    let (type, buckets) = (
      type, checkedPartitions(partitions ?? node.context.defaultParallelism)
    )
    let result = ColumnType.tuple([types.key, first.resultType(for: types.value)])
    let parent =
      first.isAssociative(for: types.value) ? node.coalesced(to: node.context.parallelism) : node
    let shuffle = Shuffle(parent: parent, bucketCount: buckets) { cursor, task in
      let pairs = try Self.combined(cursor, type, first, name, task)
      return try pairs.divided(among: buckets).map { part in
        try part.map { [try ColumnBatch($0).kept()] } ?? []
      }
    }
    let node = RDDNode(
      name: name, context: node.context, dependencies: [.shuffle(shuffle)],
      partitionCount: buckets, recordType: result
    ) { partition, task in
      let parts = shuffle.bucket(partition)
      if parts.count <= 1 { return ArrayCursor(parts) }
      return ArrayCursor([
        ColumnBatch(try Self.combined(ArrayCursor(parts), result, second, name, task))
      ])
    }
    return ColumnRDD(node, Program(inputType: result), name: name)
  }

  /// - Throws: ``Refusal`` where the records are no pairs with keys that have a hash.
  private func pairTypes() throws -> (key: ColumnType, value: ColumnType) {
    guard case .tuple(let items) = type, items.count == 2 else {
      throw Refusal("the records are \(type), not pairs", at: nil)
    }
    guard items[0].isHashable else { throw Refusal("\(items[0]) is no key", at: nil) }
    return (items[0], items[1])
  }

  private static func combined(
    _ cursor: any BatchCursor, _ type: ColumnType, _ merge: Merge, _ name: String,
    _ task: TaskContext
  ) throws -> Column {
    guard let columns = KeyedColumns(type, merge) else {
      preconditionFailure("pairs are expected, not \(type)")
    }
    while let batch = try cursor.next() {
      try task.checkCancellation()
      guard let batch = batch as? ColumnBatch, columns.add(batch.column) else {
        throw EngineError.invalidArgument(
          "\(name): a sum leaves 64 bits, or a key is not a number or text")
      }
    }
    return columns.pairs()
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
    let count = partitions ?? node.context.defaultParallelism
    let sides = [(self, divided(among: count)), (other, other.divided(among: count))]
    let node = RDDNode(
      name: "join", context: node.context, dependencies: sides.map { .shuffle($0.1) },
      partitionCount: count, recordType: result
    ) { partition, task in
      let columns = try sides.map { rdd, shuffle in
        try Self.column(of: ArrayCursor(shuffle.bucket(partition)), type: rdd.type, task)
      }
      guard var join = HashJoin(kind, columns[0], columns[1]) else {
        throw EngineError.invalidArgument("join: too many records of a partition, or a NaN as key")
      }
      return ClosureCursor {
        try task.checkCancellation()
        return join.next(RunSize.rows).map { ColumnBatch($0) }
      }
    }
    return ColumnRDD(node, Program(inputType: result), name: "join")
  }

  /// The pairs by their keys, equal ones in their order, in one partition.
  ///
  /// - Throws: ``Refusal`` where the records are no pairs, or their keys have no order.
  public func sortByKey(ascending: Bool = true) throws -> ColumnRDD {
    let types = try pairTypes()
    guard types.key.isOrdered else { throw Refusal("\(types.key) has no order", at: nil) }
    let (parent, type) = (node.coalesced(to: 1), type)
    let node = RDDNode(
      name: "sortByKey", context: node.context, dependencies: [.narrow(parent)],
      partitionCount: parent.partitionCount, recordType: type
    ) { partition, task in
      let cursor = try parent.cursor(partition: partition, task: task)
      let pairs = try Self.column(of: cursor, type: type, task)
      guard let rows = pairs.tupleItems[0].sortedRows(ascending: ascending) else {
        throw EngineError.invalidArgument("sortByKey: too many records, or a NaN as key")
      }
      return ArrayCursor([ColumnBatch(pairs.gathered(rows))])
    }
    return ColumnRDD(node, Program(inputType: type), name: "sortByKey")
  }

  /// Each pair in the partition of its key.
  private func divided(among count: Int) -> Shuffle {
    let type = type
    return Shuffle(parent: node, bucketCount: count) { cursor, task in
      try Self.column(of: cursor, type: type, task).divided(among: count).map { part in
        try part.map { [try ColumnBatch($0).kept()] } ?? []
      }
    }
  }

  /// All records of a cursor.
  private static func column(
    of cursor: any BatchCursor, type: ColumnType, _ task: TaskContext
  ) throws -> Column {
    var columns: [Column] = []
    while let batch = try cursor.next() {
      try task.checkCancellation()
      guard let batch = batch as? ColumnBatch else {
        preconditionFailure("a batch of \(Swift.type(of: batch)) in an RDD of columns")
      }
      columns.append(batch.column.compacted())
    }
    return columns.isEmpty ? .empty(type) : .concatenated(columns)
  }

  /// The records as Swift values.
  ///
  /// - Throws: ``Refusal`` where the records are of another type.
  public func values<Element: ColumnElement>(of element: Element.Type) throws -> RDD<Element> {
    try element.check(type)
    return converted { try Element.elements(in: $0) }
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
    let parent = node
    return RDD(
      RDDNode(
        name: parent.name, context: parent.context, dependencies: [.narrow(parent)],
        partitionCount: parent.partitionCount
      ) { partition, task in
        let cursor = try parent.cursor(partition: partition, task: task)
        return ClosureCursor {
          guard let batch = try cursor.next() else { return nil }
          guard let batch = batch as? ColumnBatch else {
            preconditionFailure("a batch of \(Swift.type(of: batch)) in an RDD of columns")
          }
          return ValueBatch(try convert(batch.column))
        }
      })
  }
}

extension RDD where Element == TextLine {
  /// The lines as a column of text.
  public var columns: ColumnRDD { ColumnRDD(node, Program(inputType: .text), name: node.name) }
}

extension ColumnRDD {
  /// The records of a node whose batches are columns of a type.
  public init(_ node: RDDNode, type: ColumnType) {
    self.init(node, Program(inputType: type), name: node.name)
  }
}

/// Runs a program over a partition.
private final class ProgramCursor: BatchCursor {
  private let input: any BatchCursor
  private let program: Program
  private let task: TaskContext
  private var pending: ArraySlice<Column> = []

  init(_ input: any BatchCursor, _ program: Program, task: TaskContext) {
    self.input = input
    self.program = program
    self.task = task
  }

  func next() throws -> (any RecordBatch)? {
    while true {
      if let column = pending.popFirst() {
        let result = program.run(column)
        if let row = result.flagged?.indices().first {
          throw EngineError.invalidArgument(
            "a record cannot be computed: record \(row) of a run of \(column.count)")
        }
        if result.column.count > 0 { return ColumnBatch(result.column) }
        continue
      }
      try task.checkCancellation()
      guard let batch = try input.next() else { return nil }
      switch batch {
      case let block as TextBlock:
        pending = block.runs(of: RunSize.textBytes).map { .text(block.column($0)) }[...]
      case let batch as ColumnBatch: pending = [batch.column]
      default: preconditionFailure("a batch of \(type(of: batch)) in an RDD of columns")
      }
    }
  }
}

/// A Swift type whose values can lie in a column.
public protocol ColumnElement: Sendable {
  /// - Throws: ``Refusal`` where columns of that type do not hold such values.
  static func check(_ type: ColumnType) throws
  static func elements(in column: Column) throws -> [Self]
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

  public static func elements(in column: Column) throws -> [Double] {
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
    let items = try Element.elements(in: lists.items)
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
      return try Wrapped.elements(in: column)
    }
    return try Wrapped.elements(in: values).enumerated().map { validity[$0] ? $1 : nil }
  }
}
