import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

/// A system that batches are written to. It outlives the jobs that write, and can be told where to fail.
private final class Warehouse: PartitionSink {
  enum Step: String { case begin, write, commit }

  struct Failure: Error, Equatable { let step: Step }

  private struct State {
    var fails: [Step] = []
    var calls: [String] = []
    var uncommitted: [String: [Int: [String]]] = [:]
    var committed: [(batch: String, records: [String])] = []
  }
  private let state = Mutex(State())

  func begin(_ batch: BatchIdentity) throws -> Bool {
    try state.withLock { state in
      state.calls.append("begin \(batch.time.milliseconds)")
      try Self.fail(.begin, &state)
      return !state.committed.contains { $0.batch == batch.description }
    }
  }

  func write(
    _ partition: Int, _ records: any BatchCursor, of batch: BatchIdentity, _ task: TaskContext
  ) throws -> Int {
    var found: [String] = []
    while let next = try records.next() {
      try #require(next as? any ElementBatch<String>).forEachElement { found.append($0) }
    }
    return try state.withLock { state in
      // Whichever partition comes second: the first one is written then.
      if state.uncommitted[batch.description] != nil { try Self.fail(.write, &state) }
      state.uncommitted[batch.description, default: [:]][partition] = found
      return partition
    }
  }

  func commit(_ pieces: [Int], of batch: BatchIdentity) throws {
    try state.withLock { state in
      state.calls.append("commit \(pieces) of \(batch.time.milliseconds)")
      try Self.fail(.commit, &state)
      let written = state.uncommitted.removeValue(forKey: batch.description) ?? [:]
      state.committed.append((batch.description, pieces.flatMap { written[$0] ?? [] }))
    }
  }

  func abandon(_ batch: BatchIdentity) {
    state.withLock { state in
      state.calls.append("abandon \(batch.time.milliseconds)")
      state.uncommitted[batch.description] = nil
    }
  }

  private static func fail(_ step: Step, _ state: inout State) throws {
    guard let place = state.fails.firstIndex(of: step) else { return }
    state.fails.remove(at: place)
    throw Failure(step: step)
  }

  /// The next call of that step fails.
  func failOnce(at step: Step) { state.withLock { $0.fails.append(step) } }

  var calls: [String] { state.withLock { $0.calls } }
  var batches: [String] { state.withLock { $0.committed.map(\.batch) } }
  var records: [[String]] { state.withLock { $0.committed.map(\.records) } }
  var isClean: Bool { state.withLock { $0.uncommitted.isEmpty } }
}

@Suite struct SinkTests {
  private let bench: Bench
  private let warehouse = Warehouse()

  init() throws { bench = try Bench(settings: ["spark.app.name": "orders"]) }

  private func lines(_ bench: Bench) throws -> DStream<String> {
    try bench.lines().map(\.description)
  }

  /// Two blocks, and so two partitions.
  private func send(_ first: String, _ second: String, to bench: Bench) {
    bench.source.send(lines: [first])
    bench.advance(milliseconds: 300)
    for line in [first, second] { bench.source.send(lines: [line + "!"]) }
    bench.advance(milliseconds: 700)
  }

  private var commits: [String] {
    bench.log.events.compactMap { event -> String? in
      switch event {
      case .outputCommitted(let info):
        "\(info.id) \(info.batch)\(info.wasCommitted ? " before" : "")"
      case .outputCompleted(let info): info.failure == nil ? "\(info.id) done" : "\(info.id) failed"
      default: nil
      }
    }
  }

  @Test("An output says what its batches are known by")
  func namesAreTold() throws {
    let node = try lines(bench).node
    func add(_ name: String, named given: String? = nil) throws -> String {
      try bench.streaming.addOutput(
        name: name, named: given, of: node, to: FunctionSink { _, _ in }
      ).description
    }
    #expect(try add("save") == "save-1")
    #expect(try add("save", named: "mine") == "mine")
    #expect(try add("save") == "save-3")
  }

  @Test("A batch is begun, its partitions are written, and then it is committed as a whole")
  func commitsOnce() throws {
    try lines(bench).write(to: warehouse)
    try bench.streaming.start()
    send("a", "b", to: bench)
    bench.advance(milliseconds: 1000)
    #expect(warehouse.records == [["a", "a!", "b!"], []])
    #expect(warehouse.batches == ["orders/write-1/1000", "orders/write-1/2000"])
    #expect(
      warehouse.calls == [
        "begin 1000", "commit [0, 1] of 1000", "begin 2000", "commit [] of 2000",
      ])
    #expect(
      commits == [
        "0 orders/write-1/1000", "0 done", "0 orders/write-1/2000", "0 done",
      ])
    #expect(bench.count(.outputsCommitted) == 2)
    #expect(bench.count(.outputsFailed) == 0)
  }

  @Test(
    "What fails at any step is abandoned, and the other outputs run",
    arguments: ["begin", "write", "commit"])
  func fails(step: String) throws {
    let step = try #require(Warehouse.Step(rawValue: step))
    let failed = Mutex<[(Int64, [Int])]>([])
    let bench = try Bench(
      settings: ["spark.app.name": "orders"],
      hooks: .init(outputsFailed: { time, outputs in
        failed.withLock { $0.append((time.milliseconds, outputs)) }
      }))
    let lines = try lines(bench)
    try lines.write(to: warehouse)
    let other = try CollectingOutput(lines)
    try bench.streaming.start()
    warehouse.failOnce(at: step)
    send("a", "b", to: bench)
    #expect(throws: Warehouse.Failure(step: step)) {
      try bench.streaming.awaitTermination(timeout: .zero)
    }
    #expect(warehouse.calls.last == "abandon 1000")
    #expect(warehouse.records.isEmpty)
    #expect(warehouse.isClean)
    #expect(other.batches == [["a", "a!", "b!"]])
    #expect(failed.withLock { $0.map(\.0) } == [1000])
    #expect(failed.withLock { $0.map(\.1) } == [[0]])
    #expect(bench.count(.outputsCommitted) == 1)
    #expect(bench.count(.outputsFailed) == 1)
    send("c", "d", to: bench)
    #expect(warehouse.records == [["c", "c!", "d!"]])
  }

  @Test("Of records that cannot be computed nothing is left")
  func failingRecords() throws {
    try lines(bench).map { line -> String in
      if line == "b!" { throw Warehouse.Failure(step: .write) }
      return line
    }.write(to: warehouse)
    try bench.streaming.start()
    send("a", "b", to: bench)
    #expect(warehouse.calls == ["begin 1000", "abandon 1000"])
    #expect(warehouse.isClean)
  }

  @Test("A batch that runs again has the same name, and is not written where it is committed")
  func runsAgain() throws {
    func run(failing step: Warehouse.Step? = nil) throws -> Bench {
      let bench = try Bench(settings: ["spark.app.name": "orders"])
      let parts = ["a", "b"].map { [ValueBatch([$0])] }
      let input = RDDNode.batches(parts, name: "given back", context: bench.context)
      let lines = try lines(bench)
      try lines.write(to: warehouse, named: "shop")
      try lines.write(to: Warehouse())
      let old = try bench.streaming.addNode(name: "again", stableName: "again") { _ in input }
      try bench.streaming.addOutput(
        name: "write", named: "again", of: old, to: PartitionedSink(target: warehouse))
      try bench.streaming.runAgain(outputs: [2], at: BatchTime(milliseconds: 0))
      try bench.streaming.resume(
        zero: BatchTime(milliseconds: -1000), last: BatchTime(milliseconds: 0))
      if let step { warehouse.failOnce(at: step) }
      try bench.streaming.start()
      return bench
    }
    _ = try run(failing: .commit)
    #expect(warehouse.batches.isEmpty)
    for _ in 0..<3 { _ = try run() }
    #expect(warehouse.batches == ["orders/again/0"])
    #expect(warehouse.records == [["a", "b"]])
  }

  @Test("An output that was committed before is told of as done, and its records are not computed")
  func committedBefore() throws {
    let computed = Mutex(0)
    try lines(bench).map { line -> String in
      computed.withLock { $0 += 1 }
      return line
    }.write(to: warehouse)
    let identity = BatchIdentity(
      application: "orders", time: BatchTime(milliseconds: 1000),
      output: OutputName(kind: "write", number: 1))
    try warehouse.commit([], of: identity)
    try bench.streaming.start()
    send("a", "b", to: bench)
    #expect(computed.withLock { $0 } == 0)
    #expect(commits == ["0 orders/write-1/1000 before", "0 done"])
    #expect(bench.reports.map(\.failureCount) == [0])
  }

  @Test("Nothing is committed behind a stop that has given up waiting")
  func stopBeforeCommit() throws {
    let context = try SparkContext(
      settings: Settings(["spark.master": "local", "swiftwater.stop.timeout": "10ms"]))
    let interrupted = Monitor(false)
    let running = Monitor(false)
    let given = Mutex(0)
    let streaming = try StreamingContext(
      context, interval: BatchInterval(milliseconds: 1),
      hooks: .init(interrupt: { interrupted.notify { $0 = true } }))
    try streaming.queueStream([context.parallelize([1])]).foreachRDD(
      make: { rdd, _ in
        running.notify { $0 = true }
        _ = interrupted.wait { $0 ? true : nil }
      }, give: { _, _ in given.withLock { $0 += 1 } })
    try streaming.start()
    _ = running.wait { $0 ? true : nil }
    streaming.stop()
    #expect(given.withLock { $0 } == 0)
    #expect(streaming.phase == .stopped)
  }

  @Test("A stop waits for a commit that is under way")
  func stopDuringCommit() throws {
    let context = try SparkContext(master: "local", appName: "t")
    let streaming = try StreamingContext(context, interval: BatchInterval(milliseconds: 1))
    let committing = Monitor((began: false, ended: false))
    let stopping = Monitor(false)
    try streaming.queueStream([context.parallelize([1])]).foreachRDD(
      make: { _, _ in },
      give: { _, _ in
        if committing.withLock({ $0.began }) { return }
        committing.notify { $0.began = true }
        _ = stopping.wait { $0 ? true : nil }
        committing.notify { $0.ended = true }
      })
    try streaming.start()
    _ = committing.wait { $0.began ? true : nil }
    let stop = EngineThread(name: "stop") {
      stopping.notify { $0 = true }
      streaming.stop()
    }
    #expect(stop.join(timeout: .seconds(10)))
    #expect(committing.withLock { $0.ended })
    #expect(try streaming.awaitTermination(timeout: .zero))
  }

  @Test("Outputs are known by their operator and number, or by the name they are given")
  func names() throws {
    let lines = try lines(bench)
    try lines.print()
    try lines.foreachRDD { _, _ in }
    try lines.print(named: "screen")
    try lines.foreachRDD { _, _ in }
    try lines.print()
    _ = try CollectingOutput(lines)
    try bench.streaming.addOutput(name: "none", of: lines.node) { _, _ in }
    let error = #expect(throws: EngineError.self) { try lines.print(named: "foreachRDD-2") }
    #expect(error?.message == "two outputs have the name 'foreachRDD-2'")
    #expect(
      bench.streaming.outputNames.map(\.description) == [
        "print-1", "foreachRDD-1", "screen", "foreachRDD-2", "print-3", "foreachRDD-3", "none-1",
      ])
  }
}
