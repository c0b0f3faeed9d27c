import SwiftwaterCore
import SwiftwaterRDD

/// A stream's RDDs by batch time: nil inside means that it had none. Forgetting costs with what is
/// forgotten, and not with what stays.
struct PastRDDs {
  private var rdds: [BatchTime: RDDNode?] = [:]
  /// Of all RDDs, ascending, from ``head`` on.
  private var times: [BatchTime] = []
  private var head = 0

  subscript(time: BatchTime) -> RDDNode?? {
    get { rdds[time] }
    set {
      guard let newValue else { return remove(time) }
      if rdds.updateValue(newValue, forKey: time) == nil { insert(time) }
    }
  }

  func hasRDD(at time: BatchTime) -> Bool {
    if case .some(.some) = rdds[time] { true } else { false }
  }

  /// The latest time at which there is something.
  var latestTime: BatchTime? { head < times.count ? times[times.count - 1] : nil }

  /// All times, ascending.
  var allTimes: ArraySlice<BatchTime> { times[head...] }

  /// Forgets what is not later than a time.
  ///
  /// - Returns: what was forgotten.
  mutating func removeAll(until limit: Int64, butLatest: Bool) -> [RDDNode?] {
    var removed: [RDDNode?] = []
    let end = butLatest ? times.count - 1 : times.count
    while head < end, times[head].milliseconds <= limit {
      removed.append(rdds.removeValue(forKey: times[head]) ?? nil)
      head += 1
    }
    if head > 64, head > times.count / 2 {
      times.removeFirst(head)
      head = 0
    }
    return removed
  }

  /// Forgets those before a time that are of a kind.
  ///
  /// - Returns: what was forgotten.
  mutating func removeAll(
    before time: BatchTime, where isOfKind: (RDDNode) -> Bool
  ) -> [RDDNode?] {
    let found = times[head...].filter { candidate in
      guard candidate < time, case .some(.some(let rdd)) = rdds[candidate] else { return false }
      return isOfKind(rdd)
    }
    return found.map { time in
      defer { remove(time) }
      return rdds[time] ?? nil
    }
  }

  private mutating func insert(_ time: BatchTime) {
    // As a rule it is the latest.
    var place = times.count
    while place > head, times[place - 1] > time { place -= 1 }
    times.insert(time, at: place)
  }

  private mutating func remove(_ time: BatchTime) {
    guard rdds.removeValue(forKey: time) != nil,
      let place = times[head...].lastIndex(of: time)
    else { return }
    times.remove(at: place)
  }
}
