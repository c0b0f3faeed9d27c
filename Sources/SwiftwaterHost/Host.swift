import CHost
import SwiftwaterPython

/// The program `swiftwater`: embeds CPython, and leaves the command line to the Python package, so
/// that both front doors have the same one.
@main
enum Host {
  static func main() {
    prepareProcess()
    let executable = HostFiles.executable
    guard let packageFolder = HostFiles.packageFolder(of: executable) else {
      HostFiles.fail(
        "swiftwater: the Python package 'swiftwater' is not beside this program (\(executable)). "
          + "Run the program that scripts/quickstart built, in its place")
    }
    let environment = PythonEnvironment.chosen(beside: packageFolder)
    HostFiles.exit(
      withCStrings([
        command(in: environment), packageFolder, environment.executable, executable,
        environment.problem,
      ]) { strings in
        var options = sw_host_options(
          argument_count: CommandLine.argc, arguments: CommandLine.unsafeArgv,
          command: strings[0], package_folder: strings[1], python_executable: strings[2],
          host_executable: strings[3], environment_problem: strings[4],
          make_module: { makeModule() })
        return sw_host_run(&options)
      })
  }

  /// The Python code to run.
  private static func command(in environment: PythonEnvironment) -> String {
    let isWorker = CommandLine.arguments.dropFirst().first == "--worker"
    let main = "from swiftwater.\(isWorker ? "_workers.serving" : "_cli") import main; main()"
    // The packages of a virtual environment are found by Python itself.
    return environment.isPlainInterpreter
      ? "from swiftwater._python_environment import borrow_packages; borrow_packages(); \(main)"
      : main
  }

  /// Lends C copies of the strings, NULL for nil.
  private static func withCStrings<R>(
    _ strings: [String?], _ body: ([UnsafePointer<CChar>?]) -> R
  ) -> R {
    let copies = strings.map { string in
      string.map { string -> UnsafePointer<CChar> in
        let bytes = Array(string.utf8CString)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return UnsafePointer(copy)
      }
    }
    defer { for copy in copies { copy?.deallocate() } }
    return body(copies)
  }
}
