import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterRDD
@testable import SwiftwaterStreaming

@Suite struct MapWithStateTests {
  private static let batchCount = 60

  /// Reads, updates, removes, forgets to update, by turns.
  private static func step(
    _ key: String, _ value: String?, _ state: inout State<[String]>
  ) throws -> String {
    let before = (state.getOption() ?? ["none"]).joined()
    guard let value, let number = Int(value.dropLast()) else {
      return "\(key) gone \(before) \(state.isTimingOut)"
    }
    if number % 5 == 0, state.exists {
      try state.remove()
    } else if number % 7 != 0 {
      try state.update(Array(((state.getOption() ?? []) + [value]).suffix(4)))
    }
    return "\(key) \(value)\(before) \(state.exists)"
  }

  /// What is to come of it, record by record.
  private struct Model {
    var states: [String: [String]]
    let timeout: Int?
    private var latest: [String: Int] = [:]

    init(_ states: [String: [String]], timeout: Int?) {
      self.states = states
      self.timeout = timeout
      latest = states.mapValues { _ in 1 }
    }

    mutating func made(of records: [RandomBatches.Pair], at second: Int) -> [String] {
      var made: [String] = []
      for (key, value) in records {
        let before = (states[key] ?? ["none"]).joined()
        let number = Int(value.dropLast())!
        if number % 5 == 0, states[key] != nil {
          states[key] = nil
        } else if number % 7 != 0 {
          states[key] = Array(((states[key] ?? []) + [value]).suffix(4))
        }
        latest[key] = second
        made.append("\(key) \(value)\(before) \(states[key] != nil)")
      }
      guard let timeout else { return made }
      for (key, state) in states where second - latest[key]! > timeout {
        made.append("\(key) gone \(state.joined()) true")
        states[key] = nil
      }
      return made
    }
  }

  /// The records of each key, in their order.
  private static func byKey(_ records: [String]) -> [Substring: [String]] {
    Dictionary(grouping: records) { $0.prefix { $0 != " " } }
  }

  @Test(
    "Streams are those of a model: time-outs, removals, first states, failures, kept RDDs",
    arguments: UInt64(0)..<60)
  func model(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let input = RandomBatches(Self.batchCount, &random)
    let failing = FailingCall(
      after: seed % 3 > 0 ? .max : Int.random(in: 0..<200, using: &random))
    let timeout = seed % 4 == 0 ? nil : Int.random(in: 1...8, using: &random)
    var initial: [String: [String]] = [:]
    if input.batches[0] != nil, seed % 2 == 0 {
      for key in 0..<6 { initial["k\(key * 2)"] = ["-\(key) "] }
    }
    let function: StateSpec<String, String, [String], String>.Function = { key, value, state in
      try failing.check()
      return try Self.step(key, value, &state)
    }
    var spec = StateSpec(function)
    if seed % 5 == 0 {
      spec = StateSpec { _, key, value, state in try function(key, value, &state) }
    }
    if let timeout { spec = spec.timeout(.milliseconds(timeout * 1000 + 999)) }
    let partitions = Int.random(in: 1...4, using: &random)
    spec =
      seed % 7 == 0
      ? spec.partitioner(partitions) { -$0.count } : spec.numPartitions(partitions)
    let bench = try Bench()
    if !initial.isEmpty {
      let pairs = initial.map { ($0.key, ["lost "]) } + initial.map { ($0.key, $0.value) }
      spec = spec.initialState(bench.context.parallelize(pairs, slices: 3))
    }
    let stream = try input.stream(bench).mapWithState(spec)
    let snapshots = stream.stateSnapshots()
    let hasBoth = seed % 3 > 0
    let output = try hasBoth || seed % 2 == 0 ? CollectingOutput(stream.records) : nil
    let states = try hasBoth || seed % 2 == 1 ? CollectingOutput(snapshots) : nil
    let kept = try hasBoth ? KeptRDDs(snapshots) : nil
    try bench.streaming.start()

    // With a time-out of so many seconds and a bit, a key is late a second later.
    var model = Model(initial, timeout: timeout)
    var expected: [Int: [String]] = [:]
    var missing: [String] = []
    let first = try #require(input.batches.firstIndex { $0 != nil }) + 1
    func texts(_ pairs: [(String, [String])]) -> [String] {
      pairs.map { "\($0.0) \($0.1.joined())" }.sorted()
    }
    for second in 1...Self.batchCount {
      bench.advance(milliseconds: 1000)
      missing += model.made(of: input.batches[second - 1] ?? [], at: second)
      expected[second] = texts(model.states.map { ($0.key, $0.value) })
      if second < first { continue }
      let time = BatchTime(milliseconds: Int64(second) * 1000)
      if let output, output.times.last == time {
        #expect(
          Self.byKey(try #require(output.batches.last)) == Self.byKey(missing), "at \(second)")
        missing = []
      } else {
        #expect(output == nil || failing.hasFailed, "at \(second)")
      }
      if let states, states.times.last == time {
        #expect(texts(try #require(states.batches.last)) == expected[second], "at \(second)")
      }
      if let kept, kept.count > 4, let (second, rdd) = kept.removeRandom(&random) {
        #expect(texts(try rdd.collect()) == expected[second], "kept from \(second)")
      }
    }
    let batches = (output?.times ?? states?.times ?? []).count
    #expect(batches >= Self.batchCount - first + (failing.hasFailed ? 0 : 1))
  }

  @Test("Visits, as the page about windows and states has them")
  func visits() throws {
    let bench = try Bench()
    let userPages = try bench.lines().map { line in
      let parts = line.description.split(separator: " ")
      return (String(parts[0]), String(parts[1]))
    }
    let spec = StateSpec { (user: String, page: String?, pages: inout State<Int>) in
      guard let page else { return "\(user) has left after \(try pages.get()) pages" }
      try pages.update((pages.getOption() ?? 0) + 1)
      return "\(user) is at \(page)"
    }
    let visits = try userPages.mapWithState(spec.timeout(.seconds(1)))
    let told = try CollectingOutput(visits.records.filter { $0.hasSuffix("pages") })
    let counts = try CollectingOutput(visits.stateSnapshots().map { "\($0.0) \($0.1)" })
    try bench.streaming.start()
    for lines in [["ada home", "ada news"], ["bob home"], []] {
      if !lines.isEmpty { bench.source.send(lines: lines) }
      bench.advance(milliseconds: 1000)
    }
    #expect(told.batches == [[], [], ["ada has left after 2 pages"]])
    #expect(counts.batches.map { $0.sorted() } == [["ada 2"], ["ada 2", "bob 1"], ["bob 1"]])
  }

  @Test("Each record has a call, in order, and a batch without the key has none")
  func calls() throws {
    let bench = try Bench()
    let calls = Mutex(0)
    let stream = try bench.lines().map { ($0.description.prefix(1).description, $0.description) }
      .mapWithState(
        StateSpec { (key: String, line: String?, state: inout State<Int>) -> Int? in
          calls.withLock { $0 += 1 }
          try state.update((state.getOption() ?? 0) + 1)
          return try state.get() == 2 ? nil : try state.get()
        }.numPartitions(1))
    let output = try CollectingOutput(stream.records)
    let states = try CollectingOutput(stream.stateSnapshots().map { "\($0.0)\($0.1)" })
    try bench.streaming.start()
    for lines in [["a", "b", "a"], [], ["b"]] {
      if !lines.isEmpty { bench.source.send(lines: lines) }
      bench.advance(milliseconds: 1000)
    }
    #expect(calls.withLock { $0 } == 4)
    // Each result is a record, nil too.
    #expect(output.batches == [[1, 1, nil], [], [nil]])
    #expect(states.batches == [["a2", "b1"], ["a2", "b1"], ["a2", "b2"]])
  }

  @Test("A function that is given the time leaves out what is nil")
  func times() throws {
    let bench = try Bench()
    let stream = try bench.lines().map { ($0.description, 1) }
      .mapWithState(
        .function { time, key, value, state in
          if !state.isTimingOut { try state.update("seen") }
          return key == "b" ? nil : "\(key) at \(time.milliseconds)"
        }.timeout(.seconds(2)) as StateSpec<String, Int, String, String>)
    let output = try CollectingOutput(stream.records)
    try bench.streaming.start()
    bench.source.send(lines: ["a", "b"])
    bench.advance(milliseconds: 1000)
    bench.source.send(lines: ["b"])
    bench.advance(milliseconds: 3000)
    #expect(output.batches == [["a at 1000"], [], [], ["a at 4000"]])
  }

  @Test("A value may be nil, and a state may be: neither is no value, or no state")
  func optionals() throws {
    let bench = try Bench()
    let stream = try bench.lines().map { line in ("k", line.description == "-" ? nil : 1) }
      .mapWithState(
        StateSpec { (key: String, value: Int??, state: inout State<Int?>) in
          let told = "\(value == nil ? "out" : "in") \(state.exists)"
          if !state.isTimingOut { try state.update(nil) }
          return told
        }.timeout(.seconds(1)))
    let output = try CollectingOutput(stream.records)
    try bench.streaming.start()
    for lines in [["-"], ["1"], [], []] {
      if !lines.isEmpty { bench.source.send(lines: lines) }
      bench.advance(milliseconds: 1000)
    }
    #expect(output.batches == [["in false"], ["in true"], [], ["out true"]])
  }

  @Test(
    "States refuse what cannot be meant",
    arguments: [
      (["get"], "State is not set"),
      (["update", "get"], "well"),
      (["remove"], "well"),
      (["remove", "get"], "State is not set"),
      (
        ["remove", "update"],
        "requirement failed: Cannot update the state after it has been removed"
      ),
      (
        ["update", "remove", "remove"],
        "requirement failed: Cannot remove the state that has already been removed"
      ),
      (["wait", "get"], "well"),
      (["wait", "update"], "requirement failed: Cannot update the state that is timing out"),
      (["wait", "remove"], "requirement failed: Cannot remove the state that is timing out"),
    ])
  func refusals(calls: [String], told: String) throws {
    let bench = try Bench()
    let spec = StateSpec { (key: String, value: String?, state: inout State<String>) in
      if calls.first == "wait", !state.isTimingOut {
        try state.update("kept")
        return "waits"
      }
      do {
        for call in calls {
          switch call {
          case "get": _ = try state.get()
          case "update": try state.update("new")
          case "remove": try state.remove()
          default: break
          }
        }
        return "well"
      } catch {
        return "\(error)"
      }
    }
    let stream = try bench.lines().map { ("k", $0.description) }
      .mapWithState(calls.first == "wait" ? spec.timeout(.seconds(1)) : spec)
    let output = try CollectingOutput(stream.records)
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 3000)
    let found = output.batches.flatMap { $0 }.filter { $0 != "waits" }
    #expect(found == [told])
  }

  @Test("Keys are where the partitioner has them, those of the first states too")
  func partitioners() throws {
    let bench = try Bench()
    let sums = StateSpec { (key: String, value: Int?, state: inout State<Int>) in
      try state.update((state.getOption() ?? 0) + (value ?? 0))
      return key
    }
    let spec = sums.initialState(bench.context.parallelize([("bb", 40), ("dddd", 7)]))
    let stream = try bench.lines().map { ($0.description, 1) }
      .mapWithState(spec.partitioner(3) { -$0.count })
    let counts = Mutex<[Int]>([])
    try stream.records.foreachRDD { rdd, _ in counts.withLock { $0.append(rdd.partitionCount) } }
    let output = try CollectingOutput(stream.records)
    let states = try CollectingOutput(stream.stateSnapshots().map { "\($0.0)\($0.1)" })
    try bench.streaming.start()
    bench.source.send(lines: ["a", "bb", "ccc", "a"])
    bench.advance(milliseconds: 1000)
    // -1, -2 and -3 leave 2, 1 and 0 of a division by three.
    #expect(output.batches == [["ccc", "bb", "a", "a"]])
    #expect(states.batches == [["ccc1", "bb41", "dddd7", "a2"]])
    #expect(counts.withLock { $0 } == [3])
  }

  @Test("Who is in the midst of the states reads on as they were when the table goes on")
  func readers() throws {
    let bench = try Bench()
    let count = 10_000
    let spec = StateSpec { (key: Int, value: Int?, state: inout State<Int>) in
      try state.update(value ?? 0)
    }
    let states = try bench.lines()
      .flatMap { line in (0..<count).map { ($0, line.description.count) } }
      .mapWithState(spec.numPartitions(1)).stateSnapshots()
    let kept = try KeptRDDs(states)
    try bench.streaming.start()
    bench.source.send(lines: ["1"])
    bench.advance(milliseconds: 1000)
    let rdd = try #require(kept.removeAll().first).rdd
    let cursor = try #require(rdd.node.step).cursor(partition: 0)
    var found: [(Int, Int)] = []
    while let batch = try cursor.next() as? ValueBatch<(Int, Int)> {
      if found.count < count / 2 {
        bench.source.send(lines: ["12"])
        bench.advance(milliseconds: 1000)
      }
      found += batch.elements
    }
    #expect(found.map(\.0) == Array(0..<count))
    #expect(found.allSatisfy { $0.1 == 1 })
  }

  @Test("A specification that cannot be meant is refused when the stream is built")
  func specifications() throws {
    let bench = try Bench()
    let pairs = try bench.lines().map { ($0.description, 1) }
    let spec = StateSpec<String, Int, Int, Int>.function { _, value, _ in value ?? 0 }
    func check(
      _ words: String, _ spec: StateSpec<String, Int, Int, Int>, named name: String? = nil
    ) {
      do {
        _ = try pairs.mapWithState(spec, named: name)
        Issue.record("nothing is said of \(words)")
      } catch {
        #expect("\(error)".contains(words))
      }
    }
    check("numPartitions must be at least 1", spec.numPartitions(0))
    check("at most 1000000, not 1000001", spec.partitioner(1_000_001) { $0.count })
    check("the time-out must be at least a millisecond", spec.timeout(.zero))
    check("the time-out must be at least a millisecond", spec.timeout(.microseconds(999)))
    check("at most a century", spec.timeout(.seconds(Int64.max)))
    _ = try pairs.mapWithState(spec.timeout(.milliseconds(1)), named: "steps")
    check("two stateful operators have the name 'steps'", spec, named: "steps")
  }

  @Test("The plan says for which keys the function is called")
  func explanation() throws {
    let bench = try Bench()
    let pairs = try bench.lines().map { ($0.description, 1) }
    _ = try CollectingOutput(
      pairs.mapWithState(StateSpec<String, Int, Int, Int> { _, value, _ in value ?? 0 }).records)
    let told = try bench.streaming.explanation().map { "\($0)" }
    #expect(told.contains { $0.contains("mapWithState") && $0.contains("keys with new values") })
  }

  @Test("A context that goes on from another has its states, in other partitions too")
  func recovery() throws {
    func job(_ bench: Bench, partitions: Int) throws -> [CollectingOutput<String>] {
      let pairs = try bench.lines().map { ($0.description, 1) }
      let mapped = try pairs.mapWithState(
        StateSpec { (key: String, value: Int?, state: inout State<[Int]>) in
          if state.isTimingOut { return "\(key) gone" }
          try state.update((state.getOption() ?? []) + [value ?? 0])
          return "\(key)\(try state.get().count)"
        }.numPartitions(partitions).timeout(.seconds(20)))
      let running = try pairs.reduceByKeyAndWindow(
        length: .seconds(5), partitions: partitions, +, inverse: -)
      let lists = try pairs.groupByKeyAndWindow(length: .seconds(6), partitions: partitions)
      let states = try pairs.updateStateByKey(partitions: partitions) {
        (new: [Int], old: [Int]?) in (old ?? []) + new
      }
      return try [
        CollectingOutput(mapped.records),
        CollectingOutput(mapped.stateSnapshots().map { "\($0.0)\($0.1)" }),
        CollectingOutput(running.map { "\($0.0)\($0.1)" }),
        CollectingOutput(lists.map { "\($0.0)\($0.1)" }),
        CollectingOutput(states.map { "\($0.0)\($0.1)" }),
      ]
    }
    func send(_ lines: [[String]], _ bench: Bench) {
      for lines in lines {
        if !lines.isEmpty { bench.source.send(lines: lines) }
        bench.advance(milliseconds: 1000)
      }
    }
    let input = [["a"], ["b", "a"], [], ["c"], ["a", "d"], ["b"], [], ["e"], ["a"], []]
    let whole = try Bench()
    let expected = try job(whole, partitions: 2)
    try whole.streaming.start()
    send(input, whole)

    for partitions in [2, 3] {
      let first = try Bench()
      _ = try job(first, partitions: 2)
      try first.streaming.keepPast()
      try first.streaming.start()
      send(Array(input.prefix(5)), first)
      first.streaming.stop()
      let last = BatchTime(milliseconds: 5000)
      let second = try Bench(start: 5000)
      let outputs = try job(second, partitions: partitions)
      for item in try first.streaming.retained(after: last) {
        try second.streaming.restore(
          stableName: item.stableName, parent: item.parent, time: item.time, rdd: item.rdd)
      }
      try second.streaming.resume(zero: BatchTime(milliseconds: 0), last: last)
      try second.streaming.start()
      send(Array(input.dropFirst(5)), second)
      for (number, (output, expected)) in zip(outputs, expected).enumerated() {
        let rest = expected.batches.dropFirst(5).map { $0.sorted() }
        #expect(output.batches.map { $0.sorted() } == rest, "\(number), \(partitions)")
      }
    }
  }
}
