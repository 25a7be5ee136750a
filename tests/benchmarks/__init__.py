"""How fast it is, measured: `python -m tests.benchmarks` prints a table and writes JSON.

Throughput is stated as ratios within one run, because times depend on the machine: against the
per-event design (fetch one, get, put, acknowledge) and against reading the same log with nats-py
and doing nothing. Whatever is compared runs in turns, each time in a process of its
own, and the median of the rounds counts.
"""
