/// Another system that batches are written to, a partition at a time: what a connector implements.
///
/// A batch takes effect once where the system can keep the batch's identity with what is committed:
/// ``begin(_:)`` finds it there again. Where it cannot, a batch that runs again is written again.
public protocol PartitionSink: Sendable {
  /// What has been written of a partition, small: the name of a file, the number of a transaction.
  associatedtype Piece: Sendable

  /// A batch begins, for the first time or again. Called on the thread that runs batches.
  ///
  /// - Returns: false where it has been committed before: then nothing of it is written.
  func begin(_ batch: BatchIdentity) throws -> Bool

  /// Writes a partition so that nobody sees it yet. Called by tasks, several at a time; of a task that
  /// is tried again once more for the same partition, and only what the last call returned counts.
  ///
  /// - Parameter records: in the forms in which they come, in order. Reading may throw.
  func write(
    _ partition: Int, _ records: any BatchCursor, of batch: BatchIdentity, _ task: TaskContext
  ) throws -> Piece

  /// Makes the whole batch seen, with its identity. Called on the thread that runs batches.
  ///
  /// - Parameter pieces: in the order of the partitions.
  func commit(_ pieces: [Piece], of batch: BatchIdentity) throws

  /// Something has been thrown since ``begin(_:)`` was called, by this sink, by the records, or because
  /// the job was stopped: what is written and not committed can go. Whether a commit that has thrown
  /// took effect is asked when the batch runs again. Called on the thread that runs batches.
  func abandon(_ batch: BatchIdentity)
}

extension PartitionSink {
  public func begin(_ batch: BatchIdentity) throws -> Bool { true }
  public func abandon(_ batch: BatchIdentity) {}
}
