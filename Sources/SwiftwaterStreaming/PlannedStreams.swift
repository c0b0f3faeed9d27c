import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD

/// Streams whose operators are those of RDDs. All of them throw ``EngineError`` (`illegalState`) once the
/// context has started.
extension StreamingContext {
  /// The records of each batch gone through steps.
  ///
  /// - Precondition: there are steps, of one language.
  public func addRecords(_ steps: [RecordStep], of parent: StreamNode) throws -> StreamNode {
    try addNode(
      name: steps[steps.count - 1].place.name, parents: [parent], operator: .records(steps)
    ) { generation in
      try generation.rdd(of: parent)?.applying(steps)
    }
  }

  /// The values of each key combined, batch by batch.
  public func addCombination(
    _ combination: CombineByKey, of parent: StreamNode
  ) throws -> StreamNode {
    try addNode(
      name: combination.place.name, parents: [parent], operator: .combineByKey(combination)
    ) { generation in
      try generation.rdd(of: parent)?.combined(combination)
    }
  }

  /// Each pair in the partition of its key, batch by batch; an RDD that is divided so is taken as it is.
  public func addDivision(_ division: PartitionByKey, of parent: StreamNode) throws -> StreamNode {
    try addNode(
      name: division.place.name, parents: [parent], operator: .partitionBy(division),
      partitioner: division.partitioner
    ) { generation in
      guard let rdd = try generation.rdd(of: parent) else { return nil }
      if try rdd.partitioner?.dividesAlike(division.partitioner) ?? false { return rdd }
      return try rdd.capturingAgain().partitioned(division)
    }
  }

  /// Several streams brought together by their keys, batch by batch. One that has no RDD in a batch
  /// counts as empty.
  public func addJoin(
    _ join: Join, of parents: [StreamNode], into partitions: Int
  ) throws -> StreamNode {
    let partitioner = join.keepsKeys ? Partitioner(count: partitions) : nil
    let zip = ZipPartitions(
      .sideBySide(of: parents.count, in: partitions), join.function, form: join.form,
      partitioner: partitioner, at: join.place)
    return try addNode(
      name: join.place.name, parents: parents, operator: .join(zip), partitioner: partitioner
    ) { generation in
      try RDDNode.joined(
        generation.filledRDDs(of: parents), by: join, into: partitions, context: generation.context
      ).node
    }
  }

  /// The records of several streams, batch by batch. One that has no RDD in a batch counts as empty.
  public func addUnion(of parents: [StreamNode], at place: OperatorPlace) throws -> StreamNode {
    try addNode(
      name: place.name, parents: parents, operator: .union(place),
      partitioner: try Partitioner.shared(by: parents.map(\.partitioner))
    ) { generation in
      try RDDNode.united(
        generation.filledRDDs(of: parents), name: place.name, context: generation.context)
    }
  }

  /// The records of the batches of a stream within a length of time, every `slide`.
  ///
  /// - Parameters:
  ///   - milliseconds: the length of the window, a multiple of the parent's slide.
  ///   - stableName: see ``StreamNode``.
  public func addWindow(
    of milliseconds: Int64, every slide: BatchInterval, over parent: StreamNode, stableName: String,
    at place: OperatorPlace
  ) throws -> StreamNode {
    parent.setCached()
    let reach = Reach(parents: [max(milliseconds - parent.slide.milliseconds, 0)])
    return try addNode(
      name: place.name, slide: slide, parents: [parent], reach: reach, stableName: stableName,
      operator: .window(place), partitioner: parent.partitioner
    ) { generation in
      let start = BatchTime(milliseconds: generation.time.milliseconds - milliseconds)
      let rdds = try generation.rdds(of: parent, after: start, through: generation.time)
      let filled = rdds.filter { $0.partitionCount > 0 }
      // Nothing is to be united: it may as well be the RDD itself.
      if filled.count == 1, filled[0].partitioner != nil { return filled[0] }
      return try RDDNode.united(rdds, name: place.name, context: generation.context)
    }
  }
}

extension Generation {
  /// The RDDs of streams at this batch time, an empty one where a stream has none.
  fileprivate func filledRDDs(of streams: [StreamNode]) throws -> [RDDNode] {
    try streams.map { try rdd(of: $0) ?? .empty(context) }
  }
}
