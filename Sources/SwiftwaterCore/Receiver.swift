/// Takes in bytes of text, or records, from outside. Knows a protocol and a system, nothing of batches.
///
/// The supervisor calls ``start(_:)``, and again after every
/// ``ReceiverSink/connectionLost(_:)``, when the delay between two tries is over.
public protocol Receiver: Sendable {
  /// Where the data comes from, for people: `localhost:9999`.
  var source: String { get }

  /// The kind of receiver, as listeners see it: `SocketReceiver`.
  var kind: String { get }

  /// Begins one connection. Must not block; what follows is told through `sink`.
  func start(_ sink: any ReceiverSink)

  /// Reads on after the sink asked for a pause. May be called when nothing is paused.
  func resume()

  /// True where it has text that it has not given to the sink, and nobody but the sink is waited for.
  var hasMore: Bool { get }

  /// All that it has given up to and with this position is in a batch that is over: its outputs have
  /// taken effect, or failed, and the checkpoint is written, where there is one. So it can be
  /// acknowledged: the other side need not keep it. Called on the thread that runs batches, which it
  /// does not hold up; positions come in the order in which they were given, some are left out, and after
  /// a stop none follows.
  func stored(upTo position: SourcePosition)

  /// Ends the connection. `whenStopped` is called once, after the sink's last call.
  func stop(_ whenStopped: @escaping @Sendable () -> Void)
}

extension Receiver {
  public var kind: String { String(describing: Self.self) }
  public var hasMore: Bool { false }
  public func stored(upTo position: SourcePosition) {}
}

/// What a receiver tells its supervisor. The calls of one connection come one after the other. A
/// receiver gives either bytes or records.
public protocol ReceiverSink: Sendable {
  /// The connection is there. Before it reads, the receiver asks for the ``demand``.
  func connected()

  /// Whether bytes are wanted at this moment. After `.pause`, ``Receiver/resume()`` follows.
  var demand: Demand { get }

  /// Takes a copy of `bytes`. After `.pause` the receiver does not read until ``Receiver/resume()``.
  func received(_ bytes: UnsafeRawBufferPointer) -> Demand

  /// As ``received(_:)``, and says where the receiver is behind these bytes. A line that is not complete
  /// there holds the position back.
  func received(_ bytes: UnsafeRawBufferPointer, upTo position: SourcePosition?) -> Demand

  /// Takes records as a block of their own.
  ///
  /// - Parameters:
  ///   - byteCount: of the memory that they take, about: the bound on what is taken in counts it.
  ///   - position: where the receiver is behind them.
  func received(
    _ records: any RecordBatch, byteCount: Int, upTo position: SourcePosition?
  ) -> Demand

  /// Something went wrong, and the receiver goes on. Listeners are told, and the log.
  ///
  /// Spark: `Receiver.reportError`.
  func reportedError(_ error: String)

  /// The connection is over: refused, reset, or ended by the other side. A last line without a
  /// terminator is delivered.
  func connectionLost(_ reason: String)
}

extension ReceiverSink {
  public var demand: Demand { .more }
  public func received(
    _ bytes: UnsafeRawBufferPointer, upTo position: SourcePosition?
  ) -> Demand {
    received(bytes)
  }
  public func reportedError(_ error: String) {}
}

/// Whether a source may go on.
public enum Demand: Sendable {
  case more
  case pause
}
