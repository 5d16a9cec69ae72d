"""Print the settings in force, each with where it came from: its default, the file or a variable.

  slac config                            what this machine's processes run with
  slac config --template > slac.toml     a file to begin with: every setting, its meaning, range and default

Both print TOML that SLAC_CONFIG can name. Secrets come from the environment alone, are no settings and are not printed.
"""

import argparse

from slac_tasks import config, toml


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac config`."""
    parser.add_argument("--template", action="store_true", help="print a commented file with every default instead")


def main(arguments: argparse.Namespace) -> None:
    """Print one settings file."""
    if arguments.template:
        print(toml.template(config.Config), end="")
        return
    found = config.loaded()
    print(toml.in_force(found.config, found.origins), end="")
