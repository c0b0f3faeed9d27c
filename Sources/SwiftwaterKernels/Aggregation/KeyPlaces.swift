import CKernels
import SwiftwaterCore

/// Where in a column keys are: the rows of a few are found without reading the others.
///
/// Rows of one slot form a chain. So it takes eight to twelve bytes a row beside the keys, far less than a
/// ``KeyIndex``, to which keys can be added.
public final class KeyPlaces: Sendable {
  private let type: ColumnType
  private let keys: TextColumn
  private let seeds = KeyHash.seeds
  /// The first row of each slot, plus one; 0: none.
  private let heads: [UInt32]
  /// The next row of the same slot, plus one; 0: none.
  private let next: [UInt32]

  /// Nil where the equality of keys is Python's to decide.
  public init?(of column: Column) {
    guard column.type.isHashable, column.count < Int(UInt32.max), let keys = column.keys() else {
      return nil
    }
    type = column.type
    self.keys = keys
    var slots = 1
    while slots < column.count { slots *= 2 }
    var heads = [UInt32](repeating: 0, count: slots)
    var next = [UInt32](repeating: 0, count: column.count)
    let seeds = seeds
    keys.withRows { rows in
      // Backwards, so that a chain begins with its first row.
      for row in (0..<rows.count).reversed() {
        let slot = Int(truncatingIfNeeded: KeyHash.hash(rows, row, seeds)) & (slots - 1)
        next[row] = heads[slot]
        heads[slot] = UInt32(truncatingIfNeeded: row + 1)
      }
    }
    self.heads = heads
    self.next = next
  }

  public enum Rows: Equatable, Sendable {
    /// Ascending.
    case found([UInt32])
    case tooMany
  }

  /// The rows whose key is among `others`; nil where the keys are of unlike types, or their equality is
  /// Python's to decide.
  ///
  /// - Parameter most: of more rows it is only said that they are too many.
  public func rows(of others: Column, most: Int = .max) -> Rows? {
    guard others.type == type, let others = others.keys() else { return nil }
    var distinct: [UInt32] = []
    _ = KeyIndex().numbers(of: others, newRows: &distinct)
    var found: [UInt32] = []
    others.withRows { others in
      keys.withRows { rows in
        let firsts = firstPlaces(of: distinct, in: others, rows)
        for (other, first) in zip(distinct, firsts) where first != 0 && found.count <= most {
          add(rows, from: first, equalTo: others, Int(other), to: &found)
        }
      }
    }
    if found.count > most { return .tooMany }
    found.sort()
    return .found(found)
  }

  /// Where the chain of each key begins. Each of them lies somewhere else: so all are asked for before the
  /// first one is waited for.
  private func firstPlaces(
    of distinct: [UInt32], in others: TextRows, _ rows: TextRows
  ) -> [UInt32] {
    heads.withUnsafeBufferPointer { heads in
      next.withUnsafeBufferPointer { next in
        // SAFETY: a slot is less than the number of heads, and a place more than 0 is a row's, plus one.
        let slots = distinct.map { other in
          let hash = KeyHash.hash(others, Int(other), seeds)
          let slot = Int(truncatingIfNeeded: hash) & (heads.count - 1)
          sw_kernel_prefetch(heads.baseAddress! + slot)
          return slot
        }
        return slots.map { slot in
          let place = heads[slot]
          if place != 0 {
            sw_kernel_prefetch(rows.views.baseAddress! + Int(place - 1))
            sw_kernel_prefetch(next.baseAddress! + Int(place - 1))
          }
          return place
        }
      }
    }
  }

  private func add(
    _ rows: TextRows, from first: UInt32, equalTo others: TextRows, _ other: Int,
    to found: inout [UInt32]
  ) {
    let view = others.views[other]
    var place = first
    while place != 0 {
      let row = Int(place - 1)
      // The length and the first bytes.
      if rows.views[row].low == view.low,
        view.isInline
          ? rows.views[row].high == view.high : equalBytes(rows[row], others[other])
      {
        found.append(UInt32(truncatingIfNeeded: row))
      }
      place = next[row]
    }
  }
}
