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
}
