"""PySpark's name for the package ``cloudpickle``."""

from cloudpickle import CloudPickler, Pickler, dump, dumps, load, loads, register_pickle_by_value
from cloudpickle import unregister_pickle_by_value as unregister_pickle_by_value

__all__ = ["CloudPickler", "Pickler", "dump", "dumps", "load", "loads", "register_pickle_by_value"]
