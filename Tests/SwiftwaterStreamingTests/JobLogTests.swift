import Foundation
import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterRDD
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStore
@testable import SwiftwaterStreaming

/// A job whose log is there goes on over what it had, and does nothing twice.
@Suite struct JobLogTests {
  /// A folder of a log, and what the outputs of all lives have done.
  private final class Place {
    let path: String
    private(set) var effects: [(time: Int64, lines: [String])] = []

    init() throws {
      path =
        FileManager.default.temporaryDirectory
        .appendingPathComponent("job-log-\(UUID().uuidString)").path
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func folder() throws -> LogFolder {
      let descriptor = open(path, O_RDONLY | O_DIRECTORY)
      defer { close(descriptor) }
      return try LogFolder(descriptor: descriptor, path: path)
    }

    /// What is there now, as a process that ends at this moment would leave it.
    func copied() throws -> Place {
      let copy = try Place()
      for name in try names() {
        try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: "\(copy.path)/\(name)")
      }
      copy.effects = effects
      return copy
    }

    func names() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    var lines: [String] { effects.sorted { $0.time < $1.time }.flatMap(\.lines) }

    /// A life of the job: each element of `sent` comes in a batch of its own.
    ///
    /// - Parameters:
    ///   - last: of an earlier life; nil for the first one.
    ///   - now: when it begins.
    func live(
      _ sent: [[String]], after last: Int64? = nil, at now: Int64 = 0, stops: Bool = false,
      reaching: BatchTime? = nil, settings: [String: String] = [:],
      faults: (@Sendable (FileFaults.Operation) -> FileFaults.Fault?)? = nil
    ) throws -> Bench {
      let bench = try Bench(start: now, settings: settings)
      let output = try CollectingOutput(bench.lines().map(\.description))
      if let last {
        try bench.streaming.resume(
          zero: BatchTime(milliseconds: 0), last: BatchTime(milliseconds: last))
      }
      let folder = try folder()
      folder.faults.set(faults)
      try bench.streaming.keepLog(
        JobLog(
          in: folder, reaching: reaching, options: try JobLog.Options(bench.context.settings)))
      try bench.streaming.start()
      for lines in sent {
        bench.source.send(lines: lines)
        bench.advance(milliseconds: 1000)
      }
      if stops { bench.streaming.stop() }
      effects += zip(output.times, output.batches).map { ($0.milliseconds, $1) }
      return bench
    }
  }

  @Test("After a crash all that had come in is there, once")
  func crash() throws {
    let first = try Place()
    let bench = try first.live([["a", "b"], [], ["c"]])
    bench.source.send(lines: ["d"])
    // A block is closed, and no batch has it.
    bench.advance(milliseconds: 300)
    bench.source.send(lines: ["e"])
    let second = try first.copied()
    _ = try second.live([["f"]], after: 0, at: 3300)
    #expect(second.lines == ["a", "b", "c", "d", "e", "f"])
    #expect(second.effects.map(\.time) == [1000, 2000, 3000, 4000])
    // And again: what went to the fourth batch stays there.
    let third = try second.copied()
    _ = try third.live([["g"]], after: 0, at: 4000)
    #expect(third.lines == second.lines + ["g"])
  }

  @Test("What was taken in before a stop is the next life's")
  func stop() throws {
    let place = try Place()
    let bench = try place.live([["a"]])
    bench.source.send(lines: ["b", "c"])
    bench.streaming.stop()
    _ = try place.live([["d"]], after: 1000, at: 5000)
    #expect(place.lines == ["a", "b", "c", "d"])
    #expect(place.effects.map(\.time) == [1000, 2000, 3000, 4000, 5000, 6000])
  }

  @Test("A later life can go back behind what an earlier one went on from")
  func goesBack() throws {
    let first = try Place()
    _ = try first.live([["a"], ["b"]])
    let second = try first.copied()
    _ = try second.live([["c"]], after: 2000, at: 2000)
    // The checkpoint that the second one had is gone.
    let third = try second.copied()
    let bench = try third.live([["d"]], after: 0, at: 3000)
    #expect(third.effects.map(\.time) == [1000, 2000, 3000, 4000])
    #expect(third.lines == ["a", "b", "c", "d"])
    bench.streaming.forgetLogged(until: BatchTime(milliseconds: 3000))
  }

  @Test("A log that has lost what was on the disk says so", arguments: [false, true])
  func lostEnd(isCut: Bool) throws {
    let place = try Place()
    let bench = try place.live([["a"], ["b"]])
    let reached = bench.streaming.logReached
    #expect(reached == BatchTime(milliseconds: 2000))
    bench.streaming.stop()
    if isCut { #expect(truncate("\(place.path)/batches-1", 20) == 0) }
    let next = try place.live([["c"]], after: 2000, at: 3000, reaching: reached)
    #expect(next.log.events.contains { "\($0)".contains("has lost its end") } == isCut)
  }

  @Test("Files of blocks go when nothing needs them")
  func forgotten() throws {
    let place = try Place()
    let bench = try place.live(
      [["a"], ["b"], ["c"]],
      settings: ["spark.streaming.receiver.writeAheadLog.closeFileAfterWrite": "true"])
    #expect(try place.names() == ["batches-1", "blocks-1", "blocks-2", "blocks-3"])
    bench.streaming.forgetLogged(until: BatchTime(milliseconds: 2000))
    #expect(try place.names() == ["batches-1", "blocks-3"])
    let next = try place.copied()
    _ = try next.live([["d"]], after: 2000, at: 3000)
    #expect(next.lines == ["a", "b", "c", "d"])
  }

  @Test("Without blocks in the log batches are not repeated, and what came is gone with a crash")
  func withoutBlocks() throws {
    let first = try Place()
    let settings = ["spark.streaming.receiver.writeAheadLog.enable": "false"]
    let bench = try first.live([["a"], ["b"]], settings: settings)
    bench.source.send(lines: ["c"])
    #expect(try first.names() == ["batches-1"])
    let second = try first.copied()
    _ = try second.live([["d"]], after: 0, at: 2500, settings: settings)
    #expect(second.lines == ["a", "b", "d"])
  }

  @Test("A job that begins anew does not take what an earlier one has left, and says so")
  func anew() throws {
    let first = try Place()
    let bench = try first.live([["a"]])
    bench.source.send(lines: ["b"])
    bench.streaming.stop()
    let next = try first.live([["c"]], at: 3000)
    #expect(first.lines == ["a", "c"])
    let notices = next.log.events.compactMap { event -> String? in
      if case .notice(let notice) = event { notice.text } else { nil }
    }
    #expect(notices.contains { $0.hasPrefix("1 records in the log") })
    #expect(try first.names().filter { $0.hasPrefix("blocks") } == ["blocks-2"])
  }

  @Test("A fault of the disk, whenever it comes, costs no record, and is told")
  func faults() throws {
    let sent = [["a", "b"], ["c"], ["d", "e"]]
    for fault in [FileFaults.Fault.noSpace, .inputOutput, .short] {
      var met = true
      var number = 1
      while met {
        let left = Counted(number)
        let place = try Place()
        do {
          let bench = try place.live(
            sent,
            settings: [
              "spark.streaming.receiver.writeAheadLog.closeFileAfterWrite": "\(number % 2 == 0)"
            ]
          ) { _ in left.isNow() ? fault : nil }
          met = left.isOver
          #expect(place.lines == sent.flatMap { $0 }, "\(fault), operation \(number)")
          let isTold = bench.log.events.contains { event in
            if case .notice(let notice) = event { notice.level == .error } else { false }
          }
          #expect(isTold || !met, "\(fault), operation \(number)")
        } catch let error as EngineError {
          // The start says so, and the job is not there.
          #expect(error.description.contains("cannot be written"), "\(fault), operation \(number)")
          _ = try place.live(sent)
          #expect(place.lines == sent.flatMap { $0 }, "\(fault), operation \(number)")
        }
        let next = try place.copied()
        _ = try next.live([["f"]], after: 0, at: 3000)
        #expect(next.lines == sent.flatMap { $0 } + ["f"], "\(fault), operation \(number)")
        #expect(try next.names().allSatisfy { $0.hasPrefix("batches-") || $0.hasPrefix("blocks-") })
        number += 1
      }
      #expect(number > 10)
    }
  }

  /// Counts operations down.
  private final class Counted: Sendable {
    private let left: Mutex<Int>
    init(_ count: Int) { left = Mutex(count) }
    var isOver: Bool { left.withLock { $0 <= 0 } }

    func isNow() -> Bool {
      left.withLock { left in
        left -= 1
        return left == 0
      }
    }
  }

  @Test("A stop on a full disk says how many records the log could not take")
  func fullAtStop() throws {
    let place = try Place()
    let bench = try Bench()
    _ = try CollectingOutput(bench.lines().map(\.description))
    let folder = try place.folder()
    try bench.streaming.keepLog(JobLog(in: folder, options: .init()))
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    folder.faults.set { $0 == .write ? .noSpace : nil }
    bench.source.send(lines: ["b", "c"])
    bench.streaming.stop()
    let notices = bench.log.events.compactMap { event -> String? in
      if case .notice(let notice) = event { notice.text } else { nil }
    }
    #expect(notices.contains { $0.hasPrefix("2 records that were taken in are lost") })
    #expect(!notices.contains { $0.contains("are in the log") })
    #expect(bench.count(.recordsGivenUp) == 2)
  }

  @Test("A file of blocks whose end is refused by the disk is not gone on with")
  func refusedAtItsEnd() throws {
    let place = try Place()
    let folder = try place.folder()
    var blocks = BlockLog(
      folder, coder: nil, after: 90, segmentLength: 1, closesAfterWrite: true)
    folder.faults.set { $0 == .sync ? .inputOutput : nil }
    let id = BlockID(source: SourceName(kind: "lines", number: 1), run: 1, number: 0)
    var assembler = LineAssembler(blockSize: 1000, maxLineLength: 1000)
    Array("x\n".utf8).withUnsafeBytes { assembler.append($0) }
    let taken = assembler.takeBlock()
    let block = try #require(taken)
    #expect(throws: (any Error).self) { try blocks.append(id, block) }
    #expect(blocks.takenBackCount == 1)
    folder.faults.set(nil)
    try blocks.writeAgain()
    #expect(blocks.takenBackCount == 0)
    // Once in the file that the disk has refused, and once in the one behind it.
    #expect(try place.names().filter { $0.hasPrefix("blocks-9") } == ["blocks-91", "blocks-92"])
  }

  @Test("A disk that stays full stops the batches, and loses nothing")
  func full() throws {
    let isFull = Mutex(false)
    let place = try Place()
    let bench = try Bench()
    let output = try CollectingOutput(bench.lines().map(\.description))
    let folder = try place.folder()
    folder.faults.set { operation in isFull.withLock { $0 } && operation == .write ? .short : nil }
    try bench.streaming.keepLog(JobLog(in: folder, options: .init()))
    try bench.streaming.start()
    bench.source.send(lines: ["a"])
    bench.advance(milliseconds: 1000)
    isFull.withLock { $0 = true }
    bench.source.send(lines: ["b"])
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["a"]])
    isFull.withLock { $0 = false }
    bench.source.send(lines: ["c"])
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["a"], ["c"]])
    // The batch that could not run has its records in the log.
    let next = try place.copied()
    _ = try next.live([["d"]], after: 0, at: 3000)
    #expect(next.effects.map(\.lines) == [["b"], ["d"]])
  }
}
