/// An error that may hold on to what the work that failed was about: an exception of Python's does, by
/// the variables of the functions that it came through.
public protocol HoldingError: Error {
  /// Gives that up. What is printed of the error stays as it is.
  ///
  /// Called on the thread that did the work, when it is over: whoever keeps the error afterwards keeps
  /// no records, nor the memory of a receiver's buffer.
  ///
  /// - Throws: what comes from outside meanwhile, an interrupt for example. It replaces the error.
  func letGo() throws
}
