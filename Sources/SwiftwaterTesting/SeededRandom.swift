/// Random numbers that a seed repeats: for random tests, which name their seed when they fail.
///
/// Source of the algorithm: Steele, Lea, Flood, "Fast splittable pseudorandom number generators"
/// (2014), as SplitMix64.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  /// What repeats these numbers.
  public let seed: UInt64
  private var state: UInt64

  /// - Parameter seed: by default another one every time.
  public init(seed: UInt64 = .random(in: .min ... .max)) {
    self.seed = seed
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
