"""``python3 -m swiftwater``: the command line in a stock interpreter."""

import os
import signal

from swiftwater._typing import NoReturn

if __name__ == "__main__":

    def _end_at_once(number: int, frame: object) -> NoReturn:
        os._exit(128 + number)

    # Until the script begins, which gets Python's own handler back: nothing has to be stopped yet.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)

    from swiftwater._cli import main

    main()
