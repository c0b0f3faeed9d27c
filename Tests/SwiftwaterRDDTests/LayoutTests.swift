import SwiftwaterPlan
import SwiftwaterTesting
import Testing

@Suite struct LayoutTests {
  private func parts(_ layout: Layout) -> [[Layout.Part]] {
    (0..<layout.count).map { layout.parts(of: $0) }
  }

  @Test("A union has the partitions of its inputs, one after the other; some inputs have none")
  func unions() {
    var random = SeededRandom()
    let seed = random.seed
    for _ in 0..<500 {
      let counts = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        Int.random(in: 0...4, using: &random)
      }
      let expected = counts.enumerated().flatMap { input, count in
        (0..<count).map { [Layout.Part(input: input, partition: $0)] }
      }
      #expect(parts(.union(of: counts)) == expected, "seed \(seed): \(counts)")
    }
  }

  @Test("Neighbours together are all partitions, each once and in order", arguments: 1...12)
  func neighbours(total: Int) {
    for count in 1...total {
      let found = parts(.neighbours(of: total, in: count))
      #expect(found.count == count)
      #expect(found.joined().map(\.partition) == Array(0..<total))
      #expect(found.allSatisfy { !$0.isEmpty })
    }
  }

  @Test("Partitions side by side: the first of each input, the second of each, ...")
  func sideBySide() {
    let expected = (0..<3).map { partition in
      (0..<2).map { Layout.Part(input: $0, partition: partition) }
    }
    #expect(parts(.sideBySide(of: 2, in: 3)) == expected)
    #expect(parts(.sideBySide(of: 2, in: 0)).isEmpty)
  }

  @Test("Each partition of one input with each of the other")
  func crossed() {
    let expected = (0..<2).flatMap { first in
      (0..<3).map { second in
        [Layout.Part(input: 0, partition: first), Layout.Part(input: 1, partition: second)]
      }
    }
    #expect(parts(.crossed(2, with: 3)) == expected)
    #expect(parts(.crossed(2, with: 0)).isEmpty)
    #expect(parts(.crossed(0, with: 3)).isEmpty)
  }

  @Test func given() {
    let partitions = [[Layout.Part(input: 1, partition: 0)], []]
    #expect(parts(Layout(partitions)) == partitions)
  }
}
