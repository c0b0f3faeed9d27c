// The one file of this target that calls the C library.
import CKernels
import Glibc
import SwiftwaterCore

/// The offset of the first `byte` in `bytes`.
func findByte(_ byte: UInt8, in bytes: UnsafeRawBufferPointer) -> Int? {
  guard let start = bytes.baseAddress, !bytes.isEmpty else { return nil }
  // SAFETY: `memchr` reads at most `bytes.count` bytes from `start`.
  guard let found = memchr(start, Int32(byte), bytes.count) else { return nil }
  return UnsafeRawPointer(found) - start
}

/// The order of bytes, as of texts whose UTF-8 they are: below 0, 0, or above.
@inline(__always)
func order(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
  let shared = min(a.count, b.count)
  guard shared > 0, let first = a.baseAddress, let second = b.baseAddress else {
    return a.count - b.count
  }
  // SAFETY: both have `shared` bytes.
  let order = memcmp(first, second, shared)
  return order == 0 ? a.count - b.count : Int(order)
}

/// Zero bytes for tables that are read at random.
enum TableMemory {
  private static let stock = MemoryStock(
    sizes: (64 << 10)...(16 << 20), mostKept: 32 << 20, free: { free($0) })

  /// - Returns: memory for ``release(_:byteCount:)``; nil where there is none.
  static func allocate(byteCount: Int) -> UnsafeMutableRawPointer? {
    guard let (base, _) = stock.take(byteCount, atMost: byteCount) else {
      return sw_table_memory(byteCount)
    }
    memset(base, 0, byteCount)
    return base
  }

  static func release(_ base: UnsafeMutableRawPointer, byteCount: Int) {
    if !stock.keep(base, byteCount: byteCount) { free(base) }
  }
}

/// Memory that becomes larger where it is. Large pieces are pages of their own, which only move: nothing is
/// copied then, and of the room for what may never come nothing is resident.
enum GrowingBytes {
  /// Of larger ones.
  private static let fewestMapped = 1 << 20

  /// - Parameters:
  ///   - base: of earlier memory, which is gone then; nil for none.
  ///   - known: its size; 0 for none.
  /// - Returns: memory for ``release(_:byteCount:)``, with what was in the earlier; aligned to 16 bytes.
  static func resize(
    _ base: UnsafeMutableRawPointer?, from known: Int, to byteCount: Int
  ) -> UnsafeMutableRawPointer {
    guard let memory = resized(base, known, byteCount) else {
      // As Swift does where it cannot allocate: there is nobody who could go on without.
      fatalError("no memory for a table of \(byteCount) bytes")
    }
    return memory
  }

  private static func resized(
    _ base: UnsafeMutableRawPointer?, _ known: Int, _ byteCount: Int
  ) -> UnsafeMutableRawPointer? {
    if byteCount < fewestMapped { return realloc(base, byteCount) }
    if known >= fewestMapped { return sw_pages(base, known, byteCount) }
    let pages = sw_pages(nil, 0, byteCount)
    if let pages, let base {
      // SAFETY: both have `known` bytes, and the new ones are nobody else's.
      memcpy(pages, base, known)
      free(base)
    }
    return pages
  }

  static func release(_ base: UnsafeMutableRawPointer, byteCount: Int) {
    if byteCount < fewestMapped { free(base) } else { munmap(base, byteCount) }
  }
}

/// What kind of text some bytes are.
enum UTF8Validity {
  case ascii
  case valid
  case invalid
}

func utf8Validity(of bytes: UnsafeRawBufferPointer) -> UTF8Validity {
  if isASCII(bytes) { return .ascii }
  let isValid = sw_is_utf8(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count)
  return isValid == 1 ? .valid : .invalid
}

/// True where every byte is below 128. Reads 64 bytes a step.
public func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var index = 0
  while index + 64 <= bytes.count {
    let block = bytes.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self)
    if (block & 0x8080_8080_8080_8080) != .zero { return false }
    index += 64
  }
  while index < bytes.count {
    if bytes[index] >= 0x80 { return false }
    index += 1
  }
  return true
}
