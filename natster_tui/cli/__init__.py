"""The command line: every command of DESIGN section 8."""
