/// Lines of text: contiguous, valid UTF-8 and the place of each line in it.
///
/// The bytes keep the line terminators that came in; ``LineSpan`` leaves them out. Behind the last
/// byte lie ``padding`` readable bytes, so that wide reads are safe. Immutable.
public final class TextBlock: ElementBatch, @unchecked Sendable {
  // SAFETY (@unchecked Sendable): the memory is written before `init` and only read after it.

  /// Readable bytes behind the content.
  public static let padding = 64

  /// One line: offsets into the block's bytes, without the terminator.
  public struct LineSpan: Sendable, Hashable, BitwiseCopyable {
    public let start: UInt32
    public let end: UInt32

    public init(start: UInt32, end: UInt32) {
      self.start = start
      self.end = end
    }
  }

  /// The lines, in the order in which they came.
  public let lines: [LineSpan]
  /// True where every byte is below 128.
  public let isASCII: Bool
  /// The number of bytes of content, terminators included.
  public let byteCount: Int

  private let memory: TextMemory
  private let lease: BufferLease?

  /// Takes over memory that is at least `byteCount + padding` bytes long.
  ///
  /// - Parameters:
  ///   - lease: the block's share of a bounded buffer, given back when the block goes away, if not before.
  public init(
    adopting memory: TextMemory, byteCount: Int, lines: [LineSpan], isASCII: Bool,
    lease: BufferLease? = nil
  ) {
    self.memory = memory
    self.byteCount = byteCount
    self.lines = lines
    self.isASCII = isASCII
    self.lease = lease
  }

  /// The bytes of memory that a block of these parts holds, as far as they are allocated.
  public static func footprint(of memory: TextMemory, _ lines: [LineSpan]) -> Int {
    memory.byteCount + lines.capacity * MemoryLayout<LineSpan>.stride + Self.ownBytes
  }

  /// About what the object itself takes, with the head of its array and its lease.
  private static let ownBytes = 256

  /// Gives the share of the buffer back: the block has been worked on, and is kept for something
  /// else.
  public func giveUpLease() { lease?.giveUp() }

  deinit { memory.release() }

  public var recordCount: Int { lines.count }

  /// Calls `body` with the block's bytes (content only; `padding` more may be read behind them).
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    // SAFETY: `memory` holds `byteCount` initialised bytes while `self` lives.
    try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: memory.base, count: byteCount))
    }
  }

  public func forEachElement(_ body: (TextLine) throws -> Void) rethrows {
    for span in lines { try body(TextLine(block: self, span: span)) }
  }
}

/// A line, or a part of one, inside a ``TextBlock``. Holds on to the block; copies nothing.
public struct TextLine: Sendable, Hashable, Comparable, CustomStringConvertible {
  let block: TextBlock
  let span: TextBlock.LineSpan

  init(block: TextBlock, span: TextBlock.LineSpan) {
    self.block = block
    self.span = span
  }

  /// The length in bytes.
  public var utf8Count: Int { Int(span.end - span.start) }

  /// Calls `body` with the bytes, which are valid UTF-8.
  public func withUTF8<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try block.withBytes { bytes in
      try body(UnsafeRawBufferPointer(rebasing: bytes[Int(span.start)..<Int(span.end)]))
    }
  }

  /// The parts between occurrences of `separator`, empty ones included, as Python's
  /// `str.split(separator)` gives them.
  ///
  /// - Parameter separator: one ASCII character.
  public func split(separator: Unicode.Scalar) -> [TextLine] {
    precondition(separator.isASCII, "the separator is one ASCII character")
    let mark = UInt8(truncatingIfNeeded: separator.value)
    return block.withBytes { bytes in
      var parts: [TextLine] = []
      var start = Int(span.start)
      for index in Int(span.start)..<Int(span.end) where bytes[index] == mark {
        parts.append(part(from: start, to: index))
        start = index + 1
      }
      parts.append(part(from: start, to: Int(span.end)))
      return parts
    }
  }

  private func part(from start: Int, to end: Int) -> TextLine {
    TextLine(block: block, span: .init(start: UInt32(start), end: UInt32(end)))
  }

  public var description: String {
    withUTF8 { String(decoding: $0, as: UTF8.self) }
  }

  public static func == (a: TextLine, b: TextLine) -> Bool {
    a.utf8Count == b.utf8Count
      && a.withUTF8 { left in b.withUTF8 { right in left.elementsEqual(right) } }
  }

  /// Compares by code point, as Python compares `str`.
  public static func < (a: TextLine, b: TextLine) -> Bool {
    a.withUTF8 { left in b.withUTF8 { right in left.lexicographicallyPrecedes(right) } }
  }

  public func hash(into hasher: inout Hasher) {
    withUTF8 { hasher.combine(bytes: $0) }
  }
}
