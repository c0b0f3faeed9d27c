import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Testing

@testable import SwiftwaterStreaming

@Suite struct ColumnWindowTests {
  /// Pairs of a text and an integer, written as lines.
  private func pairs(_ bench: Bench) throws -> ColumnStream {
    try bench.lines().columns.map { $0.split(" ") }.map { [$0[0], $0[1].integer] }
  }

  private func texts(_ stream: ColumnStream) throws -> CollectingOutput<String> {
    try CollectingOutput(stream.pairs(of: String.self, Int.self).map { "\($0.0)\($0.1)" })
  }

  @Test("Windows over columns are those over Swift values", arguments: UInt64(0)..<20)
  func windows(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let slide = Int.random(in: 1...3, using: &random)
    let length = slide * Int.random(in: 1...8, using: &random)
    let partitions = Int.random(in: 1...3, using: &random)
    let bench = try Bench()
    let columns = try pairs(bench)
    let values = try columns.pairs(of: String.self, Int.self)
    let window = (length: Duration.seconds(length), slide: Duration.seconds(slide))
    func shown<Value>(_ stream: DStream<(String, Value)>) throws -> CollectingOutput<String> {
      try CollectingOutput(stream.map { "\($0.0)\($0.1)" })
    }
    let ours = try [
      texts(columns.window(length: window.length, slide: window.slide)),
      texts(
        columns.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +)),
      texts(
        columns.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions
        ) { Term.max($0, $1) }),
      texts(
        columns.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +, inverse: -)),
      texts(
        columns.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +, inverse: -,
          filter: { key, sum in sum })),
      texts(
        columns.updateStateByKey(partitions: partitions) { new, old in
          .choose(new.sum() == 9, .none, (old || 0) + new.sum())
        }),
      shown(
        columns.groupByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions
        ).pairs(of: String.self, [Int].self)),
      texts(columns.countByWindow(length: window.length, slide: window.slide).map { ["n", $0] }),
      texts(
        columns.map { $0[1] }.reduceByWindow(
          length: window.length, slide: window.slide, { .min($0, $1) }
        ).map { ["least", $0] }),
    ]
    let theirs = try [
      shown(values.window(length: window.length, slide: window.slide)),
      shown(
        values.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +)),
      shown(
        values.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions
        ) { max($0, $1) }),
      shown(
        values.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +, inverse: -)),
      shown(
        values.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +, inverse: -,
          filter: { $1 != 0 })),
      shown(
        values.updateStateByKey(partitions: partitions) { (new: [Int], old: Int?) -> Int? in
          let sum = new.reduce(0, +)
          return sum == 9 ? nil : (old ?? 0) + sum
        }),
      shown(
        values.groupByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions)),
      shown(values.countByWindow(length: window.length, slide: window.slide).map { ("n", $0) }),
      shown(
        values.map(\.1).reduceByWindow(
          length: window.length, slide: window.slide, { min($0, $1) }
        ).map { ("least", $0) }),
    ]
    try bench.streaming.start()
    for _ in 0..<40 {
      if Int.random(in: 0..<3, using: &random) > 0 {
        let lines = (0..<Int.random(in: 0...5, using: &random)).map { _ in
          "k\(Int.random(in: 0...5, using: &random)) \(Int.random(in: -9...9, using: &random))"
        }
        if !lines.isEmpty { bench.source.send(lines: lines) }
      }
      bench.advance(milliseconds: 1000)
    }
    for (number, (ours, theirs)) in zip(ours, theirs).enumerated() {
      #expect(ours.batches == theirs.batches, "\(number): \(length) by \(slide)")
      #expect(ours.batches.contains { !$0.isEmpty })
    }
  }

  @Test("A function that makes no sense for the records is refused when the stream is built")
  func refusals() throws {
    let bench = try Bench()
    let pairs = try pairs(bench)
    let length = Duration.seconds(5)
    #expect(throws: Refusal.self) {
      try bench.lines().columns.reduceByKeyAndWindow(length: length, +)
    }
    #expect(throws: Refusal.self) {
      try bench.lines().columns.groupByKeyAndWindow(length: length)
    }
    #expect(throws: Refusal.self) {
      try pairs.reduceByKeyAndWindow(length: length) { $0 * $1 }
    }
    #expect(throws: Refusal.self) {
      try pairs.reduceByKeyAndWindow(length: length, +, inverse: { $0 / $1 })
    }
    #expect(throws: Refusal.self) {
      try pairs.reduceByKeyAndWindow(length: length, +, inverse: -, filter: { $0 + $1 })
    }
    #expect(throws: Refusal.self) { try pairs.updateStateByKey { new, _ in new.sum() + "" } }
    #expect(throws: Refusal.self) { try pairs.updateStateByKey { _, _ in .none } }
  }

  @Test("An integer that leaves 64 bits fails its batches, and the window goes on without it")
  func overflow() throws {
    let bench = try Bench()
    let output = try texts(
      pairs(bench).reduceByKeyAndWindow(length: .seconds(2), partitions: 1, +))
    try bench.streaming.start()
    for line in ["a 1", "a \(Int.max)", "a 2", "a 3"] {
      bench.source.send(lines: [line])
      bench.advance(milliseconds: 1000)
    }
    #expect(output.times.map(\.milliseconds) == [1000, 4000])
    #expect(output.batches == [["a1"], ["a5"]])
    let told = bench.log.events.compactMap { event -> String? in
      if case .outputCompleted(let output) = event { output.failure } else { nil }
    }
    #expect(told.count == 2, "\(told)")
    #expect(told.allSatisfy { $0.contains("reduceByKeyAndWindow: a number leaves 64 bits") })
  }
}
