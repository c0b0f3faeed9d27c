import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Testing

@testable import SwiftwaterStreaming

@Suite struct TimeToLiveTests {
  private struct Model {
    let timeToLive: Int
    /// Nil for a state: the length of a window.
    let length: Int?
    var values: [String: Int] = [:]
    var latest: [String: Int] = [:]

    /// - Parameter batches: of each second until now, the first one's at 0.
    mutating func go(on batches: [[(String, Int)]]) -> [String] {
      let now = batches.count
      for (key, _) in batches[now - 1] { latest[key] = now }
      for key in Array(values.keys) {
        let idle = now - (latest[key] ?? 0)
        if idle > timeToLive, idle >= length ?? 0 { values[key] = nil }
      }
      if let length, now > length {
        for (key, value) in batches[now - length - 1] where values[key] != nil {
          values[key, default: 0] -= value
        }
      }
      for (key, value) in batches[now - 1] { values[key, default: 0] += value }
      return values.map { "\($0.key)\($0.value)" }.sorted()
    }
  }

  @Test("Keys go when they had no new values for too long", arguments: UInt64(0)..<30)
  func models(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let seconds = Int.random(in: 1...8, using: &random)
    let timeToLive = Duration.seconds(seconds)
    let partitions = Int.random(in: 1...3, using: &random)
    // Closures, and terms: in columns.
    let bench = try Bench()
    let columns = try bench.lines().columns.map { $0.split(" ") }.map { [$0[0], $0[1].integer] }
    let values = try columns.pairs(of: String.self, Int.self)
    func shown(_ stream: DStream<(String, Int)>) throws -> CollectingOutput<String> {
      try CollectingOutput(stream.map { "\($0.0)\($0.1)" })
    }
    let states = try [
      shown(
        values.updateStateByKey(partitions: partitions, timeToLive: timeToLive) {
          (new: [Int], old: Int?) in new.reduce(old ?? 0, +)
        }),
      shown(
        columns.updateStateByKey(partitions: partitions, timeToLive: timeToLive) { new, old in
          (old || 0) + new.sum()
        }.pairs(of: String.self, Int.self)),
    ]
    let windows = try [
      shown(
        values.reduceByKeyAndWindow(
          length: .seconds(5), partitions: partitions, +, inverse: -, timeToLive: timeToLive)),
      shown(
        columns.reduceByKeyAndWindow(
          length: .seconds(5), partitions: partitions, +, inverse: -, timeToLive: timeToLive
        ).pairs(of: String.self, Int.self)),
    ]
    try bench.streaming.start()
    var state = Model(timeToLive: seconds, length: nil)
    var window = Model(timeToLive: seconds, length: 5)
    var batches: [[(String, Int)]] = []
    for _ in 0..<60 {
      let count = Int.random(in: -3...3, using: &random)
      let keys = Set((0..<max(count, 0)).map { _ in "k\(Int.random(in: 0...7, using: &random))-" })
      batches.append(keys.map { ($0, Int.random(in: -9...9, using: &random)) })
      if count > 0 {
        bench.source.send(lines: batches[batches.count - 1].map { "\($0.0) \($0.1)" })
      }
      bench.advance(milliseconds: 1000)
      let expected = (state.go(on: batches), window.go(on: batches))
      for output in states {
        #expect((output.batches.last ?? []).sorted() == expected.0, "seed \(seed)")
      }
      for output in windows {
        #expect((output.batches.last ?? []).sorted() == expected.1, "seed \(seed)")
      }
    }
    #expect(states.allSatisfy { $0.batches.count >= 50 })
  }

  @Test("The setting counts where nothing is said, and zero lets keys stay")
  func settings() throws {
    let bench = try Bench(settings: ["swiftwater.state.timeToLive": "1500"])
    let pairs = try bench.lines().map { ($0.description, 1) }
    let total: @Sendable ([Int], Int?) -> Int? = { new, old in new.reduce(old ?? 0, +) }
    let short = try CollectingOutput(pairs.updateStateByKey(total).map(\.0))
    let staying = try CollectingOutput(
      pairs.updateStateByKey(timeToLive: .zero, total).map(\.0))
    let length = Duration.seconds(5)
    let counts = try CollectingOutput(pairs.countByWindow(length: length))
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    for _ in 0..<8 { bench.advance(milliseconds: 1000) }
    #expect(short.batches == [["a"], ["a"]] + Array(repeating: [], count: 6))
    #expect(staying.batches == Array(repeating: ["a"], count: 8))
    #expect(counts.batches.last == [0])
  }

  @Test(
    "A time to live is at least a millisecond",
    arguments: [.seconds(-1), .microseconds(500), .seconds(4_000_000_000)] as [Duration])
  func refusals(timeToLive: Duration) throws {
    let pairs = try Bench().lines().map { ($0.description, 1) }
    #expect(throws: EngineError.self) {
      try pairs.updateStateByKey(timeToLive: timeToLive) { (new: [Int], old: Int?) in old }
    }
    #expect(throws: EngineError.self) {
      try Bench(settings: ["swiftwater.state.timeToLive": "never"])
    }
  }
}
