import DequeModule
import SwiftwaterCore

/// The log of a job: the blocks that receivers have taken in, and what becomes of batches. What a batch
/// reads is on the disk before it runs, and that an output has taken effect is written behind its commit. So a
/// later run does what is not done, over the same input.
///
/// Blocks are written as they come, by a thread of the log's own, and forced to the disk when a batch has
/// them. Of a disk that takes no more everything waits: the batch that would run next first, and then the
/// receivers, whose buffers are full.
public final class JobLog: Sendable {
  /// What a log is to do.
  public struct Options: Sendable {
    /// Blocks of receivers are written.
    public var writesBlocks = true
    /// A file of blocks is closed, and on the disk, after each block.
    public var closesAfterWrite = false
    /// A file of blocks has about so many bytes.
    public var segmentLength = 64 << 20

    public init() {}

    /// As the settings say.
    ///
    /// - Throws: ``EngineError`` (`invalidArgument`) for one that cannot be read.
    public init(_ settings: Settings) throws {
      let prefix = "spark.streaming.receiver.writeAheadLog"
      writesBlocks = try settings.flag("\(prefix).enable")
      closesAfterWrite = try settings.flag("\(prefix).closeFileAfterWrite")
    }
  }

  /// What a job goes on with.
  public struct Recovered: Sendable {
    /// By the time of the batch that reads them.
    public var blocks: [(time: BatchTime, source: SourceName, blocks: [LoggedBlock])] = []
    public var ranges: [(time: BatchTime, source: SourceName, range: SourceRange)] = []
    /// The outputs that have taken effect.
    public var committed: [BatchTime: Set<OutputName>] = [:]
    /// Until then batches read what is here, and nothing else.
    public var until: BatchTime?
  }

  private struct Writer {
    var blocks: BlockLog
    var batches: BatchLog
  }

  private struct Queue {
    var blocks: Deque<(id: BlockID, batch: any RecordBatch)> = []
    var isClosed = false
    var isManual = false
    var thread: EngineThread?
    var tell: @Sendable (Notice) -> Void = { _ in }
  }

  /// Tried again after so long.
  private static let pause: Duration = .seconds(1)

  private let folder: LogFolder
  private let source: LogFolder
  private let reaching: BatchTime?
  private let options: Options
  private let coder: (any BlockCoder)?
  private let queue = Monitor(Queue())
  /// Held while something is written; nil before the start and behind the end.
  private let writer = Monitor<Writer?>(nil)

  /// A log in a folder that one process uses at a time.
  ///
  /// - Parameters:
  ///   - source: the folder with the log that the job goes on from, where it is another one.
  ///   - reaching: what ``reached`` was, as far as the job knows that goes on.
  ///   - coder: for records that are not text.
  public init(
    in folder: LogFolder, goingOnFrom source: LogFolder? = nil, reaching: BatchTime? = nil,
    options: Options, coder: (any BlockCoder)? = nil
  ) {
    self.folder = folder
    self.source = source ?? folder
    self.reaching = reaching
    self.options = options
    self.coder = coder
  }

  // MARK: - The start

  /// Begins to write.
  ///
  /// - Parameters:
  ///   - last: the batch that the job goes on behind; nil for one that begins anew: what the log has is
  ///     not used then.
  ///   - first: the first batch.
  ///   - tell: told what is wrong with the files, and later with the disk.
  /// - Throws: ``EngineError`` (`unavailable`) where the log cannot be read or written.
  public func start(
    after last: BatchTime?, first: BatchTime, interval: BatchInterval, isManual: Bool,
    tell: @escaping @Sendable (Notice) -> Void
  ) throws -> Recovered {
    var past = try LoggedPast(source, coder: coder)
    for fault in past.faults {
      tell(Notice(.error, kind: "log", "\(fault). What is behind it in the log is used"))
    }
    if last == nil { tellUnused(past, tell) }
    if last != nil, let reaching, past.job.reached < reaching {
      // A crash cuts what is not on the disk yet, and this was.
      tell(
        Notice(
          .error, kind: "log",
          "the log in \(source.path) has lost its end: it had come to the batch at "
            + "\(reaching.milliseconds) ms. What receivers had taken in for batches that are not in it "
            + "comes again, and so do their outputs"))
    }
    let own = source === folder ? past : try LoggedPast(folder, coder: coder)
    var writer = Writer(
      blocks: BlockLog(
        folder, coder: coder, after: own.lastBlocks, segmentLength: options.segmentLength,
        closesAfterWrite: options.closesAfterWrite),
      batches: BatchLog(
        folder, job: last == nil ? LoggedJob() : past.job, after: own.lastBatches))
    var recovered = Recovered()
    do {
      if let last {
        // What the job has gone on from may be lost yet: a next life goes on from an older checkpoint.
        recovered = try adopt(&past, &writer, after: last, first: first, interval, tell)
      } else {
        try writer.batches.append(.began, isSynced: true)
      }
      try writer.batches.sync()
    } catch let failure as SystemFailure {
      throw EngineError.unavailable(
        "the log in the checkpoint directory \(folder.path) cannot be written: \(failure)")
    }
    know(own, &writer, isGoingOn: last != nil)
    self.writer.withLock { $0 = writer }
    queue.withLock { queue in
      queue.isManual = isManual
      queue.tell = tell
    }
    if !isManual && options.writesBlocks {
      let thread = EngineThread(name: "sw-block-log") { [self] in writeBlocks() }
      queue.withLock { $0.thread = thread }
    }
    return recovered
  }

  /// Gives what the log has to the batches that will run.
  private func adopt(
    _ past: inout LoggedPast, _ writer: inout Writer, after last: BatchTime, first: BatchTime,
    _ interval: BatchInterval, _ tell: (Notice) -> Void
  ) throws -> Recovered {
    // What no batch had read goes to the first one that is not known.
    let open = past.blocks.values.filter { past.isOpen($0.id) }
    if !open.isEmpty {
      var time = first
      while let latest = past.job.batches.keys.max(), time <= latest { time = time + interval }
      let inputs = Dictionary(grouping: open, by: \.id.source).values.map { blocks in
        BatchInput.blocks(blocks.map(\.id).sorted { ($0.run, $0.number) < ($1.run, $1.number) })
      }
      try writer.batches.append(.adopted(time, inputs), isSynced: true)
    }
    var recovered = Recovered()
    var missing = 0
    for (time, batch) in writer.batches.job.batches.sorted(by: { $0.key < $1.key })
    where time > last {
      recovered.committed[time] = batch.committed
      if batch.isPlanned { recovered.until = max(recovered.until ?? time, time) }
      var blocks: [SourceName: [LoggedBlock]] = [:]
      for input in batch.inputs {
        switch input {
        case .blocks(let ids, _):
          let found = ids.compactMap { past.blocks[$0] }
          missing += ids.count - found.count
          blocks[input.source, default: []] += found
        case .range(let source, let range): recovered.ranges.append((time, source, range))
        case .restored: break
        }
      }
      for (source, blocks) in blocks where !blocks.isEmpty {
        recovered.blocks.append((time, source, blocks))
        if self.source !== folder {
          for block in blocks { try writer.blocks.append(block.id, block) }
        }
      }
    }
    if missing > 0 && options.writesBlocks {
      tell(
        Notice(
          .error, kind: "log",
          "\(missing) blocks of batches that run again are not in the log in \(source.path): "
            + "what was in them is missing"))
    }
    return recovered
  }

  private func tellUnused(_ past: LoggedPast, _ tell: (Notice) -> Void) {
    let records = past.blocks.values.reduce(0) { $0 + (past.isOpen($1.id) ? $1.recordCount : 0) }
    if records > 0 {
      tell(
        Notice(
          .warning,
          "\(records) records in the log in \(folder.path) were in no batch of the run before, and are "
            + "not used: this program did not go on from its checkpoint (getOrCreate)"))
    }
  }

  /// Has the block log know the files that are there.
  private func know(_ past: LoggedPast, _ writer: inout Writer, isGoingOn: Bool) {
    for (number, ids) in past.segments {
      let needed = isGoingOn ? writer.batches.job.batches : [:]
      let latest = needed.filter { entry in
        entry.value.inputs.contains { input in
          input.blocks.contains { block in ids.contains(block) }
        }
      }.keys.max()
      writer.blocks.know(number, open: [], latest: latest ?? BatchTime(milliseconds: .min))
    }
    writer.blocks.forget(until: BatchTime(milliseconds: .min))
  }

  // MARK: - Blocks

  /// Whether ``keep(_:_:)`` is to be called.
  public var writesBlocks: Bool { options.writesBlocks }

  /// Writes a block soon. In the order of these calls.
  public func keep(_ id: BlockID, _ batch: any RecordBatch) {
    let isManual = queue.notify { queue in
      if !queue.isClosed { queue.blocks.append((id, batch)) }
      return queue.isManual
    }
    guard isManual else { return }
    do {
      try writer.withLock { try drain(&$0) }
    } catch {
      tellFailure(error)
    }
  }

  private func writeBlocks() {
    while true {
      let goesOn: Bool? = queue.wait { queue in
        queue.blocks.isEmpty ? (queue.isClosed ? false : nil) : true
      }
      guard goesOn == true else { return }
      do {
        try writer.withLock { try drain(&$0) }
      } catch {
        tellFailure(error)
        if !rests() { return }
      }
    }
  }

  /// Writes what waits.
  private func drain(_ writer: inout Writer?) throws {
    guard writer != nil else { return }
    try writer!.blocks.writeAgain()
    while let (id, batch) = queue.withLock({ $0.blocks.first }) {
      try writer!.blocks.append(id, batch)
      queue.withLock { _ = $0.blocks.popFirst() }
    }
  }

  // MARK: - Batches

  /// Writes what a batch will do, and waits until that and what it reads are on the disk. Where the disk takes
  /// no more, it waits until it does.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) where `isCancelled` says so meanwhile, and in virtual time at
  ///   once.
  public func planned(_ batch: PlannedBatch, isCancelled: () -> Bool) throws {
    var isFirst = true
    while true {
      do {
        try writer.withLock { writer in
          guard writer != nil else { return }
          try drain(&writer)
          try writer!.blocks.sync()
          KillPoints.pass("block log.synced")
          try writer!.batches.append(.planned(batch), isSynced: true)
          writer!.blocks.assign(batch.inputs.lazy.flatMap(\.blocks), to: batch.time)
          for late in batch.late { writer!.blocks.assign(late.input.blocks, to: late.time) }
        }
        return
      } catch {
        tellFailure(error)
        // What came once may not come again.
        if isFirst {
          isFirst = false
          continue
        }
        guard !isCancelled(), rests(), !isCancelled() else {
          // It has not run: a later life does what is left of it, if this one can write that yet.
          writer.withLock { $0?.batches.note(.planned(batch)) }
          throw EngineError.unavailable(
            "the batch did not run: the log in \(folder.path) cannot be written: \(error)")
        }
      }
    }
  }

  /// An output has taken effect.
  public func committed(_ time: BatchTime, _ output: OutputName) {
    note(.committed(time, output))
  }

  /// A batch has left everything behind that it will.
  public func ended(_ time: BatchTime, failed: [OutputName]) {
    note(.ended(time, failed: failed))
  }

  /// The latest batch of which it is on the disk what it reads; nil before the start and behind the end.
  public var reached: BatchTime? { writer.withLock { $0?.batches.job.reached } }

  /// Nothing goes back behind a time any more.
  public func forget(until time: BatchTime) {
    guard writer.withLock({ $0.map { $0.batches.job.forgotten < time } ?? false }) else { return }
    note(.forgotten(until: time))
    writer.withLock { $0?.blocks.forget(until: time) }
  }

  private func note(_ event: JobEvent) {
    do {
      try writer.withLock { try $0?.batches.append(event, isSynced: false) }
    } catch {
      tellFailure(error)
    }
  }

  /// Writes what is there, and ends. Later calls do nothing.
  ///
  /// - Returns: how many records it could not write: they are in no file.
  public func close() -> Int {
    let thread = queue.notify { queue in
      queue.isClosed = true
      defer { queue.thread = nil }
      return queue.thread
    }
    _ = thread?.join()
    do {
      try writer.withLock { writer in
        try drain(&writer)
        try writer?.blocks.sync()
        try writer?.batches.sync()
      }
    } catch {
      tellFailure(error)
    }
    let waiting = queue.withLock { queue in
      defer { queue.blocks = [] }
      return queue.blocks.reduce(0) { $0 + $1.batch.recordCount }
    }
    return writer.withLock { writer in
      defer { writer = nil }
      return waiting + (writer?.blocks.takenBackCount ?? 0)
    }
  }

  /// Waits before the next attempt; false where there is none.
  private func rests() -> Bool {
    if queue.withLock({ $0.isManual }) { return false }
    let deadline = monotonicNanoseconds() + Self.pause.wholeNanoseconds
    return queue.wait(untilMonotonicNanoseconds: deadline) { $0.isClosed ? false : nil } ?? true
  }

  private func tellFailure(_ error: any Error) {
    queue.withLock { $0.tell }(
      Notice(
        .error, kind: "log",
        "the log in the checkpoint directory \(folder.path) cannot be written: \(error). "
          + "Batches wait until it can"))
  }
}
