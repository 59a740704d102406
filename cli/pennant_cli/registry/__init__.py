"""What a pipeline does at the registry: register, move an alias, hold it, and read what was done.

commands.py      the arguments and help of all
moving.py        promote, rollback, history
holds.py         hold, release
gate_options.py  --gate and --gates
times.py         --until and --at
"""
