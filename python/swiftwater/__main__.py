"""``python3 -m swiftwater``: the command line in a stock interpreter."""

from swiftwater._cli import main

if __name__ == "__main__":
    main()
