// Counts the words of a file in one batch, without Python: the functions are closures on columns.
//
//   .build/release/FileWordCount MASTER INTERVAL FILE RESULT
//
// Writes the counts to RESULT.counts, a word and its number a line, and to RESULT when the stream
// was started and when the counts were there (seconds of the monotonic clock), as JSON.

import Glibc
import Swiftwater
import Synchronization

@main
struct FileWordCount {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let seconds = Double(arguments[2]) else {
      print("Usage: FileWordCount MASTER INTERVAL FILE RESULT")
      exit(2)
    }
    let context = try SparkContext(master: arguments[1], appName: "FileWordCount")
    let streaming = try StreamingContext(context, batchInterval: .seconds(seconds))

    let lines = try streaming.queueStream([try context.textFile(arguments[3])])
    let counts =
      try lines.columns
      .flatMap { $0.split(" ") }
      .map { [$0, 1] }
      .reduceByKey { $0 + $1 }
      .pairs(of: String.self, Int.self)
    let ended = Mutex(Double?.none)
    try counts.foreachRDD { rdd, _ in
      guard ended.withLock({ $0 == nil }) else { return }
      let counts = try rdd.collect()
      let now = monotonicSeconds()
      if counts.isEmpty { return }
      ended.withLock { $0 = now }
      write(counts.map { "\($0) \($1)\n" }.joined(), to: arguments[4] + ".counts")
      streaming.stop()
    }

    let started = monotonicSeconds()
    try streaming.start()
    _ = try streaming.awaitTermination()
    guard let end = ended.withLock({ $0 }) else { exit(1) }
    write("{\"started\": \(started), \"ended\": \(end)}\n", to: arguments[4])
  }
}

private func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func write(_ text: String, to path: String) {
  guard let file = fopen(path, "w") else {
    print("FileWordCount: \(path) cannot be written")
    exit(1)
  }
  // Not `fputs`, which ends at a NUL: a word may hold one.
  let bytes = Array(text.utf8)
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}
