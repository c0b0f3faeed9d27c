import SwiftwaterCore

/// Lists by place: their items lie together in a store of items, where a list that is replaced leaves
/// a gap until half of the items are gaps.
final class ListStore: ColumnStore {
  private struct Span {
    var start: UInt32
    var count: UInt32

    var range: Range<UInt32> { start..<(start + count) }
  }

  private let type: ColumnType
  private var spans = GrowingMemory<Span>()
  private var items: any ColumnStore
  /// How many places of items were given out, and how many of those are gaps.
  private var used = 0
  private var gaps = 0

  /// Less is not worth moving the rest.
  private static let fewestGaps = 4096

  init(_ type: ColumnType) {
    self.type = type
    items = makeColumnStore(type)
  }

  var byteCount: Int { spans.byteCount + items.byteCount }

  func hasRoom(for column: Column) -> Bool {
    let lists = lists(column)
    return used + lists.items.count < Int(UInt32.max) && items.hasRoom(for: lists.items)
  }

  func set(_ places: Places, to column: Column) {
    let lists = lists(column)
    let start = UInt32(used)
    spans.extend(to: places.end)
    let base = spans.base
    lists.offsets.withUnsafeBufferPointer { offsets in
      for (row, place) in places.numbers.enumerated() {
        gaps += Int(base[Int(place)].count)
        base[Int(place)] = Span(
          start: start + offsets[row], count: offsets[row + 1] - offsets[row])
      }
    }
    used += lists.items.count
    Places.with(Array(start..<UInt32(used))) { items.set($0, to: lists.items) }
    compactIfWorthwhile()
  }

  func gathered(_ places: Places) -> Column {
    precondition(places.end <= spans.count, "nothing was put there")
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(places.numbers.count + 1)
    var numbers: [UInt32] = []
    for place in places.numbers {
      numbers.append(contentsOf: spans.base[Int(place)].range)
      offsets.append(UInt32(numbers.count))
    }
    return .list(
      ListColumn(offsets: offsets, items: Places.with(numbers) { items.gathered($0) }))
  }

  func clear(_ places: Places) {
    precondition(places.end <= spans.count, "nothing was put there")
    for place in places.numbers {
      gaps += Int(spans.base[Int(place)].count)
      spans.base[Int(place)] = Span(start: 0, count: 0)
    }
    compactIfWorthwhile()
  }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {
    preconditionFailure("a list is no key")
  }

  private func lists(_ column: Column) -> ListColumn {
    guard case .list(let lists) = column.expanded() else { column.isUnexpected("lists") }
    let end = Int(lists.offsets[lists.count])
    return end == lists.items.count
      ? lists : ListColumn(offsets: lists.offsets, items: lists.items.sliced(0..<end))
  }

  private func compactIfWorthwhile() {
    guard gaps >= Self.fewestGaps, gaps > used / 2 else { return }
    var live: [UInt32] = []
    live.reserveCapacity(used - gaps)
    for place in 0..<spans.count {
      let start = UInt32(live.count)
      live.append(contentsOf: spans.base[place].range)
      spans.base[place].start = start
    }
    let kept = Places.with(live) { items.gathered($0) }
    items = makeColumnStore(type)
    used = live.count
    gaps = 0
    Places.with(Array(0..<UInt32(used))) { items.set($0, to: kept) }
  }
}
