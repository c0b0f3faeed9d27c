import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD

/// A stream whose records stay in columns. See ``ColumnRDD``, whose operators these are, batch by
/// batch. A function that makes no sense for the records' type is refused when the stream is built.
public struct ColumnStream: Sendable {
  public let node: StreamNode
  public let context: StreamingContext
  public let type: ColumnType

  public func map(_ function: @escaping @Sendable (Term) -> Term) throws -> ColumnStream {
    try perBatch("map", .map, function)
  }

  public func flatMap(_ function: @escaping @Sendable (Term) -> Term) throws -> ColumnStream {
    try perBatch("flatMap", .flatMap, function)
  }

  public func filter(_ isIncluded: @escaping @Sendable (Term) -> Term) throws -> ColumnStream {
    try perBatch("filter", .filter, isIncluded)
  }

  public func mapValues(_ function: @escaping @Sendable (Term) -> Term) throws -> ColumnStream {
    try perBatch("mapValues", .mapValues, function)
  }

  public func reduceByKey(
    partitions: Int? = nil, _ merge: @escaping @Sendable (Term, Term) -> Term
  ) throws -> ColumnStream {
    guard case .tuple(let items) = type, items.count == 2 else {
      throw Refusal("the records are \(type), not pairs", at: nil)
    }
    let expression = Expression.of(merge)
    _ = try Merge(expression, of: items[1])
    let function = ExpressionFunction(expression)
    let combination = CombineByKey(
      mergeValue: function, mergeCombiners: function,
      partitioner: partitioner(partitions),
      at: OperatorPlace(name: "reduceByKey"))
    return ColumnStream(
      node: try context.addCombination(combination, of: node), context: context, type: type)
  }

  /// The pairs as Swift values.
  public func pairs<Key: ColumnElement, Value: ColumnElement>(
    of key: Key.Type, _ value: Value.Type
  ) throws -> DStream<(Key, Value)> {
    let type = type
    let stream = try derived(node.name, type) {
      try ColumnRDD($0, type: type).pairs(of: key, value).node
    }
    return DStream(stream.node, in: context)
  }

  func partitioner(_ partitions: Int?) -> Partitioner {
    Partitioner(count: checkedPartitions(partitions ?? context.context.defaultParallelism))
  }

  private func perBatch(
    _ name: String, _ kind: RecordStep.Kind, _ function: @escaping @Sendable (Term) -> Term
  ) throws -> ColumnStream {
    guard let native = Program.Kind(rawValue: kind.rawValue) else {
      preconditionFailure("a function on records")
    }
    let expression = Expression.of(function)
    let output = try Program(inputType: type).appending(native, expression).outputType
    let step = RecordStep(
      kind, ExpressionFunction(expression), at: OperatorPlace(name: name))
    return ColumnStream(
      node: try context.addRecords([step], of: node), context: context, type: output)
  }

  private func derived(
    _ name: String, _ type: ColumnType, _ body: @escaping @Sendable (RDDNode) throws -> RDDNode
  ) throws -> ColumnStream {
    let parent = node
    let child = try context.addNode(name: name, parents: [parent]) { generation in
      try generation.rdd(of: parent).map(body)
    }
    return ColumnStream(node: child, context: context, type: type)
  }
}

extension DStream where Element == TextLine {
  /// The lines as a column of text.
  public var columns: ColumnStream { ColumnStream(node: node, context: context, type: .text) }
}
