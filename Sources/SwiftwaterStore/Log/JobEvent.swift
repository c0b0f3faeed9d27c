import SwiftwaterCore

/// What has become of a job, for its log. Live run and recovery fold the same events into a
/// ``LoggedJob``.
public enum JobEvent: Hashable, Sendable {
  /// The first event of each file: all that the files before it say, as far as it is needed.
  case continued(LoggedJob)
  /// A job begins that goes on from nothing: what was before does not count.
  case began
  /// What a batch will read and do is known; it runs when this is on the disk.
  case planned(PlannedBatch)
  /// Input that was in no batch of an earlier run goes to this batch.
  case adopted(BatchTime, [BatchInput])
  /// An output has taken effect.
  case committed(BatchTime, OutputName)
  /// All that a batch leaves behind is where it belongs; the outputs failed.
  case ended(BatchTime, failed: [OutputName])
  /// Nothing goes back behind this time any more.
  case forgotten(until: BatchTime)
}

/// What a log says of a job: the fold of its events.
public struct LoggedJob: Hashable, Sendable {
  /// A batch that a recovery may have to run again.
  public struct Batch: Hashable, Sendable {
    /// What it reads; blocks of several runs where it ran in several.
    public var inputs: [BatchInput] = []
    /// The outputs that have taken effect.
    public var committed: Set<OutputName> = []
    /// It has begun: what it reads is known, and nothing is added to it.
    public var isPlanned = false
    public var isOver = false
  }

  /// Names the blocks of one source in one run.
  public struct BlockRun: Hashable, Sendable {
    public let source: SourceName
    public let run: Int64
  }

  /// Behind the time until which nothing is needed.
  public private(set) var batches: [BatchTime: Batch] = [:]
  /// Blocks with smaller numbers are in batches.
  public private(set) var taken: [BlockRun: Int] = [:]
  /// Until when nothing is needed.
  public private(set) var forgotten = BatchTime(milliseconds: .min)

  public init() {}

  public mutating func apply(_ event: JobEvent) {
    switch event {
    case .continued(let job): self = job
    case .began: self = LoggedJob()
    case .planned(let batch):
      for input in batch.inputs { add(input, at: batch.time) }
      for late in batch.late { add(late.input, at: late.time) }
      if batch.time > forgotten {
        batches[batch.time, default: Batch()].isPlanned = true
        batches[batch.time, default: Batch()].isOver = false
      }
    case .adopted(let time, let inputs):
      for input in inputs { add(input, at: time) }
    case .committed(let time, let output):
      if time > forgotten { batches[time, default: Batch()].committed.insert(output) }
    case .ended(let time, _):
      if time > forgotten { batches[time, default: Batch()].isOver = true }
    case .forgotten(let time):
      forgotten = max(forgotten, time)
      for old in batches.keys where old <= forgotten { batches[old] = nil }
    }
  }

  /// The latest batch that is known to have been planned; it never goes back.
  var reached: BatchTime {
    batches.lazy.filter { $0.value.isPlanned }.map(\.key).reduce(forgotten, max)
  }

  /// Lets go of the blocks of runs of which none is left.
  mutating func keepRuns(_ isThere: (BlockRun) -> Bool) {
    taken = taken.filter { isThere($0.key) }
  }

  private mutating func add(_ input: BatchInput, at time: BatchTime) {
    if case .blocks(let blocks, _) = input {
      for block in blocks {
        let run = BlockRun(source: block.source, run: block.run)
        taken[run] = max(taken[run] ?? 0, block.number + 1)
      }
    }
    guard time > forgotten else { return }
    var inputs = batches[time]?.inputs ?? []
    switch input {
    case .restored: break
    case .range(let source, _):
      // One that is planned again reads the same.
      inputs.removeAll { if case .range(source, _) = $0 { true } else { false } }
      inputs.append(input)
    case .blocks(let blocks, let position):
      let known = Set(inputs.flatMap(\.blocks))
      let new = blocks.filter { !known.contains($0) }
      if !new.isEmpty { inputs.append(.blocks(new, upTo: position)) }
    }
    batches[time, default: Batch()].inputs = inputs
  }
}

extension BatchInput {
  /// The blocks, where it is some.
  var blocks: [BlockID] {
    if case .blocks(let blocks, _) = self { blocks } else { [] }
  }
}

// MARK: - As bytes

extension JobEvent {
  /// The event as bytes: one for its kind, and what ``ItemWriter`` makes of the rest.
  var bytes: [UInt8] {
    var writer = ItemWriter()
    switch self {
    case .continued(let job):
      writer.add(byte: 1)
      writer.add(job.forgotten.milliseconds)
      // In an order of their own, so that the same job has the same bytes.
      writer.add(job.batches.sorted { $0.key < $1.key }) { writer, entry in
        writer.add(entry.key.milliseconds)
        writer.add(byte: (entry.value.isOver ? 1 : 0) | (entry.value.isPlanned ? 2 : 0))
        writer.add(entry.value.inputs) { $0.add($1) }
        writer.add(entry.value.committed.map(\.description).sorted()) { $0.add($1) }
      }
      let runs = job.taken.sorted {
        ($0.key.source.description, $0.key.run) < ($1.key.source.description, $1.key.run)
      }
      writer.add(runs) { writer, entry in
        writer.add(entry.key.source)
        writer.add(entry.key.run)
        writer.add(Int64(entry.value))
      }
    case .began: writer.add(byte: 2)
    case .planned(let batch):
      writer.add(byte: 3)
      writer.add(batch.bytes)
    case .adopted(let time, let inputs):
      writer.add(byte: 4)
      writer.add(time.milliseconds)
      writer.add(inputs) { $0.add($1) }
    case .committed(let time, let output):
      writer.add(byte: 5)
      writer.add(time.milliseconds)
      writer.add(output.description)
    case .ended(let time, let failed):
      writer.add(byte: 6)
      writer.add(time.milliseconds)
      writer.add(failed) { $0.add($1.description) }
    case .forgotten(let time):
      writer.add(byte: 7)
      writer.add(time.milliseconds)
    }
    return writer.bytes
  }

  /// Reads what ``bytes`` has given.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) for what is none of it.
  init(bytes: [UInt8]) throws {
    var reader = ItemReader(bytes)
    func time() throws -> BatchTime { BatchTime(milliseconds: try reader.integer()) }
    switch try reader.byte() {
    case 1: self = .continued(try LoggedJob(&reader))
    case 2: self = .began
    case 3: self = .planned(try PlannedBatch(bytes: try reader.bytes()))
    case 4: self = .adopted(try time(), try reader.list { try $0.input() })
    case 5: self = .committed(try time(), OutputName(try reader.text()))
    case 6: self = .ended(try time(), failed: try reader.list { OutputName(try $0.text()) })
    case 7: self = .forgotten(until: try time())
    default: throw ItemReader.broken
    }
    guard reader.isAtEnd else { throw ItemReader.broken }
  }
}

extension LoggedJob {
  fileprivate init(_ reader: inout ItemReader) throws {
    forgotten = BatchTime(milliseconds: try reader.integer())
    let batches = try reader.list { reader -> (BatchTime, Batch) in
      let time = BatchTime(milliseconds: try reader.integer())
      var batch = Batch()
      let marks = try reader.byte()
      (batch.isOver, batch.isPlanned) = (marks & 1 != 0, marks & 2 != 0)
      batch.inputs = try reader.list { try $0.input() }
      batch.committed = Set(try reader.list { OutputName(try $0.text()) })
      return (time, batch)
    }
    self.batches = Dictionary(batches) { _, last in last }
    let taken = try reader.list { reader in
      (
        BlockRun(source: try reader.source(), run: try reader.integer()),
        Int(try reader.integer())
      )
    }
    self.taken = Dictionary(taken) { _, last in last }
  }
}
