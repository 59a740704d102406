"""What a bundle asks for, settled: as a lock, or in an image."""
