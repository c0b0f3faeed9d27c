/// What went wrong, in the user's words: what, where, and what to do.
public enum EngineError: Error, Sendable, CustomStringConvertible {
  /// An argument or a setting that cannot be meant.
  case invalidArgument(String)
  /// A call that does not fit the state of its object, such as a start after a stop.
  case illegalState(String)
  /// A file, folder or address that cannot be used.
  case unavailable(String)
  /// A file that was there and is gone.
  case missing(String)
  /// The work was given up because its context stopped.
  case cancelled(String)

  /// The message without the kind.
  public var message: String {
    switch self {
    case .invalidArgument(let text), .illegalState(let text), .unavailable(let text),
      .missing(let text), .cancelled(let text):
      text
    }
  }

  public var description: String { message }
}
