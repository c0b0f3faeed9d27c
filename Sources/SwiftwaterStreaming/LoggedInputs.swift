import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterStore

extension StreamGraph.Past {
  /// Takes over what a log has for batches that run again.
  mutating func take(_ recovered: JobLog.Recovered, plan: StreamPlan, context: SparkContext) {
    committed = recovered.committed
    repeatedUntil = recovered.until
    var nodes: [SourceName: StreamNode] = [:]
    for node in plan.nodes {
      if let source = node.source { nodes[source.name] = node }
    }
    for (time, source, blocks) in recovered.blocks {
      guard let node = nodes[source], node.source?.pushed != nil else { continue }
      // What a checkpoint has kept of an output that failed is the same.
      inputs.removeAll { $0.node == node.id && $0.time == time }
      inputs.append(
        (
          node.id, time,
          RDDNode.batches(
            blocks.map { [$0] }, name: node.name, context: context,
            recordType: node.source?.recordType)
        ))
    }
    for (time, source, range) in recovered.ranges {
      nodes[source]?.source?.ranged?.restore(range, at: time)
    }
  }
}

extension StreamPlan {
  /// Has the blocks of all sources that are pushed to written into a log.
  func keepBlocks(in log: JobLog) {
    for node in nodes {
      guard let source = node.source, let pushed = source.pushed else { continue }
      pushed.keepBlocks(of: source.name) { log.keep($0, $1) }
    }
  }
}
