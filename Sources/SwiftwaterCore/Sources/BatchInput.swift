/// Names a source within its job: the operator that made it, and its number among those of its kind.
public struct SourceName: Hashable, Sendable, CustomStringConvertible {
  public let kind: String
  /// From 1 on, in the order in which the job was built.
  public let number: Int

  public init(kind: String, number: Int) {
    self.kind = kind
    self.number = number
  }

  public var description: String { "\(kind)-\(number)" }
}

/// Names a block that a source was pushed.
public struct BlockID: Hashable, Sendable {
  public let source: SourceName
  /// When the run began that took it in, in milliseconds since 1970.
  public let run: Int64
  /// Among the blocks of the source in that run, from 0 on, in the order in which they were closed.
  public let number: Int

  public init(source: SourceName, run: Int64, number: Int) {
    self.source = source
    self.run = run
    self.number = number
  }
}

/// How far a receiver has come in what it reads, as it writes that down: a number, a name and a number.
/// The engine compares, keeps and returns it, and does not read it.
public struct SourcePosition: Hashable, Sendable {
  public let bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }
}

/// A part of what a ranged source has. It can be read alone, and again.
public struct SourceSplit: Hashable, Sendable {
  /// What it is a part of, as bytes: those of a path have no other form.
  public let name: [UInt8]
  /// Which part of it; nil for all.
  public let offsets: Range<Int>?

  public init(name: [UInt8], offsets: Range<Int>? = nil) {
    self.name = name
    self.offsets = offsets
  }
}

/// What a batch reads of a ranged source.
public struct SourceRange: Hashable, Sendable {
  public let splits: [SourceSplit]

  public init(_ splits: [SourceSplit]) { self.splits = splits }

  public var isEmpty: Bool { splits.isEmpty }
}

/// What a batch reads of one source, by name: small enough to be written down, and enough to say later
/// which records they were.
public enum BatchInput: Hashable, Sendable {
  /// Blocks of one source, at least one, in their order.
  ///
  /// - Parameter upTo: where the source gives positions: with these blocks, batches have read all of it
  ///   up to there.
  case blocks([BlockID], upTo: SourcePosition? = nil)
  /// A range, which may be empty: that was chosen, too.
  case range(SourceName, SourceRange)
  /// What an earlier run had taken in for a batch at this time, as a recovery has given it back.
  case restored(SourceName)

  public var source: SourceName {
    switch self {
    case .blocks(let blocks, _): blocks[0].source
    case .range(let source, _), .restored(let source): source
    }
  }
}
