"""What is counted and timed, of one process or of all workers, for Prometheus."""
