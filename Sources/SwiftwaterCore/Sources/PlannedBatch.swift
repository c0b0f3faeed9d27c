/// What a batch will do, known before its first output begins: what a log writes before the batch runs, and
/// a later run reads again.
public struct PlannedBatch: Hashable, Sendable {
  /// Input that belongs to an earlier time, but was in no batch that was handed over: nobody had asked
  /// for it before, or its batch could not be planned.
  public struct Late: Hashable, Sendable {
    public let time: BatchTime
    public let input: BatchInput

    public init(time: BatchTime, input: BatchInput) {
      self.time = time
      self.input = input
    }
  }

  public let time: BatchTime
  /// The outputs that it has, in the order in which they run.
  public let outputs: [OutputName]
  /// What it reads, source by source in the order in which the job was built; sources that have nothing
  /// for it are left out. Of a window these are the records of the batch's own time: what it looks back
  /// on is the input of earlier batches.
  public let inputs: [BatchInput]
  /// By source and time.
  public let late: [Late]

  public init(
    time: BatchTime, outputs: [OutputName], inputs: [BatchInput], late: [Late] = []
  ) {
    self.time = time
    self.outputs = outputs
    self.inputs = inputs
    self.late = late
  }
}

// MARK: - As bytes

extension PlannedBatch {
  /// The form that ``bytes`` has; the first byte says so.
  static let version: UInt8 = 1

  /// The batch as bytes, for keeping: numbers in seven bits a byte, the lowest first, signed ones in
  /// zigzag; texts, names and positions behind their length in bytes; lists behind their count.
  public var bytes: [UInt8] {
    var writer = ItemWriter()
    writer.bytes.append(Self.version)
    writer.add(time.milliseconds)
    writer.add(outputs) { $0.add($1.description) }
    writer.add(inputs) { $0.add($1) }
    writer.add(late) { writer, late in
      writer.add(late.time.milliseconds)
      writer.add(late.input)
    }
    return writer.bytes
  }

  /// Reads what ``bytes`` has given.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) for bytes of another version, and for what is none of it.
  public init(bytes: [UInt8]) throws {
    var reader = ItemReader(bytes)
    let version = try reader.byte()
    guard version == Self.version else {
      throw EngineError.unavailable(
        "a planned batch is in version \(version) of its form: this program reads version "
          + "\(Self.version)")
    }
    time = BatchTime(milliseconds: try reader.integer())
    outputs = try reader.list { OutputName(try $0.text()) }
    inputs = try reader.list { try $0.input() }
    late = try reader.list { reader in
      Late(time: BatchTime(milliseconds: try reader.integer()), input: try reader.input())
    }
    guard reader.isAtEnd else { throw ItemReader.broken }
  }
}

private struct ItemWriter {
  var bytes: [UInt8] = []

  mutating func add(count: UInt64) {
    var rest = count
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func add(_ integer: Int64) {
    add(count: UInt64(bitPattern: (integer << 1) ^ (integer >> 63)))
  }

  mutating func add(_ text: String) { add(Array(text.utf8)) }

  mutating func add(_ given: [UInt8]) {
    add(count: UInt64(given.count))
    bytes += given
  }

  mutating func add<Item>(_ items: [Item], _ item: (inout ItemWriter, Item) -> Void) {
    add(count: UInt64(items.count))
    for each in items { item(&self, each) }
  }

  mutating func add(_ source: SourceName) {
    add(source.kind)
    add(Int64(source.number))
  }

  mutating func add(_ input: BatchInput) {
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

private struct ItemReader {
  static let broken = EngineError.unavailable("a planned batch is not whole, or is something else")

  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() throws -> UInt8 {
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

  mutating func integer() throws -> Int64 {
    let value = try count()
    return Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
  }

  /// The number of things that follow, each of at least one byte.
  private mutating func length() throws -> Int {
    guard let length = Int(exactly: try count()), length <= rest.count else { throw Self.broken }
    return length
  }

  mutating func bytes() throws -> [UInt8] {
    let length = try length()
    defer { rest.removeFirst(length) }
    return Array(rest.prefix(length))
  }

  mutating func text() throws -> String {
    guard let text = String(validating: try bytes(), as: UTF8.self) else { throw Self.broken }
    return text
  }

  mutating func list<Item>(_ item: (inout ItemReader) throws -> Item) throws -> [Item] {
    try (0..<length()).map { _ in try item(&self) }
  }

  mutating func optional<Item>(_ item: (inout ItemReader) throws -> Item) throws -> Item? {
    let found = try list(item)
    guard found.count <= 1 else { throw Self.broken }
    return found.first
  }

  mutating func source() throws -> SourceName {
    SourceName(kind: try text(), number: Int(try integer()))
  }

  mutating func input() throws -> BatchInput {
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
