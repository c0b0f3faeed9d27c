import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

@Suite struct WindowTests {
  @Test("Windows have what came within their length")
  func examples() throws {
    let bench = try Bench()
    let words = try bench.lines().map { ($0.description, 1) }
    let plain = try CollectingOutput(words.window(length: .seconds(2)).map(\.0))
    let counts = try CollectingOutput(words.countByWindow(length: .seconds(2)))
    let sums = try CollectingOutput(
      words.reduceByKeyAndWindow(length: .seconds(2), partitions: 1, +).map { "\($0.0)\($0.1)" })
    let whole = try CollectingOutput(
      words.map(\.0).reduceByWindow(length: .seconds(3), slide: .seconds(2), +))
    let lists = try CollectingOutput(
      words.groupByKeyAndWindow(length: .seconds(2), partitions: 1)
        .map { "\($0.0)\($0.1)" })
    let states = try CollectingOutput(
      words.updateStateByKey(partitions: 1) { (new: [Int], old: Int?) in
        new.reduce(old ?? 0, +)
      }.map { "\($0.0)\($0.1)" })
    try bench.streaming.start()
    for lines in [["a", "b"], ["a"], [], ["c"], []] {
      if !lines.isEmpty { bench.source.send(lines: lines) }
      bench.advance(milliseconds: 1000)
    }
    #expect(plain.batches == [["a", "b"], ["a", "b", "a"], ["a"], ["c"], ["c"]])
    #expect(counts.batches == [[2], [3], [1], [1], [1]])
    #expect(sums.batches == [["a1", "b1"], ["a2", "b1"], ["a1"], ["c1"], ["c1"]])
    #expect(whole.batches == [["aba"], ["ac"]])
    #expect(
      lists.batches == [["a[1]", "b[1]"], ["a[1, 1]", "b[1]"], ["a[1]"], ["c[1]"], ["c[1]"]])
    #expect(
      states.batches == [
        ["a1", "b1"], ["a2", "b1"], ["a2", "b1"], ["a2", "b1", "c1"], ["a2", "b1", "c1"],
      ])
  }

  @Test("Durations are multiples of the stream's slide, and names are those of one stream")
  func refusals() throws {
    let bench = try Bench()
    let pairs = try bench.lines().map { ($0.description, 1) }
    func told(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "nothing"
      } catch {
        return "\(error)"
      }
    }
    let multiple = "must be multiple of the parent dstream's slide (batch) duration"
    func check(_ words: String, _ body: () throws -> Void) {
      let text = told(body)
      #expect(text.contains(words), "\(text)")
    }
    check("windowDuration \(multiple) (1000 ms)") {
      _ = try pairs.window(length: .milliseconds(1500))
    }
    check("slideDuration \(multiple) (1000 ms)") {
      _ = try pairs.reduceByKeyAndWindow(length: .seconds(2), slide: .microseconds(1_000_001), +)
    }
    check("windowDuration \(multiple) (2000 ms)") {
      _ = try pairs.window(length: .seconds(2), slide: .seconds(2)).countByWindow(
        length: .seconds(3))
    }
    check("slideDuration must be longer than 0 seconds") {
      _ = try pairs.countByWindow(length: .seconds(2), slide: .zero)
    }
    check("windowDuration must be at least 0") {
      _ = try pairs.window(length: .seconds(-1))
    }
    check("at most a century") { _ = try pairs.window(length: .seconds(Int64.max)) }
    _ = try pairs.window(length: .seconds(2), named: "last")
    check("two stateful operators have the name 'last'") {
      _ = try pairs.countByWindow(length: .seconds(2), named: "last")
    }
    #expect(
      try bench.streaming.stableName(of: "window", given: nil) == "window-3")
  }

  @Test("A job is explained with its windows and states")
  func explanations() throws {
    let bench = try Bench()
    let lines = try bench.lines()
    let pairs = try lines.map { ($0.description, 1) }
    _ = try CollectingOutput(pairs.reduceByKeyAndWindow(length: .seconds(2), +))
    _ = try CollectingOutput(
      lines.columns.map { [$0, 1] }.updateStateByKey { new, old in (old || 0) + new.sum() }
        .pairs(of: String.self, Int.self))
    let told = try bench.streaming.explanation().map { line in
      "\(line.name) \(line.formName)\(line.type.map { " -> \($0)" } ?? "")"
    }
    #expect(told.contains("reduceByKeyAndWindow Swift"), "\(told)")
    #expect(told.contains("map native -> tuple[str, int]"), "\(told)")
    #expect(told.contains("updateStateByKey native"), "\(told)")
  }

  @Test("An idle window of a day costs nothing, and a busy one a few calls for each pair")
  func boundedWork() throws {
    let bench = try Bench(settings: ["spark.default.parallelism": "1"])
    let calls = Mutex(0)
    let taken = Mutex(0)
    let add: @Sendable (Int, Int) -> Int = { left, right in
      calls.withLock { $0 += 1 }
      return left + right
    }
    let pairs = try bench.lines().map { ($0.description, 1) }
    let day = Duration.seconds(86_400)
    let windows = try CollectingOutput(pairs.reduceByKeyAndWindow(length: day, add))
    let running = try CollectingOutput(
      pairs.reduceByKeyAndWindow(length: day, add) { left, right in
        taken.withLock { $0 += 1 }
        return left - right
      })
    let counts = try CollectingOutput(pairs.countByWindow(length: day))
    try bench.streaming.start()
    var sent = 0
    for batch in 0..<2000 {
      if batch % 100 < 2 {
        bench.source.send(lines: ["a", "b"])
        sent += 2
      }
      bench.advance(milliseconds: 1000)
    }
    for output in [windows, running] {
      #expect(output.batches.last?.map { "\($0.0)\($0.1)" } == ["a40", "b40"])
    }
    #expect(counts.batches.last == [sent])
    // Each window: at most three steps of a pair, and one to read it.
    #expect(calls.withLock { $0 } <= 8 * sent)
    #expect(taken.withLock { $0 } == 0)
  }

  @Test("A context that goes on from another has its windows and its states")
  func recovery() throws {
    func job(_ bench: Bench) throws -> [CollectingOutput<String>] {
      let pairs = try bench.lines().map { ($0.description, 1) }
      let windows = try pairs.reduceByKeyAndWindow(length: .seconds(3), partitions: 2, +)
      let running = try pairs.reduceByKeyAndWindow(
        length: .seconds(5), partitions: 2, +, inverse: -, filter: { $1 > 0 })
      let states = try pairs.updateStateByKey(partitions: 2) { (new: [Int], old: [Int]?) in
        (old ?? []) + new
      }
      return try [
        CollectingOutput(windows.map { "\($0.0)\($0.1)" }),
        CollectingOutput(running.map { "\($0.0)\($0.1)" }),
        CollectingOutput(states.map { "\($0.0)\($0.1.count)" }),
      ]
    }
    func send(_ lines: [[String]], _ bench: Bench) {
      for lines in lines {
        if !lines.isEmpty { bench.source.send(lines: lines) }
        bench.advance(milliseconds: 1000)
      }
    }
    let input = [["a"], ["b", "a"], [], ["c"], ["a", "d"], ["b"], [], [], [], [], ["a"], []]
    let whole = try Bench()
    let expected = try job(whole)
    try whole.streaming.start()
    send(input, whole)

    let first = try Bench()
    _ = try job(first)
    try first.streaming.keepPast()
    try first.streaming.start()
    send(Array(input.prefix(5)), first)
    first.streaming.stop()
    let last = BatchTime(milliseconds: 5000)
    let second = try Bench(start: 5000)
    let outputs = try job(second)
    for item in try first.streaming.retained(after: last) {
      try second.streaming.restore(
        stableName: item.stableName, parent: item.parent, time: item.time, rdd: item.rdd)
    }
    try second.streaming.resume(zero: BatchTime(milliseconds: 0), last: last)
    try second.streaming.start()
    send(Array(input.dropFirst(5)), second)
    for (output, expected) in zip(outputs, expected) {
      let rest = expected.batches.dropFirst(5).map { $0.sorted() }
      #expect(output.batches.map { $0.sorted() } == rest)
    }
  }

  @Test("States go on from what they were before the first batch")
  func initialStates() throws {
    let bench = try Bench()
    let initial = bench.context.parallelize([("a", [10]), ("b", [20]), ("a", [30])])
    let output = try CollectingOutput(
      bench.lines().map { ($0.description, 1) }
        .updateStateByKey(partitions: 2, initial: initial) { (new: [Int], old: [Int]?) in
          (old ?? []) + new
        }.map { "\($0.0)\($0.1)" })
    try bench.streaming.start()
    bench.source.send(lines: ["a", "c"])
    bench.advance(milliseconds: 2000)
    let expected = ["a[10, 1]", "b[20]", "c[1]"]
    #expect(output.batches.map { $0.sorted() } == [expected, expected])
  }

  /// A value that knows how many there are of it.
  private final class Reading: Sendable {
    static let alive = Atomic(0)
    let value: Int

    init(_ value: Int) {
      self.value = value
      Self.alive.wrappingAdd(1, ordering: .relaxed)
    }

    deinit { Self.alive.wrappingSubtract(1, ordering: .relaxed) }
  }

  @Test("What has left a window is let go with its batch")
  func lettingGo() throws {
    let bench = try Bench()
    let (length, batches) = (150, 400)
    let output = try CollectingOutput(
      bench.lines().map { _ in ("key", Reading(1)) }.reduceByKeyAndWindow(
        length: .seconds(length), partitions: 1, { Reading($0.value + $1.value) },
        inverse: { Reading($0.value - $1.value) }
      ).map(\.1.value))
    try bench.streaming.start()
    var most = 0
    for _ in 0..<batches {
      bench.source.send(lines: ["a"])
      bench.advance(milliseconds: 1000)
      most = max(most, Reading.alive.load(ordering: .relaxed))
    }
    #expect(output.batches.map { $0.first } == (1...batches).map { min($0, length) })
    #expect(most <= length + 5)
  }
}
