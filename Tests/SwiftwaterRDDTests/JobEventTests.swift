import SwiftwaterCore
import SwiftwaterTesting
import Synchronization
import Testing

@testable import SwiftwaterRDD

@Suite struct JobEventTests {
  struct Failure: Error {}

  private let context = try! SparkContext(master: "local[3]", appName: "tests")

  /// Notes jobs and stages, with the tasks of stages that have ended.
  private func notes(_ topics: EventTopics = [.jobs, .stages]) -> @Sendable () -> [String] {
    let kept = Mutex<[String]>([])
    context.addListener(
      ClosureListener(topics: topics) { event in
        let line =
          switch event {
          case .jobStarted(let job): "job \(job.id)"
          case .jobEnded(let job, let succeeded): "job \(job.id) \(succeeded ? "well" : "failed")"
          case .stageStarted(let stage): "stage \(stage.id) of \(stage.job): \(stage.name)"
          case .stageEnded(let stage):
            "stage \(stage.id) \(stage.counts) of \(stage.taskCount)"
          default: "?"
          }
        kept.withLock { $0.append(line) }
      })
    return {
      kept.withLock { kept in
        defer { kept = [] }
        return kept
      }
    }
  }

  @Test("The map side of a shuffle is a stage of the job that needs it first")
  func stages() throws {
    let take = notes()
    let pairs = context.parallelize(1...4, slices: 2).map { ($0 % 2, $0) }
    let sums = pairs.reduceByKey(partitions: 3, +)
    _ = try sums.collect()
    #expect(
      take() == [
        "job 0", "stage 0 of 0: map", "stage 0 (active: 0, completed: 2, failed: 0) of 2",
        "stage 1 of 0: reduceByKey", "stage 1 (active: 0, completed: 3, failed: 0) of 3",
        "job 0 well",
      ])
    _ = try sums.count()
    #expect(
      take() == [
        "job 1", "stage 2 of 1: reduceByKey",
        "stage 2 (active: 0, completed: 3, failed: 0) of 3", "job 1 well",
      ])
  }

  @Test(
    "Looking in some partitions first is a job each time; without partitions a job has no stage")
  func jobs() throws {
    let take = notes(.jobs)
    #expect(try context.parallelize(1...9, slices: 9).take(3) == [1, 2, 3])
    #expect(take() == ["job 0", "job 0 well", "job 1", "job 1 well"])
    let takeAll = notes()
    let none = RDD<Int>(
      RDDNode.batches([], name: "nothing", context: context))
    #expect(try none.count() == 0)
    #expect(takeAll() == ["job 2", "job 2 well"])
  }

  @Test("A job fails with its stage; the tasks that ran are told in their order")
  func failure() throws {
    let take = notes()
    let ends = Mutex<[StageInfo.TaskEnd]>([])
    context.addListener(
      ClosureListener(topics: .stages) { event in
        if case .stageEnded(let stage) = event { ends.withLock { $0 = stage.taskEnds } }
      })
    let node = RDDNode(
      name: "probe", context: context, partitionCount: 3,
      placement: .oneAtATime
    ) { partition, _ in
      if partition == 1 { throw Failure() }
      return ArrayCursor([ValueBatch([partition])])
    }
    #expect(throws: Failure.self) { try RDD<Int>(node).count() }
    #expect(
      take() == [
        "job 0", "stage 0 of 0: probe", "stage 0 (active: 0, completed: 1, failed: 1) of 3",
        "job 0 failed",
      ])
    #expect(ends.withLock { $0.map(\.outcome) } == [.succeeded, .failed])
    #expect(ends.withLock { $0.map(\.index) } == [0, 1])
  }

  @Test("Who wants to hear of functions hears of no stage without any")
  func calls() throws {
    let take = notes(.calls)
    #expect(try context.parallelize(1...4, slices: 2).count() == 4)
    #expect(take() == [])
    let node = RDDNode(
      name: "probe", context: context, partitionCount: 2,
      placement: .callingThread
    ) { _, _ in ArrayCursor([]) }
    #expect(try RDD<Int>(node).count() == 0)
    #expect(take() == ["stage 1 (active: 0, completed: 2, failed: 0) of 2"])
  }

  @Test("Jobs of the same SparkContext on several threads keep their stages apart")
  func threads() throws {
    let stages = Mutex<[Int: Set<String>]>([:])
    context.addListener(
      ClosureListener(topics: .stages) { event in
        guard case .stageEnded(let stage) = event else { return }
        stages.withLock { _ = $0[stage.job, default: []].insert(stage.name) }
      })
    let context = self.context
    let threads = (0..<4).map { number in
      EngineThread(name: "job") {
        let numbers = context.parallelize(1...8, slices: 4).map { ($0 % 3, $0 + number) }
        _ = try? numbers.reduceByKey(partitions: 2, +).collect()
      }
    }
    for thread in threads { #expect(thread.join(timeout: .seconds(30))) }
    #expect(
      stages.withLock { $0 }
        == Dictionary(
          uniqueKeysWithValues: (0..<4).map { ($0, ["map", "reduceByKey"]) }))
  }
}
