// The one file of this target that calls the C library: files, variables, the end of the process.
import Glibc

enum HostFiles {
  /// This program's own file, links resolved.
  static var executable: String {
    resolved("/proc/self/exe") ?? CommandLine.arguments[0]
  }

  /// The folder with the Python package: `python` in a folder above the program, or the program's
  /// own.
  static func packageFolder(of executable: String) -> String? {
    var folder = parent(of: executable)
    while true {
      for candidate in [folder + "/python", folder] {
        if exists(candidate + "/swiftwater/__init__.py") { return candidate }
      }
      if folder.isEmpty || folder == "/" { return nil }
      folder = parent(of: folder)
    }
  }

  /// The environment that the set-up makes beside the package's folder.
  static func projectEnvironment(of packageFolder: String) -> String? {
    let folder = parent(of: packageFolder) + "/.venv"
    return exists(folder + "/bin/python") ? folder : nil
  }

  /// The version ("3.11") in the `pyvenv.cfg` beside an interpreter's folder; nil when it belongs
  /// to no virtual environment, or the file does not say.
  static func virtualEnvironmentVersion(ofInterpreter path: String) -> String? {
    for line in lines(of: virtualEnvironmentFile(ofInterpreter: path)) {
      let fields = line.split(separator: "=", maxSplits: 1).map { field in
        field.filter { $0 != " " && $0 != "\t" }
      }
      guard fields.count == 2, ["version", "version_info"].contains(fields[0].lowercased())
      else { continue }
      let numbers = fields[1].split(separator: ".")
      if numbers.count >= 2 { return "\(numbers[0]).\(numbers[1])" }
    }
    return nil
  }

  static func isInVirtualEnvironment(_ interpreter: String) -> Bool {
    exists(virtualEnvironmentFile(ofInterpreter: interpreter))
  }

  private static func virtualEnvironmentFile(ofInterpreter path: String) -> String {
    parent(of: parent(of: path)) + "/pyvenv.cfg"
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func isFolder(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }

  /// The value of an environment variable; nil when it is unset or empty.
  static func variable(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// Ends the process with an error message, status 1.
  static func fail(_ message: String) -> Never {
    _ = (message + "\n").withCString { write(STDERR_FILENO, $0, strlen($0)) }
    Glibc.exit(1)
  }

  static func exit(_ status: Int32) -> Never { Glibc.exit(status) }

  private static func resolved(_ path: String) -> String? {
    guard let result = realpath(path, nil) else { return nil }
    defer { free(result) }
    return String(cString: result)
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return String(path[..<slash])
  }

  private static func lines(of path: String) -> [Substring] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    // A pyvenv.cfg is some hundred bytes.
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    let count = read(file, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
      .split(whereSeparator: \.isNewline)
  }
}
