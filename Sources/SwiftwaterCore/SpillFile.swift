import Synchronization

/// An open, unlinked file that only grows.
///
/// What lives long may lie between what is soon gone: a piece of the file gives its room on the disk back
/// when no part in it is left.
final class SpillFile: Sendable {
  /// Smaller pieces are not worth a call.
  static let pieceLength = 64 << 10

  private struct Contents {
    var end = 0
    /// How many parts lie in each piece, at least with some of their bytes.
    var parts: [Int32] = []
  }

  let descriptor: AnonymousFile
  private let contents = Mutex(Contents())

  init(in folder: String) throws { descriptor = try AnonymousFile(in: folder) }

  var length: Int { contents.withLock { $0.end } }

  /// - Throws: ``EngineError`` (`unavailable`) where there is no room; what was written by then is given
  ///   back.
  func append(_ bytes: UnsafeRawBufferPointer) throws -> SpilledPart {
    try contents.withLock { contents in
      let offset = contents.end
      do {
        try descriptor.write(bytes, at: offset)
      } catch {
        descriptor.cut(to: offset)
        throw error
      }
      contents.end += bytes.count
      let pieces = Self.pieces(offset, bytes.count)
      if pieces.upperBound > contents.parts.count {
        contents.parts += repeatElement(0, count: pieces.upperBound - contents.parts.count)
      }
      for piece in pieces { contents.parts[piece] += 1 }
      return SpilledPart(file: self, offset: offset, count: bytes.count)
    }
  }

  /// Nobody reads a part any more.
  fileprivate func release(_ offset: Int, _ count: Int) {
    // What lies between the ends of a part is its own: the pieces without a part are side by side.
    let free = contents.withLock { contents in
      var free: Range<Int>?
      for piece in Self.pieces(offset, count) {
        contents.parts[piece] -= 1
        // The last piece gets others still, of which one reaches into the next piece or up to it.
        let isWhole = (piece + 1) * Self.pieceLength <= contents.end
        if contents.parts[piece] == 0, isWhole {
          free = (free?.lowerBound ?? piece)..<(piece + 1)
        }
      }
      return free
    }
    guard let free else { return }
    descriptor.giveBack(free.count * Self.pieceLength, at: free.lowerBound * Self.pieceLength)
  }

  private static func pieces(_ offset: Int, _ count: Int) -> Range<Int> {
    let first = offset / pieceLength
    return count == 0 ? first..<first : first..<((offset + count - 1) / pieceLength + 1)
  }
}

/// The place of bytes in a spill file.
final class SpilledPart: Sendable {
  let file: SpillFile
  let offset: Int
  let count: Int

  fileprivate init(file: SpillFile, offset: Int, count: Int) {
    self.file = file
    self.offset = offset
    self.count = count
  }

  deinit { file.release(offset, count) }
}
