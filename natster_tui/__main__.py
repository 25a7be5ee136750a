"""`python -m natster_tui` is `natster-tui`."""

from natster_tui.cli.main import run

if __name__ == "__main__":
    run()
