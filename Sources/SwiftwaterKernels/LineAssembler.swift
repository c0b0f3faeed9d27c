import CKernels
import SwiftwaterCore

/// Turns bytes as they come into blocks of lines: a state machine without input, output or time.
///
/// A line ends at `\n`, `\r\n` or `\r`, wherever the chunks are cut. What is not UTF-8 becomes
/// U+FFFD, as Java does it (`TextRepair.swift`). A line over the limit is dropped whole and reported.
public struct LineAssembler: ~Copyable {
  /// A line that was longer than allowed.
  public struct DroppedLine: Sendable, Equatable {
    /// The length in bytes, without the terminator.
    public let byteCount: Int
    /// The first bytes, at most 80, repaired as UTF-8.
    public let prefix: String
  }

  private let blockSize: Int
  private let maxLineLength: Int

  private var memory: TextMemory
  /// Bytes in use, and where the line that is not yet complete begins.
  private var count = 0
  private var lineStart = 0
  private var lines: [TextBlock.LineSpan] = []
  /// The last byte was `\r`: a `\n` right behind it belongs to it.
  private var skipsLineFeed = false
  /// The bytes seen so far of a line that is being dropped, and its beginning.
  private var discarding: (byteCount: Int, prefix: String)?
  private var dropped: [DroppedLine] = []
  /// Every byte in use is below 128.
  private var isASCII = true

  private static let smallestCapacity = 4096
  private static let shownPrefix = 80

  /// - Parameters:
  ///   - blockSize: bytes after which ``isBlockFull`` is true; a block may be longer by a chunk.
  ///   - maxLineLength: the longest line in bytes, without its terminator.
  public init(blockSize: Int, maxLineLength: Int) {
    self.blockSize = min(blockSize, 1 << 30)
    self.maxLineLength = min(maxLineLength, 1 << 30)
    memory = .allocate(byteCount: Self.smallestCapacity + TextBlock.padding)
  }

  deinit { memory.release() }

  private var base: UnsafeMutableRawPointer { memory.base }
  private var capacity: Int { memory.byteCount - TextBlock.padding }

  /// True when enough complete lines are there for a block.
  public var isBlockFull: Bool { lineStart >= blockSize }

  /// The number of complete lines that no block has taken.
  public var pendingLines: Int { lines.count }

  /// A line has begun that is not complete.
  public var hasOpenLine: Bool { count > lineStart || discarding != nil }

  /// The bytes of complete lines that no block has taken.
  public var pendingBytes: Int { lineStart }

  /// The bytes that complete lines take which no block has taken: their text, and their places.
  public var pendingMemory: Int {
    lines.isEmpty ? 0 : lineStart + lines.capacity * MemoryLayout<TextBlock.LineSpan>.stride
  }

  /// Takes a copy of `chunk`, of any length below 1 GiB.
  public mutating func append(_ chunk: UnsafeRawBufferPointer) {
    append(atMost: chunk.count) { room in
      room.copyMemory(from: chunk)
      return chunk.count
    }
  }

  /// Takes what `read` puts into the memory that it gets, which has room for `size` bytes (less than
  /// 1 GiB): it says how many they are.
  public mutating func append(
    atMost size: Int, _ read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) rethrows {
    if size == 0 { return }
    reserve(size)
    let from = count
    let added = try read(UnsafeMutableRawBufferPointer(start: base + count, count: size))
    if added == 0 { return }
    count += added
    if skipsLineFeed {
      skipsLineFeed = false
      // The line before is over: nothing of the next one is there yet.
      if base.load(fromByteOffset: from, as: UInt8.self) == .lineFeed { lineStart = from + 1 }
    }
    endLines(from: max(from, lineStart))
    if count - lineStart > maxLineLength || discarding != nil { discardPartialLine() }
    if lines.isEmpty && lineStart > 0 { forgetDroppedLines() }
  }

  /// Ends the line that has no terminator yet, as at the end of a connection.
  public mutating func finishLine() {
    skipsLineFeed = false
    if count > lineStart || discarding != nil { endLine(at: count, next: count) }
  }

  /// The bytes of the first complete lines, so many of them.
  public func byteCount(ofLines count: Int) -> Int {
    count < lines.count ? Int(lines[count].start) : lineStart
  }

  /// Gives the first complete lines as a block, and keeps the rest. Nil without lines.
  ///
  /// - Parameters:
  ///   - most: how many lines; the block is a copy of them where there are more.
  ///   - lease: see ``takeBlock(lease:)``.
  public mutating func takeBlock(
    ofLines most: Int, lease: (Int) -> BufferLease? = { _ in nil }
  ) -> TextBlock? {
    guard most < lines.count else { return takeBlock(lease: lease) }
    if most <= 0 { return nil }
    let size = byteCount(ofLines: most)
    let copy = TextMemory.allocate(byteCount: size + TextBlock.padding)
    // SAFETY: `size` bytes from `base` on are initialised, and `copy` has room for them.
    copy.base.copyMemory(from: base, byteCount: size)
    (copy.base + size).initializeMemory(as: UInt8.self, repeating: 0, count: TextBlock.padding)
    let block = Self.validBlock(
      adopting: copy, byteCount: size, lines: Array(lines[..<most]), isASCII: isASCII, lease: lease)
    // SAFETY: both ranges lie in the memory; `copyMemory` allows that they overlap.
    base.copyMemory(from: base + size, byteCount: count - size)
    let moved = UInt32(size)
    lines = lines[most...].map { .init(start: $0.start - moved, end: $0.end - moved) }
    count -= size
    lineStart -= size
    return block
  }

  /// Gives the complete lines as a block, and keeps the unfinished one. Nil without lines.
  ///
  /// - Parameter lease: makes the block's share of a bounded buffer from the bytes of memory that it
  ///   holds: text, places of lines, and itself.
  public mutating func takeBlock(lease: (Int) -> BufferLease? = { _ in nil }) -> TextBlock? {
    guard !lines.isEmpty else { return nil }
    let size = lineStart
    let tail = count - size
    let next = TextMemory.allocate(
      byteCount: max(Self.smallestCapacity, tail) + TextBlock.padding)
    // SAFETY: `tail` bytes from `base + size` are initialised, and `next` has room for them.
    next.base.copyMemory(from: base + size, byteCount: tail)
    (base + size).initializeMemory(as: UInt8.self, repeating: 0, count: TextBlock.padding)
    let block = Self.validBlock(
      adopting: memory, byteCount: size, lines: lines, isASCII: isASCII,
      lease: lease)
    memory = next
    count = tail
    lineStart = 0
    // Most likely the next block has as many.
    let expected = lines.count + lines.count / 8
    lines = []
    lines.reserveCapacity(min(expected, 1 << 16))
    isASCII =
      isASCII || SwiftwaterKernels.isASCII(UnsafeRawBufferPointer(start: base, count: tail))
    return block
  }

  /// The lines dropped since the last call.
  public mutating func takeDroppedLines() -> [DroppedLine] {
    defer { dropped = [] }
    return dropped
  }

  // MARK: - Lines

  /// Ends every line whose terminator lies at or behind `from`.
  private mutating func endLines(from: Int) {
    if from >= count { return }
    let wordCount = (count - from + 63) / 64
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: wordCount) { bits in
      // SAFETY: the bytes `from..<count` are initialised, and `bits` has a word for 64 of them.
      let seen = sw_scan_lines(
        (base + from).assumingMemoryBound(to: UInt8.self), count - from, bits.baseAddress!)
      if seen & UInt32(SW_SAW_BEYOND_ASCII) != 0 { isASCII = false }
      if seen & UInt32(SW_SAW_CARRIAGE_RETURN) != 0 { return endLinesOfEveryKind(from: from) }
      endLines(at: UnsafeBufferPointer(bits), from: from)
    }
  }

  /// Ends a line at every bit; the first one stands for the byte at `from`.
  private mutating func endLines(at bits: UnsafeBufferPointer<UInt64>, from: Int) {
    var total = 0
    for word in bits { total += word.nonzeroBitCount }
    if total == 0 { return }
    // Room for those that a word's first two places write beyond the last.
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: total + 2) { ends in
      var next = ends.baseAddress!
      for (number, word) in bits.enumerated() {
        let base = UInt32(truncatingIfNeeded: from + number * 64)
        let count = word.nonzeroBitCount
        var word = word
        // Most words have none, one or two: both places are written without asking, as a branch that
        // nobody can foresee costs more. Source: Langdale, Lemire (2019), section 3.1.4.
        next.initialize(to: base &+ UInt32(truncatingIfNeeded: word.trailingZeroBitCount))
        word &= word &- 1
        (next + 1).initialize(to: base &+ UInt32(truncatingIfNeeded: word.trailingZeroBitCount))
        if count > 2 {
          for place in 2..<count {
            word &= word &- 1
            (next + place).initialize(
              to: base &+ UInt32(truncatingIfNeeded: word.trailingZeroBitCount))
          }
        }
        next += count
      }
      addLines(endingAt: UnsafeBufferPointer(rebasing: ends[..<total]))
    }
  }

  private mutating func addLines(endingAt ends: UnsafeBufferPointer<UInt32>) {
    guard discarding == nil, count - lineStart <= maxLineLength else {
      for end in ends { endLine(at: Int(end), next: Int(end) + 1) }
      return
    }
    withUnsafeTemporaryAllocation(of: TextBlock.LineSpan.self, capacity: ends.count) { spans in
      var start = UInt32(truncatingIfNeeded: lineStart)
      for (index, end) in ends.enumerated() {
        spans.initializeElement(at: index, to: .init(start: start, end: end))
        start = end &+ 1
      }
      lines.append(contentsOf: UnsafeBufferPointer(spans))
      lineStart = Int(start)
    }
  }

  private mutating func endLinesOfEveryKind(from: Int) {
    var position = from
    while position < count {
      let byte = base.load(fromByteOffset: position, as: UInt8.self)
      guard byte == .lineFeed || byte == .carriageReturn else {
        position += 1
        continue
      }
      var next = position + 1
      if byte == .carriageReturn {
        if next == count {
          skipsLineFeed = true
        } else if base.load(fromByteOffset: next, as: UInt8.self) == .lineFeed {
          next += 1
        }
      }
      endLine(at: position, next: next)
      position = next
    }
  }

  private mutating func endLine(at end: Int, next: Int) {
    let length = end - lineStart
    if let (seen, prefix) = discarding {
      dropped.append(DroppedLine(byteCount: seen + length, prefix: prefix))
      discarding = nil
    } else if length > maxLineLength {
      dropped.append(DroppedLine(byteCount: length, prefix: shownPrefix(from: lineStart, to: end)))
    } else {
      lines.append(.init(start: UInt32(lineStart), end: UInt32(end)))
    }
    lineStart = next
  }

  /// Forgets the bytes of a line that is already too long, before its end is known.
  private mutating func discardPartialLine() {
    let length = count - lineStart
    let (seen, prefix) = discarding ?? (0, shownPrefix(from: lineStart, to: count))
    discarding = (seen + length, prefix)
    count = lineStart
  }

  /// Moves the unfinished line to the front, where nothing but dropped lines lies before it.
  private mutating func forgetDroppedLines() {
    base.copyMemory(from: base + lineStart, byteCount: count - lineStart)
    count -= lineStart
    lineStart = 0
  }

  private func shownPrefix(from start: Int, to end: Int) -> String {
    let length = min(Self.shownPrefix, end - start)
    return repairedText(UnsafeRawBufferPointer(start: base + start, count: length))
  }

  // MARK: - Memory

  private mutating func reserve(_ extra: Int) {
    guard count + extra > capacity else { return }
    // Beyond two blocks it is a long line, or a large read. Such a line may come in many small pieces, and
    // is not to be copied for each of them.
    let grown =
      capacity < blockSize * 2 ? min(capacity * 2, blockSize * 2) : capacity + capacity / 4
    let newCapacity = max(count + extra, grown)
    let larger = TextMemory.allocate(byteCount: newCapacity + TextBlock.padding)
    larger.base.copyMemory(from: base, byteCount: count)
    memory.release()
    memory = larger
  }

  /// Makes the block, with what is not UTF-8 replaced.
  private static func validBlock(
    adopting memory: TextMemory, byteCount: Int,
    lines: [TextBlock.LineSpan], isASCII: Bool, lease: (Int) -> BufferLease?
  ) -> TextBlock {
    let bytes = UnsafeRawBufferPointer(start: memory.base, count: byteCount)
    let validity = isASCII ? .ascii : utf8Validity(of: bytes)
    switch validity {
    case .ascii, .valid:
      return TextBlock(
        adopting: memory, byteCount: byteCount, lines: lines, isASCII: validity == .ascii,
        lease: lease(TextBlock.footprint(of: memory, lines)))
    case .invalid:
      defer { memory.release() }
      var repaired: [UInt8] = []
      repaired.reserveCapacity(byteCount + byteCount / 8)
      var spans: [TextBlock.LineSpan] = []
      spans.reserveCapacity(lines.count)
      for line in lines {
        let start = UInt32(repaired.count)
        let text = UnsafeRawBufferPointer(rebasing: bytes[Int(line.start)..<Int(line.end)])
        repaired.append(contentsOf: repairedText(text).utf8)
        spans.append(.init(start: start, end: UInt32(repaired.count)))
        repaired.append(.lineFeed)
      }
      let copy = TextMemory.allocate(byteCount: repaired.count + TextBlock.padding)
      repaired.withUnsafeBytes { copy.base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      (copy.base + repaired.count).initializeMemory(
        as: UInt8.self, repeating: 0, count: TextBlock.padding)
      return TextBlock(
        adopting: copy, byteCount: repaired.count, lines: spans, isASCII: false,
        lease: lease(TextBlock.footprint(of: copy, spans)))
    }
  }
}

extension UInt8 {
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
}
