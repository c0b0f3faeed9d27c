/// Writes numbers, texts and lists one after the other: numbers in seven bits a byte, the lowest first,
/// signed ones in zigzag; texts and bytes behind their length; lists behind their count.
package struct ItemWriter {
  package var bytes: [UInt8] = []

  package init() {}

  package mutating func add(byte: UInt8) { bytes.append(byte) }

  package mutating func add(count: UInt64) {
    var rest = count
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func add(_ integer: Int64) {
    add(count: UInt64(bitPattern: (integer << 1) ^ (integer >> 63)))
  }

  package mutating func add(_ text: String) { add(Array(text.utf8)) }

  package mutating func add(_ given: [UInt8]) {
    add(count: UInt64(given.count))
    bytes += given
  }

  package mutating func add<Item>(
    _ items: some Collection<Item>, _ item: (inout ItemWriter, Item) -> Void
  ) {
    add(count: UInt64(items.count))
    for each in items { item(&self, each) }
  }

  package mutating func add(_ source: SourceName) {
    add(source.kind)
    add(Int64(source.number))
  }

  package mutating func add(_ input: BatchInput) {
    switch input {
    case .blocks(let blocks, let position):
      bytes.append(0)
      add(blocks[0].source)
      add(blocks) { writer, block in
        writer.add(block.run)
        writer.add(Int64(block.number))
      }
      add(position.map { [$0] } ?? []) { $0.add($1.bytes) }
    case .range(let source, let range):
      bytes.append(1)
      add(source)
      add(range.splits) { writer, split in
        writer.add(split.name)
        writer.add(split.offsets.map { [$0] } ?? []) { writer, offsets in
          writer.add(Int64(offsets.lowerBound))
          writer.add(Int64(offsets.upperBound))
        }
      }
    case .restored(let source):
      bytes.append(2)
      add(source)
    }
  }
}

/// Reads what an ``ItemWriter`` has written, and nothing behind its end.
package struct ItemReader {
  package static let broken = EngineError.unavailable(
    "a planned batch is not whole, or is something else")

  private var rest: ArraySlice<UInt8>

  package init(_ bytes: [UInt8]) { rest = bytes[...] }

  package var isAtEnd: Bool { rest.isEmpty }

  /// Bytes that were not read yet.
  package var restCount: Int { rest.count }

  package mutating func byte() throws -> UInt8 {
    guard let byte = rest.popFirst() else { throw Self.broken }
    return byte
  }

  private mutating func count() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      let next = try byte()
      // The tenth byte has room for one bit.
      guard shift < 63 || next <= 1 else { throw Self.broken }
      value |= UInt64(next & 0x7F) << UInt64(shift)
      if next < 0x80 { return value }
    }
    throw Self.broken
  }

  package mutating func integer() throws -> Int64 {
    let value = try count()
    return Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
  }

  /// The number of things that follow, each of at least one byte.
  private mutating func length() throws -> Int {
    guard let length = Int(exactly: try count()), length <= rest.count else { throw Self.broken }
    return length
  }

  package mutating func bytes() throws -> [UInt8] {
    let length = try length()
    defer { rest.removeFirst(length) }
    return Array(rest.prefix(length))
  }

  package mutating func text() throws -> String {
    guard let text = String(validating: try bytes(), as: UTF8.self) else { throw Self.broken }
    return text
  }

  package mutating func list<Item>(
    _ item: (inout ItemReader) throws -> Item
  ) throws -> [Item] {
    try (0..<length()).map { _ in try item(&self) }
  }

  package mutating func optional<Item>(
    _ item: (inout ItemReader) throws -> Item
  ) throws -> Item? {
    let found = try list(item)
    guard found.count <= 1 else { throw Self.broken }
    return found.first
  }

  package mutating func source() throws -> SourceName {
    SourceName(kind: try text(), number: Int(try integer()))
  }

  package mutating func input() throws -> BatchInput {
    let kind = try byte()
    let source = try source()
    switch kind {
    case 0:
      let blocks = try list { reader in
        BlockID(source: source, run: try reader.integer(), number: Int(try reader.integer()))
      }
      guard !blocks.isEmpty else { throw Self.broken }
      return .blocks(blocks, upTo: try optional { SourcePosition(bytes: try $0.bytes()) })
    case 1:
      return .range(
        source,
        SourceRange(
          try list { reader in
            let name = try reader.bytes()
            let offsets = try reader.optional { reader in
              let (start, end) = (Int(try reader.integer()), Int(try reader.integer()))
              guard start <= end else { throw Self.broken }
              return start..<end
            }
            return SourceSplit(name: name, offsets: offsets)
          }))
    case 2: return .restored(source)
    default: throw Self.broken
    }
  }
}
