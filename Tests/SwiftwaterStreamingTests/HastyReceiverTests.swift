import SwiftwaterCore
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterStreaming

/// Connections that end at once: what they have sent comes whether anybody asks for it or not.
@Suite struct HastyReceiverTests {
  private final class HastyReceiver: Receiver {
    private let started = Mutex(0)

    let source = "hasty"

    var connections: Int { started.withLock { $0 } }

    func start(_ sink: any ReceiverSink) {
      let number = started.withLock { started -> Int in
        started += 1
        return started
      }
      sink.connected()
      let text = (0..<100).map { "\(number) \($0)\n" }.joined()
      Array(text.utf8).withUnsafeBytes { _ = sink.received($0) }
      sink.connectionLost("the end")
    }

    func resume() {}

    func stop(_ whenStopped: @escaping @Sendable () -> Void) { whenStopped() }
  }

  private func settings(_ bound: String) -> [String: String] {
    [
      "spark.streaming.receiver.maxRate": bound == "maxRate" ? "10" : "0",
      "swiftwater.receiver.maxBuffered": bound == "maxRate" ? "1m" : "1k",
      "spark.streaming.receiverRestartDelay": "100ms",
    ]
  }

  @Test("The next connection waits for room", arguments: ["maxRate", "maxBuffered"])
  func waits(bound: String) throws {
    let bench = try Bench(settings: settings(bound))
    let receiver = HastyReceiver()
    let stream = DStream<TextLine>(
      try bench.streaming.addReceiver(receiver, name: "hasty"), in: bench.streaming)
    let output = try CollectingOutput(stream.map(\.description))
    try bench.streaming.start()
    bench.advance(milliseconds: 900)
    // The first one filled what there is, and the second came on top.
    #expect(receiver.connections == 2)
    bench.advance(milliseconds: 59_100)
    let lines = output.batches.flatMap { $0 }
    // Two connections at a time are the most that waits.
    #expect(receiver.connections > 4)
    #expect(receiver.connections * 100 - lines.count <= 200)
    let expected = (1...receiver.connections).flatMap { number in
      (0..<100).map { "\(number) \($0)" }
    }
    #expect(lines == Array(expected.prefix(lines.count)))
    bench.streaming.stop()
  }

  @Test("A stop ends the wait", arguments: ["maxRate", "maxBuffered"])
  func stopped(bound: String) throws {
    let bench = try Bench(settings: settings(bound))
    let receiver = HastyReceiver()
    let stream = DStream<TextLine>(
      try bench.streaming.addReceiver(receiver, name: "hasty"), in: bench.streaming)
    let output = try CollectingOutput(stream.map(\.description))
    try bench.streaming.start()
    bench.advance(milliseconds: 900)
    bench.streaming.stop(gracefully: true)
    let connections = receiver.connections
    bench.advance(milliseconds: 20_000)
    #expect(receiver.connections == connections)
    #expect(output.batches.joined().count == connections * 100)
  }
}
