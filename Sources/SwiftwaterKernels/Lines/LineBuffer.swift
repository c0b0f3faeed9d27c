import SwiftwaterCore

/// Lines of text, one behind the other with their ends, on their way into a file.
public final class LineBuffer {
  /// So many bytes are worth a call of whoever writes them.
  public static let enough = 1 << 18

  private var memory: UnsafeMutableRawPointer
  private var capacity: Int
  public private(set) var count = 0

  public init() {
    // Most outputs of a short batch have no more.
    capacity = 1 << 14
    memory = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { memory.deallocate() }

  public var isFull: Bool { count >= Self.enough }

  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    // SAFETY: `count` bytes are written, and the memory lives as long as `self`.
    try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: memory, count: count))
    }
  }

  public func removeAll() { count = 0 }

  /// Takes back what was written behind so many bytes.
  func cut(to count: Int) { self.count = min(count, self.count) }

  /// Room for so many bytes more.
  @inline(__always)
  private func room(for bytes: Int) -> UnsafeMutableRawPointer {
    if count + bytes > capacity { grow(by: bytes) }
    return memory + count
  }

  @inline(never)
  private func grow(by bytes: Int) {
    capacity = max(capacity * 2, count + bytes)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    larger.copyMemory(from: memory, byteCount: count)
    memory.deallocate()
    memory = larger
  }

  // MARK: Parts of lines

  @inline(__always)
  func append(_ byte: UInt8) {
    // SAFETY: there is room for it, as for what the functions below write.
    room(for: 1).storeBytes(of: byte, as: UInt8.self)
    count += 1
  }

  @inline(__always)
  func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    room(for: length).copyMemory(from: text.utf8Start, byteCount: length)
    count += length
  }

  @inline(__always)
  func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    room(for: bytes.count).copyMemory(from: start, byteCount: bytes.count)
    count += bytes.count
  }

  @inline(__always)
  func append(_ value: Int64) {
    count += PythonNumber.write(value, to: room(for: 32).assumingMemoryBound(to: UInt8.self))
  }

  @inline(__always)
  func append(_ value: Double) {
    count += PythonNumber.write(value, to: room(for: 40).assumingMemoryBound(to: UInt8.self))
  }

  /// `\x1b`, for a byte of two hexadecimal digits.
  func appendEscape(_ byte: UInt8) {
    append("\\x")
    for digit in [byte >> 4, byte & 15] {
      append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }

  // MARK: Lines

  /// A whole line, without its end.
  @inline(__always)
  public func appendLine(_ bytes: UnsafeRawBufferPointer) {
    let output = room(for: bytes.count + 1)
    if let start = bytes.baseAddress { output.copyMemory(from: start, byteCount: bytes.count) }
    output.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: bytes.count, as: UInt8.self)
    count += bytes.count + 1
  }

  /// Lines of a block from number `first` on, until there is enough.
  ///
  /// - Returns: the first line that is left, or `end`.
  public func append(_ block: TextBlock, from first: Int, to end: Int) -> Int {
    block.withBytes { bytes in
      block.lines.withUnsafeBufferPointer { lines in
        var line = first
        while line < end, !isFull {
          // Lines that lie one behind the other are copied together, with their ends.
          let start = Int(lines[line].start)
          var next = line
          var stop = start
          while next < end, Int(lines[next].start) == stop, stop - start + count < Self.enough {
            let lineEnd = Int(lines[next].end)
            guard lineEnd < bytes.count, bytes[lineEnd] == UInt8(ascii: "\n") else { break }
            stop = lineEnd + 1
            next += 1
          }
          if next > line {
            append(UnsafeRawBufferPointer(rebasing: bytes[start..<stop]))
            line = next
          } else {
            appendLine(UnsafeRawBufferPointer(rebasing: bytes[start..<Int(lines[line].end)]))
            line += 1
          }
        }
        return line
      }
    }
  }
}
