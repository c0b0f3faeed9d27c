import SwiftwaterCore
import Testing

@Suite struct CountersTests {
  /// Keeps a number of its own.
  private final class Owner: Sendable {
    let number: Int
    init(_ number: Int) { self.number = number }
  }

  @Test("A counter is the same for the same name and subject, and counts on")
  func counters() {
    let counters = Counters()
    #expect(counters.snapshot() == [])
    counters.counter(.linesDropped, of: "b").add()
    counters.counter(.linesDropped, of: "a").add(3)
    counters.counter(.linesDropped, of: "b").add(2)
    counters.counter(.batchesGivenUp).add(0)
    #expect(
      counters.snapshot() == [
        .init(.batchesGivenUp, 0), .init(.linesDropped, of: "a", 3),
        .init(.linesDropped, of: "b", 3),
      ])
  }

  @Test("What is watched is read when it is asked for, and goes with its owner")
  func watched() {
    let counters = Counters()
    let stays = Owner(3)
    do {
      let goes = Owner(4)
      counters.watch(.inputHeld, in: stays) { $0.number }
      counters.watch(.inputHeld, in: goes) { $0.number }
      #expect(counters.snapshot() == [.init(.inputHeld, 7)])
      withExtendedLifetime(goes) {}
    }
    #expect(counters.snapshot() == [.init(.inputHeld, 3)])
    counters.watch(.batchesWaiting, in: Owner(1)) { $0.number }
    #expect(counters.snapshot() == [.init(.inputHeld, 3)])
    withExtendedLifetime(stays) {}
  }

  @Test("Threads count together")
  func threads() {
    let counters = Counters()
    let threads = (0..<4).map { _ in
      EngineThread(name: "count") {
        for _ in 0..<10_000 { counters.counter(.eventsDropped).add() }
      }
    }
    for thread in threads { #expect(thread.join(timeout: .seconds(30))) }
    #expect(counters.snapshot() == [.init(.eventsDropped, 40_000)])
  }
}
