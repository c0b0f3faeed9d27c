import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// A lazy, partitioned collection of Swift values.
///
/// Operators return at once; an action (``collect()``, ``take(_:)``, ``count()``, ``reduce(_:)``)
/// computes.
///
/// ```swift
/// let context = try SparkContext(master: "local[2]", appName: "squares")
/// let squares = context.parallelize(1...10).map { $0 * $0 }
/// print(try squares.collect())
/// ```
public struct RDD<Element: Sendable>: Sendable {
  /// The untyped node that this is a view of.
  public let node: RDDNode

  /// - Precondition: the node's batches are `ElementBatch`es of `Element`.
  public init(_ node: RDDNode) {
    self.node = node
  }

  public var context: SparkContext { node.context }
  public var partitionCount: Int { node.partitionCount }

  // MARK: - Operators

  public func map<Output: Sendable>(
    _ transform: @escaping @Sendable (Element) throws -> Output
  ) -> RDD<Output> {
    map(keepsKeys: false, transform)
  }

  /// - Parameter keepsKeys: the records are pairs, and stay those of their keys.
  func map<Output: Sendable>(
    keepsKeys: Bool, _ transform: @escaping @Sendable (Element) throws -> Output
  ) -> RDD<Output> {
    narrow(.map, keepsKeys: keepsKeys) { batch in
      var output: [Output] = []
      output.reserveCapacity(batch.recordCount)
      try batch.forEachElement { output.append(try transform($0)) }
      return output
    }
  }

  public func flatMap<Output: Sequence>(
    _ transform: @escaping @Sendable (Element) throws -> Output
  ) -> RDD<Output.Element> where Output.Element: Sendable {
    narrow(.flatMap) { batch in
      var output: [Output.Element] = []
      try batch.forEachElement { output.append(contentsOf: try transform($0)) }
      return output
    }
  }

  public func filter(_ isIncluded: @escaping @Sendable (Element) throws -> Bool) -> RDD<Element> {
    narrow(.filter) { batch in
      var output: [Element] = []
      try batch.forEachElement { if try isIncluded($0) { output.append($0) } }
      return output
    }
  }

  /// The records of both, this one's first: the partitions of one after those of the other; where both
  /// are divided by their keys in the same way, those that belong together as one.
  public func union(_ other: RDD<Element>) -> RDD<Element> {
    do {
      return RDD(try RDDNode.united([node, other.node], name: "union", context: context))
    } catch {
      preconditionFailure("closures are not compared, so that nothing is thrown: \(error)")
    }
  }

  /// Keeps the partitions from their first computation on.
  public func cache() -> RDD<Element> {
    node.setCached(true)
    return self
  }

  private func narrow<Output: Sendable>(
    _ kind: RecordStep.Kind, keepsKeys: Bool = false,
    _ transform: @escaping @Sendable (any ElementBatch<Element>) throws -> [Output]
  ) -> RDD<Output> {
    let function = BatchFunction { ValueBatch(try transform(Self.elements(of: $0))) }
    let step = RecordStep(
      kind, function, at: OperatorPlace(name: kind.rawValue), keepsKeys: keepsKeys)
    return RDD<Output>(node.applying([step]))
  }

  // MARK: - Actions

  /// All records, partition after partition.
  public func collect() throws -> [Element] {
    try context.runner().run(node, partitions: Array(0..<partitionCount)) { cursor, _ in
      try Self.elements(from: cursor, limit: .max)
    }.flatMap { $0 }
  }

  /// The first `count` records, from as few partitions as possible. See ``TakePlan``.
  public func take(_ count: Int) throws -> [Element] {
    var plan = TakePlan(wanted: count, partitionCount: partitionCount)
    var taken: [Element] = []
    while let partitions = plan.next(found: taken.count) {
      let missing = count - taken.count
      let parts = try context.runner().run(node, partitions: partitions) { cursor, _ in
        try Self.elements(from: cursor, limit: missing)
      }
      for part in parts { taken.append(contentsOf: part.prefix(count - taken.count)) }
    }
    return taken
  }

  /// The number of records.
  public func count() throws -> Int { try node.recordCount() }

  /// All records combined; nil without records.
  public func reduce(
    _ combine: @escaping @Sendable (Element, Element) throws -> Element
  ) throws -> Element? {
    let parts = try context.runner().run(node, partitions: Array(0..<partitionCount)) {
      cursor, _ -> Element? in
      var result: Element?
      while let batch = try cursor.next() {
        try Self.elements(of: batch).forEachElement { element in
          result = try result.map { try combine($0, element) } ?? element
        }
      }
      return result
    }
    return try parts.reduce(nil) { result, part in
      guard let part else { return result }
      guard let result else { return part }
      return try combine(result, part)
    }
  }

  static func elements(of batch: any RecordBatch) -> any ElementBatch<Element> {
    guard let elements = batch as? any ElementBatch<Element> else {
      preconditionFailure("a batch of \(type(of: batch)) in an RDD of \(Element.self)")
    }
    return elements
  }

  private static func elements(
    from cursor: any BatchCursor, limit: Int
  ) throws -> [Element] {
    var output: [Element] = []
    while output.count < limit, let batch = try cursor.next() {
      elements(of: batch).forEachElement { if output.count < limit { output.append($0) } }
    }
    return output
  }
}

extension RDDNode {
  /// The number of records, counted without keeping them.
  public func recordCount() throws -> Int { try context.runner().counts(of: self).reduce(0, +) }
}

extension SparkContext {
  /// An RDD of given values. Slice `i` of `n` holds the values from `i * count / n` on, as in
  /// Spark.
  public func parallelize<Element: Sendable>(
    _ values: some Collection<Element>, slices: Int? = nil
  ) -> RDD<Element> {
    let all = Array(values)
    let slices = max(1, checkedPartitions(slices ?? defaultParallelism))
    let partitions = (0..<slices).map { index -> [any RecordBatch] in
      let range = (index * all.count / slices)..<((index + 1) * all.count / slices)
      return range.isEmpty ? [] : [ValueBatch(Array(all[range]))]
    }
    return RDD(RDDNode.batches(partitions, name: "parallelize", context: self))
  }
}
