import SwiftwaterKernels

/// Which keys of a table have had no new values for how long.
///
/// The keys are in the order in which they had new values last. Noting some costs with these, asking
/// whose time is out with those that are found: neither with the keys that there are.
struct IdleClock {
  private struct Link {
    var before = OrderedTable.absent
    var behind = OrderedTable.absent
    /// The latest batch that had new values of the key; `.min` for what is not in the order.
    var time = Int64.min
  }

  /// By number.
  private var links: [Link] = []
  private var first = OrderedTable.absent
  private var last = OrderedTable.absent
  private var hasBegun = false

  var byteCount: Int { links.capacity * MemoryLayout<Link>.stride }

  /// With the first batch the time begins for all keys that are there and of which no time is known.
  mutating func begin(with table: OrderedTable?, at time: Int64) {
    if hasBegun { return }
    hasBegun = true
    guard let table else { return }
    note(table.allNumbers.filter { self.time(of: $0) == nil }, at: time, bound: table.bound)
  }

  /// Keys have had new values.
  ///
  /// - Parameters:
  ///   - time: as a rule no earlier than any before.
  ///   - bound: all numbers are below.
  mutating func note(_ numbers: [UInt32], at time: Int64, bound: Int) {
    if bound > links.count {
      links.append(contentsOf: repeatElement(Link(), count: bound - links.count))
    }
    for number in numbers where links[Int(number)].time < time {
      unlink(number)
      // Batches that are worked on again are older than the last one.
      var earlier = last
      while earlier != OrderedTable.absent, links[Int(earlier)].time > time {
        earlier = links[Int(earlier)].before
      }
      link(number, behind: earlier, at: time)
    }
  }

  /// When a key had new values last; nil where nobody knows.
  func time(of number: UInt32) -> Int64? {
    guard Int(number) < links.count, links[Int(number)].time > .min else { return nil }
    return links[Int(number)].time
  }

  /// The keys of a table that have had no new values since a time, in the order in which they had some.
  ///
  /// - Parameter time: nil where no time runs.
  func idle(since time: Int64?, in table: OrderedTable?) -> [UInt32] {
    guard let table, let time else { return [] }
    var found: [UInt32] = []
    var next = first
    while next != OrderedTable.absent, links[Int(next)].time < time {
      if table.hasValue(next) { found.append(next) }
      next = links[Int(next)].behind
    }
    return found
  }

  /// All keys of a table in the order in which they had new values.
  func all(in table: OrderedTable) -> [UInt32] { idle(since: .max, in: table) }

  /// Nobody asks again for those that have had no new values since a time: their keys are gone.
  mutating func forget(idleSince time: Int64?) {
    guard let time else { return }
    while first != OrderedTable.absent, links[Int(first)].time < time { unlink(first) }
  }

  private mutating func link(_ number: UInt32, behind earlier: UInt32, at time: Int64) {
    let later = earlier == OrderedTable.absent ? first : links[Int(earlier)].behind
    links[Int(number)] = Link(before: earlier, behind: later, time: time)
    if earlier == OrderedTable.absent {
      first = number
    } else {
      links[Int(earlier)].behind = number
    }
    if later == OrderedTable.absent { last = number } else { links[Int(later)].before = number }
  }

  private mutating func unlink(_ number: UInt32) {
    let link = links[Int(number)]
    if link.time == .min { return }
    links[Int(number)] = Link()
    if link.before == OrderedTable.absent {
      first = link.behind
    } else {
      links[Int(link.before)].behind = link.behind
    }
    if link.behind == OrderedTable.absent {
      last = link.before
    } else {
      links[Int(link.behind)].before = link.before
    }
  }
}

extension TableCall {
  /// Keys that have had no new values since then are forgotten in a batch; nil where keys stay.
  ///
  /// - Parameter timeout: of a function's own; by default the time to live.
  func idleLimit(at time: Int64, _ timeout: Int64? = nil) -> Int64? {
    guard let milliseconds = timeout ?? operation.limits.timeToLive else { return nil }
    return time - milliseconds
  }
}
