import CPython
import CSignals

/// A process that a user's function has forked, from the place on where the function came back in it.
@usableFromInline
enum ForkedProcess {
  /// Ends the process as an interpreter would that comes to the end of its program, or to an
  /// exception that nobody has caught. What the parent has registered for its exit does not run.
  ///
  /// - Parameter result: what the function returned; nil with an exception set.
  @usableFromInline @inline(never)
  static func end(_ result: PyPointer?) -> Never {
    Interpreter.called { py in
      let error = result == nil ? PythonError.fetch(py).exception : nil
      // Not through `Py.call`, which would come here again.
      if let end = try? py.importing("end_forked", from: "swiftwater._tasks.forked_process") {
        _ = sw_call1(end.pointer, error?.pointer ?? sw_none())
      }
    }
    sw_end_now(1)
  }
}
