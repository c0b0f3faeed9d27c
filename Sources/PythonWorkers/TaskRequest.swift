import SwiftwaterCore

/// What comes with a task: the partitions of its nodes, and the first batch of its first input where that was
/// at hand. Integers of eight bytes: the number of partitions, these, how the batch is written (-1: there is
/// none), its records, 1 where it is the last one; then the batch.
struct TaskRequest {
  let partitions: [Int]
  private let words: [Int]
  private let first: BatchCodec.Part?

  init(_ partitions: [Int], first: BatchCodec.Part?, isLast: Bool) {
    self.partitions = partitions
    self.first = first
    words =
      [partitions.count] + partitions
      + [first?.form.rawValue ?? -1, first?.count ?? 0, isLast ? 1 : 0]
  }

  var byteCount: Int { words.count * 8 + (first?.byteCount ?? 0) }

  /// Writes so many bytes.
  func write(to memory: UnsafeMutableRawPointer) {
    words.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    first?.write(memory + words.count * 8)
  }

  /// What a worker reads.
  struct Received {
    let partitions: [Int]
    /// The batch as it is written; nil where there is none.
    let first: (form: Int, count: Int, bytes: UnsafeRawBufferPointer)?
    let isLast: Bool
  }

  /// - Returns: what is there as long as `bytes` are.
  /// - Throws: ``EngineError`` (`illegalState`) where they are no request.
  static func read(_ bytes: UnsafeRawBufferPointer) throws -> Received {
    var read = 0
    func integer() throws -> Int {
      guard bytes.count - read >= 8 else {
        throw EngineError.illegalState("a task from another process is damaged")
      }
      defer { read += 8 }
      return bytes.loadUnaligned(fromByteOffset: read, as: Int.self)
    }
    let partitionCount = try integer()
    guard (0...bytes.count / 8).contains(partitionCount) else {
      throw EngineError.illegalState("a task from another process is damaged")
    }
    let partitions = try (0..<partitionCount).map { _ in try integer() }
    let (form, count, isLast) = (try integer(), try integer(), try integer() == 1)
    if form < 0 { return Received(partitions: partitions, first: nil, isLast: false) }
    return Received(
      partitions: partitions,
      first: (form, count, UnsafeRawBufferPointer(rebasing: bytes[read...])), isLast: isLast)
  }
}
