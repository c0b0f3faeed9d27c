"""Puts the native module into the package: from the release build where there is one."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY = "lib_swiftwater.dylib" if sys.platform == "darwin" else "lib_swiftwater.so"
BUILT = os.path.join(REPOSITORY, ".build", "release", LIBRARY)
SWIFT = ("swift", "build", "-c", "release", "--product", "_swiftwater")
FLAGS = ("-Xswiftc", "-static-stdlib")


class CopyNativeModule(build_ext):
    """Copies the library that Swift has built, and has it built where it is not there."""

    def build_extension(self, ext: Extension) -> None:
        """Put the library where setuptools expects the extension."""
        if not os.path.exists(BUILT):
            if shutil.which("swift") is None:
                raise SystemExit(
                    "swiftwater has no built native module and there is no swift to build it: "
                    "install Swift, or run scripts/quickstart in the clone first"
                )
            subprocess.run([*SWIFT, *FLAGS], cwd=REPOSITORY, check=True)
        target = self.get_ext_fullpath(ext.name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(BUILT, target)


# Nothing is left in the source tree that a later install could pick up.
scratch = tempfile.mkdtemp(prefix="swiftwater-build-")
atexit.register(shutil.rmtree, scratch, ignore_errors=True)

setup(
    ext_modules=[Extension("swiftwater._swiftwater", sources=[], py_limited_api=True)],
    cmdclass={"build_ext": CopyNativeModule},
    options={
        "bdist_wheel": {"py_limited_api": "cp311"},
        "build": {"build_base": scratch},
        "egg_info": {"egg_base": scratch},
    },
)
