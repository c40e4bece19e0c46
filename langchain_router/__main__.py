"""`python -m langchain_router` is the command `langchain-router`."""

import sys

from langchain_router.cli import main

if __name__ == "__main__":
    sys.exit(main())
