import SwiftwaterCore

/// Rows on which an expression is computed, and what was computed of them.
///
/// The rows of one step of a program; or some of the rows of another frame, where a condition holds.
final class Frame {
  let count: Int
  private let parent: Frame?
  private let origin: Origin
  private let argument: Column?
  private let fields: [Int: WantedFields]
  private var known: [Column?]
  private let flags: Flags

  /// Where a row comes from.
  enum Origin {
    /// The same row of the parent, or of the program's input.
    case same
    case rows([UInt32])
    /// Row `i` of the parent has become the rows `offsets[i]..<offsets[i + 1]`.
    case expanded(Buffer<UInt32>)
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
  ///   - argument: the records.
  ///   - nodeCount: of the functions.
  ///   - fields: see ``wantedFields(of:)``.
  init(
    _ argument: Column, nodeCount: Int, fields: [Int: WantedFields], parent: Frame?, origin: Origin,
    flags: Flags
  ) {
    self.argument = argument
    count = argument.count
    self.fields = fields
    self.parent = parent
    self.origin = origin
    self.flags = flags
    known = Array(repeating: nil, count: nodeCount)
    branchOf = nil
  }

  /// Set in the frame of a branch: what its parent knows needs not be computed again.
  private let branchOf: Frame?

  private init(branchOf parent: Frame, rows: [UInt32]) {
    argument = nil
    fields = parent.fields
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

  private static func rowContaining(_ place: Int, _ offsets: Buffer<UInt32>) -> Int {
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
    if case .argument = node.operation, let argument { return argument }
    guard let branchOf, case .rows(let rows) = origin, let whole = branchOf.knownColumn(node) else {
      return nil
    }
    let column = whole.gathered(rows)
    known[node.id] = column
    return column
  }

  /// A list column that some frame above has, and this frame's rows in it; nil where it is to be
  /// computed. Lists are not gathered for the sake of one item of each.
  func knownLists(_ node: Node) -> (lists: ListColumn, rows: [UInt32]?)? {
    if let column = known[node.id] { return (lists(column), nil) }
    guard let branchOf, case .rows(let rows) = origin, let above = branchOf.knownLists(node) else {
      return nil
    }
    return (above.lists, above.rows.map { places in rows.map { places[Int($0)] } } ?? rows)
  }

  var records: Column {
    guard let argument else { preconditionFailure("a branch takes its records from its parent") }
    return argument
  }

  /// Which parts of each text are looked at, where it is split; nil for all.
  func wantedFields(of split: Node) -> WantedFields? { fields[split.id] }

  /// Computes what could flag rows, and leaves the rest for when it is asked for.
  func touch(_ node: Node) {
    if node.neverFlags { return }
    if case .tuple = node.operation {
      node.inputs.forEach(touch)
    } else {
      _ = column(node)
    }
  }
}
