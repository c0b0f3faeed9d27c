import PythonFunctions
import PythonInterop
import SwiftwaterPlan

/// Takes the records that come out of a ``RecordChain``.
protocol RecordSink: AnyObject {
  /// Takes over the reference. False: a Python exception is set.
  func take(_ record: PyPointer) -> Bool

  /// True when the chain should pause after the record that it is working on.
  var isFull: Bool { get }

  /// Who failed when ``take(_:)`` gave false, and with which record (an owned reference).
  func takeFailure() -> (place: OperatorPlace, record: PyPointer)?
}

/// Consecutive per-record functions, run in one pass: each record goes through all of them before
/// the next one begins, and no list is made in between.
///
/// SAFETY: used by threads that hold the interpreter. References follow the conventions of
/// ``PyPointer``, but for `push`, which takes over its record.
final class RecordChain<Sink: RecordSink> {
  private struct Step {
    let kind: RecordStep.Kind
    let function: PyPointer
    let number: Int
    let direct: Unmanaged<DirectFunction>?
  }

  let sink: Sink
  private let functions: [BoundStep]
  private let notes = WorkerProgress.notes
  private let direct: [DirectFunction?]
  private let steps: UnsafeMutablePointer<Step>
  private let count: Int
  /// What a function returned is not read to its end when the sink is full: the rest is not wanted.
  private let stopsWhenFull: Bool
  private var failure: (step: Int, record: PyPointer)?

  /// - Parameters:
  ///   - direct: for each function what computes it without a call, where there is such a thing.
  ///   - stopsWhenFull: true where the sink's being full is the end, not a pause.
  /// - Precondition: none of the functions takes a whole partition.
  init(
    _ functions: [BoundStep], direct: [DirectFunction?] = [], into sink: Sink,
    stopsWhenFull: Bool = false
  ) {
    precondition(direct.isEmpty || direct.count == functions.count)
    self.sink = sink
    self.direct = direct
    self.stopsWhenFull = stopsWhenFull
    self.functions = functions
    count = functions.count
    steps = .allocate(capacity: max(1, count))
    for (index, item) in functions.enumerated() {
      precondition(!item.kind.takesPartition)
      (steps + index).initialize(
        to: Step(
          kind: item.kind, function: item.function.pointer, number: item.place.number,
          direct: direct.isEmpty ? nil : direct[index].map { Unmanaged.passUnretained($0) }))
    }
  }

  deinit {
    steps.deallocate()
    if let failure { PythonObject.release(failure.record) }
  }

  /// Runs one record through; takes over the reference. False: an exception is set, and
  /// ``takeError(_:)`` gives it.
  @inline(__always)
  func push(_ record: PyPointer) -> Bool { push(record, from: 0) }

  /// The error behind a `push` that gave false.
  func takeError(_ py: borrowing Python) -> PythonError {
    if let (step, record) = failure {
      failure = nil
      defer { Py.release(record) }
      return .fetch(at: functions[step].place, record: record, py)
    }
    if let (place, record) = sink.takeFailure() {
      defer { Py.release(record) }
      return .fetch(at: place, record: record, py)
    }
    return .fetch(py)
  }

  private func push(_ first: PyPointer, from firstStep: Int) -> Bool {
    var record = first
    var index = firstStep
    while index < count {
      let step = steps[index]
      notes.enter(number: step.number)
      switch step.kind {
      case .map:
        guard let result = value(of: step, record) else { return fail(index, record) }
        Py.release(record)
        record = result
      case .filter:
        guard let result = value(of: step, record) else { return fail(index, record) }
        let truth = Py.truth(result)
        Py.release(result)
        if truth < 0 { return fail(index, record) }
        if truth == 0 {
          Py.release(record)
          return true
        }
      case .flatMap:
        guard let items = Py.call(step.function, record) else { return fail(index, record) }
        return pushAll(of: items, from: index, record)
      case .mapValues:
        guard let result = mapValue(of: record, with: step) else {
          return fail(index, record)
        }
        Py.release(record)
        record = result
      case .flatMapValues:
        return pushValues(of: record, from: index, with: step.function)
      case .mapPartitions, .mapPartitionsWithIndex:
        preconditionFailure("a partition function among record functions")
      }
      index += 1
    }
    return sink.take(record)
  }

  /// What the function gives for a value.
  @inline(__always)
  private func value(of step: Step, _ argument: PyPointer) -> PyPointer? {
    // SAFETY: `direct` holds it.
    if let direct = step.direct, let value = direct._withUnsafeGuaranteedRef({ $0.value(argument) })
    {
      return value
    }
    return Py.call(step.function, argument)
  }

  /// Sends every item on; takes over `items` and `record`.
  private func pushAll(of items: PyPointer, from step: Int, _ record: PyPointer) -> Bool {
    defer { Py.release(items) }
    if Py.isExactList(items) {
      var index = 0
      // The function may still hold the list, and change it: its length is asked every time.
      while index < Py.listCount(items) && !isDone {
        let item = Py.listItem(items, index)
        Py.retain(item)
        guard push(item, from: step + 1) else {
          Py.release(record)
          return false
        }
        index += 1
      }
    } else {
      guard let iterator = Py.iterator(over: items) else { return fail(step, record) }
      defer { Py.release(iterator) }
      while !isDone, let item = Py.next(iterator) {
        guard push(item, from: step + 1) else {
          Py.release(record)
          return false
        }
      }
      if Py.isExceptionSet { return fail(step, record) }
    }
    Py.release(record)
    return true
  }

  @inline(__always)
  private var isDone: Bool { stopsWhenFull && sink.isFull }

  /// `(record[0], function(record[1]))`.
  private func mapValue(of record: PyPointer, with step: Step) -> PyPointer? {
    guard let value = Py.sequenceItem(record, 1) else { return nil }
    defer { Py.release(value) }
    guard let result = self.value(of: step, value) else { return nil }
    defer { Py.release(result) }
    guard let key = Py.sequenceItem(record, 0) else { return nil }
    defer { Py.release(key) }
    return Py.newPair(key, result)
  }

  /// `((record[0], item) for item in function(record[1]))`; takes over `record`.
  private func pushValues(
    of record: PyPointer, from step: Int, with function: PyPointer
  ) -> Bool {
    guard let key = Py.sequenceItem(record, 0) else { return fail(step, record) }
    defer { Py.release(key) }
    guard let value = Py.sequenceItem(record, 1) else { return fail(step, record) }
    defer { Py.release(value) }
    guard let items = Py.call(function, value) else { return fail(step, record) }
    defer { Py.release(items) }
    guard let iterator = Py.iterator(over: items) else { return fail(step, record) }
    defer { Py.release(iterator) }
    while !isDone, let item = Py.next(iterator) {
      let pair = Py.newPair(key, item)
      Py.release(item)
      guard let pair else { return fail(step, record) }
      guard push(pair, from: step + 1) else {
        Py.release(record)
        return false
      }
    }
    if Py.isExceptionSet { return fail(step, record) }
    Py.release(record)
    return true
  }

  /// Keeps the record, whose reference it takes over, as the sample for the error.
  private func fail(_ step: Int, _ record: PyPointer) -> Bool {
    failure = (step, record)
    return false
  }
}

/// Collects records in a list, up to a length.
final class ListSink: RecordSink {
  let list: PythonObject
  private let capacity: Int
  private var count = 0

  /// - Parameter capacity: ``isFull`` from then on; one record may still add many.
  init(capacity: Int, _ py: borrowing Python) throws {
    guard let list = Py.newList() else { throw PythonError.fetch(py) }
    self.list = PythonObject(owning: list)
    self.capacity = capacity
  }

  func take(_ record: PyPointer) -> Bool {
    count += 1
    defer { Py.release(record) }
    return Py.append(record, to: list.pointer)
  }

  var isFull: Bool { count >= capacity }

  func takeFailure() -> (place: OperatorPlace, record: PyPointer)? { nil }
}

/// Counts records.
final class CountSink: RecordSink {
  private(set) var count = 0

  func take(_ record: PyPointer) -> Bool {
    count += 1
    Py.release(record)
    return true
  }

  var isFull: Bool { false }

  func takeFailure() -> (place: OperatorPlace, record: PyPointer)? { nil }
}
