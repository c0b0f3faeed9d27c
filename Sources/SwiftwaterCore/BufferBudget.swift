import Synchronization

/// The bound on what receivers have taken in and no batch has finished with, in bytes.
///
/// A block takes a ``BufferLease`` when it is stored and gives it back when the last reference to
/// the block goes: the count is of memory that is really held, however long a window keeps it.
public final class BufferBudget: Sendable {
  /// The bound in bytes.
  public let limit: Int

  private struct Accounts {
    var held = 0
    var waiting: [@Sendable () -> Void] = []
  }
  private let accounts = Mutex(Accounts())

  public init(limit: Int) {
    self.limit = limit
  }

  /// Bytes held at this moment.
  public var held: Int { accounts.withLock { $0.held } }

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

  fileprivate func giveBack(_ bytes: Int) {
    let woken = accounts.withLock { accounts -> [@Sendable () -> Void] in
      accounts.held -= bytes
      // Half of the bound is free before anything is woken, so that a full buffer does not
      // flicker between stop and go with every block.
      guard accounts.held <= limit / 2 else { return [] }
      defer { accounts.waiting = [] }
      return accounts.waiting
    }
    for wake in woken { wake() }
  }
}

/// A share of a ``BufferBudget``; given back when it is released.
public final class BufferLease: Sendable {
  private let bytes: Int
  private let budget: BufferBudget

  fileprivate init(bytes: Int, budget: BufferBudget) {
    self.bytes = bytes
    self.budget = budget
  }

  deinit { budget.giveBack(bytes) }
}
