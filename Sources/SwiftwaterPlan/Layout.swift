import SwiftwaterCore
import SwiftwaterKernels

/// Which partition is made of which partitions of an operator's inputs, one behind the other.
public struct Layout: Sendable {
  public struct Part: Sendable, Hashable {
    /// The number of the input.
    public let input: Int
    public let partition: Int

    public init(input: Int, partition: Int) {
      self.input = input
      self.partition = partition
    }
  }

  private enum Form: Sendable {
    /// Where each input's partitions begin, and their end.
    case union([Int])
    case neighbours(total: Int, count: Int)
    case sideBySide(inputs: Int, count: Int)
    case crossed(count: Int, others: Int)
    case given([[Part]])
  }
  private let form: Form
  /// What the records are divided by, where the layout keeps that.
  public let partitioner: Partitioner?

  private init(_ form: Form, partitioner: Partitioner? = nil) {
    self.form = form
    self.partitioner = partitioner
  }

  /// - Parameter partitions: for each partition, what it is made of.
  public init(_ partitions: [[Part]]) { self.init(.given(partitions)) }

  /// All partitions of inputs with so many each, one after the other.
  public static func union(of counts: [Int]) -> Layout {
    Layout(.union(counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }))
  }

  /// `total` partitions of one input in `count`, each made of neighbours.
  public static func neighbours(of total: Int, in count: Int) -> Layout {
    Layout(.neighbours(total: total, count: count))
  }

  /// Partition `i` of each of some inputs, for each partition `i` of `count`.
  ///
  /// - Parameter partitioner: what all of them are divided by.
  public static func sideBySide(
    of inputs: Int, in count: Int, partitioner: Partitioner? = nil
  ) -> Layout {
    Layout(.sideBySide(inputs: inputs, count: count), partitioner: partitioner)
  }

  /// Each of `count` partitions of the first input with each of so many `others` of the second.
  public static func crossed(_ count: Int, with others: Int) -> Layout {
    Layout(.crossed(count: count, others: others))
  }

  /// The number of partitions.
  public var count: Int {
    switch form {
    case .union(let starts): starts[starts.count - 1]
    case .neighbours(_, let count), .sideBySide(_, let count): count
    case .crossed(let count, let others): count * others
    case .given(let partitions): partitions.count
    }
  }

  /// What a partition is made of.
  public func parts(of partition: Int) -> [Part] {
    switch form {
    case .union(let starts):
      // The last input that begins there or before: those in front of it may have no partitions.
      var (low, high) = (0, starts.count - 1)
      while high - low > 1 {
        let middle = (low + high) / 2
        if starts[middle] <= partition { low = middle } else { high = middle }
      }
      return [Part(input: low, partition: partition - starts[low])]
    case .neighbours(let total, let count):
      return ((partition * total / count)..<((partition + 1) * total / count)).map {
        Part(input: 0, partition: $0)
      }
    case .sideBySide(let inputs, _):
      return (0..<inputs).map { Part(input: $0, partition: partition) }
    case .crossed(_, let others):
      let (first, second) = partition.quotientAndRemainder(dividingBy: others)
      return [Part(input: 0, partition: first), Part(input: 1, partition: second)]
    case .given(let partitions): return partitions[partition]
    }
  }
}

/// A function on partitions of several inputs that belong together: joins, sorts, the step of a state.
public final class ZipPartitions: Sendable {
  public let layout: Layout
  /// Called with the partition's number and the records of each part; nil: what it does is native.
  public let function: (any UserFunction)?
  /// What `function` comes to where pairs are in columns.
  public let form: ZipForm?
  /// What the results are divided by: that of the inputs, where the function leaves keys where they are.
  public let partitioner: Partitioner?
  /// Of two inputs those of which a record gives nothing whose key the other one lacks.
  public let matchedOnly: MatchedInputs
  public let place: OperatorPlace

  /// - Parameter matchedOnly: nil: as `form` says.
  public init(
    _ layout: Layout, _ function: (any UserFunction)?, form: ZipForm?,
    partitioner: Partitioner? = nil, matchedOnly: MatchedInputs? = nil, at place: OperatorPlace
  ) {
    self.layout = layout
    self.function = function
    self.form = form
    self.partitioner = partitioner
    self.matchedOnly = matchedOnly ?? form?.matchedOnly ?? []
    self.place = place
  }

  public var language: any Language { function?.language ?? EngineLanguage() }

  /// The same with what its function refers to by now.
  ///
  /// - Throws: an interrupt.
  public func captured() throws -> ZipPartitions {
    guard let function, function.isOpen else { return self }
    return ZipPartitions(
      layout, try function.language.captured([function])[0], form: form,
      partitioner: partitioner, matchedOnly: matchedOnly, at: place)
  }
}

/// Some of the two inputs of a function on pairs.
public struct MatchedInputs: OptionSet, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let left = MatchedInputs(rawValue: 1)
  public static let right = MatchedInputs(rawValue: 2)

  /// Those of a function by its name among ``ZipForm``s, or of `subtracted`, which gives the pairs of
  /// the first input whose keys the second lacks.
  public static func named(_ name: String) -> MatchedInputs {
    name == "subtracted" ? .right : ZipForm(name)?.matchedOnly ?? []
  }
}

/// A function on parts of pairs, as the engine knows it.
public enum ZipForm: Sendable {
  case join(HashJoin.Kind)
  /// The pairs of one part by their keys.
  case sort(ascending: Bool)

  /// Nil where the name is that of none.
  public init?(_ name: String) {
    switch name {
    case "ascending": self = .sort(ascending: true)
    case "descending": self = .sort(ascending: false)
    default:
      guard let kind = HashJoin.Kind(rawValue: name) else { return nil }
      self = .join(kind)
    }
  }

  /// The inputs of which a record gives nothing whose key the other one lacks.
  var matchedOnly: MatchedInputs {
    switch self {
    case .join(.inner): [.left, .right]
    case .join(.leftOuter): .right
    case .join(.rightOuter): .left
    case .join(.fullOuter), .sort: []
    }
  }

  /// Nil where it is not known, or where a language is needed.
  public func resultType(of types: [ColumnType?]) -> ColumnType? {
    switch self {
    case .join(let kind):
      guard types.count == 2, let left = types[0], let right = types[1] else { return nil }
      return kind.resultType(of: left, right)
    case .sort:
      guard types.count == 1, case .tuple(let items) = types[0], items.count == 2,
        items[0].isOrdered
      else { return nil }
      return types[0]
    }
  }
}
