import Testing

@testable import SwiftwaterCore

@Suite struct SettingsTests {
  @Test(
    arguments: [
      ("1", 1), ("64k", 65_536), ("64 KB", 65_536), ("16m", 16 << 20), ("2G", 2 << 30), ("7b", 7),
    ])
  func sizes(text: String, bytes: Int) throws {
    #expect(try Settings(["s": text]).bytes("s") == bytes)
  }

  @Test(
    "Where a size may have a fraction it is bytes all the same",
    arguments: [
      ("512m", 512 << 20), ("1.5kb", 1536), (" 7 ", 7), ("3B", 3), ("0.5 g", 1 << 29),
      ("x", nil), ("1.2.3m", nil), (".m", nil), ("0.1", nil), ("-1.5m", nil),
    ] as [(String, Int?)])
  func fractions(text: String, bytes: Int?) throws {
    let settings = Settings(["swiftwater.spill.memory": text])
    #expect((try? SpillStore.limit(settings)) == bytes)
  }

  @Test("The process has memory, and less of it than addresses")
  func memory() {
    let memory = ProcessMemory.now
    #expect(memory.resident > 1 << 20)
    #expect(memory.addresses >= memory.resident)
    #expect(memory.data > 0)
  }

  @Test(
    arguments: [
      ("200", 200_000), ("200ms", 200_000), ("2s", 2_000_000), ("3us", 3), ("1min", 60_000_000),
      ("1h", 3_600_000_000),
    ])
  func times(text: String, microseconds: Int) throws {
    #expect(try Settings(["t": text]).duration("t") == .microseconds(microseconds))
  }

  @Test(
    "What cannot be read says which setting, and what it should be",
    arguments: [
      "x", "-1", "0", "1.5m", "16 parsec", "99999999999999999999", "9999999999999t",
      "1025t", "9223372036854775807",
    ])
  func unreadable(text: String) {
    let error = #expect(throws: EngineError.self) {
      try Settings(["swiftwater.block.size": text]).bytes("swiftwater.block.size")
    }
    #expect(error?.message.hasPrefix("swiftwater.block.size: '\(text)' is not a size") == true)
  }

  @Test(arguments: ["0", "-1", "1000001", "9223372036854775807", "9223372036854775808", "2.5", "x"])
  func counts(text: String) {
    let error = #expect(throws: EngineError.self) {
      try Settings(["n": text]).count("n", maximum: mostPartitions)
    }
    #expect(error?.message == "n: '\(text)' is not a whole number from 1 to 1000000")
  }

  @Test(arguments: [
    "spark://host:7077", "mesos://host:5050", "yarn", "yarn-client", "k8s://https://host", "zk://a",
    "local-cluster[2,1,1024]",
  ])
  func clusters(url: String) {
    let error = #expect(throws: EngineError.self) { try Master(url) }
    #expect(error?.message.contains("'\(url)' is a cluster") == true)
    #expect(error?.message.contains("--master 'local[*]'") == true)
  }

  @Test(arguments: [("512m", true), ("513m", false), ("1g", false)])
  func sizesOfBlocks(text: String, isFine: Bool) {
    let bytes = try? Settings(["s": text]).bytes("s", maximum: mostBlockBytes)
    #expect((bytes != nil) == isFine)
  }

  @Test func emptyMeansDefault() throws {
    #expect(try Settings().bytes("swiftwater.receiver.maxBuffered") == nil)
    #expect(try Settings().bytes("swiftwater.receiver.maxLineLength") == 16 << 20)
    #expect(Settings()["spark.master"] == "local[*]")
    #expect(Settings()["no.such.setting"] == nil)
  }

  @Test(arguments: [("true", true), ("FALSE", false), ("1", true), ("no", false)])
  func flags(text: String, value: Bool) throws {
    #expect(try Settings(["f": text]).flag("f") == value)
  }

  @Test func aFlagIsNotANumber() {
    #expect(throws: EngineError.self) { try Settings(["f": "2"]).flag("f") }
  }

  @Test("Every definition can be read as what it is")
  func definitions() throws {
    let names = Settings.definitions.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Settings.definitions.allSatisfy { !$0.summary.isEmpty })
  }

  @Test(
    arguments: [("local", 1), ("local[1]", 1), ("local[7]", 7), ("local[3,4]", 3)])
  func masters(url: String, parallelism: Int) throws {
    #expect(try Master(url).parallelism == parallelism)
  }

  @Test func everyProcessor() throws {
    #expect(try Master("local[*]").parallelism == availableProcessors())
  }

  @Test(
    "Other masters are refused by name",
    arguments: [
      "", "yarn", "spark://host:7077", "local[]", "local[0]", "local[-1]", "local[x]", "local[1",
      "local[1,2,3]", "local[1,]", "local[5000]", "LOCAL",
    ])
  func unknownMasters(url: String) {
    let error = #expect(throws: EngineError.self) { try Master(url) }
    #expect(error?.message.contains("'\(url)'") == true)
  }
}
