import SwiftwaterCore
import SwiftwaterRDD

/// What the user builds: streams and outputs. A value; `start()` freezes a copy into a
/// ``StreamPlan``.
struct StreamGraph: Sendable {
  let interval: BatchInterval
  private(set) var nodes: [StreamNode] = []
  private(set) var outputs: [StreamOutput] = []

  init(interval: BatchInterval) {
    self.interval = interval
  }

  mutating func addNode(
    name: String, slide: BatchInterval?, parents: [StreamNode], source: (any InputSource)?,
    body: @escaping @Sendable (Generation) throws -> RDDNode?
  ) -> StreamNode {
    let node = StreamNode(
      id: nodes.count, name: name, slide: slide ?? parents.first?.slide ?? interval,
      parents: parents, source: source, body: body)
    nodes.append(node)
    return node
  }

  mutating func addOutput(_ output: StreamOutput) {
    outputs.append(output)
  }

  /// - Throws: ``EngineError`` (`illegalState`) when there is nothing to do.
  func frozen() throws -> StreamPlan {
    guard !outputs.isEmpty else {
      throw EngineError.illegalState(
        "requirement failed: No output operations registered, so nothing to execute")
    }
    return StreamPlan(interval: interval, nodes: nodes, outputs: outputs)
  }
}

/// The frozen graph: running changes nothing in it.
struct StreamPlan: Sendable {
  let interval: BatchInterval
  let nodes: [StreamNode]
  let outputs: [StreamOutput]

  var sources: [(id: Int, source: any InputSource)] {
    nodes.compactMap { node in node.source.map { (node.id, $0) } }
  }

  /// The RDD of every output that has one at the batch's time, in the order of registration.
  func jobs(for batch: Batch, zeroTime: BatchTime, context: SparkContext) throws -> [Job] {
    let generation = Generation(
      time: batch.time, zeroTime: zeroTime, context: context, allocations: batch.allocations)
    return try outputs.compactMap { output in
      try generation.rdd(of: output.node).map { Job(output: output, rdd: $0) }
    }
  }
}

/// All input that belongs to one batch time.
struct Batch: Sendable {
  let time: BatchTime
  /// By the id of the input's node.
  let allocations: [Int: Allocation]

  var reportedCount: Int { allocations.values.reduce(0) { $0 + $1.reportedCount } }
}

/// One output operation at one batch time.
struct Job: Sendable {
  let output: StreamOutput
  let rdd: RDDNode
}
