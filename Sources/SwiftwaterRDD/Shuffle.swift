import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

/// The border between two stages: every partition of the parent is divided into buckets, and
/// every partition behind it reads its bucket of each of them, in the parent's order.
///
/// The parent is computed once, however many partitions and jobs read the shuffle.
public final class Shuffle: Sendable {
  public let bucketCount: Int
  /// Unique within the process.
  let id: Int
  private static let ids = Atomic(0)

  /// The map side: what is computed, and how it is divided.
  private struct MapSide {
    let parent: RDDNode
    let end: StageEnd
    let placement: TaskPlacement
    var whenRun: (@Sendable () -> Void)?
  }

  private let outputs: Monitor<Outputs>

  private enum Outputs {
    case missing(MapSide)
    /// Some job is computing it; others wait.
    case running
    /// By partition of the parent, then by bucket. The map side is not needed any more: a lineage
    /// that grows with every batch holds no more than its last shuffle.
    case ready([[[any RecordBatch]]])
  }

  /// - Parameters:
  ///   - end: divides the partitions of `parent`: what it does at the end of their stage.
  ///   - placement: where that may be done.
  init(parent: RDDNode, _ end: StageEnd, placement: TaskPlacement) {
    id = Self.ids.wrappingAdd(1, ordering: .relaxed).oldValue
    bucketCount = end.bucketCount
    parent.settle()
    outputs = Monitor(.missing(MapSide(parent: parent, end: end, placement: placement)))
  }

  /// Has `action` called once the map side has run; it is let go then.
  func whenRun(_ action: @escaping @Sendable () -> Void) {
    outputs.withLock { outputs in
      guard case .missing(var mapSide) = outputs else { return }
      mapSide.whenRun = action
      outputs = .missing(mapSide)
    }
  }

  /// What the map side computes from; nil once it has run.
  public var mapSideParent: RDDNode? {
    outputs.withLock { outputs in
      if case .missing(let mapSide) = outputs { mapSide.parent } else { nil }
    }
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

  /// The records of all buckets; 0 before the shuffle has run.
  public var recordCount: Int {
    outputs.withLock { outputs in
      guard case .ready(let partitions) = outputs else { return 0 }
      return partitions.joined().joined().reduce(0) { $0 + $1.recordCount }
    }
  }

  /// Runs the map side if nobody has; waits while somebody does.
  ///
  /// - Throws: what ends the job, or the wait: ``EngineError`` (`cancelled`), or what the
  ///   ``CallerPoll`` throws.
  func materialise(with runner: JobRunner) throws {
    guard let mapSide = try takeMapSide(runner) else { return }
    do {
      let parent = mapSide.parent
      let partitions = try runner.buckets(of: parent, mapSide.end, placement: mapSide.placement)
      outputs.notify { $0 = .ready(partitions) }
      mapSide.whenRun?()
    } catch {
      outputs.notify { $0 = .missing(mapSide) }
      throw error
    }
  }

  /// The map side, for the caller to run; nil where it has run.
  private func takeMapSide(_ runner: JobRunner) throws -> MapSide? {
    // As a rule there is nobody to wait for.
    if let found = outputs.withLock(Self.taken) { return found }
    let watch = runner.newWatch()
    while true {
      let deadline = monotonicNanoseconds() + JobWatch.pollNanoseconds
      let found = outputs.wait(untilMonotonicNanoseconds: deadline, for: Self.taken)
      if let found { return found }
      try watch.check()
    }
  }

  /// The map side, for the one who asks first; nil in its place where it has run, and nil while it runs.
  private static func taken(_ outputs: inout Outputs) -> MapSide?? {
    switch outputs {
    case .ready: return .some(nil)
    case .running: return nil
    case .missing(let mapSide):
      outputs = .running
      return .some(mapSide)
    }
  }
}
