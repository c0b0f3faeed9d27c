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
  private let free: @Sendable (UnsafeMutableRawPointer) -> Void
  /// All there are; they live as long as the process.
  private static let all = Mutex<[MemoryStock]>([])

  /// - Parameters:
  ///   - sizes: what is worth keeping, in bytes.
  ///   - mostKept: bytes that are kept altogether.
  ///   - free: gives memory back that is not kept.
  package init(
    sizes: ClosedRange<Int>, mostKept: Int,
    free: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    self.sizes = sizes
    self.mostKept = mostKept
    self.free = free
    Self.all.withLock { $0.append(self) }
  }

  /// Gives back what is kept everywhere.
  static func emptyAll() {
    for stock in all.withLock({ $0 }) {
      let pieces = stock.kept.withLock { kept in
        defer { kept = ([], 0) }
        return kept.pieces
      }
      for piece in pieces { stock.free(piece.base) }
    }
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
