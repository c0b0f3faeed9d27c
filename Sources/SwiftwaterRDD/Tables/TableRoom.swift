import SwiftwaterCore
import SwiftwaterKernels
import SwiftwaterPlan

/// The bounds of a table's size. Partitions that are worked on at a time do not see what the others are
/// about to add: a batch may go beyond by what it brings, and the next one fails.
extension TableCall {
  /// - Parameter keys: how many this partition is to have; asked where there is a bound.
  /// - Throws: ``EngineError`` (`illegalState`) where the table would have more than it may.
  func checkRoom(keys: () -> Int) throws {
    guard let most = operation.limits.mostKeys else { return }
    let keys = keys()
    guard others.keys + keys > most else { return }
    throw EngineError.illegalState(
      "\(operation.place): a batch would make \(others.keys + keys) keys of it, and "
        + "\(TableLimits.mostKeysSetting) allows \(most). \(Self.whatToDo)")
  }

  /// - Parameter bytes: how many this partition has.
  /// - Throws: ``EngineError`` (`illegalState`) where the table has more than it may.
  func checkRoom(bytes: Int) throws {
    guard let most = operation.limits.mostBytes, others.bytes + bytes > most else { return }
    throw EngineError.illegalState(
      "\(operation.place): it holds \(others.bytes + bytes) bytes, and "
        + "\(TableLimits.mostBytesSetting) allows \(most). \(Self.whatToDo)")
  }

  private static var whatToDo: String {
    "Have keys forgotten (timeToLive, a state of None, a filter), or raise the setting"
  }
}
