import Foundation
import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterRDD

@Suite struct TextFileTests {
  private let context = try! SparkContext(master: "local[2]", appName: "tests")

  @Test(
    "Every line is read exactly once, wherever the splits cut",
    arguments: ["\n", "\r\n", "\r"])
  func splits(terminator: String) throws {
    var random = SeededRandom()
    let seed = random.seed
    for _ in 0..<150 {
      let lines = (0..<Int.random(in: 1...30, using: &random)).map { number in
        "\(number)" + String(repeating: "é", count: Int.random(in: 0...6, using: &random))
      }
      let isTerminated = Bool.random(using: &random)
      let text = lines.joined(separator: terminator) + (isTerminated ? terminator : "")
      try withFile(text) { path in
        let partitions = Int.random(in: 1...9, using: &random)
        let read = try context.textFile(path, minimumPartitions: partitions).collect()
        #expect(read.map(\.description) == lines, "seed \(seed), \(partitions) partitions")
      }
    }
  }

  @Test(
    "Splits are Hadoop's",
    arguments: [
      (1, [100]), (2, [50, 50]), (3, [33, 33, 34]), (7, [14, 14, 14, 14, 14, 14, 14, 2]),
    ])
  func plan(minimum: Int, sizes: [Int]) throws {
    try withFile(String(repeating: "x", count: 100)) { path in
      let splits = try FileSplit.plan(paths: path, minimumPartitions: minimum)
      #expect(splits.map { $0.end - $0.start } == sizes)
    }
  }

  @Test func emptyFile() throws {
    try withFile("") { path in
      let lines = try context.textFile(path).collect()
      #expect(lines.isEmpty)
    }
  }

  @Test(
    "Where _SUCCESS is a manifest, the files that it names count",
    arguments: [
      ("swiftwater manifest 1\nbatch job/output/1\npart-2\npart-1\n", ["1", "2"]),
      ("swiftwater manifest 1\nbatch\n", []),
      ("swiftwater manifest 2\nbatch\npart-1\n", ["1", "2", "3"]),
      ("part-1\n", ["1", "2", "3"]), ("", ["1", "2", "3"]),
    ])
  func manifest(text: String, expected: [String]) throws {
    let folder = try temporaryFolder()
    defer { removeFolder(folder) }
    for number in 1...3 { write("\(number)\n", to: "\(folder)/part-\(number)") }
    write(text, to: "\(folder)/_SUCCESS")
    #expect(try context.textFile(folder).collect().map(\.description) == expected)
  }

  @Test("A folder means its visible files, in order of their names; file: may stand in front")
  func folder() throws {
    let folder = try temporaryFolder()
    defer { removeFolder(folder) }
    for (name, text) in [("b.txt", "2\n"), ("a.txt", "1\n"), (".hidden", "x"), ("_SUCCESS", "x")] {
      write(text, to: "\(folder)/\(name)")
    }
    #expect(try context.textFile(folder).collect().map(\.description) == ["1", "2"])
    #expect(try context.textFile("file:\(folder)/b*").collect().map(\.description) == ["2"])
    #expect(
      try context.textFile("\(folder)/b.txt,\(folder)/a.txt").collect().map(\.description)
        == ["2", "1"])
  }

  @Test(
    "Alternatives in braces, in order and each once; names that look like patterns",
    arguments: [
      ("{b,a}.txt", ["a", "b"]), ("{a,a,?}.txt", ["a", "b", "c"]),
      ("{a,b}.txt,c.txt", ["a", "b", "c"]),
      ("{a,{b,c}}.t{x,y}t", ["a", "b", "c"]), ("[^ab].txt", ["c"]), ("x,{y}[z].txt", ["strange"]),
    ])
  func patterns(pattern: String, expected: [String]) throws {
    let folder = try temporaryFolder()
    defer { removeFolder(folder) }
    for name in ["a", "b", "c"] { write(name, to: "\(folder)/\(name).txt") }
    write("strange", to: "\(folder)/x,{y}[z].txt")
    let path = pattern.hasSuffix("c.txt") ? "{a,b}.txt,\(folder)/c.txt" : pattern
    #expect(try context.textFile("\(folder)/\(path)").collect().map(\.description) == expected)
  }

  @Test(
    "A byte order mark in front of a file is left out, wherever the splits cut",
    arguments: [
      ("\u{FEFF}a\nb\n", ["a", "b"]), ("\u{FEFF}", []), ("\u{FEFF}\n", [""]), ("\u{FEFF}x", ["x"]),
      ("\u{FEFF}\u{FEFF}x\n\u{FEFF}y", ["\u{FEFF}x", "\u{FEFF}y"]),
      ("a\n\u{FEFF}", ["a", "\u{FEFF}"]),
    ])
  func byteOrderMark(text: String, lines: [String]) throws {
    try withFile(text) { path in
      for partitions in 1...9 {
        let read = try context.textFile(path, minimumPartitions: partitions).collect()
        #expect(read.map(\.description) == lines, "\(partitions) partitions")
      }
    }
  }

  @Test("A compressed file is one partition, and its pieces may be cut anywhere")
  func compressed() throws {
    let folder = try temporaryFolder()
    defer { removeFolder(folder) }
    let path = "\(folder)/a.gz"
    write("what is in it does not count here", to: path)
    let context = try SparkContext(master: "local[2]", appName: "tests")
    let error = #expect(throws: EngineError.self) { try context.textFile(path).collect() }
    #expect(
      error?.message.hasPrefix("\(path): compressed text is read by jobs in Python only") == true)
    for pieces in [["\u{FEFF}one\r", "\n", "tw", "o\nthree"], ["\u{FEFF}", "one\ntwo\nthree\n"]] {
      context.setUnpacker(ScriptedUnpacker(pieces: pieces))
      let lines = try context.textFile(path, minimumPartitions: 9)
      #expect(lines.partitionCount == 1)
      #expect(try lines.collect().map(\.description) == ["one", "two", "three"])
    }
  }

  @Test func missing() {
    let error = #expect(throws: EngineError.self) { try context.textFile("/no/such/file") }
    #expect(error?.message == "Input path does not exist: /no/such/file")
  }

  @Test(arguments: [
    (String(repeating: "{a,b}", count: 30), "100000 paths"),
    (
      "{" + (0...1000).map(\.description).joined(separator: ",") + "}{a{b,c},d}{1,2,3,4,5,6}"
        + String(repeating: "{x,y}", count: 5), "100000 paths"
    ),
    (
      String(repeating: "{a,", count: 5000) + "b" + String(repeating: "}", count: 5000),
      "100 braces"
    ),
  ])
  func bracesBeyondTheBounds(pattern: String, bound: String) {
    let error = #expect(throws: EngineError.self) { try context.textFile("/no/" + pattern) }
    #expect(error?.message.hasPrefix("Illegal file pattern: /no/{") == true)
    #expect(error?.message.hasSuffix("stands for more than \(bound)") == true)
  }

  @Test(arguments: [
    String(repeating: "{a,b}", count: 16), "{" + String(repeating: "x,", count: 50_000) + "y}",
    String(repeating: "\\{a,b}", count: 30), "a},b{", "{a,{b,{c,d}}}",
  ])
  func bracesWithinTheBounds(pattern: String) throws {
    #expect(try matchingPaths("/no/" + pattern) == [])
  }

  // MARK: -

  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let folder = try temporaryFolder()
    defer { removeFolder(folder) }
    let path = folder + "/file.txt"
    write(text, to: path)
    try body(path)
  }

  private func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.path
  }

  private func write(_ text: String, to path: String) {
    #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
  }

  private func removeFolder(_ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
  }
}

/// Gives what it was made with.
private struct ScriptedUnpacker: FileUnpacker {
  let pieces: [String]

  func open(_ path: FilePath) -> any FileContent { Content(pieces: pieces[...]) }

  private final class Content: FileContent {
    var pieces: ArraySlice<String>

    init(pieces: ArraySlice<String>) { self.pieces = pieces }

    func next(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
      guard let piece = pieces.popFirst() else { return false }
      Array(piece.utf8).withUnsafeBytes(body)
      return true
    }
  }
}
