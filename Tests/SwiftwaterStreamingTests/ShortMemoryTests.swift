import Foundation
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Testing

@testable import SwiftwaterStreaming

/// Tables that do not fit in memory, on a disk that fails now and then: whatever fails is done again.
///
/// Memory and disk are the process's: in a process of its own, which `scripts/test` starts.
@Suite(
  .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["SWIFTWATER_TEST_DISK"] == "failing"))
struct ShortMemoryTests {
  private func texts(_ stream: ColumnStream) throws -> CollectingOutput<String> {
    try CollectingOutput(stream.pairs(of: String.self, Int.self).map { "\($0.0)\($0.1)" })
  }

  private func shown<Value>(
    _ stream: DStream<(String, Value)>
  ) throws -> CollectingOutput<String> {
    try CollectingOutput(stream.map { "\($0.0)\($0.1)" })
  }

  @Test("Tables on a disk that fails are those in memory", arguments: UInt64(0)..<24)
  func faults(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let slide = Int.random(in: 1...3, using: &random)
    let length = slide * Int.random(in: 1...8, using: &random)
    let partitions = Int.random(in: 1...3, using: &random)
    let bench = try Bench()
    // The context has set it to what settings say.
    defer {
      SpillStore.shared.faults.fail(every: 0)
      SpillStore.shared.configure(limit: .max, folder: "/tmp")
    }
    let columns = try bench.lines().columns.map { $0.split(" ") }.map { [$0[0], $0[1].integer] }
    let values = try columns.pairs(of: String.self, Int.self)
    let window = (length: Duration.seconds(length), slide: Duration.seconds(slide))
    let ours = try [
      texts(
        columns.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions
        ) { Term.max($0, $1) }),
      texts(
        columns.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +, inverse: -)),
      texts(
        columns.updateStateByKey(partitions: partitions) { new, old in
          .choose(new.sum() == 9, .none, (old || 0) + new.sum())
        }),
      shown(
        columns.groupByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions
        ).pairs(of: String.self, [Int].self)),
    ]
    let theirs = try [
      shown(
        values.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions
        ) { max($0, $1) }),
      shown(
        values.reduceByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions, +, inverse: -)),
      shown(
        values.updateStateByKey(partitions: partitions) { (new: [Int], old: Int?) -> Int? in
          let sum = new.reduce(0, +)
          return sum == 9 ? nil : (old ?? 0) + sum
        }),
      shown(
        values.groupByKeyAndWindow(
          length: window.length, slide: window.slide, partitions: partitions)),
    ]
    let before = SpillStore.shared.faults.count
    try bench.streaming.start()
    for batch in 0..<80 {
      if Int.random(in: 0..<6, using: &random) == 0 {
        let isShort = Bool.random(using: &random)
        SpillStore.shared.configure(limit: isShort ? 1 : .max, folder: "/tmp")
      }
      let isCalm = batch > 60 || Bool.random(using: &random)
      SpillStore.shared.faults.fail(every: isCalm ? 0 : .random(in: 2...40, using: &random))
      let lines = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        let key = "a key with the number \(Int.random(in: 0...30, using: &random))"
          .replacing(" ", with: "-")
        return "\(key) \(Int.random(in: -9...9, using: &random))"
      }
      if !lines.isEmpty { bench.source.send(lines: lines) }
      bench.advance(milliseconds: 1000)
    }
    #expect(SpillStore.shared.faults.count > before)
    var compared = 0
    for (number, (ours, theirs)) in zip(ours, theirs).enumerated() {
      let known = Dictionary(uniqueKeysWithValues: zip(theirs.times, theirs.batches))
      for (time, batch) in zip(ours.times, ours.batches) {
        guard let expected = known[time] else { continue }
        #expect(batch.sorted() == expected.sorted(), "\(number): \(length) by \(slide)")
        compared += 1
      }
      #expect(ours.times.suffix(4) == theirs.times.suffix(4))
      #expect(ours.batches.contains { !$0.isEmpty })
    }
    #expect(compared > 80)
  }
}
