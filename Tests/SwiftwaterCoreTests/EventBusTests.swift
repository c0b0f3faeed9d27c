import SwiftwaterCore
import Synchronization
import Testing

@Suite struct EventBusTests {
  /// Notes what it is told.
  private final class Ears: EventListener {
    let topics: EventTopics
    private let name: String
    private let notes: Notes

    init(_ name: String, _ topics: EventTopics, _ notes: Notes) {
      self.name = name
      self.topics = topics
      self.notes = notes
    }

    func receive(_ event: EngineEvent) { notes.add(name, event) }
  }

  private final class Notes: Sendable {
    private let kept = Mutex<[String]>([])

    func add(_ name: String, _ event: EngineEvent) {
      kept.withLock { $0.append("\(name) \(shown(event))") }
    }

    func take() -> [String] {
      kept.withLock { kept in
        defer { kept = [] }
        return kept
      }
    }
  }

  private static let output = OutputInfo(
    time: BatchTime(milliseconds: 0), id: 7, operation: "print", name: "print", description: "")

  private static func completed(failure: String?) -> EngineEvent {
    .outputCompleted(
      OutputInfo(
        time: output.time, id: 7, operation: "print", name: "print", description: "",
        failure: failure))
  }

  @Test("A listener hears of its topics only, and of an event with several once")
  func topics() {
    let bus = EventBus()
    let notes = Notes()
    bus.add(Ears("runs", .runs, notes))
    bus.add(Ears("outputs", .outputs, notes))
    bus.add(Ears("failures", .failures, notes))
    bus.add(Ears("both", [.outputs, .failures], notes))
    let table: [(EngineEvent, [String])] = [
      (.streamingStopped, ["runs stopped"]),
      (.outputStarted(Self.output), ["outputs began 7", "both began 7"]),
      (Self.completed(failure: nil), ["outputs well 7", "both well 7"]),
      (
        Self.completed(failure: "no"),
        ["outputs failed 7", "failures failed 7", "both failed 7"]
      ),
      (.bufferDrained(source: "s"), []),
    ]
    for (event, heard) in table {
      bus.post(event)
      #expect(notes.take() == heard)
      bus.post(event.topics, event)
      #expect(notes.take() == heard)
    }
  }

  @Test("An event that nobody wants is not made")
  func unwanted() {
    let parent = EventBus()
    let bus = EventBus(parent: parent)
    let notes = Notes()
    var made = 0
    func post() {
      bus.post(
        .outputs,
        {
          made += 1; return .outputStarted(Self.output)
        }())
    }
    post()
    bus.add(Ears("runs", .runs, notes))
    post()
    #expect(made == 0)
    let below = bus.add(Ears("below", .outputs, notes))
    post()
    below.cancel()
    let above = parent.add(Ears("above", .outputs, notes))
    post()
    #expect(made == 2)
    above.cancel()
    above.cancel()
    post()
    #expect(made == 2)
    #expect(notes.take() == ["below began 7", "above began 7"])
  }

  @Test("A parent's listeners hear first, and of what happens on the parent alone as well")
  func parents() {
    let parent = EventBus()
    let buses = [EventBus(parent: parent), EventBus(parent: parent)]
    let notes = Notes()
    buses[0].add(Ears("own", .all, notes))
    parent.add(Ears("all", .all, notes))
    for bus in buses + [parent] { bus.post(.streamingStopped) }
    #expect(notes.take() == ["all stopped", "own stopped", "all stopped", "all stopped"])
    buses[0].removeAll()
    buses[0].post(.streamingStopped)
    #expect(notes.take() == ["all stopped"])
  }

  @Test("On a manual clock a queue delivers at once; what a listener causes comes after it")
  func manual() {
    let bus = EventBus()
    let queue = EventQueue(isManual: true, tellDropped: { _ in })
    let notes = Notes()
    bus.add(
      ClosureListener(topics: .runs) { event in
        #expect(queue.isCurrentThread)
        notes.add("before", event)
        bus.post(.bufferDrained(source: "s"))
        notes.add("after", event)
      }, through: queue)
    bus.add(Ears("input", .input, notes), through: queue)
    bus.post(.streamingStopped)
    #expect(notes.take() == ["before stopped", "after stopped", "input drained"])
    #expect(!queue.isCurrentThread)
  }

  @Test("A listener that is cancelled hears nothing of what waits for it")
  func cancelled() {
    let bus = EventBus()
    let queue = EventQueue(isManual: false, tellDropped: { _ in })
    let notes = Notes()
    let gate = Monitor(false)
    bus.add(
      ClosureListener(topics: .runs) { _ in _ = gate.wait { $0 ? true : nil } }, through: queue)
    let ticket = bus.add(Ears("gone", .all, notes), through: queue)
    bus.add(Ears("stays", .all, notes), through: queue)
    bus.post(.streamingStopped)
    bus.post(.bufferDrained(source: "s"))
    ticket.cancel()
    gate.notify { $0 = true }
    queue.close(timeout: .seconds(10))
    #expect(notes.take() == ["stays stopped", "stays drained"])
  }

  @Test("Beyond its bound a queue drops events, and says how many")
  func full() {
    let bus = EventBus()
    let told = Monitor<[Int]>([])
    let counter = Counter()
    let queue = EventQueue(
      isManual: false, dropped: counter,
      tellDropped: { count in told.notify { $0.append(count) } })
    let (gate, heard) = (Monitor(false), Monitor(0))
    bus.add(
      ClosureListener { _ in
        _ = gate.wait { $0 ? true : nil }
        heard.notify { $0 += 1 }
      }, through: queue)
    for _ in 0..<EventQueue.capacity + 3 { bus.post(.streamingStopped) }
    #expect(told.withLock { $0 } == [1])
    gate.notify { $0 = true }
    queue.close(timeout: .seconds(10))
    #expect(heard.withLock { $0 } + counter.value == EventQueue.capacity + 3)
    // The first one may have been on its way already.
    #expect((EventQueue.capacity...EventQueue.capacity + 1).contains(heard.withLock { $0 }))
    bus.post(.streamingStopped)
    #expect(heard.withLock { $0 } <= EventQueue.capacity + 1)
  }
}

private func shown(_ event: EngineEvent) -> String {
  switch event {
  case .streamingStopped: "stopped"
  case .bufferDrained: "drained"
  case .outputStarted(let info): "began \(info.id)"
  case .outputCompleted(let info): "\(info.failure == nil ? "well" : "failed") \(info.id)"
  default: "?"
  }
}
