import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

/// Receivers say where they are, and hear what they need not keep.
@Suite struct PositionTests {
  struct Failure: Error {}

  private func position(_ number: Int) -> SourcePosition {
    SourcePosition(bytes: [UInt8(number)])
  }

  /// A text is given, a number is the position behind it, and a bar is the end of a batch; what was
  /// told to be stored behind each batch.
  private func stored(
    _ script: String, settings: [String: String] = [:], interval: Int64 = 1000
  ) throws -> [[Int]] {
    let bench = try Bench(interval: interval, settings: settings)
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    var told: [[Int]] = []
    var text = ""
    var seen = 0
    func end() {
      bench.advance(milliseconds: interval)
      let all = bench.source.storedPositions.map { Int($0.bytes[0]) }
      told.append(Array(all[seen...]))
      seen = all.count
    }
    for character in script {
      switch character {
      case "|": end()
      case _ where character.isNumber:
        bench.source.send(
          text.replacing(";", with: "\n"), upTo: position(character.wholeNumberValue!))
        text = ""
      default: text.append(character)
      }
    }
    return told
  }

  @Test(
    "A position is stored when the batch is over that has all of it",
    arguments: [
      ("a;1|", [[1]]),
      ("a;1b;2|c;3||", [[2], [3], []]),
      // A line that is not complete holds its position back.
      ("a;b1c;2|", [[2]]),
      ("a;b1|c;2|", [[], [2]]),
      ("a;1b2|;3|", [[1], [3]]),
      ("a1|b2|;3|", [[], [], [3]]),
      // Without text there is nothing to wait for.
      ("1|", [[1]]),
      ("a;12|", [[2]]),
      ("a1|2|;3|", [[], [], [3]]),
    ] as [(String, [[Int]])])
  func lines(script: String, expected: [[Int]]) throws {
    #expect(try stored(script) == expected)
  }

  @Test(
    "What is dropped holds nothing back",
    arguments: [
      ("far too long;1|", [[1]]),
      ("far too long1|still;2|", [[], [2]]),
      ("far too long1|still;ok2|;3|", [[], [], [3]]),
    ] as [(String, [[Int]])])
  func droppedLines(script: String, expected: [[Int]]) throws {
    #expect(try stored(script, settings: ["swiftwater.receiver.maxLineLength": "4b"]) == expected)
  }

  @Test("What waits for a rate is not stored")
  func rate() throws {
    let told = try stored(
      "a;1b;2c;3d;4||||", settings: ["spark.streaming.receiver.maxRate": "1"])
    let positions = told.flatMap { $0 }
    #expect(told[0].allSatisfy { $0 <= 2 })
    #expect(positions.last == 4)
    #expect(positions == positions.sorted())
  }

  @Test("The end of a connection ends the line")
  func connectionEnds() throws {
    let bench = try Bench()
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    bench.source.send("half a li", upTo: position(1))
    bench.source.disconnect()
    bench.advance(milliseconds: 1000)
    #expect(bench.source.storedPositions == [position(1)])
  }

  @Test("Records come as blocks of their own, and their memory counts")
  func records() throws {
    let bench = try Bench(settings: ["swiftwater.receiver.maxBuffered": "100b"])
    let stream = DStream<Int>(
      try bench.streaming.addReceiver(bench.source, name: "numbers", recordType: nil),
      in: bench.streaming)
    let output = try CollectingOutput(stream)
    let partitions = Mutex<[Int]>([])
    try stream.foreachRDD { rdd, _ in partitions.withLock { $0.append(rdd.partitionCount) } }
    try bench.streaming.start()
    for number in 1...3 {
      bench.source.send(
        records: ValueBatch([number, -number]), byteCount: 60, upTo: position(number))
    }
    #expect(bench.source.isPaused)
    #expect(bench.count(.inputHeld) == 120)
    bench.advance(milliseconds: 1000)
    // With the end of the batch there is room again.
    #expect(bench.source.heldChunks == 0)
    bench.advance(milliseconds: 1000)
    bench.source.send(records: ValueBatch<Int>([]), byteCount: 0, upTo: position(4))
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [[1, -1, 2, -2], [3, -3], []])
    #expect(partitions.withLock { $0 } == [2, 1, 0])
    #expect(bench.source.storedPositions == [position(2), position(3), position(4)])
    #expect(bench.reports.map(\.recordCount) == [4, 2, 0])
    #expect(bench.count(.inputHeld) == 0)
  }

  @Test("Records that come together go through a rate on credit")
  func recordsAtRate() throws {
    let bench = try Bench(settings: ["spark.streaming.receiver.maxRate": "2"])
    let stream = DStream<Int>(
      try bench.streaming.addReceiver(bench.source, name: "numbers", recordType: nil),
      in: bench.streaming)
    let output = try CollectingOutput(stream)
    try bench.streaming.start()
    for number in 0..<3 { bench.source.send(records: ValueBatch([number, number]), byteCount: 8) }
    for _ in 0..<4 { bench.advance(milliseconds: 1000) }
    #expect(output.batches.flatMap { $0 } == [0, 0, 1, 1, 2, 2])
    #expect(output.batches[0].count < 6)
    #expect(output.batches[1].count > 0)
  }

  @Test("Records of a receiver are kept where a window looks back at them")
  func window() throws {
    let bench = try Bench()
    let node = try bench.streaming.addReceiver(bench.source, name: "numbers", recordType: nil)
    let window = try bench.streaming.addNode(
      name: "window", parents: [node], reach: Reach(parents: [1000])
    ) { generation in
      let before = BatchTime(milliseconds: generation.time.milliseconds - 1000)
      let parts = try [before, generation.time].compactMap { try generation.rdd(of: node, at: $0) }
      return RDDNode.union(of: parts, context: generation.context)
    }
    let output = try CollectingOutput(DStream<Int>(window, in: bench.streaming))
    try bench.streaming.start()
    for number in 0..<3 {
      bench.source.send(records: ValueBatch([number]), byteCount: 10)
      bench.advance(milliseconds: 1000)
      #expect(bench.count(.inputHeld) == 0)
    }
    #expect(output.batches == [[0], [0, 1], [1, 2]])
  }

  @Test("Without a checkpoint that was written nothing is stored; the next one stores it")
  func failedCheckpoint() throws {
    let isDown = Mutex(true)
    let bench = try Bench(
      hooks: .init(afterBatch: { _, _ in if isDown.withLock({ $0 }) { throw Failure() } }))
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    bench.source.send("a\n", upTo: position(1))
    bench.advance(milliseconds: 1000)
    #expect(bench.source.storedPositions.isEmpty)
    isDown.withLock { $0 = false }
    bench.advance(milliseconds: 1000)
    #expect(bench.source.storedPositions == [position(1)])
  }

  @Test("A failed output holds nothing back: the checkpoint has what it needs")
  func failedOutput() throws {
    let bench = try Bench()
    try bench.lines().foreachRDD { _, _ in throw Failure() }
    try bench.streaming.start()
    bench.source.send("a\n", upTo: position(1))
    bench.advance(milliseconds: 1000)
    #expect(bench.source.storedPositions == [position(1)])
  }

  @Test("A receiver that was stopped hears nothing more")
  func stopped() throws {
    let bench = try Bench()
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.source.send("a\n", upTo: position(1))
    bench.streaming.stop(gracefully: true)
    #expect(output.batches == [["a"]])
    #expect(bench.source.storedPositions.isEmpty)
  }

  @Test("Positions that are not reached count for the buffer, and those that are do not")
  func marksAreCounted() throws {
    var marks = PositionMarks()
    for number in 1...1000 {
      marks.note(SourcePosition(bytes: [1, 2, 3, 4]), pendingLines: number, hasOpenLine: false)
    }
    #expect(marks.byteCount > 1000 * 50)
    marks.note(SourcePosition(bytes: [5]), pendingLines: 1000, hasOpenLine: true)
    marks.linesDropped(pendingLines: 1000, hasOpenLine: false)
    marks.blockClosed(lines: 1000)
    #expect(marks.byteCount == 0)
    #expect(marks.reached?.bytes == [5])
    let bench = try Bench(settings: ["swiftwater.receiver.maxBuffered": "8k"])
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    var sent = 0
    while !bench.source.isPaused {
      bench.source.send("\n", upTo: SourcePosition(bytes: Array(repeating: 0, count: 100)))
      sent += 1
    }
    #expect(sent < 100)
  }
}
