import PythonInterop
import SwiftwaterCore

/// What a reader gives, some records at a time.
package final class ReaderCursor: BatchCursor {
  private static let chunk = 4096

  /// Nil when it has failed.
  private var reader: RecordReader?
  private let inputs: [UpstreamRecords]
  private let task: TaskContext
  private var isAtEnd = false
  private var failure: (any Error)?

  /// - Parameter inputs: what the reader's function was given: it is over with this cursor.
  package init(_ reader: RecordReader, of inputs: [UpstreamRecords], task: TaskContext) {
    self.reader = reader
    self.inputs = inputs
    self.task = task
  }

  deinit { end() }

  private func end() {
    if reader == nil { return }
    reader = nil
    for input in inputs { input.close() }
  }

  package func next() throws -> (any RecordBatch)? {
    guard let reader, !isAtEnd else { return nil }
    if let failure {
      // An error that is kept holds nothing of this, nor this the error.
      self.failure = nil
      end()
      throw failure
    }
    try task.checkCancellation()
    return try Interpreter.attach { py in
      let chain = RecordChain([], into: try ListSink(capacity: Self.chunk, py))
      do {
        isAtEnd = try !reader.pump(into: chain, py)
      } catch {
        // Its turn comes behind the records in front of it.
        failure = error
      }
      return PythonBatch(chain.sink.list)
    }
  }
}
