import CHost
import Foundation
import PythonInterop
import SwiftwaterPython

/// The interpreter of a test process: started for the first test that asks for it, with the package of
/// this clone, the native module and, where there is one, the packages of the clone's environment. All
/// tests of a process share it.
public enum TestInterpreter {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let isStarted: Bool = {
    let environment = root.appending(path: ".venv/bin/python").path
    let folder = strdup(root.appending(path: "python").path)
    let program = strdup("swiftwater-tests")
    let executable =
      FileManager.default.isExecutableFile(atPath: environment) ? strdup(environment) : nil
    var arguments = [program, nil]
    return arguments.withUnsafeMutableBufferPointer { arguments in
      var options = sw_host_options(
        argument_count: 1, arguments: arguments.baseAddress, command: nil,
        package_folder: folder, python_executable: executable, host_executable: program,
        environment_problem: nil, make_module: { makeModule() })
      return sw_host_start(&options) == 0
    }
  }()

  /// What the code of a test has given: alive until its ``run(_:)`` is over, so that a pointer to it is
  /// one to something.
  final class Kept {
    // SAFETY: used by the thread that runs the test.
    var objects: [PythonObject] = []
  }

  private struct Shared: @unchecked Sendable {
    // SAFETY (@unchecked Sendable): see ``Kept``.
    let kept: Kept
  }

  @TaskLocal private static var shared: Shared?

  /// Keeps an object as long as the test has the interpreter.
  static func keep(_ object: PythonObject) { shared?.kept.objects.append(object) }

  /// Runs `body` while this thread holds the interpreter.
  ///
  /// - Throws: what `body` throws; ``PythonError`` where the native module cannot be made.
  public static func run<R>(_ body: (borrowing Python) throws -> R) throws -> R {
    precondition(isStarted, "Python cannot start")
    return try Interpreter.attach { py in
      _ = try py.importing("engine", from: "swiftwater._native")
      let shared = Shared(kept: Kept())
      return try withExtendedLifetime(shared) {
        try $shared.withValue(shared) { try Interpreter.called { py in try body(py) } }
      }
    }
  }
}
