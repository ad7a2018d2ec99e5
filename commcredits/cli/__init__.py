"""The command line. `main` is the console script; the rest is loaded only when a command needs it."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run `commcredits ARGUMENTS`; answers the exit code (see `errors.py`)."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if "--version" in arguments and set(arguments) <= {"--version", "--json"}:
        from commcredits import __version__

        print(f'{{"version":"{__version__}"}}' if "--json" in arguments else f"commcredits {__version__}")
        return 0
    from commcredits.cli.program import run

    return run(arguments)
