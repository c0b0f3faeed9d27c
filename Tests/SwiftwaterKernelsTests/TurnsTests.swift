import Testing

@testable import SwiftwaterKernels

@Suite struct TurnsTests {
  @Test(
    "The first place is the one that Spark's random numbers give",
    arguments: [
      (1, [0, 0, 0, 0, 0, 0]), (2, [0, 0, 1, 0, 0, 1]), (3, [2, 0, 1, 1, 1, 0]),
      (8, [1, 1, 7, 3, 2, 5]), (10, [8, 3, 8, 0, 5, 4]), (1000, [28, 703, 828, 960, 5, 474]),
      (1_000_000, [798_028, 468_703, 908_828, 331_960, 187_005, 192_474]),
    ])
  func firstPlaces(count: Int, places: [Int]) {
    #expect([0, 1, 2, 7, 100, 999_999].map { Turns.firstPlace($0, count) } == places)
  }

  @Test("Ten records go to one place, and the next ten to the next", arguments: [1, 2, 3, 7])
  func packets(count: Int) {
    for partition in 0..<5 {
      let first = Turns.firstPlace(partition, count) + 1
      let expected = (0..<95).map { (first + $0 / 10) % count }
      var whole = Turns(from: partition, among: count)
      #expect(whole.next(95) == expected)
      var pieces = Turns(from: partition, among: count)
      #expect([3, 0, 7, 1, 14, 70].flatMap { pieces.next($0) } == expected)
    }
  }
}
