import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

@Suite struct KeySlotsTests {
  /// The numbers that a search comes across.
  private func found(_ slots: KeySlots, _ hash: UInt64) -> [UInt32] {
    var search = KeySearch(row: 0, hash: hash, growths: slots.growths)
    var numbers: [UInt32] = []
    while slots.advance(&search) { numbers.append(search.number) }
    return numbers
  }

  private func insert(_ slots: KeySlots, _ number: UInt32, _ hash: UInt64) {
    var search = KeySearch(row: 0, hash: hash, growths: slots.growths)
    while slots.advance(&search) {}
    slots.insert(number, for: search)
  }

  @Test(
    "A search comes across all numbers with its hash, while others come, go and change",
    arguments: [64, KeySlots.mostInPart])
  func model(mostInPart: Int) {
    var random = SeededRandom()
    let slots = KeySlots(mostInPart: mostInPart)
    var model: [UInt64: Set<UInt32>] = [:]
    var next: UInt32 = 0
    for step in 0..<20_000 {
      // Many hashes that are the same, or whose slots are neighbours, also over the end of a part.
      let upper = UInt64.random(in: 0..<6, using: &random)
      let hash = [0, upper, ~upper, upper << 24][Int.random(in: 0..<4, using: &random)] << 32
      let isGrowing = step / 4000 % 2 == 0
      if Int.random(in: 0..<(isGrowing ? 3 : 5), using: &random) < 2 {
        insert(slots, next, hash)
        model[hash, default: []].insert(next)
        next += 1
      } else if let number = model[hash]?.randomElement(using: &random) {
        slots.remove(number, hash: hash)
        model[hash]?.remove(number)
        if Bool.random(using: &random) { continue }
        // Two numbers change places.
        guard let first = model[hash]?.randomElement(using: &random),
          let (other, others) = model.filter({ !$0.value.isEmpty }).randomElement(using: &random),
          let second = others.randomElement(using: &random), first != second
        else { continue }
        slots.replace(first, by: second, hash: hash)
        slots.replace(second, by: first, hash: other)
        model[hash]?.remove(first)
        model[other]?.remove(second)
        model[hash]?.insert(second)
        model[other]?.insert(first)
      }
      if step % 500 == 0 {
        for (hash, numbers) in model {
          #expect(Set(found(slots, hash)) == numbers, "seed \(random.seed)")
        }
      }
    }
  }

  @Test("A search goes on where the table has grown meanwhile")
  func growth() {
    let slots = KeySlots()
    for number in 0..<6 { insert(slots, UInt32(number), 7 << 32) }
    var search = KeySearch(row: 0, hash: 7 << 32, growths: slots.growths)
    for _ in 0..<3 { #expect(slots.advance(&search)) }
    for number in 0..<1000 { insert(slots, UInt32(10 + number), UInt64(number << 53)) }
    #expect(slots.growths > 0)
    var numbers: Set<UInt32> = []
    while slots.advance(&search) { numbers.insert(search.number) }
    #expect(numbers.isSuperset(of: (0..<6).map { UInt32($0) }))
  }

  @Test("Parts become two, each key is found in its own, and memory follows the number of keys")
  func parts() {
    var random = SeededRandom()
    let slots = KeySlots()
    let hashes = (0..<300_000).map { _ in random.next() }
    for (number, hash) in hashes.enumerated() { insert(slots, UInt32(number), hash) }
    var isThere = true
    for (number, hash) in hashes.enumerated() {
      isThere = isThere && found(slots, hash).contains(UInt32(number))
    }
    #expect(isThere, "seed \(random.seed)")
    #expect(slots.byteCount <= hashes.count * 14)
    for (number, hash) in hashes.enumerated() { slots.remove(UInt32(number), hash: hash) }
    #expect(hashes.allSatisfy { found(slots, $0).isEmpty }, "seed \(random.seed)")
  }

  @Test("A part whose keys no bit of their hashes tells apart grows, and becomes two later")
  func sameHashes() {
    let slots = KeySlots(mostInPart: 64)
    for number in 0..<1000 { insert(slots, UInt32(number), 7 << 32) }
    #expect(found(slots, 7 << 32).sorted() == (0..<1000).map { UInt32($0) })
    for number in 1000..<2000 { insert(slots, UInt32(number), UInt64(number) << 53) }
    #expect(found(slots, 7 << 32).sorted().prefix(1000).elementsEqual(0..<1000))
    for number in 1000..<2000 {
      #expect(found(slots, UInt64(number) << 53).contains(UInt32(number)))
    }
  }
}
