import CKernels
import SwiftwaterCore

/// Dividing texts into their parts.
///
/// Separators are found for 64 bytes at a time, as a word of bits (Langdale, Lemire, "Parsing
/// gigabytes of JSON per second", 2019, do so with brackets and quotes); where the rows are lines of
/// a block, for all lines at once. No byte is looked at on its own.
enum Split {
  /// The parts between occurrences of a byte below 128, empty ones included: Python's
  /// `text.split(separator)`.
  ///
  /// - Parameter fields: which parts of each text are wanted; nil for all.
  static func at(
    _ separator: UInt8, _ column: TextColumn, fields: WantedFields? = nil
  ) -> ListColumn {
    if let lines = AdjacentLines(column) {
      return fields.map { lines.first($0, at: separator) } ?? lines.split(at: separator)
    }
    return rowByRow(column) { bytes, emit in
      var start = 0
      var left = fields?.count ?? .max
      while left > 0,
        let index = findByte(separator, in: UnsafeRawBufferPointer(rebasing: bytes[start...]))
      {
        emit(start, start + index)
        start += index + 1
        left -= 1
      }
      if left > 0 { emit(start, bytes.count) }
    }
  }

  /// The parts between occurrences of a text of any length but 0, at most `most` + 1 of them.
  static func at(
    _ separator: [UInt8], most: Int, _ column: TextColumn, fields: WantedFields? = nil
  ) -> ListColumn {
    precondition(!separator.isEmpty)
    if separator.count == 1, most == .max { return at(separator[0], column, fields: fields) }
    return separator.withUnsafeBytes { separator in
      rowByRow(column) { bytes, emit in
        var start = 0
        var left = most
        while left > 0, let index = PythonText.find(separator, in: bytes, from: start) {
          emit(start, index)
          start = index + separator.count
          left -= 1
        }
        emit(start, bytes.count)
      }
    }
  }

  /// The parts between white space: Python's `text.split()`.
  static func atSpace(most: Int, _ column: TextColumn) -> ListColumn {
    if most == .max, column.isASCII, let lines = AdjacentLines(column) {
      return lines.splitAtSpace()
    }
    return rowByRow(column) { bytes, emit in
      PythonText.forEachWord(in: bytes, splits: most == .max ? -1 : most) {
        emit($0.lowerBound, $0.upperBound)
      }
    }
  }

  /// Asks `parts` for the parts of each row, as ranges of its bytes.
  private static func rowByRow(
    _ column: TextColumn,
    _ parts: (UnsafeRawBufferPointer, (_ start: Int, _ end: Int) -> Void) -> Void
  ) -> ListColumn {
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(column.count + 1)
    var views: [TextView] = []
    views.reserveCapacity(column.count * 4)
    column.withRows { rows in
      for row in 0..<rows.count {
        parts(rows[row]) { start, end in
          views.append(rows.part(row, from: start, count: end - start))
        }
        offsets.append(UInt32(truncatingIfNeeded: views.count))
      }
    }
    return ListColumn(
      offsets: offsets,
      items: .text(TextColumn(views: views, buffers: column.buffers, isASCII: column.isASCII)))
  }
}

/// Some of the parts of a text.
struct WantedFields: Sendable {
  /// Parts with this number, and beyond it, are not told apart.
  static let most: Int64 = 64

  /// Bit `i` stands for part `i`.
  private(set) var bits: UInt64 = 0

  mutating func insert(_ part: Int) { bits |= 1 << UInt64(part) }

  /// Up to the last of them.
  var count: Int { 64 - bits.leadingZeroBitCount }
}

/// The lines of one block where one byte lies between each two: their bytes are one stretch of
/// memory in which line ends are separators too.
private struct AdjacentLines {
  private let column: TextColumn
  private let block: TextBlock
  private let range: Range<Int>
  /// The place of the first byte in the block, and how many bytes there are.
  private let start: Int
  private let count: Int

  init?(_ column: TextColumn) {
    guard let (block, range) = column.lines, !range.isEmpty, column.buffers.count == 1 else {
      return nil
    }
    let isAdjacent = block.lines.withUnsafeBufferPointer { lines in
      var gaps = true
      for index in range.dropLast() {
        gaps = gaps && lines[index + 1].start &- lines[index].end == 1
      }
      return gaps
    }
    guard isAdjacent else { return nil }
    self.column = column
    self.block = block
    self.range = range
    start = Int(block.lines[range.lowerBound].start)
    count = Int(block.lines[range.upperBound - 1].end) - start
  }

  /// Words of bits with one for the place behind the last byte too.
  private var wordCount: Int { count / 64 + 1 }

  func split(at separator: UInt8) -> ListColumn {
    withBits({ sw_match($0, $1, separator, $2) }) { base, bits in
      // Every bit ends a part, and every part is ended by one.
      let total = sw_count_bits(bits.baseAddress!, bits.count)
      let views = Buffer<TextView>(unsafeUninitializedCapacity: total) { views, used in
        // SAFETY: there is room for a view a bit, and behind the block's bytes 64 more are readable.
        used = sw_views(
          base.assumingMemoryBound(to: UInt8.self), bits.baseAddress!, bits.count,
          UInt32(truncatingIfNeeded: start), views.baseAddress!)
      }
      return list(views, offsets: offsets(bits))
    }
  }

  /// The parts of each line up to the last that is wanted, or as many as there are; what lies between
  /// those that are wanted is left empty.
  func first(_ fields: WantedFields, at separator: UInt8) -> ListColumn {
    withBits({ sw_match($0, $1, separator, $2) }) { base, bits in
      block.lines.withUnsafeBufferPointer { lines in
        var offsets: Buffer<UInt32> = []
        let views = Buffer<TextView>(unsafeUninitializedCapacity: range.count * fields.count) {
          views, used in
          offsets = Buffer<UInt32>(unsafeUninitializedCapacity: range.count + 1) { offsets, rows in
            offsets[0] = 0
            var output = views.baseAddress!
            for (row, line) in lines[range].enumerated() {
              var begin = Int(line.start) - start
              let lineEnd = Int(line.end) - start
              var number = begin >> 6
              var word = bits[number] & (UInt64.max << UInt64(begin & 63))
              var wanted = fields.bits
              while wanted != 0 {
                // The line's end has a bit: there is one.
                while word == 0 {
                  number &+= 1
                  word = bits[number]
                }
                let end = number &<< 6 &+ word.trailingZeroBitCount
                word &= word &- 1
                output.initialize(to: wanted & 1 == 1 ? view(base, begin, end) : .empty)
                output += 1
                wanted >>= 1
                if end == lineEnd { break }
                begin = end &+ 1
              }
              offsets[row + 1] = UInt32(truncatingIfNeeded: output - views.baseAddress!)
            }
            rows = range.count + 1
            used = output - views.baseAddress!
          }
        }
        return list(views, offsets: offsets)
      }
    }
  }

  func splitAtSpace() -> ListColumn {
    withBits({ sw_match_space($0, $1, $2) }) { base, bits in
      var offsets: [UInt32] = [0]
      offsets.reserveCapacity(range.count + 1)
      var most = 0
      for word in bits { most += word.nonzeroBitCount }
      let views = Buffer<TextView>(unsafeUninitializedCapacity: most) { views, used in
        block.lines.withUnsafeBufferPointer { lines in
          var begin = 0
          var line = range.lowerBound
          var lineEnd = Int(lines[line].end) - start
          for (number, word) in bits.enumerated() {
            var word = word
            while word != 0 {
              let end = number &<< 6 &+ word.trailingZeroBitCount
              word &= word &- 1
              if end > begin {
                (views.baseAddress! + used).initialize(to: view(base, begin, end))
                used += 1
              }
              begin = end &+ 1
              if end == lineEnd {
                offsets.append(UInt32(truncatingIfNeeded: used))
                line += 1
                lineEnd = line < range.upperBound ? Int(lines[line].end) - start : -1
              }
            }
          }
        }
      }
      return list(views, offsets: Buffer(offsets))
    }
  }

  private func list(_ views: Buffer<TextView>, offsets: Buffer<UInt32>) -> ListColumn {
    ListColumn(
      offsets: offsets,
      items: .text(TextColumn(views: views, buffers: column.buffers, isASCII: column.isASCII)))
  }

  @inline(__always)
  private func view(_ base: UnsafeRawPointer, _ begin: Int, _ end: Int) -> TextView {
    // SAFETY: a part lies in the block, behind whose bytes `padding` more are readable.
    TextView(base + begin, count: end &- begin, buffer: 0, offset: start &+ begin)
  }

  /// Calls `body` with the lines' first byte, and the bits of what `match` finds and of line ends.
  private func withBits<R>(
    _ match: (UnsafePointer<UInt8>, Int, UnsafeMutablePointer<UInt64>) -> Void,
    _ body: (UnsafeRawPointer, UnsafeBufferPointer<UInt64>) -> R
  ) -> R {
    block.withBytes { bytes in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: wordCount) { bits in
        // SAFETY: behind the block's bytes 64 more are readable, which the last word may cover.
        let base = bytes.baseAddress! + start
        match(base.assumingMemoryBound(to: UInt8.self), wordCount * 64, bits.baseAddress!)
        // What lies behind the lines is not theirs.
        bits[wordCount - 1] &= (1 << UInt64(count % 64)) - 1
        block.lines.withUnsafeBufferPointer { lines in
          for index in range {
            let end = Int(lines[index].end) - start
            bits[end >> 6] |= 1 << UInt64(end & 63)
          }
        }
        return body(base, UnsafeBufferPointer(bits))
      }
    }
  }

  /// For each line how many bits there are up to its end, behind a 0.
  private func offsets(_ bits: UnsafeBufferPointer<UInt64>) -> Buffer<UInt32> {
    block.lines.withUnsafeBufferPointer { lines in
      Buffer<UInt32>(unsafeUninitializedCapacity: range.count + 1) { offsets, used in
        offsets[0] = 0
        // SAFETY: a line is two numbers of 32 bits, and its end has a bit.
        lines.baseAddress!.withMemoryRebound(to: UInt32.self, capacity: lines.count * 2) { lines in
          sw_ranks(
            bits.baseAddress!, lines + range.lowerBound * 2, range.count,
            UInt32(truncatingIfNeeded: start), offsets.baseAddress! + 1)
        }
        used = range.count + 1
      }
    }
  }
}
