/// Memory for the bytes of a text block, owned by whoever has it.
public struct TextMemory: @unchecked Sendable {
  // SAFETY (@unchecked Sendable): it is an address and a length; its owner alone uses the memory.

  public let base: UnsafeMutableRawPointer
  public let byteCount: Int

  private static let stock = MemoryStock(
    sizes: (64 << 10)...(2 << 20), mostKept: 4 << 20, free: { $0.deallocate() })

  /// At least `byteCount` bytes, with whatever is in them, until ``release()``.
  public static func allocate(byteCount: Int) -> TextMemory {
    if let (base, byteCount) = stock.take(byteCount, atMost: 2 * byteCount) {
      return TextMemory(base: base, byteCount: byteCount)
    }
    return TextMemory(
      base: .allocate(byteCount: byteCount, alignment: 64), byteCount: byteCount)
  }

  /// Gives the memory up. Nobody may use it afterwards.
  public func release() {
    if !Self.stock.keep(base, byteCount: byteCount) { base.deallocate() }
  }
}
