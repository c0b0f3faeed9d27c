import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

/// Windows over random streams, beside what a look at all records says.
@Suite struct WindowModelTests {
  private static let batchCount = 70

  private struct Shape {
    let length: Int
    let slide: Int
    let partitions: Int

    init(_ random: inout SeededRandom) {
      length = Int.random(in: 1...20, using: &random)
      let isSliding = Int.random(in: 0..<3, using: &random) == 0
      slide = isSliding ? Int.random(in: 1...20, using: &random) : 1
      partitions = Int.random(in: 1...3, using: &random)
    }

    var lengthDuration: Duration { .seconds(length) }
    var slideDuration: Duration { .seconds(slide) }

    func isDue(_ second: Int) -> Bool { second % slide == 0 }
  }

  private static func texts(_ pairs: [(String, String)], inOrder: Bool) -> [String] {
    let texts = pairs.map { "\($0.0): \($0.1)" }
    return inOrder ? texts : texts.sorted()
  }

  private static func texts(_ pairs: [(String, [String])], inOrder: Bool) -> [String] {
    texts(pairs.map { ($0.0, $0.1.joined()) }, inOrder: inOrder)
  }

  /// The records of an RDD that was kept; nil where its batch failed and the table has gone on since.
  private static func read<Key, Value, Written>(
    _ rdd: RDD<(Key, Value)>, of second: Int, _ output: CollectingOutput<Written>,
    _ failing: FailingCall
  ) throws -> [(Key, Value)]? {
    do {
      return try rdd.collect()
    } catch let error as EngineError {
      #expect("\(error)".contains("the table has gone on"))
      #expect(failing.hasFailed)
      #expect(!output.times.contains(BatchTime(milliseconds: Int64(second) * 1000)))
      return nil
    }
  }

  @Test(
    "Windows without an inverse, twice read, and kept beyond their batches",
    arguments: UInt64(0)..<40)
  func windows(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let input = RandomBatches(Self.batchCount, &random)
    let shape = Shape(&random)
    let failing = FailingCall(
      after: seed % 2 == 0 ? .max : Int.random(in: 0..<300, using: &random))
    let bench = try Bench()
    let windows = try input.stream(bench).reduceByKeyAndWindow(
      length: shape.lengthDuration, slide: shape.slideDuration, partitions: shape.partitions
    ) { left, right in
      try failing.check()
      return left + right
    }
    let output = try CollectingOutput(windows)
    let second = try CollectingOutput(windows.mapValues { $0 })
    let kept = try KeptRDDs(windows)
    try bench.streaming.start()

    func check(_ second: Int, _ pairs: [(String, String)]) {
      let inOrder = shape.partitions == 1
      #expect(
        Self.texts(pairs, inOrder: inOrder)
          == Self.texts(input.window(shape.length, at: second), inOrder: inOrder),
        "at \(second), \(shape)")
    }
    for _ in 1...Self.batchCount + shape.length + shape.slide {
      bench.advance(milliseconds: 1000)
      if kept.count > 4, let (second, rdd) = kept.removeRandom(&random) {
        try Self.read(rdd, of: second, output, failing).map { check(second, $0) }
      }
    }
    for (second, rdd) in kept.removeAll() {
      try Self.read(rdd, of: second, output, failing).map { check(second, $0) }
    }
    for output in [output, second] {
      for (time, pairs) in zip(output.times, output.batches) {
        check(Int(time.milliseconds / 1000), pairs)
      }
    }
    let due = (1...Self.batchCount + shape.length + shape.slide).filter(shape.isDue)
    let missing = due.count - output.times.count
    #expect(missing == 0 || failing.hasFailed && missing == 1, "\(shape)")
  }

  @Test(
    "What a function cannot take has harmed all its windows at most, and as many behind them",
    arguments: UInt64(0)..<40)
  func poison(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let input = RandomBatches(Self.batchCount, &random)
    let length = Int.random(in: 1...12, using: &random)
    let all = input.records(after: 0, through: Self.batchCount / 2)
    let bad = try #require(all.randomElement(using: &random)).value
    let bench = try Bench()
    let windows = try input.stream(bench).reduceByKeyAndWindow(
      length: .seconds(length), partitions: 1
    ) { left, right in
      // Values are numbers with a space behind.
      if (" " + left + right).contains(" " + bad) { throw EngineError.illegalState("bad") }
      return left + right
    }
    let output = try CollectingOutput(windows)
    try bench.streaming.start()
    for _ in 1...Self.batchCount { bench.advance(milliseconds: 1000) }
    for (time, pairs) in zip(output.times, output.batches) {
      let second = Int(time.milliseconds / 1000)
      #expect(
        Self.texts(pairs, inOrder: true)
          == Self.texts(input.window(length, at: second), inOrder: true), "at \(second), \(length)")
    }
    let came =
      try #require(
        input.batches.firstIndex { $0?.contains { $0.value == bad } == true }) + 1
    let failed = Set(1...Self.batchCount).subtracting(
      output.times.map { Int($0.milliseconds / 1000) })
    // What was combined with it leaves when all of that has left.
    let late = failed.filter { !(came..<came + 2 * length).contains($0) }.sorted()
    #expect(late.isEmpty, "it came at \(came), \(length)")
  }

  @Test("Windows of windows", arguments: UInt64(0)..<20)
  func windowsOfWindows(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let input = RandomBatches(Self.batchCount, &random)
    let inner = Shape(&random)
    let steps = Int.random(in: 1...4, using: &random)
    let bench = try Bench()
    let output = try CollectingOutput(
      input.stream(bench)
        .reduceByKeyAndWindow(
          length: inner.lengthDuration, slide: inner.slideDuration, partitions: inner.partitions, +
        )
        .reduceByKeyAndWindow(
          length: inner.slideDuration * steps, slide: inner.slideDuration, partitions: 2, +))
    try bench.streaming.start()
    for _ in 1...Self.batchCount + 2 * inner.length { bench.advance(milliseconds: 1000) }
    #expect(!output.times.isEmpty)
    for (time, pairs) in zip(output.times, output.batches) {
      let end = Int(time.milliseconds / 1000)
      var expected: [String: String] = [:]
      for step in (0..<steps).reversed() where end - step * inner.slide > 0 {
        for (key, values) in input.window(inner.length, at: end - step * inner.slide) {
          expected[key, default: ""] += values.joined()
        }
      }
      #expect(
        Self.texts(pairs, inOrder: false)
          == Self.texts(expected.map { ($0.key, $0.value) }, inOrder: false), "at \(end), \(inner)")
    }
  }

  @Test(
    "Running windows: an inverse takes away what has left, keys stay or are filtered",
    arguments: UInt64(0)..<40)
  func running(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let input = RandomBatches(Self.batchCount, &random)
    let partitions = Int.random(in: 1...3, using: &random)
    let slide = Int.random(in: 1...3, using: &random)
    let length = slide * Int.random(in: 5...8, using: &random)
    let isFiltered = Int.random(in: 0..<2, using: &random) == 0
    let failing = FailingCall(
      after: seed % 2 == 0 ? .max : Int.random(in: 0..<300, using: &random))
    let bench = try Bench()
    let windows = try input.stream(bench).mapValues { [$0] }.reduceByKeyAndWindow(
      length: .seconds(length), slide: .seconds(slide), partitions: partitions,
      { left, right in
        try failing.check()
        return left + right
      },
      inverse: { whole, gone in
        try failing.check()
        // What leaves is what the whole begins with.
        guard whole.starts(with: gone) else { return ["lost"] }
        return Array(whole.dropFirst(gone.count))
      }, filter: isFiltered ? { @Sendable _, values in !values.isEmpty } : nil)
    let output = try CollectingOutput(windows)
    let kept = try KeptRDDs(windows)
    try bench.streaming.start()

    func check(_ second: Int, _ pairs: [(String, [String])]) {
      var expected = Dictionary(uniqueKeysWithValues: input.window(length, at: second))
      if !isFiltered {
        for (key, _) in input.records(after: 0, through: second) {
          expected[key] = expected[key] ?? []
        }
      }
      #expect(
        Self.texts(pairs, inOrder: false)
          == Self.texts(expected.map { ($0.key, $0.value) }, inOrder: false),
        "at \(second), \(length) by \(slide), filtered: \(isFiltered)")
    }
    for _ in 1...Self.batchCount + length + slide {
      bench.advance(milliseconds: 1000)
      if kept.count > 4, let (second, rdd) = kept.removeRandom(&random) {
        try Self.read(rdd, of: second, output, failing).map { check(second, $0) }
      }
    }
    for (second, rdd) in kept.removeAll() {
      try Self.read(rdd, of: second, output, failing).map { check(second, $0) }
    }
    for (time, pairs) in zip(output.times, output.batches) {
      check(Int(time.milliseconds / 1000), pairs)
    }
  }

  @Test("States: keys come, are forgotten and come back", arguments: UInt64(0)..<40)
  func states(seed: UInt64) throws {
    struct Seen: Sendable {
      var values: String
      var idle: Int
    }
    var random = SeededRandom(seed: seed)
    let input = RandomBatches(Self.batchCount, &random)
    let partitions = Int.random(in: 1...3, using: &random)
    let patience = Int.random(in: 1...10, using: &random)
    let failing = FailingCall(
      after: seed % 2 == 0 ? .max : Int.random(in: 0..<300, using: &random))
    let update: @Sendable ([String], Seen?) -> Seen? = { new, old in
      var seen = old ?? Seen(values: "", idle: 0)
      seen.idle = new.isEmpty ? seen.idle + 1 : 0
      if seen.idle > patience || new.last?.hasSuffix("7 ") == true { return nil }
      seen.values += new.joined()
      return seen
    }
    let bench = try Bench()
    let states = try input.stream(bench).updateStateByKey(partitions: partitions) {
      (new: [String], old: Seen?) in
      try failing.check()
      return update(new, old)
    }
    let output = try CollectingOutput(states.mapValues(\.values))
    let kept = try KeptRDDs(states.mapValues(\.values))
    try bench.streaming.start()

    var model: [String: Seen] = [:]
    var expected: [Int: [String]] = [:]
    for second in 1...Self.batchCount {
      // A batch without an RDD changes nothing.
      if let batch = input.batches[second - 1] {
        let new = input.values(at: second)
        for key in Set(model.keys).union(batch.map(\.key)) {
          model[key] = update(new[key] ?? [], model[key])
        }
      }
      expected[second] = Self.texts(model.map { ($0.key, $0.value.values) }, inOrder: false)
      bench.advance(milliseconds: 1000)
      if kept.count > 4, let (second, rdd) = kept.removeRandom(&random) {
        if let pairs = try Self.read(rdd, of: second, output, failing) {
          #expect(Self.texts(pairs, inOrder: false) == expected[second], "kept from \(second)")
        }
      }
    }
    for (time, pairs) in zip(output.times, output.batches) {
      let second = Int(time.milliseconds / 1000)
      #expect(Self.texts(pairs, inOrder: false) == expected[second], "at \(second)")
    }
    // There is no state before anything has come.
    let first = try #require(input.batches.firstIndex { $0 != nil })
    let missing = Self.batchCount - first - output.times.count
    #expect(missing == 0 || failing.hasFailed && missing == 1)
  }
}
