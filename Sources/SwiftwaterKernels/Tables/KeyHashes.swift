import SwiftwaterCore

extension Column {
  /// A hash of each row as a key, the same for keys of one type that are equal in Python; nil where
  /// a row's equality or hash is Python's to decide: NaN, lists.
  ///
  /// Of a column as ``expandedThroughout()`` gives it.
  func keyHashes() -> [UInt64]? {
    var hashes = [UInt64](repeating: 0, count: count)
    let isDone = hashes.withUnsafeMutableBufferPointer { addHashes(to: $0, KeyHash.seeds) }
    return isDone ? hashes : nil
  }

  /// Makes each row's value a part of its hash.
  private func addHashes(
    to hashes: UnsafeMutableBufferPointer<UInt64>, _ seeds: KeyHash.Seeds
  ) -> Bool {
    @inline(__always)
    func add(_ row: Int, _ word: UInt64) {
      // Twice: numbers that follow each other differ in few bits.
      let once = KeyHash.hash(hashes[row], word, seeds)
      hashes[row] = KeyHash.hash(once, word, seeds)
    }
    switch self {
    case .none: return true
    case .bool(let bits): for row in hashes.indices { add(row, bits[row] ? 1 : 0) }
    case .integer(let values):
      values.withUnsafeBufferPointer { values in
        for row in hashes.indices { add(row, UInt64(bitPattern: values[row])) }
      }
    case .double(let values):
      return values.withUnsafeBufferPointer { values in
        for row in hashes.indices {
          let value = values[row]
          if value.isNaN { return false }
          // 0.0 and -0.0 are equal.
          add(row, value == 0 ? 0 : value.bitPattern)
        }
        return true
      }
    case .text(let texts):
      texts.withRows { rows in
        for row in hashes.indices {
          hashes[row] = KeyHash.hash(hashes[row], KeyHash.hash(rows, row, seeds), seeds)
        }
      }
    case .tuple(let items, _): return items.allSatisfy { $0.addHashes(to: hashes, seeds) }
    case .optional(let validity, let values):
      var withValue = Array(hashes)
      // What stands in for None is not NaN.
      guard withValue.withUnsafeMutableBufferPointer({ values.addHashes(to: $0, seeds) }) else {
        return false
      }
      for row in hashes.indices {
        // None and -1 meet, and are told apart where they are compared.
        if validity[row] { hashes[row] = withValue[row] } else { add(row, .max) }
      }
    case .list: return false
    case .repeated: preconditionFailure("an expanded column is not repeated")
    }
    return true
  }
}
