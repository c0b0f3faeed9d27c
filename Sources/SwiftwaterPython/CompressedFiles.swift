import PythonInterop
import SwiftwaterCore
import SwiftwaterRDD

/// Reads compressed files with the libraries of Python, which `swiftwater._compression` chooses.
struct PythonUnpacker: FileUnpacker {
  func open(_ path: FilePath) throws -> any FileContent {
    try Interpreter.attach { py in
      let pieces = try py.importing("pieces", from: "swiftwater._compression")
      guard let path = py.newText(path: path.bytes) else { throw PythonError.fetch(py) }
      defer { Py.release(path) }
      guard let iterator = pieces.call(path) else { throw PythonError.fetch(py) }
      return UnpackedPieces(PythonObject(owning: iterator))
    }
  }
}

/// What an iterator over `bytes` hands out.
private final class UnpackedPieces: FileContent {
  private let iterator: PythonObject

  init(_ iterator: PythonObject) { self.iterator = iterator }

  func next(_ body: (UnsafeRawBufferPointer) -> Void) throws -> Bool {
    try Interpreter.attach { py in
      guard let piece = Py.next(iterator.pointer) else {
        if Py.isExceptionSet { throw PythonError.fetch(py) }
        return false
      }
      defer { Py.release(piece) }
      // SAFETY: nothing changes `bytes`, and they live until they are released here.
      body(try bytesBorrowed(from: piece))
      return true
    }
  }
}
