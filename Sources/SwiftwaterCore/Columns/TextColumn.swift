/// One text of a column, in Arrow's layout (Utf8View, 16 bytes, little endian): its length in bytes,
/// and up to 12 bytes itself, padded with zeros, or else its first 4 bytes, the number of a buffer,
/// and the place in it.
///
/// Two texts of up to 12 bytes are equal where their views are.
@frozen
public struct TextView: Hashable, Sendable {
  /// The length, and bytes 0 to 3.
  public var low: UInt64
  /// Bytes 4 to 11; or the number of the buffer (lower half) and the place in it (upper half).
  public var high: UInt64

  public static let longestInline = 12

  @inlinable @inline(__always)
  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  @inlinable @inline(__always)
  public static var empty: TextView { TextView(low: 0, high: 0) }

  /// The length in bytes.
  @inlinable @inline(__always)
  public var count: Int { Int(UInt32(truncatingIfNeeded: low)) }

  @inlinable @inline(__always)
  public var isInline: Bool { UInt32(truncatingIfNeeded: low) <= 12 }

  /// Of a text that is not inline.
  @inlinable @inline(__always)
  public var buffer: Int { Int(UInt32(truncatingIfNeeded: high)) }

  @inlinable @inline(__always)
  public var offset: Int { Int(high >> 32) }

  /// The view of `count` bytes at `start`, which are at `offset` in the buffer with that number.
  ///
  /// SAFETY: 12 bytes from `start` on must be readable.
  @inlinable @inline(__always)
  public init(_ start: UnsafeRawPointer, count: Int, buffer: UInt32, offset: Int) {
    let first = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
    let length = UInt64(truncatingIfNeeded: count)
    if count > 12 {
      low = length | first << 32
      high = UInt64(buffer) | UInt64(truncatingIfNeeded: offset) << 32
      return
    }
    let second = UInt64(
      UInt32(littleEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    // Masks without branches, which no processor could foresee: a shift by 64 is two by 32.
    let half = min(length, 8) &<< 2
    let firstKept = first & ~((UInt64.max &<< half) &<< half)
    let secondKept = second & ((1 &<< ((max(length, 8) &- 8) &<< 3)) &- 1)
    low = length | firstKept &<< 32
    high = firstKept &>> 32 | secondKept &<< 32
  }

  /// The same text where the buffers of its column begin at another number.
  @inlinable @inline(__always)
  public func shifted(by buffers: UInt32) -> TextView {
    isInline ? self : TextView(low: low, high: high &+ UInt64(buffers))
  }
}

/// Texts: a view for each row, and the buffers that the views of longer texts point into.
public struct TextColumn: Sendable {
  public var views: Buffer<TextView>
  /// The bytes that the views point into, with ``TextBlock/padding`` readable ones behind them.
  public var buffers: [Buffer<UInt8>]
  /// True where every byte of every row is known to be below 128.
  public var isASCII: Bool
  /// The lines that the rows are, where they are lines of one block in its order: so that a kernel
  /// can go over the block's bytes as a whole.
  public var lines: (block: TextBlock, range: Range<Int>)?

  public init(views: Buffer<TextView>, buffers: [Buffer<UInt8>], isASCII: Bool) {
    self.views = views
    self.buffers = buffers
    self.isASCII = isASCII
  }

  /// Takes the array over.
  public init(views: [TextView], buffers: [Buffer<UInt8>], isASCII: Bool) {
    self.init(views: Buffer(views), buffers: buffers, isASCII: isASCII)
  }

  public var count: Int { views.count }

  /// Calls `body` with access to the rows' bytes.
  @inlinable @inline(__always)
  public func withRows<R>(_ body: (TextRows) throws -> R) rethrows -> R {
    // SAFETY: buffers and views live until `body` returns.
    try withExtendedLifetime(buffers) {
      try views.withUnsafeBufferPointer { views in
        if buffers.count == 1 {
          return try withUnsafePointer(to: UnsafeRawPointer(buffers[0].base)) { bases in
            try body(TextRows(views: views, bases: UnsafeBufferPointer(start: bases, count: 1)))
          }
        }
        return try buffers.map { UnsafeRawPointer($0.base) }.withUnsafeBufferPointer { bases in
          try body(TextRows(views: views, bases: bases))
        }
      }
    }
  }

  /// The rows at `places`, in their order.
  public func gathered(_ places: [UInt32]) -> TextColumn {
    let gathered = views.withUnsafeBufferPointer { views in
      Buffer<TextView>(unsafeUninitializedCapacity: places.count) { output, used in
        for place in places {
          output[used] = views[Int(place)]
          used += 1
        }
      }
    }
    return TextColumn(views: gathered, buffers: buffers, isASCII: isASCII)
  }

  public func sliced(_ range: Range<Int>) -> TextColumn {
    var slice = TextColumn(views: views.sliced(range), buffers: buffers, isASCII: isASCII)
    slice.lines = lines.map { block, lines in
      (block, (lines.lowerBound + range.lowerBound)..<(lines.lowerBound + range.upperBound))
    }
    return slice
  }

  /// The text of one row.
  public subscript(row: Int) -> String {
    withRows { String(decoding: $0[row], as: UTF8.self) }
  }
}

/// The bytes of a text column's rows, for as long as the closure runs that it was given to.
@frozen
public struct TextRows {
  public let views: UnsafeBufferPointer<TextView>
  public let bases: UnsafeBufferPointer<UnsafeRawPointer>

  @inlinable @inline(__always)
  public init(
    views: UnsafeBufferPointer<TextView>, bases: UnsafeBufferPointer<UnsafeRawPointer>
  ) {
    self.views = views
    self.bases = bases
  }

  @inlinable @inline(__always)
  public var count: Int { views.count }

  /// The bytes of a row.
  @inlinable @inline(__always)
  public subscript(row: Int) -> UnsafeRawBufferPointer {
    // SAFETY: an inline text lies in its view behind the length; another where its view says.
    let view = views.baseAddress! + row
    let length = view.pointee.count
    if length <= 12 {
      return UnsafeRawBufferPointer(start: UnsafeRawPointer(view) + 4, count: length)
    }
    let base = bases[view.pointee.buffer]
    return UnsafeRawBufferPointer(start: base + view.pointee.offset, count: length)
  }

  /// The view of a part of a row, in the same buffers.
  @inlinable @inline(__always)
  public func part(_ row: Int, from start: Int, count: Int) -> TextView {
    let view = views[row]
    if !view.isInline {
      let (buffer, offset) = (view.buffer, view.offset + start)
      // SAFETY: the part lies in the buffer, behind whose bytes more are readable.
      return TextView(
        bases[buffer] + offset, count: count, buffer: UInt32(truncatingIfNeeded: buffer),
        offset: offset)
    }
    let bytes = (UInt128(view.high) << 32 | UInt128(view.low >> 32)) >> UInt128(start * 8)
    let kept = bytes & ((1 << UInt128(count * 8)) - 1)
    return TextView(
      low: UInt64(truncatingIfNeeded: count) | UInt64(truncatingIfNeeded: kept) << 32,
      high: UInt64(truncatingIfNeeded: kept >> 32))
  }

  /// True where both rows' bytes are the same.
  @inlinable @inline(__always)
  public func isEqual(_ row: Int, _ other: TextRows, _ otherRow: Int) -> Bool {
    let (a, b) = (views[row], other.views[otherRow])
    if a.low != b.low { return false }
    if a.isInline { return a.high == b.high }
    return equalBytes(self[row], other[otherRow])
  }
}

/// True where both hold the same bytes.
@inlinable
public func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  var index = 0
  while index + 8 <= a.count {
    if a.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      != b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    {
      return false
    }
    index += 8
  }
  while index < a.count {
    if a[index] != b[index] { return false }
    index += 1
  }
  return true
}

/// Makes a text column, row by row.
public struct TextBuilder: ~Copyable {
  private var views: [TextView] = []
  private var isASCII = true
  private var finished: [Buffer<UInt8>] = []
  private var memory: (base: UnsafeMutableRawPointer, owner: AnyObject)?
  private var capacity = 0
  private var used = 0

  private static let smallest = 4096
  private static let largest = 1 << 30

  public init(rows: Int = 0) { views.reserveCapacity(rows) }

  public var count: Int { views.count }
  /// The bytes that are not in views.
  public var heapBytes: Int { finished.reduce(used) { $0 + $1.count } }

  /// Adds a text of at most 1 GiB.
  public mutating func append(_ bytes: UnsafeRawBufferPointer, isASCII: Bool) {
    append(count: bytes.count, isASCII: isASCII) { $0.copyMemory(from: bytes) }
  }

  /// Adds a text whose `count` bytes `write` puts into the memory that it gets.
  public mutating func append(
    count: Int, isASCII: Bool, _ write: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    self.isASCII = self.isASCII && isASCII
    // Room for reading 12 bytes at any place is behind the memory in use.
    reserve(max(count, TextView.longestInline))
    let start = memory!.base + used
    write(UnsafeMutableRawBufferPointer(start: start, count: count))
    views.append(
      TextView(
        start, count: count, buffer: UInt32(truncatingIfNeeded: finished.count), offset: used))
    if count > TextView.longestInline { used += count }
  }

  /// The column; the builder is empty afterwards.
  public mutating func finish() -> TextColumn {
    closeBuffer()
    defer {
      views = []
      finished = []
      isASCII = true
    }
    return TextColumn(views: views, buffers: finished, isASCII: isASCII)
  }

  private mutating func reserve(_ extra: Int) {
    if used + extra <= capacity { return }
    if used + extra > Self.largest, used > 0 { closeBuffer() }
    let newCapacity = max(used + extra, min(capacity * 2, Self.largest), Self.smallest)
    let larger = OwnMemory.allocate(byteCount: newCapacity)
    if let memory { larger.base.copyMemory(from: memory.base, byteCount: used) }
    (larger.base + used).initializeMemory(
      as: UInt8.self, repeating: 0, count: newCapacity - used + TextBlock.padding)
    memory = larger
    capacity = newCapacity
  }

  private mutating func closeBuffer() {
    guard let memory else { return }
    if used > 0 {
      // SAFETY: `used` bytes are written, and nobody writes them from here on.
      finished.append(
        Buffer(
          base: memory.base.assumingMemoryBound(to: UInt8.self), count: used, owner: memory.owner))
    }
    self.memory = nil
    capacity = 0
    used = 0
  }
}
