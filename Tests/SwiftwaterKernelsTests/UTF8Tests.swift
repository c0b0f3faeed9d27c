import CKernels
import SwiftwaterTesting
import Testing

@testable import SwiftwaterKernels

extension WideInstructionTests {
  @Suite struct UTF8Tests {
    private func isValid(_ bytes: [UInt8]) -> [Bool] {
      defer { sw_stay_plain(0) }
      return [Int32(0), 1].map { plain in
        sw_stay_plain(plain)
        return sw_is_utf8(bytes, bytes.count) == 1
      }
    }

    @Test(
      "All pairs of bytes, and all beginnings of characters with any second byte, at all places")
    func pairs() {
      for first in UInt8.min ... .max {
        for second in UInt8.min ... .max {
          for rest in [[], [0x80], [0x80, 0xBF], [0x80, 0xBF, 0x80], [0x41]] as [[UInt8]] {
            let bytes = [first, second] + rest
            let expected = String(validating: bytes, as: UTF8.self) != nil
            #expect(isValid(bytes) == [expected, expected], "\(bytes)")
            let place = Int(first ^ second) % 70
            let moved = Array(repeating: UInt8(0x61), count: place) + bytes
            #expect(isValid(moved) == [expected, expected], "\(bytes) at \(place)")
          }
        }
      }
    }

    @Test("Random text with random mistakes, across the borders of what is read together")
    func randomText() {
      var random = SeededRandom()
      let characters = ["a", "\u{7F}", "\u{80}", "ü", "\u{7FF}", "\u{800}", "€", "\u{D7FF}"]
      let more = ["\u{E000}", "\u{FFFF}", "\u{10000}", "😀", "\u{10FFFF}"]
      for _ in 0..<20_000 {
        let some = [["a"], characters, characters + more].randomElement(using: &random)!
        let count = Int.random(in: 0...70, using: &random)
        var bytes = Array(
          (0..<count).map { _ in some.randomElement(using: &random)! }.joined().utf8)
        for _ in 0..<[0, 0, 1, 2].randomElement(using: &random)! where !bytes.isEmpty {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: bytes.remove(at: place)
          case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
          default: bytes.insert(UInt8.random(in: 0x80 ... .max, using: &random), at: place)
          }
        }
        let expected = String(validating: bytes, as: UTF8.self) != nil
        #expect(isValid(bytes) == [expected, expected], "seed \(random.seed): \(bytes)")
      }
    }
  }
}
