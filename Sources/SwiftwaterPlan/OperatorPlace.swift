/// What to call an operator in an error, in `explain()` and on the page, and where it was written.
public struct OperatorPlace: Sendable, CustomStringConvertible {
  /// As the user wrote it: `flatMap`.
  public let name: String
  /// Where: `job.py:9`; empty where nobody knows.
  public let site: String
  /// In a worker process: which of its stage's functions it is, from 0.
  public var number: Int

  public init(name: String, site: String = "", number: Int = 0) {
    self.name = name
    self.site = site
    self.number = number
  }

  public var description: String { "in \(name) at \(site)" }
}
