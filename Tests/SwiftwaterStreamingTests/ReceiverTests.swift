import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Testing

@testable import SwiftwaterStreaming

@Suite struct ReceiverTests {
  @Test("After a loss the receiver connects again, after the delay; the last line is kept")
  func reconnect() throws {
    let bench = try Bench()
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.source.send("a\nlast")
    bench.source.disconnect("connection reset")
    bench.source.send(lines: ["held"])
    bench.advance(milliseconds: 1999)
    #expect(bench.source.connections == 1)
    bench.advance(milliseconds: 1)
    #expect(bench.source.connections == 2)
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["a", "last"], ["held"], []])
    let losses = bench.log.events.compactMap { event -> String? in
      if case .receiverLost(let info, let retry) = event {
        "\(info.source) \(info.lastError) \(retry)"
      } else {
        nil
      }
    }
    #expect(losses == ["scripted connection reset 2.0 seconds"])
  }

  @Test("No connection is made after the stop")
  func noReconnectAfterStop() throws {
    let bench = try Bench()
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    bench.source.disconnect()
    bench.streaming.stop()
    bench.advance(milliseconds: 10_000)
    #expect(bench.source.connections == 1)
  }

  @Test("When the buffer is full the source is not read; nothing is lost, all comes in order")
  func backpressure() throws {
    let bench = try Bench(settings: [
      "swiftwater.receiver.maxBuffered": "64k", "swiftwater.block.size": "4k",
    ])
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    let lines = (0..<2000).map { "\($0) " + String(repeating: "x", count: 90) }
    for line in lines { bench.source.send(lines: [line]) }
    #expect(bench.source.isPaused)
    #expect(bench.source.heldChunks > 1000)
    #expect(bench.count(.inputHeld).map { $0 > 0 } == true)
    var batches = 0
    while output.batches.reduce(0, { $0 + $1.count }) < lines.count && batches < 100 {
      bench.advance(milliseconds: 1000)
      batches += 1
    }
    #expect(output.batches.flatMap { $0 } == lines)
    #expect(batches > 2)
    #expect(output.batches.allSatisfy { $0.count < 1000 })
    let full = bench.log.events.filter { if case .bufferFull = $0 { true } else { false } }
    let drained = bench.log.events.filter { if case .bufferDrained = $0 { true } else { false } }
    #expect(full.count >= 2)
    #expect(full.count == drained.count)
    #expect(bench.count(.inputHeld) == 0)
  }

  @Test("A buffer smaller than one line still lets every line through")
  func tinyBuffer() throws {
    let bench = try Bench(settings: ["swiftwater.receiver.maxBuffered": "1b"])
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.source.send(lines: ["first", "second", "third"])
    bench.advance(milliseconds: 5000)
    #expect(output.batches.flatMap { $0 } == ["first", "second", "third"])
  }

  @Test("A line over the limit is dropped, counted and shown")
  func overlong() throws {
    let bench = try Bench(settings: ["swiftwater.receiver.maxLineLength": "10b"])
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    bench.source.send(lines: ["short", "this line is too long", "ok", "and this one is as well"])
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["short", "ok"]])
    let dropped = bench.log.events.compactMap { event -> String? in
      if case .lineDropped(_, let count, let prefix, let total) = event {
        "\(total): \(count) \(prefix)"
      } else {
        nil
      }
    }
    #expect(dropped == ["1: 21 this line is too long", "2: 23 and this one is as well"])
  }

  @Test("Lines that are dropped together are told of together, with their number")
  func droppedTogether() throws {
    let bench = try Bench(settings: ["swiftwater.receiver.maxLineLength": "10b"])
    _ = try CollectingOutput(bench.lines())
    try bench.streaming.start()
    bench.source.send(String(repeating: "far too long a line\n", count: 500))
    bench.source.send("\nthe last one is too long\n")
    let dropped = bench.log.events.compactMap { event -> String? in
      if case .lineDropped(_, _, let prefix, let total) = event {
        "\(total) \(prefix)"
      } else {
        nil
      }
    }
    #expect(dropped == ["500 far too long a line", "501 the last one is too long"])
    #expect(bench.count(.linesDropped, of: "scripted") == 501)
  }

  @Test(
    "The buffer counts what is held, for short lines too", arguments: ["\n", "42\n", "fifty\n"])
  func shortLines(line: String) throws {
    let limit = 1 << 20
    let bench = try Bench(settings: [
      "swiftwater.receiver.maxBuffered": "\(limit)b", "swiftwater.block.size": "16k",
    ])
    let output = try CollectingOutput(bench.lines().map(\.description))
    try bench.streaming.start()
    let read = String(repeating: line, count: 1000)
    let heldBySize = limit / (line.utf8.count + 8)
    for _ in 0..<(2 * heldBySize / 1000) { bench.source.send(read) }
    #expect(bench.source.isPaused)
    bench.advance(milliseconds: 1000)
    // Beyond the bound there is one read; arrays are up to half empty.
    #expect(output.batches[0].count <= heldBySize + 1000)
    #expect(output.batches[0].count >= heldBySize / 3)
  }

  @Test("A connection that is made while the buffer is full is not read")
  func reconnectWhileFull() throws {
    let bench = try Bench(settings: ["swiftwater.receiver.maxBuffered": "64b"])
    let gate = Monitor<[[String]]>([])
    try bench.lines().map(\.description).foreachRDD { [clock = bench.clock] rdd, time in
      let lines = try rdd.collect()
      gate.withLock { $0.append(lines) }
      // The batch takes long: meanwhile the source is lost, and comes back.
      if time.milliseconds == 1000 {
        bench.source.disconnect("connection reset")
        clock.advance(by: .milliseconds(2500))
        #expect(bench.source.connections == 2)
        #expect(bench.source.heldChunks == 2)
      }
    }
    try bench.streaming.start()
    for line in ["a", "b", "c"] {
      bench.source.send(lines: [line + String(repeating: "x", count: 99)])
    }
    bench.advance(milliseconds: 10_000)
    #expect(gate.withLock { $0.joined().map { $0.prefix(1) } } == ["a", "b", "c"])
  }

  @Test("Two receivers share one buffer")
  func sharedBuffer() throws {
    let bench = try Bench(settings: [
      "swiftwater.receiver.maxBuffered": "8k", "swiftwater.block.size": "1k",
    ])
    let other = ScriptedReceiver(source: "other")
    let lines = try bench.lines()
    let others = DStream<TextLine>(
      try bench.streaming.addReceiver(other, name: "other"), in: bench.streaming)
    let output = try CollectingOutput(lines.union(others).map(\.description))
    try bench.streaming.start()
    for _ in 0..<100 { bench.source.send(lines: [String(repeating: "a", count: 200)]) }
    other.send(lines: ["b"])
    other.send(lines: ["c"])
    #expect(bench.source.isPaused)
    #expect(other.isPaused)
    bench.advance(milliseconds: 60_000)
    let all = output.batches.flatMap { $0 }
    #expect(all.count == 102)
    #expect(all.contains("c"))
  }
}
