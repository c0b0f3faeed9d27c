import SwiftwaterCore

extension Frame {
  func ofText(_ node: Node) -> Column {
    let inputs = node.inputs.map { column($0) }
    switch node.operation {
    case .length: return .integer(length(inputs[0]))
    case .splitSpace(let most): return .list(Split.atSpace(most: most, texts(inputs[0])))
    case .split(let most):
      return .list(
        split(texts(inputs[0]), at: inputs[1], most: most, fields: wantedFields(of: node)))
    case .strip(let ends, let characters):
      return .text(strip(texts(inputs[0]), ends, characters))
    case .changeCase(let change): return .text(changeCase(texts(inputs[0]), change))
    case .startsWith(let affixes):
      return .bool(
        test(texts(inputs[0]), affixes) { bytes, affix in
          bytes.count >= affix.count
            && equalBytes(UnsafeRawBufferPointer(rebasing: bytes[..<affix.count]), affix)
        })
    case .endsWith(let affixes):
      return .bool(
        test(texts(inputs[0]), affixes) { bytes, affix in
          bytes.count >= affix.count
            && equalBytes(
              UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - affix.count)...]), affix)
        })
    case .contains:
      let texts = texts(inputs[0])
      return .bool(
        texts.withRows { rows in
          withNeedles(inputs[1]) { needle in
            Bitmap(count: count) { row in
              let needle = needle(row)
              return PythonText.find(needle, in: rows[row]) != nil
            }
          }
        })
    case .find: return .integer(Buffer(find(texts(inputs[0]), inputs[1])))
    case .occurrences: return .integer(Buffer(occurrences(texts(inputs[0]), inputs[1])))
    case .replace(let old, let new): return .text(replace(texts(inputs[0]), old, new))
    case .hasOnly(let kind): return .bool(hasOnly(texts(inputs[0]), kind))
    case .concatenate: return .text(concatenate(inputs))
    case .joinList: return .text(join(lists(inputs[1]), separator: texts(inputs[0])))
    case .textItem: return .text(item(of: texts(inputs[0]), integers(inputs[1])))
    case .slice(let hasStart, let hasEnd):
      return .text(
        slice(
          texts(inputs[0]), hasStart ? integers(inputs[1]) : nil,
          hasEnd ? integers(inputs[2]) : nil))
    default: preconditionFailure("not an operation on text")
    }
  }

  /// Calls `body` with a function that gives a row's needle.
  private func withNeedles<R>(
    _ column: Column, _ body: ((Int) -> UnsafeRawBufferPointer) -> R
  ) -> R {
    if let constant = constantText(column) {
      return constant.withUnsafeBytes { bytes in body { _ in bytes } }
    }
    return texts(column).withRows { rows in body { rows[$0] } }
  }

  private func length(_ column: Column) -> Buffer<Int64> {
    if case .list = column.type {
      let lists = lists(column)
      return lists.offsets.withUnsafeBufferPointer { offsets in
        Buffer((0..<lists.count).map { Int64(offsets[$0 + 1] - offsets[$0]) })
      }
    }
    let texts = texts(column)
    if texts.isASCII { return Buffer(texts.views.map { Int64($0.count) }) }
    return texts.withRows { rows in
      Buffer((0..<rows.count).map { Int64(PythonText.codePointCount(rows[$0])) })
    }
  }

  /// - Parameter fields: which parts of each are wanted; nil for all.
  private func split(
    _ texts: TextColumn, at separator: Column, most: Int, fields: WantedFields?
  ) -> ListColumn {
    if let constant = constantText(separator) {
      if !constant.isEmpty { return Split.at(constant, most: most, texts, fields: fields) }
      flagAll()
      return Split.at(0, texts)
    }
    // Row by row, each with its separator.
    var offsets: [UInt32] = [0]
    var parts: [Column] = []
    withNeedles(separator) { separators in
      for row in 0..<count {
        let bytes = Array(separators(row))
        if bytes.isEmpty { flag(row) }
        let part = Split.at(
          bytes.isEmpty ? [0] : bytes, most: most, texts.sliced(row..<(row + 1)))
        parts.append(part.items)
        offsets.append(offsets.last! + UInt32(truncatingIfNeeded: part.items.count))
      }
    }
    return ListColumn(offsets: offsets, items: parts.isEmpty ? .empty(.text) : .concatenated(parts))
  }

  // MARK: - Parts of texts

  private func strip(_ texts: TextColumn, _ ends: Ends, _ characters: [UInt8]?) -> TextColumn {
    var wanted = Bitmap(repeating: false, count: 128)
    for byte in characters ?? [] { wanted[Int(byte)] = true }
    let views = texts.withRows { rows in
      (0..<rows.count).map { row -> TextView in
        let bytes = rows[row]
        var (start, end) = (0, bytes.count)
        if characters == nil {
          if ends != .left { end = PythonText.endOfLastNonSpace(in: bytes) }
          if ends != .right { start = min(PythonText.firstNonSpace(in: bytes), end) }
        } else {
          // Bytes of other characters are never below 128.
          if ends != .left {
            while end > 0, bytes[end - 1] < 128, wanted[Int(bytes[end - 1])] { end -= 1 }
          }
          if ends != .right {
            while start < end, bytes[start] < 128, wanted[Int(bytes[start])] { start += 1 }
          }
        }
        return rows.part(row, from: start, count: end - start)
      }
    }
    return TextColumn(views: views, buffers: texts.buffers, isASCII: texts.isASCII)
  }

  private func item(of texts: TextColumn, _ indices: Operand<Int64>) -> TextColumn {
    let views = texts.withRows { rows in
      (0..<rows.count).map { row -> TextView in
        let characters = Characters(rows[row], isASCII: texts.isASCII)
        var index = indices.values[row * indices.step]
        if index < 0 { index &+= Int64(characters.count) }
        guard index >= 0, index < characters.count else {
          flag(row)
          return .empty
        }
        let places = characters.places(Int(index), Int(index) + 1)
        return rows.part(row, from: places.lowerBound, count: places.count)
      }
    }
    return TextColumn(views: views, buffers: texts.buffers, isASCII: texts.isASCII)
  }

  private func slice(
    _ texts: TextColumn, _ from: Operand<Int64>?, _ to: Operand<Int64>?
  ) -> TextColumn {
    let views = texts.withRows { rows in
      (0..<rows.count).map { row -> TextView in
        let characters = Characters(rows[row], isASCII: texts.isASCII)
        let count = Int64(characters.count)
        // Python: from the end where negative, and cut to what there is.
        func bound(_ operand: Operand<Int64>?, _ missing: Int64) -> Int64 {
          guard let operand else { return missing }
          let value = operand.values[row * operand.step]
          return value < 0 ? max(0, value < -count ? 0 : value + count) : min(value, count)
        }
        let (start, end) = (bound(from, 0), bound(to, count))
        if start >= end { return .empty }
        let places = characters.places(Int(start), Int(end))
        return rows.part(row, from: places.lowerBound, count: places.count)
      }
    }
    return TextColumn(views: views, buffers: texts.buffers, isASCII: texts.isASCII)
  }

  // MARK: - Searching

  private func test(
    _ texts: TextColumn, _ affixes: [String],
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
  ) -> Bitmap {
    let affixes = affixes.map { Array($0.utf8) }
    return texts.withRows { rows in
      Bitmap(count: rows.count) { row in
        affixes.contains { affix in affix.withUnsafeBytes { body(rows[row], $0) } }
      }
    }
  }

  private func find(_ texts: TextColumn, _ needle: Column) -> [Int64] {
    texts.withRows { rows in
      withNeedles(needle) { needles in
        (0..<rows.count).map { row in
          let (bytes, needle) = (rows[row], needles(row))
          let place =
            texts.isASCII
            ? PythonText.find(needle, in: bytes) : PythonText.findCodePoint(needle, in: bytes)
          return Int64(place ?? -1)
        }
      }
    }
  }

  private func occurrences(_ texts: TextColumn, _ needle: Column) -> [Int64] {
    texts.withRows { rows in
      withNeedles(needle) { needles in
        (0..<rows.count).map { row in
          let (bytes, needle) = (rows[row], needles(row))
          let number = PythonText.count(needle, in: bytes)
          return Int64(number ?? PythonText.codePointCount(bytes) + 1)
        }
      }
    }
  }

  private func hasOnly(_ texts: TextColumn, _ kind: CharacterKind) -> Bitmap {
    texts.withRows { rows in
      Bitmap(count: rows.count) { row in
        let bytes = rows[row]
        let answer =
          switch kind {
          case .digits: PythonText.isDigits(bytes)
          case .letters: PythonText.isAlpha(bytes)
          case .lettersAndDigits: PythonText.isAlphanumeric(bytes)
          case .spaces: PythonText.isSpace(bytes)
          case .upper: PythonText.isUpper(bytes)
          case .lower: PythonText.isLower(bytes)
          }
        if answer == nil { flag(row) }
        return answer ?? false
      }
    }
  }

  // MARK: - New texts

  private func changeCase(_ texts: TextColumn, _ change: CaseChange) -> TextColumn {
    var builder = TextBuilder(rows: count)
    texts.withRows { rows in
      for row in 0..<rows.count {
        let bytes = rows[row]
        guard texts.isASCII || isASCII(bytes) else {
          flag(row)
          builder.append(UnsafeRawBufferPointer(start: nil, count: 0), isASCII: true)
          continue
        }
        builder.append(count: bytes.count, isASCII: true) { output in
          for index in 0..<bytes.count {
            let byte = bytes[index]
            let changes = change == .lower ? byte.isUpper : byte.isLower
            output[index] = changes ? byte ^ 0x20 : byte
          }
        }
      }
    }
    return builder.finish()
  }

  private func concatenate(_ columns: [Column]) -> TextColumn {
    let parts = columns.map { texts($0) }
    let isASCII = parts.allSatisfy(\.isASCII)
    var builder = TextBuilder(rows: count)
    func add(_ row: Int, _ rows: [TextRows]) {
      let total = rows.reduce(0) { $0 + $1.views[row].count }
      guard total <= longestText else {
        flag(row)
        return builder.append(UnsafeRawBufferPointer(start: nil, count: 0), isASCII: true)
      }
      builder.append(count: total, isASCII: isASCII) { output in
        var place = 0
        for part in rows {
          let bytes = part[row]
          UnsafeMutableRawBufferPointer(rebasing: output[place...]).copyMemory(from: bytes)
          place += bytes.count
        }
      }
    }
    withAllRows(parts[...], []) { rows in for row in 0..<count { add(row, rows) } }
    return builder.finish()
  }

  private func withAllRows(
    _ columns: ArraySlice<TextColumn>, _ rows: [TextRows], _ body: ([TextRows]) -> Void
  ) {
    guard let first = columns.first else { return body(rows) }
    first.withRows { withAllRows(columns.dropFirst(), rows + [$0], body) }
  }

  private func replace(_ texts: TextColumn, _ old: String, _ new: String) -> TextColumn {
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    let isASCII = texts.isASCII && new.allSatisfy { $0 < 0x80 }
    var builder = TextBuilder(rows: count)
    var result: [UInt8] = []
    texts.withRows { rows in
      old.withUnsafeBytes { old in
        for row in 0..<rows.count {
          let bytes = rows[row]
          result.removeAll(keepingCapacity: true)
          _ = new.withUnsafeBytes { new in
            PythonText.replace(old, with: new, in: bytes) { result.append(contentsOf: $0) }
          }
          if result.count > longestText {
            flag(row)
            result = []
          }
          result.withUnsafeBytes { builder.append($0, isASCII: isASCII) }
        }
      }
    }
    return builder.finish()
  }

  private func join(_ lists: ListColumn, separator: TextColumn) -> TextColumn {
    let items = texts(lists.items)
    let isASCII = items.isASCII && separator.isASCII
    var builder = TextBuilder(rows: count)
    var result: [UInt8] = []
    items.withRows { items in
      separator.withRows { separators in
        for row in 0..<count {
          result.removeAll(keepingCapacity: true)
          for place in lists.offsets[row]..<lists.offsets[row + 1] {
            if place > lists.offsets[row] { result.append(contentsOf: separators[row]) }
            result.append(contentsOf: items[Int(place)])
          }
          if result.count > longestText {
            flag(row)
            result = []
          }
          result.withUnsafeBytes { builder.append($0, isASCII: isASCII) }
        }
      }
    }
    return builder.finish()
  }
}

/// The longest text in a column, in bytes: longer ones are Python's.
private let longestText = 1 << 29

/// The characters of a text by number.
private struct Characters {
  private let bytes: UnsafeRawBufferPointer
  private let isASCII: Bool
  let count: Int

  init(_ bytes: UnsafeRawBufferPointer, isASCII: Bool) {
    self.bytes = bytes
    self.isASCII = isASCII
    count = isASCII ? bytes.count : PythonText.codePointCount(bytes)
  }

  /// The bytes of the characters from number `start` to before number `end`.
  func places(_ start: Int, _ end: Int) -> Range<Int> {
    if isASCII || count == bytes.count { return start..<end }
    let first = PythonText.byteOffset(ofCodePoint: start, in: bytes)!
    let rest = UnsafeRawBufferPointer(rebasing: bytes[first...])
    return first..<(first + PythonText.byteOffset(ofCodePoint: end - start, in: rest)!)
  }
}

extension UInt8 {
  fileprivate var isUpper: Bool { self &- 0x41 < 26 }
  fileprivate var isLower: Bool { self &- 0x61 < 26 }
}
