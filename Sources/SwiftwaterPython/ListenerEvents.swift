import PythonInterop
import SwiftwaterConsole
import SwiftwaterCore

/// Calls a function of Python's with the events that Spark's listeners hear of.
struct PythonListener: EventListener {
  let topics: EventTopics = [.runs, .receivers, .batches, .outputs]
  let function: PythonObject

  func receive(_ event: EngineEvent) {
    guard event.isKnownToSpark else { return }
    Interpreter.attach { py in
      guard let argument = py.newTuple(of: event) else { return py.dropException() }
      defer { Py.release(argument) }
      if let result = function.call(argument) {
        Py.release(result)
      } else {
        let error = PythonError.fetch(py)
        error.askAgain(py)
        try? ProcessConsole.notice(
          .error, kind: "listener", "a streaming listener failed: \(error)")
      }
    }
  }
}

extension EngineEvent {
  fileprivate var isKnownToSpark: Bool {
    switch self {
    case .streamingStarted, .receiverStarted, .receiverError, .receiverLost, .receiverStopped,
      .batchSubmitted, .batchStarted, .batchCompleted, .outputStarted, .outputCompleted:
      true
    default: false
    }
  }
}

// Events as tuples of small values; `_swiftwater.pyi` has their shapes.
extension Python {
  /// A new reference, to None for an event that Spark does not know; nil with an exception set.
  fileprivate func newTuple(of event: EngineEvent) -> PyPointer? {
    switch event {
    case .streamingStarted(let info): named("streamingStarted", newTime(info.began))
    case .receiverStarted(let info): named("receiverStarted", newTuple(of: info))
    case .receiverError(let info): named("receiverError", newTuple(of: info))
    case .receiverLost(let info, _), .receiverStopped(let info):
      named("receiverStopped", newTuple(of: info))
    case .batchSubmitted(let info): named("batchSubmitted", newTuple(of: info))
    case .batchStarted(let info): named("batchStarted", newTuple(of: info))
    case .batchCompleted(let info): named("batchCompleted", newTuple(of: info))
    case .outputStarted(let info): named("outputOperationStarted", newTuple(of: info))
    case .outputCompleted(let info): named("outputOperationCompleted", newTuple(of: info))
    default: Py.none()
    }
  }

  private func named(_ name: String, _ value: PyPointer?) -> PyPointer? {
    newTuple([newText(name), value])
  }

  private func newTuple(of info: ReceiverInfo) -> PyPointer? {
    newTuple([
      newInteger(info.streamID), newText(info.name), newBool(info.isActive),
      newText(info.location), newText(info.lastErrorMessage), newText(info.lastError),
      newTime(info.lastErrorTime),
    ])
  }

  private func newTuple(of info: BatchInfo) -> PyPointer? {
    let inputs = info.inputs.map { input in
      newTuple([
        newInteger(input.streamID), newInteger(input.recordCount), newText(input.description),
      ])
    }
    let outputs = info.outputs.map { newTuple(of: $0) }
    return newTuple([
      newInteger(Int(info.time.milliseconds)), newTime(info.submitted), newTime(info.began),
      newTime(info.ended), newList(inputs), newList(outputs),
    ])
  }

  private func newTuple(of info: OutputInfo) -> PyPointer? {
    newTuple([
      newInteger(Int(info.time.milliseconds)), newInteger(info.id), newText(info.name),
      newText(info.description), newTime(info.began), newTime(info.ended),
      info.failure.map { newText($0) } ?? Py.none(),
    ])
  }

  /// Milliseconds; -1 for none.
  private func newTime(_ time: Timestamp?) -> PyPointer? {
    newInteger(time.map { Int($0.milliseconds) } ?? -1)
  }
}
