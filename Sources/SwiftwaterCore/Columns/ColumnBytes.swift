// Columns as bytes, for another process of the same build on the same machine: the arrays as they lie
// in memory, each behind its length.

extension Column {
  /// Appends the column.
  public func encode(into bytes: inout [UInt8]) {
    switch self {
    case .none(let count):
      bytes.append(0)
      bytes.append(number: count)
    case .bool(let bits):
      bytes.append(1)
      bytes.append(number: bits.count)
      bytes.append(buffer: bits.words)
    case .integer(let values):
      bytes.append(2)
      bytes.append(buffer: values)
    case .double(let values):
      bytes.append(3)
      bytes.append(buffer: values)
    case .text(let texts):
      bytes.append(texts.isASCII ? 5 : 4)
      bytes.append(buffer: texts.views)
      bytes.append(number: texts.buffers.count)
      for buffer in texts.buffers { bytes.append(buffer: buffer) }
    case .tuple(let items, let count):
      bytes.append(6)
      bytes.append(number: count)
      bytes.append(number: items.count)
      for item in items { item.encode(into: &bytes) }
    case .list(let lists):
      bytes.append(7)
      bytes.append(buffer: lists.offsets)
      lists.items.encode(into: &bytes)
    case .optional(let validity, let values):
      bytes.append(8)
      bytes.append(number: validity.count)
      bytes.append(buffer: validity.words)
      values.encode(into: &bytes)
    case .repeated(let value, let count):
      bytes.append(9)
      bytes.append(number: count)
      value.encode(into: &bytes)
    }
  }

  /// Reads a column that ``encode(into:)`` has written.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) where the bytes are no column.
  public init(from bytes: inout ByteReader) throws {
    switch try bytes.byte() {
    case 0: self = .none(count: try bytes.count())
    case 1:
      let count = try bytes.count()
      let words: Buffer<UInt64> = try bytes.buffer()
      self = .bool(try Self.bitmap(words, count))
    case 2: self = .integer(try bytes.buffer())
    case 3: self = .double(try bytes.buffer())
    case 4: self = .text(try TextColumn(from: &bytes, isASCII: false))
    case 5: self = .text(try TextColumn(from: &bytes, isASCII: true))
    case 6:
      let count = try bytes.count()
      let items = try (0..<bytes.count(atMost: 1 << 16)).map { _ in try Column(from: &bytes) }
      guard items.allSatisfy({ $0.count == count }) else { throw ByteReader.damaged }
      self = .tuple(items, count: count)
    case 7:
      let offsets: Buffer<UInt32> = try bytes.buffer()
      let items = try Column(from: &bytes)
      guard offsets.first == 0, Int(offsets.last!) == items.count,
        zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
      else { throw ByteReader.damaged }
      self = .list(ListColumn(offsets: offsets, items: items))
    case 8:
      let count = try bytes.count()
      let words: Buffer<UInt64> = try bytes.buffer()
      let values = try Column(from: &bytes)
      guard values.count == count else { throw ByteReader.damaged }
      self = .optional(validity: try Self.bitmap(words, count), values)
    case 9:
      let count = try bytes.count()
      let value = try Column(from: &bytes)
      guard value.count == 1 else { throw ByteReader.damaged }
      self = .repeated(value, count: count)
    default: throw ByteReader.damaged
    }
  }

  private static func bitmap(_ words: Buffer<UInt64>, _ count: Int) throws -> Bitmap {
    guard words.count == (count + 63) / 64 else { throw ByteReader.damaged }
    return Bitmap(words: words, count: count)
  }
}

extension TextColumn {
  fileprivate init(from bytes: inout ByteReader, isASCII: Bool) throws {
    let views: Buffer<TextView> = try bytes.buffer()
    var buffers: [Buffer<UInt8>] = []
    for _ in 0..<(try bytes.count(atMost: 1 << 24)) { buffers.append(try bytes.buffer()) }
    for view in views where !view.isInline {
      guard view.buffer < buffers.count, view.offset + view.count <= buffers[view.buffer].count
      else { throw ByteReader.damaged }
    }
    self.init(views: views, buffers: buffers, isASCII: isASCII)
  }
}

extension TextBlock {
  /// The bytes that ``encode(to:)`` writes.
  public var encodedCount: Int { 17 + lines.count * MemoryLayout<LineSpan>.stride + byteCount }

  /// Writes the block's lines.
  ///
  /// SAFETY: ``encodedCount`` bytes from `start` on must be writable.
  public func encode(to start: UnsafeMutableRawPointer) {
    start.storeBytes(of: isASCII ? 1 : 0, as: UInt8.self)
    var next = start + 1
    next.storeBytes(of: lines.count, as: Int.self)
    next += 8
    lines.withUnsafeBytes { spans in
      if let source = spans.baseAddress { next.copyMemory(from: source, byteCount: spans.count) }
      next += spans.count
    }
    next.storeBytes(of: byteCount, as: Int.self)
    next += 8
    withBytes { content in
      if let source = content.baseAddress {
        next.copyMemory(from: source, byteCount: content.count)
      }
    }
  }

  /// Reads a block that ``encode(to:)`` has written.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) where the bytes are no block.
  public convenience init(from bytes: inout ByteReader) throws {
    let isASCII = try bytes.byte() == 1
    let lines: [LineSpan] = try bytes.array()
    let content = try bytes.run(try bytes.count())
    guard lines.allSatisfy({ $0.start <= $0.end && Int($0.end) <= content.count }) else {
      throw ByteReader.damaged
    }
    let memory = TextMemory.allocate(byteCount: content.count + Self.padding)
    if let start = content.baseAddress {
      memory.base.copyMemory(from: start, byteCount: content.count)
    }
    (memory.base + content.count).initializeMemory(
      as: UInt8.self, repeating: 0, count: Self.padding)
    self.init(adopting: memory, byteCount: content.count, lines: lines, isASCII: isASCII)
  }
}

/// Reads what was appended to bytes, and nothing behind their end.
public struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  static let damaged = EngineError.invalidArgument("a batch from another process is damaged")

  /// - Parameter bytes: must outlive the reader.
  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func byte() throws -> UInt8 { try run(1)[0] }

  mutating func count(atMost most: Int = 1 << 40) throws -> Int {
    let number = try run(8).loadUnaligned(as: Int.self)
    guard (0...most).contains(number) else { throw Self.damaged }
    return number
  }

  mutating func run(_ count: Int) throws -> UnsafeRawBufferPointer {
    guard count <= bytes.count - position else { throw Self.damaged }
    defer { position += count }
    // Not a part without an address, also where there are no bytes.
    return UnsafeRawBufferPointer(
      start: bytes.baseAddress.map { $0 + position }, count: count)
  }

  mutating func array<Element: BitwiseCopyable>() throws -> [Element] {
    let (content, count) = try values(of: Element.self)
    return Array(unsafeUninitializedCapacity: count) { values, used in
      UnsafeMutableRawBufferPointer(values).copyMemory(from: content)
      used = count
    }
  }

  mutating func buffer<Element>() throws -> Buffer<Element> {
    let (content, count) = try values(of: Element.self)
    return Buffer(unsafeUninitializedCapacity: count) { values, used in
      UnsafeMutableRawBufferPointer(values).copyMemory(from: content)
      used = count
    }
  }

  /// - Returns: the bytes that were written from `count` elements of a type, which are plain.
  private mutating func values<Element: BitwiseCopyable>(
    of element: Element.Type
  ) throws -> (bytes: UnsafeRawBufferPointer, count: Int) {
    let count = try count()
    let stride = MemoryLayout<Element>.stride
    guard count <= (bytes.count - position) / stride else { throw Self.damaged }
    return (try run(count * stride), count)
  }
}

extension [UInt8] {
  fileprivate mutating func append(number: Int) {
    Swift.withUnsafeBytes(of: number) { append(contentsOf: $0) }
  }

  fileprivate mutating func append<Item>(buffer: Buffer<Item>) {
    append(number: buffer.count)
    buffer.withUnsafeBytes { append(contentsOf: $0) }
  }
}

extension TextBlock {
  /// Calls `body` with parts that are, one after the other, what ``encode(to:)`` writes; only the small
  /// ones are copies.
  package func withEncodedParts<R>(
    _ body: ([UnsafeRawBufferPointer]) throws -> R
  ) rethrows -> R {
    var head = [isASCII ? 1 : 0] as [UInt8]
    withUnsafeBytes(of: lines.count) { head += $0 }
    let size = byteCount
    return try head.withUnsafeBytes { head in
      try lines.withUnsafeBytes { spans in
        try withUnsafeBytes(of: size) { size in
          try withBytes { content in try body([head, spans, size, content]) }
        }
      }
    }
  }
}
