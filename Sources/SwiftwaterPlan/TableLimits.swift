import SwiftwaterCore

/// How long a table keeps a key that has no new values, and how large the table may become.
public struct TableLimits: Sendable, Equatable {
  /// In milliseconds: a key that has had no new values for longer is forgotten. Nil: it stays.
  public var timeToLive: Int64?
  /// Of all partitions together; nil for no bound.
  public var mostKeys: Int?
  public var mostBytes: Int?

  /// Without any.
  public init() {}

  /// What the settings say.
  ///
  /// - Throws: ``EngineError`` (`invalidArgument`) for a setting that cannot be read.
  public init(_ settings: Settings) throws {
    timeToLive = try settings.duration(Self.timeToLiveSetting).map {
      // A part of a millisecond is none: batches have whole ones.
      max(Int64($0 / .milliseconds(1)), 1)
    }
    mostKeys = try settings.count(Self.mostKeysSetting)
    mostBytes = try settings.bytes(Self.mostBytesSetting, allowsFractions: true)
  }

  public static let timeToLiveSetting = "swiftwater.state.timeToLive"
  public static let mostKeysSetting = "swiftwater.state.maxKeys"
  public static let mostBytesSetting = "swiftwater.state.maxBytes"
}

/// For how long a table keeps keys without new values, as whoever makes it says.
public enum TimeToLive: Sendable, Equatable {
  /// As the settings say for all tables.
  case asSet
  /// Keys stay, whatever the settings say.
  case unlimited
  case milliseconds(Int64)

  private static let most: Int64 = 100 * 366 * 86_400_000

  /// - Parameter duration: nil: as the settings say; zero: keys stay.
  /// - Throws: ``EngineError`` (`invalidArgument`) for a negative one, for one of less than a
  ///   millisecond, and for more than a century.
  public init(_ duration: Duration?) throws {
    guard let duration else {
      self = .asSet
      return
    }
    if duration == .zero {
      self = .unlimited
      return
    }
    guard duration >= .milliseconds(1), duration <= .milliseconds(Self.most) else {
      throw EngineError.invalidArgument(
        "the time to live must be at least a millisecond and at most a century, not \(duration)")
    }
    self = .milliseconds(Int64(duration / .milliseconds(1)))
  }
}

extension TableOperation {
  /// True where the function of a mapped state is called for keys whose time is out.
  public var hasTimeout: Bool {
    if case .mapped(_, timeout: .some) = kind { true } else { false }
  }

  /// The operation within the bounds of the settings.
  public func limited(
    by settings: TableLimits, timeToLive: TimeToLive = .asSet
  ) -> TableOperation {
    var limits = settings
    switch timeToLive {
    case .asSet: break
    case .unlimited: limits.timeToLive = nil
    case .milliseconds(let own): limits.timeToLive = own
    }
    // Its keys leave with their batches.
    if case .window = kind { limits.timeToLive = nil }
    return TableOperation(kind, partitioner: partitioner, at: place, limits: limits)
  }
}
