import Synchronization

/// How large a table is.
public struct TableFigures: Sendable, Equatable {
  /// How many keys have a value.
  public var keys = 0
  /// About how many bytes are held: of a language's objects only what the table has beside them.
  public var bytes = 0
  /// How many keys were forgotten so far because their time was out.
  public var expired = 0

  public init() {}

  mutating func add(_ other: TableFigures) {
    keys += other.keys
    bytes += other.bytes
    expired += other.expired
  }
}

/// The figures of a partition after its latest step, for whoever reads them: a step that is under way
/// holds nobody up.
final class TableGauge: Sendable {
  private let keys = Atomic(0)
  private let bytes = Atomic(0)
  private let expired = Atomic(0)

  var figures: TableFigures {
    var figures = TableFigures()
    figures.keys = keys.load(ordering: .relaxed)
    figures.bytes = bytes.load(ordering: .relaxed)
    figures.expired = expired.load(ordering: .relaxed)
    return figures
  }

  /// By one task at a time, the one that has the content.
  func read(_ content: any TableContent) {
    keys.store(content.count, ordering: .relaxed)
    bytes.store(content.byteCount, ordering: .relaxed)
    expired.wrappingAdd(content.expired, ordering: .relaxed)
    content.expired = 0
  }
}
