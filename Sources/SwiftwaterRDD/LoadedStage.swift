import SwiftwaterCore
import SwiftwaterPlan

/// A stage's program where it runs: in a worker process, in a test. It needs its inputs and a task, and
/// nothing else. Used by one thread.
public final class LoadedStage {
  public let program: StageProgram
  /// For each step that applies functions to records.
  private let plans: [StepsPlan?]

  /// - Parameter isLowering: functions are run natively where they are understood.
  public init(_ program: StageProgram, isLowering: Bool) {
    self.program = program
    var readsText = program.readsText
    plans = program.steps.map { step in
      switch step {
      case .renumber: return nil
      case .records(let steps):
        let isText = readsText
        readsText = false
        return StepsPlan(StepRun(steps), isLowering: isLowering) { isText ? .text : nil }
      case .combineLocally, .merge, .zip:
        readsText = false
        return nil
      }
    }
  }

  /// Runs one task.
  ///
  /// - Parameters:
  ///   - inputs: as many as the program has.
  ///   - partitions: of the first step's node, and of those behind each `renumber`.
  ///   - emit: gets the batches of each bucket.
  /// - Returns: how many records were counted, where the program counts.
  /// - Throws: ``EngineError`` (`illegalState`) where there are not as many of them as the program
  ///   needs; what functions raise; what `emit` throws.
  public func run(
    _ inputs: [any BatchCursor], partitions: [Int], task: TaskContext,
    emit: (_ bucket: Int, _ batch: any RecordBatch) throws -> Void
  ) throws -> Int {
    guard inputs.count == program.inputCount, partitions.count == program.partitionCount else {
      throw EngineError.illegalState("a stage is run with other inputs than it has")
    }
    let flow = try flow(inputs, partitions, task)
    var buckets: [[any RecordBatch]] = []
    switch program.end {
    case .count: return try Evaluation.count(flow, task)
    case .combine(let combination): buckets = try combination.combined(flow, task)
    case .partition(let division): buckets = try division.divided(flow, task)
    case .spread(let spread): buckets = try spread.divided(flow, task)
    case .batches:
      while let batch = try flow.next() {
        if batch.recordCount > 0 { try emit(0, batch) }
      }
    }
    for (bucket, batches) in buckets.enumerated() {
      for batch in batches { try emit(bucket, batch) }
    }
    return 0
  }

  private func flow(
    _ inputs: [any BatchCursor], _ partitions: [Int], _ task: TaskContext
  ) throws -> PartitionFlow {
    var rest = partitions[...]
    var partition = rest.removeFirst()
    var flow = PartitionFlow(inputs[0], partition: partition)
    var readsText = program.readsText
    for (step, plan) in zip(program.steps, plans) {
      switch step {
      case .renumber:
        partition = rest.removeFirst()
        continue
      case .records:
        guard let settled = try plan?.value.get() else { continue }
        flow = try Evaluation.flow(
          settled, over: flow, of: readsText ? .text : nil, partition, task)
      case .combineLocally(let combination):
        let combined = try combination.combined(flow, task)[0]
        flow = PartitionFlow(ArrayCursor(combined), partition: partition)
      case .merge(let combination):
        flow = PartitionFlow(
          try combination.merged(flow.drained(), task), partition: partition)
      case .zip(let zip):
        flow = PartitionFlow(
          try zip.language.zipped(inputs, zip, partition: partition, task), partition: partition)
      }
      readsText = false
    }
    return flow
  }
}
