import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// Making nodes of operators.
extension RDDNode {
  /// What a source has.
  ///
  /// - Parameter recordType: of its records, where it is known.
  public static func reading(
    _ source: any PartitionSource, name: String, context: SparkContext, partitionCount: Int,
    recordType: ColumnType? = nil
  ) -> RDDNode {
    RDDNode(
      .read(source), name: name, context: context, partitionCount: partitionCount,
      placement: source.placement, recordType: recordType)
  }

  /// What a closure gives for each partition.
  public convenience init(
    name: String, context: SparkContext, partitionCount: Int,
    placement: TaskPlacement = .anyThread,
    body: @escaping @Sendable (_ partition: Int, _ task: TaskContext) throws -> any BatchCursor
  ) {
    self.init(
      .read(ClosureSource(placement: placement, body: body)), name: name, context: context,
      partitionCount: partitionCount, placement: placement)
  }

  /// Given batches, one list a partition.
  ///
  /// - Parameter source: what they are called outside of the program.
  public static func batches(
    _ partitions: [[any RecordBatch]], name: String, context: SparkContext,
    recordType: ColumnType? = nil, source: String? = nil
  ) -> RDDNode {
    reading(
      GivenBatches(partitions: partitions, name: source), name: name, context: context,
      partitionCount: partitions.count, recordType: recordType)
  }

  /// The records gone through steps. Steps of the node itself, where it is not cached, and where they are
  /// of the same language, are fused with them: the records in between are never stored.
  ///
  /// - Precondition: there are steps, of one language.
  public func applying(_ steps: [RecordStep]) -> RDDNode {
    let name = steps[steps.count - 1].place.name
    guard let open = openPlan, case .steps(let plan) = open.late,
      plan.language.name == steps[0].function.language.name
    else { return Self.applying(StepRun(steps), over: capturingAgain(), name: name) }
    if let sealed = plan.value.sealed {
      let run = StepRun(sealed.steps).appending(steps)
      return Self.applying(run, over: open.inputs[0], name: name)
    }
    return Self.applying(
      plan.run.appending(steps), over: open.inputs[0].mergingAgain(), name: name)
  }

  private static func applying(_ run: StepRun, over input: RDDNode, name: String) -> RDDNode {
    let isLowering = input.context.isLowering && input.partitionCount > 0
    let plan = StepsPlan(run, isLowering: isLowering) { [input] in input.recordType }
    return RDDNode(
      .records(run), name: name, context: input.context, inputs: [input],
      partitionCount: input.partitionCount, late: .steps(plan))
  }

  /// The node as an action, a shuffle or an operator that puts functions behind its own sees it: they are
  /// captured together, late.
  ///
  /// Spark: most actions, and most shuffles, put a function of their own behind the RDD's functions,
  /// and pickle them all together.
  public func capturingAgain() -> RDDNode {
    guard let open = openPlan else { return self }
    switch open.late {
    case .merge(let plan): return plan.again().map { merging($0, open.shuffle) } ?? self
    case .steps(let plan):
      if plan.value.sealed != nil { return self }
      let input = open.inputs[0].mergingAgain()
      guard input !== open.inputs[0] || plan.run.steps.contains(where: \.function.isOpen) else {
        return self
      }
      return Self.applying(plan.run, over: input, name: name)
    }
  }

  /// The input of steps as other steps of the same records see it.
  private func mergingAgain() -> RDDNode {
    guard let open = openPlan, case .merge(let plan) = open.late, plan.isFused,
      let again = plan.again()
    else { return self }
    return merging(again, open.shuffle)
  }

  /// The node with another plan behind its shuffle.
  private func merging(_ plan: MergePlan, _ shuffle: Shuffle?) -> RDDNode {
    RDDNode(
      .combineByKey(plan.combination), name: name, context: context, shuffle: shuffle,
      partitionCount: partitionCount, late: .merge(plan))
  }

  /// The values of each key combined: first inside every partition, then across them.
  ///
  /// - Throws: an interrupt while functions are read.
  public func combined(_ combination: CombineByKey) throws -> RDDNode {
    let mergeCombiners = combination.mergeCombiners
    let combination = try combination.captured()
    let native = try nativeMerge(of: combination)
    // Where the records are known to be pairs of types that merge natively, no step needs a language.
    let type = recordType.flatMap { native?.resultType(of: $0) }
    let placement = type == nil ? combination.language.placement : .anyThread
    // Keys that are in all partitions are then looked up once for each record, and not again for each
    // partition.
    let isShared = recordType.map { native?.isShareable(for: $0) ?? false } ?? false
    let mapSide = isShared ? coalesced(to: context.parallelism) : self
    let plan = MergePlan(
      combination, by: mergeCombiners, isNative: native != nil, shuffledType: type,
      isLowering: context.isLowering && partitionCount > 0)
    return RDDNode(
      .combineByKey(combination), name: combination.place.name, context: context,
      shuffle: Shuffle(parent: mapSide, .combine(combination), placement: placement),
      partitionCount: combination.partitioner.count, late: .merge(plan))
  }

  /// The values of each key combined inside of each partition.
  ///
  /// - Throws: an interrupt while functions are read.
  public func combinedLocally(_ combination: CombineByKey) throws -> RDDNode {
    let combination = try combination.captured()
    let native = try nativeMerge(of: combination)
    let type = recordType.flatMap { native?.resultType(of: $0) }
    return RDDNode(
      .combineLocally(combination), name: combination.place.name, context: context, inputs: [self],
      partitionCount: partitionCount,
      placement: type == nil ? combination.language.placement : .anyThread, recordType: type)
  }

  private func nativeMerge(of combination: CombineByKey) throws -> NativeMerge? {
    partitionCount == 0
      ? nil : try NativeMerge(combination, isLowering: context.isLowering)
  }

  /// Each pair in the partition of its key.
  ///
  /// - Parameter whenRun: called with the result once its shuffle has run, where it is there still.
  /// - Throws: an interrupt while functions are read.
  public func partitioned(
    _ division: PartitionByKey, whenRun: (@Sendable (RDDNode) -> Void)? = nil
  ) throws -> RDDNode {
    let division = try division.captured()
    // Where the records are known to be pairs with keys that columns hold, no step needs a language.
    let takesColumns = division.takesColumns(isLowering: context.isLowering)
    let type =
      takesColumns ? recordType.flatMap { division.partitioner.divides($0) ? $0 : nil } : nil
    let shuffle = Shuffle(
      parent: self, .partition(division),
      placement: type == nil ? division.language.placement : .anyThread)
    let divided = RDDNode(
      .partitionBy(division), name: division.place.name, context: context, shuffle: shuffle,
      partitionCount: division.partitioner.count, recordType: type)
    if let whenRun {
      shuffle.whenRun { [weak divided] in if let divided { whenRun(divided) } }
    }
    return divided
  }

  /// A node without partitions.
  public static func empty(_ context: SparkContext) -> RDDNode {
    batches([], name: "parallelize", context: context)
  }

  /// Partitions put together from those of several nodes, without a shuffle.
  public static func laidOut(
    _ layout: Layout, of nodes: [RDDNode], name: String, context: SparkContext
  ) -> RDDNode {
    let types = Set(nodes.map(\.recordType))
    return RDDNode(
      .layout(layout), name: name, context: context, inputs: nodes,
      partitionCount: layout.count, recordType: types.count == 1 ? types.first! : nil)
  }

  /// The partitions of all `parents`, one after the other.
  public static func union(of parents: [RDDNode], context: SparkContext) -> RDDNode {
    if parents.count == 1 { return parents[0] }
    return laidOut(
      .union(of: parents.map(\.partitionCount)), of: parents, name: "union", context: context)
  }

  /// The records of all `parents`, in their order, those partitions as one that belong together: see
  /// ``UnionPlan``.
  ///
  /// - Parameter name: of the node, where its partitions are made of several.
  /// - Throws: what comparing the functions of partitioners throws.
  public static func united(
    _ parents: [RDDNode], name: String, context: SparkContext
  ) throws -> RDDNode {
    if parents.isEmpty { return empty(context) }
    let plan = try UnionPlan(of: parents)
    guard plan.isSideBySide, parents.count > 1 else { return union(of: parents, context: context) }
    return laidOut(
      plan.layout, of: plan.inputs.map { parents[$0] }, name: name, context: context)
  }

  /// The same records in at most `count` partitions, each made of neighbours; itself where it has no
  /// more.
  public func coalesced(to count: Int) -> RDDNode {
    count >= partitionCount ? self : neighbours(in: count, name: name)
  }

  /// The same records in at most `count` partitions, each made of neighbours.
  public func neighbours(in count: Int, name: String) -> RDDNode {
    Self.laidOut(
      .neighbours(of: partitionCount, in: min(max(1, count), partitionCount)), of: [self],
      name: name, context: context)
  }

  /// The node, which `partitioner` is known to divide the records of: those of what an earlier run has
  /// kept. Itself where it has another number of partitions.
  public func divided(asKnown partitioner: Partitioner?) -> RDDNode {
    guard let partitioner, self.partitioner == nil, partitioner.count == partitionCount else {
      return self
    }
    return standing(as: name, dividedBy: partitioner)
  }

  /// A node of its own with the same partitions.
  ///
  /// - Parameter partitioner: what the caller knows the records to be divided by.
  public func standing(as name: String, dividedBy partitioner: Partitioner?) -> RDDNode {
    Self.laidOut(
      .sideBySide(of: 1, in: partitionCount, partitioner: partitioner), of: [self], name: name,
      context: context)
  }

  /// A function on partitions of several nodes that belong together.
  ///
  /// - Throws: an interrupt while functions are read.
  public static func zipped(
    _ zip: ZipPartitions, of nodes: [RDDNode], context: SparkContext
  ) throws -> RDDNode {
    let zip = try zip.captured()
    let isNative = context.isLowering || zip.language.isNativeOnly
    let type = isNative ? zip.form?.resultType(of: nodes.map(\.recordType)) : nil
    return RDDNode(
      .zipPartitions(zip), name: zip.place.name, context: context, inputs: nodes,
      partitionCount: zip.layout.count,
      placement: type == nil ? zip.language.placement : .anyThread, recordType: type)
  }
}

/// A source that is a closure.
private struct ClosureSource: PartitionSource {
  let placement: TaskPlacement
  let body: @Sendable (_ partition: Int, _ task: TaskContext) throws -> any BatchCursor

  func cursor(partition: Int, task: TaskContext) throws -> any BatchCursor {
    try body(partition, task)
  }
}

/// Records that are there.
private struct GivenBatches: PartitionSource {
  let partitions: [[any RecordBatch]]
  let name: String?

  var recordCount: Int { partitions.joined().reduce(0) { $0 + $1.recordCount } }
  var isUnchanging: Bool { true }

  func cursor(partition: Int, task: TaskContext) throws -> any BatchCursor {
    ArrayCursor(partitions[partition])
  }
}
