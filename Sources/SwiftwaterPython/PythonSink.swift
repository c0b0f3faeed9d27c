import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan
import SwiftwaterRDD
import SwiftwaterStreaming

/// An output whose functions are Python's.
final class PythonSink: Sink {
  /// What a sink in Python consists of.
  struct Functions: Sendable {
    /// `begins(milliseconds)`: whether the batch has been committed before; nil where nobody can know.
    let begins: PythonObject?
    /// `writes(milliseconds, rdd)` returns what is to be committed.
    let writes: PythonObject
    /// `commits(written)`; nil where the batch has taken effect with the writing.
    let commits: PythonObject?
    /// `abandons(written)`, instead of it or when it has failed; nil where there is nothing to do.
    let abandons: PythonObject?
  }

  private let functions: Functions
  private let calls: UserCalls
  private let place: OperatorPlace

  init(_ functions: Functions, calls: UserCalls, place: OperatorPlace) {
    self.functions = functions
    self.calls = calls
    self.place = place
  }

  func withBatch(_ batch: BatchIdentity, _ body: () throws -> Bool) throws -> Bool {
    try calls.output(at: batch.time, body)
  }

  func begin(_ batch: BatchIdentity) throws -> (any SinkBatch)? {
    if let begins = functions.begins,
      try calls.holds(begins, place: place, time: batch.time)
    {
      return nil
    }
    return Writing(sink: self, time: batch.time)
  }

  private final class Writing: SinkBatch {
    let sink: PythonSink
    let time: BatchTime
    var written: PythonObject?

    init(sink: PythonSink, time: BatchTime) {
      self.sink = sink
      self.time = time
    }

    var hasToCommit: Bool { sink.functions.commits != nil }

    func write(_ rdd: RDDNode) throws {
      let result = try sink.calls.write(
        rdd, with: sink.functions.writes, place: sink.place, time: time)
      if hasToCommit {
        written = PythonObject(owning: result)
      } else {
        PythonObject.release(result)
      }
    }

    func commit() throws {
      guard let commits = sink.functions.commits, let written else { return }
      try sink.calls.commit(written, with: commits, place: sink.place)
    }

    func abandon() {
      guard let abandons = sink.functions.abandons, let written else { return }
      Interpreter.attach { py in
        py.attempt { try sink.calls.commit(written, with: abandons, place: sink.place) }
      }
    }
  }
}
