import DequeModule
import SwiftwaterCore

/// Which position of a receiver is reached when a block is closed: a state machine that is told of lines
/// and blocks. Never ahead of what is in blocks.
struct PositionMarks {
  /// The position, and how many lines are in blocks when it is reached.
  private var marks: Deque<(lines: Int, position: SourcePosition)> = []
  private var closedLines = 0
  /// The latest position up to which everything is in closed blocks, or was dropped.
  private(set) var reached: SourcePosition?
  /// What the positions take that are not reached, in bytes: where each line has one, that is more than
  /// its text.
  private(set) var byteCount = 0

  /// - Parameters:
  ///   - pendingLines: complete ones that are in no block.
  ///   - hasOpenLine: another one has begun.
  mutating func note(_ position: SourcePosition, pendingLines: Int, hasOpenLine: Bool) {
    let lines = closedLines + pendingLines + (hasOpenLine ? 1 : 0)
    // Of positions that are reached together the last one counts.
    while let last = marks.last, last.lines >= lines {
      byteCount -= Self.size(of: marks.removeLast())
    }
    marks.append((lines, position))
    byteCount += Self.size(of: (lines, position))
    advance()
  }

  /// A line that had begun was dropped: no position waits for it any more.
  mutating func linesDropped(pendingLines: Int, hasOpenLine: Bool) {
    let lines = closedLines + pendingLines + (hasOpenLine ? 1 : 0)
    guard let last = marks.last, last.lines > lines else { return }
    byteCount -= Self.size(of: marks.removeLast())
    note(last.position, pendingLines: pendingLines, hasOpenLine: hasOpenLine)
  }

  mutating func blockClosed(lines: Int) {
    closedLines += lines
    advance()
  }

  private mutating func advance() {
    while let next = marks.first, next.lines <= closedLines {
      reached = next.position
      byteCount -= Self.size(of: marks.removeFirst())
    }
  }

  /// A place in the queue, and an array of bytes with its head.
  private static func size(of mark: (lines: Int, position: SourcePosition)) -> Int {
    MemoryLayout<(Int, SourcePosition)>.stride + 48 + mark.position.bytes.count
  }
}
