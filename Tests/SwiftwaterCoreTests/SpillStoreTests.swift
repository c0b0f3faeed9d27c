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

  @Test("Small parts give their room back when none around them is left, though others stay")
  func smallParts() throws {
    let file = try SpillFile(in: temporaryFolder())
    let piece = SpillFile.pieceLength
    let bytes = [UInt8](repeating: 7, count: 20_000)
    func append() throws -> SpilledPart { try bytes.withUnsafeBytes { try file.append($0) } }
    // One in fifty stays.
    var kept: [SpilledPart] = []
    for number in 0..<1000 {
      let part = try append()
      if number % 50 == 0 { kept.append(part) }
    }
    #expect(file.length == 20_000_000)
    #expect(file.descriptor.occupiedBytes <= kept.count * 2 * (piece + 20_000))
    var read = [UInt8](repeating: 0, count: 20_000)
    for part in kept {
      try read.withUnsafeMutableBytes { try file.descriptor.read(into: $0, at: part.offset) }
      #expect(read == bytes)
    }
    kept = try [append()]
    #expect(file.descriptor.occupiedBytes <= 2 * (piece + 20_000))
    let empty = try [UInt8]().withUnsafeBytes { try file.append($0) }
    #expect(empty.count == 0)
  }

  @Test("Parts that come and go as they like leave no room behind, and stay what they are")
  func partsByChance() throws {
    var random = SystemRandomNumberGenerator()
    let file = try SpillFile(in: temporaryFolder())
    var parts: [(byte: UInt8, part: SpilledPart)] = []
    for step in 0..<600 {
      let byte = UInt8(truncatingIfNeeded: step)
      let count = Int.random(in: 0..<[100, 70_000, 300_000][step % 3], using: &random)
      let bytes = [UInt8](repeating: byte, count: count)
      parts.append((byte, try bytes.withUnsafeBytes { try file.append($0) }))
      while parts.count > 5, Bool.random(using: &random) {
        parts.remove(at: Int.random(in: parts.indices, using: &random))
      }
    }
    for (byte, part) in parts {
      var read = [UInt8](repeating: byte &+ 1, count: part.count)
      try read.withUnsafeMutableBytes { try file.descriptor.read(into: $0, at: part.offset) }
      #expect(read.allSatisfy { $0 == byte })
    }
    let held = parts.reduce(0) { $0 + $1.part.count + 2 * SpillFile.pieceLength }
    #expect(file.descriptor.occupiedBytes <= held + SpillFile.pieceLength)
  }

  @Test("What was written of a part that finds no room is given back")
  func noRoom() throws {
    let file = try SpillFile(in: temporaryFolder())
    let bytes = [UInt8](repeating: 7, count: 1 << 20)
    let first = try bytes.withUnsafeBytes { try file.append($0) }
    try bytes.withUnsafeBytes { try file.descriptor.write($0, at: first.count) }
    file.descriptor.cut(to: first.count)
    #expect(file.descriptor.occupiedBytes <= (1 << 20) + 8192)
    let second = try bytes.withUnsafeBytes { try file.append($0) }
    #expect(second.offset == first.count)
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
