import Synchronization

/// Memory that was used and is kept for whoever needs as much next: fresh pages from the system cost
/// more than most of what is done with them.
package final class MemoryStock: Sendable {
  private struct Piece: @unchecked Sendable {
    // SAFETY (@unchecked Sendable): nobody else has the memory while it is in stock.
    let base: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private let sizes: ClosedRange<Int>
  private let mostKept: Int
  private let kept = Mutex<(pieces: [Piece], byteCount: Int)>(([], 0))

  /// - Parameters:
  ///   - sizes: what is worth keeping, in bytes.
  ///   - mostKept: bytes that are kept altogether.
  package init(sizes: ClosedRange<Int>, mostKept: Int) {
    self.sizes = sizes
    self.mostKept = mostKept
  }

  /// A piece of at least `byteCount` bytes and at most `most`, with whatever is in it; nil where there
  /// is none.
  package func take(
    _ byteCount: Int, atMost most: Int
  ) -> (base: UnsafeMutableRawPointer, byteCount: Int)? {
    guard sizes.contains(byteCount) else { return nil }
    let piece = kept.withLock { kept -> Piece? in
      let fitting = kept.pieces.lastIndex { (byteCount...most).contains($0.byteCount) }
      guard let fitting else { return nil }
      kept.byteCount -= kept.pieces[fitting].byteCount
      return kept.pieces.remove(at: fitting)
    }
    return piece.map { ($0.base, $0.byteCount) }
  }

  /// Keeps the memory. False: there is enough of it, and the caller frees it.
  package func keep(_ base: UnsafeMutableRawPointer, byteCount: Int) -> Bool {
    guard sizes.contains(byteCount) else { return false }
    let piece = Piece(base: base, byteCount: byteCount)
    return kept.withLock { kept in
      guard kept.byteCount + byteCount <= mostKept else { return false }
      kept.byteCount += byteCount
      kept.pieces.append(piece)
      return true
    }
  }
}
