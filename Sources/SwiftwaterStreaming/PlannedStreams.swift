import SwiftwaterPlan
import SwiftwaterRDD

/// Streams whose operators are those of RDDs.
extension StreamingContext {
  /// The records of each batch gone through steps.
  ///
  /// - Precondition: there are steps, of one language.
  /// - Throws: ``EngineError`` (`illegalState`) once the context has started.
  public func addRecords(_ steps: [RecordStep], of parent: StreamNode) throws -> StreamNode {
    try addNode(
      name: steps[steps.count - 1].place.name, parents: [parent], operator: .records(steps)
    ) { generation in
      try generation.rdd(of: parent)?.applying(steps)
    }
  }

  /// The values of each key combined, batch by batch.
  ///
  /// - Throws: ``EngineError`` (`illegalState`) once the context has started.
  public func addCombination(
    _ combination: CombineByKey, of parent: StreamNode
  ) throws -> StreamNode {
    try addNode(
      name: combination.place.name, parents: [parent], operator: .combineByKey(combination)
    ) { generation in
      try generation.rdd(of: parent)?.combined(combination)
    }
  }
}
