"""The loaded model, between the protocols and its adapter, and what it says about itself."""
