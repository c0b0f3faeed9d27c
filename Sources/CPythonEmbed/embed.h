// Nothing is imported from here: the target brings pkg-config's flags for embedding Python.
#pragma once
