import PythonInterop
import SwiftwaterCore
import SwiftwaterStreaming

// Events as tuples of small values; `_swiftwater.pyi` has their shapes.
extension Python {
  /// A new reference; nil with an exception set.
  func newTuple(of event: StreamingEvent) -> PyPointer? {
    switch event {
    case .streamingStarted(let time): named("streamingStarted", newTime(time))
    case .receiverStarted(let info): named("receiverStarted", newTuple(of: info))
    case .receiverError(let info): named("receiverError", newTuple(of: info))
    case .receiverStopped(let info): named("receiverStopped", newTuple(of: info))
    case .batchSubmitted(let info): named("batchSubmitted", newTuple(of: info))
    case .batchStarted(let info): named("batchStarted", newTuple(of: info))
    case .batchCompleted(let info): named("batchCompleted", newTuple(of: info))
    case .outputStarted(let info): named("outputOperationStarted", newTuple(of: info))
    case .outputCompleted(let info): named("outputOperationCompleted", newTuple(of: info))
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
