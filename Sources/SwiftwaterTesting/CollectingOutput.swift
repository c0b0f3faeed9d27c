import SwiftwaterCore
import SwiftwaterRDD
import SwiftwaterStreaming

/// Keeps what a stream gave, batch by batch.
public final class CollectingOutput<Element: Sendable>: Sendable {
  private let kept = Monitor<[(time: BatchTime, records: [Element])]>([])

  /// Collects every batch of `stream`.
  public init(_ stream: DStream<Element>) throws {
    try stream.foreachRDD(
      make: { rdd, _ in try rdd.collect() },
      give: { [kept] records, time in kept.withLock { $0.append((time, records)) } })
  }

  /// The records of each batch that has run.
  public var batches: [[Element]] { kept.withLock { $0.map(\.records) } }

  /// The time of each batch that has run.
  public var times: [BatchTime] { kept.withLock { $0.map(\.time) } }
}

/// Keeps the events of a context.
public final class EventLog: EventListener {
  public let topics = EventTopics.all
  private let kept = Monitor<[EngineEvent]>([])

  public init() {}

  public func receive(_ event: EngineEvent) { kept.withLock { $0.append(event) } }

  public var events: [EngineEvent] { kept.withLock { $0 } }
}
