import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterCore
@testable import SwiftwaterKernels

/// Columns over memory that is not the engine's: every operation gives the same as over its own.
@Suite struct AdoptedColumnTests {
  /// Makes memory as another library would, and counts what has not come back.
  private final class Lender: Sendable {
    private let outstanding = Mutex(0)

    var lent: Int { outstanding.withLock { $0 } }

    /// - Parameter padding: bytes behind the values.
    func buffer<Element>(_ values: Buffer<Element>, padding: Int = 0) -> Buffer<Element> {
      let size = values.count * MemoryLayout<Element>.stride
      let address = UnsafeMutableRawPointer.allocate(byteCount: size + padding, alignment: 8)
      values.withUnsafeBytes {
        if size > 0 { address.copyMemory(from: $0.baseAddress!, byteCount: size) }
      }
      (address + size).initializeMemory(as: UInt8.self, repeating: 0xEE, count: padding)
      outstanding.withLock { $0 += 1 }
      let place = UInt(bitPattern: address)
      return Buffer(adopting: address, count: values.count) {
        UnsafeMutableRawPointer(bitPattern: place)!.deallocate()
        self.outstanding.withLock { $0 -= 1 }
      }
    }

    /// The bits behind `start` others.
    func bitmap(_ bits: Bitmap, from start: Int) -> Bitmap {
      let byteCount = (start + bits.count + 63) / 64 * 8
      var bytes = [UInt8](repeating: start == 0 ? 0 : 0x55, count: byteCount)
      for bit in 0..<bits.count {
        let (place, mask) = ((start + bit) / 8, UInt8(1) << UInt8((start + bit) % 8))
        bytes[place] = bits[bit] ? bytes[place] | mask : bytes[place] & ~mask
      }
      return Bitmap(buffer(Buffer(bytes)), from: start, count: bits.count)
    }

    func column(_ column: Column, _ random: inout SeededRandom) -> Column {
      switch column {
      case .none, .double: column
      case .bool(let bits): .bool(bitmap(bits, from: .random(in: 0...1, using: &random) * 13))
      case .integer(let values): .integer(buffer(values))
      case .text(let texts):
        .text(
          TextColumn(
            views: buffer(texts.views),
            buffers: texts.buffers.map { buffer($0, padding: TextBlock.padding) },
            isASCII: texts.isASCII))
      case .tuple(let items, let count):
        .tuple(items.map { self.column($0, &random) }, count: count)
      case .list(let lists):
        .list(ListColumn(offsets: buffer(lists.offsets), items: self.column(lists.items, &random)))
      case .optional(let validity, let values):
        .optional(
          validity: bitmap(validity, from: .random(in: 0...1, using: &random) * 21),
          self.column(values, &random))
      case .repeated(let value, let count): .repeated(self.column(value, &random), count: count)
      }
    }
  }

  /// No operation makes such columns, and those that expand do not take them.
  private func hasRepeatedRepetition(_ column: Column) -> Bool {
    switch column {
    case .tuple(let items, _): items.contains(where: hasRepeatedRepetition)
    case .list(let lists): hasRepeatedRepetition(lists.items)
    case .optional(_, let values): hasRepeatedRepetition(values)
    case .repeated(.repeated, _): true
    case .repeated(let value, _): hasRepeatedRepetition(value)
    default: false
    }
  }

  private func encoded(_ column: Column) -> [UInt8] {
    var bytes: [UInt8] = []
    column.encode(into: &bytes)
    return bytes
  }

  @Test("Each operation on columns gives the same over adopted memory, all of which goes back")
  func operations() throws {
    var random = SeededRandom()
    for _ in 0..<1000 {
      let count = Int.random(in: 1...130, using: &random)
      let own = Column.random(&random, count: count, depth: 3)
      if hasRepeatedRepetition(own) { continue }
      let plain = own.shownRows
      let lender = Lender()
      do {
        let adopted = lender.column(own, &random)
        let seed: Comment = "seed \(random.seed)"
        func expectSame(_ a: Column, _ b: Column) {
          #expect(a.type == b.type && a.shownRows == b.shownRows, seed)
        }
        #expect(adopted.shownRows == plain, seed)
        #expect(encoded(adopted) == encoded(own), seed)
        let places = (0..<50).map { _ in UInt32.random(in: 0..<UInt32(count), using: &random) }
        expectSame(adopted.gathered(places), own.gathered(places))
        let cut = Int.random(in: 0...count, using: &random)
        let parts = [adopted.sliced(0..<cut), own.sliced(cut..<count)]
        #expect(parts[0].shownRows == Array(plain[..<cut]), seed)
        #expect(parts[1].shownRows == Array(plain[cut...]), seed)
        expectSame(.concatenated(parts), own.expanded())
        expectSame(.concatenated([adopted, adopted]), .concatenated([own, own]))
        expectSame(adopted.expanded(), own.expanded())
        expectSame(adopted.compacted(), own)
        expectSame(parts[0].compactedForKeeping(), own.sliced(0..<cut))
        if let wider = ColumnType.union(own.type, .none) {
          expectSame(adopted.widened(to: wider), own.widened(to: wider))
        }
        let choice = Bitmap(count: count) { _ in Bool.random(using: &random) }
        expectSame(
          .merged(choice, adopted.gathered(choice.indices()), own.gathered((~choice).indices())),
          own.expanded())
        #expect(adopted.sortedRows(ascending: true) == own.sortedRows(ascending: true), seed)
        expectSame(
          adopted.keys().map { .text($0) } ?? .none(count: 0),
          own.keys().map { .text($0) } ?? .none(count: 0))
        if own.type.isHashable {
          #expect(
            (0..<count).map { adopted.portableHash($0) }
              == (0..<count).map { own.portableHash($0) },
            seed)
        }
      }
      #expect(lender.lent == 0, "seed \(random.seed)")
    }
  }

  @Test("A program, sums by key and a join give the same over adopted memory")
  func kernels() throws {
    var random = SeededRandom()
    let type = ColumnType.tuple([.text, .integer])
    let program = try Program(inputType: type)
      .appending(.filter) { $0[1] % 3 != 0 }
      .appending(.flatMap) { $0[0].split(" ") }
      .appending(.map) { [$0.lowercased(), 1] }
    let merge = try Merge(of: .integer) { $0 + $1 }
    for _ in 0..<200 {
      let count = Int.random(in: 1...200, using: &random)
      var builder = TextBuilder()
      for _ in 0..<count {
        let words = ["A", "b", "longer than twelve", ""].shuffled(using: &random)
        let text = Array(
          words.prefix(.random(in: 1...4, using: &random)).joined(separator: " ").utf8)
        text.withUnsafeBytes { builder.append($0, isASCII: true) }
      }
      let numbers = (0..<count).map { _ in Int64.random(in: 0...20, using: &random) }
      let own = Column.tuple([.text(builder.finish()), .integer(Buffer(numbers))], count: count)
      let lender = Lender()
      do {
        let adopted = lender.column(own, &random)
        let results = [adopted, own].map { program.run($0).column }
        #expect(results[0].shownRows == results[1].shownRows, "seed \(random.seed)")
        let sums = try [adopted, own].map { column in
          let sums = try #require(KeyedColumns(type, merge))
          #expect(sums.add(column))
          return sums.pairs().shownRows
        }
        #expect(sums[0] == sums[1], "seed \(random.seed)")
        var joins = try [(adopted, own), (own, own)].map {
          try #require(HashJoin(.inner, $0.0, $0.1))
        }
        #expect(
          joins[0].next(5000)?.shownRows == joins[1].next(5000)?.shownRows, "seed \(random.seed)")
      }
      #expect(lender.lent == 0, "seed \(random.seed)")
    }
  }
}
