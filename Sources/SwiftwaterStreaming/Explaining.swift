import SwiftwaterPlan
import SwiftwaterRDD

extension StreamingContext {
  /// How the outputs so far are computed in each batch: a line for each operator, those that it reads
  /// first. Nothing is computed.
  ///
  /// - Throws: an interrupt while functions are read.
  public func explanation() throws -> [PlanLine] {
    var explanation = context.makeExplanation()
    for output in outputs {
      let input = try explanation.visit(output.node)
      explanation.addDriver(OperatorPlace(name: output.name, site: output.site), over: input)
    }
    return explanation.lines
  }
}

extension StreamNode: ExplainedNode {
  public func explain(in explanation: inout Explanation) throws -> Explanation.Output {
    let inputs = try parents.map { try explanation.visit($0) }
    switch `operator` {
    case .records(let steps): return try explanation.add(steps, over: inputs[0])
    case .combineByKey(let combination):
      return try explanation.add(combination, over: inputs[0], isLocal: false)
    case .table(let operation, _): return try explanation.add(operation, over: inputs)
    case .window(let place):
      return explanation.addEngine(place, over: inputs, type: inputs.last?.type)
    case .union(let place):
      let types = Set(inputs.map(\.type))
      return explanation.addEngine(
        place, over: inputs, type: types.count == 1 ? types.first! : nil)
    case .partitionBy(let division): return explanation.add(division, type: inputs[0].type)
    // As a rule a shuffle is in front of it.
    case .join(let zip): return explanation.add(zip, over: [], type: nil)
    // The table's own line says it all.
    case .tableRecords: return inputs[0]
    case .driver(let place): return explanation.addDriver(place)
    case .source, .derived:
      let types = Set(inputs.map(\.type))
      let type = sourceType ?? (types.count == 1 ? types.first! : nil)
      return explanation.addEngine(
        OperatorPlace(name: name, site: sourceSite), over: inputs, type: type)
    }
  }
}
