import SwiftwaterCore

/// Texts by place: a view each, and one piece of memory for all texts that do not fit into theirs.
///
/// SAFETY: the upper half of the view of a longer text is its place in `heap`, where it lies whole.
final class TextStore: ColumnStore {
  private var views = GrowingMemory<TextView>()
  private var heap = GrowingMemory<UInt8>()
  /// Bytes of the heap that no view points at any more.
  private var garbage = 0
  /// True as long as there was no other text.
  private var isASCII = true

  /// Less is not worth moving the rest.
  private static let leastGarbage = 1 << 16

  var byteCount: Int { views.byteCount + heap.byteCount }

  func set(_ places: Places, to column: Column) {
    guard case .text(let texts) = column.expanded() else { column.isUnexpected("texts") }
    isASCII = isASCII && texts.isASCII
    views.extend(to: places.end)
    let base = views.base
    texts.withRows { rows in
      for (row, place) in places.numbers.enumerated() {
        let (old, new) = (base[Int(place)], rows.views[row])
        if !old.isInline { garbage += old.count }
        base[Int(place)] = new.isInline ? new : kept(rows[row], new)
      }
    }
    compactIfWorthwhile()
  }

  func gathered(_ places: Places) -> Column {
    if heap.count == garbage {
      let views = views.gathered(places)
      return .text(TextColumn(views: views, buffers: [], isASCII: isASCII || views.areASCII))
    }
    precondition(places.end <= views.count, "nothing was put there")
    var builder = TextBuilder(rows: places.numbers.count)
    for place in places.numbers {
      let bytes = bytes(at: Int(place))
      builder.append(bytes, isASCII: isASCII || SwiftwaterKernels.isASCII(bytes))
    }
    return .text(builder.finish())
  }

  func clear(_ places: Places) {
    precondition(places.end <= views.count, "nothing was put there")
    if heap.count == 0 { return }
    let base = views.base
    for place in places.numbers {
      if !base[Int(place)].isInline { garbage += base[Int(place)].count }
      base[Int(place)] = .empty
    }
    compactIfWorthwhile()
  }

  func compare(_ searches: UnsafeMutableBufferPointer<KeySearch>, with column: Column) {
    guard case .text(let texts) = column else { column.isUnexpected("texts") }
    let base = views.base
    texts.withRows { rows in
      searches.compare { row, place in
        let (ours, theirs) = (base[place], rows.views[row])
        if ours.low != theirs.low { return false }
        if ours.isInline { return ours.high == theirs.high }
        return equalBytes(bytes(at: place), rows[row])
      }
    }
  }

  private func bytes(at place: Int) -> UnsafeRawBufferPointer {
    let view = views.base + place
    let count = view.pointee.count
    // SAFETY: an inline text lies in its view, which does not move before the next change; another in
    // the heap.
    return view.pointee.isInline
      ? UnsafeRawBufferPointer(start: UnsafeRawPointer(view) + 4, count: count)
      : UnsafeRawBufferPointer(start: heap.base + Int(view.pointee.high), count: count)
  }

  /// The view of a longer text, which is put into the heap.
  private func kept(_ bytes: UnsafeRawBufferPointer, _ view: TextView) -> TextView {
    let start = heap.count
    heap.append(bytes.assumingMemoryBound(to: UInt8.self))
    return TextView(low: view.low, high: UInt64(start))
  }

  private func compactIfWorthwhile() {
    guard garbage >= Self.leastGarbage, garbage > heap.count / 2 else { return }
    var compacted = GrowingMemory<UInt8>()
    let base = views.base
    for place in 0..<views.count where !base[place].isInline {
      let start = compacted.count
      compacted.append(bytes(at: place).assumingMemoryBound(to: UInt8.self))
      base[place].high = UInt64(start)
    }
    heap = compacted
    garbage = 0
  }
}

extension Buffer<TextView> {
  /// True where all bytes of the texts, which are inline, are below 128.
  fileprivate var areASCII: Bool {
    reduce(0) { $0 | ($1.low >> 32) | $1.high } & 0x8080_8080_8080_8080 == 0
  }
}
