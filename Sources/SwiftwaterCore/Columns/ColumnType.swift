/// The type of the records in a column. Each stands for exactly one type of Python's: no record of
/// an `integer` column is a `bool`.
public indirect enum ColumnType: Hashable, Sendable {
  /// None in every row.
  case none
  case bool
  /// `int`, of 64 bits.
  case integer
  /// `float`.
  case double
  /// `str`, as UTF-8.
  case text
  case tuple([ColumnType])
  /// `list`, of any length.
  case list(ColumnType)
  /// None in some rows. Never of `none` or of another `optional`.
  case optional(ColumnType)

  /// The type of a column with rows of both types; nil where no column has them.
  public static func union(_ a: ColumnType, _ b: ColumnType) -> ColumnType? {
    switch (a, b) {
    case _ where a == b: a
    case (.none, .optional), (.optional, .none): a == .none ? b : a
    case (.none, let other), (let other, .none): .optional(other)
    case (.optional(let inner), let other), (let other, .optional(let inner)):
      inner == other ? .optional(inner) : nil
    case (.tuple(let left), .tuple(let right)) where left.count == right.count:
      union(ofItems: left, right)
    default: nil
    }
  }

  /// True where rows have a hash in Python.
  public var isHashable: Bool {
    switch self {
    case .list: false
    case .tuple(let items): items.allSatisfy(\.isHashable)
    case .optional(let type): type.isHashable
    default: true
    }
  }

  private static func union(ofItems a: [ColumnType], _ b: [ColumnType]) -> ColumnType? {
    let items = zip(a, b).compactMap { union($0, $1) }
    return items.count == a.count ? .tuple(items) : nil
  }
}

extension ColumnType: CustomStringConvertible {
  /// As Python writes the type.
  public var description: String {
    switch self {
    case .none: "None"
    case .bool: "bool"
    case .integer: "int"
    case .double: "float"
    case .text: "str"
    case .tuple(let items): "tuple[\(items.map(\.description).joined(separator: ", "))]"
    case .list(let item): "list[\(item)]"
    case .optional(let type): "\(type) | None"
    }
  }
}
