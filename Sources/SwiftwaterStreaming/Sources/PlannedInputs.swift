import SwiftwaterCore

extension StreamHistory {
  /// What the batch at `time` reads, as far as it is planned, by name. Sources that were pushed
  /// nothing for it are left out, and ranged ones that nobody has asked.
  func inputs(at time: BatchTime) -> [BatchInput] {
    plan.nodes.flatMap { node -> [BatchInput] in
      guard let source = node.source else { return [] }
      switch source.supervision {
      case .pushed:
        let allocation = allocation(of: node.id, at: time)
        // In the order in which their records are in the batch.
        var inputs: [BatchInput] = []
        if restoredInput(of: node.id, at: time) != nil { inputs.append(.restored(source.name)) }
        if !allocation.blocks.isEmpty {
          inputs.append(.blocks(allocation.names(of: source.name), upTo: allocation.position))
        }
        return inputs
      case .ranged(let supervisor):
        // An empty one too: when the batch runs again, it is to be as empty.
        return supervisor.range(at: time).map { [.range(source.name, $0)] } ?? []
      }
    }
  }

  /// From now on the ranges are noted that are chosen.
  func beginNotingRanges() {
    for node in plan.nodes { node.source?.ranged?.beginNoting() }
  }

  /// What ``planned(_:_:)`` has given is where it belongs.
  func clearNotedRanges() {
    for node in plan.nodes { node.source?.ranged?.clearNoted() }
  }

  /// What a batch does whose outputs are planned: from here on nothing is added to what it reads.
  func planned(_ batch: Batch, _ due: [DueOutput]) -> PlannedBatch {
    let late = plan.nodes.flatMap { node -> [PlannedBatch.Late] in
      guard let source = node.source, let ranged = source.ranged else { return [] }
      return ranged.noted.compactMap { time, range in
        time == batch.time
          ? nil : PlannedBatch.Late(time: time, input: .range(source.name, range))
      }
    }
    return PlannedBatch(
      time: batch.time, outputs: due.map(\.output.stableName), inputs: inputs(at: batch.time),
      late: late)
  }
}
