extension ColumnBatch {
  /// Without what its rows do not point at; on disk, where memory is short.
  public func spillingIfShort() throws -> any RecordBatch {
    guard SpillStore.shared.isOverLimit(adding: recordCount) else {
      return ColumnBatch(column.compactedForKeeping())
    }
    return SpilledColumnBatch(
      recordCount: recordCount, column: try SpilledColumn(column.compacted()))
  }
}

/// A column's rows on disk.
private struct SpilledColumnBatch: StoredBatch {
  let recordCount: Int
  let column: SpilledColumn

  /// Rows that lie alone are read one by one.
  private static let worthwhile = 64

  func loaded() throws -> any RecordBatch { ColumnBatch(try column.loaded()) }

  func loaded(_ rows: [UInt32]) throws -> (any RecordBatch)? {
    guard column.hasRowsAlone, rows.count * Self.worthwhile < recordCount else { return nil }
    return ColumnBatch(try column.loaded(rows))
  }
}

/// The buffers of a column in a spill file; how they belong together stays in memory.
private indirect enum SpilledColumn: Sendable {
  case none(count: Int)
  case bool(SpilledBytes, count: Int)
  case integer(SpilledBytes)
  case double(SpilledBytes)
  case text(views: SpilledBytes, buffers: [SpilledBytes], isASCII: Bool)
  case tuple([SpilledColumn], count: Int)
  case list(offsets: SpilledBytes, SpilledColumn)
  case optional(SpilledBytes, count: Int, SpilledColumn)
  case repeated(SpilledColumn, count: Int)

  init(_ column: Column) throws {
    switch column {
    case .none(let count): self = .none(count: count)
    case .bool(let bits): self = .bool(try Self.write(bits.words), count: bits.count)
    case .integer(let values): self = .integer(try Self.write(values))
    case .double(let values): self = .double(try Self.write(values))
    case .text(let texts):
      self = .text(
        views: try Self.write(texts.views), buffers: try texts.buffers.map { try Self.write($0) },
        isASCII: texts.isASCII)
    case .tuple(let items, let count):
      self = .tuple(try items.map { try SpilledColumn($0) }, count: count)
    case .list(let lists):
      self = .list(offsets: try Self.write(lists.offsets), try SpilledColumn(lists.items))
    case .optional(let validity, let values):
      self = .optional(
        try Self.write(validity.words), count: validity.count, try SpilledColumn(values))
    case .repeated(let value, let count):
      self = .repeated(try SpilledColumn(value), count: count)
    }
  }

  func loaded() throws -> Column {
    switch self {
    case .none(let count): .none(count: count)
    case .bool(let words, let count): .bool(Bitmap(words: try Self.read(words), count: count))
    case .integer(let values): .integer(try Self.read(values))
    case .double(let values): .double(try Self.read(values))
    case .text(let views, let buffers, let isASCII):
      .text(
        TextColumn(
          views: try Self.read(views), buffers: try buffers.map { try Self.read($0) },
          isASCII: isASCII))
    case .tuple(let items, let count): .tuple(try items.map { try $0.loaded() }, count: count)
    case .list(let offsets, let items):
      .list(ListColumn(offsets: try Self.read(offsets), items: try items.loaded()))
    case .optional(let words, let count, let values):
      .optional(
        validity: Bitmap(words: try Self.read(words), count: count), try values.loaded())
    case .repeated(let value, let count): .repeated(try value.loaded(), count: count)
    }
  }

  // MARK: - Some rows

  /// False where rows cannot be found without those before them.
  var hasRowsAlone: Bool {
    switch self {
    case .none, .bool, .integer, .double, .text: true
    case .tuple(let items, _): items.allSatisfy(\.hasRowsAlone)
    case .optional(_, _, let values): values.hasRowsAlone
    case .list, .repeated: false
    }
  }

  /// - Precondition: ``hasRowsAlone``.
  func loaded(_ rows: [UInt32]) throws -> Column {
    switch self {
    case .none: .none(count: rows.count)
    case .bool(let words, _): .bool(try Self.bits(words, rows))
    case .integer(let values): .integer(try Self.read(values, rows))
    case .double(let values): .double(try Self.read(values, rows))
    case .text(let views, let buffers, let isASCII):
      .text(try Self.texts(Self.read(views, rows), buffers, isASCII: isASCII))
    case .tuple(let items, _): .tuple(try items.map { try $0.loaded(rows) }, count: rows.count)
    case .optional(let words, _, let values):
      .optional(validity: try Self.bits(words, rows), try values.loaded(rows))
    case .list, .repeated: preconditionFailure("rows that do not lie alone")
    }
  }

  private static func bits(_ words: SpilledBytes, _ rows: [UInt32]) throws -> Bitmap {
    let parts: Buffer<UInt64> = try read(words, rows.map { $0 / 64 })
    return Bitmap(count: rows.count) { parts[$0] >> UInt64(rows[$0] % 64) & 1 != 0 }
  }

  private static func texts(
    _ views: Buffer<TextView>, _ buffers: [SpilledBytes], isASCII: Bool
  ) throws -> TextColumn {
    var builder = TextBuilder(rows: views.count)
    for index in 0..<views.count {
      var view = views[index]
      var failure: (any Error)?
      builder.append(count: view.count, isASCII: isASCII) { bytes in
        if view.isInline {
          withUnsafeBytes(of: &view) {
            bytes.copyMemory(from: .init(rebasing: $0[4..<(4 + bytes.count)]))
          }
          return
        }
        do {
          try buffers[view.buffer].read(into: bytes, from: view.offset)
        } catch {
          failure = error
          bytes.initializeMemory(as: UInt8.self, repeating: 0)
        }
      }
      if let failure { throw failure }
    }
    return builder.finish()
  }

  private static func read<Element: BitwiseCopyable>(
    _ bytes: SpilledBytes, _ rows: [UInt32]
  ) throws -> Buffer<Element> {
    let size = MemoryLayout<Element>.stride
    return try Buffer(count: rows.count) { values in
      for (index, row) in rows.enumerated() {
        // SAFETY: as below, and room for one.
        try bytes.read(
          into: UnsafeMutableRawBufferPointer(start: values + index, count: size),
          from: Int(row) * size)
      }
    }
  }

  private static func write<Element>(_ values: Buffer<Element>) throws -> SpilledBytes {
    try values.withUnsafeBytes { try SpillStore.shared.write($0) }
  }

  private static func read<Element>(_ bytes: SpilledBytes) throws -> Buffer<Element> {
    try Buffer(count: bytes.count / MemoryLayout<Element>.stride) { values in
      // SAFETY: the bytes were written from so many elements of this type.
      try bytes.read(
        into: UnsafeMutableRawBufferPointer(start: values, count: bytes.count))
    }
  }
}
