import SwiftwaterCore
import SwiftwaterTesting
import Synchronization

@testable import SwiftwaterKernels

/// Lets one call in some throw.
final class Faults: Sendable {
  struct Fault: Error {}

  private struct State {
    var random: SeededRandom
    var rate = 0
  }

  private let state: Mutex<State>

  init(seed: UInt64) {
    state = Mutex(State(random: SeededRandom(seed: seed)))
  }

  /// One call in so many throws; 0 for none.
  var rate: Int {
    get { state.withLock { $0.rate } }
    set { state.withLock { $0.rate = newValue } }
  }

  func maybe() throws {
    let throwsNow = state.withLock {
      $0.rate > 0 && Int.random(in: 0..<($0.rate * 4), using: &$0.random) == 0
    }
    if throwsNow { throw Fault() }
  }
}

/// A form whose calls throw now and then, before they have done anything.
struct FaultyForm: PairForm {
  private let form: any PairForm
  private let faults: Faults

  init(_ form: any PairForm, _ faults: Faults) {
    self.form = form
    self.faults = faults
  }

  func makeDirectory() -> any KeyDirectory { FaultyDirectory(form.makeDirectory(), faults) }

  func makeValues() -> any ValueArray { FaultyArray(form.makeValues(), faults) }

  func split(
    _ pairs: any RecordBatch
  ) throws -> (keys: any RecordBatch, values: any RecordBatch)? {
    try faults.maybe()
    return try form.split(pairs)
  }

  func pairs(_ keys: any RecordBatch, _ values: any RecordBatch) throws -> any RecordBatch {
    try faults.maybe()
    return try form.pairs(keys, values)
  }

  func gathered(_ vector: any RecordBatch, _ rows: [UInt32]) throws -> any RecordBatch {
    try faults.maybe()
    return try form.gathered(vector, rows)
  }

  func concatenated(_ vectors: [any RecordBatch]) throws -> any RecordBatch {
    try faults.maybe()
    return try form.concatenated(vectors)
  }
}

private final class FaultyDirectory: KeyDirectory {
  private let directory: any KeyDirectory
  private let faults: Faults

  init(_ directory: any KeyDirectory, _ faults: Faults) {
    self.directory = directory
    self.faults = faults
  }

  var count: Int { directory.count }
  var bound: Int { directory.bound }
  var byteCount: Int { directory.byteCount }

  func numbers(of keys: any RecordBatch, newRows: inout [UInt32]) throws -> [UInt32]? {
    try faults.maybe()
    return try directory.numbers(of: keys, newRows: &newRows)
  }

  func remove(_ numbers: [UInt32]) { directory.remove(numbers) }

  func keys(_ numbers: [UInt32]) throws -> any RecordBatch {
    try faults.maybe()
    return try directory.keys(numbers)
  }
}

private final class FaultyArray: ValueArray {
  private let values: any ValueArray
  private let faults: Faults

  init(_ values: any ValueArray, _ faults: Faults) {
    self.values = values
    self.faults = faults
  }

  var byteCount: Int { values.byteCount }

  func gathered(_ places: [UInt32]) throws -> any RecordBatch {
    try faults.maybe()
    return try values.gathered(places)
  }

  func set(_ places: [UInt32], to vector: any RecordBatch) throws {
    try faults.maybe()
    try values.set(places, to: vector)
  }

  func clear(_ places: [UInt32]) { values.clear(places) }
}
