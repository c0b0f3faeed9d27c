import DequeModule
import SwiftwaterCore

/// Turns records of other forms than text into bytes and back, for the block log.
public protocol BlockCoder: Sendable {
  /// - Throws: where the records have no form as bytes.
  func encode(_ batch: any RecordBatch) throws -> [UInt8]
  func decode(_ bytes: [UInt8]) throws -> any RecordBatch
}

/// Writes blocks into files, one after the other. Used by one thread at a time.
///
/// A file is done with when each block in it is in a batch that nothing goes back to.
struct BlockLog {
  static let prefix = "blocks-"

  /// The form of a block's content.
  enum Form: UInt8 {
    case text = 1
    case coded = 2
  }

  /// What is known of a file.
  struct Segment {
    /// Blocks in it that no batch has.
    var open: Set<BlockID> = []
    /// The latest batch that has one of its blocks.
    var latest = BatchTime(milliseconds: .min)
  }

  private let folder: LogFolder
  private let coder: (any BlockCoder)?
  /// A new file is begun behind so many bytes.
  private let segmentLength: Int
  /// Each block has a file of its own that is closed then.
  private let closesAfterWrite: Bool
  private var file: LogFile?
  private var number: Int
  private(set) var segments: [Int: Segment] = [:]
  private var places: [BlockID: Int] = [:]
  /// What was written and is perhaps not on the disk; what the disk refuses is written again.
  private var unsynced: [(id: BlockID, batch: any RecordBatch)] = []

  init(
    _ folder: LogFolder, coder: (any BlockCoder)?, after number: Int, segmentLength: Int,
    closesAfterWrite: Bool
  ) {
    self.folder = folder
    self.coder = coder
    self.number = number
    self.segmentLength = segmentLength
    self.closesAfterWrite = closesAfterWrite
  }

  /// A file of an earlier run, with the blocks in it that batches have and those that none has.
  mutating func know(_ segment: Int, open: Set<BlockID>, latest: BatchTime) {
    segments[segment] = Segment(open: open, latest: latest)
    for id in open { places[id] = segment }
  }

  /// Writes a block; it may not be on the disk yet.
  ///
  /// - Throws: ``SystemFailure``; an error of the coder.
  mutating func append(_ id: BlockID, _ batch: any RecordBatch) throws {
    if places[id] != nil { return }
    try write(id, batch)
    unsynced.append((id, batch))
    guard let file, closesAfterWrite || file.length >= segmentLength else { return }
    // What follows goes into the next one.
    try sync()
    self.file = nil
  }

  private mutating func write(_ id: BlockID, _ batch: any RecordBatch) throws {
    let file = try self.file ?? begun()
    self.file = file
    var head = ItemWriter()
    head.add(id.source)
    head.add(id.run)
    head.add(Int64(id.number))
    try withContent(of: try batch.inMemory(), coder) { form, content in
      head.add(byte: form.rawValue)
      try head.bytes.withUnsafeBytes { head in _ = try file.append([head] + content) }
    }
    KillPoints.pass("block log.written")
    segments[number, default: Segment()].open.insert(id)
    places[id] = number
    file.beginWriting(from: 1 << 20)
  }

  private mutating func begun() throws -> LogFile {
    number += 1
    return try LogFile("\(Self.prefix)\(number)", in: folder)
  }

  /// Waits until all blocks are on the disk.
  ///
  /// - Throws: ``SystemFailure``: a next call writes again what may be lost.
  mutating func sync() throws {
    do {
      try file?.sync()
    } catch {
      // What the system has dropped it calls clean: the blocks are written anew, elsewhere.
      file = nil
      let lost = unsynced
      unsynced = []
      for (id, batch) in lost {
        if let number = places.removeValue(forKey: id) { segments[number]?.open.remove(id) }
        rewrite.append((id, batch))
      }
      throw error
    }
    unsynced = []
  }

  /// Blocks that are to be written before all others.
  private(set) var rewrite: Deque<(id: BlockID, batch: any RecordBatch)> = []

  /// The records of blocks that a failure has taken back, and that are not written again.
  var takenBackCount: Int { rewrite.reduce(0) { $0 + $1.batch.recordCount } }

  /// Writes what a failure has taken back.
  mutating func writeAgain() throws {
    while let (id, batch) = rewrite.first {
      try append(id, batch)
      rewrite.removeFirst()
    }
  }

  /// A batch has these blocks.
  mutating func assign(_ blocks: some Sequence<BlockID>, to time: BatchTime) {
    for id in blocks {
      guard let number = places.removeValue(forKey: id), var segment = segments[number] else {
        continue
      }
      // Not in two places at once: a set is not copied.
      segments[number] = nil
      segment.open.remove(id)
      segment.latest = max(segment.latest, time)
      segments[number] = segment
    }
  }

  /// Removes the files of which nothing is needed behind a time.
  mutating func forget(until time: BatchTime) {
    for (number, segment) in segments
    where segment.open.isEmpty && segment.latest <= time && (file == nil || number != self.number) {
      segments[number] = nil
      folder.remove("\(Self.prefix)\(number)")
    }
  }
}

/// Calls `body` with the form and the parts of a block's content.
private func withContent(
  of batch: any RecordBatch, _ coder: (any BlockCoder)?,
  _ body: (BlockLog.Form, [UnsafeRawBufferPointer]) throws -> Void
) throws {
  if let block = batch as? TextBlock {
    try block.withEncodedParts { try body(.text, $0) }
    return
  }
  guard let coder else {
    throw EngineError.unavailable(
      "records of the type \(type(of: batch)) cannot be written into the block log")
  }
  let bytes = try coder.encode(batch)
  try bytes.withUnsafeBytes { try body(.coded, [$0]) }
}

/// A block in a file of the log. It is read when it is needed.
public final class LoggedBlock: StoredBatch {
  public let id: BlockID
  private let file: Descriptor
  private let name: String
  private let place: Range<Int>
  private let form: BlockLog.Form
  private let coder: (any BlockCoder)?
  public let recordCount: Int

  /// - Parameters:
  ///   - content: of a frame, as it is in memory.
  ///   - place: of that content in the file.
  /// - Throws: ``EngineError`` (`unavailable`) where it is no block.
  init(
    _ content: ArraySlice<UInt8>, at place: Range<Int>, in file: Descriptor, named name: String,
    coder: (any BlockCoder)?
  ) throws {
    var reader = ItemReader(Array(content.prefix(4096)))
    let source = try reader.source()
    id = BlockID(source: source, run: try reader.integer(), number: Int(try reader.integer()))
    guard let form = BlockLog.Form(rawValue: try reader.byte()) else { throw ItemReader.broken }
    self.form = form
    self.file = file
    self.name = name
    self.coder = coder
    let start = min(4096, content.count) - reader.restCount
    self.place = (place.lowerBound + start)..<place.upperBound
    recordCount = try Self.batch(Array(content.dropFirst(start)), form, coder).recordCount
  }

  public func loaded() throws -> any RecordBatch {
    let bytes: [UInt8]
    do {
      bytes = try [UInt8](unsafeUninitializedCapacity: place.count) { memory, count in
        // SAFETY: as many bytes count as were read.
        count = try file.read(
          at: place.lowerBound, into: UnsafeMutableRawBufferPointer(memory))
      }
    } catch {
      throw EngineError.unavailable("a block in the log \(name) cannot be read: \(error)")
    }
    return try Self.batch(bytes, form, coder)
  }

  private static func batch(
    _ bytes: [UInt8], _ form: BlockLog.Form, _ coder: (any BlockCoder)?
  ) throws -> any RecordBatch {
    switch form {
    case .text:
      return try bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return try TextBlock(from: &reader)
      }
    case .coded:
      guard let coder else {
        throw EngineError.unavailable("a block in the log is in a form that this job cannot read")
      }
      return try coder.decode(bytes)
    }
  }
}
