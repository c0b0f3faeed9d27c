import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan
import Synchronization

/// The table of a window or of a state: keys with what their values have come to, partition by
/// partition, changed where it is by one batch after the other.
///
/// An RDD of it (``TableStep``) is a view of the table at one time. Before the table goes on, the
/// records of the view before are put aside where somebody still holds it.
public final class KeyedTable: Sendable {
  public let operation: TableOperation
  let parts: [KeyedPart]
  let programs = TablePrograms()
  /// The time of the latest view that was complete: what a function made of records until then was there
  /// to be read.
  let deliveredTime = Atomic(Int64.min)
  let waitingViews = WaitingViews()
  /// True while a job takes batches in: others wait.
  private let turn = Monitor(false)

  public init(_ operation: TableOperation) {
    self.operation = operation
    parts = (0..<operation.partitioner.count).map { _ in KeyedPart(operation) }
  }

  /// The time up to which every partition has taken in batches; nil before any.
  public var time: Int64? {
    var latest: Int64?
    for part in parts {
      guard let time = part.time else { return nil }
      latest = min(latest ?? time, time)
    }
    return latest
  }

  /// True where it has taken in a batch, or contents to go on from.
  public var hasContents: Bool { parts.allSatisfy(\.hasContents) }

  /// How large it is, in all partitions, each as it was after its latest step. Nobody is waited for.
  public var figures: TableFigures {
    parts.reduce(into: TableFigures()) { $0.add($1.gauge.figures) }
  }

  /// The figures of all partitions but one.
  func figures(without partition: Int) -> TableFigures {
    parts.indices.reduce(into: TableFigures()) { figures, index in
      if index != partition { figures.add(parts[index].gauge.figures) }
    }
  }

  /// Batches up to a time are not taken in any more.
  public func skip(to time: Int64) {
    for part in parts { part.skip(to: time) }
  }

  /// What could not be taken in up to a time is given up: at these times the table is what it is now.
  public func giveUp(until time: Int64) {
    for view in waitingViews.before(time + 1) {
      for (partition, part) in parts.enumerated() { part.showAsItIs(view, partition) }
    }
    for part in parts { part.giveUp(until: time) }
  }

  /// The pairs as they are after the latest batch that was taken in, some at a time. Batches wait
  /// meanwhile.
  ///
  /// - Throws: what `body` throws, what ends the wait, and where pairs on disk cannot be read.
  public func read(
    with runner: JobRunner, _ body: (_ pairs: any RecordBatch) throws -> Void
  ) throws {
    try inTurn(runner) {
      for part in parts {
        for batch in try part.pairs() { try body(batch) }
      }
    }
  }

  /// Runs `body` when no other job does so. Waits for its turn.
  ///
  /// - Throws: what ends the wait: ``EngineError`` (`cancelled`), or what the ``CallerPoll`` throws.
  func inTurn(_ runner: JobRunner, _ body: () throws -> Void) throws {
    if !turn.withLock(Self.take) {
      let watch = runner.newWatch()
      while true {
        let deadline = monotonicNanoseconds() + JobWatch.pollNanoseconds
        let isTaken = turn.wait(untilMonotonicNanoseconds: deadline) { isBusy in
          Self.take(&isBusy) ? true : nil
        }
        if isTaken == true { break }
        try watch.check()
      }
    }
    defer { turn.notify { $0 = false } }
    try body()
  }

  private static func take(_ isBusy: inout Bool) -> Bool {
    if isBusy { return false }
    isBusy = true
    return true
  }
}

/// One partition of a table.
final class KeyedPart: Sendable {
  private struct State {
    var content: any TableContent
    /// Of the latest batch that was taken in.
    var time: Int64?
    /// The time of the contents that it goes on from.
    var origin: Int64?
    /// The time of the keys' times that it goes on from.
    var timesOrigin: Int64?
    /// It has taken in something.
    var hasContents = false
    /// The time whose pairs are read now; nil between batches.
    var shown: Int64?
    /// Who reads them.
    weak var view: TableStep?
  }

  private let state: Monitor<State>
  private let language: any Language
  private let hasKeyTimes: Bool
  /// What is known of its size between two steps.
  let gauge = TableGauge()

  init(_ operation: TableOperation) {
    language = operation.language
    hasKeyTimes = operation.hasKeyTimes
    state = Monitor(State(content: Self.makeContent(operation)))
  }

  private static func makeContent(_ operation: TableOperation) -> any TableContent {
    switch operation.kind {
    case .window: WindowContent()
    case .running: RunningContent()
    case .state: StateContent()
    case .mapped: MappedContent()
    }
  }

  /// Not with a lock of the language's in hand that a task may wait for which has this one.
  private func withState<R>(_ body: (inout State) throws -> R) rethrows -> R {
    try language.waiting { try state.withLock(body) }
  }

  var time: Int64? { withState { $0.time } }

  var hasContents: Bool { withState { $0.hasContents } }

  /// All pairs.
  func pairs() throws -> [any RecordBatch] { try withState { try Self.pairs(of: $0.content) } }

  func skip(to time: Int64) {
    withState { $0.time = max($0.time ?? .min, time) }
  }

  func giveUp(until time: Int64) {
    withState { state in
      state.time = max(state.time ?? .min, time)
      state.content.giveUp()
      gauge.read(state.content)
    }
  }

  /// True where a batch is still to be taken in.
  func lacks(_ input: TableStep.Input) -> Bool {
    withState { Self.lacks($0, input) }
  }

  private static func lacks(_ state: State, _ input: TableStep.Input) -> Bool {
    if input.isTimes { return state.timesOrigin != input.time }
    if input.goesOnBehind != nil { return state.origin != input.time }
    return state.time.map { $0 < input.time } ?? true
  }

  /// True where the pairs of a view are read here, or were put aside.
  func shows(_ view: TableStep, _ partition: Int) -> Bool {
    withState { $0.shown == view.time && $0.view === view } || view.isAside(partition)
  }

  /// Takes in a batch.
  func take(
    _ input: TableStep.Input, _ batches: [any RecordBatch], _ partition: Int, from start: Int64,
    _ call: TableCall
  ) throws {
    try withState { state in
      guard Self.lacks(state, input) else { return }
      defer { gauge.read(state.content) }
      try putAside(&state, partition, but: nil)
      let isFirst = input.goesOnBehind != nil
      let records = input.records(
        try call.inColumns(batches, unless: !isFirst && state.content.hasObjects))
      if let behind = input.goesOnBehind {
        let content = Self.makeContent(call.operation)
        try content.take(records, from: start, call)
        (state.content, state.time, state.origin) = (content, behind, input.time)
        state.hasContents = true
        return
      }
      if input.isTimes {
        try Self.converting(&state, call) { try $0.takeTimes(records, call) }
        state.timesOrigin = input.time
        return
      }
      try call.checkRoom(bytes: state.content.byteCount)
      try Self.converting(&state, call) { try $0.take(records, from: start, call) }
      state.time = input.time
      state.hasContents = true
    }
  }

  /// Makes the pairs of a view.
  func show(_ view: TableStep, _ partition: Int, _ call: TableCall) throws {
    try withState { state in
      if state.shown == view.time, state.view === view { return }
      if let pairs = view.unfinished(partition) {
        return view.putAside(try pairs.finished(call), partition)
      }
      // Batches behind it are taken in: what it would show is another time's.
      if let time = state.time, time > view.time {
        throw view.failure ?? Self.goneOn(behind: view.time, view.operation.place)
      }
      defer { gauge.read(state.content) }
      try putAside(&state, partition, but: view)
      try Self.converting(&state, call) { try $0.slide(to: view.time, from: view.start, call) }
      state.shown = view.time
      state.view = view
      state.time = max(state.time ?? .min, view.time)
    }
  }

  /// Makes the pairs of a view, or puts what there is of them aside, before the table goes on.
  ///
  /// - Parameter start: batches up to this time are not in the next window.
  func showBeforeGoingOn(
    _ view: TableStep, _ partition: Int, from start: Int64, _ call: TableCall
  ) throws {
    if hasGoneOn(behind: view, partition) { return }
    let isUnfinished = view.unfinished(partition) != nil
    do {
      try show(view, partition, call)
    } catch {
      guard call.operation.language.isOfRecords(error) else { throw error }
      if isUnfinished { return }
      try withState { state in
        let window = state.content as? WindowContent
        if let pairs = try window?.unfinishedPairs(from: view.start) {
          view.putAside(pairs, partition)
        } else if view.time <= start {
          view.note(error)
        } else {
          throw error
        }
      }
    }
  }

  /// True where the pairs of a view cannot be made any more.
  func hasGoneOn(behind view: TableStep, _ partition: Int) -> Bool {
    time ?? .min > view.time && view.unfinished(partition) == nil && !view.isAside(partition)
  }

  /// Puts the pairs that there are aside for a view whose batches are given up.
  func showAsItIs(_ view: TableStep, _ partition: Int) {
    if shows(view, partition) { return }
    withState { state in
      if state.content is RunningContent { return }
      // A reader that fails has nothing to say to anybody here: the view stays one that cannot be made.
      guard let batches = try? Self.pairs(of: state.content) else { return }
      view.putAside(batches, partition)
    }
  }

  /// What a function made of the records of the batches behind a time, as the table is at `time`.
  ///
  /// - Throws: ``EngineError`` (`illegalState`) where it has gone on.
  func records(
    behind start: Int64, at time: Int64, _ place: OperatorPlace
  ) throws -> [any RecordBatch] {
    try checkTime(time, place)
    return withState { state in
      (state.content as? MappedContent)?.records(behind: start) ?? []
    }
  }

  /// - Throws: ``EngineError`` (`illegalState`) where the table has gone on behind a time.
  func checkTime(_ time: Int64, _ place: OperatorPlace) throws {
    if self.time ?? .min > time { throw Self.goneOn(behind: time, place) }
  }

  private static func goneOn(behind time: Int64, _ place: OperatorPlace) -> EngineError {
    .illegalState("\(place.name): the table has gone on behind \(time) ms")
  }

  private static func converting(
    _ state: inout State, _ call: TableCall, _ body: (any TableContent) throws -> Void
  ) throws {
    do {
      try body(state.content)
    } catch is UnfitForColumns {
      try state.content.convert(to: call.objectForm())
      try body(state.content)
    }
  }

  /// The pairs that somebody may still read who holds their view.
  private func putAside(
    _ state: inout State, _ partition: Int, but view: TableStep?
  ) throws {
    if let earlier = state.view, earlier !== view {
      let times = hasKeyTimes ? try KeyTimes.batches(of: state.content) : []
      earlier.putAside(try Self.pairs(of: state.content), times: times, partition)
    }
    state.shown = nil
    state.view = nil
  }

  private static func pairs(of content: any TableContent) throws -> [any RecordBatch] {
    var reader = try content.makeReader()
    var batches: [any RecordBatch] = []
    // Who is in the midst of them goes on with the number of a batch.
    while let batch = try reader.next(TableStep.rowsTogether(inBatch: batches.count)) {
      batches.append(try batch.spillingIfShort())
    }
    return batches
  }

  /// When the keys of a view had new values last: see ``KeyTimes``.
  func times(of view: TableStep, _ partition: Int) throws -> [any RecordBatch] {
    try withState { state in
      if let times = view.asideTimes(partition) { return times }
      guard state.shown == view.time, state.view === view else {
        throw Self.goneOn(behind: view.time, view.operation.place)
      }
      return try KeyTimes.batches(of: state.content)
    }
  }

  /// The next pairs of a view.
  ///
  /// - Parameter reader: nil at first; of no use once the pairs are put aside.
  func next(
    of view: TableStep, _ partition: Int, _ reader: inout (any TableReader)?, number: Int
  ) throws -> (any RecordBatch)? {
    try withState { state in
      if let batches = view.aside(partition) {
        return number < batches.count ? batches[number] : nil
      }
      guard state.shown == view.time, state.view === view else {
        throw Self.goneOn(behind: view.time, view.operation.place)
      }
      var own = try reader ?? state.content.makeReader()
      defer { reader = own }
      return try own.next(TableStep.rowsTogether(inBatch: number))
    }
  }
}
