import Synchronization

/// What is decided once, when it is first asked for, from functions as they are then: when an RDD is first
/// computed, cached, shuffled or asked for its records' type. Until then it costs nothing, and what the
/// functions refer to may be replaced.
///
/// Spark: an RDD of Python functions pickles them at that time.
final class LateValue<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var isSealed = false
    /// What came up when nobody could be told: an interrupt.
    var failure: (any Error)?
  }

  private let state = Mutex(State())
  private let decide: @Sendable () throws -> Value

  /// - Parameter decide: may be called more than once; the first value counts.
  init(_ decide: @escaping @Sendable () throws -> Value) { self.decide = decide }

  /// The value, decided now where it was not before.
  ///
  /// - Throws: what deciding throws, now or earlier.
  func get() throws -> Value {
    let (value, failure) = state.withLock { state in
      defer { state.failure = nil }
      return (state.value, state.failure)
    }
    if let failure { throw failure }
    if let value { return value }
    // Not under the lock: reading functions runs a language's code.
    let new = try decide()
    return state.withLock { state in
      let value = state.value ?? new
      state.value = value
      return value
    }
  }

  /// The value as far as it can be told without an error, which is thrown the next time.
  var known: Value? {
    do {
      return try get()
    } catch {
      state.withLock { $0.failure = $0.failure ?? error }
      return nil
    }
  }

  /// The value counts for what is fused behind it, too.
  func seal() {
    if known != nil { state.withLock { $0.isSealed = true } }
  }

  /// The value where it is sealed.
  var sealed: Value? {
    state.withLock { $0.isSealed ? $0.value : nil }
  }
}
