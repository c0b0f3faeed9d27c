import Synchronization
import Testing

@testable import SwiftwaterCore

@Suite struct TimerQueueTests {
  @Test("Actions come out by time, ties in order of arrival")
  func order() {
    var queue = TimerQueue()
    let order = Mutex<[Int]>([])
    for (due, name) in [(30, 1), (10, 2), (20, 3), (10, 4), (30, 5)] as [(Int64, Int)] {
      _ = queue.add(at: Timestamp(nanoseconds: due)) { order.withLock { $0.append(name) } }
    }
    #expect(queue.popDue(at: Timestamp(nanoseconds: 9)) == nil)
    while let action = queue.popDue(at: Timestamp(nanoseconds: 30)) { action() }
    #expect(order.withLock { $0 } == [2, 4, 3, 1, 5])
    #expect(queue.earliest == nil)
  }

  @Test func removed() {
    var queue = TimerQueue()
    let key = queue.add(at: Timestamp(nanoseconds: 1)) {}
    _ = queue.add(at: Timestamp(nanoseconds: 2)) {}
    queue.remove(key)
    queue.remove(key)
    #expect(queue.earliest == Timestamp(nanoseconds: 2))
  }

  @Test("The system's clock runs timers in order, and stops")
  func systemClock() {
    let clock = SystemClock()
    let done = Monitor<[Int]>([])
    let now = clock.now
    _ = clock.schedule(at: now + .milliseconds(2)) { done.notify { $0.append(2) } }
    _ = clock.schedule(at: now + .milliseconds(1)) { done.notify { $0.append(1) } }
    let cancelled = clock.schedule(at: now + .milliseconds(1)) { done.notify { $0.append(9) } }
    cancelled.cancel()
    let order = done.wait { $0.count == 2 ? $0 : nil }
    #expect(order == [1, 2])
    #expect(clock.now > now)
    clock.shutDown()
  }
}
