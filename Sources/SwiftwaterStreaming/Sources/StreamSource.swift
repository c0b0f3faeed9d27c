import SwiftwaterCore
import SwiftwaterRDD

/// Where the records of a stream come from.
struct StreamSource: Sendable {
  enum Supervision: Sendable {
    /// Taken in by itself, and given to the batch whose time has come.
    case pushed(any PushedSource)
    /// Chosen when the batch is asked for its records.
    case ranged(RangeSupervisor)
  }

  let name: SourceName
  let supervision: Supervision
  /// The place of the user's call.
  let site: String
  /// Of its records, where that is known.
  let recordType: ColumnType?

  var pushed: (any PushedSource)? {
    if case .pushed(let source) = supervision { source } else { nil }
  }

  var ranged: RangeSupervisor? {
    if case .ranged(let supervisor) = supervision { supervisor } else { nil }
  }

  var hasMore: Bool {
    switch supervision {
    case .pushed(let source): source.hasMore
    case .ranged(let supervisor): supervisor.hasMore
    }
  }
}

extension StreamingContext {
  /// Adds a stream whose records are pushed to `source`: a partition for each of its blocks.
  ///
  /// - Parameter recordType: of the records, where it is known.
  public func addInput(
    name: String, source: any PushedSource, recordType: ColumnType? = .text
  ) throws -> StreamNode {
    try addSource(
      name: name, .pushed(source), recordType: recordType
    ) { generation, id in
      let blocks = generation.allocation(of: id).blocks
      let restored = generation.restoredInput(of: id)
      if blocks.isEmpty, let restored { return restored }
      let new = RDDNode.batches(
        blocks.map { [$0] }, name: name, context: generation.context,
        recordType: recordType)
      // A batch that runs again may come so late that new records are in it, too.
      guard let restored else { return new }
      return RDDNode.union(of: [restored, new], context: generation.context)
    }
  }

  /// Adds a stream of what batches read of `source`.
  ///
  /// - Parameters:
  ///   - site: the place of the user's call.
  ///   - since: see ``PlannedRanges/since``.
  ///   - recordType: of the records, where it is known.
  ///   - read: makes an RDD of a range, which may be empty; on the thread that runs batches. It throws
  ///     where what was there when the range was chosen is gone: then the batch cannot run.
  public func addRanged(
    _ source: any RangedSource, name: String, site: String = "", since: Int64 = 0,
    recordType: ColumnType? = nil,
    read: @escaping @Sendable (SourceRange, Generation) throws -> RDDNode
  ) throws -> StreamNode {
    let supervisor = RangeSupervisor(source, since: since)
    return try addSource(
      name: name, site: site, .ranged(supervisor), recordType: recordType
    ) { generation, _ in
      try read(supervisor.plan(for: generation.time), generation)
    }
  }

  /// Adds a stream of what `receiver` takes in.
  ///
  /// - Parameter recordType: lines of text, or of the records that the receiver gives; nil where it is
  ///   not known.
  public func addReceiver(
    _ receiver: any Receiver, name: String, recordType: ColumnType? = .text
  ) throws -> StreamNode {
    let supervisor = ReceiverSupervisor(
      receiver, streamID: try nextStreamID(),
      limits: try .init(context.settings, interval: interval), budget: budget, events: events,
      counters: context.counters)
    return try addInput(name: name, source: supervisor, recordType: recordType)
  }
}
