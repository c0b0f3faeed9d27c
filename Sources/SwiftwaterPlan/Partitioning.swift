/// What is asked of an input by whoever brings several together by their keys.
public protocol Partitioned {
  var partitionCount: Int { get }

  /// What its records are divided by; nil where that is not known.
  var partitioner: Partitioner? { get }
}

extension Partitioner {
  /// What all of some inputs are divided by; nil where one of them is divided otherwise, or nobody
  /// knows.
  ///
  /// - Throws: what comparing functions throws.
  public static func shared(by partitioners: [Partitioner?]) throws -> Partitioner? {
    guard let first = partitioners.first, let first else { return nil }
    for other in partitioners.dropFirst() {
      guard let other, try other.dividesAlike(first) else { return nil }
    }
    return first
  }
}

/// How the records of several inputs are put one behind the other.
///
/// Spark: where all are divided alike, partition `i` has the records of all partitions `i`. Inputs
/// without partitions do not count.
public struct UnionPlan: Sendable {
  public let layout: Layout
  /// The numbers of the inputs that the layout is one of.
  public let inputs: [Int]

  /// - Throws: what comparing functions throws.
  public init(of all: [some Partitioned]) throws {
    let filled = all.indices.filter { all[$0].partitionCount > 0 }
    if let shared = try Partitioner.shared(by: filled.map { all[$0].partitioner }) {
      inputs = filled
      layout = .sideBySide(
        of: filled.count, in: all[filled[0]].partitionCount, partitioner: shared)
    } else {
      inputs = Array(all.indices)
      layout = .union(of: all.map(\.partitionCount))
    }
  }

  /// True where partitions that belong together became one.
  public var isSideBySide: Bool { layout.partitioner != nil }

  /// The number of partitions that a shuffle of several inputs has where nothing is said of it: that of
  /// the union of the first and the second, of the result and the third, ...
  ///
  /// - Throws: what comparing functions throws.
  public static func partitionCount(of inputs: [some Partitioned]) throws -> Int {
    var count = 0
    var partitioner: Partitioner?
    for input in inputs where input.partitionCount > 0 {
      if count == 0 {
        partitioner = input.partitioner
      } else if let shared = partitioner, let other = input.partitioner,
        try other.dividesAlike(shared)
      {
        continue
      } else {
        partitioner = nil
      }
      count += input.partitionCount
    }
    return count
  }
}

/// How several inputs are brought together by the keys of their records: which of them have to be moved,
/// and to where.
public struct JoinPlan: Sendable {
  public enum Way: Sendable, Equatable {
    /// Each input is divided by the plan's partitioner: some are already, those are moved for which that
    /// is said. Partition `i` of the result is made of partition `i` of each.
    case sideBySide(moves: [Bool])
    /// The inputs are united first, with a mark on each record that says where it came from, and moved
    /// together.
    case united
  }

  /// What the result is divided by; of no partitions where no input has any.
  public let partitioner: Partitioner
  public let way: Way

  /// - Parameters:
  ///   - count: the number of partitions of the result.
  ///   - unitesAlike: whether inputs that are divided alike, but not as is asked for, are united.
  ///     PySpark unites the inputs of every join: in this case partition by partition, and the order
  ///     of keys is that of the union.
  /// - Throws: what comparing functions throws.
  public init(of inputs: [some Partitioned], into count: Int, unitesAlike: Bool) throws {
    let wanted = Partitioner(count: count)
    partitioner = wanted
    let moves = try inputs.map { input in
      try !(input.partitioner?.dividesAlike(wanted) ?? false)
    }
    if unitesAlike, count > 0, inputs.count > 1, moves[0], moves[1],
      try Partitioner.shared(by: inputs.prefix(2).map(\.partitioner)) != nil
    {
      way = .united
    } else {
      way = .sideBySide(moves: moves)
    }
  }
}
