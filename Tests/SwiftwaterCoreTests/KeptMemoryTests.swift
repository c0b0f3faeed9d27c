import Synchronization
import Testing

@testable import SwiftwaterCore

@Suite struct KeptMemoryTests {
  /// How much smaller the process becomes where a thread gives back what it has used and freed.
  private func givenBack() throws -> Int {
    let found = Mutex(0)
    let thread = try EngineThread(trying: "test") {
      // Pieces of the thread's own heap, of which less is kept than the thread may keep.
      let pieces = (0..<240).map { _ in
        let piece = UnsafeMutableRawPointer.allocate(byteCount: 100 << 10, alignment: 64)
        piece.initializeMemory(as: UInt8.self, repeating: 1, count: 100 << 10)
        return piece
      }
      for piece in pieces { piece.deallocate() }
      let before = ProcessMemory.now.resident
      SpillStore.giveBackOwnMemory()
      found.withLock { $0 = before - ProcessMemory.now.resident }
    }
    #expect(thread.join())
    return found.withLock { $0 }
  }

  @Test("A thread gives back what it has freed, also the end of its heap")
  func end() throws {
    // From then on a thread keeps some of it.
    SpillStore.giveBackOwnMemory()
    // Another thread may have the same heap, or use more at the same time.
    let found = try (0..<5).map { _ in try givenBack() }
    #expect(found.contains { $0 > 16 << 20 }, "\(found)")
  }
}
