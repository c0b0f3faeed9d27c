import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import Synchronization

/// A stream whose RDDs are views of a table that goes from batch to batch: a window, a state.
final class StreamTable: Sendable {
  let table: KeyedTable
  /// The length of the window in milliseconds; nil for a state, which has no end.
  let window: Int64?
  /// Until the table has it.
  private let initial: Mutex<InitialState?>
  /// How many batches in a row the table could not take in.
  private let failures = Mutex(0)

  /// So many in a row. What comes from outside, say a database that is away, is back by then; a record
  /// that a function cannot take stays one.
  static let mostFailures = 100

  init(_ operation: TableOperation, window: Int64?, initial: InitialState?) {
    table = KeyedTable(operation)
    self.window = window
    self.initial = Mutex(initial)
  }

  /// What the table is to be before the first batch; nil once it has taken in anything.
  func missingInitialState() -> RDDNode? {
    guard let known = initial.withLock({ $0 }) else { return nil }
    guard table.hasContents else { return known.rdd }
    initial.withLock { $0 = nil }
    known.isTaken()
    return nil
  }

  /// How many keys there were when they were looked at last, and in how many batches it is looked again.
  private let growth = Mutex((keys: 0, again: 0))

  /// So many new keys have come with far more memory than they take, which goes back to the system.
  private static let manyKeys = 1 << 16

  /// True where many keys have come since this was true last, and once more two batches later: until then
  /// what they came in is kept.
  func hasGrown() -> Bool {
    let count = table.figures.keys
    return growth.withLock { growth in
      if count > growth.keys + Self.manyKeys {
        growth = (count, 2)
        return true
      }
      growth.keys = min(growth.keys, count)
      if growth.again == 0 { return false }
      growth.again -= 1
      return growth.again == 0
    }
  }

  /// True where what the table has cannot be made again of what its stream looks back at.
  var isPrimary: Bool {
    if case .window = table.operation.kind { false } else { true }
  }

  /// Batches up to this time are not in the window at `time`.
  func start(at time: BatchTime) -> Int64 { window.map { time.milliseconds - $0 } ?? .min }

  /// Notes whether the table has taken in what it lacks.
  ///
  /// - Returns: true where it has failed too often: what it lacks is given up.
  func note(isTaken: Bool) -> Bool {
    failures.withLock { failures in
      failures = isTaken ? 0 : failures + 1
      if failures <= Self.mostFailures { return false }
      failures = 0
      return true
    }
  }
}

/// What a state is before the first batch.
public struct InitialState: Sendable {
  /// The states, each key once, in as many partitions as the table.
  public let rdd: RDDNode
  /// Called when the table has them.
  let isTaken: @Sendable () -> Void

  public init(_ rdd: RDDNode, isTaken: @escaping @Sendable () -> Void = {}) {
    self.rdd = rdd
    self.isTaken = isTaken
  }
}

extension StreamingContext {
  /// A stream of a table: the pairs that windows and states come to.
  ///
  /// - Parameters:
  ///   - parent: has the pairs of each batch, each key once, in as many partitions as the table.
  ///   - milliseconds: the length of a window, a multiple of the parent's slide; nil for a state.
  ///   - slide: by default the parent's.
  ///   - stableName: see ``StreamNode``.
  ///   - initial: what a state is before the first batch.
  ///   - timeToLive: for how long a state, or a window with an inverse function, keeps keys that have no
  ///     new values.
  /// - Throws: ``EngineError`` (`illegalState`) once the context has started.
  public func addTable(
    _ operation: TableOperation, window milliseconds: Int64? = nil,
    every slide: BatchInterval? = nil, over parent: StreamNode, stableName: String,
    initial: InitialState? = nil, timeToLive: TimeToLive = .asSet
  ) throws -> StreamNode {
    let slide = slide ?? parent.slide
    let operation = operation.limited(
      by: try TableLimits(context.settings), timeToLive: timeToLive)
    let table = StreamTable(operation, window: milliseconds, initial: initial)
    let counters = context.counters
    counters.watch(.tableKeys, in: table) { $0.table.figures.keys }
    counters.watch(.tableBytes, in: table) { $0.table.figures.bytes }
    counters.watch(.tableExpired, in: table) { $0.table.figures.expired }
    var back: Int64 = 0
    if let milliseconds {
      // What leaves is part of the window before.
      back =
        milliseconds - parent.slide.milliseconds + (table.isPrimary ? slide.milliseconds : 0)
    }
    let reach = Reach(parents: [max(back, 0)], own: table.isPrimary ? slide.milliseconds : 0)
    return try building { graph in
      graph.addNode(
        name: operation.place.name, slide: slide, parents: [parent], reach: reach,
        stableName: stableName, source: nil,
        operator: .table(operation, window: milliseconds), table: table
      ) { generation in
        try generation.view(of: table, over: parent, named: stableName)
      }
    }
  }
}

extension StreamingContext {
  /// A stream of what the function of a stream's table makes of the records of each batch, and of those
  /// that the table could not take in before.
  ///
  /// - Throws: ``EngineError`` (`illegalState`) once the context has started.
  public func addTableRecords(of node: StreamNode) throws -> StreamNode {
    guard let stream = node.table else { preconditionFailure("a stream without a table") }
    return try addNode(name: node.name, parents: [node], operator: .tableRecords) { generation in
      try generation.rdd(of: node)?.mappedRecords(of: stream.table)
    }
  }
}

extension Generation {
  fileprivate func view(
    of stream: StreamTable, over parent: StreamNode, named name: String
  ) throws -> RDDNode? {
    var table = stream.table
    var taken = table.time
    let now = time.milliseconds
    if let known = taken, known > now {
      // Somebody asks for a time that is over: a window can be made anew.
      if stream.isPrimary { return nil }
      table = KeyedTable(table.operation)
      taken = nil
    }
    let start = stream.start(at: time)
    var inputs: [TableStep.Input] = []
    var isRestored = false
    var behind = max(taken ?? .min, start)
    if stream.isPrimary, let (node, past, rdd) = restored(name, of: table, behind: taken) {
      behind = stream.start(at: past)
      if stream.window == nil { behind = past.milliseconds }
      isRestored = true
      inputs.append(.contents(rdd, at: past.milliseconds, goingOnBehind: behind))
      if let times = restoredKeyTimes(of: node, at: past) {
        inputs.append(.keyTimes(times, at: past.milliseconds))
      }
    } else if let rdd = stream.missingInitialState() {
      behind = zeroTime.milliseconds
      inputs.append(.contents(rdd, at: behind, goingOnBehind: behind))
    }
    let new = try batches(of: parent, after: behind, through: time)
    inputs += new
    if stream.isPrimary, !table.hasContents {
      // Nothing has ever come. Spark: what a state is at first waits for that.
      if !isRestored, new.allSatisfy({ $0.node == nil }) {
        table.skip(to: now)
        return nil
      }
      // What comes later stays until it is taken in.
      table.skip(to: max(behind, zeroTime.milliseconds))
    }
    return try .view(of: table, time: now, start: start, inputs: inputs, context: context)
  }

  /// The batches of a stream behind a time, for a table.
  func batches(
    of parent: StreamNode, after start: Int64, through end: BatchTime
  ) throws -> [TableStep.Input] {
    try times(of: parent, after: start, through: end).map { time in
      .batch(try rdd(of: parent, at: time), at: time.milliseconds)
    }
  }

  /// Has the table of a stream go on to this time, whether anybody has read it or not.
  ///
  /// - Throws: what the tasks throw. ``RDDNode/tableHasFailed`` says of a view whether they had failed
  ///   before: nothing is tried again then.
  func keepUp(_ node: StreamNode, _ stream: StreamTable, with runner: JobRunner) throws {
    let parent = node.parents[0]
    if isDue(node) {
      try rdd(of: node)?.prepareTable(with: runner)
      // Nobody can ask for them once the table has gone on.
      for records in tableRecords(of: node) {
        try rdd(of: records)?.prepareTable(with: runner)
      }
    } else if stream.isPrimary {
      // The window of the time before is still read.
      try rdd(of: parent)?.store(with: runner)
    } else {
      try takeIn(node, stream, over: parent, with: runner)
    }
  }

  /// Has a table take in the batches until now that will be in its next window.
  private func takeIn(
    _ node: StreamNode, _ stream: StreamTable, over parent: StreamNode, with runner: JobRunner
  ) throws {
    // The first time from now on at which it has an RDD.
    let elapsed = time.milliseconds - zeroTime.milliseconds
    let slide = node.slide.milliseconds
    let due = BatchTime(milliseconds: time.milliseconds + (slide - elapsed % slide) % slide)
    let start = stream.start(at: due)
    let behind = max(stream.table.time ?? .min, start)
    let inputs = try batches(of: parent, after: behind, through: time)
    try TableStep.takingIn(
      inputs, into: stream.table, until: time.milliseconds, from: start, context: context,
      with: runner)
  }
}
