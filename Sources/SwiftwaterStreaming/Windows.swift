import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD

/// Windows: what came within a length of time. They are there every `slide`, by default in every batch.
/// The first ones are shorter, and when the input ends they go on until they are empty.
///
/// `length` and `slide` are multiples of the stream's own slide. `name`s are those of what is kept from
/// batch to batch, unique in a context; by default the operator's with a number.
///
/// All of them throw ``EngineError``: (`invalidArgument`) for a duration that is no such multiple, and
/// for a name that is taken; (`illegalState`) once the context has started.
extension DStream {
  /// The records of each window.
  ///
  /// - Complexity: An RDD of a window is the union of those of its batches, which are kept.
  public func window(
    length: Duration, slide: Duration? = nil, named name: String? = nil
  ) throws -> DStream<Element> {
    let lengths = try WindowLengths(length, slide, over: node)
    return DStream(
      try context.addWindow(
        of: lengths.length, every: lengths.slide, over: node,
        stableName: context.stableName(of: "window", given: name),
        at: OperatorPlace(name: "window")),
      in: context)
  }

  /// One record a window with records: all of them combined.
  ///
  /// - Parameters:
  ///   - combine: must be associative. Called in the order of the batches.
  /// - Complexity: A few calls a batch, whatever the length.
  public func reduceByWindow(
    length: Duration, slide: Duration? = nil, named name: String? = nil,
    _ combine: @escaping @Sendable (Element, Element) throws -> Element
  ) throws -> DStream<Element> {
    try map { (WholeWindow(), $0) }
      .windowed("reduceByWindow", length, slide, partitions: 1, named: name, combine)
      .map(\.1)
  }

  /// One record a window: all of its records combined, the window made from the one before. See
  /// ``reduceByKeyAndWindow(length:slide:partitions:named:_:inverse:filter:timeToLive:)``.
  public func reduceByWindow(
    length: Duration, slide: Duration? = nil, named name: String? = nil,
    _ combine: @escaping @Sendable (Element, Element) throws -> Element,
    inverse: @escaping @Sendable (Element, Element) throws -> Element
  ) throws -> DStream<Element> {
    try map { (WholeWindow(), $0) }
      .windowed(
        "reduceByWindow", length, slide, partitions: 1, named: name, combine, inverse: inverse,
        timeToLive: .unlimited
      )
      .map(\.1)
  }

  /// One record a window: the number of its records. There is none before the first record, and in
  /// windows of less than five slides none where they are empty.
  ///
  /// - Complexity: As many steps as records come.
  public func countByWindow(
    length: Duration, slide: Duration? = nil, named name: String? = nil
  ) throws -> DStream<Int> {
    try map { _ in (WholeWindow(), 1) }
      .windowed(
        "countByWindow", length, slide, partitions: 1, named: name, +, inverse: -,
        timeToLive: .unlimited
      )
      .map(\.1)
  }

  /// The values of each key of a window combined. Keys are in the order in which the window's batches
  /// have them.
  ///
  /// - Parameters:
  ///   - partitions: by default the context's parallelism.
  ///   - combine: must be associative. Called in the order of the batches.
  /// - Complexity: A slide costs with the pairs of the batches that come and go, whatever the length.
  public func reduceByKeyAndWindow<Key: PartitionKey, Value: Sendable>(
    length: Duration, slide: Duration? = nil, partitions: Int? = nil, named name: String? = nil,
    _ combine: @escaping @Sendable (Value, Value) throws -> Value
  ) throws -> DStream<(Key, Value)> where Element == (Key, Value) {
    try windowed(
      "reduceByKeyAndWindow", length, slide, partitions: partitions, named: name, combine)
  }

  /// The values of each key of a window combined, a window of five slides and more made from the one
  /// before: `inverse` takes away what has left, and `combine` adds what is new.
  ///
  /// Keys then stay, whatever their value, unless `filter` is false for them or their time to live is
  /// over. A shorter window is made of its batches, as without an inverse.
  ///
  /// - Parameters:
  ///   - partitions: by default the context's parallelism.
  ///   - combine: must be associative.
  ///   - inverse: `inverse(combine(a, b), a)` is `b`.
  ///   - filter: says of a key and its value whether they stay.
  ///   - timeToLive: a key is forgotten that has no value in the window, and has had none for longer. By
  ///     default what `swiftwater.state.timeToLive` says; zero: keys stay.
  /// - Complexity: A slide costs with the pairs of the batches that come and go. With a filter, one in
  ///   which anything came looks at all keys.
  public func reduceByKeyAndWindow<Key: PartitionKey, Value: Sendable>(
    length: Duration, slide: Duration? = nil, partitions: Int? = nil, named name: String? = nil,
    _ combine: @escaping @Sendable (Value, Value) throws -> Value,
    inverse: @escaping @Sendable (Value, Value) throws -> Value,
    filter: (@Sendable (Key, Value) throws -> Bool)? = nil, timeToLive: Duration? = nil
  ) throws -> DStream<(Key, Value)> where Element == (Key, Value) {
    try windowed(
      "reduceByKeyAndWindow", length, slide, partitions: partitions, named: name, combine,
      inverse: inverse, filter: filter, timeToLive: TimeToLive(timeToLive))
  }

  /// The values of each key of a window, in the order of its batches. In windows of five slides and more
  /// a key whose values have all left stays, without values, as in Spark.
  ///
  /// - Parameters:
  ///   - partitions: by default the context's parallelism.
  /// - Complexity: A slide costs with the lists of the keys that come and go.
  public func groupByKeyAndWindow<Key: PartitionKey, Value: Sendable>(
    length: Duration, slide: Duration? = nil, partitions: Int? = nil, named name: String? = nil
  ) throws -> DStream<(Key, [Value])> where Element == (Key, Value) {
    let kind = "groupByKeyAndWindow"
    let lengths = try WindowLengths(length, slide, over: node)
    let partitions = partitions ?? context.context.defaultParallelism
    let place = OperatorPlace(name: kind)
    let gathered = try context.addCombination(
      .gathering((Key, Value).self, partitions: partitions, at: place), of: node)
    return try DStream<(Key, GatheredValues<Value>)>(gathered, in: context)
      .overWindow(
        kind, lengths, partitions: partitions, named: name,
        { GatheredValues($0.values + $1.values) },
        inverse: { GatheredValues(Array($0.values.dropFirst($1.values.count))) }
      )
      .mapValues(\.values)
  }

  private func windowed<Key: PartitionKey, Value: Sendable>(
    _ kind: String, _ length: Duration, _ slide: Duration?, partitions: Int?, named name: String?,
    _ combine: @escaping @Sendable (Value, Value) throws -> Value,
    inverse: (@Sendable (Value, Value) throws -> Value)? = nil,
    filter: (@Sendable (Key, Value) throws -> Bool)? = nil, timeToLive: TimeToLive = .asSet
  ) throws -> DStream<(Key, Value)> where Element == (Key, Value) {
    let lengths = try WindowLengths(length, slide, over: node)
    let partitions = partitions ?? context.context.defaultParallelism
    let reduced = try context.addCombination(
      .reducing(
        (Key, Value).self, partitions: partitions, at: OperatorPlace(name: kind), combine),
      of: node)
    return try DStream(reduced, in: context).overWindow(
      kind, lengths, partitions: partitions, named: name, combine, inverse: inverse,
      filter: filter, timeToLive: timeToLive)
  }

  /// Each key once a batch, over a window.
  private func overWindow<Key: PartitionKey, Value: Sendable>(
    _ kind: String, _ lengths: WindowLengths, partitions: Int, named name: String?,
    _ combine: @escaping @Sendable (Value, Value) throws -> Value,
    inverse: (@Sendable (Value, Value) throws -> Value)?,
    filter: (@Sendable (Key, Value) throws -> Bool)? = nil, timeToLive: TimeToLive = .asSet
  ) throws -> DStream<(Key, Value)> where Element == (Key, Value) {
    let operation = TableOperation.window(
      of: (Key, Value).self, partitions: partitions, at: OperatorPlace(name: kind), combine,
      inverse: lengths.isRunning ? inverse : nil, keep: filter)
    let stream = DStream(
      try context.addTable(
        operation, window: lengths.length, every: lengths.slide, over: node,
        stableName: context.stableName(of: kind, given: name), timeToLive: timeToLive),
      in: context)
    guard let filter, !lengths.isRunning else { return stream }
    return try stream.filter { try filter($0.0, $0.1) }
  }
}

extension DStream {
  /// A state for each key, after each batch: what `update` makes of the key's new values and of the
  /// state before. Called in every batch for every key that has a state or new values; a key for which it
  /// gives nil is forgotten.
  ///
  /// ```swift
  /// let totals = try counts.updateStateByKey { (new: [Int], total: Int?) in
  ///   new.reduce(total ?? 0, +)
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - partitions: by default the context's parallelism.
  ///   - initial: the states before the first batch; of a key that comes twice, the first.
  ///   - timeToLive: a key that has had no new values for longer is forgotten in the first batch that is
  ///     late enough, without a call, unless it has new values in this very batch. By default what
  ///     `swiftwater.state.timeToLive` says; zero: keys stay.
  ///   - name: of what is kept, unique in a context; by default the operator's with a number.
  ///   - update: called with the new values in their order, and with the state, nil for a new key.
  /// - Throws: ``EngineError``: (`invalidArgument`) for a name that is taken, (`illegalState`) once the
  ///   context has started.
  /// - Complexity: A call a batch for every key.
  public func updateStateByKey<Key: PartitionKey, Value: Sendable, State: Sendable>(
    partitions: Int? = nil, initial: RDD<(Key, State)>? = nil, timeToLive: Duration? = nil,
    named name: String? = nil,
    _ update: @escaping @Sendable ([Value], State?) throws -> State?
  ) throws -> DStream<(Key, State)> where Element == (Key, Value) {
    let partitions = partitions ?? context.context.defaultParallelism
    let place = OperatorPlace(name: "updateStateByKey")
    let gathered = try context.addCombination(
      .gathering((Key, Value).self, partitions: partitions, at: place), of: node)
    let states = try context.addTable(
      .state(of: Key.self, partitions: partitions, at: place, update), over: gathered,
      stableName: context.stableName(of: place.name, given: name),
      initial: initial.map {
        InitialState($0.reduceByKey(partitions: partitions) { first, _ in first }.node)
      }, timeToLive: TimeToLive(timeToLive))
    return DStream<(Key, State)>(states, in: context)
  }
}

/// The one key of a window that is combined as a whole.
private struct WholeWindow: PartitionKey {
  var portableHash: Int { 0 }
}
