import Synchronization

/// A block that is kept for later batches: in memory at first and, once that is short, on disk.
///
/// Whoever reads it meanwhile has the block itself, and frees it.
public final class SpillableText: StoredBatch {
  public let recordCount: Int
  /// The bytes of the lines, terminators included.
  public let byteCount: Int
  private let form: Mutex<Form>

  private enum Form {
    case block(TextBlock)
    case spilled(SpilledText)
  }

  public init(_ block: TextBlock) {
    recordCount = block.recordCount
    byteCount = block.byteCount
    form = Mutex(.block(block))
  }

  public func loaded() throws -> any RecordBatch {
    switch form.withLock({ $0 }) {
    case .block(let block): block
    case .spilled(let text): try text.loaded()
    }
  }

  /// The block has been worked on: it counts as kept, and its receiver may read on.
  public func giveUpLease() {
    if case .block(let block) = form.withLock({ $0 }) { block.giveUpLease() }
  }

  /// Puts the lines on disk, where they are not there yet.
  ///
  /// - Throws: ``EngineError`` (`unavailable`) when they cannot be written; they stay in memory then.
  public func spill() throws {
    guard case .block(let block) = form.withLock({ $0 }) else { return }
    let text = try block.spilled()
    let old = form.withLock { form -> Form in
      defer { form = .spilled(text) }
      return form
    }
    // The block goes outside of the lock: a receiver may be waiting for its share.
    withExtendedLifetime(old) {}
  }
}

extension TextBlock {
  /// On disk, where memory is short: a receiver's budget gets the block's share back.
  public func spillingIfShort() throws -> any RecordBatch {
    giveUpLease()
    return SpillStore.shared.isOverLimit(adding: recordCount) ? try spilled() : self
  }

  /// The same lines on disk.
  fileprivate func spilled() throws -> SpilledText {
    let content = try withBytes { try SpillStore.shared.write($0) }
    let spans = try lines.withUnsafeBytes { try SpillStore.shared.write($0) }
    return SpilledText(recordCount: recordCount, isASCII: isASCII, content: content, spans: spans)
  }
}

/// A text block on disk.
private struct SpilledText: StoredBatch {
  let recordCount: Int
  let isASCII: Bool
  let content: SpilledBytes
  let spans: SpilledBytes

  func loaded() throws -> any RecordBatch {
    let memory = TextMemory.allocate(byteCount: content.count + TextBlock.padding)
    do {
      try content.read(
        into: UnsafeMutableRawBufferPointer(start: memory.base, count: content.count))
      let lines = try [TextBlock.LineSpan](unsafeUninitializedCapacity: recordCount) {
        lines, count in
        // SAFETY: the spans were written from an array of `recordCount` of them.
        try spans.read(into: UnsafeMutableRawBufferPointer(lines))
        count = recordCount
      }
      // The padding is read by wide loads, whatever is in it.
      (memory.base + content.count).initializeMemory(
        as: UInt8.self, repeating: 0, count: TextBlock.padding)
      return TextBlock(adopting: memory, byteCount: content.count, lines: lines, isASCII: isASCII)
    } catch {
      memory.release()
      throw error
    }
  }
}
