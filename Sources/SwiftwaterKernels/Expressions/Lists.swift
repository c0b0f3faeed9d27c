import SwiftwaterCore

extension Frame {
  func ofLists(_ node: Node) -> Column {
    switch node.operation {
    case .list: return .list(list(of: node.inputs.map { column($0) }))
    case .listItem:
      let indices = integers(column(node.inputs[1]))
      if indices.step == 0, let index = indices.values.first, index >= 0, index < Int32.max {
        return items(of: node.inputs[0], at: UInt32(index))
      }
      return items(of: node.inputs[0]) { row, length in
        let index = indices.values[row * indices.step]
        let place = index < 0 ? index &+ Int64(length) : index
        return place >= 0 && place < length ? Int(place) : nil
      }
    case .unpack(let index, let wanted):
      return items(of: node.inputs[0]) { _, length in
        length == wanted ? index : nil
      }
    case .listContains:
      return .bool(contains(lists(column(node.inputs[0])), column(node.inputs[1])))
    default: preconditionFailure("not an operation on lists")
    }
  }

  /// The items of lists of one length, column by column, as lists.
  private func list(of columns: [Column]) -> ListColumn {
    let (width, rows) = (columns.count, count)
    let places = (0..<(rows * width)).map { place in
      UInt32(truncatingIfNeeded: place % width * rows + place / width)
    }
    return ListColumn(
      offsets: (0...rows).map { UInt32(truncatingIfNeeded: $0 * width) },
      items: Column.concatenated(columns).gathered(places))
  }

  /// An item of each list, at the place in it that `place` gives; where it gives none the row is
  /// flagged.
  private func items(of node: Node, _ place: (_ row: Int, _ length: Int) -> Int?) -> Column {
    let (lists, rows) = knownLists(node) ?? (self.lists(column(node)), nil)
    var missing = false
    let places = (0..<count).map { row -> UInt32 in
      let listRow = rows.map { Int($0[row]) } ?? row
      let start = lists.offsets[listRow]
      guard let place = place(row, Int(lists.offsets[listRow + 1] - start)) else {
        flag(row)
        missing = true
        return 0
      }
      return start + UInt32(truncatingIfNeeded: place)
    }
    if missing, lists.items.count == 0 {
      return .repeated(.blank(lists.items.type), count: count)
    }
    return lists.items.gathered(places)
  }

  /// An item of each list, at one place in all of them; lists that are shorter are flagged.
  private func items(of node: Node, at index: UInt32) -> Column {
    let (lists, rows) = knownLists(node) ?? (self.lists(column(node)), nil)
    var shortest = UInt32.max
    let places = [UInt32](unsafeUninitializedCapacity: count) { places, used in
      lists.offsets.withUnsafeBufferPointer { offsets in
        for row in 0..<count {
          let listRow = rows.map { Int($0[row]) } ?? row
          let start = offsets[listRow]
          shortest = min(shortest, offsets[listRow + 1] &- start)
          places[row] = start &+ index
        }
      }
      used = count
    }
    if index < shortest { return lists.items.gathered(places) }
    return items(of: node) { _, length in index < length ? Int(index) : nil }
  }

  private func contains(_ lists: ListColumn, _ item: Column) -> Bitmap {
    switch item.type {
    case .text:
      let (items, wanted) = (texts(lists.items), texts(item))
      return items.withRows { items in
        wanted.withRows { wanted in
          Bitmap(count: count) { row in
            (lists.offsets[row]..<lists.offsets[row + 1]).contains {
              items.isEqual(Int($0), wanted, row)
            }
          }
        }
      }
    default:
      let (items, wanted) = (integers(lists.items), integers(item))
      return Bitmap(count: count) { row in
        (lists.offsets[row]..<lists.offsets[row + 1]).contains {
          items.values[Int($0) * items.step] == wanted.values[row * wanted.step]
        }
      }
    }
  }
}
