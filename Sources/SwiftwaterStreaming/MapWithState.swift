import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD

/// What ``DStream/mapWithState(_:named:)`` does: a function, and what else there is to know.
///
/// ```swift
/// let visits = StateSpec { (user: String, page: String?, pages: inout State<Int>) in
///   guard let page else { return "\(user) has left after \(try pages.get())" }
///   try pages.update((pages.getOption() ?? 0) + 1)
///   return "\(user) is at \(page)"
/// }.timeout(.seconds(1800))
/// ```
public struct StateSpec<
  Key: PartitionKey, Value: Sendable, StateType: Sendable, MappedType: Sendable
>: Sendable {
  public typealias Function =
    @Sendable (Key, Value?, inout State<StateType>) throws -> MappedType
  public typealias TimedFunction =
    @Sendable (BatchTime, Key, Value?, inout State<StateType>) throws -> MappedType?

  fileprivate let function: TimedFunction
  fileprivate var initial: RDD<(Key, StateType)>?
  fileprivate var division = Division.byHash(nil)
  fileprivate var idleDuration: Duration?

  /// How keys are divided.
  fileprivate enum Division: Sendable {
    /// Nil: into as many partitions as the context has by default.
    case byHash(Int?)
    case byFunction(Int, @Sendable (Key) throws -> Int)
  }

  /// Calls a function for every record; each of its results is one, nil too.
  ///
  /// - Parameter function: called with the key, the value, and the key's state. The value is nil for a key
  ///   whose time is out (``timeout(_:)``), which ``State/isTimingOut`` tells from a value that is nil.
  public init(_ function: @escaping Function) {
    self.function = { _, key, value, state in try function(key, value, &state) }
  }

  /// Calls a function for every record, with the batch time too; where it gives nil, there is no record.
  public init(_ function: @escaping TimedFunction) { self.function = function }

  /// What calls a function for every record: see ``init(_:)-(Function)``.
  public static func function(_ mappingFunction: @escaping Function) -> StateSpec {
    StateSpec(mappingFunction)
  }

  /// The same with the batch time: see ``init(_:)-(TimedFunction)``.
  public static func function(_ mappingFunction: @escaping TimedFunction) -> StateSpec {
    StateSpec(mappingFunction)
  }

  /// Says what the states are before the first batch. Of a key that comes several times the last one counts.
  public func initialState(_ rdd: RDD<(Key, StateType)>) -> StateSpec {
    with { $0.initial = rdd }
  }

  /// Says into how many partitions keys are divided, by their hash.
  public func numPartitions(_ numPartitions: Int) -> StateSpec {
    with { $0.division = .byHash(numPartitions) }
  }

  /// Says where keys are: a key in partition `partitionFunc(key) % numPartitions`, which a number below 0
  /// has too.
  public func partitioner(
    _ numPartitions: Int, _ partitionFunc: @escaping @Sendable (Key) throws -> Int
  ) -> StateSpec {
    with { $0.division = .byFunction(numPartitions, partitionFunc) }
  }

  /// Says after how long without records a key loses its state.
  ///
  /// In the first batch that is later than that, with records or without, the function is called once more
  /// with the key, nil, and a state that is timing out, and cannot be changed. Not for a key that has
  /// records in this very batch. For states that are there before the first batch, the time begins with it.
  public func timeout(_ idleDuration: Duration) -> StateSpec {
    with { $0.idleDuration = idleDuration }
  }

  private func with(_ change: (inout StateSpec) -> Void) -> StateSpec {
    var new = self
    change(&new)
    return new
  }

  fileprivate func partitioner(in context: SparkContext) throws -> Partitioner {
    func checked(_ count: Int) throws -> Int {
      guard (1...mostPartitions).contains(count) else {
        throw EngineError.invalidArgument(
          "numPartitions must be at least 1 and at most \(mostPartitions), not \(count)")
      }
      return count
    }
    switch division {
    case .byHash(let count):
      return Partitioner(count: try checked(count ?? context.defaultParallelism))
    case .byFunction(let count, let place):
      return Partitioner(count: try checked(count), placing: place)
    }
  }

  /// The time-out in whole milliseconds.
  fileprivate func timeoutMilliseconds() throws -> Int64? {
    guard let idleDuration else { return nil }
    guard idleDuration >= .milliseconds(1),
      idleDuration <= .milliseconds(WindowLengths.mostMilliseconds)
    else {
      throw EngineError.invalidArgument(
        "the time-out must be at least a millisecond and at most a century, not \(idleDuration)")
    }
    let (whole, rest) = idleDuration.components
    return whole * 1000 + rest / 1_000_000_000_000_000
  }
}

/// What ``DStream/mapWithState(_:named:)`` gives: what its function makes of records, and the states.
public struct MapWithStateDStream<
  Key: PartitionKey, StateType: Sendable, MappedType: Sendable
>: Sendable {
  /// What the function has made of each record of a batch.
  public let records: DStream<MappedType>
  fileprivate let states: StreamNode

  /// All keys that have a state, after each batch.
  ///
  /// - Complexity: Whoever reads all of it pays for all keys.
  public func stateSnapshots() -> DStream<(Key, StateType)> {
    DStream(states, in: records.context)
  }
}

extension DStream {
  /// What a function makes of each record and of the state of its key, as in Spark.
  ///
  /// It is called for the records of a batch, in the order in which they have a partition, and for keys
  /// whose time is out. The others cost nothing. Where it throws, nothing of the partition's batch is
  /// stored, and the next batch takes it in first: what becomes of its records is there then.
  ///
  /// - Parameters:
  ///   - spec: the function, and what else there is to know.
  ///   - name: of what is kept, unique in a context; by default the operator's with a number.
  /// - Throws: ``EngineError``: (`invalidArgument`) for a number of partitions below 1, a time-out that is
  ///   none, and a name that is taken; (`illegalState`) once the context has started.
  /// - Complexity: A call a record, and one a key that times out.
  public func mapWithState<
    Key: PartitionKey, Value: Sendable, StateType: Sendable, MappedType: Sendable
  >(
    _ spec: StateSpec<Key, Value, StateType, MappedType>, named name: String? = nil
  ) throws -> MapWithStateDStream<Key, StateType, MappedType> where Element == (Key, Value) {
    let place = OperatorPlace(name: "mapWithState")
    let partitioner = try spec.partitioner(in: context.context)
    let operation = TableOperation.mapped(
      by: partitioner, timeout: try spec.timeoutMilliseconds(), at: place, spec.function)
    let division = PartitionByKey(
      partitioner, in: operation.language, for: operation.functions[0], at: place)
    let states = try context.addTable(
      operation, over: context.addDivision(division, of: node),
      stableName: context.stableName(of: place.name, given: name),
      initial: spec.initial.map { InitialState(try $0.node.partitioned(division)) })
    return MapWithStateDStream(
      records: DStream<MappedType>(try context.addTableRecords(of: states), in: context),
      states: states)
  }
}
