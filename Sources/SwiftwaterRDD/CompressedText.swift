import SwiftwaterCore
import SwiftwaterKernels

/// Opens compressed files: the layer above has the libraries for it.
public protocol FileUnpacker: Sendable {
  /// What is in a file, from its beginning.
  func open(_ path: FilePath) throws -> any FileContent
}

/// What is in a compressed file, piece by piece; used by one task.
public protocol FileContent: AnyObject {
  /// Calls `body` with the next piece, of less than 1 GiB; only the last one may be shorter than a
  /// byte order mark.
  ///
  /// - Returns: false at the end, without a call.
  func next(_ body: (UnsafeRawBufferPointer) -> Void) throws -> Bool
}

/// Which files are compressed.
enum Compression {
  /// About how many bytes of text a compressed one stands for.
  static let usualRatio = 4

  /// Spark: those of Hadoop's codecs; here `.xz` too. Not all of them can be read, but none is text.
  private static let suffixes = [".gz", ".bz2", ".deflate", ".zst", ".xz", ".lz4", ".snappy"]

  static func isCompressed(_ path: FilePath) -> Bool { suffixes.contains { path.hasSuffix($0) } }
}

/// Reads the lines of a compressed file.
final class UnpackedReader: LineReader {
  private let content: any FileContent
  private var assembler: LineAssembler
  private var hasBegun = false
  private var isAtEnd = false

  /// - Throws: ``EngineError`` (`unavailable`) without an `unpacker`; what that throws.
  init(
    _ path: FilePath, with unpacker: (any FileUnpacker)?, blockSize: Int, maxLineLength: Int
  ) throws {
    guard let unpacker else {
      throw EngineError.unavailable(
        "\(path): compressed text is read by jobs in Python only; decompress the file first")
    }
    content = try unpacker.open(path)
    assembler = LineAssembler(blockSize: blockSize / 2, maxLineLength: maxLineLength)
  }

  func next() throws -> TextBlock? {
    while !assembler.isBlockFull && !isAtEnd {
      isAtEnd = try !content.next { piece in
        let isMarked = !hasBegun && piece.starts(with: ByteOrderMark.utf8)
        hasBegun = true
        assembler.append(
          isMarked
            ? UnsafeRawBufferPointer(rebasing: piece[ByteOrderMark.utf8.count...]) : piece)
      }
    }
    if isAtEnd { assembler.finishLine() }
    return assembler.takeBlock()
  }

  func takeDroppedLines() -> [LineAssembler.DroppedLine] { assembler.takeDroppedLines() }
}
