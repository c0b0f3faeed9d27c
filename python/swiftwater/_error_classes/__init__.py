"""The classes of ``swiftwater.errors``, a file for each of their families.

They are imported by ``swiftwater.errors`` alone, which is where they say that they come from: so
none is ever seen, or pickled, under another name.
"""
