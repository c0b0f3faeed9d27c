import SwiftwaterCore
import Testing

@Suite struct MessageThrottleTests {
  private struct Case: CustomTestStringConvertible {
    let name: String
    /// When messages come, in milliseconds.
    let times: [Int64]
    /// What goes through: the message's time, and the others that it stands for.
    let shown: [String]
    var testDescription: String { name }
  }

  private static let cases = [
    Case(name: "few go through", times: [0, 1, 2], shown: ["0", "1", "2"]),
    Case(
      name: "a burst shows its first ones, and the latest with the number of the others",
      times: [0, 1, 2, 3, 4, 5, 1000], shown: ["0", "1", "2", "1000 (3 more)"]),
    Case(
      name: "a flood that goes on shows one a period",
      times: (0..<50).map { $0 * 100 },
      shown: [
        "0", "100", "200", "1000 (7 more)", "2000 (9 more)", "3000 (9 more)", "4000 (9 more)",
      ]
    ),
    Case(
      name: "after a quiet period all is as at first",
      times: [0, 1, 2, 3, 1000, 2500, 2501, 2502, 2503],
      shown: ["0", "1", "2", "1000 (1 more)", "2500", "2501", "2502"]),
    Case(
      name: "what comes slowly is never held back", times: (0..<20).map { $0 * 400 },
      shown: (0..<20).map { "\($0 * 400)" }),
  ]

  @Test("Messages go through, or are counted", arguments: cases)
  private func table(_ table: Case) {
    var throttle = MessageThrottle<Int64>(burst: 3, period: .seconds(1))
    let shown = table.times.compactMap { time in
      throttle.add(time, kind: "a", at: Timestamp(milliseconds: time)).map(text)
    }
    #expect(shown == table.shown)
  }

  @Test("What is held back follows when its period is over, whether more comes or not")
  func due() {
    var throttle = MessageThrottle<Int64>(burst: 2, period: .seconds(1))
    for time in [0, 1, 2, 3] as [Int64] {
      _ = throttle.add(time, kind: "a", at: Timestamp(milliseconds: time))
    }
    #expect(throttle.due(at: Timestamp(milliseconds: 999)).isEmpty)
    #expect(throttle.due(at: Timestamp(milliseconds: 1000)).map(text) == ["3 (1 more)"])
    #expect(throttle.due(at: Timestamp(milliseconds: 9000)).isEmpty)
    for time in [9100, 9200, 9300, 9400] as [Int64] {
      _ = throttle.add(time, kind: "a", at: Timestamp(milliseconds: time))
    }
    #expect(throttle.rest().map(text) == ["9400 (1 more)"])
    #expect(throttle.rest().isEmpty)
  }

  @Test("Kinds do not count for each other, but for those beyond the bound")
  func kinds() {
    var throttle = MessageThrottle<Int64>(burst: 1, period: .seconds(1), mostKinds: 2)
    let now = Timestamp(milliseconds: 0)
    #expect(throttle.add(1, kind: "a", at: now) != nil)
    #expect(throttle.add(2, kind: "b", at: now) != nil)
    #expect(throttle.add(3, kind: "a", at: now) == nil)
    #expect(throttle.add(4, kind: "c", at: now) != nil)
    #expect(throttle.add(5, kind: "d", at: now) == nil)
    // When kinds are quiet again, others have their place.
    let later = Timestamp(milliseconds: 5000)
    #expect(throttle.due(at: later).count == 2)
    #expect(throttle.add(6, kind: "e", at: Timestamp(milliseconds: 7000)) != nil)
    #expect(throttle.add(7, kind: "f", at: Timestamp(milliseconds: 7000)) != nil)
  }

  private func text(_ shown: MessageThrottle<Int64>.Shown) -> String {
    shown.others == 0 ? "\(shown.message)" : "\(shown.message) (\(shown.others) more)"
  }
}
