"""A process from start to end: the wiring, the self-test, and several workers side by side."""
