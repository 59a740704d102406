"""`pennant serve`: the serving runtime on this machine, which follows an alias."""
