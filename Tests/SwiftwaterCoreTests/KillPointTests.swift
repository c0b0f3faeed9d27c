import Testing

@testable import SwiftwaterCore

@Suite struct KillPointTests {
  struct Case: Sendable {
    let text: String
    let passed: [String]
    /// Which of the passes end the process; nil where the text names no point.
    let ends: [Bool]?
  }

  @Test(
    "A process ends at the n-th pass of a point, or of any",
    arguments: [
      Case(text: "a:1", passed: ["b", "a", "a"], ends: [false, true, false]),
      Case(text: "a:2", passed: ["a", "b", "a"], ends: [false, false, true]),
      Case(text: "*:3", passed: ["a", "b", "c", "d"], ends: [false, false, true, false]),
      Case(text: "data file.made:1", passed: ["data file.made"], ends: [true]),
      Case(text: "a:b:1", passed: ["a", "a:b"], ends: [false, true]),
      Case(text: "a", passed: [], ends: nil),
      Case(text: "a:", passed: [], ends: nil),
      Case(text: ":1", passed: [], ends: nil),
      Case(text: "a:0", passed: [], ends: nil),
      Case(text: "a:-1", passed: [], ends: nil),
    ])
  func passes(_ example: Case) {
    let point = KillPoint(example.text)
    #expect((point != nil) == (example.ends != nil))
    #expect(point.map { point in example.passed.map(point.ends) } == example.ends)
  }
}
