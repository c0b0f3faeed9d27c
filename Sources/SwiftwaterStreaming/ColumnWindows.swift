import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import SwiftwaterRDD

/// Windows over columns: those of ``DStream``, with functions of terms. They throw ``Refusal`` where a
/// function makes no sense for the records' type, or gives another one. An integer that leaves 64 bits
/// fails the batch.
extension ColumnStream {
  /// The records of each window. See ``DStream/window(length:slide:named:)``.
  public func window(
    length: Duration, slide: Duration? = nil, named name: String? = nil
  ) throws -> ColumnStream {
    let lengths = try WindowLengths(length, slide, over: node)
    return ColumnStream(
      node: try context.addWindow(
        of: lengths.length, every: lengths.slide, over: node,
        stableName: context.stableName(of: "window", given: name),
        at: OperatorPlace(name: "window")),
      context: context, type: type)
  }

  /// One record a window with records: all of them combined.
  ///
  /// - Parameters:
  ///   - merge: as in ``reduceByKey(partitions:_:)``.
  ///   - inverse: makes windows of five slides and more from the one before.
  /// - Complexity: A few steps a batch, whatever the length.
  public func reduceByWindow(
    length: Duration, slide: Duration? = nil, named name: String? = nil,
    _ merge: (Term, Term) -> Term, inverse: ((Term, Term) -> Term)? = nil
  ) throws -> ColumnStream {
    try map { [0, $0] }
      .windowed(
        "reduceByWindow", length, slide, partitions: 1, named: name, merge,
        inverse: inverse.map { Expression.of($0) }, timeToLive: .unlimited
      )
      .map { $0[1] }
  }

  /// One record a window: the number of its records. See ``DStream/countByWindow(length:slide:named:)``.
  public func countByWindow(
    length: Duration, slide: Duration? = nil, named name: String? = nil
  ) throws -> ColumnStream {
    try map { _ in [0, 1] }
      .windowed(
        "countByWindow", length, slide, partitions: 1, named: name, +, inverse: Expression.of(-),
        timeToLive: .unlimited
      )
      .map { $0[1] }
  }

  /// The values of each key of a window combined. See
  /// ``DStream/reduceByKeyAndWindow(length:slide:partitions:named:_:)``.
  ///
  /// - Parameters:
  ///   - merge: as in ``reduceByKey(partitions:_:)``.
  /// - Complexity: A slide costs with the pairs of the batches that come and go, whatever the length.
  public func reduceByKeyAndWindow(
    length: Duration, slide: Duration? = nil, partitions: Int? = nil, named name: String? = nil,
    _ merge: (Term, Term) -> Term
  ) throws -> ColumnStream {
    try windowed("reduceByKeyAndWindow", length, slide, partitions: partitions, named: name, merge)
  }

  /// The values of each key of a window combined, a window of five slides and more made from the one
  /// before. See ``DStream/reduceByKeyAndWindow(length:slide:partitions:named:_:inverse:filter:timeToLive:)``.
  ///
  /// - Parameters:
  ///   - inverse: of two values of one type, giving the same.
  ///   - filter: of a key and its value.
  ///   - timeToLive: of keys without a value in the window.
  /// - Complexity: A slide costs with the pairs of the batches that come and go.
  public func reduceByKeyAndWindow(
    length: Duration, slide: Duration? = nil, partitions: Int? = nil, named name: String? = nil,
    _ merge: (Term, Term) -> Term, inverse: (Term, Term) -> Term,
    filter: ((Term, Term) -> Term)? = nil, timeToLive: Duration? = nil
  ) throws -> ColumnStream {
    let expression = Expression.of(inverse)
    return try windowed(
      "reduceByKeyAndWindow", length, slide, partitions: partitions, named: name, merge,
      inverse: expression, filter: filter.map { filter in Expression.of { filter($0[0], $0[1]) } },
      timeToLive: TimeToLive(timeToLive))
  }

  /// The values of each key of a window as a list, in the order of its batches. See
  /// ``DStream/groupByKeyAndWindow(length:slide:partitions:named:)``.
  ///
  /// - Complexity: A slide costs with the lists of the keys that come and go.
  public func groupByKeyAndWindow(
    length: Duration, slide: Duration? = nil, partitions: Int? = nil, named name: String? = nil
  ) throws -> ColumnStream {
    let kind = "groupByKeyAndWindow"
    let lengths = try WindowLengths(length, slide, over: node)
    let (key, value) = try pairTypes()
    let partitioner = self.partitioner(partitions)
    let place = OperatorPlace(name: kind)
    return ColumnStream(
      node: try context.addTable(
        windowOperation(
          Expression.of(+), inverse: Expression.of { $0.dropFirst($1.count) }, lengths,
          partitioner, at: place),
        window: lengths.length, every: lengths.slide, over: gathered(partitioner, at: place),
        stableName: context.stableName(of: kind, given: name)),
      context: context, type: .tuple([key, .list(value)]))
  }

  /// The values of each key of a batch as a list.
  private func gathered(
    _ partitioner: Partitioner, at place: OperatorPlace
  ) throws -> StreamNode {
    let lists = ExpressionFunction(Expression(.list([])))
    return try context.addCombination(
      CombineByKey(
        mergeValue: lists, mergeCombiners: lists, partitioner: partitioner, gathersLists: true,
        at: place),
      of: node)
  }

  /// A state for each key, after each batch: what `update` makes of the list of the key's new values and
  /// of the state before, which is None for a new key. See
  /// ``DStream/updateStateByKey(partitions:initial:timeToLive:named:_:)``.
  ///
  /// - Parameters:
  ///   - timeToLive: of keys without new values.
  ///   - update: gives ``Term/none`` for a key that is to be forgotten.
  public func updateStateByKey(
    partitions: Int? = nil, timeToLive: Duration? = nil, named name: String? = nil,
    _ update: (Term, Term) -> Term
  ) throws -> ColumnStream {
    let place = OperatorPlace(name: "updateStateByKey")
    let (key, value) = try pairTypes()
    let expression = Expression.of(update)
    let state = try Program.stateType(of: expression, values: value)
    _ = try Program.updating(expression, values: value, state: state)
    let partitioner = self.partitioner(partitions)
    let function = TableFunction(ExpressionFunction(expression), of: partitioner, at: place)
    return ColumnStream(
      node: try context.addTable(
        TableOperation(.state(function), partitioner: partitioner, at: place),
        over: gathered(partitioner, at: place),
        stableName: context.stableName(of: place.name, given: name),
        timeToLive: TimeToLive(timeToLive)),
      context: context, type: .tuple([key, state]))
  }

  private func windowed(
    _ kind: String, _ length: Duration, _ slide: Duration?, partitions: Int?, named name: String?,
    _ merge: (Term, Term) -> Term, inverse: Expression? = nil, filter keep: Expression? = nil,
    timeToLive: TimeToLive = .asSet
  ) throws -> ColumnStream {
    let place = OperatorPlace(name: kind)
    let lengths = try WindowLengths(length, slide, over: node)
    let (_, value) = try pairTypes()
    let combine = Expression.of(merge)
    _ = try Merge(combine, of: value)
    try check(combine, of: value)
    if let inverse { try check(inverse, of: value) }
    if let keep { _ = try Program(inputType: type).appending(.filter, keep) }

    let partitioner = self.partitioner(partitions)
    let function = ExpressionFunction(combine)
    let reduced = try context.addCombination(
      CombineByKey(
        mergeValue: function, mergeCombiners: function, partitioner: partitioner, at: place),
      of: node)
    let table = try context.addTable(
      windowOperation(combine, inverse: inverse, filter: keep, lengths, partitioner, at: place),
      window: lengths.length, every: lengths.slide, over: reduced,
      stableName: context.stableName(of: kind, given: name), timeToLive: timeToLive)
    let stream = ColumnStream(node: table, context: context, type: type)
    guard let keep, !lengths.isRunning else { return stream }
    let step = RecordStep(.filter, ExpressionFunction(keep), at: place)
    return ColumnStream(
      node: try context.addRecords([step], of: table), context: context, type: type)
  }

  /// A window with what it is made by: an inverse where it has one, and is long enough.
  private func windowOperation(
    _ combine: Expression, inverse: Expression?, filter keep: Expression? = nil,
    _ lengths: WindowLengths, _ partitioner: Partitioner, at place: OperatorPlace
  ) -> TableOperation {
    func applied(_ expression: Expression) -> TableFunction {
      TableFunction(ExpressionFunction(expression), of: partitioner, at: place)
    }
    var kind = TableOperation.Kind.window(applied(combine))
    if let inverse, lengths.isRunning {
      // What is true as Python sees it is said by a bool.
      let keep = keep.map { Expression(.unary("not", Expression(.unary("not", $0)))) }
      kind = .running(applied(combine), inverse: applied(inverse), keep: keep.map(applied))
    }
    return TableOperation(kind, partitioner: partitioner, at: place)
  }

  /// - Throws: ``Refusal`` where the function does not give the type of its two arguments.
  private func check(_ function: Expression, of type: ColumnType) throws {
    let program = try Program(inputType: .tuple([type, type]))
      .appending(.map, function.pairwise())
    guard program.outputType == type else {
      throw Refusal("it makes \(program.outputType) of two \(type)", at: function.place)
    }
  }

  /// - Throws: ``Refusal`` where the records are no pairs with keys that have a hash.
  private func pairTypes() throws -> (key: ColumnType, value: ColumnType) {
    guard case .tuple(let items) = type, items.count == 2 else {
      throw Refusal("the records are \(type), not pairs", at: nil)
    }
    guard items[0].isHashable else { throw Refusal("\(items[0]) is no key", at: nil) }
    return (items[0], items[1])
  }
}
