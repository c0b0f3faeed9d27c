import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan

extension PythonLanguage {
  func zipped(
    _ inputs: [any BatchCursor], _ zip: ZipPartitions, partition: Int, _ task: TaskContext
  ) throws -> any BatchCursor {
    guard let function = zip.function.map(PythonFunction.of) else {
      preconditionFailure("a function of Python's")
    }
    return try Interpreter.attach { py in
      let inputs = inputs.map { UpstreamRecords(RecordReader(.batches($0)), through: []) }
      do {
        let reader = try Self.reader(function, partition: partition, inputs, zip.place, py)
        return ReaderCursor(reader, of: inputs, task: task)
      } catch {
        for input in inputs { input.close() }
        throw error
      }
    }
  }

  private static func reader(
    _ function: PythonFunction, partition: Int, _ inputs: [UpstreamRecords],
    _ place: OperatorPlace, _ py: borrowing Python
  ) throws -> RecordReader {
    guard let list = py.newList(inputs.map { RecordIteratorType.make($0) }) else {
      throw PythonError.fetch(py)
    }
    defer { Py.release(list) }
    guard let index = py.newInteger(partition) else { throw PythonError.fetch(py) }
    defer { Py.release(index) }
    guard let result = try function.forTask(py).call(index, list) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    defer { Py.release(result) }
    guard let output = Py.iterator(over: result) else {
      throw PythonError.fetch(at: place, record: nil, py)
    }
    return RecordReader(.iterator(PythonObject(owning: output), place, nil))
  }
}

/// What a reader gives, some records at a time.
final class ReaderCursor: BatchCursor {
  private static let chunk = 4096

  /// Nil when it has failed.
  private var reader: RecordReader?
  private let inputs: [UpstreamRecords]
  private let task: TaskContext
  private var isAtEnd = false
  private var failure: (any Error)?

  /// - Parameter inputs: what the reader's function was given: it is over with this cursor.
  init(_ reader: RecordReader, of inputs: [UpstreamRecords], task: TaskContext) {
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

  func next() throws -> (any RecordBatch)? {
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
