/// Names an output within its job: what the program calls it, or its operator and its number among the
/// outputs of that kind.
public struct OutputName: Hashable, Sendable, CustomStringConvertible {
  /// Unique within the job, and the same each time that the job is built.
  public let description: String

  /// A name that the program gives.
  public init(_ given: String) { description = given }

  /// - Parameter number: from 1 on, in the order in which the job was built; outputs with names of
  ///   their own are counted too.
  public init(kind: String, number: Int) { description = "\(kind)-\(number)" }
}

/// What one output does at one batch time, by name: the same for a batch that runs again, also in
/// another process. A sink that writes it down with what it commits can tell later that the batch has
/// taken effect.
public struct BatchIdentity: Hashable, Sendable, CustomStringConvertible {
  /// The job's name (`spark.app.name`). Two jobs that write to the same place need two.
  public let application: String
  public let time: BatchTime
  public let output: OutputName

  public init(application: String, time: BatchTime, output: OutputName) {
    self.application = application
    self.time = time
    self.output = output
  }

  public var description: String { "\(application)/\(output)/\(time.milliseconds)" }
}
