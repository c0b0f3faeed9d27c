/// Which of some partitions the records of a partition go to that are spread evenly: Spark's rule, so that
/// they are where Spark has them.
public struct Turns: Sendable {
  /// PySpark moves pickled packets of ten records.
  public static let packet = 10

  private let count: Int
  private var place: Int
  /// How many of a packet have gone there.
  private var taken = 0

  /// - Parameters:
  ///   - partition: where the records come from.
  ///   - count: how many partitions they go to.
  public init(from partition: Int, among count: Int) {
    self.count = count
    place = (Self.firstPlace(partition, count) + 1) % count
  }

  /// How many more go where the last one went.
  public var leftOfPacket: Int { Self.packet - taken }

  /// Where the next record goes.
  @inline(__always)
  public mutating func next() -> Int {
    if taken == Self.packet {
      taken = 0
      place += 1
      if place == count { place = 0 }
    }
    taken += 1
    return place
  }

  /// Where each of the next records goes.
  public mutating func next(_ records: Int) -> [Int] {
    var places: [Int] = []
    places.reserveCapacity(records)
    for _ in 0..<records { places.append(next()) }
    return places
  }

  /// The number by chance that Spark begins with in a partition: the same each time.
  static func firstPlace(_ partition: Int, _ count: Int) -> Int {
    // Spark's XORShiftRandom, of which the partition's number is the seed.
    let seed = UInt64(truncatingIfNeeded: partition).bigEndian
    let low = murmur3(seed, seed: 0x3C07_4A61)
    var state = UInt64(murmur3(seed, seed: low)) << 32 | UInt64(low)
    while true {
      state ^= state << 21
      state ^= state >> 35
      state ^= state << 4
      // Java's Random.nextInt(bound).
      let bits = Int(state & 0x7FFF_FFFF)
      if count & (count - 1) == 0 { return (count * bits) >> 31 }
      let place = bits % count
      if bits - place + count - 1 <= 0x7FFF_FFFF { return place }
    }
  }

  /// The hash of eight bytes: MurmurHash3, 32 bits.
  private static func murmur3(_ bytes: UInt64, seed: UInt32) -> UInt32 {
    func turned(_ value: UInt32, by bits: UInt32) -> UInt32 { value << bits | value >> (32 - bits) }
    var value = seed
    for word in [UInt32(truncatingIfNeeded: bytes), UInt32(truncatingIfNeeded: bytes >> 32)] {
      value ^= turned(word &* 0xCC9E_2D51, by: 15) &* 0x1B87_3593
      value = turned(value, by: 13) &* 5 &+ 0xE654_6B64
    }
    value ^= 8
    value ^= value >> 16
    value = value &* 0x85EB_CA6B
    value ^= value >> 13
    value = value &* 0xC2B2_AE35
    return value ^ value >> 16
  }
}
