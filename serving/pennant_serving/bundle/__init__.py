"""What `fetch` put on the volume, and what it says about itself."""
