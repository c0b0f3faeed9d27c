import SwiftwaterCore
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterRDD
@testable import SwiftwaterStreaming

/// Folders with files that a test changes; patterns are those of this machine.
private final class ScriptedFiles: FileStore {
  private struct State {
    var files: [FilePath: FileFacts] = [:]
    var folders: Set<FilePath> = []
    var refused: [FilePath: Int32] = [:]
  }

  private let state = Mutex(State())

  /// Makes a folder, with those above it.
  func make(_ folder: String) {
    let names = folder.split(separator: "/")
    state.withLock { state in
      for count in 1...names.count {
        state.folders.insert(FilePath("/" + names.prefix(count).joined(separator: "/")))
      }
    }
  }

  func remove(_ path: String) {
    state.withLock { state in
      state.folders.remove(FilePath(path))
      state.files[FilePath(path)] = nil
    }
  }

  /// Puts a file there that was changed at a time, in milliseconds.
  func put(_ path: FilePath, changed: Int64, size: Int = 1) {
    state.withLock {
      $0.files[path] = FileFacts(kind: .file, size: size, changed: changed)
    }
  }

  func put(_ path: String, changed: Int64) { put(FilePath(path), changed: changed) }

  /// Refuses to look at a path, or no more.
  func refuse(_ path: String, with code: Int32?) {
    state.withLock { $0.refused[FilePath(path)] = code }
  }

  private func failure(_ code: Int32, _ path: FilePath) -> FileFailure {
    FileFailure(code: code, reason: "error \(code)", path: path)
  }

  func names(in folder: FilePath) throws -> [[UInt8]] {
    try state.withLock { state in
      if let code = state.refused[folder] { throw failure(code, folder) }
      guard state.folders.contains(folder) else {
        throw failure(state.files[folder] == nil ? 2 : 20, folder)
      }
      let start = folder.bytes + [UInt8(ascii: "/")]
      let inside = (Array(state.files.keys) + state.folders).map(\.bytes).filter {
        $0.starts(with: start) && !$0.dropFirst(start.count).contains(UInt8(ascii: "/"))
      }
      return inside.map { Array($0.dropFirst(start.count)) }
    }
  }

  func facts(of path: FilePath) throws -> FileFacts {
    try state.withLock { state in
      if let code = state.refused[path], !state.folders.contains(path) {
        throw failure(code, path)
      }
      if let file = state.files[path] { return file }
      guard state.folders.contains(path) else { throw failure(2, path) }
      return FileFacts(kind: .folder, size: 4096, changed: 0)
    }
  }

  func matches(of pattern: FilePath) throws -> [FilePath] {
    // Enough for tests: what begins with the part in front of a star.
    guard let star = pattern.bytes.firstIndex(of: UInt8(ascii: "*")) else { return [] }
    return state.withLock { state in
      (Array(state.files.keys) + state.folders)
        .filter { $0.bytes.starts(with: pattern.bytes[..<star]) }
        .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
  }
}

private let second: Int64 = 1000
private let minute = 60 * second

@Suite struct FileSourceTests {
  private let files = ScriptedFiles()
  private let tooOld = Counter()

  init() { files.make("/in") }

  /// A source with its memory, as a job has it.
  private func watch(
    _ directory: String = "/in", slide: Int64 = second, since: Int64 = 0,
    tell: @escaping @Sendable (EngineEvent) -> Void = { _ in }
  ) throws -> RangeSupervisor {
    let source = FileSource(
      FilePath(directory), interval: try BatchInterval(milliseconds: slide), store: files,
      tooOld: tooOld, tell: tell)
    return RangeSupervisor(source, since: since)
  }

  private func listed(_ directory: String) throws -> [String] {
    let source = FileSource(
      FilePath(directory), interval: try BatchInterval(milliseconds: second), store: files,
      tooOld: tooOld
    ) { _ in }
    return try source.listed().map(\.path.description)
  }

  private func files(_ source: RangeSupervisor, at time: Int64) -> [String] {
    source.plan(for: BatchTime(milliseconds: time)).splits.map {
      String(decoding: $0.name, as: UTF8.self)
    }
  }

  /// The batches in which something was chosen.
  private func remembered(_ source: RangeSupervisor) -> [Int64] {
    source.known.ranges.filter { !$0.range.isEmpty }.map(\.time.milliseconds)
  }

  @Test(
    "Files are chosen by their time",
    arguments: [
      // Changed in the interval that the batch ends.
      (99 * second, 100 * second, 0, true),
      // At the time of the batch, and just after it.
      (100 * second, 100 * second, 0, true),
      (100 * second + 1, 100 * second, 0, false),
      // Up to a minute before: it may have been listed late.
      (100 * second - minute + 1, 100 * second, 0, true),
      (100 * second - minute, 100 * second, 0, false),
      (0, 100 * second, 0, false),
      // Not later than the stream itself.
      (95 * second, 100 * second, 95 * second, false),
      (95 * second + 1, 100 * second, 95 * second, true),
    ])
  func times(changed: Int64, time: Int64, since: Int64, isTaken: Bool) {
    let found = FileSource.chosen(
      of: [(FilePath("f"), changed)], at: time, memory: minute, since: since, recent: [])
    #expect(found == (isTaken ? [FilePath("f")] : []))
  }

  @Test("Files that were taken are not taken again")
  func recent() {
    let found: [FileSource.Entry] = [(FilePath("a"), 5), (FilePath("b"), 6), (FilePath("c"), 7)]
    let chosen = FileSource.chosen(
      of: found, at: 10, memory: minute, since: 0, recent: [Array("b".utf8)])
    #expect(chosen == [FilePath("a"), FilePath("c")])
  }

  @Test(
    "A minute is remembered, in whole batches",
    arguments: [(1000, 60_000), (7000, 63_000), (90_000, 90_000), (500, 60_000)] as [(Int64, Int64)]
  )
  func memory(slide: Int64, memory: Int64) throws {
    let source = try watch(slide: slide)
    files.put("/in/f", changed: 1000 * second)
    #expect(files(source, at: 1000 * second + memory) == [])
    #expect(files(source, at: 1000 * second + memory - 1) == ["/in/f"])
  }

  @Test("The same batch has the same files")
  func once() throws {
    let source = try watch()
    files.put("/in/a", changed: 9500)
    #expect(files(source, at: 10_000) == ["/in/a"])
    files.put("/in/b", changed: 9600)
    #expect(files(source, at: 10_000) == ["/in/a"])
    #expect(files(source, at: 11_000) == ["/in/b"])
  }

  @Test("What is chosen is forgotten after a while")
  func forgetting() throws {
    let source = try watch()
    for number in 1..<200 as Range<Int64> {
      files.put("/in/\(number)", changed: number * second)
      #expect(files(source, at: number * second) == ["/in/\(number)"])
    }
    #expect(remembered(source).count <= 62)
  }

  @Test("What a recovery needs is remembered longer")
  func holding() throws {
    let source = try watch()
    source.hold(BatchTime(milliseconds: 100_000))
    for number in 30..<300 as Range<Int64> {
      files.put("/in/\(number)", changed: number * second)
      #expect(files(source, at: number * second) == ["/in/\(number)"])
    }
    // The batch behind 100 s looks back a minute.
    #expect(remembered(source).first == 40_000)
    let again = try watch()
    again.restore(source.known)
    for number in 101..<300 as Range<Int64> {
      #expect(files(again, at: number * second) == ["/in/\(number)"])
    }
    source.hold(BatchTime(milliseconds: 299_000))
    _ = files(source, at: 300_000)
    #expect(remembered(source).first == 239_000)
  }

  @Test(
    "A file that is changed after a minute is taken again, whatever is held", arguments: [nil, 0])
  func changedAgain(held: Int64?) throws {
    // Spark: it was forgotten by then.
    let source = try watch()
    if let held { source.hold(BatchTime(milliseconds: held)) }
    var taken: [Int64] = []
    for number in 10..<100 as Range<Int64> {
      if number == 10 || number == 30 { files.put("/in/f", changed: number * second) }
      if !files(source, at: number * second).isEmpty { taken.append(number) }
    }
    #expect(taken == [10, 71])
  }

  @Test("A source goes on from what it knew")
  func goingOn() throws {
    let source = try watch(since: 4000)
    files.put("/in/a", changed: 9500)
    _ = files(source, at: 10_000)
    let again = try watch(since: 50_000)
    again.restore(source.known)
    #expect(files(again, at: 10_000) == ["/in/a"])
    #expect(files(again, at: 11_000) == [])
    files.put("/in/old", changed: 3500)
    files.put("/in/new", changed: 11_500)
    #expect(files(again, at: 12_000) == ["/in/new"])
  }

  @Test("Names that do not count")
  func hidden() throws {
    for name in [".hidden", "_temporary", "seen", "seen._COPYING_", "x_"] {
      files.put("/in/\(name)", changed: 1)
    }
    #expect(try listed("/in") == ["/in/seen", "/in/seen._COPYING_", "/in/x_"])
  }

  @Test("A name is bytes: one that is not UTF-8 is another than what is shown of it")
  func bytes() throws {
    let odd = FilePath("/in").appending([0x63, 0xE9])
    files.put(odd, changed: 9500)
    files.put("/in/c\u{FFFD}", changed: 9500)
    let source = try watch()
    let chosen = source.plan(for: BatchTime(milliseconds: 10_000)).splits.map(\.name)
    #expect(chosen == [odd.bytes, Array("/in/c\u{FFFD}".utf8)].sorted { $0[5] < $1[5] })
    #expect(odd.description == "/in/c\u{FFFD}")
  }

  @Test("A pattern stands for folders, not for files")
  func pattern() throws {
    for folder in ["/a1", "/a2", "/b1"] {
      files.make(folder)
      files.put("\(folder)/f", changed: 1)
    }
    files.put("/a3", changed: 1)
    #expect(try listed("/a*").sorted() == ["/a1/f", "/a2/f"])
  }

  @Test("A folder whose name looks like a pattern")
  func name() throws {
    files.make("/{a,b}*[c]")
    files.put("/{a,b}*[c]/f", changed: 1)
    #expect(try listed("/{a,b}*[c]") == ["/{a,b}*[c]/f"])
  }

  @Test(
    "A folder that is not there is told of once, each time that it goes",
    arguments: ["/later", "/l*r"])
  func missing(name: String) throws {
    let told = Mutex(0)
    let source = try watch(name) { event in
      if case .folderMissing(let folder) = event, folder == name { told.withLock { $0 += 1 } }
    }
    files.put("/lr", changed: 1)
    for number in 10...12 as ClosedRange<Int64> {
      #expect(files(source, at: number * second) == [])
    }
    #expect(told.withLock { $0 } == 1)
    files.make("/later")
    #expect(files(source, at: 13 * second) == [])
    #expect(told.withLock { $0 } == 1)
    files.remove("/later")
    for number in 14...15 as ClosedRange<Int64> {
      #expect(files(source, at: number * second) == [])
    }
    #expect(told.withLock { $0 } == 2)
  }

  @Test("A folder that is not there is empty", arguments: ["/none", "/none*"])
  func nothing(name: String) throws { #expect(try listed(name) == []) }

  @Test("A folder that cannot be listed is told of, and the next batch has its files")
  func unreadable() throws {
    let told = Mutex<[String]>([])
    let source = try watch { event in
      if case .folderUnreadable(let folder, let failure) = event {
        told.withLock { $0.append("\(folder): \(failure)") }
      }
    }
    files.put("/in/a", changed: 9500)
    files.refuse("/in", with: 13)
    #expect(files(source, at: 10_000) == [])
    #expect(told.withLock { $0 } == ["/in: [Errno 13] error 13: '/in'"])
    files.refuse("/in", with: nil)
    #expect(files(source, at: 11_000) == ["/in/a"])
  }

  @Test("An entry that is gone or cannot be looked at keeps no other from its batch")
  func entries() throws {
    let told = Mutex<[String]>([])
    let source = try watch { event in
      if case .entryPassedOver(let path, let reason) = event {
        told.withLock { $0.append("\(path): \(reason)") }
      }
    }
    for name in ["gone", "loop", "z"] { files.put("/in/\(name)", changed: 9500) }
    files.refuse("/in/gone", with: 2)
    files.refuse("/in/loop", with: 40)
    #expect(files(source, at: 10_000) == ["/in/z"])
    #expect(told.withLock { $0 } == ["/in/loop: error 40"])
  }

  @Test("Of a path the files with something in them are read, of a folder one level deep")
  func filled() throws {
    files.make("/in/inner/deeper")
    files.put(FilePath("/in/empty"), changed: 1, size: 0)
    for name in ["f", "inner/b", "inner/a", "inner/_SUCCESS", "inner/deeper/g", "inner/gone"] {
      files.put("/in/\(name)", changed: 1)
    }
    files.refuse("/in/inner/gone", with: 2)
    func paths(_ path: String) throws -> [String] {
      try files.filled(at: FilePath(path)).map(\.path.description)
    }
    #expect(try paths("/in/f") == ["/in/f"])
    #expect(try paths("/in/empty") == [])
    #expect(try paths("/in/inner") == ["/in/inner/a", "/in/inner/b"])
    let failure = #expect(throws: EngineError.self) { try paths("/in/removed") }
    #expect(failure?.message.hasPrefix("Input path does not exist: /in/removed: it was") == true)
    files.refuse("/in/inner/b", with: 13)
    #expect(throws: FileFailure.self) { try paths("/in/inner") }
  }

  @Test("Files that are too old to be read are counted once, and told")
  func passedOver() throws {
    let told = Mutex<[EngineEvent]>([])
    let source = try watch(since: 100_000) { event in told.withLock { $0.append(event) } }
    func events() -> [String] {
      told.withLock { told in
        defer { told = [] }
        return told.compactMap { event in
          guard case .filesTooOld("/in", let count, let example, let isFirst) = event else {
            return nil
          }
          return "\(count) \(example) \(isFirst ? "before the stream" : "too late")"
        }
      }
    }
    files.put("/in/before", changed: 99_000)
    files.put("/in/young", changed: 100_500)
    #expect(files(source, at: 101_000) == ["/in/young"])
    #expect(events() == ["1 /in/before before the stream"])
    // What was read grows old; what comes with an old time is not read.
    files.put("/in/late", changed: 90_000)
    files.put("/in/next", changed: 190_000)
    #expect(files(source, at: 200_000) == ["/in/next"])
    #expect(events() == ["1 /in/late too late"])
    #expect(files(source, at: 201_000) == [])
    files.remove("/in/late")
    #expect(files(source, at: 300_000) == [])
    // A batch of an earlier time that is asked for late tells of nothing.
    #expect(files(source, at: 250_000) == [])
    #expect(events() == [])
    #expect(tooOld.value == 2)
  }

  @Test("A file that is gone when its batch is planned fails that batch; the next one runs")
  func vanished() throws {
    let bench = try Bench()
    let node = try bench.streaming.addFileStream(
      of: FilePath("/in"), name: "files", since: 0, store: files
    ) { file, generation in
      RDDNode.batches(
        [[ValueBatch([file.path.description])]], name: "f", context: generation.context)
    }
    let output = try CollectingOutput(DStream<String>(node, in: bench.streaming))
    let range = SourceRange([SourceSplit(name: Array("/in/gone".utf8))])
    try #require(node.ranges).restore(
      PlannedRanges(since: 0, ranges: [(BatchTime(milliseconds: 1000), range)]))
    try bench.streaming.start()
    bench.advance(milliseconds: 1000)
    files.put("/in/b", changed: 1500)
    bench.advance(milliseconds: 1000)
    #expect(output.batches == [["/in/b"]])
    #expect(bench.reports.map(\.failureCount) == [1, 0])
  }
}
