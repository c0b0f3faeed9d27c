// Counts words in text that comes over a TCP socket, a batch a second, without Python.
//
//   nc -lk 9999                                        (in one terminal)
//   .build/release/NetworkWordCount localhost 9999     (in another)

import Glibc
import Swiftwater

@main
struct NetworkWordCount {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let port = Int(arguments[2]) else {
      print("Usage: NetworkWordCount HOST PORT")
      exit(2)
    }
    let context = try SparkContext(master: "local[2]", appName: "NetworkWordCount")
    try context.logToStandardError()
    let streaming = try StreamingContext(context, batchInterval: .seconds(1))

    let lines = try streaming.socketTextStream(host: arguments[1], port: port)
    let counts =
      try lines
      .flatMap { $0.split(separator: " ") }
      .map { ($0, 1) }
      .reduceByKey(+)
    try counts.print()

    try streaming.start()
    _ = try streaming.awaitTermination()
  }
}
