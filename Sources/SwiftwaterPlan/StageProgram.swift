import SwiftwaterCore

/// What is done with the records at the end of a stage.
public enum StageEnd: Sendable {
  /// They are the result.
  case batches
  case count
  /// In front of a shuffle: combined, and divided by the partitions of their keys.
  case combine(CombineByKey)
  /// In front of a shuffle: divided by the partitions of their keys.
  case partition(PartitionByKey)
  /// In front of a shuffle: divided evenly.
  case spread(Spread)

  public var functions: [any UserFunction] {
    switch self {
    case .batches, .count, .spread: []
    case .combine(let combination): combination.functions
    case .partition(let division): [division.partitioner.function].compactMap(\.self)
    }
  }

  /// The number of lists of batches that it gives.
  public var bucketCount: Int {
    switch self {
    case .batches, .count: 1
    case .combine(let combination): combination.partitioner.count
    case .partition(let division): division.partitioner.count
    case .spread(let spread): spread.count
    }
  }
}

/// What a task has made of its records.
public enum StageOutput: Sendable {
  /// The batches of each bucket.
  case buckets([[any RecordBatch]])
  case count(Int)
}

/// A part of a stage.
public enum StageStep: Sendable {
  case records([RecordStep])
  case combineLocally(CombineByKey)
  /// Behind a shuffle: the combined values of several parts.
  case merge(CombineByKey)
  /// A partition made of the inputs.
  case zip(ZipPartitions)
  /// What follows belongs to nodes with another partition.
  case renumber

  public var functions: [any UserFunction] {
    switch self {
    case .records(let steps): steps.map(\.function)
    case .combineLocally(let combination), .merge(let combination): combination.functions
    case .zip(let zip): [zip.function].compactMap(\.self)
    case .renumber: []
    }
  }
}

/// A stage, or the part of one that another process can do: inputs, steps, and what is done at the end.
/// ``run`` in `SwiftwaterRDD` runs it anywhere.
public struct StageProgram: Sendable {
  public let inputCount: Int
  /// The first input is lines of text.
  public let readsText: Bool
  public let steps: [StageStep]
  public let end: StageEnd

  public init(inputCount: Int, readsText: Bool, steps: [StageStep], end: StageEnd) {
    self.inputCount = inputCount
    self.readsText = readsText
    self.steps = steps
    self.end = end
  }

  public var functions: [any UserFunction] { steps.flatMap(\.functions) + end.functions }

  /// Who calls functions, in the order in which a worker numbers them.
  public var places: [OperatorPlace] {
    let inner = steps.flatMap { step -> [OperatorPlace] in
      switch step {
      case .records(let steps): steps.map(\.place)
      case .combineLocally(let combination), .merge(let combination): [combination.place]
      case .zip(let zip): [zip.place]
      case .renumber: []
      }
    }
    switch end {
    case .batches, .count, .spread: return inner
    case .combine(let combination): return inner + [combination.place]
    case .partition(let division): return inner + [division.place]
    }
  }

  /// How many nodes with partitions of their own there are in it.
  public var partitionCount: Int {
    1 + steps.count { if case .renumber = $0 { true } else { false } }
  }
}
