import SwiftwaterCore
import SwiftwaterStore

/// The rows of a column as bytes, and back: numbers as they are in memory, a text or a list behind its
/// length, the parts of a row one behind the other. Only the process that wrote them reads them.
///
/// Both ways go through the columns one by one: who writes an item knows to which row it belongs.
enum ColumnRows {
  /// - Parameter column: as ``Column/expandedThroughout()`` gives it.
  static func rows(of column: Column) -> Rows {
    var sizes = [Int](repeating: 0, count: column.count)
    measure(column, owners: nil, &sizes)
    var ends = sizes
    var end = 0
    for row in ends.indices {
      end += ends[row]
      ends[row] = end
      sizes[row] = end - sizes[row]
    }
    let bytes = [UInt8](unsafeUninitializedCapacity: end) { bytes, used in
      // SAFETY: every part goes behind the one before, and there is room for what was measured.
      write(column, owners: nil, UnsafeMutableRawBufferPointer(bytes), &sizes)
      used = end
    }
    return Rows(bytes: bytes, ends: ends)
  }

  /// - Throws: ``EngineError`` (`unavailable`) where the bytes are not rows of the type.
  static func column(_ type: ColumnType, of rows: Rows) throws -> Column {
    try rows.bytes.withUnsafeBytes { bytes in
      var reader = Reader(bytes: bytes, ends: rows.ends)
      return try reader.column(type, count: rows.count, owners: nil)
    }
  }

  // MARK: - Writing

  /// - Parameter owners: the row of each item; nil where it is the item's own number.
  private static func measure(_ column: Column, owners: [UInt32]?, _ sizes: inout [Int]) {
    func add(_ size: (_ item: Int) -> Int) {
      for item in 0..<column.count { sizes[owners.map { Int($0[item]) } ?? item] += size(item) }
    }
    switch column {
    case .none: break
    case .bool: add { _ in 1 }
    case .integer, .double: add { _ in 8 }
    case .text(let texts): texts.withRows { rows in add { 4 + rows[$0].count } }
    case .tuple(let items, _): for item in items { measure(item, owners: owners, &sizes) }
    case .list(let lists):
      add { _ in 4 }
      measure(lists.items.sliced(0..<lists.itemCount), owners: lists.owners(owners), &sizes)
    case .optional(_, let values):
      add { _ in 1 }
      measure(values, owners: owners, &sizes)
    case .repeated: column.isUnexpected("rows that are stored for themselves")
    }
  }

  /// - Parameter places: where each row goes on.
  private static func write(
    _ column: Column, owners: [UInt32]?, _ bytes: UnsafeMutableRawBufferPointer,
    _ places: inout [Int]
  ) {
    func put<Value: BitwiseCopyable>(_ value: (_ item: Int) -> Value) {
      for item in 0..<column.count {
        let row = owners.map { Int($0[item]) } ?? item
        bytes.storeBytes(of: value(item), toByteOffset: places[row], as: Value.self)
        places[row] += MemoryLayout<Value>.size
      }
    }
    switch column {
    case .none: break
    case .bool(let bits): put { bits[$0] ? UInt8(1) : 0 }
    case .integer(let values): put { values[$0] }
    case .double(let values): put { values[$0] }
    case .text(let texts):
      texts.withRows { rows in
        for item in 0..<texts.count {
          let row = owners.map { Int($0[item]) } ?? item
          let text = rows[item]
          bytes.storeBytes(
            of: UInt32(text.count), toByteOffset: places[row], as: UInt32.self)
          UnsafeMutableRawBufferPointer(rebasing: bytes[(places[row] + 4)...]).copyMemory(
            from: text)
          places[row] += 4 + text.count
        }
      }
    case .tuple(let items, _):
      for item in items { write(item, owners: owners, bytes, &places) }
    case .list(let lists):
      put { lists.offsets[$0 + 1] - lists.offsets[$0] }
      write(
        lists.items.sliced(0..<lists.itemCount), owners: lists.owners(owners), bytes, &places)
    case .optional(let validity, let values):
      put { validity[$0] ? UInt8(1) : 0 }
      write(values, owners: owners, bytes, &places)
    case .repeated: column.isUnexpected("rows that are stored for themselves")
    }
  }

  // MARK: - Reading

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    let ends: [Int]
    /// Where each row goes on.
    var places: [Int]

    init(bytes: UnsafeRawBufferPointer, ends: [Int]) {
      self.bytes = bytes
      self.ends = ends
      places = [0] + ends.dropLast()
      if ends.isEmpty { places = [] }
    }

    private mutating func take(_ count: Int, _ row: Int) throws -> Int {
      let place = places[row]
      guard count <= ends[row] - place else {
        throw EngineError.unavailable("a row that was kept on disk is cut")
      }
      places[row] = place + count
      return place
    }

    private mutating func values<Value: BitwiseCopyable>(
      _ count: Int, _ owners: [UInt32]?, as type: Value.Type = Value.self
    ) throws -> [Value] {
      var values: [Value] = []
      values.reserveCapacity(count)
      for item in 0..<count {
        let place = try take(MemoryLayout<Value>.size, owners.map { Int($0[item]) } ?? item)
        values.append(bytes.loadUnaligned(fromByteOffset: place, as: Value.self))
      }
      return values
    }

    private mutating func flags(_ count: Int, _ owners: [UInt32]?) throws -> Bitmap {
      let flags = try values(count, owners, as: UInt8.self)
      return Bitmap(count: count) { flags[$0] != 0 }
    }

    mutating func column(_ type: ColumnType, count: Int, owners: [UInt32]?) throws -> Column {
      switch type {
      case .none: return .none(count: count)
      case .bool: return .bool(try flags(count, owners))
      case .integer: return .integer(Buffer(try values(count, owners)))
      case .double: return .double(Buffer(try values(count, owners)))
      case .text:
        var builder = TextBuilder(rows: count)
        for item in 0..<count {
          let row = owners.map { Int($0[item]) } ?? item
          let head = try take(4, row)
          let length = Int(bytes.loadUnaligned(fromByteOffset: head, as: UInt32.self))
          let start = try take(length, row)
          let text = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)])
          builder.append(text, isASCII: isASCII(text))
        }
        return .text(builder.finish())
      case .tuple(let types):
        return .tuple(
          try types.map { try column($0, count: count, owners: owners) }, count: count)
      case .list(let item):
        let lengths: [UInt32] = try values(count, owners)
        var offsets: [UInt32] = [0]
        offsets.reserveCapacity(count + 1)
        for length in lengths { offsets.append(offsets[offsets.count - 1] &+ length) }
        let lists = ListColumn(offsets: offsets, items: .none(count: 0))
        let items = try column(item, count: lists.itemCount, owners: lists.owners(owners))
        return .list(ListColumn(offsets: offsets, items: items))
      case .optional(let type):
        let validity = try flags(count, owners)
        return .optional(
          validity: validity, try column(type, count: count, owners: owners))
      }
    }
  }
}

extension ListColumn {
  /// Of all lists.
  fileprivate var itemCount: Int { Int(offsets[count]) }

  /// The row to which each item belongs.
  fileprivate func owners(_ owners: [UInt32]?) -> [UInt32] {
    var items: [UInt32] = []
    items.reserveCapacity(itemCount)
    for list in 0..<count {
      let owner = owners?[list] ?? UInt32(truncatingIfNeeded: list)
      items.append(contentsOf: repeatElement(owner, count: Int(offsets[list + 1] - offsets[list])))
    }
    return items
  }
}
