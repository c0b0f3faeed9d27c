import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterKernels

/// The records in front of a partition function, one by one: what its iterator hands out.
///
/// It reads ahead, at first by one record, so that a function that wants only the first gets it
/// cheaply.
///
/// The Python object around it lives as long as anybody refers to it, the frames of an exception
/// for example. So who has made it closes it when the stage is over, and at its own end, good or bad,
/// it gives up by itself what it reads from.
///
/// SAFETY: used by threads that hold the interpreter. Where the functions in front of it run, another
/// thread may take hold of the interpreter and ask for a record too: it waits for the one that reads.
package final class UpstreamRecords: RecordSequence {
  private static let longestReadAhead = 256

  struct Source {
    let reader: RecordReader
    let functions: [BoundStep]
  }

  /// Nil where nothing more is read.
  var source: Source?
  private var readAhead = 1
  private var list: PythonObject?
  private var index = 0
  /// What was raised while reading ahead, until the records in front of it are taken.
  var failure: (any Error)?
  /// What the lines are made in that are asked for in place of records.
  var lines: LineBuffer?
  /// The thread that reads, by Python's number.
  private var readingThread: UInt?
  /// For threads that wait for it.
  private var turn: Monitor<Bool>?
  private static let pollNanoseconds: Int64 = 50_000_000

  /// - Parameter first: records in front of the reader's.
  package init(
    _ reader: RecordReader, through functions: [BoundStep], after first: PythonObject? = nil
  ) {
    source = Source(reader: reader, functions: functions)
    list = first
  }

  /// The record that was handed out last.
  package var latest: PythonObject? {
    guard let list, index > 0 else { return nil }
    return PythonObject(borrowing: Py.listItem(list.pointer, index - 1))
  }

  /// Hands out nothing any more, and gives up what it holds.
  package func close() {
    Interpreter.attachUnlessEnded { _ in
      let old = (source, list, failure)
      (source, list, failure) = (nil, nil, nil)
      // What goes here may run Python's code: not before this object is whole again.
      withExtendedLifetime(old) {}
    }
  }

  package func nextRecord() -> PyPointer? {
    while true {
      if let record = takeObject() { return record }
      if readingThread != nil {
        guard waitForReader() else { return nil }
        continue
      }
      if let failure {
        close()
        Interpreter.called { py in raise(failure, py) }
        return nil
      }
      guard let source else { return nil }
      guard fill(from: source) else { return nil }
    }
  }

  /// The next of the records that are objects already, as a new reference; nil where there are none.
  func takeObject() -> PyPointer? {
    guard let list, index < Py.listCount(list.pointer) else { return nil }
    let record = Py.listItem(list.pointer, index)
    index += 1
    Py.retain(record)
    return record
  }

  /// Runs `body`, which reads; other threads that want records wait meanwhile.
  func reading<R>(_ body: () throws -> R) rethrows -> R {
    readingThread = Interpreter.threadIdentifier
    defer {
      readingThread = nil
      turn?.notify { $0 = true }
      turn = nil
    }
    return try body()
  }

  /// Reads some records. False: an exception is set.
  func fill(from source: Source) -> Bool {
    reading { read(from: source) }
  }

  private func read(from source: Source) -> Bool {
    Interpreter.called { py in
      do {
        let chain = RecordChain(source.functions, into: try ListSink(capacity: readAhead, py))
        readAhead = min(readAhead * 2, Self.longestReadAhead)
        var hasMore = false
        var failure: (any Error)?
        do {
          hasMore = try source.reader.pump(into: chain, py)
        } catch {
          // Its turn comes behind the records in front of it.
          failure = error
        }
        // Closed meanwhile, by the end of the stage: a thread that outlives it gets nothing.
        if self.source == nil { return true }
        self.failure = failure
        if !hasMore { self.source = nil }
        let old = list
        (list, index) = (chain.sink.list, 0)
        withExtendedLifetime(old) {}
        return true
      } catch {
        close()
        raise(error, py)
        return false
      }
    }
  }

  /// Waits until a thread that reads has its records. False: an exception is set.
  func waitForReader() -> Bool {
    guard let readingThread else { return true }
    guard readingThread != Interpreter.threadIdentifier else {
      Py.raise(.valueError, "the records of a partition are asked for while they are read")
      return false
    }
    let turn = turn ?? Monitor(false)
    self.turn = turn
    return Interpreter.called { py in
      do {
        while true {
          let isOver = Interpreter.detach(py) {
            turn.wait(untilMonotonicNanoseconds: monotonicNanoseconds() + Self.pollNanoseconds) {
              $0 ? true : nil
            }
          }
          if isOver != nil { return true }
          try py.runSignalHandlers()
        }
      } catch {
        raise(error, py)
        return false
      }
    }
  }
}
