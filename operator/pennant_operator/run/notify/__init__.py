"""Sends what ModelDeployments hold for notifiers: a `line` each, and the `courier` of them all."""
