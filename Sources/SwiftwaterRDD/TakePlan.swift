/// Which partitions to compute for the first records of an RDD: one, then four times as many as
/// before while nothing was found, else a guess from the density so far with half as much again.
///
/// Spark: `RDD.take`.
public struct TakePlan {
  private let wanted: Int
  private let partitionCount: Int
  private var scanned = 0

  /// - Parameter wanted: how many records; none are taken where it is not positive.
  public init(wanted: Int, partitionCount: Int) {
    self.wanted = wanted
    self.partitionCount = partitionCount
  }

  /// The partitions to compute next; nil when that is enough.
  ///
  /// - Parameter found: how many records the partitions so far gave.
  public mutating func next(found: Int) -> [Int]? {
    guard found < wanted, scanned < partitionCount else { return nil }
    let range = scanned..<min(partitionCount, scanned + partitionsToTry(found: found))
    scanned = range.upperBound
    return Array(range)
  }

  private func partitionsToTry(found: Int) -> Int {
    if scanned == 0 { return 1 }
    if found == 0 { return scanned * 4 }
    let guess = 1.5 * Double(wanted) * Double(scanned) / Double(found) - Double(scanned)
    return Int(min(max(guess, 1), Double(scanned * 4)))
  }
}
