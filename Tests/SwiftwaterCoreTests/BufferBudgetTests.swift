import Synchronization
import Testing

@testable import SwiftwaterCore

@Suite struct BufferBudgetTests {
  @Test("A waiter is woken once, when half of the bound is free")
  func wakesAtHalf() {
    let budget = BufferBudget(limit: 100)
    let wakes = Mutex(0)
    var leases = [budget.take(60), budget.take(40)]
    #expect(budget.held == 100)
    #expect(!budget.admit(pending: 0) { wakes.withLock { $0 += 1 } })

    leases.removeLast()
    #expect(budget.held == 60)
    #expect(wakes.withLock { $0 } == 0)

    leases.removeAll()
    #expect(budget.held == 0)
    #expect(wakes.withLock { $0 } == 1)
    #expect(budget.admit(pending: 0) {})
  }

  @Test("What is not stored yet counts too")
  func pending() {
    let budget = BufferBudget(limit: 100)
    #expect(budget.admit(pending: 99) {})
    #expect(!budget.admit(pending: 100) {})
  }

  @Test("What waits for the next batch has a share; the batch that takes it makes room")
  func shares() throws {
    let pace = BufferPace(interval: try BatchInterval(milliseconds: 1000), safeShare: 30)
    let budget = BufferBudget(limit: 1000, pace: pace)
    let wakes = Mutex(0)
    func isAdmitted(_ pending: Int = 0) -> Bool {
      budget.admit(pending: pending) { wakes.withLock { $0 += 1 } }
    }
    #expect(budget.room == 90)
    var first: BufferLease? = budget.take(30)
    #expect(!isAdmitted())
    budget.giveToBatch(30)
    #expect(wakes.withLock { $0 } == 1)
    let second = budget.take(30)
    budget.giveToBatch(30)
    #expect(!isAdmitted(30))
    // Of 90 there are 30 left, and so many are pending: the batch before must be over.
    #expect(wakes.withLock { $0 } == 1)
    withExtendedLifetime(first) {}
    first = nil
    #expect(wakes.withLock { $0 } == 2)
    #expect(isAdmitted())
    budget.batchCompleted(bytes: 30, processing: .milliseconds(100))
    #expect(budget.room == 1000)
    withExtendedLifetime(second) {}
  }

  @Test(
    "The share is what the job works off in two intervals, and never less than the safe one",
    arguments: [
      // Bytes and milliseconds of each batch; the share behind the last.
      ([], 100), ([(0, 0)], 100), ([(100, 1000)], 200), ([(100, 500)], 400), ([(100, 10_000)], 100),
      ([(100, 0)], 200_000),
      // One that is small and quick says nothing; a slow one does, and so does a large one.
      ([(100, 100), (10, 500)], 2000), ([(100, 100), (10, 1000)], 100),
      ([(100, 100), (300, 900)], 666),
    ] as [([(Int, Int)], Int)])
  func pace(batches: [(Int, Int)], share: Int) throws {
    var pace = BufferPace(interval: try BatchInterval(milliseconds: 1000), safeShare: 100)
    for (bytes, milliseconds) in batches {
      pace.batchCompleted(bytes: bytes, processing: .milliseconds(milliseconds))
    }
    #expect(pace.share == share)
    #expect(pace.inAll == 3 * share)
  }
}
