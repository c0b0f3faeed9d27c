import SwiftwaterCore

/// The entries of a batch: the keys' numbers, and vectors beside them.
final class Segment {
  /// Where the next entries of the same keys are.
  enum Next {
    /// None of the keys has one so far: the batch is the last that has entries.
    case nothing
    /// All are in one batch, which has the same keys in the same order.
    case sameRow(_ batch: Int)
    /// For each entry; `.none` where there is none so far.
    case places([EntryPlace])
  }

  /// In the order in which the pairs came; each once.
  var numbers: [UInt32]
  var next = Next.nothing
  /// What these are depends on the section. They are replaced together. On disk where memory is short.
  var values: any RecordBatch
  /// As they came, where equal ones can be told apart.
  let keys: (any RecordBatch)?

  /// - Throws: where vectors cannot be written to disk.
  init(
    _ numbers: [UInt32], _ values: any RecordBatch, keys: (any RecordBatch)?, next: Next = .nothing
  ) throws {
    self.keys = try keys?.keptOnDiskIfShort()
    self.numbers = numbers
    self.values = try values.keptOnDiskIfShort()
    self.next = next
  }

  /// The places, for whoever writes to them and puts them back.
  func takePlaces() -> [EntryPlace] {
    guard case .places(let places) = next else {
      preconditionFailure("a batch that others follow, but not with the same keys, has places")
    }
    next = .nothing
    return places
  }
}

/// Where the sections of a window begin, as numbers of batches, which are counted without end.
///
/// The names are the paper's, and the order is the one in which they stand here.
struct Sections {
  var f = 0
  var l = 0
  var r = 0
  var a = 0
  var b = 0
  var end = 0

  /// True where there are no batches, or one more before `l` than behind `b`, and as many from `l`
  /// to `r` as from `r` to `a`. So there is always one before `l`, and both sides of `r` are done
  /// at the same time.
  var isBalanced: Bool {
    f == end || (l - f == end - b + 1 && r - l == a - r)
  }

  /// What is there is one batch at most: its values are products to `b` as they are.
  mutating func restart() {
    (l, r, a, b) = (end, end, end, end)
  }

  /// What was behind `b` is now before it.
  mutating func flip() {
    (l, r, a, b) = (f, b, end, end)
  }

  /// One batch more is before `l`, whose values are products to `b` already.
  mutating func shift() {
    (l, r, a) = (l + 1, r + 1, a + 1)
  }

  /// The values of the batch at `l`, and of the one before `a`, are products to `b` now.
  mutating func shrink() {
    (l, a) = (l + 1, a - 1)
  }
}

/// A product for some of the keys, which can be forgotten all at once.
struct KeyProducts {
  private let values: any ValueArray
  /// In which epoch the product of each key was set; 0 where it never was.
  private var epochs: [UInt64] = []
  private var epoch: UInt64 = 1

  init(_ values: any ValueArray) {
    self.values = values
  }

  var byteCount: Int { values.byteCount + epochs.capacity * MemoryLayout<UInt64>.stride }

  /// Makes room for numbers below.
  mutating func reserve(_ bound: Int) {
    if bound > epochs.count { epochs += repeatElement(0, count: bound - epochs.count) }
  }

  /// No key has a product any more. Values stay until others take their places, or the keys go.
  mutating func forget() {
    epoch += 1
  }

  /// Where it throws, nothing has changed.
  mutating func set(_ numbers: [UInt32], to products: any RecordBatch) throws {
    try values.set(numbers, to: products)
    for number in numbers { epochs[Int(number)] = epoch }
  }

  func gathered(_ numbers: [UInt32]) throws -> any RecordBatch { try values.gathered(numbers) }

  /// The same products in another array.
  func converted(
    _ array: any ValueArray, _ vector: (any RecordBatch) throws -> any RecordBatch
  ) throws -> KeyProducts {
    let held = epochs.indices.filter { epochs[$0] == epoch }.map { UInt32(truncatingIfNeeded: $0) }
    var copy = KeyProducts(try values.converted(held, to: array, vector))
    copy.reserve(epochs.count)
    for number in held { copy.epochs[Int(number)] = copy.epoch }
    return copy
  }

  /// The rows of those that have products; nil where all have.
  func rows(of numbers: [UInt32]) -> [UInt32]? {
    var rows: [UInt32] = []
    guard let first = numbers.firstIndex(where: { !has($0) }) else { return nil }
    rows.reserveCapacity(numbers.count)
    for row in 0..<first { rows.append(UInt32(truncatingIfNeeded: row)) }
    for row in numbers[first...].indices where has(numbers[row]) {
      rows.append(UInt32(truncatingIfNeeded: row))
    }
    return rows
  }

  private func has(_ number: UInt32) -> Bool {
    Int(number) < epochs.count && epochs[Int(number)] == epoch
  }

  /// These keys are gone.
  mutating func clear(_ numbers: [UInt32]) {
    let held = numbers.filter { Int($0) < epochs.count && epochs[Int($0)] != 0 }
    for number in held { epochs[Int(number)] = 0 }
    if !held.isEmpty { values.clear(held) }
  }
}

/// What combining needs beside a form's own steps. Vectors are left as they are where nothing is to
/// be done.
extension PairForm {
  typealias Combine = SlidingTable.Combine

  /// The products of two vectors.
  func combined(
    _ left: any RecordBatch, _ right: any RecordBatch, _ combine: Combine
  ) throws -> any RecordBatch {
    let products = try combine(left, right)
    precondition(products.recordCount == left.recordCount, "a product for each pair of values")
    return products
  }

  /// Values, with the keys' products behind them where there are such.
  func combined(
    _ vector: any RecordBatch, with products: KeyProducts, of numbers: [UInt32],
    _ combine: Combine
  ) throws -> any RecordBatch {
    guard let rows = products.rows(of: numbers) else {
      return try combined(vector, products.gathered(numbers), combine)
    }
    if rows.isEmpty { return vector }
    let right = try products.gathered(rows.map { numbers[Int($0)] })
    return try replaced(vector, rows, with: right, combine)
  }

  /// The keys' products, where there are such, with values behind them.
  func combined(
    _ products: KeyProducts, of numbers: [UInt32], with vector: any RecordBatch,
    _ combine: Combine
  ) throws -> any RecordBatch {
    guard let rows = products.rows(of: numbers) else {
      return try combined(products.gathered(numbers), vector, combine)
    }
    if rows.isEmpty { return vector }
    let left = try products.gathered(rows.map { numbers[Int($0)] })
    return try replaced(
      vector, rows, by: combined(left, gathered(vector, rows), combine))
  }

  /// A vector of which some rows have others behind them.
  func replaced(
    _ vector: any RecordBatch, _ rows: [UInt32], with right: any RecordBatch, _ combine: Combine
  ) throws -> any RecordBatch {
    try replaced(vector, rows, by: combined(gatheredIfNeeded(vector, rows), right, combine))
  }

  private func replaced(
    _ vector: any RecordBatch, _ rows: [UInt32], by others: any RecordBatch
  ) throws -> any RecordBatch {
    let count = vector.recordCount
    var places = (0..<count).map { UInt32(truncatingIfNeeded: $0) }
    for (index, row) in rows.enumerated() {
      places[Int(row)] = UInt32(truncatingIfNeeded: count + index)
    }
    if rows.count == count { return try gathered(others, places.map { $0 - UInt32(count) }) }
    return try gathered(concatenated([vector, others]), places)
  }

  func gatheredIfNeeded(
    _ vector: any RecordBatch, _ rows: [UInt32]
  ) throws -> any RecordBatch {
    if rows.count == vector.recordCount,
      rows.enumerated().allSatisfy({ Int($0.element) == $0.offset })
    {
      return vector
    }
    return try gathered(vector, rows)
  }

  func concatenatedIfNeeded(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
    if vectors.count == 1 { return vectors[0] }
    return try concatenated(vectors)
  }
}
