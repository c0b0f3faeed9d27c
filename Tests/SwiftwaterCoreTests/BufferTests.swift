import Synchronization
import Testing

@testable import SwiftwaterCore

@Suite struct BufferTests {
  /// Numbers in memory that is not the engine's, and how often it was given back.
  private final class Lender: Sendable {
    private let releases = Atomic(0)
    private let address: UInt
    let count: Int

    init(count: Int) {
      self.count = count
      let values = UnsafeMutablePointer<Int64>.allocate(capacity: count)
      for index in 0..<count { values[index] = Int64(index) }
      address = UInt(bitPattern: values)
    }

    deinit { base.deallocate() }

    var base: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bitPattern: address)! }
    var released: Int { releases.load(ordering: .acquiring) }

    func buffer() -> Buffer<Int64> {
      Buffer(adopting: base, count: count) { self.giveBack() }
    }

    func giveBack() { releases.add(1, ordering: .acquiringAndReleasing) }
  }

  private func address(_ pointer: some _Pointer) -> UInt { UInt(bitPattern: pointer) }

  @Test("Adopted memory is used where it is, and given back once, when the last user lets go")
  func adoption() {
    let lender = Lender(count: 100)
    var slice: Buffer<Int64>?
    do {
      let buffer = lender.buffer()
      #expect(address(buffer.base) == address(lender.base))
      let copy = buffer
      #expect(copy.isSame(as: buffer))
      slice = copy.sliced(10..<20)
    }
    #expect(lender.released == 0)
    #expect(slice.map { address($0.base) } == address(lender.base) + 80)
    #expect(slice.map(Array.init) == Array(10..<20))
    slice = slice?.sliced(2..<3)
    #expect(slice == [12])
    #expect(lender.released == 0)
    slice = nil
    #expect(lender.released == 1)
  }

  @Test("Columns and slices of them hold on to adopted memory, and rows for keeping do not")
  func columns() {
    let lender = Lender(count: 1000)
    var column: Column? = .integer(lender.buffer())
    var part = column?.sliced(5..<8)
    column = nil
    #expect(lender.released == 0)
    let kept = part?.compactedForKeeping()
    part = nil
    #expect(lender.released == 1)
    guard case .integer(let values) = kept else { return #expect(Bool(false), "other columns") }
    #expect(values == [5, 6, 7])
  }

  @Test("Rows in a small part of a large memory are kept without it, whatever their form")
  func smallParts() {
    let lender = Lender(count: 100_000)
    let (first, bytes) = (lender.base, 100_000 * 8)
    func part<Element>(_ values: Range<Int>) -> Buffer<Element> {
      Buffer<Element>(adopting: first, count: bytes / MemoryLayout<Element>.stride) {
        lender.giveBack()
      }.sliced(values)
    }
    let view = TextView(first + 1010, count: 20, buffer: 0, offset: 10)
    let forms: [() -> Column] = [
      { .bool(Bitmap(part(0..<8), count: 64)) },
      { .integer(part(10..<20)) },
      { .double(part(10..<20)) },
      { .text(TextColumn(views: part(0..<1), buffers: [], isASCII: true)) },
      { .text(TextColumn(views: [view], buffers: [part(1000..<1100)], isASCII: true)) },
      { .tuple([.integer([1]), .double(part(3..<4))], count: 1) },
      { .list(ListColumn(offsets: part(0..<1), items: .integer([]))) },
      { .list(ListColumn(offsets: [0, 1], items: .double(part(3..<4)))) },
      { .optional(validity: Bitmap(part(0..<8), count: 3), .integer([1, 2, 3])) },
      { .optional(validity: Bitmap(repeating: true, count: 1), .double(part(3..<4))) },
      { .repeated(.double(part(3..<4)), count: 5) },
    ]
    for (number, form) in forms.enumerated() {
      let before = lender.released
      let kept = form().compactedForKeeping()
      #expect(lender.released == before + 1, "form \(number)")
      #expect(kept.count > 0 || kept.type == .list(.integer))
    }
  }

  @Test("Adopted memory is given back once, whichever of several threads is the last")
  func threads() async {
    for _ in 0..<50 {
      let lender = Lender(count: 64)
      await withTaskGroup(of: Int64.self) { group in
        for start in 0..<8 {
          let part = lender.buffer().sliced((start * 8)..<(start * 8 + 8))
          let shared = [part, part.sliced(1..<8)]
          for _ in 0..<2 { group.addTask { shared.joined().reduce(0, +) } }
        }
        for await sum in group { #expect(sum > 0) }
      }
      #expect(lender.released == 8)
      let buffer = lender.buffer()
      await withTaskGroup(of: Void.self) { group in
        for index in 0..<16 { group.addTask { #expect(buffer[index] == Int64(index)) } }
      }
      #expect(lender.released == 8)
      withExtendedLifetime(buffer) {}
    }
  }

  @Test("Lent memory lives until it is given back")
  func lending() {
    let lender = Lender(count: 10)
    var loans: [LentMemory] = []
    do {
      let buffer = lender.buffer()
      loans = [buffer.lent(), buffer.sliced(4..<10).lent()]
    }
    #expect(address(loans[0].base) == address(lender.base))
    #expect(address(loans[1].base) == address(lender.base) + 32)
    #expect(loans.map(\.byteCount) == [80, 48])
    LentMemory.giveBack(loans[0].owner)
    #expect(lender.released == 0)
    #expect(loans[1].base.load(as: Int64.self) == 4)
    LentMemory.giveBack(loans[1].owner)
    #expect(lender.released == 1)
  }

  @Test("Own memory is written to where it is, unless it is lent")
  func lendingOwn() {
    var bits = Bitmap(repeating: false, count: 70)
    let places = (0..<3).map { bit in
      bits[bit] = true
      return address(bits.words.base)
    }
    #expect(Set(places).count == 1)
    let loan = bits.words.lent()
    bits[3] = true
    #expect(bits[3])
    #expect(loan.base.load(as: UInt64.self) == 7)
    LentMemory.giveBack(loan.owner)
  }

  @Test("An array is adopted where it is, and not changed")
  func arrays() {
    let array = (0..<100).map { Int64($0) }
    var buffer = Buffer(array)
    #expect(array.withUnsafeBufferPointer { address($0.baseAddress!) } == address(buffer.base))
    buffer.withUnsafeMutableBufferPointer { $0[0] = 7 }
    #expect(buffer[0] == 7)
    #expect(array[0] == 0)
    #expect(buffer.dropFirst().elementsEqual(array.dropFirst()))
    #expect(Buffer([Int64]()).isEmpty)
  }

  @Test("A write goes to a copy where the memory is shared or somebody else's")
  func copyOnWrite() {
    let lender = Lender(count: 10)
    var buffer = lender.buffer()
    buffer.withUnsafeMutableBufferPointer { $0[0] = 100 }
    #expect(lender.released == 1)
    #expect(lender.base.load(as: Int64.self) == 0)
    let shared = buffer
    buffer.withUnsafeMutableBufferPointer { $0[1] = 101 }
    #expect(Array(shared.prefix(2)) == [100, 1])
    #expect(Array(buffer.prefix(2)) == [100, 101])
  }

  @Test("Own memory begins at a multiple of 64 and has zeros behind it", arguments: 0..<70)
  func padding(count: Int) {
    func check<Element>(_ buffer: Buffer<Element>) {
      #expect(buffer.count == count)
      #expect(address(buffer.base) % 64 == 0)
      let end = UnsafeRawPointer(buffer.base + count)
      #expect((0..<64).allSatisfy { end.load(fromByteOffset: $0, as: UInt8.self) == 0 })
    }
    check(Buffer<UInt8>(count: count) { $0.initialize(repeating: 0xFF, count: count) })
    check(Buffer<Int64>(count: count) { $0.initialize(repeating: -1, count: count) })
    check(
      Buffer<TextView>(count: count) {
        $0.initialize(repeating: TextView(low: .max, high: .max), count: count)
      })
    // Less than there is room for.
    check(
      Buffer<UInt32>(unsafeUninitializedCapacity: 200) { values, used in
        values.initialize(repeating: .max)
        used = count
      })
    var builder = TextBuilder()
    let text = [UInt8](repeating: 0x61, count: count)
    text.withUnsafeBytes { builder.append($0, isASCII: true) }
    let column = builder.finish()
    #expect(column.buffers.count == (count > TextView.longestInline ? 1 : 0))
    column.buffers.forEach(check)
    #expect(column[0].utf8.elementsEqual(text))
  }

  @Test("Bytes without padding are copied for the views of texts, others are not")
  func padded() {
    let bytes = [UInt8](repeating: 0x61, count: 200)
    let buffer = Buffer(bytes).sliced(0..<100)
    #expect(buffer.padded(readable: 200).isSame(as: buffer))
    let copy = buffer.padded(readable: 120)
    #expect(copy == buffer && !copy.isSame(as: buffer))
  }

  @Test("Values at an address that is none for them are copied, and given back at once")
  func misaligned() {
    let lender = Lender(count: 2)
    lender.base.storeBytes(of: 77, toByteOffset: 1, as: Int64.self)
    let counter = Counter()
    let buffer = Buffer<Int64>(adopting: lender.base + 1, count: 1) { counter.add() }
    #expect(buffer == [77])
    #expect(counter.value == 1)
  }

  private final class Counter: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .acquiring) }
    func add() { number.add(1, ordering: .acquiringAndReleasing) }
  }

  @Test("Memory from stock is used where it is, and goes back")
  func stock() {
    let memory = TextMemory.allocate(byteCount: 1 << 16)
    memory.base.initializeMemory(as: UInt8.self, repeating: 0x61, count: 100)
    let buffer = Buffer(adopting: memory, count: 100)
    #expect(address(buffer.base) == address(memory.base))
    #expect(buffer.allSatisfy { $0 == 0x61 })
  }

  @Test("Bits of others are used where they are, if they begin at a word and end with one")
  func bits() {
    let bytes = Buffer<UInt8>(count: 24) { $0.initialize(repeating: 0b1010_0101, count: 24) }
    func expected(_ bit: Int) -> Bool { 0b1010_0101 >> (bit % 8) & 1 != 0 }
    for (start, count, isShared) in [
      (0, 192, true), (64, 128, true), (64, 64, true), (128, 0, true), (3, 100, false),
      (8, 64, false), (0, 70, false), (130, 62, false),
    ] {
      let bits = Bitmap(bytes, from: start, count: count)
      #expect(bits.count == count)
      #expect((0..<count).allSatisfy { bits[$0] == expected(start + $0) })
      #expect(bits.setCount == (0..<count).count { expected(start + $0) })
      let place = UInt(bitPattern: bytes.base) + UInt(start / 8)
      #expect((address(bits.words.base) == place) == isShared, "\(start), \(count)")
    }
    // What lies behind the last bit is 0 already.
    let padded = Buffer<UInt8>([UInt8](repeating: 0xFF, count: 8) + [1, 0, 0, 0, 0, 0, 0, 0])
      .copied()
    let bits = Bitmap(padded, count: 65)
    #expect(address(bits.words.base) == address(padded.base) && bits.setCount == 65)
  }
}
