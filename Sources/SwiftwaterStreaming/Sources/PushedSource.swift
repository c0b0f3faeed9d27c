import SwiftwaterCore

/// A source that records are pushed to, under supervision. ``ReceiverSupervisor`` is one.
public protocol PushedSource: Sendable {
  /// Begins to take records in; called once, at the context's start.
  func start(clock: any EngineClock)

  /// Has every block given to `keep` when it is closed, before a batch has it, in the order of their numbers.
  /// Before the start.
  func keepBlocks(
    of source: SourceName, _ keep: @escaping @Sendable (BlockID, any RecordBatch) -> Void)

  /// Gives everything that was taken in since the last call to the batch that ends now. Called on
  /// the clock's thread: it only hands over what is there.
  func allocate() -> Allocation

  /// Ends taking in. `whenStopped` is called once, when nothing more will come.
  func stop(_ whenStopped: @escaping @Sendable () -> Void)

  /// True while records were taken in that no batch has: a graceful stop makes a batch of them.
  var holdsUntaken: Bool { get }

  /// True where a batch would have records of it now, though nothing more came in.
  var hasMore: Bool { get }

  /// A batch with records of this source has run its outputs. Called on the loop's thread.
  func batchCompleted(_ report: SourceReport)

  /// The batch that has everything up to a position is over, with all that it leaves behind. Called on the
  /// loop's thread; see ``Receiver/stored(upTo:)``.
  func stored(upTo position: SourcePosition)
}

extension PushedSource {
  public func keepBlocks(
    of source: SourceName, _ keep: @escaping @Sendable (BlockID, any RecordBatch) -> Void
  ) {}

  public var hasMore: Bool { holdsUntaken }

  public func batchCompleted(_ report: SourceReport) {}

  public func stored(upTo position: SourcePosition) {}
}

/// What a source is told of a batch that has run.
public struct SourceReport: Sendable {
  /// The records that the source gave to the batch.
  public let recordCount: Int
  /// The memory that the batch had of all sources' buffers, in bytes.
  public let heldBytes: Int
  /// When the batch's interval was over, when its first output began, and when the last one was done.
  public let submitted: Timestamp
  public let began: Timestamp
  public let ended: Timestamp

  public init(
    recordCount: Int, heldBytes: Int = 0, submitted: Timestamp, began: Timestamp, ended: Timestamp
  ) {
    self.recordCount = recordCount
    self.heldBytes = heldBytes
    self.submitted = submitted
    self.began = began
    self.ended = ended
  }
}

/// What a source gives to one batch.
public struct Allocation: Sendable {
  /// One partition each.
  public let blocks: [any RecordBatch]
  /// Records, as reported to users: 0 for a source that reports none.
  public let reportedCount: Int
  /// When the run began, in milliseconds, and the number of the first block in it: with them the blocks
  /// have names. See ``BlockID``.
  public let run: Int64
  public let firstNumber: Int
  /// With these blocks, batches have everything up to there; nil for a source without positions.
  public let position: SourcePosition?
  /// The shares of a bounded buffer that blocks have which hold none themselves.
  let leases: [BufferLease]
  /// What the blocks hold of a bounded buffer, in bytes.
  public let heldBytes: Int

  public init(
    blocks: [any RecordBatch], reportedCount: Int, run: Int64 = 0, firstNumber: Int = 0,
    position: SourcePosition? = nil, leases: [BufferLease] = [], heldBytes: Int = 0
  ) {
    self.blocks = blocks
    self.reportedCount = reportedCount
    self.run = run
    self.firstNumber = firstNumber
    self.position = position
    self.leases = leases
    self.heldBytes = heldBytes
  }

  /// The same for a stream that somebody looks back at: its text may go to disk.
  var forKeeping: Allocation {
    Allocation(
      blocks: blocks.map { block in (block as? TextBlock).map { SpillableText($0) } ?? block },
      reportedCount: reportedCount, run: run, firstNumber: firstNumber, position: position,
      leases: leases, heldBytes: heldBytes)
  }

  func names(of source: SourceName) -> [BlockID] {
    blocks.indices.map { BlockID(source: source, run: run, number: firstNumber + $0) }
  }
}
