/// A source that can be read again: files, later the logs and tables of other systems.
///
/// It says which part of what is there belongs to a batch. That is asked once for a batch time, by the
/// engine's supervision, which remembers the answers and takes them over from an earlier run. Who adds
/// the source to a job says how a range is read.
public protocol RangedSource: Sendable {
  /// For how many milliseconds before a batch the ranges of others matter to its own.
  var memory: Int64 { get }

  /// What the batch at `time` reads. Called on the thread that runs batches, when the batch's records
  /// are first asked for: that may be later than its time, and out of order.
  ///
  /// - Returns: nil where that cannot be said now. The source has told of it; the batch goes on without
  ///   records, and the question may come again.
  func plan(for time: BatchTime, known: PlannedRanges) -> SourceRange?

  /// True where it is known to have more than batches have read, whatever time it is.
  var hasMore: Bool { get }
}

extension RangedSource {
  public var hasMore: Bool { false }
}

/// What batches have read of a ranged source, as far as that is remembered.
public struct PlannedRanges: Sendable {
  /// When the source was first added to the job, by an earlier run where there was one; in
  /// milliseconds since 1970.
  public let since: Int64
  /// By time, the oldest first.
  public private(set) var ranges: [(time: BatchTime, range: SourceRange)]

  public init(since: Int64, ranges: [(time: BatchTime, range: SourceRange)] = []) {
    self.since = since
    self.ranges = ranges.sorted { $0.time < $1.time }
  }

  public func range(at time: BatchTime) -> SourceRange? {
    let place = place(of: time)
    return place < ranges.count && ranges[place].time == time ? ranges[place].range : nil
  }

  public mutating func add(_ range: SourceRange, at time: BatchTime) {
    ranges.insert((time, range), at: place(of: time))
  }

  public mutating func forget(before time: BatchTime) {
    let old = place(of: time)
    if old > 0 { ranges.removeFirst(old) }
  }

  /// The place of the first one that is not older. Almost always one of the last is asked for.
  private func place(of time: BatchTime) -> Int {
    var low = 0
    var high = ranges.count
    if let last = ranges.last, last.time < time { return high }
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
