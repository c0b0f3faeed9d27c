import SwiftwaterPlan

extension RDDNode: ExplainedNode {
  /// How the RDD is computed: a line for each operator, those that it reads first. Nothing is computed.
  ///
  /// - Throws: an interrupt while functions are read.
  public func explanation() throws -> [PlanLine] {
    var explanation = context.makeExplanation()
    try explanation.visit(self)
    return explanation.lines
  }

  public func explain(in explanation: inout Explanation) throws -> Explanation.Output {
    let parents = dependencies.flatMap { dependency -> [RDDNode] in
      switch dependency {
      case .narrow(let parent): [parent]
      case .shuffle(let shuffle): shuffle.mapSideParent.map { [$0] } ?? []
      case .table(let step): step.nodes
      }
    }
    let inputs = try parents.map { try explanation.visit($0) }
    switch `operator` {
    case .records(let run): return try explanation.add(run.steps, over: inputs[0])
    case .combineByKey(let combination):
      // Where its shuffle has run, nothing is known of what is in front of it.
      if let input = inputs.first {
        return try explanation.add(combination, over: input, isLocal: false)
      }
    case .combineLocally(let combination):
      return try explanation.add(combination, over: inputs[0], isLocal: true)
    case .partitionBy(let division):
      return explanation.add(division, type: recordType, isKept: tableIndex != nil)
    case .zipPartitions(let zip): return explanation.add(zip, over: inputs, type: recordType)
    case .table(let operation), .tableRecords(let operation):
      return try explanation.add(operation, over: inputs)
    case .read, .spread, .layout, .stored: break
    }
    // Behind a shuffle that has run, too.
    return explanation.addEngine(
      OperatorPlace(name: name), over: inputs, type: recordType,
      beginsStage: `operator`.isShuffled)
  }
}

extension SparkContext {
  /// An explanation of what this context computes; nothing is in it yet.
  public func makeExplanation() -> Explanation {
    Explanation(isLowering: isLowering, isMovingAll: isMovingAll)
  }
}

extension RDD {
  /// How the RDD is computed. See ``RDDNode/explanation()``.
  public func explanation() throws -> [PlanLine] { try node.explanation() }
}

extension ColumnRDD {
  /// How the RDD is computed. See ``RDDNode/explanation()``.
  public func explanation() throws -> [PlanLine] { try node.explanation() }
}
