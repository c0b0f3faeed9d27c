/// Records of one type in columns: the engine's own form of them.
///
/// The memory is Arrow's, in a ``Buffer`` each: 64-bit integers, booleans and validity as bits in
/// ``Bitmap``, text as views, a list column as offsets into the column of all items, a tuple column
/// as a column for each item. Immutable but through its owner.
public indirect enum Column: Sendable {
  /// None in each of `count` rows.
  case none(count: Int)
  case bool(Bitmap)
  case integer(Buffer<Int64>)
  case double(Buffer<Double>)
  case text(TextColumn)
  case tuple([Column], count: Int)
  case list(ListColumn)
  /// None where the bitmap has a 0; what the column has there is of no meaning.
  case optional(validity: Bitmap, Column)
  /// The only row of a column, `count` times.
  case repeated(Column, count: Int)
}

/// Lists: row `i` has the items `offsets[i]..<offsets[i + 1]`.
public struct ListColumn: Sendable {
  /// One more than rows; the first is 0.
  public var offsets: Buffer<UInt32>
  public var items: Column

  public init(offsets: Buffer<UInt32>, items: Column) {
    self.offsets = offsets
    self.items = items
  }

  /// Takes the array over.
  public init(offsets: [UInt32], items: Column) {
    self.init(offsets: Buffer(offsets), items: items)
  }

  public var count: Int { offsets.count - 1 }
}

extension Column {
  /// The number of rows.
  public var count: Int {
    switch self {
    case .none(let count), .tuple(_, let count), .repeated(_, let count): count
    case .bool(let bits): bits.count
    case .integer(let values): values.count
    case .double(let values): values.count
    case .text(let column): column.count
    case .list(let column): column.count
    case .optional(let validity, _): validity.count
    }
  }

  public var type: ColumnType {
    switch self {
    case .none: .none
    case .bool: .bool
    case .integer: .integer
    case .double: .double
    case .text: .text
    case .tuple(let items, _): .tuple(items.map(\.type))
    case .list(let column): .list(column.items.type)
    case .optional(_, let column): .optional(column.type)
    case .repeated(let column, _): column.type
    }
  }

  /// A column of a type without rows.
  public static func empty(_ type: ColumnType) -> Column {
    switch type {
    case .none: .none(count: 0)
    case .bool: .bool(Bitmap(words: [], count: 0))
    case .integer: .integer([])
    case .double: .double([])
    case .text: .text(TextColumn(views: [], buffers: [], isASCII: true))
    case .tuple(let items): .tuple(items.map(empty), count: 0)
    case .list(let item): .list(ListColumn(offsets: [0], items: empty(item)))
    case .optional(let type): .optional(validity: Bitmap(words: [], count: 0), empty(type))
    }
  }

  /// The rows at `places`, in their order.
  public func gathered(_ places: [UInt32]) -> Column {
    switch self {
    case .none: .none(count: places.count)
    case .bool(let bits): .bool(bits.gathered(places))
    case .integer(let values): .integer(gather(values, places))
    case .double(let values): .double(gather(values, places))
    case .text(let column): .text(column.gathered(places))
    case .tuple(let items, _): .tuple(items.map { $0.gathered(places) }, count: places.count)
    case .list(let column): .list(column.gathered(places))
    case .optional(let validity, let column):
      .optional(validity: validity.gathered(places), column.gathered(places))
    case .repeated(let column, _): .repeated(column, count: places.count)
    }
  }

  /// The rows of a range.
  public func sliced(_ range: Range<Int>) -> Column {
    if range == 0..<count { return self }
    return switch self {
    case .none: .none(count: range.count)
    case .bool(let bits): .bool(bits.sliced(range))
    case .integer(let values): .integer(values.sliced(range))
    case .double(let values): .double(values.sliced(range))
    case .text(let column): .text(column.sliced(range))
    case .tuple(let items, _): .tuple(items.map { $0.sliced(range) }, count: range.count)
    case .list(let column): .list(column.sliced(range))
    case .optional(let validity, let column):
      .optional(validity: validity.sliced(range), column.sliced(range))
    case .repeated(let column, _): .repeated(column, count: range.count)
    }
  }

  /// The same rows, none of them stored for several.
  public func expanded() -> Column {
    guard case .repeated(let column, let count) = self else { return self }
    if case .none = column { return .none(count: count) }
    // The row may itself be one that is stored for several.
    return column.expanded().gathered(Array(repeating: 0, count: count))
  }

  /// The same rows in a column of another type, which ``ColumnType/union(_:_:)`` gave.
  public func widened(to type: ColumnType) -> Column {
    switch (self, type) {
    case _ where self.type == type: self
    case (.none(let count), .optional(let inner)):
      .optional(
        validity: Bitmap(repeating: false, count: count),
        .repeated(Column.blank(inner), count: count).expanded())
    case (.repeated(let column, let count), _):
      .repeated(column.widened(to: type), count: count)
    case (.tuple(let items, let count), .tuple(let types)):
      .tuple(zip(items, types).map { $0.widened(to: $1) }, count: count)
    case (.optional(let validity, let column), .optional(let inner)):
      .optional(validity: validity, column.widened(to: inner))
    case (_, .optional(let inner)):
      .optional(validity: Bitmap(repeating: true, count: count), widened(to: inner))
    default: preconditionFailure("no column of \(type) holds \(self.type)")
    }
  }

  /// One row of a type, for places whose value nobody looks at.
  public static func blank(_ type: ColumnType) -> Column {
    switch type {
    case .none: .none(count: 1)
    case .bool: .bool(Bitmap(repeating: false, count: 1))
    case .integer: .integer([0])
    case .double: .double([0])
    case .text: .text(TextColumn(views: [.empty], buffers: [], isASCII: true))
    case .tuple(let items): .tuple(items.map(blank), count: 1)
    case .list(let item): .list(ListColumn(offsets: [0, 0], items: empty(item)))
    case .optional(let type):
      .optional(validity: Bitmap(repeating: false, count: 1), blank(type))
    }
  }

  /// The rows of several columns of one type, one column after the other.
  public static func concatenated(_ columns: [Column]) -> Column {
    guard let first = columns.first else { return .none(count: 0) }
    if columns.count == 1 { return first }
    let total = columns.reduce(0) { $0 + $1.count }
    let parts = columns.map { $0.expanded() }
    switch parts[0] {
    case .none: return .none(count: total)
    case .bool:
      var bits: [Bool] = []
      bits.reserveCapacity(total)
      for case .bool(let part) in parts { for index in 0..<part.count { bits.append(part[index]) } }
      return .bool(Bitmap(count: total) { bits[$0] })
    case .integer:
      return .integer(
        Buffer(
          concatenating: parts.lazy.map { part in
            guard case .integer(let values) = part else { preconditionFailure("unlike columns") }
            return values
          }, count: total))
    case .double:
      return .double(
        Buffer(
          concatenating: parts.lazy.map { part in
            guard case .double(let values) = part else { preconditionFailure("unlike columns") }
            return values
          }, count: total))
    case .text: return .text(TextColumn.concatenated(parts))
    case .tuple(let items, _):
      let columns = items.indices.map { index in
        Column.concatenated(
          parts.map { part in
            guard case .tuple(let items, _) = part else { preconditionFailure("unlike columns") }
            return items[index]
          })
      }
      return .tuple(columns, count: total)
    case .list:
      var offsets: [UInt32] = [0]
      offsets.reserveCapacity(total + 1)
      var items: [Column] = []
      for case .list(let part) in parts {
        let start = offsets.last!
        offsets += part.offsets.dropFirst().map { start + $0 }
        items.append(part.items)
      }
      return .list(ListColumn(offsets: offsets, items: concatenated(items)))
    case .optional:
      var validities: [Column] = []
      var values: [Column] = []
      for case .optional(let validity, let column) in parts {
        validities.append(.bool(validity))
        values.append(column)
      }
      guard case .bool(let validity) = concatenated(validities) else {
        preconditionFailure("bits are bits")
      }
      return .optional(validity: validity, concatenated(values))
    case .repeated: preconditionFailure("an expanded column is not repeated")
    }
  }

  /// Row `i` from `first` where bit `i` is 1, from `second` otherwise: the rows of each come in
  /// their order. Both have the same type.
  public static func merged(_ choice: Bitmap, _ first: Column, _ second: Column) -> Column {
    if case .bool(let a) = first.expanded(), case .bool(let b) = second.expanded() {
      var places = (0, 0)
      return .bool(
        Bitmap(count: choice.count) { row in
          if choice[row] {
            places.0 += 1
            return a[places.0 - 1]
          }
          places.1 += 1
          return b[places.1 - 1]
        })
    }
    var (nextFirst, nextSecond) = (UInt32(0), UInt32(first.count))
    let places = [UInt32](unsafeUninitializedCapacity: choice.count) { places, used in
      for index in 0..<choice.count {
        if choice[index] {
          places[used] = nextFirst
          nextFirst += 1
        } else {
          places[used] = nextSecond
          nextSecond += 1
        }
        used += 1
      }
    }
    return concatenated([first, second]).gathered(places)
  }
}

extension TextColumn {
  fileprivate static func concatenated(_ parts: [Column]) -> TextColumn {
    var (buffers, isASCII) = ([Buffer<UInt8>](), true)
    let total = parts.reduce(0) { $0 + $1.count }
    let views = Buffer<TextView>(count: total) { output in
      var output = output
      for case .text(let part) in parts {
        // Parts of one block share its buffer.
        let known =
          buffers.count == part.buffers.count
          && zip(buffers, part.buffers).allSatisfy { $0.0.isSame(as: $0.1) }
        let shift = known ? 0 : UInt32(truncatingIfNeeded: buffers.count)
        if !known { buffers += part.buffers }
        part.views.withUnsafeBufferPointer { views in
          if shift == 0 {
            output.initialize(from: views.baseAddress!, count: views.count)
          } else {
            for row in views.indices {
              (output + row).initialize(to: views[row].shifted(by: shift))
            }
          }
        }
        output += part.count
        isASCII = isASCII && part.isASCII
      }
    }
    return TextColumn(views: views, buffers: buffers, isASCII: isASCII)
  }
}

extension ListColumn {
  fileprivate func gathered(_ places: [UInt32]) -> ListColumn {
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(places.count + 1)
    var items: [UInt32] = []
    for place in places {
      let range = self.offsets[Int(place)]..<self.offsets[Int(place) + 1]
      items.append(contentsOf: range)
      offsets.append(UInt32(truncatingIfNeeded: items.count))
    }
    return ListColumn(offsets: offsets, items: self.items.gathered(items))
  }

  fileprivate func sliced(_ range: Range<Int>) -> ListColumn {
    let (start, end) = (offsets[range.lowerBound], offsets[range.upperBound])
    return ListColumn(
      offsets: offsets[range.lowerBound...range.upperBound].map { $0 - start },
      items: items.sliced(Int(start)..<Int(end)))
  }
}

@inline(__always)
private func gather<Element>(_ values: Buffer<Element>, _ places: [UInt32]) -> Buffer<Element> {
  values.withUnsafeBufferPointer { values in
    Buffer(count: places.count) { output in
      for (row, place) in places.enumerated() { (output + row).initialize(to: values[Int(place)]) }
    }
  }
}

extension Column {
  /// The same rows, with texts in buffers of their own: so that a few of them do not hold on to the
  /// blocks, to the columns, or to the memory of others, that they came from.
  public func compacted() -> Column {
    switch self {
    case .none: return self
    case .bool(let bits): return .bool(bits.compacted())
    case .integer(let values): return .integer(values.compacted())
    case .double(let values): return .double(values.compacted())
    case .text(let texts):
      if texts.views.allSatisfy(\.isInline) {
        if texts.buffers.isEmpty, !texts.views.isSmallPart { return self }
        return .text(
          TextColumn(views: texts.views.compacted(), buffers: [], isASCII: texts.isASCII))
      }
      var builder = TextBuilder(rows: texts.count)
      texts.withRows { rows in
        for row in 0..<rows.count { builder.append(rows[row], isASCII: texts.isASCII) }
      }
      return .text(builder.finish())
    case .tuple(let items, let count): return .tuple(items.map { $0.compacted() }, count: count)
    case .list(let lists):
      return .list(
        ListColumn(offsets: lists.offsets.compacted(), items: lists.items.compacted()))
    case .optional(let validity, let column):
      return .optional(validity: validity.compacted(), column.compacted())
    case .repeated(let column, let count): return .repeated(column.compacted(), count: count)
    }
  }
}

extension Column {
  /// How many bytes of text its views point at, and how many bytes are held for them.
  fileprivate var textBytes: (used: Int, held: Int) {
    func sum(_ columns: [Column]) -> (used: Int, held: Int) {
      columns.reduce((0, 0)) { ($0.0 + $1.textBytes.used, $0.1 + $1.textBytes.held) }
    }
    switch self {
    case .none, .bool, .integer, .double: return (0, 0)
    case .text(let texts):
      let used = texts.views.reduce(0) { $0 + ($1.isInline ? 0 : $1.count) }
      return (used, texts.buffers.reduce(0) { $0 + $1.textBytesHeld })
    case .tuple(let items, _): return sum(items)
    case .list(let lists): return lists.items.textBytes
    case .optional(_, let column), .repeated(let column, _): return column.textBytes
    }
  }

  /// True where rows are a few of those in a buffer.
  private var isSmallPart: Bool {
    switch self {
    case .none: false
    case .bool(let bits): bits.words.isSmallPart
    case .integer(let values): values.isSmallPart
    case .double(let values): values.isSmallPart
    case .text(let texts): texts.views.isSmallPart
    case .tuple(let items, _): items.contains(where: \.isSmallPart)
    case .list(let lists): lists.offsets.isSmallPart || lists.items.isSmallPart
    case .optional(let validity, let column): validity.words.isSmallPart || column.isSmallPart
    case .repeated(let column, _): column.isSmallPart
    }
  }

  /// The same rows for keeping: in buffers of their own, unless they are most of what they point at.
  func compactedForKeeping() -> Column {
    let (used, held) = textBytes
    return used * 2 < held || isSmallPart ? compacted() : self
  }
}

/// Records of a partition in a column.
public struct ColumnBatch: RecordBatch {
  public let column: Column
  public var recordCount: Int { column.count }

  public init(_ column: Column) {
    self.column = column
  }
}

extension TextBlock {
  /// Some of the lines, as a column whose views point into the block.
  public func column(_ range: Range<Int>? = nil) -> TextColumn {
    let range = range ?? 0..<lines.count
    let views = withBytes { bytes in
      lines.withUnsafeBufferPointer { lines in
        Buffer<TextView>(unsafeUninitializedCapacity: range.count) { views, used in
          for index in range {
            let line = lines[index]
            // SAFETY: a line lies in the block, behind whose bytes `padding` more are readable.
            views[used] = TextView(
              bytes.baseAddress! + Int(line.start), count: Int(line.end &- line.start), buffer: 0,
              offset: Int(line.start))
            used += 1
          }
        }
      }
    }
    var column = TextColumn(views: views, buffers: [Buffer(self)], isASCII: isASCII)
    column.lines = (self, range)
    return column
  }
}
