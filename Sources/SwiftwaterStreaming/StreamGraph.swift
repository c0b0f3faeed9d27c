import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStore

/// What the user builds: streams and outputs. A value; `start()` freezes a copy into a
/// ``StreamPlan``.
struct StreamGraph: Sendable {
  let interval: BatchInterval
  private(set) var nodes: [StreamNode] = []
  private(set) var outputs: [StreamOutput] = []
  /// Streams without parents.
  var inputCount: Int { nodes.count { $0.parents.isEmpty } }

  /// The RDDs of every stream are remembered for at least so many milliseconds.
  var minimumRetention: Int64 = 0
  /// What windows look back on is remembered for checkpoints, though their tables have taken it in.
  var keepsPast = false
  /// What an earlier run has left.
  var past = Past()
  /// Where it is written what becomes of the job.
  var log: JobLog?

  /// What a context goes on from.
  struct Past: Sendable {
    /// The time before the first batch of all, and the last one that has run.
    var resumed: (zero: BatchTime, last: BatchTime)?
    var rdds: [(node: Int, time: BatchTime, rdd: RDDNode)] = []
    /// When the keys of tables had new values last.
    var keyTimes: [(node: Int, time: BatchTime, rdd: RDDNode)] = []
    /// What sources that are pushed to had taken in.
    var inputs: [(node: Int, time: BatchTime, rdd: RDDNode)] = []
    /// Batches of which outputs have failed, with the numbers of these.
    var failed: [(time: BatchTime, outputs: [Int])] = []
    /// The outputs of batches that run again that have taken effect.
    var committed: [BatchTime: Set<OutputName>] = [:]
    /// Until then batches run again over the input that they had; what comes in now is of later ones.
    var repeatedUntil: BatchTime?
  }

  init(interval: BatchInterval) {
    self.interval = interval
  }

  mutating func addNode(
    name: String, slide: BatchInterval?, parents: [StreamNode], reach: Reach, stableName: String?,
    source: StreamSource?, operator: StreamOperator, table: StreamTable? = nil,
    partitioner: Partitioner? = nil,
    body: @escaping @Sendable (Generation) throws -> RDDNode?
  ) -> StreamNode {
    let node = StreamNode(
      id: nodes.count, name: name, slide: slide ?? parents.first?.slide ?? interval,
      parents: parents, reach: reach, stableName: stableName, source: source, operator: `operator`,
      table: table, partitioner: partitioner, body: body)
    nodes.append(node)
    return node
  }

  /// The number that stands for what a stream's table makes of records, where parents are numbered.
  static let tableRecords = -2
  /// The one that stands for when the keys of a stream's table had new values last.
  static let keyTimes = -3

  /// The stream with a key, or its parent of that number; -1 is the stream itself.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) where no stream has that name.
  func stream(stableName: String, parent: Int) throws -> StreamNode {
    if parent == Self.tableRecords,
      let node = nodes.first(where: { $0.tableStream?.stableName == stableName })
    {
      return node
    }
    let isOwn = parent == -1 || parent == Self.keyTimes
    guard let node = nodes.first(where: { $0.stableName == stableName }),
      isOwn || node.parents.indices.contains(parent)
    else {
      throw EngineError.invalidArgument(
        "the checkpoint has data of the operator \(stableName), which this program does not have")
    }
    return isOwn ? node : node.parents[parent]
  }

  /// The name of the next source of a kind.
  func sourceName(of kind: String) -> SourceName {
    SourceName(kind: kind, number: nodes.count { $0.source?.name.kind == kind } + 1)
  }

  /// Adds a stream of what a source gives.
  mutating func addSource(
    _ source: StreamSource, body: @escaping @Sendable (Generation, _ id: Int) throws -> RDDNode
  ) -> StreamNode {
    let id = nodes.count
    return addNode(
      name: source.name.kind, slide: nil, parents: [], reach: .none, stableName: nil,
      source: source, operator: .source
    ) { try body($0, id) }
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
    let plan = StreamPlan(
      interval: interval, nodes: nodes, outputs: outputs, minimumRetention: minimumRetention,
      keepsPast: keepsPast)
    // What somebody looks back at is computed once.
    for node in nodes where plan.isUsed[node.id] {
      for (index, parent) in node.parents.enumerated() where node.reach.parent(index) > 0 {
        parent.setCached()
      }
      // A table has what it was.
      if node.reach.own > 0, node.table == nil { node.setCached() }
    }
    return plan
  }
}

/// The frozen graph: running changes nothing in it.
struct StreamPlan: Sendable {
  let interval: BatchInterval
  let nodes: [StreamNode]
  let outputs: [StreamOutput]
  /// For how many milliseconds the RDDs of each stream are remembered: as long as anyone behind it
  /// looks back, who may itself be remembered. By node.
  ///
  /// Spark: `DStream.remember` and `parentRememberDuration`.
  let retention: [Int64]
  /// The part of ``retention`` for which somebody may ask for the stream's own RDDs: a stream behind it
  /// that looks back, the stream itself, or whoever had them remembered. For the rest of the time they
  /// are of use only to streams behind it that have not made their own RDD of them. By node.
  let lookBack: [Int64]
  /// The streams that are made of a stream's RDD of the same time, by node.
  let users: [[Int]]
  /// Whether an output stands on a stream, by node.
  let isUsed: [Bool]
  /// The streams with state that an output stands on.
  let states: [StreamNode]
  /// The streams of tables that an output stands on.
  let tables: [(node: StreamNode, table: StreamTable)]
  /// By node: the tables that its RDDs are taken in by, where nobody needs them afterwards; empty for
  /// others.
  let takers: [[KeyedTable]]
  /// The sources that are pushed to, with the ids of their streams.
  let pushed: [(id: Int, source: any PushedSource)]
  /// What windows look back on is kept for a checkpoint: batches that do not run, a recovery runs.
  let hasCheckpoints: Bool

  init(
    interval: BatchInterval, nodes: [StreamNode], outputs: [StreamOutput], minimumRetention: Int64,
    keepsPast: Bool
  ) {
    self.interval = interval
    self.nodes = nodes
    self.outputs = outputs
    hasCheckpoints = keepsPast
    var isUsed = Array(repeating: false, count: nodes.count)
    for output in outputs { isUsed[output.node.id] = true }
    // Parents come before their children.
    for node in nodes.reversed() where isUsed[node.id] {
      for parent in node.parents { isUsed[parent.id] = true }
    }
    var retention = nodes.map { isUsed[$0.id] ? max(minimumRetention, $0.reach.own) : 0 }
    for node in nodes.reversed() where isUsed[node.id] {
      for (index, parent) in node.parents.enumerated() {
        retention[parent.id] = max(
          retention[parent.id], retention[node.id] + node.reach.parent(index))
      }
    }
    var lookBack = nodes.map { isUsed[$0.id] ? max(minimumRetention, $0.reach.own) : 0 }
    var users: [[Int]] = nodes.map { _ in [] }
    for node in nodes where isUsed[node.id] {
      for (index, parent) in node.parents.enumerated() {
        let reach = node.reach.parent(index)
        users[parent.id].append(node.id)
        if reach > 0 {
          lookBack[parent.id] = max(lookBack[parent.id], retention[node.id] + reach)
        }
      }
    }
    self.isUsed = isUsed
    self.retention = retention
    self.lookBack = lookBack
    self.users = users
    states = nodes.filter { isUsed[$0.id] && $0.hasState }
    tables = nodes.compactMap { node in
      isUsed[node.id] ? node.table.map { (node, $0) } : nil
    }
    takers = nodes.map { node in
      let children = nodes.filter { child in
        isUsed[child.id] && child.parents.contains { $0.id == node.id }
      }
      let backward = children.filter { child in
        child.parents.indices.contains {
          child.parents[$0].id == node.id && child.reach.parent($0) > 0
        }
      }
      guard minimumRetention == 0, !keepsPast, node.reach.own == 0,
        backward.allSatisfy({ $0.table != nil && retention[$0.id] <= $0.reach.own })
      else { return [] }
      return backward.compactMap { $0.table?.table }
    }
    pushed = nodes.compactMap { node in node.source?.pushed.map { (node.id, $0) } }
  }

  /// The streams that an output stands on of what a stream's table makes of records.
  func tableRecords(of node: StreamNode) -> [StreamNode] {
    users[node.id].lazy.map { nodes[$0] }.filter { $0.tableStream === node }
  }

  /// True for a stream whose RDDs may be let go before ``retention`` is over.
  func isLetGoEarly(_ node: StreamNode) -> Bool {
    isUsed[node.id] && lookBack[node.id] < retention[node.id]
  }

  /// What listeners are told of a batch that waits.
  func waitingInfo(of batch: Batch, zeroTime: BatchTime) -> BatchInfo {
    let due = outputs(of: batch, after: zeroTime)
    return BatchInfo(
      time: batch.time, submitted: batch.submitted,
      inputs: inputInfos(of: batch), outputs: due.map { $0.info(at: batch.time) })
  }

  /// What listeners are told of the inputs of a batch.
  func inputInfos(of batch: Batch) -> [InputInfo] {
    var infos: [InputInfo] = []
    for (number, node) in nodes.filter(\.parents.isEmpty).enumerated() {
      guard let allocation = batch.allocations[node.id] else { continue }
      infos.append(
        InputInfo(streamID: number, recordCount: allocation.reportedCount, description: node.name))
    }
    return infos
  }

  /// The RDD of every output that has one at the batch's time, in the order of registration.
  func dueOutputs(
    for batch: Batch, history: StreamHistory, context: SparkContext
  ) throws -> [DueOutput] {
    let generation = Generation(time: batch.time, context: context, history: history)
    // A state has every batch in it: also one whose planning failed, and one of whose RDD no output
    // wants anything.
    for (node, time) in history.missingStates(until: batch.time) {
      _ = try generation.rdd(of: node, at: time)
    }
    for (node, _) in tables where history.isDue(node, at: batch.time) {
      _ = try generation.rdd(of: node)
    }
    let due: [DueOutput] = try outputs.compactMap { output in
      guard batch.runs(output) else { return nil }
      return try generation.rdd(of: output.node).map { (output, $0) }
    }
    // Spark: what an output changes in the driver is seen by the next batch, not by later outputs.
    for (_, rdd) in due { rdd.seal() }
    return due
  }

  /// The outputs that a batch has, each at its own slide.
  func outputs(of batch: Batch, after zeroTime: BatchTime) -> [StreamOutput] {
    let elapsed = batch.time.milliseconds - zeroTime.milliseconds
    return outputs.filter { elapsed % $0.node.slide.milliseconds == 0 && batch.runs($0) }
  }
}

/// All input that belongs to one batch time.
struct Batch: Sendable {
  let time: BatchTime
  /// When its interval was over.
  let submitted: Timestamp
  /// Listeners have heard that it waits.
  var isAnnounced = false
  /// By the id of the input's node.
  let allocations: [Int: Allocation]
  /// Some source has positions.
  var hasPositions = false
  /// The numbers of the outputs of a batch that runs again; nil for all.
  var outputs: [Int]?

  func runs(_ output: StreamOutput) -> Bool { outputs?.contains(output.id) ?? true }

  var reportedCount: Int { allocations.values.reduce(0) { $0 + $1.reportedCount } }
}

/// One output operation at one batch time.
typealias DueOutput = (output: StreamOutput, rdd: RDDNode)
