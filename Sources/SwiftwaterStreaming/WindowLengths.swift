import SwiftwaterCore

/// The checked durations of a window over a stream.
struct WindowLengths {
  /// With fewer slides a window is made anew, which takes no more steps than taking away what has left
  /// and adding what is new. As in Spark.
  private static let leastSlidesToSubtract: Int64 = 5
  /// A century: durations are added up.
  static let mostMilliseconds: Int64 = 100 * 366 * 86_400_000

  /// In milliseconds.
  let length: Int64
  let slide: BatchInterval

  /// True where an inverse function is used.
  var isRunning: Bool { length >= Self.leastSlidesToSubtract * slide.milliseconds }

  /// - Parameter slide: by default the parent's.
  /// - Throws: ``EngineError`` (`invalidArgument`) where one is no multiple of the parent's slide, or none.
  init(_ length: Duration, _ slide: Duration?, over parent: StreamNode) throws {
    let step = parent.slide
    func milliseconds(_ duration: Duration, _ name: String) throws -> Int64 {
      guard duration >= .zero, duration <= .milliseconds(Self.mostMilliseconds) else {
        throw EngineError.invalidArgument(
          "\(name) must be at least 0 and at most a century, not \(duration)")
      }
      let (whole, rest) = duration.components
      let milliseconds = whole * 1000 + rest / 1_000_000_000_000_000
      guard duration == .milliseconds(milliseconds), milliseconds % step.milliseconds == 0 else {
        throw EngineError.invalidArgument(
          "\(name) must be multiple of the parent dstream's slide (batch) duration (\(step))")
      }
      return milliseconds
    }
    self.length = try milliseconds(length, "windowDuration")
    guard let slide else {
      self.slide = step
      return
    }
    let slideMilliseconds = try milliseconds(slide, "slideDuration")
    guard slideMilliseconds > 0 else {
      throw EngineError.invalidArgument("slideDuration must be longer than 0 seconds")
    }
    self.slide = try BatchInterval(milliseconds: slideMilliseconds)
  }
}

extension StreamingContext {
  /// The name of the next stream that looks back, unless it is given one.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) where another stream has it.
  func stableName(of kind: String, given: String?) throws -> String {
    try building { graph in
      let names = graph.nodes.compactMap(\.stableName)
      let name = given ?? "\(kind)-\(names.count + 1)"
      guard !names.contains(name) else {
        throw EngineError.invalidArgument("two stateful operators have the name '\(name)'")
      }
      return name
    }
  }
}
