import Testing

@testable import SwiftwaterCore

@Suite struct PlannedBatchTests {
  private static let socket = SourceName(kind: "socketTextStream", number: 1)
  private static let files = SourceName(kind: "textFileStream", number: 300)

  private static func block(_ number: Int, run: Int64 = 1_893_456_000_000) -> BlockID {
    BlockID(source: socket, run: run, number: number)
  }

  private static let batches: [PlannedBatch] = [
    PlannedBatch(time: BatchTime(milliseconds: 0), outputs: [], inputs: []),
    PlannedBatch(
      time: BatchTime(milliseconds: -1), outputs: [OutputName(kind: "pprint", number: 1)],
      inputs: [.restored(socket), .blocks([block(0), block(1), block(.max, run: .min)])]),
    PlannedBatch(
      time: BatchTime(milliseconds: .max), outputs: [OutputName("Übersicht"), OutputName("")],
      inputs: [
        .blocks([block(7)], upTo: SourcePosition(bytes: [0, 255, 128])),
        .blocks([block(8)], upTo: SourcePosition(bytes: [])),
        .range(
          files,
          SourceRange([
            SourceSplit(name: Array("/in/caf".utf8) + [0xE9]),
            SourceSplit(name: [], offsets: 0..<0),
            SourceSplit(name: [1], offsets: 127..<(1 << 40)),
          ])),
      ],
      late: [
        .init(
          time: BatchTime(milliseconds: 1000),
          input: .range(files, SourceRange([SourceSplit(name: [2])])))
      ]),
  ]

  @Test("What was written down is read as it was", arguments: batches)
  func roundTrip(batch: PlannedBatch) throws {
    #expect(try PlannedBatch(bytes: batch.bytes) == batch)
  }

  @Test("The form is the one that earlier runs have written")
  func form() throws {
    let batch = PlannedBatch(
      time: BatchTime(milliseconds: 300), outputs: [OutputName("a")],
      inputs: [
        .blocks(
          [BlockID(source: SourceName(kind: "s", number: 2), run: -1, number: 3)],
          upTo: SourcePosition(bytes: [9])),
        .range(
          SourceName(kind: "f", number: 1), SourceRange([SourceSplit(name: [5], offsets: 1..<2)])),
      ],
      late: [.init(time: BatchTime(milliseconds: 1), input: .restored(.init(kind: "", number: 0)))])
    let bytes: [UInt8] = [
      1, 0xD8, 0x04, 1, 1, 97, 2, 0, 1, 115, 4, 1, 1, 6, 1, 1, 9, 1, 1, 102, 2, 1, 1, 5, 1, 2, 4, 1,
      2, 2, 0, 0,
    ]
    #expect(batch.bytes == bytes)
    #expect(try PlannedBatch(bytes: bytes) == batch)
  }

  @Test("A later version is refused by its number")
  func version() throws {
    var bytes = Self.batches[1].bytes
    bytes[0] = 2
    let error = #expect(throws: EngineError.self) { try PlannedBatch(bytes: bytes) }
    #expect(
      error?.message
        == "a planned batch is in version 2 of its form: this program reads version 1")
  }

  @Test("What is not whole is refused, and nothing else happens", arguments: batches)
  func damaged(batch: PlannedBatch) {
    let bytes = batch.bytes
    for count in bytes.indices {
      #expect(throws: EngineError.self) { try PlannedBatch(bytes: Array(bytes[..<count])) }
    }
    #expect(throws: EngineError.self) { try PlannedBatch(bytes: bytes + [0]) }
    // Any byte may be wrong: it is read as another batch then, or refused.
    for (place, byte) in bytes.enumerated() {
      for wrong in 0...UInt8.max where wrong != byte {
        var changed = bytes
        changed[place] = wrong
        guard let read = try? PlannedBatch(bytes: changed) else { continue }
        #expect((try? PlannedBatch(bytes: read.bytes)) == read)
      }
    }
  }

  @Test("A batch of an output is one text")
  func identity() {
    let identity = BatchIdentity(
      application: "orders", time: BatchTime(milliseconds: 1000),
      output: OutputName(kind: "pprint", number: 2))
    #expect(identity.description == "orders/pprint-2/1000")
    #expect(OutputName("pprint-2") == identity.output)
  }
}
