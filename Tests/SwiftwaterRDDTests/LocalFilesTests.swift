import Foundation
import SwiftwaterCore
import Testing

@testable import SwiftwaterRDD

@Suite struct LocalFilesTests {
  private let store = LocalFiles()

  private func write(_ text: String, at path: FilePath) throws {
    let file = fopen(path.bytes.map(CChar.init(bitPattern:)) + [0], "w")
    try #require(file != nil)
    fputs(text, file)
    fclose(file)
  }

  private func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder.path
  }

  private func removeFolder(_ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
  }

  @Test("Names are bytes, and what is at a path is told behind links")
  func folder() throws {
    let folder = try temporaryFolder()
    defer { removeFolder(folder) }
    let odd: [UInt8] = [0x63, 0xE9]
    for (name, text) in [(odd, "abc\n"), (Array(".hidden".utf8), "")] {
      try write(text, at: FilePath(folder).appending(name))
    }
    #expect(Set(try store.names(in: FilePath(folder))) == [odd, Array(".hidden".utf8)])
    let path = FilePath(folder).appending(odd)
    let facts = try store.facts(of: path)
    #expect(facts.kind == .file)
    #expect(facts.size == 4)
    // After 2020, and in milliseconds.
    #expect(facts.changed > 1_577_836_800_000 && facts.changed < 100_000_000_000_000)
    #expect(try store.facts(of: FilePath(folder)).kind == .folder)
    #expect(try store.matches(of: FilePath(folder + "/{c*,none,c?}")) == [path])
    let context = try SparkContext(master: "local[1]", appName: "tests")
    let lines = try context.textFileNode(FilledFile(path: path, size: 4), minimumPartitions: 1)
    #expect(try RDD<TextLine>(lines).collect().map(\.description) == ["abc"])
  }

  @Test("A failure says what it is")
  func failures() throws {
    let folder = try temporaryFolder()
    defer { removeFolder(folder) }
    let file = FilePath(folder).appending(Array("f".utf8))
    try write("", at: file)
    let missing = #expect(throws: FileFailure.self) {
      try store.facts(of: FilePath(folder + "/none"))
    }
    #expect(missing?.isMissing == true)
    #expect(missing?.description == "[Errno 2] No such file or directory: '\(folder)/none'")
    let none = #expect(throws: FileFailure.self) { try store.names(in: file) }
    #expect(none?.isNoFolder == true)
  }
}
