import CHost

/// The Python environment of a job: `SWIFTWATER_PYTHON`, else `VIRTUAL_ENV`, else the one that the
/// set-up made beside the package, else the Python that the host was built against.
struct PythonEnvironment {
  /// The interpreter whose environment is used; nil: the built-in one.
  let executable: String?
  /// It belongs to no virtual environment.
  var isPlainInterpreter: Bool {
    executable.map { !HostFiles.isInVirtualEnvironment($0) } ?? false
  }
  /// Why the chosen environment cannot be used, in a sentence that says what to do.
  let problem: String?

  static func chosen(beside packageFolder: String) -> PythonEnvironment {
    let named = HostFiles.variable("SWIFTWATER_PYTHON") ?? HostFiles.variable("VIRTUAL_ENV")
    guard let path = named ?? HostFiles.projectEnvironment(of: packageFolder) else {
      return PythonEnvironment(executable: nil, problem: nil)
    }
    return environment(at: path)
  }

  /// - Parameter path: a virtual environment's folder, or an interpreter.
  private static func environment(at path: String) -> PythonEnvironment {
    let executable = HostFiles.isFolder(path) ? path + "/bin/python" : path
    guard HostFiles.exists(executable) else {
      return PythonEnvironment(
        executable: nil,
        problem: "There is no Python at \(executable). Name a virtual environment or an "
          + "interpreter with --python, or leave VIRTUAL_ENV and SWIFTWATER_PYTHON unset")
    }
    let embedded = "3.\(sw_host_python_minor())"
    if let made = HostFiles.virtualEnvironmentVersion(ofInterpreter: executable),
      made != embedded
    {
      return PythonEnvironment(
        executable: nil,
        problem: "The virtual environment of \(executable) was made by Python \(made), and this "
          + "swiftwater embeds Python \(embedded). Make one with `python\(embedded) -m venv`, or "
          + "name another with --python")
    }
    return PythonEnvironment(executable: executable, problem: nil)
  }
}
