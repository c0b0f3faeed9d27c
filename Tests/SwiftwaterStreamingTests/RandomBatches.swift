import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization

@testable import SwiftwaterStreaming

/// Pairs that came in batches a second apart, from a seed: bursts, empty batches, gaps in which the
/// stream has no RDD, keys that stay away for long and come back. And what windows and states over
/// them have, recomputed from all records.
struct RandomBatches {
  typealias Pair = (key: String, value: String)

  /// Nil where the stream has no RDD.
  let batches: [[Pair]?]

  init(_ count: Int, _ random: inout SeededRandom) {
    var batches: [[Pair]?] = []
    var number = 0
    while batches.count < count {
      // A stretch with few keys of its own, so that others stay away.
      let keys = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        "k\(Int.random(in: 0..<12, using: &random))"
      }
      let kind = Int.random(in: 0..<6, using: &random)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        switch kind {
        case 0: batches.append([])
        case 1: batches.append(nil)
        default:
          let records = kind == 2 ? 20 : Int.random(in: 0...4, using: &random)
          batches.append(
            (0..<records).map { _ in
              number += 1
              return (keys.randomElement(using: &random)!, "\(number) ")
            })
        }
      }
    }
    self.batches = Array(batches.prefix(count))
  }

  /// The stream, whose batch `n` is at `n` seconds from 1 on.
  func stream(_ bench: Bench) throws -> DStream<(String, String)> {
    let batches = batches
    let clock = try bench.lines().node
    let node = try bench.streaming.addNode(name: "random", parents: [clock]) { generation in
      let number = Int(generation.time.milliseconds / 1000) - 1
      guard number < batches.count else { return .empty(generation.context) }
      return batches[number].map { batch in
        generation.context.parallelize(batch.map { ($0.key, $0.value) }, slices: 2).node
      }
    }
    return DStream(node, in: bench.streaming)
  }

  /// The records of the batches behind `start` and up to `end`, which are numbers from 1 on.
  func records(after start: Int, through end: Int) -> [Pair] {
    (max(start, 0)..<max(min(end, batches.count), max(start, 0))).flatMap { batches[$0] ?? [] }
  }

  /// The values of each key in a window of `length` batches, in their order; the keys as they first come.
  func window(_ length: Int, at end: Int) -> [(String, [String])] {
    var keys: [String] = []
    var values: [String: [String]] = [:]
    for (key, value) in records(after: end - length, through: end) {
      if values[key] == nil { keys.append(key) }
      values[key, default: []].append(value)
    }
    return keys.map { ($0, values[$0]!) }
  }

  /// The new values of each key of a batch.
  func values(at batch: Int) -> [String: [String]] {
    Dictionary(uniqueKeysWithValues: window(1, at: batch))
  }
}

/// Throws once, at some call.
final class FailingCall: Sendable {
  private let left: Mutex<Int>

  /// - Parameter calls: so many are well first.
  init(after calls: Int) { left = Mutex(calls) }

  var hasFailed: Bool { left.withLock { $0 < 0 } }

  func check() throws {
    let fails = left.withLock { left in
      defer { if left >= 0 { left -= 1 } }
      return left == 0
    }
    if fails { throw EngineError.illegalState("once") }
  }
}

/// Keeps the RDDs of a stream beyond their batches.
final class KeptRDDs<Element: Sendable>: Sendable {
  private let kept = Mutex<[(second: Int, rdd: RDD<Element>)]>([])

  init(_ stream: DStream<Element>) throws {
    try stream.foreachRDD { rdd, time in
      self.kept.withLock { $0.append((Int(time.milliseconds / 1000), rdd)) }
    }
  }

  var count: Int { kept.withLock { $0.count } }

  /// Takes away one that is kept.
  func removeRandom(_ random: inout SeededRandom) -> (second: Int, rdd: RDD<Element>)? {
    kept.withLock { kept in
      guard !kept.isEmpty else { return nil }
      return kept.remove(at: Int.random(in: kept.indices, using: &random))
    }
  }

  func removeAll() -> [(second: Int, rdd: RDD<Element>)] {
    kept.withLock { kept in
      defer { kept = [] }
      return kept
    }
  }
}
