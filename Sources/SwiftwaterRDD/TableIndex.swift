import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Synchronization

/// The records of a table's partitions by their keys, each made when a join first asks for it.
final class TableIndex: Sendable {
  private let parts = Mutex<[Int: TablePart]>([:])

  /// - Parameter read: the records of the partition.
  func part(_ partition: Int, read: () throws -> [any RecordBatch]) throws -> TablePart {
    if let known = parts.withLock({ $0[partition] }) { return known }
    let new = TablePart(try read())
    return parts.withLock { parts in
      let part = parts[partition] ?? new
      parts[partition] = part
      return part
    }
  }

  func forget() {
    let old = parts.withLock { parts -> [Int: TablePart] in
      defer { parts = [:] }
      return parts
    }
    withExtendedLifetime(old) {}
  }
}

/// The records of one partition of a table.
final class TablePart: Sendable {
  /// It is looked up for others that have at most one record for so many of its own: more are found by
  /// reading all.
  static let leastForEach = 4

  let batches: [any RecordBatch]
  let count: Int

  /// Of the records, where they are in one column.
  var type: ColumnType? {
    batches.count == 1 ? (batches[0] as? ColumnBatch)?.column.type : nil
  }

  private struct Finders {
    /// Nil: nobody has asked; nil within: there is none.
    var places: KeyPlaces??
    var foreign: (any PairFinder)??
  }
  private let finders = Mutex(Finders())

  init(_ batches: [any RecordBatch]) {
    let columns = batches.compactMap { ($0 as? ColumnBatch)?.column }
    if columns.count > 1, columns.count == batches.count,
      columns.allSatisfy({ $0.type == columns[0].type })
    {
      self.batches = [ColumnBatch(.concatenated(columns))]
    } else {
      self.batches = batches
    }
    count = batches.reduce(0) { $0 + $1.recordCount }
  }

  /// The pairs whose keys others have, in their order; nil where that cannot be told, and where they are
  /// most of all.
  ///
  /// - Throws: an interrupt.
  func pairs(
    withKeysOf others: [any RecordBatch], _ language: any Language
  ) throws -> [any RecordBatch]? {
    if others.isEmpty || batches.isEmpty { return [] }
    if let places = try places(language), let keys = try Self.keys(of: others, language) {
      // Most of them are had sooner by taking all.
      switch places.rows(of: keys, most: count / 2) {
      case .tooMany: return nil
      case .found(let rows):
        if let found = try records(at: rows, language) {
          return found.recordCount == 0 ? [] : [found]
        }
      case nil: break
      }
    }
    return try foreign(language)?.pairs(withKeysOf: others)
  }

  private func records(
    at rows: [UInt32], _ language: any Language
  ) throws -> (any RecordBatch)? {
    if batches.count == 1, let batch = batches[0] as? ColumnBatch {
      return ColumnBatch(batch.column.gathered(rows))
    }
    return try language.records(at: rows, of: batches)
  }

  /// Nil for records that are no pairs, and for keys that have no common type.
  private static func keys(
    of pairs: [any RecordBatch], _ language: any Language
  ) throws -> Column? {
    let columns = pairs.compactMap { ($0 as? ColumnBatch)?.column }
    guard columns.count == pairs.count else { return try language.keys(of: pairs) }
    guard case .tuple(let types) = columns.first?.type, types.count == 2,
      columns.allSatisfy({ $0.type == columns[0].type })
    else { return nil }
    return .concatenated(columns.map { $0.tupleItems[0] })
  }

  private func places(_ language: any Language) throws -> KeyPlaces? {
    if let known = finders.withLock({ $0.places }) { return known }
    let new = try Self.keys(of: batches, language).flatMap { KeyPlaces(of: $0) }
    finders.withLock { $0.places = .some(new) }
    return new
  }

  private func foreign(_ language: any Language) throws -> (any PairFinder)? {
    if let known = finders.withLock({ $0.foreign }) { return known }
    let new = try language.finder(of: batches)
    finders.withLock { $0.foreign = .some(new) }
    return new
  }
}

extension Evaluation {
  /// The inputs of a join.
  struct JoinInputs {
    let first: [any BatchCursor]
    /// For another attempt.
    let again: MovedPart.Inputs
    /// Which of them is the table, and the type of its records where they are in one column.
    let table: (side: Int, type: ColumnType?)
  }

  /// Those in which a table has only the records whose keys the other side has; nil where neither is such
  /// a table. The order of records stays, and with it that of the result.
  func matches(
    _ zip: ZipPartitions, _ parts: [(node: RDDNode, partition: Int)]
  ) throws -> JoinInputs? {
    guard !zip.matchedOnly.isEmpty, parts.count == 2 else { return nil }
    var tables: [(side: Int, part: TablePart)] = []
    for (side, option) in [MatchedInputs.left, .right].enumerated()
    where zip.matchedOnly.contains(option) {
      guard let index = parts[side].node.tableIndex else { continue }
      if SpillStore.shared.isOverLimit(adding: 1) {
        index.forget()
      } else if let part = try part(of: index, parts[side].node, parts[side].partition) {
        tables.append((side, part))
      }
    }
    guard let table = tables.max(by: { $0.part.count < $1.part.count }) else { return nil }
    let (node, partition) = parts[1 - table.side]
    return try matches(zip, table.part, at: table.side) { [self] in
      try node.flow(partition: partition, self)
    }
  }

  private func part(
    of index: TableIndex, _ node: RDDNode, _ partition: Int
  ) throws -> TablePart? {
    let part = try index.part(partition) {
      try node.flow(partition: partition, self).drained().map { try $0.spillingIfShort() }
    }
    // From disk all of it would have to be read for each join.
    return part.batches.contains { $0 is any StoredBatch } ? nil : part
  }

  private func matches(
    _ zip: ZipPartitions, _ table: TablePart, at side: Int,
    other: @escaping @Sendable () throws -> any BatchCursor
  ) throws -> JoinInputs {
    let cursor = try other()
    var records: [any RecordBatch] = []
    var count = 0
    while count * TablePart.leastForEach <= table.count {
      guard let batch = try cursor.next() else {
        let found = try table.pairs(withKeysOf: records, zip.language) ?? table.batches
        let again: MovedPart.Inputs = { [records] in
          Self.inputs(found, at: side, beside: ArrayCursor(records))
        }
        return JoinInputs(first: try again(), again: again, table: (side, table.type))
      }
      try task.checkCancellation()
      if batch.recordCount == 0 { continue }
      records.append(batch)
      count += batch.recordCount
    }
    let read = ArrayCursor(records)
    let all = ClosureCursor { try read.next() ?? cursor.next() }
    return JoinInputs(
      first: Self.inputs(table.batches, at: side, beside: all),
      again: { Self.inputs(table.batches, at: side, beside: try other()) },
      table: (side, table.type))
  }

  private static func inputs(
    _ table: [any RecordBatch], at side: Int, beside other: any BatchCursor
  ) -> [any BatchCursor] {
    side == 0 ? [ArrayCursor(table), other] : [other, ArrayCursor(table)]
  }
}
