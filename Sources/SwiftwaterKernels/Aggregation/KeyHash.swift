import SwiftwaterCore

/// Hashes of keys: of the views of texts, of bytes, and of what is combined of several.
package enum KeyHash {
  typealias Seeds = (UInt64, UInt64)

  /// Others for each process: nobody can choose texts that meet.
  static let seeds: Seeds = (
    UInt64.random(in: .min ... .max) | 1, UInt64.random(in: .min ... .max) | 1
  )

  /// A hash that a language has given, with all of it in each half.
  package static func spread(_ hash: Int) -> UInt64 {
    let word = UInt64(bitPattern: Int64(hash))
    return self.hash(self.hash(0, word, seeds), word, seeds)
  }

  @inline(__always)
  static func hash(_ rows: TextRows, _ row: Int, _ seeds: Seeds) -> UInt64 {
    let view = rows.views[row]
    return view.isInline ? hash(view.low, view.high, seeds) : hash(rows[row], seeds)
  }

  /// Multiplies and folds, as in Wang Yi's wyhash.
  @inline(__always)
  static func hash(_ a: UInt64, _ b: UInt64, _ seeds: Seeds) -> UInt64 {
    let product = (a ^ seeds.0).multipliedFullWidth(by: b ^ seeds.1)
    return product.high ^ product.low
  }

  /// - Parameter bytes: more than 12.
  @inline(never)
  static func hash(_ bytes: UnsafeRawBufferPointer, _ seeds: Seeds) -> UInt64 {
    var result = UInt64(truncatingIfNeeded: bytes.count)
    var index = 0
    while index + 16 <= bytes.count {
      result = hash(
        result ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self), seeds)
      index += 16
    }
    if index + 8 < bytes.count {
      result = hash(
        result ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self), result, seeds)
    }
    let last = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
    return hash(result ^ last, UInt64(truncatingIfNeeded: bytes.count), seeds)
  }
}
