import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Reads a partition's records as Python objects and pushes them into a chain. Text becomes `str`
/// here, at the edge of the Python stage, a line at a time.
package final class RecordReader {
  /// Where the records come from.
  package enum Source {
    case batches(any BatchCursor)
    /// What a partition function returned, who it is, and what it reads.
    case iterator(PythonObject, OperatorPlace, UpstreamRecords?)
  }

  let source: Source
  var batch: (any RecordBatch)?
  var index = 0
  private let notes = WorkerProgress.notes
  /// Rows of a column that are objects already, and where they begin.
  var objects: (start: Int, pointers: [PyPointer]) = (0, [])
  /// The rows of the batch as lines, where they are asked for.
  var columnLines: ColumnLines?

  /// Rows that become objects together.
  private static let rowsPerStep = 256

  package init(_ source: Source) {
    self.source = source
  }

  deinit { releaseObjects() }

  /// Gives up the objects that nobody has taken.
  private func releaseObjects() {
    // Other forms of batches count with the same index, and have none.
    if objects.pointers.isEmpty { return }
    for pointer in objects.pointers[(index - objects.start)...] { PythonObject.release(pointer) }
    objects = (0, [])
  }

  /// Pushes records until the sink is full or there are none left.
  ///
  /// - Returns: false when there are none left.
  /// - Throws: ``PythonError`` from a function; what the source throws.
  func pump<Sink>(into chain: RecordChain<Sink>, _ py: borrowing Python) throws -> Bool {
    switch source {
    case .iterator(let iterator, let place, let upstream):
      return try pump(iterator.pointer, of: place, reading: upstream, into: chain, py)
    case .batches(let cursor):
      while !chain.sink.isFull {
        if batch == nil {
          batch = try cursor.next()
          index = 0
        }
        guard let batch else { return false }
        try pump(batch, into: chain, py)
        if index >= batch.recordCount {
          self.batch = nil
          objects = (0, [])
          columnLines = nil
        }
      }
      return true
    }
  }

  /// Rows of a column, some of them made into objects at a time: at first few, as whoever reads may
  /// want few.
  private func pump<Sink>(
    _ column: Column, into chain: RecordChain<Sink>, _ py: borrowing Python
  ) throws {
    let count = column.count
    while index < count && !chain.sink.isFull {
      if index >= objects.start + objects.pointers.count {
        let step = min(Self.rowsPerStep, max(8, index))
        let range = index..<min(index + step, count)
        objects = (index, try newObjects(of: column, range, py))
      }
      let record = objects.pointers[index - objects.start]
      notes.read(index)
      index += 1
      guard chain.push(record) else { throw chain.takeError(py) }
    }
  }

  private func pump<Sink>(
    _ batch: any RecordBatch, into chain: RecordChain<Sink>, _ py: borrowing Python
  ) throws {
    switch batch {
    case let batch as ColumnBatch: try pump(batch.column, into: chain, py)
    case let batch as PythonBatch:
      while index < batch.recordCount && !chain.sink.isFull {
        guard let record = batch.record(at: index) else { throw PythonError.fetch(py) }
        notes.read(index)
        index += 1
        guard chain.push(record) else { throw chain.takeError(py) }
      }
    case let block as TextBlock:
      let lines = block.lines
      try block.withBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        while index < lines.count && !chain.sink.isFull {
          let line = lines[index]
          notes.read(index)
          index += 1
          // SAFETY: a line's span lies inside its block, and the bytes are valid UTF-8.
          guard
            let text = Py.newText(
              utf8: start + Int(line.start), count: Int(line.end &- line.start))
          else { throw PythonError.fetch(py) }
          guard chain.push(text) else { throw chain.takeError(py) }
        }
      }
    default:
      throw EngineError.illegalState("records of \(type(of: batch)) have no form in Python")
    }
  }

  private func pump<Sink>(
    _ iterator: PyPointer, of place: OperatorPlace, reading upstream: UpstreamRecords?,
    into chain: RecordChain<Sink>, _ py: borrowing Python
  ) throws -> Bool {
    while !chain.sink.isFull {
      notes.enter(place)
      guard let record = Py.next(iterator) else {
        if Py.isExceptionSet {
          throw PythonError.fetch(at: place, latest: upstream?.latest, py)
        }
        return false
      }
      guard chain.push(record) else { throw chain.takeError(py) }
    }
    return true
  }
}
