import SwiftwaterCore

/// Pairs in columns: vectors are ``ColumnBatch``es of one type of keys, which has a hash, or of one type
/// of values.
public struct ColumnForm: PairForm {
  public let keyType: ColumnType
  public let valueType: ColumnType

  /// - Parameter type: of the pairs. Nil where records of this type are no pairs, or their keys
  ///   have no hash.
  public init?(_ type: ColumnType) {
    guard case .tuple(let items) = type, items.count == 2, items[0].isHashable else { return nil }
    keyType = items[0]
    valueType = items[1]
  }

  public var tellsEqualKeysApart: Bool { keyType.hasDouble }

  public func makeDirectory() -> any KeyDirectory { ColumnDirectory(keyType) }

  public func makeValues() -> any ValueArray { ColumnValues(valueType) }

  public func split(
    _ pairs: any RecordBatch
  ) -> (keys: any RecordBatch, values: any RecordBatch)? {
    guard let batch = pairs as? ColumnBatch, batch.column.type == .tuple([keyType, valueType])
    else { return nil }
    let items = batch.column.tupleItems
    return (ColumnBatch(items[0]), ColumnBatch(items[1]))
  }

  public func pairs(_ keys: any RecordBatch, _ values: any RecordBatch) -> any RecordBatch {
    precondition(keys.recordCount == values.recordCount)
    return ColumnBatch(.tuple([column(keys), column(values)], count: keys.recordCount))
  }

  public func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) -> any RecordBatch {
    ColumnBatch(column(vector).gathered(rows))
  }

  public func concatenated(_ vectors: [any RecordBatch]) -> any RecordBatch {
    ColumnBatch(vectors.isEmpty ? .empty(valueType) : .concatenated(vectors.map { column($0) }))
  }
}

/// Values of one type in columns, by place.
public final class ColumnValues: ValueArray {
  public let type: ColumnType
  private let store: SpillingStore

  init(_ type: ColumnType) {
    self.type = type
    store = SpillingStore(type)
  }

  public var byteCount: Int { store.byteCount }

  public func gathered(_ places: [UInt32]) throws -> any RecordBatch {
    ColumnBatch(try Places.with(places) { try store.gathered($0) })
  }

  /// - Throws: where there would be more items of lists than a column can number, or where they cannot
  ///   be written to disk; nothing has changed then.
  public func set(_ places: [UInt32], to values: any RecordBatch) throws {
    let column = column(values)
    precondition(column.type == type, "values of \(type) are expected, not of \(column.type)")
    precondition(places.count == column.count)
    guard store.hasRoom(for: column) else {
      throw EngineError.illegalState(
        "the lists of a partition have more than 4 billion items: spread the keys over more "
          + "partitions")
    }
    try Places.with(places) { try store.set($0, to: column) }
  }

  public func clear(_ places: [UInt32]) { Places.with(places) { store.clear($0) } }
}

/// The column of a vector of this form.
private func column(_ vector: any RecordBatch) -> Column {
  guard let batch = vector as? ColumnBatch else {
    preconditionFailure("columns are expected, not \(Swift.type(of: vector))")
  }
  return batch.column
}

extension ColumnType {
  /// True where a part of it is a double.
  fileprivate var hasDouble: Bool {
    switch self {
    case .double: true
    case .tuple(let items): items.contains(where: \.hasDouble)
    case .list(let item), .optional(let item): item.hasDouble
    case .none, .bool, .integer, .text: false
    }
  }
}
