import SwiftwaterCore

/// The border between two stages: every partition of the parent is divided into buckets, and
/// every partition behind it reads its bucket of each of them, in the parent's order.
///
/// The parent is computed once, however many partitions and jobs read the shuffle.
public final class Shuffle: Sendable {
  public let parent: RDDNode
  public let bucketCount: Int

  /// Divides one partition: the batches of each bucket, `bucketCount` of them.
  public typealias Writer =
    @Sendable (_ cursor: any BatchCursor, _ task: TaskContext) throws -> [[any RecordBatch]]

  private let placement: TaskPlacement
  private let write: Writer
  private let outputs = Monitor<Outputs>(.missing)

  private enum Outputs {
    case missing
    /// Some job is computing it; others wait.
    case running
    /// By partition of the parent, then by bucket.
    case ready([[[any RecordBatch]]])
  }

  /// - Parameters:
  ///   - placement: where `write` may run.
  public init(
    parent: RDDNode, bucketCount: Int, placement: TaskPlacement = .anyThread,
    write: @escaping Writer
  ) {
    self.parent = parent
    self.bucketCount = bucketCount
    self.placement = placement
    self.write = write
  }

  /// The batches of one bucket, in the order of the parent's partitions.
  public func bucket(_ index: Int) -> [any RecordBatch] {
    outputs.withLock { outputs in
      guard case .ready(let partitions) = outputs else {
        preconditionFailure("a bucket is read before its shuffle has run")
      }
      return partitions.flatMap { $0[index] }
    }
  }

  /// Runs the map side if nobody has; waits while somebody does.
  func materialise(with runner: JobRunner) throws {
    let isMine: Bool? = outputs.wait { outputs in
      switch outputs {
      case .ready: return false
      case .running: return nil
      case .missing:
        outputs = .running
        return true
      }
    }
    guard isMine == true else { return }
    do {
      let partitions = try runner.run(
        parent, partitions: Array(0..<parent.partitionCount), placement: placement, consume: write)
      outputs.notify { $0 = .ready(partitions) }
    } catch {
      outputs.notify { $0 = .missing }
      throw error
    }
  }
}
