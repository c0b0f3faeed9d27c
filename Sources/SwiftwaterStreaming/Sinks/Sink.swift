import SwiftwaterCore
import SwiftwaterRDD

/// What an output does with the batches of a stream.
///
/// A batch begins, is written and is committed, one batch after the other, on the thread that runs
/// batches. What is written takes effect with the commit; a sink that has nothing to hold back until
/// then, such as a function of the user, does all in the writing.
public protocol Sink: Sendable {
  /// A batch begins, for the first time or again. Where this throws, nothing is left to give up.
  ///
  /// - Returns: nil where it has been committed before.
  func begin(_ batch: BatchIdentity) throws -> (any SinkBatch)?

  /// Calls `body`, which takes one batch from its begin to its commit or its end, and returns what it
  /// returns: where a sink can hold what it needs in each of the steps.
  func withBatch(_ batch: BatchIdentity, _ body: () throws -> Bool) throws -> Bool
}

extension Sink {
  public func withBatch(_ batch: BatchIdentity, _ body: () throws -> Bool) throws -> Bool {
    try body()
  }
}

/// A batch on its way into a sink. Used by one thread.
public protocol SinkBatch {
  /// Computes and writes the batch's records.
  func write(_ rdd: RDDNode) throws

  /// False where the batch has taken effect with the writing.
  var hasToCommit: Bool { get }

  /// Makes what was written take effect.
  func commit() throws

  /// The writing or the commit has thrown, or the job was stopped in between: what is not committed
  /// can go.
  func abandon()
}

extension SinkBatch {
  public var hasToCommit: Bool { true }
  public func abandon() {}
}

/// Calls a function with each RDD.
struct FunctionSink: Sink {
  let function: @Sendable (RDDNode, BatchTime) throws -> Void

  func begin(_ batch: BatchIdentity) -> (any SinkBatch)? {
    // Three words: no memory is allocated for it.
    Writing(function: function, time: batch.time)
  }

  private struct Writing: SinkBatch {
    let function: @Sendable (RDDNode, BatchTime) throws -> Void
    let time: BatchTime

    var hasToCommit: Bool { false }
    func write(_ rdd: RDDNode) throws { try function(rdd, time) }
    func commit() {}
  }
}

/// Makes something of each RDD when it is written, and gives it away when it is committed.
struct StagedSink<Written>: Sink {
  let make: @Sendable (RDDNode, BatchTime) throws -> Written
  let give: @Sendable (Written, BatchTime) throws -> Void

  func begin(_ batch: BatchIdentity) -> (any SinkBatch)? { Writing(sink: self, time: batch.time) }

  private final class Writing: SinkBatch {
    let sink: StagedSink
    let time: BatchTime
    var written: Written?

    init(sink: StagedSink, time: BatchTime) {
      self.sink = sink
      self.time = time
    }

    func write(_ rdd: RDDNode) throws { written = try sink.make(rdd, time) }

    func commit() throws {
      if let written { try sink.give(written, time) }
    }
  }
}

/// Writes each RDD's partitions in tasks of one job.
struct PartitionedSink<Target: PartitionSink>: Sink {
  let target: Target

  func begin(_ batch: BatchIdentity) throws -> (any SinkBatch)? {
    do {
      return try target.begin(batch) ? Writing(target: target, batch: batch) : nil
    } catch {
      target.abandon(batch)
      throw error
    }
  }

  private final class Writing: SinkBatch {
    let target: Target
    let batch: BatchIdentity
    var pieces: [Target.Piece] = []

    init(target: Target, batch: BatchIdentity) {
      self.target = target
      self.batch = batch
    }

    func write(_ rdd: RDDNode) throws {
      let partitions = Array(0..<rdd.partitionCount)
      pieces = try rdd.context.runner().run(rdd, partitions: partitions) {
        [target, batch] records, task in
        try target.write(task.partition, records, of: batch, task)
      }
    }

    func commit() throws { try target.commit(pieces, of: batch) }

    func abandon() { target.abandon(batch) }
  }
}

extension StreamOutput {
  /// Has the batch begun, written and committed.
  ///
  /// - Returns: false where it had been committed before.
  func run(_ rdd: RDDNode, as batch: BatchIdentity, _ cancellation: Cancellation) throws -> Bool {
    try cancellation.check()
    return try sink.withBatch(batch) {
      guard let writing = try sink.begin(batch) else { return false }
      KillPoints.pass("output.begun")
      do {
        try writing.write(rdd)
        KillPoints.pass("output.written")
        if writing.hasToCommit {
          // Nothing takes effect behind a stop that has given up waiting.
          try cancellation.check()
          try writing.commit()
        }
        KillPoints.pass("output.committed")
      } catch {
        writing.abandon()
        throw error
      }
      return true
    }
  }
}

extension StreamingContext {
  /// Adds an output operation: the batches of `node` go into `sink`, in the order in which outputs were
  /// added.
  ///
  /// - Parameters:
  ///   - name: the operator, as the user wrote it.
  ///   - given: names the output for good (see ``BatchIdentity``); otherwise its operator and its number
  ///     do.
  ///   - site: the place of the user's call, for listeners.
  /// - Returns: the output's name.
  /// - Throws: ``EngineError`` (`invalidArgument`) where another output has that name, (`illegalState`)
  ///   once the context has started.
  @discardableResult
  public func addOutput(
    name: String, named given: String? = nil, site: String = "", of node: StreamNode,
    to sink: any Sink
  ) throws -> OutputName {
    try building { graph in
      let stableName =
        given.map { OutputName($0) }
        ?? OutputName(kind: name, number: graph.outputs.count { $0.name == name } + 1)
      guard !graph.outputs.contains(where: { $0.stableName == stableName }) else {
        throw EngineError.invalidArgument("two outputs have the name '\(stableName)'")
      }
      graph.addOutput(
        StreamOutput(
          id: graph.outputs.count, name: name, site: site, stableName: stableName, node: node,
          sink: sink))
      return stableName
    }
  }

  /// What sinks know the outputs so far by, in the order in which they were added.
  public var outputNames: [OutputName] { allOutputs.map(\.stableName) }

  /// Adds an output operation that calls a function with the stream's RDD at every batch time at which
  /// it has one.
  public func addOutput(
    name: String, named given: String? = nil, site: String = "", of node: StreamNode,
    _ action: @escaping @Sendable (RDDNode, BatchTime) throws -> Void
  ) throws {
    try addOutput(
      name: name, named: given, site: site, of: node, to: FunctionSink(function: action))
  }
}

extension DStream {
  /// Output: calls `body` with every batch's RDD.
  ///
  /// - Parameter name: see ``BatchIdentity``.
  public func foreachRDD(
    named name: String? = nil,
    _ body: @escaping @Sendable (RDD<Element>, BatchTime) throws -> Void
  ) throws {
    try context.addOutput(name: "foreachRDD", named: name, of: node) { try body(RDD($0), $1) }
  }

  /// Output: makes something of every batch's RDD with `make`, and when that has succeeded gives it to
  /// `give`.
  ///
  /// - Parameter name: see ``BatchIdentity``.
  public func foreachRDD<Made: Sendable>(
    named name: String? = nil,
    make: @escaping @Sendable (RDD<Element>, BatchTime) throws -> Made,
    give: @escaping @Sendable (Made, BatchTime) throws -> Void
  ) throws {
    try context.addOutput(
      name: "foreachRDD", named: name, of: node,
      to: StagedSink(make: { try make(RDD($0), $1) }, give: give))
  }

  /// Output: writes every batch to another system, its partitions in parallel.
  ///
  /// - Parameters:
  ///   - operation: the operator, as the user sees it in listeners and names.
  ///   - name: see ``BatchIdentity``.
  public func write(
    to target: some PartitionSink, operation: String = "write", named name: String? = nil
  ) throws {
    try context.addOutput(
      name: operation, named: name, of: node, to: PartitionedSink(target: target))
  }

  /// Output: writes the first `count` records of every batch to standard output.
  ///
  /// Spark: the Scala API's `print`, with its `Time: ... ms` header.
  public func print(_ count: Int = 10, named name: String? = nil) throws {
    try context.addOutput(
      name: "print", named: name, of: node,
      to: StagedSink(
        make: { node, time in
          let records = try RDD<Element>(node).take(count + 1)
          let rule = String(repeating: "-", count: 43)
          var text = "\(rule)\nTime: \(time)\n\(rule)\n"
          for record in records.prefix(count) { text += "\(record)\n" }
          if records.count > count { text += "...\n" }
          return text + "\n"
        }, give: { text, _ in writeToStandardOutput(text) }))
  }
}
