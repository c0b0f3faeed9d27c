// What a Swift job imports: the engine's public names, the sockets and the log.
import SwiftwaterConnectors
import SwiftwaterConsole
@_exported import SwiftwaterCore
@_exported import SwiftwaterKernels
@_exported import SwiftwaterRDD
@_exported import SwiftwaterStreaming

extension StreamingContext {
  /// A stream of the lines that `host:port` sends, over TCP.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) for an impossible port, (`illegalState`) after
  ///   the start.
  public func socketTextStream(host: String, port: Int) throws -> DStream<TextLine> {
    DStream(
      try addReceiver(try SocketReceiver(host: host, port: port), name: "socketTextStream"),
      in: self)
  }
}

extension SparkContext {
  /// Writes log lines, and on a terminal a status line, to standard error.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) for a log setting that is not known.
  public func logToStandardError() throws {
    let console = try Console(settings: settings)
    addListener(console)
    counters.watch(.logLinesHeldBack, in: console) { $0.heldBackLines }
  }
}
