import Testing

@testable import SwiftwaterCore

@Suite struct BatchTimeTests {
  @Test(
    "The first batch is the next multiple of the interval",
    arguments: [
      // now in ms, interval, first batch
      (0, 1000, 1000), (1, 1000, 1000), (999, 1000, 1000), (1000, 1000, 2000),
      (1_700_000_000_123, 500, 1_700_000_000_500), (12, 5, 15), (15, 5, 20), (-1, 1000, 0),
    ] as [(Int64, Int64, Int64)])
  func firstBatch(now: Int64, interval: Int64, first: Int64) throws {
    let interval = try BatchInterval(milliseconds: interval)
    #expect(interval.firstBatch(after: Timestamp(milliseconds: now)).milliseconds == first)
  }

  @Test("An instant inside a millisecond belongs to that millisecond")
  func fractions() throws {
    let interval = try BatchInterval(milliseconds: 1)
    #expect(interval.firstBatch(after: Timestamp(nanoseconds: 1_999_999)).milliseconds == 2)
  }

  @Test("An interval below a millisecond is refused", arguments: [0, -5] as [Int64])
  func refused(milliseconds: Int64) {
    #expect(throws: EngineError.self) { try BatchInterval(milliseconds: milliseconds) }
  }

  @Test func intervalFromDuration() throws {
    #expect(try BatchInterval(.seconds(1)).milliseconds == 1000)
    #expect(try BatchInterval(.milliseconds(5)).milliseconds == 5)
    #expect(throws: EngineError.self) { try BatchInterval(.microseconds(999)) }
  }
}
