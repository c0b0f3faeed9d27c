import PythonFunctions
import PythonInterop
import PythonOperators
import SwiftwaterCore
import SwiftwaterPlan

/// A stage's program as Python's objects, which are pickled for a worker, and back.
///
/// (number of inputs, whether the first is lines of text, steps, end); a step, and the end, is a tuple of
/// its name and its arguments.
extension StageProgram {
  /// The functions that it calls.
  var pythonFunctions: [PythonFunction] { functions.map(PythonFunction.of) }

  func description(_ py: borrowing Python) throws -> PythonObject {
    var described: [PyPointer] = []
    let end: PyPointer
    do {
      for step in steps { described.append(try step.description(py)) }
      end = try self.end.description(py)
    } catch {
      for item in described { Py.release(item) }
      throw error
    }
    let items = [py.newInteger(inputCount), py.newBool(readsText), py.newList(described), end]
    guard let tuple = py.newTuple(items) else { throw PythonError.fetch(py) }
    return PythonObject(owning: tuple)
  }

  /// - Throws: ``EngineError`` (`illegalState`) for anything else than a description.
  init(_ description: PyPointer, _ py: borrowing Python) throws {
    guard let parts = pointers(in: description), parts.count == 4,
      let inputCount = py.integer(of: parts[0]), let described = pointers(in: parts[2])
    else { throw StageReader.wrong }
    var reader = StageReader()
    var steps: [StageStep] = []
    for step in described { steps.append(try reader.step(step, py)) }
    self.init(
      inputCount: inputCount, readsText: Py.truth(parts[1]) == 1, steps: steps,
      end: try reader.end(parts[3], py))
  }
}

/// Tells a program from others with other functions or another layout.
struct StageKey: Hashable, Sendable {
  private let functions: [ObjectIdentifier]
  private let layout: String

  init(_ program: StageProgram) {
    functions = program.functions.map(\.identity)
    let steps = program.steps.map(\.layout) + [program.end.layout]
    layout = "\(program.inputCount)\(program.readsText)" + steps.joined(separator: ";")
  }
}

extension StageStep {
  fileprivate var layout: String {
    switch self {
    case .records(let steps): "p" + steps.map(\.kind.rawValue).joined(separator: ",")
    case .combineLocally(let combination): "l" + combination.layout
    case .merge(let combination): "m" + combination.layout
    case .zip: "g"
    case .renumber: "r"
    }
  }

  fileprivate func description(_ py: borrowing Python) throws -> PyPointer {
    switch self {
    case .records(let steps):
      let parts = steps.map { step in
        py.newTuple([
          py.newText(step.kind.rawValue), newReference(step.function), py.newText(step.place.name),
          py.newText(step.place.site), py.newBool(step.keepsKeys),
        ])
      }
      return try newTuple("records", [py.newList(parts)], py)
    case .combineLocally(let combination):
      return try newTuple("combine_locally", combination.items(py), py)
    case .merge(let combination): return try newTuple("merge", combination.items(py), py)
    case .zip(let zip):
      let items = [
        newReference(zip.function), py.newText(zip.place.name), py.newText(zip.place.site),
      ]
      return try newTuple("zip", items, py)
    case .renumber: return try newTuple("renumber", [], py)
    }
  }
}

extension StageEnd {
  fileprivate var layout: String {
    switch self {
    case .batches: "b"
    case .count: "n"
    case .combine(let combination): "c" + combination.layout
    case .partition(let division): "d\(division.partitioner.count)"
    case .spread(let spread): "s\(spread.count)"
    }
  }

  fileprivate func description(_ py: borrowing Python) throws -> PyPointer {
    switch self {
    case .batches: return try newTuple("batches", [], py)
    case .count: return try newTuple("count", [], py)
    case .combine(let combination): return try newTuple("combine", combination.items(py), py)
    case .partition(let division):
      let items = [
        py.newInteger(division.partitioner.count), newReference(division.partitioner.function),
        py.newText(division.place.name), py.newText(division.place.site),
      ]
      return try newTuple("partition", items, py)
    case .spread(let spread):
      let items = [
        py.newInteger(spread.count), py.newText(spread.place.name), py.newText(spread.place.site),
      ]
      return try newTuple("spread", items, py)
    }
  }
}

extension CombineByKey {
  fileprivate var layout: String { "\(partitioner.count)\(gathersLists)" }

  fileprivate func items(_ py: borrowing Python) -> [PyPointer?] {
    [
      newReference(createCombiner), newReference(mergeValue), newReference(mergeCombiners),
      py.newInteger(partitioner.count), newReference(partitioner.function),
      py.newText(place.name), py.newText(place.site), py.newBool(gathersLists),
    ]
  }
}

/// A function's object, or None; owned.
private func newReference(_ function: (any UserFunction)?) -> PyPointer? {
  function.map { Py.retained(PythonFunction.of($0).pointer)! } ?? Py.none()
}

private func newTuple(
  _ name: String, _ items: [PyPointer?], _ py: borrowing Python
) throws -> PyPointer {
  guard let tuple = py.newTuple([py.newText(name)] + items) else { throw PythonError.fetch(py) }
  return tuple
}

/// Reads the parts of a description, and numbers those that call functions.
private struct StageReader {
  static let wrong = EngineError.illegalState("a program that is none")

  private var number = 0

  mutating func step(_ tuple: PyPointer, _ py: borrowing Python) throws -> StageStep {
    let (name, items) = try Self.parts(tuple, py)
    switch name {
    case "records":
      guard let described = pointers(in: items[0]) else { throw Self.wrong }
      let steps = try recordSteps(in: described, numberedFrom: number, py)
      number += steps.count
      return .records(steps)
    case "combine_locally": return .combineLocally(try combination(items, py))
    case "merge": return .merge(try combination(items, py))
    case "zip":
      guard items.count == 3, let function = try function(items[0], py) else { throw Self.wrong }
      return .zip(
        ZipPartitions(Layout([]), function, form: nil, at: try place(items[1], items[2], py)))
    case "renumber": return .renumber
    default: throw Self.wrong
    }
  }

  mutating func end(_ tuple: PyPointer, _ py: borrowing Python) throws -> StageEnd {
    let (name, items) = try Self.parts(tuple, py)
    switch name {
    case "batches": return .batches
    case "count": return .count
    case "combine": return .combine(try combination(items, py))
    case "partition":
      guard items.count == 4, let count = py.integer(of: items[0]) else { throw Self.wrong }
      let partitioner = Partitioner(count: count, function: try function(items[1], py))
      return .partition(
        PartitionByKey(partitioner, in: PythonLanguage(), at: try place(items[2], items[3], py)))
    case "spread":
      guard items.count == 3, let count = py.integer(of: items[0]), count > 0,
        let name = py.text(of: items[1]), let site = py.text(of: items[2])
      else { throw Self.wrong }
      // It calls nothing, and so has no number among those that do.
      let place = OperatorPlace(name: name, site: site)
      return .spread(Spread(among: count, in: PythonLanguage(), at: place))
    default: throw Self.wrong
    }
  }

  private static func parts(
    _ tuple: PyPointer, _ py: borrowing Python
  ) throws -> (name: String, items: [PyPointer]) {
    guard let items = pointers(in: tuple), let name = items.first.flatMap({ py.text(of: $0) })
    else { throw wrong }
    return (name, Array(items.dropFirst()))
  }

  private mutating func combination(
    _ items: [PyPointer], _ py: borrowing Python
  ) throws -> CombineByKey {
    guard items.count == 8, let merge = try function(items[1], py),
      let combine = try function(items[2], py), let count = py.integer(of: items[3])
    else { throw Self.wrong }
    return CombineByKey(
      createCombiner: try function(items[0], py), mergeValue: merge, mergeCombiners: combine,
      partitioner: Partitioner(count: count, function: try function(items[4], py)),
      gathersLists: Py.truth(items[7]) == 1, at: try place(items[5], items[6], py))
  }

  private func function(
    _ object: PyPointer, _ py: borrowing Python
  ) throws -> PythonFunction? {
    Py.isNone(object) ? nil : try PythonFunction(object, py)
  }

  private mutating func place(
    _ name: PyPointer, _ site: PyPointer, _ py: borrowing Python
  ) throws -> OperatorPlace {
    guard let name = py.text(of: name), let site = py.text(of: site) else { throw Self.wrong }
    defer { number += 1 }
    return OperatorPlace(name: name, site: site, number: number)
  }
}
