"""``import findspark`` of notebooks: nothing has to be found."""

from swiftwater.findspark import *  # noqa: F403
from swiftwater.findspark import __all__ as __all__
