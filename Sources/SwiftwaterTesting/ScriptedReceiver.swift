import DequeModule
import SwiftwaterCore

/// A receiver whose connection is a test: it sends what it is told to send, when it is told. It sends
/// bytes or records, with positions where the test gives them.
public final class ScriptedReceiver: Receiver {
  private struct State {
    var sink: (any ReceiverSink)?
    var demand = Demand.more
    /// Sent while the sink wanted a pause, or before there was a sink.
    var held: Deque<Chunk> = []
    var stored: [SourcePosition] = []
    var connections = 0
    /// Some thread is handing a chunk to the sink: calls of a sink come one after the other.
    var isDelivering = false
    /// Counts calls of `resume`, which may come while a chunk is being handed over.
    var resumes = 0
  }
  private struct Chunk {
    let content: Content
    let position: SourcePosition?
  }
  private enum Content {
    case bytes([UInt8])
    case records(any RecordBatch, byteCount: Int)
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
  ///
  /// - Parameter position: where the source is behind them.
  public func send(bytes: some Sequence<UInt8>, upTo position: SourcePosition? = nil) {
    send(Chunk(content: .bytes(Array(bytes)), position: position))
  }

  /// Sends records, held back as bytes are.
  public func send(
    records: any RecordBatch, byteCount: Int, upTo position: SourcePosition? = nil
  ) {
    send(Chunk(content: .records(records, byteCount: byteCount), position: position))
  }

  private func send(_ chunk: Chunk) {
    state.withLock { $0.held.append(chunk) }
    flush()
  }

  /// Sends a text.
  public func send(_ text: String, upTo position: SourcePosition? = nil) {
    send(bytes: text.utf8, upTo: position)
  }

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

  public func stored(upTo position: SourcePosition) {
    state.withLock { $0.stored.append(position) }
  }

  /// What it was told to be stored, in order.
  public var storedPositions: [SourcePosition] { state.withLock { $0.stored } }

  /// How often a connection was made.
  public var connections: Int { state.withLock { $0.connections } }

  /// True while the sink wants no more.
  public var isPaused: Bool { state.withLock { $0.demand == .pause } }

  /// Chunks that were not taken yet.
  public var heldChunks: Int { state.withLock { $0.held.count } }

  public var hasMore: Bool { heldChunks > 0 }

  private func flush() {
    while let delivery = nextDelivery() {
      let position = delivery.chunk.position
      let demand =
        switch delivery.chunk.content {
        case .bytes(let bytes):
          bytes.withUnsafeBytes { delivery.sink.received($0, upTo: position) }
        case .records(let records, let byteCount):
          delivery.sink.received(records, byteCount: byteCount, upTo: position)
        }
      state.withLock { state in
        state.isDelivering = false
        if demand == .pause && state.resumes == delivery.resumes { state.demand = .pause }
      }
    }
  }

  private func nextDelivery() -> (sink: any ReceiverSink, chunk: Chunk, resumes: Int)? {
    state.withLock { state in
      guard let sink = state.sink, !state.isDelivering, state.demand == .more, !state.held.isEmpty
      else { return nil }
      state.isDelivering = true
      return (sink, state.held.removeFirst(), state.resumes)
    }
  }
}
