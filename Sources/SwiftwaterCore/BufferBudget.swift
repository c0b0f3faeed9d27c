import Synchronization

/// The bound on what receivers have taken in and no batch has finished with, in bytes.
///
/// A block takes a ``BufferLease`` when it is stored. It gives it up when it has been worked on, and
/// at the latest when the last reference to it goes.
///
/// There is the bound that somebody has set. Within it, a budget with a ``BufferPace`` holds as much as
/// the job has shown to work off in time: so much for the next batch, and three times as much in all.
public final class BufferBudget: Sendable {
  /// The bound in bytes, however fast the job is.
  public let limit: Int

  private struct Accounts {
    var held = 0
    var kept = 0
    /// Of what is held: what no batch has yet.
    var untaken = 0
    var pace: BufferPace?
    var waiting: [@Sendable () -> Void] = []

    func most(within limit: Int) -> Int { min(limit, pace?.inAll ?? limit) }
    /// Without a pace a batch may have all.
    var isBatchFull: Bool { untaken >= pace?.share ?? .max }
  }
  private let accounts: Mutex<Accounts>

  /// - Parameter pace: follows the speed of the job; nil where the bound is all that counts.
  public init(limit: Int, pace: BufferPace? = nil) {
    self.limit = limit
    accounts = Mutex(Accounts(pace: pace))
  }

  /// Bytes held at this moment.
  public var held: Int { accounts.withLock { $0.held } }

  /// Bytes at this moment of blocks that were worked on and are still there, for something else.
  public var kept: Int { accounts.withLock { $0.kept } }

  /// Bytes that may be held at this moment.
  public var room: Int { accounts.withLock { $0.most(within: limit) } }

  /// Takes `bytes` in any case. The bound is kept by asking ``admit(pending:orCall:)`` before
  /// reading more.
  public func take(_ bytes: Int) -> BufferLease {
    accounts.withLock { accounts in
      accounts.held += bytes
      accounts.untaken += bytes
    }
    return BufferLease(bytes: bytes, budget: self)
  }

  /// A batch has blocks of so many bytes: there is room for the next one's.
  public func giveToBatch(_ bytes: Int) {
    wake { accounts in
      accounts.untaken -= bytes
      // Whoever has filled a batch's share goes on where half of the next one's is free.
      let most = accounts.most(within: limit)
      return accounts.held <= (most < limit ? most - most / 6 : most / 2)
    }
  }

  /// A batch has worked on so many bytes; with another speed, another amount may be held.
  public func batchCompleted(bytes: Int, processing: Duration) {
    accounts.withLock { $0.pace?.batchCompleted(bytes: bytes, processing: processing) }
  }

  /// True while there is room beside `pending` more bytes; otherwise keeps `wake` and calls it
  /// once, when there is room again.
  public func admit(pending: Int, orCall wake: @escaping @Sendable () -> Void) -> Bool {
    accounts.withLock { accounts in
      if accounts.held + pending < accounts.most(within: limit),
        pending < (accounts.pace?.share ?? .max) - accounts.untaken
      {
        return true
      }
      accounts.waiting.append(wake)
      return false
    }
  }

  fileprivate func forget(_ bytes: Int) {
    accounts.withLock { $0.kept -= bytes }
  }

  fileprivate func giveBack(_ bytes: Int, keeping: Bool) {
    wake { accounts in
      accounts.held -= bytes
      if keeping { accounts.kept += bytes }
      // Half of the bound is free before anything is woken, so that a full buffer does not
      // flicker between stop and go with every block.
      return accounts.held <= accounts.most(within: limit) / 2
    }
  }

  /// Changes the accounts, and wakes those who wait where that has made room.
  private func wake(_ makesRoom: (inout Accounts) -> Bool) {
    let woken = accounts.withLock { accounts -> [@Sendable () -> Void] in
      guard makesRoom(&accounts), !accounts.isBatchFull else { return [] }
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
