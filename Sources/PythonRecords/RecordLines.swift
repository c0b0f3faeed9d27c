import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels

// Records as lines of text: of text and columns without objects, of objects by Python's `str`.

extension UpstreamRecords {
  /// The next records as lines in UTF-8, some hundred KB of them, with their ends; empty where none are
  /// left. Nil: an exception is set.
  package func nextLines() -> PyPointer? {
    Interpreter.called { py in
      do {
        let lines = lines ?? LineBuffer()
        self.lines = lines
        defer { lines.removeAll() }
        while !lines.isFull, try addLines(to: lines, py) {}
        return lines.withBytes { py.newBytes($0) }
      } catch {
        raise(error, py)
        return nil
      }
    }
  }

  /// Adds some records. False: there are no more for now.
  private func addLines(to lines: LineBuffer, _ py: borrowing Python) throws -> Bool {
    if try addObjects(to: lines, py) { return true }
    guard waitForReader() else { throw PythonError.fetch(py) }
    // Its turn comes behind the lines in front of it.
    if failure != nil, lines.count > 0 { return false }
    if let failure {
      close()
      throw failure
    }
    guard let source else { return false }
    if source.functions.isEmpty {
      do {
        switch try reading({ try source.reader.addLines(to: lines) }) {
        case .some: return true
        case .none:
          self.source = nil
          return false
        case .objects: break
        }
      } catch {
        failure = error
        return true
      }
    }
    guard fill(from: source) else { throw PythonError.fetch(py) }
    return true
  }

  /// Adds the records that are objects already. False: there are none.
  private func addObjects(to lines: LineBuffer, _ py: borrowing Python) throws -> Bool {
    var isAdded = false
    while !lines.isFull, let record = takeObject() {
      defer { Py.release(record) }
      try lines.appendLine(of: record, py)
      isAdded = true
    }
    return isAdded
  }
}

/// What a reader has added to lines.
enum AddedLines {
  case some
  /// Nothing: none are left.
  case none
  /// Nothing: what comes next is for Python.
  case objects
}

extension RecordReader {
  /// Adds records that are text or columns.
  func addLines(to lines: LineBuffer) throws -> AddedLines {
    guard case .batches(let cursor) = source else { return .objects }
    while true {
      if batch == nil {
        batch = try cursor.next()
        index = 0
      }
      guard let batch else { return .none }
      if index >= batch.recordCount {
        self.batch = nil
        objects = (0, [])
        columnLines = nil
        continue
      }
      let first = index
      switch batch {
      case let block as TextBlock: index = lines.append(block, from: first, to: block.lines.count)
      case let batch as ColumnBatch:
        // Those that are objects already, first.
        if first < objects.start + objects.pointers.count { return .objects }
        let column = columnLines ?? ColumnLines(batch.column)
        columnLines = column
        index = column.append(from: first, to: lines)
      default: return .objects
      }
      return index > first ? .some : .objects
    }
  }
}

extension LineBuffer {
  /// A record as a line: text and bytes as they are, anything else as its `str`.
  fileprivate func appendLine(of record: PyPointer, _ py: borrowing Python) throws {
    if Py.isExactText(record) { return try appendLine(ofText: record, py) }
    if let bytes = Py.bytes(of: record) { return appendLine(bytes) }
    guard let text = Py.newText(of: record) else { throw PythonError.fetch(py) }
    defer { Py.release(text) }
    try appendLine(ofText: text, py)
  }

  private func appendLine(ofText text: PyPointer, _ py: borrowing Python) throws {
    // Not the UTF-8 that a text can hold: it would keep it as long as it lives.
    guard let encoded = Py.newUTF8(of: text) else { throw PythonError.fetch(py) }
    defer { Py.release(encoded) }
    if let bytes = Py.bytes(of: encoded) { appendLine(bytes) }
  }
}
