import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Computes partitions of a plan's nodes for one task: the one place that says what an operator does.
struct Evaluation: Sendable {
  let task: TaskContext
  /// Takes what a language has to do to another process; nil where everything is done here.
  let mover: (any TaskMover)?

  init(_ task: TaskContext, mover: (any TaskMover)? = nil) {
    self.task = task
    self.mover = mover
  }

  /// The records of one partition, by the operator of a node.
  func flow(_ lineage: RDDNode.Lineage, partition: Int) throws -> PartitionFlow {
    switch lineage.operator {
    case .read(let source):
      return PartitionFlow(
        try source.cursor(partition: partition, task: task), partition: partition)
    case .records: return try records(lineage, partition)
    case .combineByKey: return try merged(lineage, partition)
    case .combineLocally(let combination): return try locally(combination, lineage, partition)
    case .partitionBy, .spread:
      return PartitionFlow(ArrayCursor(lineage.bucket(partition)), partition: partition)
    case .layout(let layout):
      let parts = layout.parts(of: partition)
      if parts.count == 1 {
        return try lineage.inputs[parts[0].input].flow(partition: parts[0].partition, self)
      }
      return PartitionFlow(
        LayoutCursor(parts, of: lineage.inputs, self), partition: partition)
    case .zipPartitions(let zip): return try zipped(zip, lineage, partition)
    case .table, .tableRecords:
      guard let step = lineage.table else { preconditionFailure("a table's RDD without its table") }
      return PartitionFlow(step.cursor(partition: partition), partition: partition)
    case .stored: preconditionFailure("a stored RDD is computed")
    }
  }

  private func records(
    _ lineage: RDDNode.Lineage, _ partition: Int
  ) throws -> PartitionFlow {
    guard case .steps(let plan) = lineage.late else {
      preconditionFailure("steps without their plan")
    }
    let settled = try plan.value.get()
    let parent = lineage.inputs[0]
    let input = try parent.flow(partition: partition, self)
    if let mover, !settled.isNative {
      let part = moved(input, of: parent, partition, mover)
      return PartitionFlow(part.then(.records(settled.steps), partition), partition: partition)
    }
    return try Self.flow(settled, over: input, of: parent.recordType, partition, task)
  }

  /// Records through steps, here.
  static func flow(
    _ settled: StepsPlan.Settled, over input: PartitionFlow, of type: ColumnType?,
    _ partition: Int, _ task: TaskContext
  ) throws -> PartitionFlow {
    let flow = StepsFlow(
      input, of: type, through: settled.steps, try settled.native?.current(settled.steps),
      partition: partition, task: task)
    return PartitionFlow(flow, partition: partition)
  }

  private func merged(_ lineage: RDDNode.Lineage, _ partition: Int) throws -> PartitionFlow {
    guard case .merge(let plan) = lineage.late else {
      preconditionFailure("a combination without its plan")
    }
    let settled = try plan.value.get()
    let parts = lineage.bucket(partition)
    if let mover, parts.count > 1, !settled.isNative {
      let part = MovedPart(
        [ArrayCursor(parts)], again: { [ArrayCursor(parts)] }, partition: partition, mover, task)
      let merging = part.then(.merge(settled.combination), partition)
      return PartitionFlow(merging, partition: partition)
    }
    return PartitionFlow(try settled.combination.merged(parts, task), partition: partition)
  }

  private func locally(
    _ combination: CombineByKey, _ lineage: RDDNode.Lineage, _ partition: Int
  ) throws -> PartitionFlow {
    let parent = lineage.inputs[0]
    let input = try parent.flow(partition: partition, self)
    if let mover {
      let isNative = try NativeMerge(combination, isLowering: task.isLowering) != nil
      if input.moved != nil || !isNative {
        let part = moved(input, of: parent, partition, mover)
        return PartitionFlow(
          part.then(.combineLocally(combination), partition), partition: partition)
      }
    }
    let combined = try combination.combined(input, task)[0]
    return PartitionFlow(ArrayCursor(combined), partition: partition)
  }

  private func zipped(
    _ zip: ZipPartitions, _ lineage: RDDNode.Lineage, _ partition: Int
  ) throws -> PartitionFlow {
    let parts = zip.layout.parts(of: partition)
    var inputs: [any BatchCursor]
    let again: MovedPart.Inputs
    var types = parts.map { lineage.inputs[$0.input].recordType }
    if let found = try matches(zip, parts.map { (lineage.inputs[$0.input], $0.partition) }) {
      (inputs, again) = (found.first, found.again)
      types[found.table.side] = found.table.type ?? types[found.table.side]
    } else {
      again = { [self] in
        try parts.map { try lineage.inputs[$0.input].flow(partition: $0.partition, self) }
      }
      inputs = try again()
    }
    if let result = try zip.native(over: &inputs, types: types, task) {
      return PartitionFlow(result, partition: partition)
    }
    if let mover, zip.function != nil {
      let part = MovedPart(inputs, again: again, partition: partition, mover, task)
      return PartitionFlow(part.then(.zip(zip), partition), partition: partition)
    }
    return PartitionFlow(
      try zip.language.zipped(inputs, zip, partition: partition, task), partition: partition)
  }

  /// What another process goes on with: what it computes already, or a flow that it reads.
  private func moved(
    _ input: PartitionFlow, of node: RDDNode, _ partition: Int, _ mover: any TaskMover
  ) -> MovedPart {
    if let part = input.moved { return part }
    return MovedPart(
      [input], again: { [self] in [try node.flow(partition: partition, self)] },
      readsText: node.recordType == .text, partition: partition, mover, task)
  }

  // MARK: - Ends

  /// What a stage gives at its end for one partition.
  ///
  /// - Parameter node: whose partition the flow is: the task's.
  func output(of flow: PartitionFlow, _ node: RDDNode, _ end: StageEnd) throws -> StageOutput {
    if let part = flow.moved { return try part.run(end) }
    switch end {
    case .combine(let combination):
      if let mover, try NativeMerge(combination, isLowering: task.isLowering) == nil {
        // Not the flow's own number: a union hands on the one of its input.
        return try moved(flow, of: node, task.partition, mover).run(end)
      }
      return .buckets(try combination.combined(flow, task))
    case .partition(let division): return .buckets(try division.divided(flow, task))
    case .spread(let spread): return .buckets(try spread.divided(flow, task))
    case .count: return .count(try Self.count(flow, task))
    case .batches: return .buckets([try flow.drained()])
    }
  }

  static func count(_ flow: PartitionFlow, _ task: TaskContext) throws -> Int {
    if try !flow.isNative() {
      let rest = try flow.rest()
      if let last = rest.steps.last { return try last.function.language.count(rest, task) }
    }
    var count = 0
    while let batch = try flow.next() { count += batch.recordCount }
    return count
  }
}

/// One partition after the other; each is opened when it is reached.
private final class LayoutCursor: BatchCursor {
  private var remaining: ArraySlice<Layout.Part>
  private let inputs: [RDDNode]
  private let evaluation: Evaluation
  private var current: (any BatchCursor)?

  init(_ parts: [Layout.Part], of inputs: [RDDNode], _ evaluation: Evaluation) {
    remaining = parts[...]
    self.inputs = inputs
    self.evaluation = evaluation
  }

  func next() throws -> (any RecordBatch)? {
    while true {
      if let batch = try current?.next() { return batch }
      guard let part = remaining.popFirst() else { return nil }
      current = try inputs[part.input].flow(partition: part.partition, evaluation)
    }
  }
}

/// A part of a stage that another process computes, with what it is computed from.
final class MovedPart {
  /// The inputs, computed here. Made again for a second attempt.
  typealias Inputs = @Sendable () throws -> [any BatchCursor]

  private let mover: any TaskMover
  private let task: TaskContext
  private var first: [any BatchCursor]?
  private let again: Inputs
  private let readsText: Bool
  private let inputCount: Int
  private let steps: [StageStep]
  /// The partition of the first step's node, and of those behind each `renumber`.
  private let partitions: [Int]

  /// - Parameters:
  ///   - first: the inputs of the first attempt.
  ///   - readsText: the first input is known to be lines of text.
  ///   - partition: of the node that the first step belongs to.
  init(
    _ first: [any BatchCursor], again: @escaping Inputs, readsText: Bool = false, partition: Int,
    _ mover: any TaskMover, _ task: TaskContext
  ) {
    self.mover = mover
    self.task = task
    self.first = first
    self.again = again
    self.readsText = readsText
    inputCount = first.count
    steps = []
    partitions = [partition]
  }

  private init(_ earlier: MovedPart, then step: StageStep, _ partition: Int) {
    mover = earlier.mover
    task = earlier.task
    first = earlier.first
    again = earlier.again
    readsText = earlier.readsText
    inputCount = earlier.inputCount
    if partition != earlier.partitions.last {
      steps = earlier.steps + [.renumber, step]
      partitions = earlier.partitions + [partition]
    } else {
      steps = earlier.steps + [step]
      partitions = earlier.partitions
    }
  }

  /// The same with one more step.
  ///
  /// - Parameter partition: of the node that the step belongs to, which is not always the one of the
  ///   node before.
  func then(_ step: StageStep, _ partition: Int) -> MovedPart {
    MovedPart(self, then: step, partition)
  }

  /// Has the steps run, to the end of the task.
  func run(_ end: StageEnd) throws -> StageOutput {
    let program = StageProgram(
      inputCount: inputCount, readsText: readsText, steps: steps, end: end)
    var first = first
    self.first = nil
    return try mover.run(program, partitions: partitions, task: task) {
      defer { first = nil }
      return try first ?? again()
    }
  }

  /// The records at the end of the steps.
  func batches() throws -> [any RecordBatch] {
    guard case .buckets(let buckets) = try run(.batches) else {
      preconditionFailure("records were asked for")
    }
    return buckets[0]
  }
}
