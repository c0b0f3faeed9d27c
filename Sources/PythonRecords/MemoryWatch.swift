import SwiftwaterCore

/// Tells a sink that gathers records when to put them elsewhere: when the process is too large, and
/// what was gathered is worth the way.
struct MemoryWatch {
  /// Records between two questions.
  private static let askEvery = 256
  /// So many records are worth it, however small they are.
  private static let enoughRecords = 1 << 16
  /// And so many bytes, however few records: a part of the limit, and no less than some MB.
  private static let enoughShare = 16
  private static let enoughBytes = 16 << 20

  private var gathered = 0
  private var unseen = 0
  private var sizeAtStart = SpillStore.shared.sizes.resident

  /// - Parameter records: gathered since the last call.
  @inline(__always)
  mutating func isShort(afterAdding records: Int) -> Bool {
    unseen += records
    return unseen >= Self.askEvery && look()
  }

  private mutating func look() -> Bool {
    defer { unseen = 0 }
    gathered += unseen
    guard SpillStore.shared.isOverLimit(adding: unseen) else { return false }
    let (resident, limit) = SpillStore.shared.sizes
    let enough = max(Self.enoughBytes, limit / Self.enoughShare)
    return gathered >= Self.enoughRecords || resident - sizeAtStart >= enough
  }

  /// What was gathered has been put elsewhere.
  mutating func startAnew() { self = MemoryWatch() }
}
