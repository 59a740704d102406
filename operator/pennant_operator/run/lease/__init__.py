"""Leading: `elector` asks for the Lease as `decide/lease.py` says, the rest know `leadership`."""
