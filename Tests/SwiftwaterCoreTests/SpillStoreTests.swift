import Testing

@testable import SwiftwaterCore

@Suite struct SpillStoreTests {
  @Test("Bytes come back as they were, from several files too")
  func roundTrip() throws {
    let store = SpillStore()
    store.configure(limit: 1, folder: temporaryFolder())
    var parts: [(bytes: [UInt8], spilled: SpilledBytes)] = []
    for number in 0..<40 {
      let bytes = [UInt8](repeating: UInt8(number), count: number % 7 == 0 ? 5 << 20 : number)
      parts.append((bytes, try bytes.withUnsafeBytes { try store.write($0) }))
    }
    for part in parts { #expect(try part.spilled.read() == part.bytes) }
    #expect(store.writtenBytes == parts.reduce(0) { $0 + $1.bytes.count })
  }

  @Test("Below the limit nothing is spilled, above it everything")
  func limit() {
    let store = SpillStore()
    #expect(!store.isOverLimit(adding: 10_000))
    store.configure(limit: 1, folder: temporaryFolder())
    #expect(store.isOverLimit(adding: 1))
    store.configure(limit: 1 << 50, folder: temporaryFolder())
    #expect(!store.isOverLimit(adding: 1))
  }

  @Test("Large parts that nobody needs any more give their room back, though others stay")
  func givesBack() throws {
    let file = try AnonymousFile(in: temporaryFolder())
    let bytes = [UInt8](repeating: 7, count: 4 << 20)
    try bytes.withUnsafeBytes { try file.write($0, at: 100) }
    let full = file.occupiedBytes
    file.giveBack(1 << 20, at: 100 + (1 << 20))
    #expect(file.occupiedBytes <= full - (1 << 20) + 8192)
    var around = [UInt8](repeating: 0, count: 1000)
    for place in [100 + (1 << 20) - 1000, 100 + (2 << 20)] {
      try around.withUnsafeMutableBytes { try file.read(into: $0, at: place) }
      #expect(around.allSatisfy { $0 == 7 })
    }
    file.giveBack(100, at: 5)
    file.giveBack(0, at: 0)
  }

  @Test("A folder that is not there is named")
  func noFolder() {
    let store = SpillStore()
    store.configure(limit: 1, folder: "/nowhere/at/all")
    #expect {
      _ = try [1, 2, 3].withUnsafeBytes { try store.write($0) }
    } throws: { error in
      "\(error)".contains("/nowhere/at/all") && "\(error)".contains("spark.local.dir")
    }
  }
}
