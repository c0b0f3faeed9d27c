import SwiftwaterCore
import SwiftwaterRDD

/// A part of a stage that a worker process computes, with what it is computed from. The node behind it
/// adds its own step, or reads its batches.
final class RemoteCursor: BatchCursor {
  /// The cursors of the inputs: natively computed, in the driver. Made again for a second attempt.
  typealias Inputs = @Sendable () throws -> [any BatchCursor]

  private let pool: WorkerPool
  private let task: TaskContext
  private var first: [any BatchCursor]?
  private let again: Inputs
  private let readsText: Bool
  private let inputCount: Int
  private let steps: [RemoteStep]
  /// The partition of the first step's node, and of those behind each `renumber`.
  private let partitions: [Int]
  private var results: ArrayCursor?

  /// - Parameters:
  ///   - first: the inputs of the first attempt.
  ///   - partition: of the node that the step belongs to.
  ///   - readsText: the first input is known to be lines of text.
  init?(
    _ first: [any BatchCursor], again: @escaping Inputs, readsText: Bool = false,
    _ step: RemoteStep, partition: Int, in context: SparkContext, task: TaskContext
  ) {
    guard let pool = context.mover as? WorkerPool else { return nil }
    self.pool = pool
    self.task = task
    self.first = first
    self.again = again
    self.readsText = readsText
    inputCount = first.count
    steps = [step]
    partitions = [partition]
  }

  private init(_ earlier: RemoteCursor, then step: RemoteStep, partition: Int?) {
    pool = earlier.pool
    task = earlier.task
    first = earlier.first
    again = earlier.again
    readsText = earlier.readsText
    inputCount = earlier.inputCount
    if let partition, partition != earlier.partitions.last {
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
  ///   node before; nil where the step does not ask for it.
  func then(_ step: RemoteStep, partition: Int? = nil) -> RemoteCursor {
    RemoteCursor(self, then: step, partition: partition)
  }

  func next() throws -> (any RecordBatch)? {
    if results == nil { results = ArrayCursor(try run().buckets[0]) }
    return try results?.next()
  }

  /// Runs the steps, to the end of the task.
  ///
  /// - Returns: the batches of each bucket, and the number of records for `count`.
  func run() throws -> (buckets: [[any RecordBatch]], count: Int) {
    let program = StageProgram(steps: steps, inputCount: inputCount, readsText: readsText)
    var first = first
    self.first = nil
    return try pool.run(program, partitions: partitions, task: task) {
      defer { first = nil }
      return try first ?? again()
    }
  }
}
