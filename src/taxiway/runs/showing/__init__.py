"""What people see of runs: pages, tables in a terminal, Markdown and notebooks."""
