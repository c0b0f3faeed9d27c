import PythonRecords
import SwiftwaterCore

/// Reads an input; the next batch while the worker works on one, from the second on: who wants only
/// the first records pays for no more.
final class WorkerFeed {
  private let cursor: any BatchCursor
  private let readsAhead: Bool
  private var hasBegun = false
  private var ahead: Swift.Result<(any RecordBatch)?, any Error>?

  init(_ cursor: any BatchCursor, readsAhead: Bool) {
    self.cursor = cursor
    self.readsAhead = readsAhead
  }

  /// What can be sent before it is asked for: a batch that is there, and that takes no interpreter to
  /// be written. Who does not ask for it has lost nothing.
  func partAtHand(with pickling: Pickling) throws -> (part: BatchCodec.Part, isLast: Bool)? {
    guard let batch = cursor.atHand?.first, batch is TextBlock || batch is ColumnBatch else {
      return nil
    }
    _ = try cursor.next()
    hasBegun = true
    return (try BatchCodec.encode(batch, with: pickling)[0], isKnownToEnd)
  }

  /// Nothing is left, as far as that is known without computing anything.
  var isKnownToEnd: Bool {
    if case .success(let batch) = ahead { return batch == nil }
    return ahead == nil && cursor.atHand?.isEmpty == true
  }

  func next() throws -> (any RecordBatch)? {
    guard let ahead else { return try cursor.next() }
    self.ahead = nil
    return try ahead.get()
  }

  /// What it throws is thrown when the batch is wanted.
  func readAhead() {
    if readsAhead, hasBegun { ahead = Swift.Result { try cursor.next() } }
    hasBegun = true
  }
}
