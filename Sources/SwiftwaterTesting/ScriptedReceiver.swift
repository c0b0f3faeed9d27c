import DequeModule
import SwiftwaterCore

/// A receiver whose connection is a test: it sends what it is told to send, when it is told.
public final class ScriptedReceiver: Receiver {
  private struct State {
    var sink: (any ReceiverSink)?
    var demand = Demand.more
    /// Sent while the sink wanted a pause, or before there was a sink.
    var held: Deque<[UInt8]> = []
    var connections = 0
    /// Some thread is handing a chunk to the sink: calls of a sink come one after the other.
    var isDelivering = false
    /// Counts calls of `resume`, which may come while a chunk is being handed over.
    var resumes = 0
  }
  private let state = Monitor(State())

  public let source: String

  public init(source: String = "scripted") {
    self.source = source
  }

  public func start(_ sink: any ReceiverSink) {
    state.withLock { state in
      state.sink = sink
      state.connections += 1
      state.demand = .pause
    }
    sink.connected()
    // A sink that is full already reads on through `resume`.
    if sink.demand == .more { resume() }
  }

  public func resume() {
    state.withLock { state in
      state.demand = .more
      state.resumes += 1
    }
    flush()
  }

  public func stop(_ whenStopped: @escaping @Sendable () -> Void) {
    state.withLock { $0.sink = nil }
    whenStopped()
  }

  /// Sends bytes, cut wherever the test likes. Held back while the sink wants a pause.
  public func send(bytes: some Sequence<UInt8>) {
    state.withLock { $0.held.append(Array(bytes)) }
    flush()
  }

  /// Sends a text.
  public func send(_ text: String) { send(bytes: text.utf8) }

  /// Sends lines, each with `\n`.
  public func send(lines: [String]) {
    for line in lines { send(line + "\n") }
  }

  /// Ends the connection as the other side would.
  public func disconnect(_ reason: String = "Socket data stream had no more data") {
    let sink = state.withLock { state -> (any ReceiverSink)? in
      defer { state.sink = nil }
      return state.sink
    }
    sink?.connectionLost(reason)
  }

  /// Reports an error as a receiver does that goes on.
  public func report(error: String) { state.withLock { $0.sink }?.reportedError(error) }

  /// How often a connection was made.
  public var connections: Int { state.withLock { $0.connections } }

  /// True while the sink wants no more.
  public var isPaused: Bool { state.withLock { $0.demand == .pause } }

  /// Chunks that were not taken yet.
  public var heldChunks: Int { state.withLock { $0.held.count } }

  public var hasMore: Bool { heldChunks > 0 }

  private func flush() {
    while let delivery = nextDelivery() {
      let demand = delivery.bytes.withUnsafeBytes { delivery.sink.received($0) }
      state.withLock { state in
        state.isDelivering = false
        if demand == .pause && state.resumes == delivery.resumes { state.demand = .pause }
      }
    }
  }

  private func nextDelivery() -> (sink: any ReceiverSink, bytes: [UInt8], resumes: Int)? {
    state.withLock { state in
      guard let sink = state.sink, !state.isDelivering, state.demand == .more, !state.held.isEmpty
      else { return nil }
      state.isDelivering = true
      return (sink, state.held.removeFirst(), state.resumes)
    }
  }
}
