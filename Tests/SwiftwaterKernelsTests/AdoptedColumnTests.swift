import Glibc
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterCore
@testable import SwiftwaterKernels

/// Columns over memory that is not the engine's: every operation gives the same as over its own.
@Suite struct AdoptedColumnTests {
  /// Makes memory that nobody can write to, nor read beyond its end, and counts what has not come
  /// back. What comes back twice, or is used afterwards, ends the test.
  private final class Lender: Sendable {
    private let outstanding = Mutex(Set<UInt>())

    var lent: Int { outstanding.withLock { $0.count } }

    /// - Parameter padding: bytes behind the values.
    func buffer<Element>(_ values: Buffer<Element>, padding: Int = 0) -> Buffer<Element> {
      let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
      let size = values.count * MemoryLayout<Element>.stride
      let pages = (size + padding + pageSize - 1) / pageSize * pageSize
      let start = mmap(
        nil, pages + pageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
      precondition(start != MAP_FAILED)
      // The last byte is the last of a page.
      let address = start + (pages - size - padding)
      values.withUnsafeBytes {
        if size > 0 { address.copyMemory(from: $0.baseAddress!, byteCount: size) }
      }
      (address + size).initializeMemory(as: UInt8.self, repeating: 0xEE, count: padding)
      precondition(pages == 0 || mprotect(start, pages, PROT_READ) == 0)
      precondition(mprotect(start + pages, pageSize, PROT_NONE) == 0)
      let place = UInt(bitPattern: start)
      outstanding.withLock { _ = $0.insert(place) }
      return Buffer(adopting: address, count: values.count) {
        self.outstanding.withLock { outstanding in
          precondition(outstanding.remove(place) != nil, "given back twice")
          munmap(UnsafeMutableRawPointer(bitPattern: place), pages + pageSize)
        }
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
      case .none: column
      case .bool(let bits): .bool(bitmap(bits, from: .random(in: 0...1, using: &random) * 13))
      case .integer(let values): .integer(buffer(values))
      case .double(let values): .double(buffer(values))
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
    let type = ColumnType.tuple([.text, .integer, .double])
    let words = try Program(inputType: type)
      .appending(.filter) { $0[1] % 3 != 0 }
      .appending(.flatMap) { $0[0].split(" ") }
      .appending(.map) { [$0.lowercased(), 1] }
    let numbers = try Program(inputType: type)
      .appending(.map) { [$0[0], $0[2] / 4.0 + $0[1], Term.max($0[2], 0.0), 1.0 - $0[2]] }
      .appending(.filter) { $0[1] < $0[2] }
    let merges = [
      try Merge(of: .integer) { $0 + $1 }, try Merge(of: .integer) { Term.min($0, $1) },
      try Merge(of: .double) { $0 + $1 }, try Merge(of: .double) { Term.max($0, $1) },
    ]
    for _ in 0..<200 {
      let count = Int.random(in: 1...200, using: &random)
      var builder = TextBuilder()
      for _ in 0..<count {
        let words = ["A", "b", "longer than twelve", ""].shuffled(using: &random)
        let text = Array(
          words.prefix(.random(in: 1...4, using: &random)).joined(separator: " ").utf8)
        text.withUnsafeBytes { builder.append($0, isASCII: true) }
      }
      let integers = (0..<count).map { _ in Int64.random(in: 0...20, using: &random) }
      let doubles = (0..<count).map { _ in
        Bool.random(using: &random) ? -0.0 : Double.random(in: -9...9, using: &random)
      }
      let texts = Column.text(builder.finish())
      let own = Column.tuple(
        [texts, .integer(Buffer(integers)), .double(Buffer(doubles))], count: count)
      let lender = Lender()
      do {
        let adopted = lender.column(own, &random)
        for program in [words, numbers] {
          let results = [adopted, own].map { program.run($0).column }
          #expect(results[0].shownRows == results[1].shownRows, "seed \(random.seed)")
        }
        let pairs = [1, 2].map { place in
          [adopted, own].map { column in
            Column.tuple([column.tupleItems[0], column.tupleItems[place]], count: count)
          }
        }
        for (pairs, merges) in zip(pairs, [merges.prefix(2), merges.suffix(2)]) {
          for merge in merges {
            let combined = try pairs.map { column in
              let combined = try #require(KeyedColumns(column.type, merge))
              #expect(combined.add(column))
              return combined.pairs().shownRows
            }
            #expect(combined[0] == combined[1], "seed \(random.seed)")
          }
          var joins = try [(pairs[0], pairs[1]), (pairs[1], pairs[1])].map {
            try #require(HashJoin(.inner, $0.0, $0.1))
          }
          #expect(
            joins[0].next(5000)?.shownRows == joins[1].next(5000)?.shownRows,
            "seed \(random.seed)")
        }
      }
      #expect(lender.lent == 0, "seed \(random.seed)")
    }
  }

  private static func texts(_ texts: [String]) -> Column {
    var builder = TextBuilder()
    for text in texts {
      Array(text.utf8).withUnsafeBytes { builder.append($0, isASCII: true) }
    }
    return .text(builder.finish())
  }

  private static let integers = Column.integer(Buffer((0..<128).map { Int64($0) }))
  private static let doubles = Column.double(Buffer((0..<128).map { Double($0) / 4 }))
  private static let long = texts((0..<128).map { "more than twelve bytes: \($0)" })
  private static let bits = Bitmap(count: 128) { $0 % 3 == 0 }

  /// A column of each form, and whether a slice of it, and some rows of it, are in its memory.
  private static let forms: [(name: String, column: Column, slice: Bool, rows: Bool)] = [
    ("None", .none(count: 128), false, false),
    ("bool", .bool(bits), false, false),
    ("int", integers, true, false),
    ("float", doubles, true, false),
    ("short text", texts((0..<128).map { "\($0)" }), true, false),
    ("long text", long, true, true),
    ("tuple", .tuple([integers, long, doubles], count: 128), true, true),
    ("tuple of nothing", .tuple([], count: 128), false, false),
    (
      "list", .list(ListColumn(offsets: Buffer((0...128).map { UInt32($0) }), items: doubles)),
      true, false
    ),
    (
      "list of text", .list(ListColumn(offsets: Buffer((0...128).map { UInt32($0) }), items: long)),
      true, true
    ),
    ("optional", .optional(validity: bits, doubles), true, false),
    ("optional text", .optional(validity: bits, long), true, true),
    ("repeated", .repeated(.double([0.5]), count: 128), true, true),
  ]

  @Test(
    "Slices, and rows of each form, hold on to adopted memory until the last thread lets go of them",
    arguments: forms.indices)
  func holding(form: Int) async {
    let (name, own, slice, rows) = Self.forms[form]
    let places: [UInt32] = [5, 3, 127, 3]
    var random = SeededRandom()
    for _ in 0..<20 {
      let lender = Lender()
      var adopted: Column? = lender.column(own, &random)
      #expect(lender.lent == 0 || own.type != .none)
      var parts = [adopted!.sliced(64..<128)]
      let picked = adopted!.gathered(places)
      adopted = nil
      #expect((lender.lent > 0) == (slice || rows), "\(name)")
      parts.append(parts[0].sliced(0..<10))
      parts.append(.concatenated([parts[1], parts[1]]))
      await withTaskGroup(of: [String].self) { group in
        for part in parts {
          for _ in 0..<3 { group.addTask { part.sliced(2..<9).shownRows } }
        }
        parts = []
        for await shown in group { #expect(shown == own.sliced(66..<73).shownRows) }
      }
      #expect((lender.lent > 0) == rows, "\(name)")
      #expect(picked.shownRows == own.gathered(places).shownRows)
      await withTaskGroup(of: Void.self) { group in
        for row in 0..<4 { group.addTask { _ = picked.sliced(row..<4).expanded() } }
      }
      withExtendedLifetime(picked) {}
      await Task.detached { [picked] in #expect(picked.count == 4) }.value
    }
  }

  @Test("A few rows that are kept hold on to no adopted memory", arguments: forms.indices)
  func keeping(form: Int) {
    let (name, own, _, _) = Self.forms[form]
    if name == "repeated" { return }
    var random = SeededRandom()
    let lender = Lender()
    var adopted: Column? = lender.column(own, &random)
    let kept = [adopted!.sliced(3..<7), adopted!.gathered([3, 4, 5, 6])].map {
      $0.compactedForKeeping()
    }
    adopted = nil
    #expect(lender.lent == 0, "\(name)")
    for rows in kept { #expect(rows.shownRows == own.sliced(3..<7).shownRows) }
  }

  /// The same column over memory that it lends: as another library would hold it.
  private func borrowed(_ column: Column) -> Column {
    func buffer<Element>(_ values: Buffer<Element>) -> Buffer<Element> {
      let loan = values.lent()
      return Buffer(adopting: loan.base, count: values.count) { LentMemory.giveBack(loan.owner) }
    }
    func bitmap(_ bits: Bitmap) -> Bitmap { Bitmap(words: buffer(bits.words), count: bits.count) }
    return switch column {
    case .none: column
    case .bool(let bits): .bool(bitmap(bits))
    case .integer(let values): .integer(buffer(values))
    case .double(let values): .double(buffer(values))
    case .text(let texts):
      .text(
        TextColumn(
          views: buffer(texts.views), buffers: texts.buffers.map { buffer($0) },
          isASCII: texts.isASCII))
    case .tuple(let items, let count): .tuple(items.map { borrowed($0) }, count: count)
    case .list(let lists):
      .list(ListColumn(offsets: buffer(lists.offsets), items: borrowed(lists.items)))
    case .optional(let validity, let values):
      .optional(validity: bitmap(validity), borrowed(values))
    case .repeated(let value, let count): .repeated(borrowed(value), count: count)
    }
  }

  @Test("Each form lends its memory, its own or adopted, for longer than it lives")
  func lending() {
    var random = SeededRandom()
    for form in 0..<(Self.forms.count + 200) {
      let own =
        form < Self.forms.count
        ? Self.forms[form].column
        : Column.random(&random, count: .random(in: 0...130, using: &random), depth: 3)
      let lender = Lender()
      var lent: Column? = borrowed(lender.column(own, &random))
      #expect(lent?.shownRows == own.shownRows, "seed \(random.seed)")
      var again: Column? = lent.map { borrowed($0.sliced(0..<(own.count / 2))) }
      lent = nil
      #expect(
        again?.shownRows == Array(own.shownRows.prefix(own.count / 2)), "seed \(random.seed)")
      again = nil
      #expect(lender.lent == 0, "seed \(random.seed)")
    }
  }

  @Test("Memory that is lent is not written to by what the column becomes")
  func lentAndCombined() throws {
    var random = SeededRandom()
    let values: [Double] = [1, 2, 3, 4]
    let own = Column.tuple(
      [Self.texts(["a", "b", "a", "b"]), .double(Buffer(values))], count: 4)
    let sums = try #require(KeyedColumns(own.type, try Merge(of: .double) { $0 + $1 }))
    let lender = Lender()
    #expect(sums.add(lender.column(own, &random)))
    let before = borrowed(sums.pairs())
    #expect(sums.add(lender.column(own, &random)))
    #expect(before.tupleItems[1].shownRows == Column.double([4, 6]).shownRows)
    #expect(sums.pairs().tupleItems[1].shownRows == Column.double([8, 12]).shownRows)
  }

  private static let additions: [(values: [Double], sum: Double)] = [
    ([-0.0], -0.0), ([0.0], 0.0), ([-0.0, -0.0], -0.0), ([-0.0, 0.0], 0.0), ([0.0, -0.0], 0.0),
    ([0.1, 0.2], 0.30000000000000004), ([.infinity, -1], .infinity),
    ([-.leastNonzeroMagnitude], -.leastNonzeroMagnitude), ([1, -1], 0.0),
  ]

  @Test(
    "The first number of a key is its sum to the bit",
    arguments: Self.additions)
  func sums(values: [Double], sum: Double) throws {
    for repeated in [false, true] where !repeated || Set(values.map(\.bitPattern)).count == 1 {
      let column =
        repeated
        ? Column.repeated(.double([values[0]]), count: values.count) : .double(Buffer(values))
      let pairs = Column.tuple(
        [.integer(Buffer(values.map { _ in 7 })), column], count: values.count)
      let sums = try #require(KeyedColumns(pairs.type, try Merge(of: .double) { $0 + $1 }))
      #expect(sums.add(pairs))
      #expect(sums.pairs().tupleItems[1].shownRows == ["\(sum.bitPattern)"])
    }
  }
}
