import SwiftwaterCore
import SwiftwaterKernels

/// Records by partition: those of many small columns become few large ones.
struct DividedColumns {
  /// Rows between two looks at the process's size.
  private static let lookEvery = 1 << 16

  private var open: [[Column]]
  private var openRows = 0
  private var divided: [[any RecordBatch]]

  init(_ count: Int) {
    open = Array(repeating: [], count: count)
    divided = Array(repeating: [], count: count)
  }

  mutating func add(_ parts: [Column?], rows: Int) throws {
    for (index, part) in parts.enumerated() {
      guard let part else { continue }
      if let last = open[index].last, last.type != part.type { try close(index) }
      // A few rows of each block: nothing else of it is held on to.
      open[index].append(part.compacted())
    }
    openRows += rows
    if openRows >= Self.lookEvery, SpillStore.shared.isOverLimit(adding: openRows) {
      for index in open.indices { try close(index) }
      openRows = 0
    }
  }

  mutating func add(_ batches: [[any RecordBatch]]) throws {
    for (index, part) in batches.enumerated() where !part.isEmpty {
      try close(index)
      divided[index] += part
    }
  }

  mutating func finish() throws -> [[any RecordBatch]] {
    for index in open.indices { try close(index) }
    return divided
  }

  private mutating func close(_ index: Int) throws {
    if open[index].isEmpty { return }
    divided[index].append(try ColumnBatch(.concatenated(open[index])).spillingIfShort())
    open[index] = []
  }
}
