import CKernels
import Foundation
import SwiftwaterTesting
import Testing

@testable import SwiftwaterCore
@testable import SwiftwaterStore

/// A new folder that a test writes a log into.
func withLogFolder<R>(_ body: (LogFolder, String) throws -> R) throws -> R {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("log-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(
    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  defer { try? FileManager.default.removeItem(atPath: path) }
  let descriptor = open(path, O_RDONLY | O_DIRECTORY)
  defer { close(descriptor) }
  return try body(try LogFolder(descriptor: descriptor, path: path), path)
}

@Suite struct LogFileTests {
  private func written(_ contents: [[UInt8]]) throws -> [UInt8] {
    try withLogFolder { folder, path in
      let file = try LogFile("log-1", in: folder)
      for content in contents { try file.append(content) }
      try file.sync()
      return Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/log-1")))
    }
  }

  private func read(_ bytes: [UInt8], as name: String = "log-1") -> (LogContents, [[UInt8]]) {
    let reader = LogReader(bytes: bytes)
    let contents = reader.contents(named: name)
    return (contents, contents.frames.map { Array(bytes[$0]) })
  }

  private static let contents: [[UInt8]] = [
    [], [1], Array("SFRM".utf8), Array(repeating: 7, count: 5000), [0, 0, 0, 0, 0, 0, 0, 0],
  ]

  @Test("What was appended is there, in its order")
  func roundTrip() throws {
    let (contents, frames) = read(try written(Self.contents))
    #expect(frames == Self.contents)
    #expect(!contents.isCut && !contents.isForeign && contents.damaged == 0)
  }

  @Test("A file in the place of another is noticed")
  func exchanged() throws {
    #expect(read(try written([[1]]), as: "log-2").0.isForeign)
    #expect(read(Array("something else".utf8)).0.isForeign)
  }

  @Test("Of a file that was cut anywhere all whole frames are there")
  func cut() throws {
    let bytes = try written(Self.contents)
    for length in stride(from: 0, to: bytes.count, by: 7) {
      let (contents, frames) = read(Array(bytes[..<length]))
      #expect(frames == Array(Self.contents.prefix(frames.count)))
      #expect(!contents.isForeign && contents.damaged == 0)
    }
  }

  @Test("A changed byte costs its frame and no other, and is seen")
  func changed() throws {
    let bytes = try written(Self.contents)
    var random = SeededRandom()
    let seed = random.seed
    for _ in 0..<400 {
      var damaged = bytes
      let place = Int(random.next() % UInt64(bytes.count))
      damaged[place] ^= UInt8(1 << (random.next() % 8))
      let (contents, frames) = read(damaged)
      #expect(
        contents.isForeign || contents.isCut || contents.damaged > 0, "byte \(place), seed \(seed)")
      #expect(
        contents.isForeign || frames.count >= Self.contents.count - 1, "byte \(place), seed \(seed)"
      )
      #expect(frames.allSatisfy(Self.contents.contains), "byte \(place), seed \(seed)")
    }
  }

  @Test("Checksums are those of CRC-32C, with instructions and without")
  func checksums() {
    // RFC 3720, appendix B.4.
    for (bytes, sum) in [
      (Array(repeating: 0, count: 32), 0x8A91_36AA),
      (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
      (Array(0..<32), 0x46DD_794E), (Array("123456789".utf8), 0xE306_9283),
    ] as [([UInt8], UInt32)] {
      for isPlain in [false, true] {
        sw_stay_plain(isPlain ? 1 : 0)
        defer { sw_stay_plain(0) }
        #expect(sw_crc32c(0, bytes, bytes.count) == sum)
      }
    }
  }
}

@Suite struct JobEventTests {
  private static let source = SourceName(kind: "lines", number: 1)
  private static let files = SourceName(kind: "textFileStream", number: 2)
  private static let output = OutputName(kind: "pprint", number: 1)

  private func time(_ milliseconds: Int64) -> BatchTime { BatchTime(milliseconds: milliseconds) }

  private func blocks(_ numbers: Range<Int>, run: Int64 = 5) -> BatchInput {
    .blocks(numbers.map { BlockID(source: Self.source, run: run, number: $0) })
  }

  private var events: [JobEvent] {
    let range = SourceRange([
      SourceSplit(name: [47, 97], offsets: 3..<9), SourceSplit(name: [0xFF]),
    ])
    return [
      .began, .adopted(time(1000), [blocks(0..<1, run: 4)]),
      .planned(
        PlannedBatch(
          time: time(1000), outputs: [Self.output], inputs: [.restored(Self.source), blocks(0..<2)])
      ),
      .committed(time(1000), Self.output), .ended(time(1000), failed: []),
      .planned(
        PlannedBatch(
          time: time(2000), outputs: [Self.output],
          inputs: [blocks(2..<3), .range(Self.files, range)],
          late: [.init(time: time(1000), input: .range(Self.files, SourceRange([])))])),
      .ended(time(2000), failed: [Self.output]), .forgotten(until: time(1000)),
    ]
  }

  @Test("Every event can be read again, also as what a file begins with")
  func bytes() throws {
    var job = LoggedJob()
    for event in events {
      #expect(try JobEvent(bytes: event.bytes) == event)
      job.apply(event)
      #expect(try JobEvent(bytes: JobEvent.continued(job).bytes) == .continued(job))
    }
  }

  @Test("A log says what is to run again, over which input")
  func fold() {
    var job = LoggedJob()
    for event in events { job.apply(event) }
    #expect(job.batches.keys.sorted() == [time(2000)])
    #expect(job.batches[time(2000)]?.committed == [])
    #expect(job.batches[time(2000)]?.inputs.count == 2)
    #expect(job.taken.values.sorted() == [1, 3])
  }

  @Test("A batch that is planned again keeps what it had, and reads nothing twice")
  func plannedAgain() {
    var job = LoggedJob()
    for event in events.dropLast() { job.apply(event) }
    let before = job
    for event in events.dropFirst().dropLast() { job.apply(event) }
    #expect(job == before)
  }

  @Test("Bytes of anything else are refused, and nothing is read behind the end")
  func hostile() throws {
    var random = SeededRandom()
    for event in events + [.continued(LoggedJob())] {
      let bytes = event.bytes
      for length in 0..<bytes.count {
        #expect(throws: EngineError.self) { try JobEvent(bytes: Array(bytes[..<length])) }
      }
      for _ in 0..<200 {
        var changed = bytes
        changed[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        // Whatever it says now: it ends.
        _ = try? JobEvent(bytes: changed)
      }
    }
  }
}
