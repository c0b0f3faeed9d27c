/// Some records of one partition, in one form: what flows between operators.
///
/// A form is a type: ``TextBlock`` (lines of text), ``ValueBatch`` (Swift values), and those that
/// other layers add. An operator handles a batch at a time; nothing is called per record through
/// this protocol.
public protocol RecordBatch: Sendable {
  /// The number of records.
  var recordCount: Int { get }

  /// The same records, for whoever keeps them: on disk where memory is short, and without the share of
  /// a receiver's budget. What reads them later does not change them. By default the batch itself.
  ///
  /// - Throws: when they cannot be written.
  func spillingIfShort() throws -> any RecordBatch
}

extension RecordBatch {
  public func spillingIfShort() throws -> any RecordBatch { self }
}

/// A batch that lies elsewhere than in memory.
public protocol StoredBatch: RecordBatch {
  /// The records in memory, each time anew.
  func loaded() throws -> any RecordBatch

  /// Some of the records in memory, in the order of `rows`; nil where it is no more work to load all.
  func loaded(_ rows: [UInt32]) throws -> (any RecordBatch)?
}

extension StoredBatch {
  public func loaded(_ rows: [UInt32]) throws -> (any RecordBatch)? { nil }
}

extension RecordBatch {
  /// The same records in memory.
  public func inMemory() throws -> any RecordBatch {
    try (self as? any StoredBatch)?.loaded() ?? self
  }

  /// For whoever keeps the records where nobody else changes them: on disk where memory is short, and
  /// otherwise as they are.
  ///
  /// - Throws: when they cannot be written.
  public func keptOnDiskIfShort() throws -> any RecordBatch {
    guard recordCount > 0, !(self is any StoredBatch),
      SpillStore.shared.isOverLimit(adding: recordCount)
    else { return self }
    return try spillingIfShort()
  }
}

/// A batch whose records can be read as Swift values of one type.
public protocol ElementBatch<Element>: RecordBatch {
  associatedtype Element: Sendable

  /// Calls `body` with each record in order.
  func forEachElement(_ body: (Element) throws -> Void) rethrows
}

/// Swift values in an array.
public struct ValueBatch<Element: Sendable>: ElementBatch {
  public let elements: [Element]

  public init(_ elements: [Element]) {
    self.elements = elements
  }

  public var recordCount: Int { elements.count }

  public func forEachElement(_ body: (Element) throws -> Void) rethrows {
    for element in elements { try body(element) }
  }
}

/// Hands out the batches of one partition, one after the other; used by one task.
public protocol BatchCursor: AnyObject {
  /// The next batch, or nil at the end.
  func next() throws -> (any RecordBatch)?

  /// The batches that are left, where they are there already and nothing is computed for them; else nil.
  var atHand: ArraySlice<any RecordBatch>? { get }
}

extension BatchCursor {
  public var atHand: ArraySlice<any RecordBatch>? { nil }
}

/// A cursor over batches that are at hand.
public final class ArrayCursor: BatchCursor {
  private var remaining: ArraySlice<any RecordBatch>

  public var atHand: ArraySlice<any RecordBatch>? { remaining }

  public init(_ batches: [any RecordBatch]) {
    remaining = batches[...]
  }

  public func next() throws -> (any RecordBatch)? {
    guard let batch = remaining.popFirst() else { return nil }
    return try (batch as? any StoredBatch)?.loaded() ?? batch
  }
}

/// A cursor made of a closure.
public final class ClosureCursor: BatchCursor {
  private let body: () throws -> (any RecordBatch)?

  public init(_ body: @escaping () throws -> (any RecordBatch)?) {
    self.body = body
  }

  public func next() throws -> (any RecordBatch)? { try body() }
}
