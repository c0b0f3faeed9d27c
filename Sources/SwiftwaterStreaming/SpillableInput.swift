import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// The input that batches have worked on and that is still there: for streams that look back, for what
/// was not computed, or in the hands of a user. While memory is short it goes to disk, the oldest
/// first; the rest stays where it is.
///
/// Nothing is held on to here: what nobody needs any more is gone.
final class SpillableInput: Sendable {
  private struct State {
    /// Blocks in memory, in the order in which they came.
    var blocks: [Reference<SpillableText>] = []
    /// Those that are gone are sorted out when there are so many.
    var tidyAt = SpillableInput.fewest
    /// RDDs that are looked back at, and that may still be computed from input.
    var rdds: [Reference<RDDNode>] = []
  }

  private struct Reference<Object: AnyObject & Sendable>: Sendable { weak var object: Object? }

  private static let fewest = 64

  private let state = Mutex(State())

  func note(_ blocks: some Sequence<SpillableText>) {
    state.withLock { state in
      for block in blocks { state.blocks.append(Reference(object: block)) }
      guard state.blocks.count >= state.tidyAt else { return }
      state.blocks.removeAll { $0.object == nil }
      state.tidyAt = max(Self.fewest, 2 * state.blocks.count)
    }
  }

  func note(_ rdd: RDDNode) {
    state.withLock { $0.rdds.append(Reference(object: rdd)) }
  }

  /// Has the RDDs whose records are all kept forget what they came from.
  func storeComplete() {
    let rdds = state.withLock { state in
      defer { state.rdds = [] }
      return state.rdds
    }
    if rdds.isEmpty { return }
    // Not under the lock: with a lineage goes whatever it held.
    let open = rdds.filter { $0.object.map { !$0.storeIfComplete() } ?? false }
    state.withLock { $0.rdds = open + $0.rdds }
  }

  /// Puts blocks on disk until the process is smaller than the limit, or none is left.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) when they cannot be written.
  func spillIfNeeded() throws {
    // The process's size is not looked at for nothing.
    if state.withLock({ $0.blocks.isEmpty }) { return }
    var hasSpilled = false
    defer { if hasSpilled { SpillStore.shared.giveBackMemory() } }
    while SpillStore.shared.isOverLimit(adding: 1), let block = oldest() {
      do {
        try block.spill()
        hasSpilled = true
      } catch {
        state.withLock { $0.blocks.insert(Reference(object: block), at: 0) }
        throw error
      }
    }
  }

  /// The oldest block in memory, which counts as spilled from now on.
  private func oldest() -> SpillableText? {
    state.withLock { state in
      guard let index = state.blocks.firstIndex(where: { $0.object != nil }) else {
        state.blocks = []
        return nil
      }
      defer { state.blocks.removeFirst(index + 1) }
      return state.blocks[index].object
    }
  }
}
