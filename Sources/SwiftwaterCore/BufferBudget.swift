import Synchronization

/// The bound on what receivers have taken in and no batch has finished with, in bytes.
///
/// A block takes a ``BufferLease`` when it is stored. It gives it up when it has been worked on, and
/// at the latest when the last reference to it goes.
public final class BufferBudget: Sendable {
  /// The bound in bytes.
  public let limit: Int

  private struct Accounts {
    var held = 0
    var kept = 0
    var waiting: [@Sendable () -> Void] = []
  }
  private let accounts = Mutex(Accounts())

  public init(limit: Int) {
    self.limit = limit
  }

  /// Bytes held at this moment.
  public var held: Int { accounts.withLock { $0.held } }

  /// Bytes at this moment of blocks that were worked on and are still there, for something else.
  public var kept: Int { accounts.withLock { $0.kept } }

  /// Takes `bytes` in any case. The bound is kept by asking ``admit(pending:orCall:)`` before
  /// reading more.
  public func take(_ bytes: Int) -> BufferLease {
    accounts.withLock { $0.held += bytes }
    return BufferLease(bytes: bytes, budget: self)
  }

  /// True while there is room beside `pending` more bytes; otherwise keeps `wake` and calls it
  /// once, when there is room again.
  public func admit(pending: Int, orCall wake: @escaping @Sendable () -> Void) -> Bool {
    accounts.withLock { accounts in
      if accounts.held + pending < limit { return true }
      accounts.waiting.append(wake)
      return false
    }
  }

  fileprivate func forget(_ bytes: Int) {
    accounts.withLock { $0.kept -= bytes }
  }

  fileprivate func giveBack(_ bytes: Int, keeping: Bool) {
    let woken = accounts.withLock { accounts -> [@Sendable () -> Void] in
      accounts.held -= bytes
      if keeping { accounts.kept += bytes }
      // Half of the bound is free before anything is woken, so that a full buffer does not
      // flicker between stop and go with every block.
      guard accounts.held <= limit / 2 else { return [] }
      defer { accounts.waiting = [] }
      return accounts.waiting
    }
    for wake in woken { wake() }
  }
}

/// A share of a ``BufferBudget``; given back at the latest when it is released.
public final class BufferLease: Sendable {
  public let bytes: Int
  private let budget: BufferBudget
  private let isGivenUp = Atomic(false)

  fileprivate init(bytes: Int, budget: BufferBudget) {
    self.bytes = bytes
    self.budget = budget
  }

  deinit {
    if isGivenUp.load(ordering: .acquiring) {
      budget.forget(bytes)
    } else {
      budget.giveBack(bytes, keeping: false)
    }
  }

  /// Gives the share back. What it was for is still there.
  public func giveUp() {
    guard !isGivenUp.exchange(true, ordering: .acquiringAndReleasing) else { return }
    budget.giveBack(bytes, keeping: true)
  }
}
