"""Wheels that a test makes, and a package index on loopback that serves a folder of them."""
