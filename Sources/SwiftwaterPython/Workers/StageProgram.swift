import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD
import Synchronization

/// A part of a stage that Python works on, as a worker process can do it.
enum RemoteStep: Sendable {
  case pipeline([PythonOperator])
  /// Behind a shuffle: the combined values of several parts.
  case merge(CombineByKey)
  /// A partition made of several.
  case gather(TaskFunction, OperatorPlace)
  /// What follows belongs to nodes with another partition.
  case renumber
  // At the end of a stage.
  /// In front of a shuffle, or of what is called one.
  case combine(CombineByKey)
  case partition(KeyPartitioning)
  case count

  /// The functions that it calls.
  var functions: [TaskFunction] {
    switch self {
    case .pipeline(let operators): operators.map(\.taskFunction)
    case .merge(let combination), .combine(let combination):
      [combination.mergeValue, combination.mergeCombiners]
        + [combination.createCombiner, combination.partitioning.function].compactMap(\.self)
    case .gather(let function, _): [function]
    case .partition(let partitioning): [partitioning.function].compactMap(\.self)
    case .renumber, .count: []
    }
  }

  /// Who calls functions, in the order in which a worker numbers them.
  var places: [OperatorPlace] {
    switch self {
    case .pipeline(let operators): operators.map(\.place)
    case .merge(let combination), .combine(let combination): [combination.place]
    case .gather(_, let place): [place]
    case .partition(let partitioning): [partitioning.place]
    case .renumber, .count: []
    }
  }

  /// The number of lists of batches that it gives.
  var bucketCount: Int {
    switch self {
    case .combine(let combination): combination.partitioning.count
    case .partition(let partitioning): partitioning.count
    default: 1
    }
  }

  /// Tells it from others with the same functions.
  fileprivate var layout: String {
    switch self {
    case .pipeline(let operators): "p" + operators.map(\.kind.rawValue).joined(separator: ",")
    case .merge: "m"
    case .gather: "g"
    case .renumber: "r"
    case .combine(let combination): "c\(combination.partitioning.count)"
    case .partition(let partitioning): "d\(partitioning.count)"
    case .count: "n"
    }
  }

  /// What `swiftwater._worker` makes the step of again: a tuple.
  fileprivate func description(_ py: borrowing Python) throws -> PyPointer {
    let items: [PyPointer?]
    switch self {
    case .pipeline(let operators):
      let parts = operators.map { item in
        py.newTuple(
          [
            py.newText(item.kind.rawValue), Py.retained(item.function.pointer),
            py.newText(item.name), py.newText(item.site),
          ])
      }
      items = [py.newText("pipeline"), py.newList(parts)]
    case .merge(let combination): items = [py.newText("merge")] + Self.items(combination, py)
    case .combine(let combination): items = [py.newText("combine")] + Self.items(combination, py)
    case .gather(let function, let place):
      items = [
        py.newText("gather"), Py.retained(function.pointer), py.newText(place.name),
        py.newText(place.site),
      ]
    case .partition(let partitioning):
      items = [
        py.newText("partition"), py.newInteger(partitioning.count),
        Self.optional(partitioning.function), py.newText(partitioning.place.name),
        py.newText(partitioning.place.site),
      ]
    case .renumber: items = [py.newText("renumber")]
    case .count: items = [py.newText("count")]
    }
    guard let tuple = py.newTuple(items) else { throw PythonError.fetch(py) }
    return tuple
  }

  /// The arguments of `combine_by_key` behind the first.
  private static func items(
    _ combination: CombineByKey, _ py: borrowing Python
  ) -> [PyPointer?] {
    [
      optional(combination.createCombiner), Py.retained(combination.mergeValue.pointer),
      Py.retained(combination.mergeCombiners.pointer),
      py.newInteger(combination.partitioning.count), optional(combination.partitioning.function),
      py.newText(combination.place.name), py.newText(combination.place.site),
      py.newBool(combination.gathersLists),
    ]
  }

  private static func optional(_ function: TaskFunction?) -> PyPointer? {
    function.map { Py.retained($0.pointer)! } ?? Py.none()
  }
}

/// What a worker runs for the tasks of a stage.
struct StageProgram: Sendable {
  let steps: [RemoteStep]
  let inputCount: Int
  /// The first input is lines of text.
  let readsText: Bool

  var functions: [TaskFunction] { steps.flatMap(\.functions) }
  var places: [OperatorPlace] { steps.flatMap(\.places) }
  var bucketCount: Int { steps.last?.bucketCount ?? 1 }

  struct Key: Hashable, Sendable {
    let functions: [ObjectIdentifier]
    let layout: String
  }

  var key: Key {
    Key(
      functions: functions.map(\.identity),
      layout: "\(inputCount)\(readsText)" + steps.map(\.layout).joined(separator: ";"))
  }

  /// What is pickled: (number of inputs, whether the first is text, steps).
  func description(_ py: borrowing Python) throws -> PythonObject {
    var described: [PyPointer] = []
    do {
      for step in steps { described.append(try step.description(py)) }
    } catch {
      for item in described { Py.release(item) }
      throw error
    }
    let items = [py.newInteger(inputCount), py.newBool(readsText), py.newList(described)]
    guard let tuple = py.newTuple(items) else { throw PythonError.fetch(py) }
    return PythonObject(owning: tuple)
  }
}

/// Programs as bytes, and the numbers that workers know them by.
final class ProgramCache: Sendable {
  struct Pickled: Sendable {
    let number: Int
    let bytes: [UInt8]
    /// The broadcast values that its functions read: an owned list of their objects.
    let broadcasts: PythonObject
  }

  /// So many programs a worker keeps; the one that it got first goes first.
  static let keptByWorker = 16

  private struct Entry: Sendable {
    /// Kept alive: a key holds their identities. The bytes are those of just these, with what they
    /// have captured.
    let functions: [TaskFunction]
    /// The run of a stage for which it was pickled; nil where it holds for all.
    let stage: Int?
    let pickled: Pickled
  }

  private struct State {
    var entries: [StageProgram.Key: Entry] = [:]
    var order: [StageProgram.Key] = []
    var last = 0
  }

  /// What is captured can be large, and lives as long as it is here.
  private static let mostEntries = 16
  private let state = Mutex(State())

  /// The program as it is now. Where functions have captured what can change, that is asked anew for
  /// each run of a stage; it keeps its number as long as its bytes are the same.
  ///
  /// - Throws: ``PythonError`` where it cannot be pickled.
  func pickled(_ program: StageProgram, stage: Int) throws -> Pickled {
    let key = program.key
    if let known = find(program, key, stage) { return known }
    return try Interpreter.attach { py in
      // Another task of the stage may have been here meanwhile.
      if let known = find(program, key, stage) { return known }
      let description = try program.description(py)
      let pickle = try py.importing("dump_program", from: "swiftwater._pickling")
      guard let result = pickle.call(description.pointer) else { throw PythonError.fetch(py) }
      defer { Py.release(result) }
      let bytes = try bytes(of: Py.tupleItem(result, 0))
      let broadcasts = PythonObject(borrowing: Py.tupleItem(result, 1))
      let functions = program.functions
      let isFixed =
        !functions.contains(where: \.isOpen) && Py.truth(Py.tupleItem(result, 2)) == 1
      let (pickled, dropped) = state.withLock { state -> (Pickled, [Entry?]) in
        let earlier = state.entries[key]
        let number: Int
        if let earlier, earlier.pickled.bytes == bytes {
          number = earlier.pickled.number
        } else {
          state.last += 1
          number = state.last
        }
        let pickled = Pickled(number: number, bytes: bytes, broadcasts: broadcasts)
        state.entries[key] = Entry(
          functions: functions, stage: isFixed ? nil : stage, pickled: pickled)
        var dropped: [Entry?] = [earlier]
        if earlier == nil {
          state.order.append(key)
          if state.order.count > Self.mostEntries {
            dropped.append(state.entries.removeValue(forKey: state.order.removeFirst()))
          }
        }
        return (pickled, dropped)
      }
      // Python's code may run when they go: not under the lock.
      withExtendedLifetime(dropped) {}
      return pickled
    }
  }

  private func find(_ program: StageProgram, _ key: StageProgram.Key, _ stage: Int) -> Pickled? {
    let functions = program.functions
    return state.withLock { state in
      guard let entry = state.entries[key], entry.stage == nil || entry.stage == stage,
        zip(entry.functions, functions).allSatisfy({ $0.pointer == $1.pointer })
      else { return nil }
      return entry.pickled
    }
  }
}
