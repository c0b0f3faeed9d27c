import NIOCore
import NIOPosix
import SwiftwaterCore
import Synchronization

/// A TCP client that takes in text: connects to `host:port` and reads until the other side ends.
///
/// The socket is read only while the sink wants more; otherwise the system's buffers fill up and
/// the sender waits.
public final class SocketReceiver: Receiver {
  private enum Phase {
    case idle
    case connecting
    case connected(any Channel)
    case stopped
  }

  private let host: String
  private let port: Int
  private let connectTimeout: TimeAmount
  private let phase = Mutex(Phase.idle)

  /// - Parameters:
  ///   - port: 1 to 65535.
  ///   - connectTimeout: how long a connection may take.
  /// - Throws: ``EngineError`` (`invalidArgument`) for an impossible port or an empty host.
  public init(host: String, port: Int, connectTimeout: Duration = .seconds(10)) throws {
    guard !host.isEmpty else {
      throw EngineError.invalidArgument("the host of a socket stream is empty")
    }
    guard (1...65535).contains(port) else {
      throw EngineError.invalidArgument(
        "the port of a socket stream must be 1 to 65535, not \(port)")
    }
    self.host = host
    self.port = port
    self.connectTimeout = .nanoseconds(connectTimeout.wholeNanoseconds)
  }

  public var source: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  public func start(_ sink: any ReceiverSink) {
    let isNew = phase.withLock { phase -> Bool in
      if case .stopped = phase { return false }
      phase = .connecting
      return true
    }
    guard isNew else { return }
    let group: MultiThreadedEventLoopGroup
    do {
      group = try SocketEventLoop.group()
    } catch {
      sink.connectionLost("cannot connect: \(error)")
      return
    }
    let handlers = NIOLoopBoundBox.makeBoxSendingValue(
      [ObjectIdentifier: TextHandler](), eventLoop: group.next())
    ClientBootstrap(group: group)
      .channelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = TextHandler(sink: sink, isWanted: { [self] in isWanted })
          handlers.value[ObjectIdentifier(channel)] = handler
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .channelOption(.autoRead, value: false)
      .channelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16 << 10, maximum: 256 << 10)
      )
      .connectTimeout(connectTimeout)
      .connect(host: host, port: port)
      .flatMap { channel in
        channel.eventLoop.submit {
          handlers.value[ObjectIdentifier(channel)]?.choose()
          handlers.value = [:]
          return channel
        }
      }
      .whenComplete { [self] result in
        switch result {
        case .success(let channel): opened(channel, for: sink)
        case .failure(let error):
          if isWanted { sink.connectionLost("cannot connect: \(describe(error))") }
        }
      }
  }

  /// False from the beginning of a stop on. Asked on the thread of all sockets, right before a sink is
  /// told of a connection: a stop lets that thread come by before it says that it is over.
  private var isWanted: Bool {
    phase.withLock { if case .stopped = $0 { false } else { true } }
  }

  private func opened(_ channel: any Channel, for sink: any ReceiverSink) {
    let isWanted = phase.withLock { phase -> Bool in
      if case .stopped = phase { return false }
      phase = .connected(channel)
      return true
    }
    guard isWanted else {
      channel.close(promise: nil)
      return
    }
    // A sink that is full already reads on through `resume`, as ever.
    if sink.demand == .more { readOn(channel) }
  }

  public func resume() {
    if case .connected(let channel) = phase.withLock({ $0 }) { readOn(channel) }
  }

  private func readOn(_ channel: any Channel) {
    // A channel that is closed meanwhile fails this; its handler has told so.
    _ = channel.setOption(.autoRead, value: true)
  }

  public func stop(_ whenStopped: @escaping @Sendable () -> Void) {
    let before = phase.withLock { phase -> Phase in
      defer { phase = .stopped }
      return phase
    }
    switch before {
    case .connected(let channel):
      channel.closeFuture.whenComplete { _ in whenStopped() }
      channel.close(promise: nil)
    case .connecting:
      // The attempt cannot be called back. What comes of it nobody is told, and what is being told of
      // it at this moment is over when the thread of all sockets comes by.
      guard let group = try? SocketEventLoop.group() else { return whenStopped() }
      group.next().execute(whenStopped)
    case .idle, .stopped:
      whenStopped()
    }
  }
}

/// The one thread that all sockets share; made with the first of them, and there until the end of
/// the process.
private enum SocketEventLoop {
  private static let made = Mutex<MultiThreadedEventLoopGroup?>(nil)

  /// - Throws: ``EngineError`` (`unavailable`) where the process has not what it takes: SwiftNIO itself
  ///   would end the process.
  static func group() throws -> MultiThreadedEventLoopGroup {
    try made.withLock { made in
      if let made { return made }
      try requireDescriptors(descriptorsOfLoop)
      // A thread as SwiftNIO makes one.
      _ = try EngineThread(trying: "NIO-ELT") {}.join()
      let group = withSignalsBlocked { MultiThreadedEventLoopGroup(numberOfThreads: 1) }
      made = group
      return group
    }
  }

  /// One to wait for others, one to be woken, one for the time; and the first connection's.
  private static let descriptorsOfLoop = 4
}

/// Hands what is read to the sink, one connection long.
///
/// Of several addresses of a host one connection is chosen, and the others end: until then nobody is
/// told anything. What has come by then is kept, since the other side may have sent all that it has, and
/// closed the connection, before that: at its end a channel is read whether anybody asks or not.
private final class TextHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let sink: any ReceiverSink
  private let isWanted: @Sendable () -> Bool
  private var failure: (any Error)?
  private var isChosen = false
  /// What came before this connection was chosen.
  private var early: [ByteBuffer] = []
  private var hasEnded = false

  init(sink: any ReceiverSink, isWanted: @escaping @Sendable () -> Bool) {
    self.sink = sink
    self.isWanted = isWanted
  }

  /// From now on the sink is told of this connection. On the thread of all sockets.
  func choose() {
    isChosen = true
    guard isWanted() else { return }
    sink.connected()
    for buffer in early { _ = buffer.withUnsafeReadableBytes { sink.received($0) } }
    early = []
    if hasEnded { lost() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    guard isChosen else {
      early.append(buffer)
      return
    }
    if buffer.withUnsafeReadableBytes({ sink.received($0) }) == .pause {
      // The supervisor reads on through the receiver, which comes to this thread behind this call.
      // A channel that is closed already has nothing more to read.
      try? context.channel.syncOptions?.setOption(.autoRead, value: false)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = error
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    hasEnded = true
    if isChosen { lost() }
    context.fireChannelInactive()
  }

  private func lost() {
    let reason = failure.map(describe) ?? "Socket data stream had no more data"
    if isWanted() { sink.connectionLost(reason) }
  }
}

/// What a person needs to know of a network error.
private func describe(_ error: any Error) -> String {
  switch error {
  case let error as NIOConnectionError:
    if let first = error.connectionErrors.first { return describe(first.error) }
    return "the name \(error.host) is not known"
  case let error as IOError:
    return systemErrorText(error.errnoCode)
  case let error as ChannelError:
    if case .connectTimeout = error { return "no answer in time" }
    return String(describing: error)
  default:
    return String(describing: error)
  }
}
