import Foundation
import Testing

/// Reads the table of modules in ARCHITECTURE.md and every import in Sources: nothing is imported
/// that the table does not allow.
@Suite struct ModuleTableTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Allowed everywhere; Glibc behind one file a target.
  private static let everywhere: Set = ["Swift", "Synchronization", "DequeModule", "Glibc"]

  /// Library products under the names by which they are imported.
  private static let libraries = [
    "NIO": ["NIOCore", "NIOPosix"], "swift-log": ["Logging"],
  ]

  /// The rows of the table: target, and what it may import.
  private func table() throws -> [String: Set<String>] {
    let text = try String(
      contentsOf: Self.root.appending(path: "ARCHITECTURE.md"), encoding: .utf8)
    var rows: [String: Set<String>] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3 else { continue }
      let target = cells[0].trimmingCharacters(in: CharacterSet(charactersIn: "`"))
      let allowed = cells[2].split(separator: ",").flatMap { item -> [String] in
        let name = item.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
        return Self.libraries[name] ?? (name == "–" ? [] : [name])
      }
      rows[target] = Set(allowed)
    }
    return rows
  }

  private func sources() throws -> [(target: String, file: URL)] {
    let folder = Self.root.appending(path: "Sources")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).flatMap {
      target -> [(String, URL)] in
      let files = FileManager.default.enumerator(
        at: folder.appending(path: target), includingPropertiesForKeys: nil)
      return (files?.compactMap { $0 as? URL } ?? [])
        .filter { ["swift", "c", "h"].contains($0.pathExtension) }.map { (target, $0) }
    }
  }

  private func imports(of file: URL) throws -> Set<String> {
    let text = try String(contentsOf: file, encoding: .utf8)
    return Set(
      text.split(separator: "\n").compactMap { line -> String? in
        var words = line.split(separator: " ").map(String.init)
        while let first = words.first, first.hasPrefix("@") || first == "public" {
          words.removeFirst()
        }
        guard words.first == "import", words.count == 2 else { return nil }
        return words[1]
      })
  }

  @Test("Every target has a row, and every row a target")
  func rows() throws {
    let targets = Set(try sources().map(\.target))
    #expect(try Set(table().keys) == targets)
    #expect(targets.count > 10)
  }

  @Test("Nothing is imported that the table does not allow")
  func imports() throws {
    let table = try table()
    for (target, file) in try sources() where file.pathExtension == "swift" {
      let allowed = try #require(table[target]).union(Self.everywhere)
      let extra = try imports(of: file).subtracting(allowed)
      #expect(extra.isEmpty, "\(target)/\(file.lastPathComponent) imports \(extra.sorted())")
    }
  }

  @Test("The C library stands behind one file a target")
  func cLibrary() throws {
    var users: [String: [String]] = [:]
    for (target, file) in try sources() where file.pathExtension == "swift" {
      if try imports(of: file).contains("Glibc") {
        users[target, default: []].append(file.lastPathComponent)
      }
    }
    for (target, files) in users { #expect(files.count == 1, "\(target): \(files)") }
    #expect(!users.isEmpty)
  }

  @Test("The core knows no Python")
  func core() throws {
    let pure = ["SwiftwaterCore", "SwiftwaterKernels", "SwiftwaterRDD", "SwiftwaterStreaming"]
    let table = try table()
    for target in pure {
      let allowed = try #require(table[target])
      #expect(allowed.allSatisfy { !$0.contains("Python") }, "\(target)")
    }
  }

  @Test("Only PythonInterop and the host's C file see the C API")
  func interpreter() throws {
    for (target, file) in try sources() where file.pathExtension == "swift" {
      if try imports(of: file).contains("CPython") { #expect(target == "PythonInterop") }
    }
  }

  @Test("No target's folder differs from a product's name only in case")
  func folders() throws {
    let names = Set(try sources().map(\.target)).union(["swiftwater", "_swiftwater"])
    let lowered = names.filter { $0 != "Swiftwater" }.map { $0.lowercased() }
    #expect(Set(lowered).count == lowered.count)
  }
}
