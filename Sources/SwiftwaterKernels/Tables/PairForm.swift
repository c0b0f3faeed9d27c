import SwiftwaterCore

/// How the pairs of a table are stored: as columns, as Swift values, as a language's objects.
///
/// A vector is a batch whose records are keys, or values, side by side; all vectors of a form are of one
/// type. Tables work on whole vectors: nothing is called for each record through these protocols.
public protocol PairForm: Sendable {
  /// An empty directory of keys.
  func makeDirectory() -> any KeyDirectory

  /// True where keys that are equal may not be the same to look at: 1 and 1.0, -0.0 and 0.0.
  var tellsEqualKeysApart: Bool { get }

  /// An empty array of values.
  func makeValues() -> any ValueArray

  /// The keys and the values of pairs; nil for records of another form.
  ///
  /// - Throws: what a language raises for records that are no pairs.
  func split(_ pairs: any RecordBatch) throws -> (keys: any RecordBatch, values: any RecordBatch)?

  /// Pairs of keys and values that belong together.
  func pairs(_ keys: any RecordBatch, _ values: any RecordBatch) throws -> any RecordBatch

  /// The records in these rows of a vector, in their order.
  func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch

  /// The records of vectors, one behind the other; the empty vector of values where there are none.
  func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch
}

extension PairForm {
  public var tellsEqualKeysApart: Bool { false }
}

/// Numbers for keys. The numbers of keys that are removed are given out again: they stay small.
///
/// Used by one task at a time.
public protocol KeyDirectory: AnyObject {
  /// How many keys there are.
  var count: Int { get }

  /// All numbers are below.
  var bound: Int { get }

  /// About how many bytes are held.
  var byteCount: Int { get }

  /// The number of each key; keys that are not there are put there.
  ///
  /// - Parameter newRows: gets the rows whose key was not there before, in their order.
  /// - Returns: nil for keys that this form does not hold; nothing has changed then.
  /// - Throws: what comparing keys raises; nothing has changed then.
  func numbers(of keys: any RecordBatch, newRows: inout [UInt32]) throws -> [UInt32]?

  /// Removes keys that are there, by their numbers.
  func remove(_ numbers: [UInt32])

  /// The keys with these numbers.
  func keys(_ numbers: [UInt32]) throws -> any RecordBatch
}

/// Values by place, which are changed where they are.
///
/// Used by one task at a time.
public protocol ValueArray: AnyObject {
  /// About how many bytes are held.
  var byteCount: Int { get }

  /// The values in places that were set.
  func gathered(_ places: [UInt32]) throws -> any RecordBatch

  /// Puts each value in its place; a place may be behind all that were set so far. Of places that are
  /// named twice the last value stays.
  func set(_ places: [UInt32], to values: any RecordBatch) throws

  /// Lets go of the values in places; they may be set again.
  func clear(_ places: [UInt32])
}

extension ValueArray {
  /// The values in places, in another array.
  ///
  /// - Parameter vector: makes a vector of the other array's form.
  func converted(
    _ places: [UInt32], to array: any ValueArray,
    _ vector: (any RecordBatch) throws -> any RecordBatch
  ) throws -> any ValueArray {
    // What is on disk need not fit into memory at once.
    let together = 1 << 14
    for start in stride(from: 0, to: places.count, by: together) {
      let some = Array(places[start..<min(start + together, places.count)])
      try array.set(some, to: vector(gathered(some)))
    }
    return array
  }
}

extension PairForm {
  /// Records of a vector that may be on disk, in memory.
  func loaded(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch {
    if let stored = vector as? any StoredBatch, let some = try stored.loaded(rows) { return some }
    return try gatheredIfNeeded(vector.inMemory(), rows)
  }
}
