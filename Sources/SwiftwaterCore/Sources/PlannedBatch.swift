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
  /// What it reads, source by source in the order in which the job was built; sources that were
  /// pushed nothing for it are left out, and ranged ones that nobody has asked for it. Of a window
  /// these are the records of the batch's own time: what it looks back on is the input of earlier batches.
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
