/// How long a line may be, and how large a block before its last line: places in a block have 32 bits,
/// also where each of its bytes has become three.
public let mostBlockBytes = 512 << 20

/// How many partitions an RDD may have. A table of so many costs nothing; who asks for more has mistaken
/// a number, and there would be no memory for it.
public let mostPartitions = 1_000_000

/// What one setting is called, what it is when nobody sets it, and what it does.
public struct SettingDefinition: Sendable {
  public let name: String
  public let defaultValue: String
  public let summary: String
}

/// The settings of one context: names and values as text, read by type.
///
/// Sizes are bytes or carry a unit (`k`, `m`, `g`); times are milliseconds or carry one (`us`,
/// `ms`, `s`, `min`, `h`), as in Spark.
public struct Settings: Sendable {
  private var values: [String: String]

  public init(_ values: [String: String] = [:]) {
    self.values = values
  }

  /// Every setting that has an effect, with its default.
  public static let definitions: [SettingDefinition] = [
    .init(
      name: "spark.master", defaultValue: "local[*]",
      summary: "local, local[N] or local[*]: how many tasks run at the same time"),
    .init(
      name: "spark.app.name", defaultValue: "",
      summary: "the job's name in the log; empty: the script's"),
    .init(
      name: "spark.default.parallelism", defaultValue: "",
      summary: "partitions after a shuffle; empty: the master's count"),
    .init(
      name: "spark.streaming.blockInterval", defaultValue: "200ms",
      summary: "a receiver's block is closed after this time, each block is a partition"),
    .init(
      name: "spark.streaming.receiver.maxRate", defaultValue: "",
      summary: "records a second that a receiver takes in at most; empty, 0 or less: no bound"),
    .init(
      name: "spark.streaming.receiver.writeAheadLog.enable", defaultValue: "true",
      summary: "what receivers take in is written into the checkpoint folder, where there is one"),
    .init(
      name: "spark.streaming.receiver.writeAheadLog.closeFileAfterWrite", defaultValue: "false",
      summary: "each block has a file of that log to itself"),
    .init(
      name: "spark.streaming.backpressure.enabled", defaultValue: "auto",
      summary: "what waits follows the job's speed; true: so do records a second, as in Spark"),
    .init(
      name: "spark.streaming.backpressure.initialRate", defaultValue: "",
      summary: "records a second until a batch has shown its speed; empty: receiver.maxRate"),
    .init(
      name: "spark.streaming.backpressure.rateEstimator", defaultValue: "pid",
      summary: "how the rate is estimated; there is pid"),
    .init(
      name: "spark.streaming.backpressure.pid.proportional", defaultValue: "1.0",
      summary: "the weight of the last batch's speed in the rate"),
    .init(
      name: "spark.streaming.backpressure.pid.integral", defaultValue: "0.2",
      summary: "the weight of what waits, because earlier rates were too high"),
    .init(
      name: "spark.streaming.backpressure.pid.derived", defaultValue: "0.0",
      summary: "the weight of how fast the error changes"),
    .init(
      name: "spark.streaming.backpressure.pid.minRate", defaultValue: "100",
      summary: "records a second below which no estimate goes"),
    .init(
      name: "spark.streaming.receiverRestartDelay", defaultValue: "2s",
      summary: "the wait before a receiver connects again"),
    .init(
      name: "spark.streaming.gracefulStopTimeout", defaultValue: "",
      summary: "the longest wait of a graceful stop; empty: ten intervals, then an hour"),
    .init(
      name: "spark.streaming.stopGracefullyOnShutdown", defaultValue: "false",
      summary: "SIGTERM finishes what was received before the job ends"),
    .init(
      name: "swiftwater.receiver.maxBuffered", defaultValue: "",
      summary: "memory for what is received and not yet worked on; empty: 1/4 of memory"),
    .init(
      name: "swiftwater.receiver.maxLineLength", defaultValue: "16m",
      summary: "a longer line is dropped whole, counted and shown"),
    .init(
      name: "swiftwater.block.size", defaultValue: "1m",
      summary: "a block is closed when it holds this many bytes"),
    .init(
      name: "swiftwater.spill.memory", defaultValue: "",
      summary: "the process's size beyond which kept records go to disk; empty: 1/2 of memory"),
    .init(
      name: "spark.files", defaultValue: "",
      summary: "files that SparkFiles.get finds, behind commas"),
    .init(
      name: "spark.archives", defaultValue: "",
      summary: "archives that are unpacked for SparkFiles.get, behind commas"),
    .init(
      name: "spark.local.dir", defaultValue: "",
      summary: "where kept records go on disk; empty: TMPDIR, or /tmp"),
    .init(
      name: "swiftwater.stop.timeout", defaultValue: "2s",
      summary: "how long a stop waits for the running batch"),
    .init(
      name: "swiftwater.maxPendingBatches", defaultValue: "1000",
      summary: "batches that may wait; beyond it the clock waits too, and no batch time is lost"),
    .init(
      name: "swiftwater.state.timeToLive", defaultValue: "",
      summary: "keys of states that have had no new values for longer are forgotten; empty: none"),
    .init(
      name: "swiftwater.state.maxKeys", defaultValue: "",
      summary: "most keys of a state, or of a window with an inverse function; empty: any number"),
    .init(
      name: "swiftwater.state.maxBytes", defaultValue: "",
      summary: "most bytes of the table of a window or a state; empty: any number"),
    .init(
      name: "swiftwater.files.commit", defaultValue: "rename",
      summary: "what makes a saved folder complete: the rename of the folder, or its manifest"),
    .init(
      name: "swiftwater.lowering", defaultValue: "true",
      summary: "run Python functions natively where the engine understands them"),
    .init(
      name: "swiftwater.workers", defaultValue: "auto",
      summary: "stages with Python functions in worker processes: auto, always or never"),
    .init(
      name: "swiftwater.worker.memory", defaultValue: "",
      summary: "memory that a worker process may have; beyond it Python raises MemoryError"),
    .init(
      name: "swiftwater.errors.full", defaultValue: "false",
      summary: "show the whole traceback of a failure instead of 15 lines"),
    .init(
      name: "swiftwater.log.level", defaultValue: "info",
      summary: "debug, info, warning or error"),
    .init(
      name: "swiftwater.status", defaultValue: "auto",
      summary: "the status line: auto (on a terminal), on or off"),
  ]

  private static let defaults = Dictionary(
    uniqueKeysWithValues: definitions.map { ($0.name, $0.defaultValue) })

  /// The value as text, or the default; nil where it is empty.
  public subscript(name: String) -> String? {
    get {
      let value = values[name] ?? Self.defaults[name] ?? ""
      return value.isEmpty ? nil : value
    }
    set { values[name] = newValue }
  }

  /// - Parameter other: a word besides, which the caller knows.
  /// - Throws: ``EngineError`` (`invalidArgument`) when the value is not `true` or `false`.
  public func flag(_ name: String, orElse other: String? = nil) throws -> Bool {
    switch self[name]?.lowercased() {
    case "true", "yes", "1": return true
    case "false", "no", "0", nil: return false
    case .some:
      throw unreadable(name, expected: (other.map { "\($0), " } ?? "") + "true or false")
    }
  }

  /// A whole number of at least `minimum`, and at most `maximum`; nil where the setting is empty.
  public func count(_ name: String, minimum: Int = 1, maximum: Int = .max) throws -> Int? {
    guard let text = self[name] else { return nil }
    guard let number = Int(text), (minimum...maximum).contains(number) else {
      let bound =
        maximum < .max
        ? " from \(minimum) to \(maximum)" : minimum == .min ? "" : " of at least \(minimum)"
      throw unreadable(name, expected: "a whole number\(bound)")
    }
    return number
  }

  /// A finite number of at least `minimum`; nil where the setting is empty.
  public func decimal(_ name: String, minimum: Double) throws -> Double? {
    guard let text = self[name] else { return nil }
    guard let number = Double(text), number.isFinite, number >= minimum else {
      let bound = minimum == 0 ? "of at least 0" : "above 0"
      throw unreadable(name, expected: "a number \(bound)")
    }
    return number
  }

  /// A number of bytes of at least 1, and at most `maximum`; nil where the setting is empty.
  ///
  /// - Parameter allowsFractions: `1.5g` is a size too.
  public func bytes(
    _ name: String, maximum: Int = 1 << 50, allowsFractions: Bool = false
  ) throws -> Int? {
    let units: [String: Int] = [
      "": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30,
      "gb": 1 << 30, "t": 1 << 40, "tb": 1 << 40,
    ]
    let most = maximum >> 40 > 0 ? "\(maximum >> 40)t" : "\(maximum >> 20)m"
    let expected = "a size such as 64k or 16m, up to \(most)"
    let found = try quantity(
      name, units: units, allowsFractions: allowsFractions, expected: expected)
    guard let bytes = found else { return nil }
    // Sizes are added up.
    guard bytes <= maximum else { throw unreadable(name, expected: expected) }
    return bytes
  }

  /// A time; a bare number is milliseconds. Nil where the setting is empty.
  public func duration(_ name: String) throws -> Duration? {
    let units: [String: Int] = [
      "us": 1, "": 1000, "ms": 1000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000,
      "h": 3_600_000_000, "d": 86_400_000_000,
    ]
    let expected = "a time such as 200ms, 2s or 1min, up to 366 days"
    guard let microseconds = try quantity(name, units: units, expected: expected) else {
      return nil
    }
    guard microseconds <= 366 * 86_400_000_000 else { throw unreadable(name, expected: expected) }
    return .microseconds(microseconds)
  }

  private func quantity(
    _ name: String, units: [String: Int], allowsFractions: Bool = false, expected: String
  ) throws -> Int? {
    guard let text = self[name]?.trimmed else { return nil }
    let digits = text.prefix {
      $0.isASCII && $0.isNumber || allowsFractions && $0 == "."
    }
    let unit = text.dropFirst(digits.count).filter { $0 != " " }.lowercased()
    if digits.contains(".") {
      guard let number = Double(digits), let scale = units[unit],
        let product = Int(exactly: (number * Double(scale)).rounded(.down)), product >= 1
      else { throw unreadable(name, expected: expected) }
      return product
    }
    guard let number = Int(digits), number >= 1, let scale = units[unit] else {
      throw unreadable(name, expected: expected)
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: scale)
    guard !overflow else { throw unreadable(name, expected: expected) }
    return product
  }

  private func unreadable(_ name: String, expected: String) -> EngineError {
    .invalidArgument("\(name): '\(self[name] ?? "")' is not \(expected)")
  }
}

extension String {
  /// Without spaces at its ends.
  fileprivate var trimmed: Substring {
    var text = self[...]
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }
}

/// Where tasks run, read from a master URL.
public struct Master: Sendable, Equatable {
  /// How many tasks run at the same time.
  public let parallelism: Int

  /// Reads `local`, `local[N]`, `local[*]`, or either with a number of failures behind a comma
  /// (accepted as Spark does; it changes nothing here).
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) for anything else.
  public init(_ url: String) throws {
    if url == "local" {
      parallelism = 1
      return
    }
    guard url.hasPrefix("local["), url.hasSuffix("]") else { throw Self.unknown(url) }
    let fields = url.dropFirst("local[".count).dropLast().split(
      separator: ",", omittingEmptySubsequences: false)
    guard fields.count <= 2, fields.count == 1 || (Int(fields[1]) ?? 0) >= 1 else {
      throw Self.unknown(url)
    }
    let count = fields[0] == "*" ? availableProcessors() : Int(fields[0])
    guard let count, count >= 1, count <= 4096 else { throw Self.unknown(url) }
    parallelism = count
  }

  private static func isCluster(_ url: String) -> Bool {
    ["spark://", "mesos://", "zk://", "k8s://", "local-cluster["].contains(where: url.hasPrefix)
      || ["yarn", "yarn-client", "yarn-cluster", "yarn-standalone"].contains(url)
  }

  private static func unknown(_ url: String) -> EngineError {
    if isCluster(url) {
      return .invalidArgument(
        "the master '\(url)' is a cluster, and Swiftwater runs on one machine: start the job with "
          + "--master 'local[*]' (or SWIFTWATER_MASTER='local[*]' in the environment), which wins "
          + "over what the code says, or write local[*] there")
    }
    return .invalidArgument(
      "Could not parse Master URL: '\(url)'. Swiftwater runs on one machine: use local, "
        + "local[N] with N tasks at the same time (up to 4096), or local[*] for one a processor")
  }
}
