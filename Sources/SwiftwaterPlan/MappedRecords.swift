import SwiftwaterCore
import SwiftwaterKernels

/// What a function has made of records and of the states of their keys
/// (``TableOperation/Kind/mapped(_:timeout:)``).
public struct MappedRecords {
  /// What became of the state of a key.
  public enum Outcome: Int64, Sendable {
    case same = 0
    case changed = 1
    case removed = 2
  }

  /// Of the keys that the function was given: those with another state than before, and those without one
  /// now.
  public let changed: [Int]
  public let removed: [Int]
  /// For each that has changed.
  public let states: any RecordBatch
  public let records: any RecordBatch

  /// - Parameter outcomes: of each key.
  public init(outcomes: [Outcome], states: any RecordBatch, records: any RecordBatch) {
    changed = outcomes.indices.filter { outcomes[$0] == .changed }
    removed = outcomes.indices.filter { outcomes[$0] == .removed }
    self.states = states
    self.records = records
  }
}

extension Language {
  /// Results that are one list: what became of each key, as numbers, then the new states, then the records.
  public func mappedRecords(
    _ results: any RecordBatch, of keyCount: Int, _ form: any ObjectForm
  ) throws -> MappedRecords {
    func part(_ range: Range<Int>) throws -> any RecordBatch {
      try form.gathered(results, range.map { UInt32(truncatingIfNeeded: $0) })
    }
    var outcomes: [MappedRecords.Outcome] = []
    if keyCount > 0 {
      guard case .integer(let numbers)? = column(of: try part(0..<keyCount))?.expanded() else {
        preconditionFailure("numbers say what became of the keys")
      }
      outcomes = numbers.map { MappedRecords.Outcome(rawValue: $0) ?? .same }
    }
    let end = keyCount + outcomes.count { $0 == .changed }
    return MappedRecords(
      outcomes: outcomes, states: try part(keyCount..<end),
      records: try part(end..<results.recordCount))
  }
}
