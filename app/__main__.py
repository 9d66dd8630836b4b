"""The command line's door: words to commands, errors to one clear line and an exit code.

0: done. 1: it did not work this time. 2: what was given cannot be used; nothing was written.
"""

import argparse
import errno
import importlib
import os
import sys
from typing import Final

from app import __version__
from app.errors import InputError, NightshiftError

# Commands are imported when they are called for: `analyze` on a small machine loads no web server.
_COMMANDS: Final = {
    "serve": "run the crew: the clock, the page, MQTT (what the add-on does)",
    "demo": "let a night run over an invented home and show the page",
    "analyze": "find habits in a recorder file, a history download or the hub, and print them",
    "run": "run one job now, in the foreground",
    "jobs": "list the jobs: what they do, when they run next, how they went last",
    "check": "say what is wrong with options, hub, broker, model and mail, and how to mend it",
    "backup": "keep the database still while its folder is copied: `begin`, then `end`",
    "export": "write everything into one file, to move it to another machine",
    "import": "put what `export` wrote in the place of what is here",
}
# A module cannot be called as the language's own word is.
_MODULES: Final = {"import": "import_"}


def main(words: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="run.sh", description="Nightshift works while the house sleeps.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"Nightshift {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    given = sys.argv[1:] if words is None else words
    for name, what in _COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what, allow_abbrev=False)
        if given[:1] == [name]:
            module = importlib.import_module(f"app.commands.{_MODULES.get(name, name)}")
            module.add_arguments(command)
            command.set_defaults(start=module.start)
    arguments = parser.parse_args(given)
    try:
        code = int(arguments.start(arguments))
        sys.stdout.flush()
    except InputError as error:
        return _say(error, 2)
    except NightshiftError as error:
        return _say(error, 1)
    except BrokenPipeError:
        # Whoever read our output has left (`| head`): no more is owed.
        _close_output()
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _close_output()
        return _say(NightshiftError("the output could not be written: there is no room left for it"), 1)
    except KeyboardInterrupt:
        return 130
    return code


def _close_output() -> None:
    """Let standard output lead nowhere: the interpreter would try once more at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(error: NightshiftError, code: int) -> int:
    sys.stderr.write(f"nightshift: {' '.join(str(error).split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
