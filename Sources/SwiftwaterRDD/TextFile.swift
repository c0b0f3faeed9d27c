import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

extension SparkContext {
  /// The lines of text files, as a node.
  ///
  /// The path may name a file, a folder (its files, without those that begin with `.` or `_`), a
  /// pattern, or several of these behind commas; `file:` in front is allowed. Splits are Hadoop's:
  /// `minimumPartitions` or more, none larger than 32 MiB by more than a tenth. A compressed file, told
  /// by its name, has one. A byte order mark is not part of the first line.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) when nothing is there.
  public func textFileNode(
    _ path: String, minimumPartitions: Int, blockSize: Int = 256 << 10
  ) throws -> RDDNode {
    try textNode(
      of: FileSystem.files(at: path), name: path, minimumPartitions: minimumPartitions,
      blockSize: blockSize)
  }

  /// The lines of one file, whatever its name looks like. See
  /// ``textFileNode(_:minimumPartitions:blockSize:)``.
  public func textFileNode(_ file: FilledFile, minimumPartitions: Int) throws -> RDDNode {
    try textNode(
      of: [file], name: "file:\(file.path)", minimumPartitions: minimumPartitions,
      blockSize: 256 << 10)
  }

  private func textNode(
    of files: [FilledFile], name: String, minimumPartitions: Int, blockSize: Int
  ) throws -> RDDNode {
    let splits = FileSplit.plan(files, minimumPartitions: max(1, minimumPartitions))
    let lineLimit =
      try settings.bytes("swiftwater.receiver.maxLineLength", maximum: mostBlockBytes)
      ?? (16 << 20)
    let files = TextFiles(
      name: name, splits: splits, blockSize: blockSize, lineLimit: lineLimit, context: Weak(self))
    return .reading(
      files, name: "textFile", context: self, partitionCount: splits.count, recordType: .text)
  }

  /// The lines of text files. See ``textFileNode(_:minimumPartitions:blockSize:)``.
  public func textFile(_ path: String, minimumPartitions: Int? = nil) throws -> RDD<TextLine> {
    let minimum = minimumPartitions.map(checkedPartitions) ?? min(2, defaultParallelism)
    return RDD(try textFileNode(path, minimumPartitions: minimum))
  }
}

/// The lines of text files, a split a partition.
private struct TextFiles: PartitionSource {
  /// About how long a line is, in bytes.
  private static let usualLine = 64

  /// The path, as it was given.
  let name: String?
  let splits: [FileSplit]
  let blockSize: Int
  let lineLimit: Int
  /// Who hears of lines that are too long.
  let context: Weak

  init(
    name: String, splits: [FileSplit], blockSize: Int, lineLimit: Int, context: Weak
  ) {
    self.name = name
    self.splits = splits
    self.blockSize = blockSize
    self.lineLimit = lineLimit
    self.context = context
  }

  var recordCount: Int { splits.reduce(0) { $0 + $1.usualText / Self.usualLine } }

  func cursor(partition: Int, task: TaskContext) throws -> any BatchCursor {
    let split = splits[partition]
    let reader: any LineReader =
      if split.isCompressed {
        try UnpackedReader(
          split.path, with: context.value?.unpacker, blockSize: blockSize,
          maxLineLength: lineLimit)
      } else {
        try SplitReader(split, blockSize: blockSize, maxLineLength: lineLimit)
      }
    var droppedLines = 0
    return ClosureCursor { [context] in
      try task.checkCancellation()
      let block = try reader.next()
      let dropped = reader.takeDroppedLines()
      if let line = dropped.last {
        droppedLines += dropped.count
        // One for all files: there may be any number of them.
        context.value?.counters.counter(.linesDropped, of: "files").add(dropped.count)
        context.value?.events.post(
          .lineDropped(
            source: split.path.description, byteCount: line.byteCount, prefix: line.prefix,
            total: droppedLines))
      }
      return block
    }
  }
}

/// A context that its RDDs do not keep alive.
struct Weak: Sendable {
  weak let value: SparkContext?
  init(_ value: SparkContext) { self.value = value }
}

/// Reads the lines of a partition, block by block.
protocol LineReader: AnyObject {
  /// The next lines; nil at the end.
  func next() throws -> TextBlock?

  /// The lines that were too long, since the last call.
  func takeDroppedLines() -> [LineAssembler.DroppedLine]
}

/// What some programs put in front of UTF-8. Spark: Hadoop leaves it out where a file begins.
enum ByteOrderMark {
  static let utf8: [UInt8] = [0xEF, 0xBB, 0xBF]
}

/// A part of a file: the lines that begin behind `start` (or at it, when it is 0) and not behind
/// `end`, as Hadoop divides them.
struct FileSplit: Sendable, Equatable {
  let path: FilePath
  let start: Int
  let end: Int

  private static let largestSplit = 32 << 20
  private static let slack = 1.1

  /// A compressed file can be read from its beginning only: it is not divided.
  var isCompressed: Bool { Compression.isCompressed(path) }

  /// About how many bytes of text it has.
  var usualText: Int { (end - start) * (isCompressed ? Compression.usualRatio : 1) }

  static func plan(paths: String, minimumPartitions: Int) throws -> [FileSplit] {
    plan(try FileSystem.files(at: paths), minimumPartitions: minimumPartitions)
  }

  static func plan(_ files: [FilledFile], minimumPartitions: Int) -> [FileSplit] {
    let total = files.reduce(0) { $0 + $1.size }
    let goal = max(1, total / minimumPartitions)
    let size = max(1, min(goal, largestSplit))
    return files.flatMap { file -> [FileSplit] in
      var splits: [FileSplit] = []
      var start = 0
      let isDivided = !Compression.isCompressed(file.path)
      while isDivided && Double(file.size - start) / Double(size) > slack {
        splits.append(FileSplit(path: file.path, start: start, end: start + size))
        start += size
      }
      // Spark: an empty file has no split.
      if start < file.size {
        splits.append(FileSplit(path: file.path, start: start, end: file.size))
      }
      return splits
    }
  }
}

/// Reads the lines of a split of a plain file.
final class SplitReader: LineReader {
  private let file: OpenFile
  /// The bytes of the split's lines, terminators included.
  private var remaining: Range<Int>
  private var assembler: LineAssembler
  private let blockSize: Int

  init(_ split: FileSplit, blockSize: Int, maxLineLength: Int) throws {
    file = try OpenFile(path: split.path)
    // One read is enough for a block, but for very long lines.
    assembler = LineAssembler(blockSize: blockSize / 2, maxLineLength: maxLineLength)
    self.blockSize = blockSize
    let start =
      split.start == 0
      ? try Self.textStart(in: file) : try Self.lineStart(behind: split.start, in: file)
    remaining = start..<max(start, try Self.lineStart(behind: split.end, in: file))
  }

  func next() throws -> TextBlock? {
    while !assembler.isBlockFull && !remaining.isEmpty {
      var count = 0
      try assembler.append(atMost: min(blockSize, remaining.count)) { room in
        count = try file.read(into: room, at: remaining.lowerBound)
        return count
      }
      // A file that became shorter while it was read ends here.
      remaining = count == 0 ? 0..<0 : (remaining.lowerBound + count)..<remaining.upperBound
    }
    if remaining.isEmpty { assembler.finishLine() }
    return assembler.takeBlock()
  }

  func takeDroppedLines() -> [LineAssembler.DroppedLine] { assembler.takeDroppedLines() }

  /// The place behind a byte order mark.
  private static func textStart(in file: borrowing OpenFile) throws -> Int {
    let mark = ByteOrderMark.utf8
    return try withUnsafeTemporaryAllocation(byteCount: mark.count, alignment: 1) { buffer in
      let count = try file.read(into: buffer, at: 0)
      return buffer[..<count].elementsEqual(mark) ? mark.count : 0
    }
  }

  /// The place behind the first line terminator at or behind `offset`; the file's end without one.
  ///
  /// A line that begins exactly at a border belongs to the split before it, as in Hadoop.
  private static func lineStart(behind offset: Int, in file: borrowing OpenFile) throws -> Int {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 64)
    defer { buffer.deallocate() }
    var position = offset
    while true {
      let count = try file.read(into: buffer, at: position)
      if count == 0 { return position }
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      guard let index = bytes.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) else {
        position += count
        continue
      }
      let next = position + index + 1
      guard bytes[index] == 0x0D else { return next }
      // `\r\n` is one terminator.
      var byte: UInt8 = 0
      let follows = try withUnsafeMutableBytes(of: &byte) { try file.read(into: $0, at: next) }
      return follows == 1 && byte == 0x0A ? next + 1 : next
    }
  }
}
