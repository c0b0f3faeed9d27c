import SwiftwaterCore

/// The rows of a column as lines: `str(record)`, as Python gives it. Used by one thread.
public final class ColumnLines {
  private let column: Column
  /// Adds the text of a row. False: that is Python's.
  private typealias Writer = (_ row: Int, _ output: LineBuffer) -> Bool
  /// Nil for a column of text, whose rows are the lines.
  private let writer: Writer?

  public init(_ column: Column) {
    self.column = column
    if case .text = column {
      writer = nil
    } else {
      writer = Self.writer(of: column, isInside: false)
    }
  }

  /// Rows from `first` on, until there is enough, or one whose text is Python's.
  ///
  /// - Returns: the first row that is left, or the number of all.
  public func append(from first: Int, to output: LineBuffer) -> Int {
    guard let writer else { return appendText(from: first, to: output) }
    var row = first
    let count = column.count
    while row < count, !output.isFull {
      let start = output.count
      guard writer(row, output) else {
        output.cut(to: start)
        break
      }
      output.append(UInt8(ascii: "\n"))
      row += 1
    }
    return row
  }

  private func appendText(from first: Int, to output: LineBuffer) -> Int {
    guard case .text(let texts) = column else { return first }
    if let (block, range) = texts.lines {
      let start = range.lowerBound
      return output.append(block, from: start + first, to: range.upperBound) - start
    }
    return texts.withRows { rows in
      var row = first
      while row < rows.count, !output.isFull {
        output.appendLine(rows[row])
        row += 1
      }
      return row
    }
  }

  /// - Parameter isInside: of a tuple or a list, where a text has quotes.
  private static func writer(of column: Column, isInside: Bool) -> Writer {
    switch column {
    case .none: return { _, output in none(output) }
    case .bool(let bits):
      return { row, output in
        output.append(bits[row] ? "True" : "False")
        return true
      }
    case .integer(let values):
      return { row, output in
        output.append(values[row])
        return true
      }
    case .double(let values):
      return { row, output in
        output.append(values[row])
        return true
      }
    case .text(let texts): return writer(of: texts, isInside: isInside)
    case .tuple(let items, _):
      let writers = items.map { writer(of: $0, isInside: true) }
      return { row, output in
        output.append(UInt8(ascii: "("))
        for (index, writer) in writers.enumerated() {
          if index > 0 { output.append(", ") }
          guard writer(row, output) else { return false }
        }
        output.append(writers.count == 1 ? ",)" : ")")
        return true
      }
    case .list(let lists):
      let writer = writer(of: lists.items, isInside: true)
      return { row, output in
        output.append(UInt8(ascii: "["))
        let places = Int(lists.offsets[row])..<Int(lists.offsets[row + 1])
        for place in places {
          if place > places.lowerBound { output.append(", ") }
          guard writer(place, output) else { return false }
        }
        output.append(UInt8(ascii: "]"))
        return true
      }
    case .optional(let validity, let values):
      let writer = writer(of: values, isInside: isInside)
      return { row, output in validity[row] ? writer(row, output) : none(output) }
    case .repeated(let value, _):
      let writer = writer(of: value, isInside: isInside)
      return { _, output in writer(0, output) }
    }
  }

  private static func none(_ output: LineBuffer) -> Bool {
    output.append("None")
    return true
  }

  private static func writer(of texts: TextColumn, isInside: Bool) -> Writer {
    let bases = texts.buffers.map { UnsafeRawPointer($0.base) }
    return { row, output in
      // SAFETY: `texts` holds the buffers that the addresses are of.
      withExtendedLifetime(texts) {
        bases.withUnsafeBufferPointer { bases in
          texts.views.withUnsafeBufferPointer { views in
            let text = TextRows(views: views, bases: bases)[row]
            if isInside { return appendQuoted(text, to: output) }
            output.append(text)
            return true
          }
        }
      }
    }
  }

  /// `repr(text)`. False where Python must say whether a character can be printed.
  static func appendQuoted(_ text: UnsafeRawBufferPointer, to output: LineBuffer) -> Bool {
    let apostrophe = UInt8(ascii: "'"), quotes = UInt8(ascii: "\""), escape = UInt8(ascii: "\\")
    var isPlain = true
    for byte in text {
      isPlain =
        isPlain && byte &- 0x20 < 0x5F && byte != apostrophe && byte != quotes && byte != escape
    }
    if isPlain {
      output.append(apostrophe)
      output.append(text)
      output.append(apostrophe)
      return true
    }
    let mark = text.contains(apostrophe) && !text.contains(quotes) ? quotes : apostrophe
    output.append(mark)
    var index = 0
    while index < text.count {
      let byte = text[index]
      index += 1
      switch byte {
      case escape, mark:
        output.append(escape)
        output.append(byte)
      case UInt8(ascii: "\n"): output.append("\\n")
      case UInt8(ascii: "\r"): output.append("\\r")
      case UInt8(ascii: "\t"): output.append("\\t")
      case 0x20..<0x7F: output.append(byte)
      case 0..<0x80: output.appendEscape(byte)
      default:
        // SAFETY: valid UTF-8 has as many bytes behind the first one as that says.
        let length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        var point = UInt32(byte) & (0x7F >> UInt32(length))
        for offset in 1..<length { point = point << 6 | UInt32(text[index - 1 + offset] & 0x3F) }
        guard isPrintable(point) else { return false }
        output.append(
          UnsafeRawBufferPointer(rebasing: text[(index - 1)..<(index - 1 + length)]))
        index += length - 1
      }
    }
    output.append(mark)
    return true
  }

  /// True for a character beyond ASCII that every version of Python prints as it is. Of others, and of
  /// many in scripts with gaps, Python's own tables know it.
  static func isPrintable(_ point: UInt32) -> Bool {
    switch point {
    case 0xA1...0xAC, 0xAE...0x377,  // Latin, phonetic letters, accents, the first of Greek
      0x3A3...0x52F,  // Greek, Cyrillic
      0x5D0...0x5EA, 0x620...0x64A,  // Hebrew, Arabic
      0x904...0x939,  // Devanagari
      0x1E00...0x1EFF,  // Latin of Vietnam and others
      0x2010...0x2027, 0x2030...0x205E, 0x20A0...0x20BD,  // marks, currencies
      0x2190...0x23F3, 0x2500...0x26FF,  // arrows, mathematics, frames, symbols
      0x3001...0x303E, 0x3041...0x3096, 0x30A1...0x30FF,  // Japanese
      0x4E00...0x9FCC, 0xAC00...0xD7A3,  // Chinese, Korean
      0xFF01...0xFF60,  // wide forms
      0x1F300...0x1F579, 0x1F5FB...0x1F640:  // pictures
      true
    default: false
    }
  }
}
