/// Memory that the engine allocates for a buffer, in one piece with the object that owns it: where
/// the last user lets go of the object, the memory goes too.
@usableFromInline
final class OwnMemory: ManagedBuffer<Int, UInt8> {
  /// Where the first byte of each buffer lies: as Arrow recommends, and no vector load crosses a line
  /// of the cache.
  static let alignment = 64

  /// Readable bytes behind each buffer.
  static let padding = TextBlock.padding

  /// - Returns: `byteCount` writable bytes with whatever is in them, ``padding`` more behind them,
  ///   and what they live as long as.
  @usableFromInline
  static func allocate(byteCount: Int) -> (base: UnsafeMutableRawPointer, owner: AnyObject) {
    // The tail of an object begins anywhere: up to 63 bytes are skipped.
    let owner = OwnMemory.create(minimumCapacity: byteCount + padding + alignment) { _ in
      byteCount
    }
    let base = owner.withUnsafeMutablePointerToElements {
      UnsafeMutableRawPointer($0).alignedUp(toMultipleOf: alignment)
    }
    return (base, owner)
  }
}

/// Memory that somebody else has made: given back when the last user lets go of this object.
final class AdoptedMemory: Sendable {
  let byteCount: Int
  private let release: @Sendable () -> Void

  init(byteCount: Int, release: @escaping @Sendable () -> Void) {
    self.byteCount = byteCount
    self.release = release
  }

  deinit { release() }
}

/// A buffer's memory in the hands of somebody who does not count references of Swift's: what a
/// structure of Arrow's C interface keeps as its private data until its release function is called.
public struct LentMemory: @unchecked Sendable {
  // SAFETY (@unchecked Sendable): the memory is not written while it is lent.

  public let base: UnsafeRawPointer
  public let byteCount: Int
  /// For ``giveBack(_:)``, from any thread, exactly once. The memory is valid until then.
  public let owner: UnsafeMutableRawPointer

  init(base: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.base = base
    self.byteCount = byteCount
    self.owner = Unmanaged.passRetained(owner).toOpaque()
  }

  /// Ends the loan.
  ///
  /// SAFETY: `owner` is of a loan that has not ended.
  public static func giveBack(_ owner: UnsafeMutableRawPointer) {
    Unmanaged<AnyObject>.fromOpaque(owner).release()
  }
}
