import PythonFunctions
import PythonInterop
import SwiftwaterKernels

/// Spark's `portable_hash` of a Python object; nil with an exception set.
///
/// Text, bytes, numbers, None and tuples of them are found without Python's seed, whatever the
/// process's hash seed. Anything else is asked for its own hash, which is only allowed where that
/// does not depend on a random seed, and freed of addresses (`swiftwater._tasks.key_hashes`).
package func portableHash(of object: PyPointer, _ py: borrowing Python, depth: Int = 0) -> Int? {
  switch py.hashForm(of: object) {
  case .none: return PortableHash.none
  case .text(let bytes): return PortableHash.text(utf8: bytes)
  case .codePoints(let points): return PortableHash.text(codePoints: points)
  case .bytes(let bytes): return PortableHash.bytes(bytes)
  case .tuple(let count):
    guard depth < 1000 else {
      Py.raise(.runtimeError, "a key of tuples within tuples is too deep to be hashed")
      return nil
    }
    // The closure asks for the token anew: it is lent to this function only.
    return PortableHash.tuple(count: count) { index in
      Interpreter.called { portableHash(of: Py.tupleItem(object, index), $0, depth: depth + 1) }
    }
  case .seedless: return py.hash(of: object)
  case .other:
    guard WorkerProgress.hasDriversHashes(for: object, py) else { return nil }
    guard py.hasFixedHashSeed else {
      // No seed helps what cannot be hashed at all.
      guard py.hash(of: object) != nil else { return nil }
      Py.raise(
        .valueError,
        "[PYTHON_HASH_SEED_NOT_SET] Randomness of hash of string should be disabled via "
          + "PYTHONHASHSEED. The key \(py.describe(object, limit: 80)) has a hash of its own: run "
          + "the job with `swiftwater run`, or set PYTHONHASHSEED=0")
      return nil
    }
    return placementHash(of: object, py)
  }
}

/// The hash of an object that hashes itself, as every process finds it; nil with an exception set.
private func placementHash(of object: PyPointer, _ py: borrowing Python) -> Int? {
  // In a worker what has no place goes back to the driver, where one partition needs none.
  let name = WorkerProgress.isWorker ? "placement_hash_or_none" : "placement_hash"
  do {
    let function = try py.importing(name, from: "swiftwater._tasks.key_hashes")
    guard let result = function.call(object) else { return nil }
    defer { Py.release(result) }
    if let hash = py.integer(of: result) { return hash }
    WorkerProgress.giveUp(becauseOf: object, py)
  } catch {
    raise(error, py)
  }
  return nil
}
