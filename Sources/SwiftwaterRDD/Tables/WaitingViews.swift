import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

/// The views of a table that nobody has read yet, as far as somebody still holds them.
///
/// Their batch has failed, or its planning has. Before the table goes on behind the time of such a view,
/// its pairs are made: what stands on it, another window or a state, needs them when it goes on itself.
final class WaitingViews: Sendable {
  private struct Held {
    weak var view: TableStep?
    let number: Int
  }

  private struct State {
    var held: [Held] = []
    var next = 0
  }

  private let state = Mutex(State())

  func append(_ view: TableStep) {
    state.withLock { state in
      state.held.append(Held(view: view, number: state.next))
      state.next += 1
    }
  }

  /// Those of times before one, the oldest first. The others that it has seen are not waiting any more.
  func before(_ time: Int64) -> [TableStep] {
    let known = state.withLock { $0.held }
    var waiting: [TableStep] = []
    var others: Set<Int> = []
    for held in known {
      if let view = held.view, !view.isReady, !view.isLost {
        waiting.append(view)
      } else {
        others.insert(held.number)
      }
    }
    if !others.isEmpty {
      state.withLock { $0.held.removeAll { others.contains($0.number) } }
    }
    return waiting.filter { $0.time < time }.sorted { $0.time < $1.time }
  }
}

/// The pairs of a window that its function has not made yet: keys, and values that it raises for side by
/// side.
struct UnfinishedPairs: Sendable {
  let keys: any RecordBatch
  let values: any RecordBatch

  /// Has them made.
  ///
  /// - Throws: what the function does.
  func finished(_ call: TableCall) throws -> [any RecordBatch] {
    guard let functions = call.deferringFunctions else {
      preconditionFailure("values are side by side for a window that can defer")
    }
    let objects = try call.objectForm()
    let values = try objects.asObjects(call.called(functions.result, [values]))
    return [try objects.pairs(keys, values).spillingIfShort()]
  }
}

extension TableStep {
  /// True where the table has gone on behind it.
  fileprivate var isLost: Bool {
    table.parts.indices.contains { table.parts[$0].hasGoneOn(behind: self, $0) }
  }

  /// Has earlier views take in what they lack and make their pairs, before the table goes on behind them.
  ///
  /// - Throws: what the tasks throw. A function that raises holds the table up only where it would do so
  ///   anyway: while what it raises for is in the next window too, and cannot be put aside as it is.
  func showWaiting(_ runner: JobRunner) throws {
    var hasFailed = false
    for view in table.waitingViews.before(time) {
      // Most likely for the same reason.
      if hasFailed, view.isUnfinished { continue }
      do {
        try view.takeInputs(runner, operation)
      } catch {
        guard operation.language.isOfRecords(error), let lacking = view.nextTime, lacking <= start
        else { throw error }
        // Where the next batch can be taken in, it is lost.
        view.note(error)
        continue
      }
      let hidden = table.parts.indices.filter { !table.parts[$0].shows(view, $0) }
      try run(emptyNode, hidden, runner, operation) { [self] _, partition, call in
        try table.parts[partition].showBeforeGoingOn(view, partition, from: start, call)
      }
      hasFailed = hasFailed || !view.isReady
    }
  }
}
