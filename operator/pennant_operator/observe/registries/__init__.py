"""All ModelRegistries: `registries` is the door, and what the rest of the operator asks."""
