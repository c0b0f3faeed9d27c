import SwiftwaterCore

/// What a user asked for, as a value: an operator of a plan. Its inputs are the nodes that it is
/// computed from. Everything that describes a plan, and everything that runs one, switches over this.
public enum Operator: Sendable {
  /// Files, given values, blocks: no inputs.
  case read(any PartitionSource)
  /// Functions on records and on partitions, one behind the other.
  case records(StepRun)
  /// Values of each key combined, in the partition of the key: a shuffle is in front of it.
  case combineByKey(CombineByKey)
  /// Values of each key combined inside of each partition.
  case combineLocally(CombineByKey)
  /// Pairs in the partition of their key: a shuffle is in front of it.
  case partitionBy(PartitionByKey)
  /// Records in other partitions, evenly: a shuffle is in front of it.
  case spread(Spread)
  /// Partitions made of others, records as they are: a union, fewer partitions.
  case layout(Layout)
  /// A function on partitions of several inputs that belong together.
  case zipPartitions(ZipPartitions)
  /// The table of a window or a state at one time: it takes in batches in stages before.
  case table(TableOperation)
  /// What the function of such a table has made of the records that it took in.
  case tableRecords(TableOperation)
  /// All records are kept: there is nothing to compute them from.
  case stored

  /// True where a shuffle is in front of it.
  public var isShuffled: Bool {
    switch self {
    case .combineByKey, .partitionBy, .spread: true
    case .read, .records, .combineLocally, .layout, .zipPartitions: false
    case .table, .tableRecords, .stored: false
    }
  }

  /// What its records are divided by; nil where that is not known.
  ///
  /// - Parameter input: what those of its first input are divided by.
  public func partitioner(over input: @autoclosure () -> Partitioner?) -> Partitioner? {
    switch self {
    case .combineByKey(let combination): combination.partitioner
    case .partitionBy(let division): division.partitioner
    case .combineLocally: input()
    case .records(let run): run.keepsKeys ? input() : nil
    case .layout(let layout): layout.partitioner
    case .zipPartitions(let zip): zip.partitioner
    case .table(let operation): operation.partitioner
    case .read, .spread, .tableRecords, .stored: nil
    }
  }

  /// The functions that it calls in its stage, in the order in which a worker numbers them.
  public var functions: [any UserFunction] {
    switch self {
    case .read, .spread, .layout, .table, .tableRecords, .stored: []
    case .records(let run): run.steps.map(\.function)
    case .combineByKey(let combination), .combineLocally(let combination): combination.functions
    case .partitionBy(let division): [division.partitioner.function].compactMap(\.self)
    case .zipPartitions(let zip): [zip.function].compactMap(\.self)
    }
  }
}

/// What a plan reads: it has the records of each partition.
public protocol PartitionSource: Sendable {
  /// What it is called outside of the program: a path. Nil for what has no such name.
  var name: String? { get }

  /// Where the tasks may run that read it.
  var placement: TaskPlacement { get }

  /// About how many records it has.
  var recordCount: Int { get }

  /// True where it has the same records whenever they are read.
  var isUnchanging: Bool { get }

  /// The records of one partition.
  func cursor(partition: Int, task: TaskContext) throws -> any BatchCursor
}

extension PartitionSource {
  public var name: String? { nil }
  public var placement: TaskPlacement { .anyThread }
  public var recordCount: Int { 0 }
  public var isUnchanging: Bool { false }
}
