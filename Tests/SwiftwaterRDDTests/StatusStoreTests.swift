import SwiftwaterCore
import SwiftwaterTesting
import Testing

@testable import SwiftwaterRDD

@Suite struct StatusStoreTests {
  private let context = try! SparkContext(master: "local[2]", appName: "tests")

  @Test("Jobs and stages are known from the first question on")
  func known() throws {
    let pairs = context.parallelize(1...4, slices: 2).map { ($0 % 2, $0) }
    #expect(try pairs.count() == 4)
    #expect(context.status.jobs == [])
    context.setJobGroup("sums")
    _ = try pairs.reduceByKey(partitions: 3, +).collect()
    context.setJobGroup(nil)
    #expect(try pairs.count() == 4)
    let jobs = context.status.jobs
    #expect(jobs.map(\.id) == [1, 2])
    #expect(jobs.map(\.group) == ["sums", nil])
    #expect(jobs.map(\.status) == [.succeeded, .succeeded])
    #expect(jobs.map(\.stages) == [[1, 2], [3]])
    let stages = context.status.stages
    #expect(stages.map(\.id) == [1, 2, 3])
    #expect(stages.map(\.name) == ["map", "reduceByKey", "map"])
    #expect(stages.map(\.completedTasks) == [2, 3, 2])
    #expect(stages.allSatisfy { !$0.isActive && $0.activeTasks == 0 && $0.failedTasks == 0 })
  }

  @Test("A group is a thread's, in one context")
  func groups() throws {
    let other = try SparkContext(master: "local", appName: "other")
    let numbers = [context, other].map { $0.parallelize([1], slices: 1) }
    _ = (context.status, other.status)
    context.setJobGroup("mine")
    for each in numbers { _ = try each.count() }
    let thread = EngineThread(name: "job") { _ = try? numbers[0].count() }
    #expect(thread.join(timeout: .seconds(30)))
    _ = try numbers[0].count()
    context.setJobGroup(nil)
    #expect(context.status.jobs.map(\.group) == ["mine", nil, "mine"])
    #expect(other.status.jobs.map(\.group) == [nil])
  }

  @Test("So many are remembered; what runs is forgotten last")
  func bound() {
    let store = context.status
    func start(_ id: Int) {
      store.receive(.jobStarted(JobInfo(id: id)))
      store.receive(
        .stageStarted(
          StageInfo(id: id, job: id, name: "map", callsFunctions: false, taskCount: 1)))
    }
    func end(_ id: Int) {
      store.receive(
        .stageEnded(StageInfo(id: id, job: id, name: "map", callsFunctions: false, taskCount: 1)))
      store.receive(.jobEnded(JobInfo(id: id), succeeded: id % 2 == 0))
    }
    start(0)
    for id in 1...StatusStore.capacity + 1 {
      start(id)
      end(id)
    }
    #expect(store.jobs.count == StatusStore.capacity)
    #expect(store.jobs.prefix(2).map(\.id) == [0, 3])
    #expect(store.jobs.prefix(2).map(\.status) == [.running, .failed])
    #expect(store.stages.prefix(2).map(\.id) == [0, 3])
    #expect(store.stages.prefix(2).map(\.isActive) == [true, false])
  }
}
