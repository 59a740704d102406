"""The demo: a real cluster moves real traffic because an MLflow alias moved.

`__main__` is the command, `setup` installs everything (the e2e tests use it too), `acts` is what
is shown, `traffic` follows the load generator, `report` and `picture` say what it saw.
"""
