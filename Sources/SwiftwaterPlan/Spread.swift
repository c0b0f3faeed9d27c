/// Records sent to partitions evenly and in turn, whatever they are: see ``Turns``.
public final class Spread: Sendable {
  /// How many partitions they go to.
  public let count: Int
  /// Whose objects records are that are in no column.
  public let language: any Language
  public let place: OperatorPlace

  public init(among count: Int, in language: any Language, at place: OperatorPlace) {
    self.count = count
    self.language = language
    self.place = place
  }
}
