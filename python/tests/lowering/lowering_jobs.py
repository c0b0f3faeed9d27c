"""What jobs give that run lowered and plain, and how their functions run."""

NATIVE = {"native", "native where types allow"}

# How many of a job's functions are native, beside True (all) and False (not all).
SOME, ANY = "some", "any"
OPERATORS = {"map", "flatMap", "filter", "mapValues", "flatMapValues", "reduceByKey"}


def collected(rdd):
    return rdd.collect()


def by_partition(rdd):
    return rdd.glom().collect()


def outcome(action):
    """What an action gives, or what it raises, in a form that tells all differences."""
    try:
        return repr(action())
    except Exception as error:  # noqa: BLE001 - any may be the right one
        return (type(error).__name__, repr(error.args), getattr(error, "__notes__", []))


def forms(lines):
    """How the functions of a plan run, without what the driver and the engine do."""
    return {line[3] for line in lines if line[1] in OPERATORS}


def add(a, b):
    return a + b


BIG = ["1", "9223372036854775808", "2", "99999999999999999999", "-9223372036854775809", "3"]
FIELDS = ["a,1,x", "b,2,y", "a,3,z", "c,-4,", "ä,5,ö", "b,0,y"]


def tuple_of(line):
    fields = line.split(",")
    return fields[0], int(fields[1])
