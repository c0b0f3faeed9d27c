import PythonInterop
import PythonTesting
import Testing

/// The native module as Python sees it.
@Suite struct NativeModuleTests {
  /// Those that take whatever they are given.
  private static let lenient: Set = ["current_task"]

  @Test("Every function refuses a wrong number of arguments, and says what it does")
  func arguments() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        import _swiftwater
        functions = {n: f for n, f in vars(_swiftwater).items() if type(f) is type(len)}

        def refusal(function):
            try:
                function(*[None] * 20)
            except Exception as error:
                return f"{type(error).__name__}: {error}"
        """, py)
      #expect(try code.integer("len(functions)", py)! > 60)
      let wrong = """
        {n for n, f in functions.items()
         if not (refusal(f) or '').startswith('TypeError: expected ') or not f.__doc__}
        """
      let found = try code.text(
        "sorted(\(wrong.split(separator: "\n").joined(separator: " ")))", py)
      #expect(found == "\(Self.lenient.sorted())".replacing("\"", with: "'"))
    }
  }

  @Test(
    "Arguments of a wrong type are a TypeError that says which",
    arguments: [
      ("visible_text(1, True)", "argument 1 must be: str"),
      ("visible_text('a', 1)", "argument 2 must be: bool"),
      ("count(None)", "argument 1 must be: handle of RDDNode"),
      ("take(object(), 1)", "argument 1 must be: handle of RDDNode"),
      ("open_context({'a': 1})", "argument 1 must be: dict of str"),
      ("set_task_hook(3)", "a function is expected"),
    ])
  func types(call: String, words: String) throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("import _swiftwater", py)
      do {
        _ = try code.value("_swiftwater.\(call)", py)
        Issue.record("\(call) is taken")
      } catch let error as PythonError {
        #expect(error.description == "TypeError: \(words)")
      }
    }
  }

  @Test("A handle is one of a class that nobody can make or derive from")
  func handles() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode("import _swiftwater", py)
      for expression in ["_swiftwater.Handle()", "type('T', (_swiftwater.Handle,), {})"] {
        #expect(throws: PythonError.self) {
          try Interpreter.attach { py in _ = try code.value(expression, py) }
        }
      }
    }
  }

  @Test("A job runs in this process as under the host, and explains itself")
  func job() throws {
    try TestInterpreter.run { py in
      let code = try PythonCode(
        """
        from swiftwater import SparkConf, SparkContext

        conf = SparkConf().setMaster("local[1]").setAppName("tests")
        conf.set("swiftwater.workers", "never").set("swiftwater.log.level", "OFF")
        with SparkContext(conf=conf) as sc:
            words = sc.parallelize(["to be", "or not to be"], 2).flatMap(str.split)
            counts = dict(words.map(lambda w: (w, 1)).reduceByKey(lambda a, b: a + b).collect())
            total = words.count()
            kept = words.take(3)
        """, py)
      #expect(try code.holds("counts == {'to': 2, 'be': 2, 'or': 1, 'not': 1}", py))
      #expect(try code.holds("total == 6 and kept == ['to', 'be', 'or']", py))
    }
  }
}
