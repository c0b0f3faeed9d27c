// swift-tools-version:6.2
import PackageDescription

// The minor version of Python that the host embeds. The native module is built for the stable
// ABI, so one build of it serves this version and every later one.
let pythonVersion = Context.environment["SWIFTWATER_PYTHON_VERSION"] ?? "3.11"

// Python's static library as one relocatable object (scripts/lib/setup.sh makes it), or unset: the
// host is linked with it as Debian's own python3 is, since calls inside the shared library cost
// 15 % more. Extension modules find Python's symbols in the program itself (`-export-dynamic`).
let pythonLinkage: [LinkerSetting] =
  if let object = Context.environment["LIBPYTHON_OBJECT"] {
    [
      .unsafeFlags(["-Xclang-linker", "-no-pie", "-Xlinker", "-export-dynamic", object]),
      .linkedLibrary("expat"), .linkedLibrary("z"), .linkedLibrary("m"), .linkedLibrary("dl"),
      .linkedLibrary("util"),
    ]
  } else {
    [.linkedLibrary("python\(pythonVersion)")]
  }

// Where the standard library of that Python is; the shared library is asked where it is itself.
let pythonHome: [CSetting] =
  Context.environment["LIBPYTHON_OBJECT"] == nil
  ? [] : [.define("SW_PYTHON_HOME", to: "\"/usr\"")]

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

/// A target of the engine: strict, warnings are errors.
func engine(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A test target: strict, warnings are errors.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "swiftwater",
  products: [
    .library(name: "Swiftwater", targets: ["Swiftwater"]),
    .library(name: "SwiftwaterTesting", targets: ["SwiftwaterTesting"]),
    .library(name: "_swiftwater", type: .dynamic, targets: ["SwiftwaterPython"]),
    .executable(name: "swiftwater", targets: ["SwiftwaterHost"]),
    .executable(name: "NetworkWordCount", targets: ["NetworkWordCount"]),
    .executable(name: "FileWordCount", targets: ["FileWordCount"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    // The engine. ARCHITECTURE.md says what each target is for and what it may depend on;
    // Tests/ModuleTableTests enforces it.
    engine("SwiftwaterCore", [deque]),
    .target(name: "CKernels"),
    engine("SwiftwaterStore", ["SwiftwaterCore", "CKernels", deque]),
    engine("SwiftwaterKernels", ["SwiftwaterCore", "SwiftwaterStore", "CKernels", deque]),
    engine("SwiftwaterPlan", ["SwiftwaterCore", "SwiftwaterKernels"]),
    engine("SwiftwaterRDD", ["SwiftwaterCore", "SwiftwaterKernels", "SwiftwaterPlan", deque]),
    engine(
      "SwiftwaterStreaming",
      [
        "SwiftwaterCore", "SwiftwaterStore", "SwiftwaterKernels", "SwiftwaterPlan", "SwiftwaterRDD",
        deque,
      ]),
    engine("SwiftwaterConnectors", ["SwiftwaterCore", nioCore, nioPosix]),
    engine("SwiftwaterConsole", ["SwiftwaterCore", logging]),
    engine(
      "SwiftwaterTesting", ["SwiftwaterCore", "SwiftwaterRDD", "SwiftwaterStreaming", deque]),
    engine(
      "Swiftwater",
      [
        "SwiftwaterCore", "SwiftwaterKernels", "SwiftwaterRDD", "SwiftwaterStreaming",
        "SwiftwaterConnectors", "SwiftwaterConsole",
      ]),

    // Python.
    .systemLibrary(name: "CPython", pkgConfig: "python-\(pythonVersion)"),
    .target(name: "CSignals"),
    engine("PythonInterop", ["CPython", "CSignals"]),
    engine(
      "PythonFunctions", ["PythonInterop", "SwiftwaterCore", "SwiftwaterKernels", "SwiftwaterPlan"]),
    engine(
      "PythonRecords",
      [
        "PythonFunctions", "PythonInterop", "SwiftwaterCore", "SwiftwaterStore",
        "SwiftwaterKernels", "SwiftwaterPlan",
      ]),
    engine(
      "PythonOperators",
      [
        "PythonRecords", "PythonFunctions", "PythonInterop", "SwiftwaterCore", "SwiftwaterKernels",
        "SwiftwaterPlan",
      ]),
    engine(
      "PythonWorkers",
      [
        "CSignals", "PythonOperators", "PythonRecords", "PythonFunctions", "PythonInterop",
        "SwiftwaterCore", "SwiftwaterPlan", "SwiftwaterRDD", "SwiftwaterConsole",
      ]),
    engine(
      "SwiftwaterPython",
      [
        "CSignals", "PythonWorkers", "PythonOperators", "PythonRecords", "PythonFunctions",
        "PythonInterop", "SwiftwaterCore", "SwiftwaterStore", "SwiftwaterKernels", "SwiftwaterPlan",
        "SwiftwaterRDD", "SwiftwaterStreaming", "SwiftwaterConnectors", "SwiftwaterConsole",
        "SwiftwaterTesting",
      ]),
    .target(name: "CHost", dependencies: ["CPython"], cSettings: pythonHome),
    .executableTarget(
      name: "SwiftwaterHost", dependencies: ["SwiftwaterPython", "CHost"], swiftSettings: strict,
      linkerSettings: pythonLinkage),

    // Examples that are programs of their own.
    .executableTarget(
      name: "NetworkWordCount", dependencies: ["Swiftwater"], path: "examples/NetworkWordCount",
      swiftSettings: strict),
    .executableTarget(
      name: "FileWordCount", dependencies: ["Swiftwater"], path: "examples/FileWordCount",
      swiftSettings: strict),

    // Tests.
    tests("SwiftwaterCoreTests", ["SwiftwaterCore"]),
    tests(
      "SwiftwaterStoreTests",
      ["SwiftwaterStore", "SwiftwaterCore", "SwiftwaterTesting", "CKernels"]),
    .target(
      name: "TableTesting",
      dependencies: ["SwiftwaterKernels", "SwiftwaterCore", "SwiftwaterTesting"],
      path: "Tests/TableTesting", swiftSettings: strict),
    tests(
      "SwiftwaterKernelsTests",
      ["SwiftwaterKernels", "SwiftwaterStore", "SwiftwaterTesting", "CKernels", "TableTesting"]),
    tests("SwiftwaterRDDTests", ["SwiftwaterRDD", "SwiftwaterPlan", "SwiftwaterTesting"]),
    tests(
      "SwiftwaterStreamingTests",
      ["SwiftwaterStreaming", "SwiftwaterStore", "SwiftwaterTesting", "SwiftwaterRDD"]),
    tests("SwiftwaterConnectorsTests", ["SwiftwaterConnectors", "SwiftwaterCore"]),
    tests("ModuleTableTests", []),

    // Tests with an interpreter in their process: the shared library's, as in a plain `swift build`.
    .target(
      name: "PythonTesting",
      dependencies: [
        "CHost", "CPython", "PythonInterop", "PythonFunctions", "PythonRecords", "PythonOperators",
        "SwiftwaterPython", "SwiftwaterCore", "SwiftwaterPlan", "SwiftwaterTesting",
      ],
      path: "Tests/PythonTesting", swiftSettings: strict,
      linkerSettings: [.linkedLibrary("python\(pythonVersion)")]),
    tests("PythonInteropTests", ["PythonInterop", "PythonTesting", "SwiftwaterTesting"]),
    tests("PythonFunctionsTests", ["PythonFunctions", "PythonTesting"]),
    tests(
      "PythonRecordsTests",
      ["PythonRecords", "PythonTesting", "SwiftwaterTesting", "TableTesting"]),
    tests("PythonOperatorsTests", ["PythonOperators", "PythonTesting", "SwiftwaterTesting"]),
    tests("PythonWorkersTests", ["PythonWorkers", "PythonTesting", "SwiftwaterTesting"]),
    tests("SwiftwaterPythonTests", ["SwiftwaterPython", "PythonTesting"]),
  ],
  swiftLanguageModes: [.v6]
)
