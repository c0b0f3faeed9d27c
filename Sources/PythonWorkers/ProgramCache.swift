import PythonFunctions
import PythonInterop
import SwiftwaterCore
import SwiftwaterPlan
import Synchronization

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
    let functions: [PythonFunction]
    /// The run of a stage for which it was pickled; nil where it holds for all.
    let stage: Int?
    let pickled: Pickled
  }

  private struct State {
    var entries: [StageKey: Entry] = [:]
    var order: [StageKey] = []
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
    let key = StageKey(program)
    if let known = find(program, key, stage) { return known }
    return try Interpreter.attach { py in
      // Another task of the stage may have been here meanwhile.
      if let known = find(program, key, stage) { return known }
      let description = try program.description(py)
      let pickle = try py.importing("dump_program", from: "swiftwater._workers.pickling")
      guard let result = pickle.call(description.pointer) else { throw PythonError.fetch(py) }
      defer { Py.release(result) }
      let bytes = try bytes(of: Py.tupleItem(result, 0))
      let broadcasts = PythonObject(borrowing: Py.tupleItem(result, 1))
      let functions = program.pythonFunctions
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

  private func find(_ program: StageProgram, _ key: StageKey, _ stage: Int) -> Pickled? {
    let functions = program.pythonFunctions
    return state.withLock { state in
      guard let entry = state.entries[key], entry.stage == nil || entry.stage == stage,
        zip(entry.functions, functions).allSatisfy({ $0.pointer == $1.pointer })
      else { return nil }
      return entry.pickled
    }
  }
}
