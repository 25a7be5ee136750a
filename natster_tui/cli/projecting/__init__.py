"""Commands that project, rebuild, verify and try."""
