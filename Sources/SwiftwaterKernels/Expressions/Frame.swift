import SwiftwaterCore

/// Rows on which an expression is computed, and what was computed of them.
///
/// The rows of one step of a program; or some of the rows of another frame, where a condition holds.
final class Frame {
  let count: Int
  private let parent: Frame?
  private let origin: Origin
  private let arguments: [Column]
  private var known: [Column?]
  private let flags: Flags

  /// Where a row comes from.
  enum Origin {
    /// The same row of the parent, or of the program's input.
    case same
    case rows([UInt32])
    /// Row `i` of the parent has become the rows `offsets[i]..<offsets[i + 1]`.
    case expanded([UInt32])
  }

  /// The rows of the program's input that Python must work on.
  final class Flags {
    private(set) var rows: Bitmap
    private(set) var isEmpty = true

    init(count: Int) { rows = Bitmap(repeating: false, count: count) }

    func set(_ row: Int) {
      rows[row] = true
      isEmpty = false
    }
  }

  /// - Parameters:
  ///   - arguments: a column for each argument, with `count` rows.
  ///   - nodeCount: of the expression.
  init(
    _ arguments: [Column], count: Int, nodeCount: Int, parent: Frame? = nil, origin: Origin = .same,
    flags: Flags
  ) {
    self.arguments = arguments
    self.count = count
    self.parent = parent
    self.origin = origin
    self.flags = flags
    known = Array(repeating: nil, count: nodeCount)
    branchOf = nil
  }

  /// Set in the frame of a branch: what its parent knows needs not be computed again.
  private let branchOf: Frame?

  private init(branchOf parent: Frame, rows: [UInt32]) {
    arguments = []
    count = rows.count
    self.parent = parent
    branchOf = parent
    origin = .rows(rows)
    flags = parent.flags
    known = Array(repeating: nil, count: parent.known.count)
  }

  func branch(_ rows: [UInt32]) -> Frame { Frame(branchOf: self, rows: rows) }

  /// A row on which the native result could differ from Python's.
  func flag(_ row: Int) {
    var row = row
    var frame = self
    while true {
      switch frame.origin {
      case .same: break
      case .rows(let rows): row = Int(rows[row])
      case .expanded(let offsets): row = Self.rowContaining(row, offsets)
      }
      guard let parent = frame.parent else { break }
      frame = parent
    }
    flags.set(row)
  }

  func flagAll() { for row in 0..<count { flag(row) } }

  private static func rowContaining(_ place: Int, _ offsets: [UInt32]) -> Int {
    var (low, high) = (0, offsets.count - 1)
    // The last row that begins at or before the place.
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(offsets[middle]) <= place { low = middle } else { high = middle }
    }
    return low
  }

  /// The rows' values of a node.
  func column(_ node: Node) -> Column {
    if let column = known[node.id] { return column }
    let column: Column
    if let branchOf, case .rows(let rows) = origin, let whole = branchOf.knownColumn(node) {
      column = whole.gathered(rows)
    } else {
      column = evaluate(node)
    }
    known[node.id] = column
    return column
  }

  private func knownColumn(_ node: Node) -> Column? {
    if let column = known[node.id] { return column }
    if case .argument(let index) = node.operation, branchOf == nil { return arguments[index] }
    guard let branchOf, case .rows(let rows) = origin, let whole = branchOf.knownColumn(node) else {
      return nil
    }
    let column = whole.gathered(rows)
    known[node.id] = column
    return column
  }

  func argument(_ index: Int) -> Column { arguments[index] }
}
