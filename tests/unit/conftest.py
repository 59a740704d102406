import generated_examples  # noqa: F401 - loads the profile of generated tests
