import Glibc
import SwiftwaterCore
import Testing

@testable import SwiftwaterConnectors

/// Against real sockets on this machine.
@Suite struct SocketReceiverTests {
  /// Keeps what a receiver tells, and asks for a pause when it is told to.
  private final class Sink: ReceiverSink {
    struct State {
      var bytes: [UInt8] = []
      var connections = 0
      var losses: [String] = []
      var demand = Demand.more
    }
    let state = Monitor(State())

    func connected() { state.notify { $0.connections += 1 } }

    func received(_ bytes: UnsafeRawBufferPointer) -> Demand {
      state.notify { state in
        state.bytes.append(contentsOf: bytes)
        return state.demand
      }
    }

    func received(
      _ records: any RecordBatch, byteCount: Int, upTo position: SourcePosition?
    ) -> Demand {
      .more
    }

    func connectionLost(_ reason: String) { state.notify { $0.losses.append(reason) } }

    /// Waits until `condition` holds; false after ten seconds.
    func wait(_ condition: (State) -> Bool) -> Bool {
      let deadline = monotonicNanoseconds() + 10_000_000_000
      return state.wait(untilMonotonicNanoseconds: deadline) { condition($0) ? true : nil } ?? false
    }
  }

  @Test("Bytes come as they were sent, and the end is told")
  func receives() throws {
    let server = try Server()
    let sink = Sink()
    try SocketReceiver(host: "127.0.0.1", port: server.port).start(sink)
    let connection = try server.accept()
    connection.send(Array("hello\nwörld\n".utf8))
    #expect(sink.wait { $0.bytes == Array("hello\nwörld\n".utf8) })
    connection.close()
    #expect(sink.wait { $0.losses == ["Socket data stream had no more data"] })
    #expect(sink.state.withLock { $0.connections } == 1)
  }

  @Test("What is sent and closed at once comes, however early that is", arguments: [0, 1, 200_000])
  func sentAndClosed(size: Int) throws {
    let server = try Server()
    for _ in 0..<100 {
      let sink = Sink()
      try SocketReceiver(host: "127.0.0.1", port: server.port).start(sink)
      let connection = try server.accept()
      connection.send([UInt8](repeating: 10, count: size))
      connection.close()
      #expect(sink.wait { $0.losses == ["Socket data stream had no more data"] })
      let (connections, count) = sink.state.withLock { ($0.connections, $0.bytes.count) }
      #expect(connections == 1)
      #expect(count == size)
    }
  }

  @Test("A refused connection is told, with the address")
  func refused() throws {
    let port = try Server().port
    let sink = Sink()
    try SocketReceiver(host: "127.0.0.1", port: port).start(sink)
    #expect(sink.wait { !$0.losses.isEmpty })
    #expect(sink.state.withLock { $0.losses } == ["cannot connect: Connection refused"])
  }

  @Test("A reset connection is told")
  func reset() throws {
    let server = try Server()
    let sink = Sink()
    try SocketReceiver(host: "127.0.0.1", port: server.port).start(sink)
    let connection = try server.accept()
    #expect(sink.wait { $0.connections == 1 })
    connection.reset()
    #expect(sink.wait { $0.losses == ["Connection reset by peer"] })
  }

  @Test("While the sink wants a pause nothing more is read, and the sender is held back")
  func backpressure() throws {
    let server = try Server()
    let sink = Sink()
    sink.state.withLock { $0.demand = .pause }
    let receiver = try SocketReceiver(host: "127.0.0.1", port: server.port)
    receiver.start(sink)
    let connection = try server.accept()
    let total = 32 << 20
    let sent = connection.sendUntilBlocked(limit: total)
    #expect(sent < total)
    let taken = sink.state.withLock { $0.bytes.count }
    #expect(taken < 2 << 20)

    sink.state.withLock { $0.demand = .more }
    receiver.resume()
    #expect(sink.wait { $0.bytes.count == sent })
  }

  @Test("After a stop nothing is told any more, and the end is told once")
  func stop() throws {
    let server = try Server()
    let sink = Sink()
    let receiver = try SocketReceiver(host: "127.0.0.1", port: server.port)
    receiver.start(sink)
    _ = try server.accept()
    #expect(sink.wait { $0.connections == 1 })
    let stopped = Monitor(0)
    receiver.stop { stopped.notify { $0 += 1 } }
    #expect(stopped.wait { $0 == 1 ? true : nil } == true)
    receiver.start(sink)
    #expect(sink.state.withLock { $0.connections } == 1)
  }

  /// Holds the thread of all sockets up from its connection on, until it is let go.
  private final class HoldingSink: ReceiverSink {
    let state = Monitor((isHolding: false, isLetGo: false))

    func connected() {
      state.notify { $0.isHolding = true }
      _ = state.wait { $0.isLetGo ? true : nil }
    }

    func received(_ bytes: UnsafeRawBufferPointer) -> Demand { .more }
    func received(
      _ records: any RecordBatch, byteCount: Int, upTo position: SourcePosition?
    ) -> Demand {
      .more
    }
    func connectionLost(_ reason: String) {}
  }

  @Test("A stop while a connection is being made: the end is told once, and nothing behind it")
  func stopWhileConnecting() throws {
    let open = try Server()
    let closed = try Server().port
    let holding = HoldingSink()
    let holder = try SocketReceiver(host: "127.0.0.1", port: open.port)
    holder.start(holding)
    _ = holding.state.wait { $0.isHolding ? true : nil }

    let stopped = Monitor<[String]>([])
    let sinks = [Sink(), Sink()]
    for (port, sink) in zip([open.port, closed], sinks) {
      let receiver = try SocketReceiver(host: "127.0.0.1", port: port)
      receiver.start(sink)
      receiver.stop {
        let state = sink.state.withLock { $0 }
        stopped.notify { $0.append("\(state.connections) \(state.losses)") }
      }
    }
    holding.state.notify { $0.isLetGo = true }
    #expect(stopped.wait { $0.count == 2 ? true : nil } == true)
    // Another connection through the same thread: whatever was on its way has come by.
    let last = Sink()
    try SocketReceiver(host: "127.0.0.1", port: open.port).start(last)
    #expect(last.wait { $0.connections == 1 })
    holder.stop {}
    #expect(stopped.withLock { $0 } == ["0 []", "0 []"])
    for sink in sinks {
      #expect(sink.state.withLock { "\($0.connections) \($0.losses)" } == "0 []")
    }
  }

  @Test(
    "Impossible addresses are refused", arguments: [("", 80), ("h", 0), ("h", 65_536), ("h", -1)])
  func invalid(host: String, port: Int) {
    #expect(throws: EngineError.self) { try SocketReceiver(host: host, port: port) }
  }
}

/// A listening socket on loopback.
private struct Server: ~Copyable {
  private let descriptor: Int32
  let port: Int

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = self.descriptor
    port = try withUnsafeMutablePointer(to: &address) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        try #require(bind(descriptor, generic, length) == 0)
        try #require(listen(descriptor, 8) == 0)
        try #require(getsockname(descriptor, generic, &length) == 0)
      }
      return Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
  }

  deinit { Glibc.close(descriptor) }

  func accept() throws -> Connection {
    let connection = Glibc.accept(descriptor, nil, nil)
    try #require(connection >= 0)
    return Connection(descriptor: connection)
  }
}

/// The server's end of a connection.
private struct Connection {
  let descriptor: Int32

  func send(_ bytes: [UInt8]) {
    #expect(Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count)
  }

  func close() { Glibc.close(descriptor) }

  /// Ends the connection so that the other side sees a reset.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    close()
  }

  /// Sends until the other side has taken nothing for half a second, or `limit` bytes are sent.
  func sendUntilBlocked(limit: Int) -> Int {
    var timeout = timeval(tv_sec: 0, tv_usec: 500_000)
    setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
    var sent = 0
    while sent < limit {
      let count = Glibc.send(descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
      if count <= 0 { break }
      sent += count
    }
    return sent
  }
}
