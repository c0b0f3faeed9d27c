import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD

/// A stream in small batches of Swift values: an RDD for every batch time.
///
/// ```swift
/// let counts = try lines
///   .flatMap { $0.split(separator: " ") }
///   .map { ($0, 1) }
///   .reduceByKey(+)
/// ```
///
/// Operators throw ``EngineError`` (`illegalState`) once the context has started.
public struct DStream<Element: Sendable>: Sendable {
  /// The untyped node that this is a view of.
  public let node: StreamNode
  public let context: StreamingContext

  /// - Precondition: the node's RDDs hold `Element`s.
  public init(_ node: StreamNode, in context: StreamingContext) {
    self.node = node
    self.context = context
  }

  public func map<Output: Sendable>(
    _ transform: @escaping @Sendable (Element) throws -> Output
  ) throws -> DStream<Output> {
    try perBatch("map") { $0.map(transform) }
  }

  public func flatMap<Output: Sequence & SendableMetatype>(
    _ transform: @escaping @Sendable (Element) throws -> Output
  ) throws -> DStream<Output.Element> where Output.Element: Sendable {
    try perBatch("flatMap") { $0.flatMap(transform) }
  }

  public func filter(
    _ isIncluded: @escaping @Sendable (Element) throws -> Bool
  ) throws -> DStream<Element> {
    try perBatch("filter") { $0.filter(isIncluded) }
  }

  /// The records of both streams, batch by batch.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) when the two do not slide alike.
  public func union(_ other: DStream<Element>) throws -> DStream<Element> {
    DStream(try context.addUnion(of: [node, other.node]), in: context)
  }

  /// A stream of what `transform` makes of each batch's RDD.
  public func transform<Output: Sendable>(
    _ transform: @escaping @Sendable (RDD<Element>, BatchTime) throws -> RDD<Output>
  ) throws -> DStream<Output> {
    let parent = node
    let child = try context.addNode(name: "transform", parents: [parent]) { generation in
      try generation.rdd(of: parent).map { try transform(RDD($0), generation.time).node }
    }
    return DStream<Output>(child, in: context)
  }

  func perBatch<Output: Sendable>(
    _ name: String, _ derive: @escaping @Sendable (RDD<Element>) -> RDD<Output>
  ) throws -> DStream<Output> {
    let parent = node
    let child = try context.addNode(name: name, parents: [parent]) { generation in
      try generation.rdd(of: parent).map { derive(RDD($0)).node }
    }
    return DStream<Output>(child, in: context)
  }
}

extension DStream {
  /// The values of each key combined, batch by batch. See ``RDD/reduceByKey(partitions:_:)``.
  public func reduceByKey<Key: PartitionKey, Value: Sendable>(
    partitions: Int? = nil, _ combine: @escaping @Sendable (Value, Value) throws -> Value
  ) throws -> DStream<(Key, Value)> where Element == (Key, Value) {
    try perBatch("reduceByKey") { $0.reduceByKey(partitions: partitions, combine) }
  }

  /// Each value replaced, the key kept.
  public func mapValues<Key: Sendable, Value: Sendable, Output: Sendable>(
    _ transform: @escaping @Sendable (Value) throws -> Output
  ) throws -> DStream<(Key, Output)> where Element == (Key, Value) {
    try perBatch("mapValues") { $0.mapValues(transform) }
  }
}

extension StreamingContext {
  /// A stream of the records of all `parents`, in their order.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) when they do not slide alike.
  public func addUnion(of parents: [StreamNode]) throws -> StreamNode {
    guard let first = parents.first else {
      throw EngineError.invalidArgument("should have at least one DStream to union")
    }
    guard parents.allSatisfy({ $0.slide == first.slide }) else {
      throw EngineError.invalidArgument("the two DStream should have same slide duration")
    }
    let partitioner = try Partitioner.shared(by: parents.map(\.partitioner))
    return try addNode(name: "union", parents: parents, partitioner: partitioner) { generation in
      let rdds = try parents.compactMap { try generation.rdd(of: $0) }
      return rdds.isEmpty
        ? nil : try RDDNode.united(rdds, name: "union", context: generation.context)
    }
  }
}
