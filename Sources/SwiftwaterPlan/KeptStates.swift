import SwiftwaterCore
import SwiftwaterKernels

/// Which states a function on states keeps, `f(new, old)`: for a key without new values it gives such
/// a state back, and does nothing beside. Nobody needs to call it for that.
public struct KeptStates: Sendable, Hashable {
  /// The exact type of a state, by Python's name.
  public enum Kind: String, Sendable {
    case none = "None"
    case bool
    case integer = "int"
    /// None of 0.0, -0.0 and nan: sums with 0 change these.
    case double = "float"
    case text = "str"
    case bytes
    case tuple
    case list
    case dict
    case set
    case frozenset
  }

  public enum Key: Sendable, Hashable {
    case index(Int)
    case name(String)
  }

  /// What is at a place in a state.
  public struct Item: Sendable, Hashable {
    public let key: Key
    public let states: KeptStates

    public init(_ key: Key, _ states: KeptStates) {
      self.key = key
      self.states = states
    }
  }

  /// One of the forms that a state can have.
  public struct Form: Sendable, Hashable {
    public let kind: Kind
    /// The fewest items, and the most; nil for no bound.
    public let fewest: Int
    public let most: Int?
    /// A dict that has no other keys than those of `items`, and in this order.
    public let isComplete: Bool
    public let items: [Item]

    public init(
      _ kind: Kind, fewest: Int = 0, most: Int? = nil, isComplete: Bool = false,
      items: [Item] = []
    ) {
      self.kind = kind
      self.fewest = fewest
      self.most = most
      self.isComplete = isComplete
      self.items = items
    }
  }

  /// Nil where all states are kept, whatever they are.
  public let forms: [Form]?

  public init(_ forms: [Form]?) { self.forms = forms }

  public static let all = KeptStates(nil)

  /// True where all states of a column of a type are kept, whatever their values.
  public func areAll(of type: ColumnType) -> Bool {
    guard let forms else { return true }
    return forms.contains { $0.includesAll(of: type) }
  }

  /// The rows of a column of states that are kept.
  ///
  /// Some are left out that are kept too: of long texts.
  public func rows(of column: Column) -> Bitmap {
    guard let forms else { return Bitmap(repeating: true, count: column.count) }
    return forms.reduce(Bitmap(repeating: false, count: column.count)) { rows, form in
      rows | form.rows(of: column)
    }
  }
}

/// What is known of a function on states.
public enum StatesReading: Sendable {
  case kept(KeptStates)
  /// Nothing could be proved: it has to be called for all keys.
  case refused(Refusal)
}

extension KeptStates: CustomStringConvertible {
  /// As `explain` says it: `int | float`.
  public var description: String {
    forms.map { $0.map(\.description).joined(separator: " | ") } ?? "any"
  }
}

extension KeptStates.Form: CustomStringConvertible {
  public var description: String {
    var words = kind.rawValue
    if !items.isEmpty || (kind == .tuple && most == fewest) {
      var parts = items.map { item in
        if case .name(let name) = item.key { "\(name): \(item.states)" } else { "\(item.states)" }
      }
      if most == fewest, kind != .dict {
        parts += Array(repeating: "any", count: max(fewest - parts.count, 0))
      }
      words += "[\(parts.joined(separator: ", "))]"
    } else if let most {
      words += " of at most \(most)"
    } else if fewest > 0, kind != .tuple {
      words += " that is not empty"
    }
    return words
  }
}

extension KeptStates.Form {
  fileprivate func includesAll(of type: ColumnType) -> Bool {
    switch (kind, type) {
    case (.none, .none), (.bool, .bool), (.integer, .integer): true
    case (.text, .text), (.list, .list): fewest == 0 && most == nil && items.isEmpty
    case (.tuple, .tuple(let types)):
      fits(types.count)
        && items.allSatisfy { item in
          if case .index(let index) = item.key, types.indices.contains(index) {
            item.states.areAll(of: types[index])
          } else {
            false
          }
        }
    default: false
    }
  }

  private func fits(_ count: Int) -> Bool { fewest <= count && count <= most ?? .max }

  fileprivate func rows(of column: Column) -> Bitmap {
    switch (kind, column) {
    case (_, .repeated(let value, let count)):
      return Bitmap(repeating: rows(of: value)[0], count: count)
    case (.none, .optional(let validity, _)): return ~validity
    case (_, .optional(let validity, let values)): return rows(of: values) & validity
    case (.none, .none), (.bool, .bool), (.integer, .integer):
      return Bitmap(repeating: true, count: column.count)
    case (.double, .double(let values)):
      return values.withUnsafeBufferPointer { values in
        Bitmap(count: values.count) { values[$0] != 0 && !values[$0].isNaN }
      }
    case (.text, .text(let texts)):
      // A text has no more characters than bytes, and one at least where it has bytes.
      guard fewest <= 1 else { break }
      return texts.withRows { rows in Bitmap(count: rows.count) { fits(rows.views[$0].count) } }
    case (.tuple, .tuple(let columns, let count)):
      guard fits(columns.count) else { break }
      return items.reduce(Bitmap(repeating: true, count: count)) { rows, item in
        guard case .index(let index) = item.key, columns.indices.contains(index) else {
          return Bitmap(repeating: false, count: count)
        }
        return rows & item.states.rows(of: columns[index])
      }
    case (.list, .list(let lists)): return rows(of: lists)
    default: break
    }
    return Bitmap(repeating: false, count: column.count)
  }

  private func rows(of lists: ListColumn) -> Bitmap {
    let lengths = Bitmap(count: lists.count) { row in
      fits(Int(lists.offsets[row + 1] - lists.offsets[row]))
    }
    return items.reduce(lengths) { rows, item in
      guard case .index(let index) = item.key else {
        return Bitmap(repeating: false, count: lists.count)
      }
      let kept = item.states.rows(of: lists.items)
      return rows
        & Bitmap(count: lists.count) { row in
          let place = Int(lists.offsets[row]) + index
          return place < Int(lists.offsets[row + 1]) && kept[place]
        }
    }
  }
}
