import SwiftwaterCore

/// Spark's `portable_hash`, computed natively: CPython's hashes under key zero, which is what
/// `PYTHONHASHSEED=0` gives. Decides the partition of a key, so that a record is in the same place
/// in every run, in every process, and in PySpark.
///
/// Sources: SipHash-1-3 (Aumasson, Bernstein, "SipHash: a fast short-input PRF", with one and
/// three rounds) as in CPython's `Python/pyhash.c`; numbers as in CPython's documentation,
/// "Hashing of numeric types".
public enum PortableHash {
  /// The hash of None in a key.
  public static let none: Int = 0

  private static let modulus: UInt64 = (1 << 61) - 1

  /// Python's `hash` of `bytes`, and of `str` with one byte a character.
  public static func bytes(_ bytes: UnsafeRawBufferPointer) -> Int {
    if bytes.isEmpty { return 0 }
    return notMinusOne(Int(bitPattern: UInt(sipHash13(bytes))))
  }

  /// Python's `hash` of a `str`, given as valid UTF-8.
  ///
  /// CPython hashes the characters as it stores them: one, two or four bytes each, after the
  /// largest of them.
  public static func text(utf8 bytes: UnsafeRawBufferPointer) -> Int {
    if isASCII(bytes) { return self.bytes(bytes) }
    return text(codePoints: String(decoding: bytes, as: UTF8.self).unicodeScalars.map(\.value))
  }

  /// Python's `hash` of a `str`, given as its code points.
  public static func text(codePoints points: [UInt32]) -> Int {
    let largest = points.max() ?? 0
    if largest < 0x100 {
      return points.map { UInt8(truncatingIfNeeded: $0) }.withUnsafeBytes(self.bytes)
    } else if largest < 0x10000 {
      return points.map { UInt16(truncatingIfNeeded: $0) }.withUnsafeBytes(self.bytes)
    } else {
      return points.withUnsafeBytes(self.bytes)
    }
  }

  /// Python's `hash` of an `int` that fits 64 bits.
  public static func integer(_ value: Int64) -> Int {
    let remainder = Int(value.magnitude % modulus)
    return notMinusOne(value < 0 ? -remainder : remainder)
  }

  /// Python's `hash` of a `float`; nil for NaN, whose hash is its identity in Python 3.10 and
  /// later, and which therefore has no stable place.
  public static func double(_ value: Double) -> Int? {
    if value.isNaN { return nil }
    if value.isInfinite { return value > 0 ? 314_159 : -314_159 }
    if value == 0 { return 0 }
    // value = mantissa * 2^exponent with 0.5 <= |mantissa| < 1; 28 bits of it at a time.
    var mantissa = value.significand / 2
    var exponent = Int(value.exponent) + 1
    var hash: UInt64 = 0
    while mantissa != 0 {
      hash = ((hash << 28) & modulus) | (hash >> 33)
      mantissa *= 268_435_456
      exponent -= 28
      let digits = UInt64(mantissa)
      mantissa -= Double(digits)
      hash += digits
      if hash >= modulus { hash -= modulus }
    }
    let shift = exponent >= 0 ? exponent % 61 : 60 - ((-1 - exponent) % 61)
    hash = ((hash << UInt64(shift)) & modulus) | (hash >> UInt64(61 - shift))
    return notMinusOne(value < 0 ? -Int(hash) : Int(hash))
  }

  /// Spark's hash of a tuple from the hashes of its items.
  public static func tuple(_ items: [Int]) -> Int {
    tuple(count: items.count) { items[$0] } ?? 0
  }

  /// As ``tuple(_:)``, asking for the hash of each item in turn; nil where one has none.
  @inlinable
  public static func tuple(count: Int, hashOfItem: (Int) -> Int?) -> Int? {
    var hash = 0x345678
    for index in 0..<count {
      guard let item = hashOfItem(index) else { return nil }
      hash = ((hash ^ item) &* 1_000_003) & Int.max
    }
    return hash ^ count
  }

  /// The partition of a key: Python's `hash % partitions`, never negative.
  public static func partition(of hash: Int, among partitions: Int) -> Int {
    let remainder = hash % partitions
    return remainder < 0 ? remainder + partitions : remainder
  }

  /// CPython keeps -1 for errors.
  private static func notMinusOne(_ hash: Int) -> Int { hash == -1 ? -2 : hash }

  private static func sipHash13(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var v0: UInt64 = 0x736f_6d65_7073_6575
    var v1: UInt64 = 0x646f_7261_6e64_6f6d
    var v2: UInt64 = 0x6c79_6765_6e65_7261
    var v3: UInt64 = 0x7465_6462_7974_6573

    @inline(__always) func round() {
      v0 &+= v1
      v2 &+= v3
      v1 = (v1 << 13 | v1 >> 51) ^ v0
      v3 = (v3 << 16 | v3 >> 48) ^ v2
      v0 = v0 << 32 | v0 >> 32
      v2 &+= v1
      v0 &+= v3
      v1 = (v1 << 17 | v1 >> 47) ^ v2
      v3 = (v3 << 21 | v3 >> 43) ^ v0
      v2 = v2 << 32 | v2 >> 32
    }

    var offset = 0
    while offset + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      v3 ^= word
      round()
      v0 ^= word
      offset += 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    var shift: UInt64 = 0
    while offset < bytes.count {
      last |= UInt64(bytes[offset]) << shift
      offset += 1
      shift += 8
    }
    v3 ^= last
    round()
    v0 ^= last
    v2 ^= 0xff
    round()
    round()
    round()
    return (v0 ^ v1) ^ (v2 ^ v3)
  }
}

/// A key whose partition is known without Python.
public protocol PartitionKey: Hashable, Sendable {
  /// Spark's `portable_hash` of this value.
  var portableHash: Int { get }
}

extension TextLine: PartitionKey {
  public var portableHash: Int { withUTF8 { PortableHash.text(utf8: $0) } }
}

extension String: PartitionKey {
  public var portableHash: Int {
    var copy = self
    return copy.withUTF8 { PortableHash.text(utf8: UnsafeRawBufferPointer($0)) }
  }
}

extension Int: PartitionKey {
  public var portableHash: Int { PortableHash.integer(Int64(self)) }
}

extension Bool: PartitionKey {
  public var portableHash: Int { self ? 1 : 0 }
}
